/* Speed of the kernels of convolutional nets on one thread, at the shapes of Simple CNN (batch
 * 128), ResNet-8 (batch 64) and a depthwise layer: convolutions in GFLOP/s and as a part of the
 * multiply-add peak measured here; the others, and depthwise, in GB/s of arrays read and written
 * and as a part of the rate of `add` over arrays as large. A convolution is held to the reference
 * on two examples before it is timed. Medians of 3 to 51 samples.
 *
 *     image_bench [BACKEND [NAME]]      default: the best backend, all shapes */
#include "kernels/kernel.h"
#include "tests/bench/bench.h"

enum { SAMPLES_MIN = 3, SAMPLES_MAX = 51, CHECKED = 2 };
static const double SAMPLE_SECONDS = 0.15;

typedef struct shape {
    const char *name;
    bl_conv conv;
    size_t pool; /* size of max pooling of y; 0: none */
} shape;

#define CONV(b, h, w, c, oh, ow, n, k, s, p, g)                                                    \
    {                                                                                              \
        .batch = (b), .height = (h), .width = (w), .channels = (c), .out_height = (oh),            \
        .out_width = (ow), .filters = (n), .kernel = (k), .stride = (s), .pad = (p), .groups = (g) \
    }
static const shape k_shapes[] = {
    {"cnn 1",         CONV(128, 28, 28, 1,  28, 28, 32, 5, 1, 2, 1),  2},
    {"cnn 2",         CONV(128, 14, 14, 32, 14, 14, 64, 5, 1, 2, 1),  2},
    {"resnet first",  CONV(64,  32, 32, 3,  32, 32, 16, 3, 1, 1, 1),  0},
    {"resnet 16",     CONV(64,  32, 32, 16, 32, 32, 16, 3, 1, 1, 1),  0},
    {"resnet 16-32",  CONV(64,  32, 32, 16, 16, 16, 32, 3, 2, 1, 1),  0},
    {"resnet 32",     CONV(64,  16, 16, 32, 16, 16, 32, 3, 1, 1, 1),  0},
    {"resnet 32-64",  CONV(64,  16, 16, 32, 8,  8,  64, 3, 2, 1, 1),  0},
    {"resnet 64",     CONV(64,  8,  8,  64, 8,  8,  64, 3, 1, 1, 1),  0},
    {"project 16-32", CONV(64,  32, 32, 16, 16, 16, 32, 1, 2, 0, 1),  0},
    {"project 32-64", CONV(64,  16, 16, 32, 8,  8,  64, 1, 2, 0, 1),  0},
    {"pointwise 64",  CONV(64,  16, 16, 64, 16, 16, 64, 1, 1, 0, 1),  0},
    {"depthwise 64",  CONV(64,  16, 16, 64, 16, 16, 64, 3, 1, 1, 64), 0},
};
#undef CONV

/* The arrays of a convolution with batch norm, relu and pooling behind it. */
typedef struct bench {
    const bl_kernels *k;
    const shape *s;
    bl_conv v;
    bl_pool2d pool;
    size_t x_count, y_count, w_count;
    float *x, *dx, *y, *dy, *z, *w, *dw, *bias, *dbias;
    float *column[6]; /* (filters) */
    float *pooled, *index;
    bl_part part;
} bench;

static void bench_init(bench *b, const bl_kernels *k, const shape *s, size_t batch) {
    *b = (bench){.k = k, .s = s, .v = s->conv};
    bl_conv *v = &b->v;
    v->batch = batch;
    b->x_count = batch * v->height * v->width * v->channels;
    b->y_count = batch * v->out_height * v->out_width * v->filters;
    b->w_count = v->kernel * v->kernel * v->channels / v->groups * v->filters;
    float **all[] = {&b->x, &b->dx, &b->y, &b->dy, &b->z, &b->pooled, &b->index, &b->w, &b->dw};
    const size_t count[] = {b->x_count, b->x_count, b->y_count, b->y_count, b->y_count,
                            b->y_count, b->y_count, b->w_count, b->w_count};
    for (size_t i = 0; i < BL_COUNT(all); i++) *all[i] = array(count[i]);
    b->bias = array(v->filters);
    b->dbias = array(v->filters);
    for (size_t i = 0; i < BL_COUNT(b->column); i++) b->column[i] = array(v->filters);
    const size_t size = bl_size_max(s->pool, 1);
    b->pool = (bl_pool2d){.batch = batch,
                          .height = v->out_height,
                          .width = v->out_width,
                          .channels = v->filters,
                          .out_height = v->out_height / size,
                          .out_width = v->out_width / size,
                          .size = size,
                          .stride = size};
    b->part = (bl_part){.parts = 1, .scratch = memory(BL_KERNEL_SCRATCH)};
}

