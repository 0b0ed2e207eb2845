/* A queue of the device, seen from inside the plug-in: a stream and memory for partial sums. */
#ifndef BL_KERNELS_CUDA_QUEUE_H
#define BL_KERNELS_CUDA_QUEUE_H
#include "kernels/device.h"
#include <cuda_runtime_api.h>

#define BL_CUDA_WORKSPACE ((size_t)64 << 20)

struct bl_queue {
    cudaStream_t stream;
    void *workspace; /* BL_CUDA_WORKSPACE bytes of the device */
};

#ifdef __cplusplus
extern "C" {
#endif
void bl_cuda_use(void); /* makes the plug-in's device this thread's */

/* The backend: a function a family, in the .cu files. */
#define BL_CUDA_DECLARE(family) void bl_##family##_cuda(const bl_##family *, const bl_part *);
BL_FAMILIES(BL_CUDA_DECLARE)
#undef BL_CUDA_DECLARE
#ifdef __cplusplus
}
#endif
#endif
