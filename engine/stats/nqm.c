/* The noisy quadratic model, solved step by step (nqm.h has the equations), and the best rate by
 * search. */
#include "engine/stats/nqm.h"
#include "engine/base/status.h"
#include <math.h>

/* Undisturbed course m and response g to a unit of noise, with the values one step back. */
typedef struct course {
    double m[BL_NQM_DIMENSIONS], m_before[BL_NQM_DIMENSIONS];
    double g[BL_NQM_DIMENSIONS], g_before[BL_NQM_DIMENSIONS];
    double power[BL_NQM_DIMENSIONS]; /* sum of g^2 so far */
} course;

/* After one step. Noise n_0 acts once more, by b, in the second. */
static void begin(course *s, const bl_nqm *model, double rate, double a) {
    for (size_t i = 0; i < model->dimensions; i++) {
        const double h = 1.0 / (double)(i + 1);
        s->m_before[i] = 1.0;
        s->m[i] = 1.0 - rate * a * h;
        s->g_before[i] = 0.0;
        s->g[i] = -rate * a;
        s->power[i] = s->g[i] * s->g[i];
    }
}

/* One step of the recursion for every coordinate; `kick` is the noise that acts on g in this step.
 */
static void advance(course *s, const bl_nqm *model, double rate, double a, double b, double kick) {
    const double mu = model->momentum;
    for (size_t i = 0; i < model->dimensions; i++) {
        const double h = 1.0 / (double)(i + 1);
        const double p = 1.0 + mu - rate * a * h, q = mu + rate * b * h;
        const double m = p * s->m[i] - q * s->m_before[i];
        const double g = p * s->g[i] - q * s->g_before[i] + kick;
        s->m_before[i] = s->m[i];
        s->g_before[i] = s->g[i];
        s->m[i] = m;
        s->g[i] = g;
        s->power[i] += g * g;
    }
}

/* 1/2 sum_i h_i E[theta_i^2], with E[theta_i^2] = start m_i^2 + (noise h_i / B) sum_k g_k^2. */
static double expected_loss(const course *s, const bl_nqm *model, double batch_size) {
    const double noise = model->noise / batch_size;
    double loss = 0.0;
    for (size_t i = 0; i < model->dimensions; i++) {
        const double h = 1.0 / (double)(i + 1);
        loss += 0.5 * h * (model->start * s->m[i] * s->m[i] + noise * h * s->power[i]);
    }
    return loss;
}

int64_t bl_nqm_steps(const bl_nqm *model, double batch_size, double rate, double target,
                     int64_t most) {
    const double a = model->nesterov ? 1.0 + model->momentum : 1.0;
    const double b = model->nesterov ? -model->momentum : 0.0;
    course s;
    BL_ASSERT(model->dimensions <= BL_NQM_DIMENSIONS);
    for (int64_t step = 1; step <= most; step++) {
        if (step == 1)
            begin(&s, model, rate, a);
        else
            advance(&s, model, rate, a, b, step == 2 ? -rate * b : 0.0);
        const double loss = expected_loss(&s, model, batch_size);
        if (loss <= target) return step;
        if (!(loss < 1e12)) return 0;
    }
    return 0;
}

/* Rates are counted in 64ths of a doubling. With momentum, steps against the rate have several
 * valleys, since a coordinate swings through 0: the fine search looks two doublings to both sides.
 */
enum { LOW = -20 * 64, HIGH = 4 * 64, COARSE = 16, BESIDE = 128 };

typedef struct search {
    const bl_nqm *model;
    double batch_size, target;
    int64_t steps;   /* the fewest so far; 0: none */
    int first, last; /* the lowest and highest rate that take so few */
} search;

/* Tries the rates 2^(k/64), k = from, from + stride, ..., to. A rate may run no longer than the
 * best so far, or `bound` while there is none. */
static void scan(search *s, int from, int to, int stride, int64_t bound) {
    for (int k = from; k <= to; k += stride) {
        if (s->steps > 0) bound = s->steps;
        const int64_t steps =
            bl_nqm_steps(s->model, s->batch_size, exp2(k / 64.0), s->target, bound);
        if (steps == 0) continue;
        const bool fewer = s->steps == 0 || steps < s->steps;
        s->steps = steps;
        s->first = fewer || k < s->first ? k : s->first;
        s->last = fewer || k > s->last ? k : s->last;
    }
}

bl_nqm_best bl_nqm_best_rate(const bl_nqm *model, double batch_size, double target, int64_t most) {
    search s = {.model = model, .batch_size = batch_size, .target = target};
    /* Bounds that grow: no rate runs much longer than the best one. */
    for (int64_t bound = 16; s.steps == 0; bound *= 2) {
        const bool last = bound >= most;
        scan(&s, LOW, HIGH, COARSE, last ? most : bound);
        if (last) break;
    }
    if (s.steps == 0) return (bl_nqm_best){.steps = 0};
    scan(&s, s.first - BESIDE, s.last + BESIDE, 1, s.steps);
    return (bl_nqm_best){.steps = s.steps, .rate = exp2(s.first / 64.0)};
}
