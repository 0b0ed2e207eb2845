/* batchnorm_block.cu: batch norm of at most 256 examples in one kernel each way. */
#ifndef BL_KERNELS_CUDA_BATCHNORM_BLOCK_H
#define BL_KERNELS_CUDA_BATCHNORM_BLOCK_H
#include "kernels/cuda/queue.h"

bool bl_batchnorm_is_one_block(size_t batch, size_t n);
/* Only where that is true. */
void bl_batchnorm_forward_block(const bl_batchnorm_forward *args, bl_queue *queue);
void bl_batchnorm_backward_block(const bl_batchnorm_backward *args, bl_queue *queue);
#endif
