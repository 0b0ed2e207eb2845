/* The emulated cuBLASLt: sums in double, so that what it computes is not the bits of level `exact`.
 * It checks what it is asked: shapes that do not fit together are refused. FAKE_CUBLASLT=inplace:
 * it knows only algorithms that sum in no fixed order. The first that it lists always is one.
 * FAKE_CUBLASLT=rounds: factors are rounded to the precision that is asked for, as a card may. */
#include "tests/cuda/cublasLt.h"
#include "kernels/cuda/narrow.h"
#include "tests/cuda/emulate.h"
#include <stdlib.h>
#include <string.h>

struct fake_handle {
    int unused;
};
struct fake_product {
    cublasOperation_t op_a, op_b;
    cublasLtEpilogue_t epilogue;
    const float *bias;
    cublasComputeType_t factors;
};
struct fake_layout {
    uint64_t rows, columns;
    int64_t ld;
};
struct fake_preference {
    uint64_t workspace;
    uint32_t schemes, aligned;
};

static const cublasStatus_t OK = CUBLAS_STATUS_SUCCESS;

size_t cublasLtGetVersion(void) {
    return 130001;
}

const char *cublasLtGetStatusString(cublasStatus_t status) {
    return status == OK ? "success" : "as the emulated cuBLASLt puts it";
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t *handle) {
    if (emulated_failure("cublasLtCreate")) return CUBLAS_STATUS_EXECUTION_FAILED;
    *handle = new fake_handle();
    return OK;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
    delete handle;
    return OK;
}

static bool is_mode(const char *name) {
    const char *mode = getenv("FAKE_CUBLASLT");
    return mode && strcmp(mode, name) == 0;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *d, cublasComputeType_t compute,
                                        cudaDataType_t) {
    *d = new fake_product{CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, nullptr,
                          is_mode("rounds") ? compute : CUBLAS_COMPUTE_32F};
    return OK;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d) {
    delete d;
    return OK;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void *value, size_t bytes) {
    void *to = attribute == CUBLASLT_MATMUL_DESC_TRANSA     ? (void *)&d->op_a
               : attribute == CUBLASLT_MATMUL_DESC_TRANSB   ? (void *)&d->op_b
               : attribute == CUBLASLT_MATMUL_DESC_EPILOGUE ? (void *)&d->epilogue
                                                            : (void *)&d->bias;
    if (bytes != (to == (void *)&d->bias ? sizeof d->bias : 4)) return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(to, value, bytes);
    return OK;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *l, cudaDataType_t, uint64_t rows,
                                          uint64_t columns, int64_t ld) {
    *l = new fake_layout{rows, columns, ld};
    return ld >= (int64_t)rows ? OK : CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l) {
    delete l;
    return OK;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *p) {
    *p = new fake_preference{0, ~0u, 256};
    return OK;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p) {
    delete p;
    return OK;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t p,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void *value, size_t bytes) {
    if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES)
        memcpy(&p->workspace, value, bytes);
    else
        memcpy(attribute == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK ? &p->schemes : &p->aligned,
               value, bytes);
    return OK;
}

/* The shape of op(l). */
static uint64_t rows_of(const fake_layout *l, cublasOperation_t op) {
    return op == CUBLAS_OP_N ? l->rows : l->columns;
}
static uint64_t columns_of(const fake_layout *l, cublasOperation_t op) {
    return op == CUBLAS_OP_N ? l->columns : l->rows;
}

static bool fit(const fake_product *p, const fake_layout *a, const fake_layout *b,
                const fake_layout *d) {
    return rows_of(a, p->op_a) == d->rows && columns_of(b, p->op_b) == d->columns &&
           columns_of(a, p->op_a) == rows_of(b, p->op_b);
}

