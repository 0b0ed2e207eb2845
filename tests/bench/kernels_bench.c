/* Speed of the kernels on one thread: the dense products in GFLOP/s and as a part of the
 * multiply-add peak measured here, everything else in GB/s of arrays read and written. A backend is
 * held to the reference on a small shape before it is timed. Medians of 5 to 51 samples.
 *
 *     kernels_bench [BACKEND [BATCH]]      default: the best backend, batches 64, 1024 and 16384 */
#include "kernels/kernel.h"
#include "tests/bench/bench.h"

enum { SAMPLES_MIN = 5, SAMPLES_MAX = 51 };
static const double SAMPLE_SECONDS = 2e-3, FAMILY_SECONDS = 0.1;

/* All arrays a family may want at one shape, with the arguments of every family. */
typedef struct bench {
    size_t batch, k, n;
    float *x, *dx;     /* (batch, k) */
    float *y, *dy, *z; /* (batch, n) */
    float *w, *dw;     /* (k, n) */
    float *column[8];  /* (max(k, n)) */
    uint16_t *codes;
    unsigned char *keep; /* a dropout's mask of y */
    float *target;       /* (batch): class 0 */
    double sum;
    bl_embedding_column table;
    bl_part part;
} bench;

static void bench_init(bench *b, size_t batch, size_t k, size_t n) {
    *b = (bench){.batch = batch, .k = k, .n = n};
    b->x = array(batch * k);
    b->dx = array(batch * k);
    b->y = array(batch * n);
    b->dy = array(batch * n);
    b->z = array(batch * n);
    b->target = memory(batch * sizeof *b->target);
    b->w = array(k * n);
    b->dw = array(k * n);
    for (size_t i = 0; i < BL_COUNT(b->column); i++) {
        b->column[i] = array(bl_size_max(k, n));
        for (size_t j = 0; j < bl_size_max(k, n); j++)
            b->column[i][j] += 1.25f; /* positive: variances are among them */
    }
    b->codes = memory(batch * sizeof *b->codes);
    for (size_t i = 0; i < batch; i++) b->codes[i] = (uint16_t)(i * 2654435761u % k);
    b->keep = memory(batch * bl_dropout_mask_bytes(n));
    b->table = (bl_embedding_column){.rows = k, .width = n};
    b->part = (bl_part){.parts = 1, .scratch = memory(BL_KERNEL_SCRATCH)};
}

static void bench_free(bench *b) {
    void *all[] = {b->x,  b->dx,    b->y,    b->dy,     b->z,           b->w,
                   b->dw, b->codes, b->keep, b->target, b->part.scratch};
    for (size_t i = 0; i < BL_COUNT(all); i++) free(all[i]);
    for (size_t i = 0; i < BL_COUNT(b->column); i++) free(b->column[i]);
}

