/* Level `device`: the products of dense layers by cuBLASLt, which is opened when a run asks for it.
 * An algorithm is the first of the library's own list for the shape that sums in a fixed order;
 * none is chosen by timing. What it has no such algorithm for is left to the kernels of level
 * `exact`. */
#ifndef BL_KERNELS_VENDOR_CUBLASLT_H
#define BL_KERNELS_VENDOR_CUBLASLT_H
#include "kernels/device.h"

#ifdef __cplusplus
extern "C" {
#endif
typedef struct bl_cublaslt bl_cublaslt; /* of a queue: a handle and what was chosen, by shape */

/* Opens the library (BATCHLAB_CUBLASLT names another file). *version is of its own counting.
 * BL_EUNSUPPORTED says what is missing. */
bl_status bl_cublaslt_library(size_t *version, bl_err *err);
/* `precision` is a row of BL_CHOICES_PRECISION. */
bl_status bl_cublaslt_open(bl_cublaslt **out, const char *precision, bl_err *err);
void bl_cublaslt_close(bl_cublaslt *products); /* NULL is fine */
/* From here on bl_cublaslt_algorithm names what is asked for: a handle may have plans of runs
 * before this one. */
void bl_cublaslt_select(bl_cublaslt *products);
/* What was chosen for the i-th shape since then, in words; NULL: no more. */
const char *bl_cublaslt_algorithm(const bl_cublaslt *products, size_t i);

void bl_dense_forward_library(const bl_dense_forward *args, const bl_part *part);
void bl_dense_backward_input_library(const bl_dense_backward_input *args, const bl_part *part);
void bl_dense_backward_weight_library(const bl_dense_backward_weight *args, const bl_part *part);
#ifdef __cplusplus
}
#endif
#endif
