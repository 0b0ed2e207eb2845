/* The three products of dense layers on one core beside the same products of other libraries:
 * GFLOP/s, part of the multiply-add peak measured here, and ratios. Every peer's result is
 * held to the kernel's before it is timed (kernels_bench.c holds the kernels to the reference);
 * then all take turns. Medians of processor time. build/bench/gemm.csv has every figure. */
#include "kernels/kernel.h"
#include "tests/bench/bench.h"
#include "tests/bench/peer_gemm.h"
#include <math.h>
#include <sys/stat.h>

enum { REPEATS = 5, MOST = 3, PRODUCTS = 3 };
static const double SAMPLE_SECONDS = 4e-3;
static const char *const k_product[PRODUCTS] = {"forward", "input", "weight"};

/* A dense layer with its arrays: whose product is measured. */
typedef struct layer {
    size_t batch, k, n;
    float *x, *w, *y, *dx, *dw;
    bl_part part;
    const bl_kernels *kernels;
} layer;

static void layer_init(layer *l, const bl_kernels *kernels, size_t batch, size_t k, size_t n) {
    *l = (layer){.batch = batch, .k = k, .n = n, .kernels = kernels};
    l->x = array(batch * k);
    l->dx = array(batch * k);
    l->w = array(k * n);
    l->dw = array(k * n);
    l->y = array(batch * n);
    l->part = (bl_part){.parts = 1, .scratch = memory(BL_KERNEL_SCRATCH)};
}

static void layer_free(layer *l) {
    void *all[] = {l->x, l->dx, l->w, l->dw, l->y, l->part.scratch};
    for (size_t i = 0; i < BL_COUNT(all); i++) free(all[i]);
}

static void run_own(const layer *l, int product) {
    const bl_dense_forward forward = {
        .y = l->y, .x = l->x, .w = l->w, .batch = l->batch, .k = l->k, .n = l->n};
    const bl_dense_backward_input input = {
        .dx = l->dx, .dy = l->y, .w = l->w, .batch = l->batch, .k = l->k, .n = l->n};
    const bl_dense_backward_weight weight = {
        .dw = l->dw, .x = l->x, .dy = l->y, .batch = l->batch, .k = l->k, .n = l->n};
    if (product == 0) l->kernels->dense_forward(&forward, &l->part);
    if (product == 1) l->kernels->dense_backward_input(&input, &l->part);
    if (product == 2) l->kernels->dense_backward_weight(&weight, &l->part);
}

static void run_peer(const layer *l, int product, const peer *p) {
    const gemm all[PRODUCTS] = {
        {.m = l->batch, .n = l->n, .k = l->k, .a = l->x, .b = l->w, .c = l->y},
        { .m = l->batch,
         .n = l->k,
         .k = l->n,
         .a = l->y,
         .b = l->w,
         .c = l->dx,
         .transpose_b = true},
        {                                                  .m = l->k,
         .n = l->n,
         .k = l->batch,
         .a = l->x,
         .b = l->y,
         .c = l->dw,
         .transpose_a = true},
    };
    p->run(&all[product]);
}

/* `who` is NULL: this project's kernel. */
static void run(const layer *l, int product, const peer *who) {
    if (who)
        run_peer(l, product, who);
    else
        run_own(l, product);
}

/* The peer's result must be the kernel's, but for rounding. */
static void verify(const layer *l, int product, const peer *p) {
    float *const result[PRODUCTS] = {l->y, l->dx, l->dw};
    const size_t count[PRODUCTS] = {l->batch * l->n, l->batch * l->k, l->k * l->n};
    const size_t terms[PRODUCTS] = {l->k, l->n, l->batch};
    float *want = memory(count[product] * sizeof *want), *saved = memory(l->batch * l->n * 4);
    memcpy(saved, l->y, l->batch * l->n * sizeof *saved);
    run(l, product, NULL);
    memcpy(want, result[product], count[product] * sizeof *want);
    run(l, product, p);
    double scale = 1e-30, worst = 0;
    for (size_t i = 0; i < count[product]; i++) {
        scale = fmax(scale, fabs((double)want[i]));
        worst = fmax(worst, fabs((double)want[i] - (double)result[product][i]));
    }
    if (!(worst <= scale * 1e-6 * sqrt((double)terms[product] + 16))) {
        (void)fprintf(stderr, "gemm_bench: %s of %zu x %zu x %zu: %s differs by %g of %g\n",
                      k_product[product], l->batch, l->k, l->n, p->name, worst, scale);
        exit(1);
    }
    memcpy(l->y, saved, l->batch * l->n * sizeof *saved);
    free(want);
    free(saved);
}

