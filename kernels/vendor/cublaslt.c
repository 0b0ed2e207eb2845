/* Dense layers by cuBLASLt. For every shape of a product the library is asked once, at the first
 * call with it, for its list of algorithms; the first that sums in a fixed order is taken and named
 * in the run's log. Arrays here are row-major, which the library reads as their transposes:
 *
 *     forward   y (batch, n) = x (batch, k) w (k, n)     as   y^T = w^T x^T:    m = n, n = batch
 *     input     dx = dy w^T                              as   dx^T = w dy^T:    m = k, w turned
 *     weights   dw = x^T dy                              as   dw^T = dy^T x:    m = n, x turned
 *
 * Choices belong to a handle, handles to a queue, queues to one thread at a time. */
#include "kernels/vendor/cublaslt.h"
#include "kernels/cuda/cuda_kernels.h"
#include "kernels/vendor/library.h"
#include <cublasLt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS(X)                                                                                   \
    X(cublasLtGetVersion)                                                                          \
    X(cublasLtGetStatusString)                                                                     \
    X(cublasLtCreate)                                                                              \
    X(cublasLtDestroy)                                                                             \
    X(cublasLtMatmulDescCreate)                                                                    \
    X(cublasLtMatmulDescDestroy)                                                                   \
    X(cublasLtMatmulDescSetAttribute)                                                              \
    X(cublasLtMatrixLayoutCreate)                                                                  \
    X(cublasLtMatrixLayoutDestroy)                                                                 \
    X(cublasLtMatmulPreferenceCreate)                                                              \
    X(cublasLtMatmulPreferenceDestroy)                                                             \
    X(cublasLtMatmulPreferenceSetAttribute)                                                        \
    X(cublasLtMatmulAlgoGetHeuristic)                                                              \
    X(cublasLtMatmulAlgoConfigGetAttribute)                                                        \
    X(cublasLtMatmul)

static struct {
#define MEMBER(name) __typeof__(&name) name;
    CALLS(MEMBER)
#undef MEMBER
} lt;

/* What a product is, in the library's words: column-major D (m, n) = op(A) op(B), sums over k. */
typedef struct shape {
    size_t m, n, k, lda, ldb;
    cublasOperation_t op_a, op_b;
    bool bias;
    uint32_t aligned; /* bytes, of all four */
} shape;

enum { CHOICE_TEXT = 256 };
typedef struct choice {
    shape shape;
    bool found; /* else the kernels of level `exact` */
    cublasLtMatmulDesc_t product;
    cublasLtMatrixLayout_t a, b, d;
    cublasLtMatmulAlgo_t algorithm;
    size_t selected; /* which selection named it; see bl_cublaslt_select */
    char text[CHOICE_TEXT];
} choice;

enum { MOST_CHOICES = 256, LISTED = 16 };

struct bl_cublaslt {
    cublasLtHandle_t handle;
    cublasComputeType_t compute;
    choice *choice[MOST_CHOICES]; /* shapes beyond these go to level `exact` */
    size_t choices;
    size_t selection;            /* the number of the run's selection */
    choice *named[MOST_CHOICES]; /* by it, in order */
    size_t names;
};

/* ---- the library ---- */

#if CUDART_VERSION >= 13000
#define LIBRARY "libcublasLt.so.13"
#else
#define LIBRARY "libcublasLt.so.12"
#endif

bl_status bl_cublaslt_library(size_t *version, bl_err *err) {
#define FIND(name) {#name, &lt.name},
    static const bl_library_call calls[] = {CALLS(FIND)};
#undef FIND
    static bl_library library = {.name = "cuBLASLt",
                                 .variable = "BATCHLAB_CUBLASLT",
                                 .file = LIBRARY,
                                 .needed = "numerics = \"device\" needs cuBLASLt",
                                 .call = calls,
                                 .calls = sizeof calls / sizeof *calls,
                                 .lock = PTHREAD_MUTEX_INITIALIZER};
    BL_TRY(bl_library_load(&library, err));
    *version = lt.cublasLtGetVersion();
    return BL_OK;
}

/* Factors are rounded so, sums are fp32; parameters and results are fp32 everywhere. */
static const struct {
    const char *name;
    cublasComputeType_t compute;
} k_precisions[] = {
    {"fp32", CUBLAS_COMPUTE_32F          },
    {"tf32", CUBLAS_COMPUTE_32F_FAST_TF32},
    {"bf16", CUBLAS_COMPUTE_32F_FAST_16BF},
    {"fp16", CUBLAS_COMPUTE_32F_FAST_16F },
};