/* run_FAMILY: one call. */
static void run_dense_forward(const bl_kernels *k, bench *b) {
    k->dense_forward(
        &(bl_dense_forward){b->y, b->x, b->w, b->column[0], b->batch, b->k, b->n, {.relu = true}},
        &b->part);
}
static void run_dense_backward_input(const bl_kernels *k, bench *b) {
    k->dense_backward_input(
        &(bl_dense_backward_input){b->dx, b->dy, b->w, b->batch, b->k, b->n, {0}}, &b->part);
}
static void run_dense_backward_weight(const bl_kernels *k, bench *b) {
    k->dense_backward_weight(
        &(bl_dense_backward_weight){b->dw, b->column[0], b->x, b->dy, b->batch, b->k, b->n, b->k},
        &b->part);
}
static void run_relu_forward(const bl_kernels *k, bench *b) {
    k->relu_forward(&(bl_relu_forward){b->dy, b->y, b->batch * b->n}, &b->part);
}
static void run_relu_backward(const bl_kernels *k, bench *b) {
    k->relu_backward(&(bl_relu_backward){b->dy, b->dy, b->y, b->batch * b->n}, &b->part);
}
static void run_dropout(const bl_kernels *k, bench *b) {
    k->dropout(&(bl_dropout){.y = b->dy,
                             .mask = b->keep,
                             .x = b->y,
                             .batch = b->batch,
                             .n = b->n,
                             .seed = 1,
                             .threshold = 0x10000000u,
                             .scale = 1.0f / 0.9375f},
               &b->part);
}
static void run_dropout_backward(const bl_kernels *k, bench *b) {
    k->dropout_backward(
        &(bl_dropout_backward){b->dy, b->y, b->keep, b->batch, b->n, 1.0f / 0.9375f}, &b->part);
}
static void run_batchnorm_forward(const bl_kernels *k, bench *b) {
    float **c = b->column;
    k->batchnorm_forward(&(bl_batchnorm_forward){.y = b->dy,
                                                 .mean = c[0],
                                                 .rstd = c[1],
                                                 .sum_mean = c[2],
                                                 .sum_var = c[3],
                                                 .x = b->y,
                                                 .gamma = c[4],
                                                 .beta = c[5],
                                                 .batch = b->batch,
                                                 .n = b->n,
                                                 .eps = 1e-5f},
                         &b->part);
}
static void run_running_average(const bl_kernels *k, bench *b) {
    k->running_average(&(bl_running_average){b->z, b->y, b->batch * b->n, 4, 0.1f}, &b->part);
}
static void run_power_average(const bl_kernels *k, bench *b) {
    k->power_average(&(bl_power_average){b->z, b->y, b->batch * b->n, 0.01f}, &b->part);
}
static void run_batchnorm_inference(const bl_kernels *k, bench *b) {
    float **c = b->column;
    k->batchnorm_inference(&(bl_batchnorm_inference){.y = b->dy,
                                                     .x = b->y,
                                                     .running_mean = c[2],
                                                     .running_var = c[3],
                                                     .gamma = c[4],
                                                     .beta = c[5],
                                                     .batch = b->batch,
                                                     .n = b->n,
                                                     .eps = 1e-5f},
                           &b->part);
}
static void run_batchnorm_backward(const bl_kernels *k, bench *b) {
    float **c = b->column;
    k->batchnorm_backward(&(bl_batchnorm_backward){.dx = b->z,
                                                   .dgamma = c[6],
                                                   .dbeta = c[7],
                                                   .dy = b->dy,
                                                   .x = b->y,
                                                   .mean = c[0],
                                                   .rstd = c[1],
                                                   .gamma = c[4],
                                                   .batch = b->batch,
                                                   .n = b->n},
                          &b->part);
}
static void run_embedding_forward(const bl_kernels *k, bench *b) {
    k->embedding_forward(
        &(bl_embedding_forward){b->y, b->w, b->codes, &b->table, 1, b->batch, b->n}, &b->part);
}
static void run_embedding_backward(const bl_kernels *k, bench *b) {
    k->embedding_backward(
        &(bl_embedding_backward){b->dw, b->dy, b->codes, &b->table, 1, b->batch, b->n}, &b->part);
}
static void run_sigmoid_range_forward(const bl_kernels *k, bench *b) {
    k->sigmoid_range_forward(&(bl_sigmoid_range_forward){b->y, b->dy, b->x, b->batch, 0.0f, 10.0f},
                             &b->part);
}
static void run_sigmoid_range_backward(const bl_kernels *k, bench *b) {
    k->sigmoid_range_backward(
        &(bl_sigmoid_range_backward){b->dx, b->x, b->dy, b->batch, 0.0f, 10.0f}, &b->part);
}
static void run_copy_columns(const bl_kernels *k, bench *b) {
    k->copy_columns(&(bl_copy_columns){b->dy, b->y, b->batch, b->n, b->n, b->n}, &b->part);
}
static void run_mse(const bl_kernels *k, bench *b) {
    k->mse(&(bl_mse){&b->sum, b->dx, b->x, b->dy, b->batch, b->batch}, &b->part);
}
static void run_softmax_cross_entropy(const bl_kernels *k, bench *b) {
    k->softmax_cross_entropy(
        &(bl_softmax_cross_entropy){&b->sum, b->dy, b->y, b->target, b->batch, b->n, b->batch, 0.1},
        &b->part);
}

/* Bytes that a call reads and writes, in floats per (batch, n), (batch) and (k, n) array. */
typedef struct family {
    const char *name;
    void (*run)(const bl_kernels *k, bench *b);
    bool dense;
    double matrix, vector, table;
} family;
static const family families[] = {
    {"dense_forward",          run_dense_forward,          true,  0, 0, 0},
    {"dense_backward_input",   run_dense_backward_input,   true,  0, 0, 0},
    {"dense_backward_weight",  run_dense_backward_weight,  true,  0, 0, 0},
    {"relu_forward",           run_relu_forward,           false, 2, 0, 0},
    {"relu_backward",          run_relu_backward,          false, 3, 0, 0},
    {"dropout",                run_dropout,                false, 2, 0, 0},
    {"dropout_backward",       run_dropout_backward,       false, 2, 0, 0},
    {"batchnorm_forward",      run_batchnorm_forward,      false, 4, 0, 0},
    {"batchnorm_inference",    run_batchnorm_inference,    false, 2, 0, 0},
    {"batchnorm_backward",     run_batchnorm_backward,     false, 5, 0, 0},
    {"running_average",        run_running_average,        false, 3, 0, 0},
    {"power_average",          run_power_average,          false, 3, 0, 0},
    {"embedding_forward",      run_embedding_forward,      false, 2, 0, 0},
    {"embedding_backward",     run_embedding_backward,     false, 1, 0, 1},
    {"sigmoid_range_forward",  run_sigmoid_range_forward,  false, 0, 3, 0},
    {"sigmoid_range_backward", run_sigmoid_range_backward, false, 0, 3, 0},
    {"copy_columns",           run_copy_columns,           false, 2, 0, 0},
    {"mse",                    run_mse,                    false, 0, 3, 0},
    {"softmax_cross_entropy",  run_softmax_cross_entropy,  false, 2, 1, 0},
};
#define COUNT_ONE(family) +1
_Static_assert(BL_COUNT(families) + (0 BL_FAMILIES_IMAGE(COUNT_ONE)) == 0 BL_FAMILIES(COUNT_ONE),
               "every family but those of images is measured");