static double sample(const layer *l, int product, const peer *who) {
    const double start = seconds();
    int calls = 0;
    do {
        run(l, product, who);
        calls++;
    } while (seconds() - start < SAMPLE_SECONDS);
    return (seconds() - start) / calls;
}

typedef struct bench {
    const bl_kernels *kernels;
    const peer *who[MOST]; /* [0] NULL */
    size_t count;
    double peak;
    FILE *csv;
} bench;

/* One shape: fills the rates' logarithms, summed over the products. */
static void measure(const bench *b, size_t batch, size_t k, size_t n, double sum[MOST]) {
    layer l;
    layer_init(&l, b->kernels, batch, k, n);
    for (int p = 0; p < PRODUCTS; p++) {
        double t[MOST][REPEATS];
        for (size_t i = 1; i < b->count; i++) verify(&l, p, b->who[i]);
        for (size_t r = 0; r < REPEATS; r++)
            for (size_t i = 0; i < b->count; i++) t[i][r] = sample(&l, p, b->who[i]);
        for (size_t i = 0; i < b->count; i++) {
            const double rate = 2.0 * (double)batch * (double)k * (double)n / median(t[i], REPEATS);
            const char *name = b->who[i] ? b->who[i]->name : b->kernels->name;
            sum[i] += log(rate);
            (void)fprintf(b->csv, "%s,%s,%zu,%zu,%zu,%.1f\n", name, k_product[p], batch, k, n,
                          rate / 1e9);
        }
    }
    layer_free(&l);
}

static void print_row(const bench *b, const char *what, size_t batch, const double sum[MOST],
                      double count) {
    const double own = exp(sum[0] / count);
    (void)printf("%-11s %6zu %10.1f", what, batch, own / 1e9);
    if (b->peak > 0) (void)printf(" %6.1f %%", 100 * own / b->peak);
    for (size_t i = 1; i < b->count; i++) {
        const double rate = exp(sum[i] / count);
        (void)printf(" %10.1f (%.2f)", rate / 1e9, own / rate);
    }
    (void)printf("\n");
    (void)fflush(stdout);
}

static void measure_all(const bench *b) {
    static const size_t shapes[][2] = {
        {233,  1000},
        {1000, 500 },
        {784,  1024},
        {64,   64  }
    };
    static const size_t batches[] = {8, 32, 128, 512, 2048, 8192};
    double all[MOST] = {0};
    for (size_t s = 0; s < BL_COUNT(shapes); s++)
        for (size_t i = 0; i < BL_COUNT(batches); i++) {
            double sum[MOST] = {0};
            char what[32];
            measure(b, batches[i], shapes[s][0], shapes[s][1], sum);
            (void)snprintf(what, sizeof what, "%zu x %zu", shapes[s][0], shapes[s][1]);
            print_row(b, what, batches[i], sum, PRODUCTS);
            for (size_t j = 0; j < b->count; j++) all[j] += sum[j];
        }
    print_row(b, "all", 0, all, PRODUCTS * BL_COUNT(shapes) * BL_COUNT(batches));
}

int main(void) {
    bench b = {.count = 1};
    bl_err err = {0};
    if (bl_kernels_pick(&b.kernels, &err) != BL_OK) {
        (void)fprintf(stderr, "gemm_bench: %s\n", err.text);
        return 1;
    }
    (void)setenv("OMP_NUM_THREADS", "1", 1); /* read by the peers when they are loaded */
    /* Peers are limited to what the kernels may use. */
    if (strcmp(b.kernels->name, "avx2") == 0) {
        (void)setenv("DNNL_MAX_CPU_ISA", "AVX2", 1);
        (void)setenv("OPENBLAS_CORETYPE", "Haswell", 1);
    }
    for (size_t i = 0; i < BL_COUNT(k_peers); i++)
        if (k_peers[i].open()) b.who[b.count++] = &k_peers[i];
    (void)mkdir("build", 0777);
    (void)mkdir("build/bench", 0777);
    b.csv = fopen("build/bench/gemm.csv", "w");
    if (!b.csv) {
        (void)fprintf(stderr, "gemm_bench: build/bench/gemm.csv cannot be written\n");
        return 1;
    }
    (void)fprintf(b.csv, "who,product,batch,k,n,gflops\n");
    b.peak = peak_of(b.kernels->name);
    (void)printf("%s, multiply-add peak of one core %.1f GFLOP/s; geometric means over the three "
                 "products; in brackets: times the peer\n",
                 b.kernels->name, b.peak / 1e9);
    (void)printf("layer        batch    GFLOP/s  of peak");
    for (size_t i = 1; i < b.count; i++) (void)printf(" %17s", b.who[i]->name);
    (void)printf("\n");
    measure_all(&b);
    return fclose(b.csv) == 0 ? 0 : 1;
}