/* BL_EUNSUPPORTED: the library is not there, or does not start on this device. */
bl_status bl_cublaslt_open(bl_cublaslt **out, const char *precision, bl_err *err) {
    size_t version, i = 0;
    *out = NULL;
    BL_TRY(bl_cublaslt_library(&version, err));
    while (i < sizeof k_precisions / sizeof *k_precisions &&
           strcmp(k_precisions[i].name, precision) != 0)
        i++;
    if (i == sizeof k_precisions / sizeof *k_precisions)
        BL_FAIL(err, BL_EINVAL, "precision = \"%s\": there is no such precision", precision);
    bl_cublaslt *p = calloc(1, sizeof *p);
    if (p == NULL) BL_FAIL(err, BL_ENOMEM, "no memory");
    p->compute = k_precisions[i].compute;
    const cublasStatus_t begun = lt.cublasLtCreate(&p->handle);
    if (begun != CUBLAS_STATUS_SUCCESS) {
        free(p);
        BL_FAIL(err, BL_EUNSUPPORTED, "cuBLASLt does not start on this device: status %d (%s)",
                (int)begun, lt.cublasLtGetStatusString(begun));
    }
    *out = p;
    return BL_OK;
}

/* Destroys what `describe` made, all of it or the part it came to. */
static void choice_free(choice *c) {
    if (c->product) (void)lt.cublasLtMatmulDescDestroy(c->product);
    if (c->a) (void)lt.cublasLtMatrixLayoutDestroy(c->a);
    if (c->b) (void)lt.cublasLtMatrixLayoutDestroy(c->b);
    if (c->d) (void)lt.cublasLtMatrixLayoutDestroy(c->d);
    free(c);
}

void bl_cublaslt_close(bl_cublaslt *products) {
    if (products == NULL) return;
    for (size_t i = 0; i < products->choices; i++) choice_free(products->choice[i]);
    (void)lt.cublasLtDestroy(products->handle);
    free(products);
}

/* ---- choosing ---- */

