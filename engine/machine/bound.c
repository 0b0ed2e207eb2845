/* The two peaks of the roofline model (Williams, Waterman and Patterson 2009, doi
 * 10.1145/1498765.1498785): a step cannot take less time than its multiply-adds over the one, or
 * its bytes over the other.
 *
 *     multiply-adds   in registers, with the instructions of the kernels
 *     bytes           a = b + c over arrays of the step's size, so that a step in cache is held
 *                     against the cache
 *
 * Each is the best of seven tries by processor time: a busy machine only makes tries slower. */
#include "engine/machine/bound.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "kernels/multiply_adds.h"
#include <math.h>

enum { TRIES = 7, ROUNDS = 1000000, STREAMS = 3, LEAST_SET = 64 << 10, MOST_SET = 96 << 20 };
static const double k_half = 0.5;

double bl_machine_multiply_adds(const bl_kernels *kernels) {
    bl_peak *peak = bl_peak_of(kernels);
    double best = 0;
    for (int i = 0; i < TRIES; i++) {
        float sink;
        const double start = bl_clock_cpu_seconds(), done = peak(&sink, ROUNDS);
        best = fmax(best, done / (bl_clock_cpu_seconds() - start));
    }
    return best;
}

/* So many passes that each try moves 96 MiB. */
double bl_machine_bandwidth(double working_set) {
    const double set = fmin(fmax(working_set, LEAST_SET), MOST_SET);
    const size_t n = (size_t)(set / STREAMS / sizeof(float)), passes = (size_t)(MOST_SET / set);
    float *a = bl_xalloc(STREAMS * n * sizeof *a), *b = a + n, *c = b + n;
    double best = 0;
    for (size_t i = 0; i < STREAMS * n; i++) a[i] = (float)(i & 7);
    for (int t = 0; t < TRIES; t++) {
        const double start = bl_clock_cpu_seconds();
        for (size_t p = 0; p < passes; p++) {
            for (size_t i = 0; i < n; i++) a[i] = b[i] + c[i];
            b[p % n] = a[n / 2]; /* each pass is used by the next one */
        }
        const double passed = bl_clock_cpu_seconds() - start;
        best = fmax(best, (double)(passes * STREAMS * n * sizeof(float)) / passed);
    }
    free(a);
    return best;
}

/* The order of the questions: data first, as a step that waits for them reaches no peak.
 * Comparisons with NAN are false. */
bl_machine_bound bl_machine_bound_of(double multiply_adds, double bytes, double fixed,
                                     double data) {
    if (data >= k_half) return BL_MACHINE_BY_DATA;
    if (fixed >= k_half) return BL_MACHINE_BY_FIXED;
    if (multiply_adds >= k_half && multiply_adds >= bytes) return BL_MACHINE_BY_COMPUTE;
    return bytes >= k_half ? BL_MACHINE_BY_MEMORY : BL_MACHINE_BY_NEITHER;
}

const char *bl_machine_bound_words(bl_machine_bound bound) {
    static const char *const words[] = {[BL_MACHINE_BY_DATA] = "bound by the data",
                                        [BL_MACHINE_BY_COMPUTE] = "bound by compute",
                                        [BL_MACHINE_BY_MEMORY] = "bound by memory",
                                        [BL_MACHINE_BY_FIXED] = "bound by the fixed cost of a step",
                                        [BL_MACHINE_BY_NEITHER] =
                                            "bound by neither compute nor memory"};
    _Static_assert(BL_COUNT(words) == BL_MACHINE_BOUND_COUNT, "words for each");
    return words[bound];
}
