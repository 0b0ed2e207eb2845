/* Other libraries' matrix products, if they are on this machine: found at run time, never linked.
 */
#ifndef BL_TESTS_BENCH_PEER_GEMM_H
#define BL_TESTS_BENCH_PEER_GEMM_H
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* c (m, n) = a b, row-major; a is (m, k), or (k, m) if transposed; b is (k, n), or (n, k). */
typedef struct gemm {
    bool transpose_a, transpose_b;
    size_t m, n, k;
    const float *a, *b;
    float *c;
} gemm;

typedef struct peer {
    const char *name;
    bool (*open)(void);
    void (*run)(const gemm *g);
} peer;

typedef void cblas_sgemm_fn(int, int, int, int, int, int, float, const float *, int, const float *,
                            int, float, float *, int);
static cblas_sgemm_fn *peer_cblas;

static void *peer_library(const char *const *names) {
    for (; *names; names++) {
        void *library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
        if (library) return library;
    }
    return NULL;
}

/* A function pointer from dlsym without a cast that ISO C does not have. */
static bool peer_symbol(void *library, const char *name, void *function, size_t size) {
    void *symbol = library ? dlsym(library, name) : NULL;
    if (symbol) __builtin_memcpy(function, (void *)&symbol, size);
    return symbol != NULL;
}

static bool openblas_open(void) {
    static const char *const names[] = {"libopenblas.so.0", "libopenblas.so", NULL};
    void (*set_threads)(int) = NULL;
    void *library = peer_library(names);
    if (!peer_symbol(library, "cblas_sgemm", &peer_cblas, sizeof peer_cblas)) return false;
    if (peer_symbol(library, "openblas_set_num_threads", &set_threads, sizeof set_threads))
        set_threads(1);
    return true;
}

static void openblas_run(const gemm *g) {
    enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112 };
    peer_cblas(ROW_MAJOR, g->transpose_a ? TRANSPOSED : PLAIN, g->transpose_b ? TRANSPOSED : PLAIN,
               (int)g->m, (int)g->n, (int)g->k, 1.0f, g->a, (int)(g->transpose_a ? g->m : g->k),
               g->b, (int)(g->transpose_b ? g->k : g->n), 0.0f, g->c, (int)g->n);
}

typedef int dnnl_sgemm_fn(char, char, int64_t, int64_t, int64_t, float, const float *, int64_t,
                          const float *, int64_t, float, float *, int64_t);
static dnnl_sgemm_fn *peer_dnnl;

static bool onednn_open(void) {
    static const char *const names[] = {"libdnnl.so.3", "libdnnl.so.2", "libdnnl.so", NULL};
    return peer_symbol(peer_library(names), "dnnl_sgemm", &peer_dnnl, sizeof peer_dnnl);
}

static void onednn_run(const gemm *g) {
    (void)peer_dnnl(g->transpose_a ? 'T' : 'N', g->transpose_b ? 'T' : 'N', (int64_t)g->m,
                    (int64_t)g->n, (int64_t)g->k, 1.0f, g->a,
                    (int64_t)(g->transpose_a ? g->m : g->k), g->b,
                    (int64_t)(g->transpose_b ? g->k : g->n), 0.0f, g->c, (int64_t)g->n);
}

static const peer k_peers[] = {
    {"oneDNN",   onednn_open,   onednn_run  },
    {"OpenBLAS", openblas_open, openblas_run},
};
#endif
