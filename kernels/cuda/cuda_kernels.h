/* This project's CUDA kernels, as the vendor's side and the plug-in call them: a function for each
 * kernel family, and what the vendor's libraries need around their calls. Each names the .cu file
 * that defines it. All of them enqueue and return. */
#ifndef BL_KERNELS_CUDA_CUDA_KERNELS_H
#define BL_KERNELS_CUDA_CUDA_KERNELS_H
#include "kernels/cuda/queue.h"

/* How an array's numbers are stored. */
typedef enum bl_width { BL_FP32, BL_BF16, BL_FP16 } bl_width;

#ifdef __cplusplus
extern "C" {
#endif

/* batchnorm.cu: out (n) are the sums of the columns of dy (batch, n), by rule B. */
void bl_colsum_run(float *out, const float *dy, size_t batch, size_t n, bl_queue *queue);

/* conv2d_weight.cu: dbias of a convolution, from dy. */
void bl_conv_bias_sums(float *dbias, const float *dy, const bl_conv *conv, bl_queue *queue);

/* layout.cu: to (columns, rows) <- from (rows, columns). */
void bl_cuda_transpose(bl_queue *queue, void *to, bl_width to_width, const void *from,
                       bl_width from_width, size_t rows, size_t columns);
/* elements.cu: what a kernel of this project does with its result, for one that a library left
 * in y. */
void bl_cuda_epilogue(bl_queue *queue, const bl_epilogue *epilogue, float *y, size_t count);
/* y (count / n, n) <- y + bias (n). */
void bl_cuda_add_bias(bl_queue *queue, float *y, const float *bias, size_t count, size_t n);
/* The member of bl_device of this name. */
void bl_cuda_scale(bl_queue *queue, float *x, float factor, size_t count);

/* training.cu: the members of bl_device of these names. */
void bl_cuda_gather(bl_queue *queue, const bl_device_gather *args);
void bl_cuda_merge(bl_queue *queue, float *gradient, const float *left, size_t count, double *sum,
                   const double *left_sum);
void bl_cuda_check_loss(bl_queue *queue, const bl_device_check *args);
void bl_cuda_update(bl_queue *queue, const bl_device_update *args);

/* The backend: a function a family. */
#define BL_CUDA_DECLARE(family) void bl_##family##_cuda(const bl_##family *, const bl_part *);
BL_FAMILIES(BL_CUDA_DECLARE)
#undef BL_CUDA_DECLARE
#ifdef __cplusplus
}
#endif
#endif