#define DONE(call) ((call) == CUBLAS_STATUS_SUCCESS)
#define SET(object, kind, attribute, value)                                                        \
    DONE(lt.kind##SetAttribute(object, attribute, &(value), sizeof(value)))

/* The product and its three layouts in the library's objects, which choice_free gives back.
 * False: the library refused one of them. */
static bool describe(choice *c, cublasComputeType_t compute) {
    const shape *s = &c->shape;
    const cublasLtEpilogue_t epilogue =
        s->bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
    const bool a_as_is = s->op_a == CUBLAS_OP_N, b_as_is = s->op_b == CUBLAS_OP_N;
    return DONE(lt.cublasLtMatmulDescCreate(&c->product, compute, CUDA_R_32F)) &&
           SET(c->product, cublasLtMatmulDesc, CUBLASLT_MATMUL_DESC_TRANSA, s->op_a) &&
           SET(c->product, cublasLtMatmulDesc, CUBLASLT_MATMUL_DESC_TRANSB, s->op_b) &&
           SET(c->product, cublasLtMatmulDesc, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue) &&
           DONE(lt.cublasLtMatrixLayoutCreate(&c->a, CUDA_R_32F, a_as_is ? s->m : s->k,
                                              a_as_is ? s->k : s->m, (int64_t)s->lda)) &&
           DONE(lt.cublasLtMatrixLayoutCreate(&c->b, CUDA_R_32F, b_as_is ? s->k : s->n,
                                              b_as_is ? s->n : s->k, (int64_t)s->ldb)) &&
           DONE(lt.cublasLtMatrixLayoutCreate(&c->d, CUDA_R_32F, s->m, s->n, (int64_t)s->m));
}

/* Sums in place are taken in the order in which blocks arrive. The list may not heed the mask. */
static bool in_fixed_order(const cublasLtMatmulAlgo_t *algorithm) {
    uint32_t scheme = CUBLASLT_REDUCTION_SCHEME_INPLACE;
    size_t written = 0;
    return DONE(lt.cublasLtMatmulAlgoConfigGetAttribute(algorithm,
                                                        CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME,
                                                        &scheme, sizeof scheme, &written)) &&
           (scheme & CUBLASLT_REDUCTION_SCHEME_INPLACE) == 0;
}

/* What an algorithm has to keep to: workspace, order of sums, alignment of the arrays. */
static bool prefer(cublasLtMatmulPreference_t p, uint32_t aligned) {
    const uint64_t workspace = BL_CUDA_WORKSPACE;
    const uint32_t schemes =
        CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;
    return SET(p, cublasLtMatmulPreference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace) &&
           SET(p, cublasLtMatmulPreference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, schemes) &&
           SET(p, cublasLtMatmulPreference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, aligned) &&
           SET(p, cublasLtMatmulPreference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, aligned) &&
           SET(p, cublasLtMatmulPreference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, aligned) &&
           SET(p, cublasLtMatmulPreference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, aligned);
}

/* The list depends on shape, device and library version, all of them part of a run's identity. */
static void choose(bl_cublaslt *p, choice *c) {
    cublasLtMatmulPreference_t preference = NULL;
    cublasLtMatmulHeuristicResult_t listed[LISTED];
    int count = 0;
    if (!describe(c, p->compute) || !DONE(lt.cublasLtMatmulPreferenceCreate(&preference))) return;
    if (!prefer(preference, c->shape.aligned) ||
        !DONE(lt.cublasLtMatmulAlgoGetHeuristic(p->handle, c->product, c->a, c->b, c->d, c->d,
                                                preference, LISTED, listed, &count)))
        count = 0;
    for (int i = 0; i < count && !c->found; i++) {
        if (!DONE(listed[i].state) || listed[i].workspaceSize > BL_CUDA_WORKSPACE) continue;
        if (!in_fixed_order(&listed[i].algo)) continue;
        c->algorithm = listed[i].algo;
        c->found = true;
    }
    (void)lt.cublasLtMatmulPreferenceDestroy(preference);
}

/* One number of an algorithm behind those that are in the text; what the library does not know of
 * is left out. */
static size_t write_number(choice *c, size_t used, const char *name,
                           cublasLtMatmulAlgoConfigAttributes_t attribute, size_t bytes) {
    uint32_t value = 0; /* little-endian: a narrower number fills its lower end */
    size_t written = 0;
    if (used >= sizeof c->text || !DONE(lt.cublasLtMatmulAlgoConfigGetAttribute(
                                      &c->algorithm, attribute, &value, bytes, &written)))
        return used;
    return used + (size_t)snprintf(c->text + used, sizeof c->text - used, " %s %u", name, value);
}

/* The algorithm in the library's numbers: all that its configuration holds, so that two algorithms
 * never share a text. The last two count on Hopper only. */
static void write_text(choice *c) {
    static const struct {
        const char *name;
        cublasLtMatmulAlgoConfigAttributes_t attribute;
        size_t bytes;
    } numbers[] = {
        {"algorithm", CUBLASLT_ALGO_CONFIG_ID,               sizeof(uint32_t)},
        {"tile",      CUBLASLT_ALGO_CONFIG_TILE_ID,          sizeof(uint32_t)},
        {"stages",    CUBLASLT_ALGO_CONFIG_STAGES_ID,        sizeof(uint32_t)},
        {"split",     CUBLASLT_ALGO_CONFIG_SPLITK_NUM,       sizeof(uint32_t)},
        {"reduction", CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, sizeof(uint32_t)},
        {"swizzle",   CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING,    sizeof(uint32_t)},
        {"option",    CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION,    sizeof(uint32_t)},
        {"inner",     CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID,   sizeof(uint16_t)},
        {"cluster",   CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, sizeof(uint16_t)},
    };
    const shape *s = &c->shape;
    size_t used = (size_t)snprintf(c->text, sizeof c->text, "product %zu x %zu x %zu%s%s%s: %s",
                                   s->m, s->n, s->k, s->op_a == CUBLAS_OP_T ? ", first turned" : "",
                                   s->op_b == CUBLAS_OP_T ? ", second turned" : "",
                                   s->bias ? " and bias" : "", c->found ? "cuBLASLt" : "exact");
    for (size_t i = 0; c->found && i < sizeof numbers / sizeof *numbers; i++)
        used = write_number(c, used, numbers[i].name, numbers[i].attribute, numbers[i].bytes);
}

/* Everything that the list may depend on within a device, a version and a precision. */
static bool is_same(const shape *a, const shape *b) {
    return a->m == b->m && a->n == b->n && a->k == b->k && a->lda == b->lda && a->ldb == b->ldb &&
           a->op_a == b->op_a && a->op_b == b->op_b && a->bias == b->bias &&
           a->aligned == b->aligned;
}

/* Asks the library, for a shape that is new; NULL where there is no room for more. */
static choice *add_choice(bl_cublaslt *p, const shape *s) {
    choice *c = p->choices < MOST_CHOICES ? calloc(1, sizeof *c) : NULL;
    if (c == NULL) return NULL;
    c->shape = *s;
    choose(p, c);
    write_text(c);
    p->choice[p->choices++] = c;
    return c;
}

/* NULL: left to level `exact`. */
static choice *chosen(bl_cublaslt *p, const shape *s) {
    size_t i = 0;
    while (i < p->choices && !is_same(&p->choice[i]->shape, s)) i++;
    choice *c = i < p->choices ? p->choice[i] : add_choice(p, s);
    if (c == NULL) return NULL;
    if (c->selected != p->selection) p->named[p->names++] = c;
    c->selected = p->selection;
    return c->found ? c : NULL;
}

void bl_cublaslt_select(bl_cublaslt *products) {
    products->selection++;
    products->names = 0;
}

/* ---- products ---- */

/* The largest power of two, 16 at most, that divides all addresses. */
static uint32_t common_alignment(const void *a, const void *b, const void *d) {
    const uintptr_t bits = (uintptr_t)a | (uintptr_t)b | (uintptr_t)d | 16;
    return (uint32_t)(bits & (~bits + 1));
}

/* False: the library has nothing for it, and nothing was done. */
static bool multiply(bl_queue *queue, shape s, float *d, const float *a, const float *b,
                     const float *bias) {
    const float one = 1.0f, zero = 0.0f;
    if (s.m == 0 || s.n == 0 || s.k == 0) return false;
    s.aligned = common_alignment(a, b, d);
    s.bias = bias != NULL;
    choice *c = chosen(queue->products, &s);
    if (c == NULL || queue->selecting) return false;
    cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
    if (bias != NULL)
        status = lt.cublasLtMatmulDescSetAttribute(c->product, CUBLASLT_MATMUL_DESC_BIAS_POINTER,
                                                   &bias, sizeof bias);
    if (DONE(status))
        status = lt.cublasLtMatmul(queue->products->handle, c->product, &one, a, c->a, b, c->b,
                                   &zero, d, c->d, d, c->d, &c->algorithm, queue->workspace,
                                   BL_CUDA_WORKSPACE, queue->stream);
    if (!DONE(status))
        bl_queue_fault(
            queue, BL_EUNSUPPORTED,
            "cuBLASLt did not carry out what it had an algorithm for: status %d (%s), %s",
            (int)status, lt.cublasLtGetStatusString(status), c->text);
    return true;
}

/* Row-major arrays are the library's transposes: y^T = w^T x^T. Its relu does not promise to keep a
 * NaN, so that is a kernel of this project. */
void bl_dense_forward_library(const bl_dense_forward *a, const bl_part *part) {
    const shape s = {.m = a->n, .n = a->batch, .k = a->k, .lda = a->n, .ldb = a->k};
    bl_queue *queue = part->queue;
    bl_cuda_use(queue->device);
    if (multiply(queue, s, a->y, a->w, a->x, a->bias)) {
        bl_cuda_epilogue(queue, &a->epilogue, a->y, a->batch * a->n);
    } else if (!queue->selecting) {
        bl_dense_forward_cuda(a, part);
    }
}

void bl_dense_backward_input_library(const bl_dense_backward_input *a, const bl_part *part) {
    const shape s = {
        .m = a->k, .n = a->batch, .k = a->n, .lda = a->n, .ldb = a->n, .op_a = CUBLAS_OP_T};
    bl_queue *queue = part->queue;
    bl_cuda_use(queue->device);
    if (multiply(queue, s, a->dx, a->w, a->dy, NULL)) {
        bl_cuda_epilogue(queue, &a->epilogue, a->dx, a->batch * a->k);
    } else if (!queue->selecting) {
        bl_dense_backward_input_cuda(a, part);
    }
}

/* The bias's gradient is a sum of columns in contract order: cheap, and no epilogue's secret. */
void bl_dense_backward_weight_library(const bl_dense_backward_weight *a, const bl_part *part) {
    const shape s = {.m = a->n,
                     .n = a->k,
                     .k = a->batch,
                     .lda = a->n,
                     .ldb = bl_dense_x_stride(a),
                     .op_b = CUBLAS_OP_T};
    bl_queue *queue = part->queue;
    bl_cuda_use(queue->device);
    if (multiply(queue, s, a->dw, a->dy, a->x, NULL)) {
        if (a->dbias != NULL) bl_colsum_run(a->dbias, a->dy, a->batch, a->n, queue);
    } else if (!queue->selecting) {
        bl_dense_backward_weight_cuda(a, part);
    }
}

const char *bl_cublaslt_algorithm(const bl_cublaslt *products, size_t i) {
    return products != NULL && i < products->names ? products->named[i]->text : NULL;
}