/* data[0]: the reduction scheme; data[1]: the alignment it counts on. */
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t product,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t p, int wanted,
                                              cublasLtMatmulHeuristicResult_t *listed, int *count) {
    if (emulated_failure("cublasLtMatmulAlgoGetHeuristic")) return CUBLAS_STATUS_EXECUTION_FAILED;
    if (!fit(product, a, b, d)) return CUBLAS_STATUS_INVALID_VALUE;
    *count = is_mode("inplace") ? 1 : 2;
    for (int i = 0; i < *count && i < wanted; i++) {
        listed[i] = {};
        listed[i].algo.data[0] =
            i == 0 ? CUBLASLT_REDUCTION_SCHEME_INPLACE : CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
        listed[i].algo.data[1] = p->aligned;
    }
    return OK;
}

cublasStatus_t cublasLtMatmulAlgoConfigGetAttribute(const cublasLtMatmulAlgo_t *algo,
                                                    cublasLtMatmulAlgoConfigAttributes_t attribute,
                                                    void *value, size_t bytes, size_t *written) {
    const uint32_t scheme = (uint32_t)algo->data[0];
    const bool narrow = attribute == CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID ||
                        attribute == CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID;
    if (bytes != (narrow ? sizeof(uint16_t) : sizeof(uint32_t))) return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(value, &scheme, bytes);
    *written = bytes;
    return OK;
}

static bool aligned(const void *p, uint64_t to) {
    return (uintptr_t)p % to == 0;
}

/* A factor with the digits that the precision leaves it; tf32 has 10 bits behind the point. */
static double factor(const fake_product &p, float x) {
    const uint32_t u = bl_bits32(x);
    if (p.factors == CUBLAS_COMPUTE_32F_FAST_16F) return (double)bl_of_fp16(bl_fp16_of(x));
    if (p.factors == CUBLAS_COMPUTE_32F_FAST_16BF) return (double)bl_of_bf16(bl_bf16_of(x));
    if (p.factors == CUBLAS_COMPUTE_32F_FAST_TF32 && x == x)
        return (double)bl_float32((u + 0xfff + (u >> 13 & 1)) & ~0x1fffu);
    return (double)x;
}

/* A sum in no fixed order is caught: it writes NaN. */
cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t product, const void *,
                              const void *a_, cublasLtMatrixLayout_t a, const void *b_,
                              cublasLtMatrixLayout_t b, const void *, const void *,
                              cublasLtMatrixLayout_t, void *d_, cublasLtMatrixLayout_t d,
                              const cublasLtMatmulAlgo_t *algo, void *, size_t,
                              cudaStream_t stream) {
    const fake_product p = *product;
    const fake_layout la = *a, lb = *b, ld = *d;
    const float *fa = (const float *)a_, *fb = (const float *)b_;
    float *fd = (float *)d_;
    const bool inplace = algo->data[0] & CUBLASLT_REDUCTION_SCHEME_INPLACE;
    const uint64_t to = algo->data[1];
    if (emulated_failure("cublasLtMatmul")) return CUBLAS_STATUS_EXECUTION_FAILED;
    if (!fit(product, a, b, d) || !aligned(a_, to) || !aligned(b_, to) || !aligned(d_, to))
        return CUBLAS_STATUS_INVALID_VALUE;
    emulate(dim3(1), dim3(1), stream, false, [=] {
        const uint64_t depth = columns_of(&la, p.op_a);
        for (uint64_t j = 0; j < ld.columns; j++)
            for (uint64_t i = 0; i < ld.rows; i++) {
                double sum = p.epilogue == CUBLASLT_EPILOGUE_BIAS ? (double)p.bias[i] : 0.0;
                for (uint64_t k = 0; k < depth; k++)
                    sum +=
                        factor(p, p.op_a == CUBLAS_OP_N ? fa[k * la.ld + i] : fa[i * la.ld + k]) *
                        factor(p, p.op_b == CUBLAS_OP_N ? fb[j * lb.ld + k] : fb[k * lb.ld + j]);
                fd[j * ld.ld + i] = inplace ? NAN : (float)sum;
            }
    });
    return OK;
}