static void bench_free(bench *b) {
    void *all[] = {b->x,  b->dx,   b->y,     b->dy,     b->z,     b->w,
                   b->dw, b->bias, b->dbias, b->pooled, b->index, b->part.scratch};
    for (size_t i = 0; i < BL_COUNT(all); i++) free(all[i]);
    for (size_t i = 0; i < BL_COUNT(b->column); i++) free(b->column[i]);
}

/* run_FAMILY: one call. */
static void run_forward(bench *b) {
    b->k->conv2d_forward(
        &(bl_conv2d_forward){.y = b->y, .x = b->x, .w = b->w, .bias = b->bias, .conv = b->v},
        &b->part);
}
static void run_backward_input(bench *b) {
    b->k->conv2d_backward_input(
        &(bl_conv2d_backward_input){.dx = b->dx, .dy = b->dy, .w = b->w, .conv = b->v}, &b->part);
}
static void run_backward_weight(bench *b) {
    b->k->conv2d_backward_weight(
        &(bl_conv2d_backward_weight){
            .dw = b->dw, .dbias = b->dbias, .x = b->x, .dy = b->dy, .conv = b->v},
        &b->part);
}
static void run_relu_forward(bench *b) {
    b->k->relu_forward(&(bl_relu_forward){b->z, b->y, b->y_count}, &b->part);
}
static void run_relu_backward(bench *b) {
    b->k->relu_backward(&(bl_relu_backward){b->z, b->dy, b->y, b->y_count}, &b->part);
}
static void run_add(bench *b) {
    b->k->add(&(bl_add){b->z, b->y, b->dy, b->y_count}, &b->part);
}
static void run_max_pool_forward(bench *b) {
    b->k->max_pool_forward(&(bl_max_pool_forward){b->pooled, b->index, b->y, b->pool}, &b->part);
}
static void run_max_pool_backward(bench *b) {
    b->k->max_pool_backward(&(bl_max_pool_backward){b->z, b->pooled, b->index, b->pool}, &b->part);
}
static void run_avg_pool_forward(bench *b) {
    b->k->avg_pool_forward(&(bl_avg_pool_forward){b->pooled, b->y, b->pool}, &b->part);
}
static void run_avg_pool_backward(bench *b) {
    b->k->avg_pool_backward(&(bl_avg_pool_backward){b->z, b->pooled, b->pool}, &b->part);
}
static void run_batchnorm2d_forward(bench *b) {
    float **c = b->column;
    b->k->batchnorm2d_forward(
        &(bl_batchnorm2d_forward){.y = b->z,
                                  .mean = c[0],
                                  .rstd = c[1],
                                  .sum_mean = c[2],
                                  .sum_var = c[3],
                                  .x = b->y,
                                  .gamma = c[4],
                                  .beta = c[5],
                                  .batch = b->v.batch,
                                  .positions = b->v.out_height * b->v.out_width,
                                  .n = b->v.filters,
                                  .chunks = 1,
                                  .eps = 1e-5f},
        &b->part);
}
static void run_batchnorm2d_backward(bench *b) {
    float **c = b->column;
    b->k->batchnorm2d_backward(
        &(bl_batchnorm2d_backward){.dx = b->z,
                                   .dgamma = c[2],
                                   .dbeta = c[3],
                                   .dy = b->dy,
                                   .x = b->y,
                                   .mean = c[0],
                                   .rstd = c[1],
                                   .gamma = c[4],
                                   .batch = b->v.batch,
                                   .positions = b->v.out_height * b->v.out_width,
                                   .n = b->v.filters,
                                   .chunks = 1},
        &b->part);
}
static void run_mean_positions_forward(bench *b) {
    b->k->mean_positions_forward(&(bl_mean_positions_forward){b->pooled, b->y, b->v.batch,
                                                              b->v.out_height * b->v.out_width,
                                                              b->v.filters},
                                 &b->part);
}
static void run_mean_positions_backward(bench *b) {
    b->k->mean_positions_backward(&(bl_mean_positions_backward){b->z, b->pooled, b->v.batch,
                                                                b->v.out_height * b->v.out_width,
                                                                b->v.filters},
                                  &b->part);
}

