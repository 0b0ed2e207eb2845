/* Runs a fuzz target over the files named on the command line: its corpus, in `make test`. Then
 * over a MiB of each of some shapes that parsers are slow at, and of its longest file again and
 * again: none may take more than 64 MiB, or a second of processor time. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 20, MOST_KIB = 64 << 10 };
#ifdef __SANITIZE_ADDRESS__
static const double k_most_seconds = 60; /* its own time and memory are not the parser's */
static const int k_counts_memory = 0;
#else
static const double k_most_seconds = 1;
static const int k_counts_memory = 1;
#endif
static const char *const k_shapes[] = {"(",  "[",       "{\"a\":", ",",   "\n",
                                       "0",  "\"",      "1,2,3\n", "a:{", "a=1;\n",
                                       "\t", "x = {\n", "\x1f\x8b"};
static uint8_t g_longest[MOST];
static size_t g_longest_n;

static void run(const uint8_t *bytes, size_t n) {
    uint8_t *exact = malloc(n > 0 ? n : 1); /* so that a read past the end is seen */
    if (exact == NULL) exit(1);
    if (n > 0) memcpy(exact, bytes, n);
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

static void run_file(FILE *f) {
    static uint8_t bytes[MOST];
    const size_t n = fread(bytes, 1, sizeof bytes, f);
    run(bytes, n);
    if (n <= g_longest_n) return;
    memcpy(g_longest, bytes, n);
    g_longest_n = n;
}

static double seconds(const struct rusage *u) {
    return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
           1e-6 * (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
}

/* A MiB of `shape`, over and over; with `numbered`, of lines that all differ. False: it takes more
 * than it may. */
static int is_cheap(const char *name, const uint8_t *shape, size_t n, int numbered) {
    static char bytes[MOST + 64];
    struct rusage before, after;
    for (size_t at = 0, i = 0; at < MOST; i++) {
        if (numbered)
            n = (size_t)snprintf(bytes + at, 64, "k%zu = %zu;\n", i, i);
        else
            memcpy(bytes + at, shape, n < MOST - at ? n : MOST - at);
        at += n;
    }
    (void)getrusage(RUSAGE_SELF, &before);
    run((const uint8_t *)bytes, MOST);
    (void)getrusage(RUSAGE_SELF, &after);
    const double took = seconds(&after) - seconds(&before);
    const long kib = after.ru_maxrss - before.ru_maxrss;
    if (took <= k_most_seconds && (!k_counts_memory || kib <= MOST_KIB)) return 1;
    (void)printf("a MiB of %s takes %.2f s and %ld KiB\n", name, took, kib);
    return 0;
}

int main(int argc, char **argv) {
    int files = 0, cheap = 1;
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (f == NULL) continue;
        run_file(f);
        (void)fclose(f);
        files++;
    }
    for (size_t i = 0; i < sizeof k_shapes / sizeof k_shapes[0]; i++)
        cheap &= is_cheap(k_shapes[i], (const uint8_t *)k_shapes[i], strlen(k_shapes[i]), 0);
    cheap &= is_cheap("numbered lines", NULL, 0, 1);
    if (g_longest_n > 0) cheap &= is_cheap("the longest file, repeated", g_longest, g_longest_n, 0);
    (void)printf("%d files\n", files);
    return files > 0 && cheap ? 0 : 1;
}
