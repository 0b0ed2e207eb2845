#include "engine/machine/peak.h"
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "kernels/peak.h"
#include <math.h>

enum { TRIES = 7, ROUNDS = 2000000, FLOATS = 8 << 20, STREAMS = 3 };
static const double k_half = 0.5;

static double best_multiply_adds(const bl_kernels *kernels) {
    bl_peak *peak = bl_peak_of(kernels);
    double best = 0;
    for (int i = 0; i < TRIES; i++) {
        float sink;
        const double start = bl_clock_cpu_seconds(), done = peak(&sink, ROUNDS);
        best = fmax(best, done / (bl_clock_cpu_seconds() - start));
    }
    return best;
}

static double best_bytes(void) {
    float *a = bl_xalloc(STREAMS * (size_t)FLOATS * sizeof *a), *b = a + FLOATS, *c = b + FLOATS;
    double best = 0;
    for (size_t i = 0; i < STREAMS * (size_t)FLOATS; i++) a[i] = (float)(i & 7);
    for (int t = 0; t < TRIES; t++) {
        const double start = bl_clock_cpu_seconds();
        for (size_t i = 0; i < FLOATS; i++) a[i] = b[i] + c[i];
        const double passed = bl_clock_cpu_seconds() - start;
        best = fmax(best, (double)STREAMS * FLOATS * sizeof(float) / passed);
        b[t] = a[FLOATS / 2]; /* every pass is used by the next one */
    }
    free(a);
    return best;
}

bl_machine_peak bl_machine_measure_peak(const bl_kernels *kernels) {
    return (bl_machine_peak){best_multiply_adds(kernels), best_bytes()};
}

bl_machine_bound bl_machine_bound_of(double multiply_adds, double bytes, double fixed) {
    if (fixed >= k_half) return BL_MACHINE_BY_FIXED;
    if (multiply_adds >= k_half && multiply_adds >= bytes) return BL_MACHINE_BY_COMPUTE;
    return bytes >= k_half ? BL_MACHINE_BY_MEMORY : BL_MACHINE_BY_NEITHER;
}

const char *bl_machine_bound_words(bl_machine_bound bound) {
    static const char *const words[] = {[BL_MACHINE_BY_COMPUTE] = "bound by compute",
                                        [BL_MACHINE_BY_MEMORY] = "bound by memory",
                                        [BL_MACHINE_BY_FIXED] = "bound by the fixed cost of a step",
                                        [BL_MACHINE_BY_NEITHER] =
                                            "bound by neither compute nor memory"};
    _Static_assert(BL_COUNT(words) == BL_MACHINE_BOUND_COUNT, "words for each");
    return words[bound];
}