/* Floats that a call reads and writes: `y` arrays like y, `pooled` ones, and x once if `x`. */
static const struct family {
    const char *name;
    void (*run)(bench *b);
    bool conv, pools;
    double y, pooled;
} k_families[] = {
    {"conv2d_forward",          run_forward,                 true,  false, 1, 0},
    {"conv2d_backward_input",   run_backward_input,          true,  false, 1, 0},
    {"conv2d_backward_weight",  run_backward_weight,         true,  false, 1, 0},
    {"max_pool_forward",        run_max_pool_forward,        false, true,  1, 2},
    {"max_pool_backward",       run_max_pool_backward,       false, true,  1, 2},
    {"avg_pool_forward",        run_avg_pool_forward,        false, true,  1, 1},
    {"avg_pool_backward",       run_avg_pool_backward,       false, true,  1, 1},
    {"add",                     run_add,                     false, false, 3, 0},
    {"relu_forward",            run_relu_forward,            false, false, 2, 0},
    {"relu_backward",           run_relu_backward,           false, false, 3, 0},
    {"batchnorm2d_forward",     run_batchnorm2d_forward,     false, false, 4, 0},
    {"batchnorm2d_backward",    run_batchnorm2d_backward,    false, false, 5, 0},
    {"mean_positions_forward",  run_mean_positions_forward,  false, false, 1, 0},
    {"mean_positions_backward", run_mean_positions_backward, false, false, 1, 0},
};

/* The median time of a call. */
static double time_call(bench *b, void (*run)(bench *b)) {
    double t[SAMPLES_MAX], spent = 0;
    size_t n = 0;
    run(b);
    for (; n < SAMPLES_MAX && (n < SAMPLES_MIN || spent < SAMPLE_SECONDS); n++) {
        const double start = seconds();
        run(b);
        t[n] = seconds() - start;
        spent += t[n];
    }
    return median(t, n);
}

/* Every convolution of a shape must give the reference's bits. */
static void verify(const bl_kernels *k, const shape *s) {
    bench got, want;
    bench_init(&got, k, s, CHECKED);
    bench_init(&want, bl_kernels_table[bl_kernels_count - 1], s, CHECKED);
    for (size_t i = 0; i < BL_COUNT(k_families) && k_families[i].conv; i++) {
        k_families[i].run(&got);
        k_families[i].run(&want);
    }
    if (memcmp(got.y, want.y, got.y_count * sizeof *got.y) != 0 ||
        memcmp(got.dx, want.dx, got.x_count * sizeof *got.dx) != 0 ||
        memcmp(got.dw, want.dw, got.w_count * sizeof *got.dw) != 0 ||
        memcmp(got.dbias, want.dbias, got.v.filters * sizeof *got.dbias) != 0) {
        (void)fprintf(stderr, "image_bench: %s of %s differs from ref\n", s->name, k->name);
        exit(1);
    }
    bench_free(&got);
    bench_free(&want);
}

static void measure(const bl_kernels *k, const shape *s, double peak) {
    bench b;
    bench_init(&b, k, s, s->conv.batch);
    const double y = (double)b.y_count, seen = (double)(b.w_count / b.v.filters);
    const double bandwidth = 3 * 4 * y / time_call(&b, run_add);
    for (size_t i = 0; i < BL_COUNT(k_families); i++) {
        const struct family *f = &k_families[i];
        if (f->pools && s->pool == 0) continue;
        const double t = time_call(&b, f->run);
        printf("%-8s %-14s %-24s %10.1f", k->name, s->name, f->name, t * 1e6);
        if (f->conv && b.v.groups == 1) {
            const double flops = 2 * y * seen / t;
            printf(" %9.1f GFLOP/s", flops / 1e9);
            if (peak > 0) printf(" %5.1f %%", 100 * flops / peak);
        } else {
            const double pooled = (double)(b.pool.out_height * b.pool.out_width) /
                                  (double)(b.pool.height * b.pool.width);
            const double floats =
                y * (f->y + f->pooled * pooled) + (f->conv ? (double)b.x_count : 0);
            printf(" %9.1f GB/s    %5.1f %%", 4 * floats / t / 1e9, 400 * floats / t / bandwidth);
        }
        printf("\n");
        (void)fflush(stdout);
    }
    bench_free(&b);
}

int main(int argc, char **argv) {
    const bl_kernels *k = NULL;
    for (size_t i = bl_kernels_count; i-- > 0;)
        if (argc > 1 ? strcmp(argv[1], bl_kernels_table[i]->name) == 0
                     : bl_kernels_table[i]->usable())
            k = bl_kernels_table[i];
    if (!k || !k->usable()) {
        (void)fprintf(stderr, "image_bench: no backend %s here\n", argc > 1 ? argv[1] : "");
        return 1;
    }
    const double peak = peak_of(k->name);
    if (peak > 0) printf("multiply-add peak of one core: %.1f GFLOP/s\n", peak / 1e9);
    printf("backend  shape          family                           us\n");
    for (size_t i = 0; i < BL_COUNT(k_shapes); i++) {
        if (argc > 2 && strncmp(argv[2], k_shapes[i].name, strlen(argv[2])) != 0) continue;
        verify(k, &k_shapes[i]);
        measure(k, &k_shapes[i], peak);
    }
    return 0;
}