/* The median time of a call. */
static double time_call(const bl_kernels *k, bench *b, const family *f) {
    double t[SAMPLES_MAX], spent = 0;
    int n = 0;
    f->run(k, b);
    for (; n < SAMPLES_MAX && (n < SAMPLES_MIN || spent < FAMILY_SECONDS); n++) {
        const double start = seconds();
        int calls = 0;
        do {
            f->run(k, b);
            calls++;
        } while (seconds() - start < SAMPLE_SECONDS);
        t[n] = (seconds() - start) / calls;
        spent += t[n] * calls;
    }
    return median(t, (size_t)n);
}

/* Every array after one call of every family must equal the reference's. */
static void verify(const bl_kernels *k) {
    bench got, want;
    for (size_t i = 0; i < BL_COUNT(families); i++) {
        bench_init(&got, 300, 70, 90);
        bench_init(&want, 300, 70, 90);
        families[i].run(k, &got);
        families[i].run(bl_kernels_table[bl_kernels_count - 1], &want);
        bool same = memcmp(got.y, want.y, 300 * 90 * 4) == 0 && got.sum == want.sum &&
                    memcmp(got.dy, want.dy, 300 * 90 * 4) == 0 &&
                    memcmp(got.dx, want.dx, 300 * 70 * 4) == 0 &&
                    memcmp(got.dw, want.dw, 70 * 90 * 4) == 0 &&
                    memcmp(got.z, want.z, 300 * 90 * 4) == 0;
        for (size_t c = 0; c < BL_COUNT(got.column); c++)
            same = same && memcmp(got.column[c], want.column[c], 90 * 4) == 0;
        if (!same) {
            fprintf(stderr, "kernels_bench: %s/%s differs from ref\n", k->name, families[i].name);
            exit(1);
        }
        bench_free(&got);
        bench_free(&want);
    }
}

static void measure_shape(const bl_kernels *k, double peak, size_t batch, size_t kk, size_t n,
                          bool dense) {
    bench b;
    bench_init(&b, batch, kk, n);
    for (size_t i = 0; i < BL_COUNT(families); i++) {
        const family *f = &families[i];
        if (f->dense != dense) continue;
        const double t = time_call(k, &b, f);
        printf("%-8s %-23s %6zu %5zu %5zu %12.2f", k->name, f->name, batch, kk, n, t * 1e6);
        const double rows = (double)batch, cols = (double)n;
        if (dense) {
            const double flops = 2.0 * rows * (double)kk * cols / t;
            printf(" %9.1f GFLOP/s", flops / 1e9);
            if (peak > 0) printf(" %5.1f %%", 100 * flops / peak);
        } else {
            const double floats =
                f->matrix * rows * cols + f->vector * rows + f->table * (double)kk * cols;
            printf(" %9.2f GB/s", floats * 4 / t / 1e9);
        }
        printf("\n");
        fflush(stdout);
    }
    bench_free(&b);
}

int main(int argc, char **argv) {
    static const size_t dense[][2] = {
        {233,  1000},
        {1000, 500 },
        {500,  1   },
        {200,  100 },
        {100,  50  },
        {50,   1   },
        {10,   50  },
        {50,   2   }
    };
    size_t batches[] = {64, 1024, 16384}, batch_count = 3;
    const bl_kernels *k = NULL;
    for (size_t i = bl_kernels_count; i-- > 0;)
        if (argc > 1 ? strcmp(argv[1], bl_kernels_table[i]->name) == 0
                     : bl_kernels_table[i]->usable())
            k = bl_kernels_table[i];
    if (!k || !k->usable()) {
        fprintf(stderr, "kernels_bench: no backend %s here\n", argc > 1 ? argv[1] : "");
        return 1;
    }
    if (argc > 2) batches[0] = (size_t)atol(argv[2]), batch_count = 1;
    verify(k);
    const double peak = peak_of(k->name);
    if (peak > 0) printf("multiply-add peak of one core: %.1f GFLOP/s\n", peak / 1e9);
    printf("backend  family                   batch     k     n         us\n");
    for (size_t i = 0; i < batch_count; i++)
        for (size_t j = 0; j < BL_COUNT(dense); j++)
            measure_shape(k, peak, batches[i], dense[j][0], dense[j][1], true);
    for (size_t i = 0; i < batch_count; i++) measure_shape(k, peak, batches[i], 1115, 500, false);
    return 0;
}
