/* The gradient noise scale: what one probe saw, and what follows from it.
 *
 * A probe stands at frozen weights. It takes K micro-batches of b examples without replacement out
 * of D rows. Let G be the mean gradient of all rows and S the trace of the covariance of one
 * example's gradient. The mean gradient of B examples has (McCandlish et al. 2018, arXiv
 * 1812.06162, appendix A.1)
 *
 *     E |g_B|^2 = |G|^2 + S / B                      (D large)
 *     simple noise scale  B_simple = S / |G|^2       in examples
 *
 * A probe measures the left side at b, 2b, 4b, ..., K b: the levels of a tree that adds micro-
 * batches two by two. Its four quarters are kept apart until the end. Leaving out one of them
 * after the other says how far the numbers can be trusted (noise_estimate.c). The same formulas
 * hold for other lengths than the plain one: bl_noise_measure lists them.
 *
 *     noise_pair.c       two levels -> |G|^2 and S, and the correction for D rows
 *     noise_estimate.c   a window of probes -> |G|^2, S and B_simple with intervals
 *     noise_course.c     probes of a training on its way -> what takes the place of B_simple
 *     noise_record.c     a probe as a line of noise.jsonl.gz, and back
 *
 * Example: a window of three probes p, then
 *
 *     const bl_noise_estimate e = bl_noise_estimate_of(p, 3, BL_NOISE_PLAIN);
 *     if (e.scale.known) printf("%g (%g to %g)", e.scale.value, e.scale.low, e.scale.high);
 *
 * All functions are pure. All sums are fp64 in a fixed order. */
#ifndef BL_ENGINE_NOISE_NOISE_H
#define BL_ENGINE_NOISE_NOISE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BL_NOISE_LEVELS = 24,  /* most levels of a probe: K up to 2^23 */
    BL_NOISE_QUARTERS = 4, /* K is a power of two, at least this */
};

/* How a gradient's length is measured: the inner product <a, b> that stands for |a|^2. */
typedef enum bl_noise_measure {
    BL_NOISE_PLAIN, /* the sum of a_i b_i */
    /* Every component is divided by sqrt(v / (1 - beta2^t)) + eps: what a step of Adam sees. */
    BL_NOISE_PRECONDITIONED,
    /* <a, H b>, H the Hessian of the loss. So |G|^2 is G^T H G and S is tr(H Sigma), and their
     * ratio is B_noise. Quarters alone are measured: a smaller batch would need too many products.
     */
    BL_NOISE_HESSIAN,
    BL_NOISE_MEASURES
} bl_noise_measure;

/* Squared lengths and inner products of mean gradients. */
typedef struct bl_noise_norms {
    bool known;
    size_t first; /* levels below are not known: 0, with the Hessian that of a quarter */
    double level[BL_NOISE_LEVELS];     /* mean |g|^2 of groups of b 2^l examples */
    double quarter[BL_NOISE_QUARTERS]; /* level[first] of each quarter alone */
    double product[BL_NOISE_QUARTERS][BL_NOISE_QUARTERS]; /* of the quarters' mean gradients */
} bl_noise_norms;

typedef struct bl_noise_probe {
    int64_t step;   /* updates before it */
    int64_t batch;  /* b: examples of a micro-batch */
    size_t batches; /* K */
    int64_t rows;   /* D: rows that the micro-batches are drawn from; 0: no end of them */
    bl_noise_norms norms[BL_NOISE_MEASURES];
} bl_noise_probe;

/* log2 K + 1. */
size_t bl_noise_levels(size_t batches);

/* Levels `top` - 1 and `top`, half and all of the micro-batches, from the quarters' products. */
void bl_noise_fill_upper(bl_noise_norms *norms, size_t top);
/* All that is known of norms of which only the quarters' products were measured. */
void bl_noise_fill_quarters(bl_noise_norms *norms, size_t top);

/* ---- two sizes ---- */

typedef struct bl_noise_pair {
    double grad_sq; /* of |G|^2; can be negative */
    double trace;   /* of S */
} bl_noise_pair;

/* From the mean |g|^2 of `small` and of `big` examples, without bias (McCandlish, A.2):
 * |G|^2 = (big |g_big|^2 - small |g_small|^2) / (big - small),
 * S = (|g_small|^2 - |g_big|^2) / (1 / small - 1 / big). */
bl_noise_pair bl_noise_pair_of(double small_sq, double big_sq, double small, double big);
/* Of examples drawn without replacement from `rows` (0: no end of them): a pair as above has the
 * mean |G|^2 - S' / D, S' with S' = S D / (D - 1). Example: one row has no noise, S = 0. */
bl_noise_pair bl_noise_pair_corrected(bl_noise_pair pair, int64_t rows);
/* Of a whole probe: its smallest measured size and its largest, corrected. */
bl_noise_pair bl_noise_probe_pair(const bl_noise_probe *probe, bl_noise_measure measure);
/* The same without one of its quarters. */
bl_noise_pair bl_noise_probe_pair_without(const bl_noise_probe *probe, bl_noise_measure measure,
                                          size_t quarter);
/* The line's own check: the largest |measured / expected - 1| of the levels between the first and
 * the last, expected from the pair. What is much above the noise is no noise: weights that moved,
 * or batch norm, which ties the examples of a micro-batch together. 0 with two levels. */
double bl_noise_probe_deviation(const bl_noise_probe *probe, bl_noise_measure measure);

/* ---- a window of probes ---- */

/* With a 95 % interval; not known: NaN everywhere. */
typedef struct bl_noise_value {
    double value, low, high;
    bool known;
} bl_noise_value;

typedef struct bl_noise_estimate {
    bl_noise_value grad_sq, trace;
    bl_noise_value scale; /* S / |G|^2; not known ("undetermined") where |G|^2 may be 0 */
    size_t probes;
} bl_noise_estimate;

/* |G|^2 and S are averaged over the probes apart, each without bias; only then they are divided.
 * Probes that lack the measure are left out. Intervals: noise_estimate.c. */
bl_noise_estimate bl_noise_estimate_of(const bl_noise_probe *probe, size_t count,
                                       bl_noise_measure measure);

/* Ascending in step. */
void bl_noise_sort(bl_noise_probe *probe, size_t count);
/* The scale that takes the place of B_n for the first `steps` steps of `batch` examples, while the
 * weights move: its mean over steps as they would be without noise (noise_course.c). Probes of
 * several seeds, sorted; those behind `steps` are left out. */
bl_noise_value bl_noise_course(const bl_noise_probe *probe, size_t count, double steps,
                               double batch, bl_noise_measure measure);
#endif
