/* Closed forms of the definitions, and profile intervals.
 *
 * On the curve steps exceed perfect scaling S = s_min b_crit / B by the factor
 * (1 + (B / b_crit)^p)^(1 / p), and the floor s_min by (1 + (b_crit / B)^p)^(1 / p). Each
 * definition sets one of them to 1 + x and is solved for B:
 *
 *     x more steps               B = b_crit ((1 + x)^p - 1)^(1 / p)
 *     twice the examples         the same with x = 1, since E / E_min is that factor
 *     x more than from B0 on     B = b_crit ((1 + x)^p (1 + (B0 / b_crit)^p) - 1)^(1 / p)
 *     within x of the floor      B = b_crit / ((1 + x)^p - 1)^(1 / p)
 *
 * With p = 1 the second is b_crit. All can be solved for b_crit as well, so a value is profiled by
 * a search over p alone: b_crit follows from the value and p, the level is a mean. */
#include "engine/stats/profile.h"
#include "engine/base/status.h"
#include <math.h>

enum { GRID = 10, STEPS = 24, HALVINGS = 24 };

typedef enum kind { BEND, OVERHEAD, FROM_BASE, NEAR_FLOOR } kind;
static const struct {
    kind kind;
    double x;
} definitions[] = {
    [BL_STATS_B_CRIT] = {BEND,       0  },
    [BL_STATS_EFFICIENCY_50] = {OVERHEAD,   1  },
    [BL_STATS_OVERHEAD_20] = {OVERHEAD,   0.2},
    [BL_STATS_PERFECT_END] = {OVERHEAD,   0.1},
    [BL_STATS_MAX_USEFUL] = {NEAR_FLOOR, 0.1},
    [BL_STATS_OVERHEAD_20_FROM] = {FROM_BASE,  0.2},
};
_Static_assert(sizeof definitions / sizeof *definitions == BL_STATS_DEFINITION_COUNT,
               "a formula for each");

/* log(exp(z) - 1), z > 0. */
static double log_expm1(double z) {
    return z > 1 ? z + log1p(-exp(-z)) : log(expm1(z));
}

double bl_stats_definition_at(bl_stats_definition d, const bl_stats_curve *c, double log_base) {
    const double u = log(c->b_crit), p = c->p, more = p * log1p(definitions[d].x);
    switch (definitions[d].kind) {
    case OVERHEAD:
        return u + log_expm1(more) / p;
    case FROM_BASE:
        return u + log_expm1(more + log1p(exp(p * (log_base - u)))) / p;
    case NEAR_FLOOR:
        return u - log_expm1(more) / p;
    default:
        return u;
    }
}

/* The u = log b_crit of the curve of shape p whose definition lies at v; NAN where there is none.
 */
static double bend_of(bl_stats_definition d, double v, double p, double log_base) {
    const double x = log1p(definitions[d].x), more = p * x;
    switch (definitions[d].kind) {
    case OVERHEAD:
        return v - log_expm1(more) / p;
    case FROM_BASE:
        return v > log_base + x ? v + (log1p(-exp(p * (log_base + x - v))) - log_expm1(more)) / p
                                : (double)NAN;
    case NEAR_FLOOR:
        return v + log_expm1(more) / p;
    default:
        return v;
    }
}

/* ---- the loss along one number, least over the others ---- */

typedef struct point {
    const bl_stats_profile *of;
    bl_stats_definition d;
    double value; /* of the number profiled */
} point;

/* The least over log p in [0, log p_most], a grid first. */
static double least_over_shape(bl_stats_function *f, const void *at, double p_most) {
    const double most = log(p_most), step = most / GRID;
    if (most <= 0) return f(0, at);
    int best = 0;
    double least = HUGE_VAL;
    for (int i = 0; i <= GRID; i++) {
        const double here = f(step * i, at);
        if (here < least) best = i, least = here;
    }
    const double x =
        bl_stats_golden(f, at, fmax(0, step * (best - 1)), fmin(most, step * (best + 1)), STEPS);
    return fmin(least, f(x, at));
}

static double definition_loss(double log_p, const void *context) {
    const point *at = context;
    const double p = exp(log_p), u = bend_of(at->d, at->value, p, at->of->cells[0].log_b);
    return isnan(u) ? HUGE_VAL : bl_stats_curve_loss(u, p, at->of->cells, at->of->n);
}

static double along_definition(const point *at) {
    return least_over_shape(definition_loss, at, at->of->p_most);
}

static double shape_loss(double u, const void *context) {
    const point *at = context;
    return bl_stats_curve_loss(u, exp(at->value), at->of->cells, at->of->n);
}

static double along_shape(const point *at) {
    const double middle = log(at->of->curve.b_crit);
    const double range = at->of->cells[at->of->n - 1].log_b - at->of->cells[0].log_b + log(4.0);
    return shape_loss(bl_stats_golden(shape_loss, at, middle - range, middle + range, 44), at);
}

/* ---- ends ---- */

/* From `at->value`, where the loss is least, towards `limit`: the last point whose loss is at most
 * `most`. `limit` itself where the loss stays below. */
static double end_of(double (*loss)(const point *at), point at, double limit, double most) {
    const double sign = limit > at.value ? 1 : -1;
    double inside = at.value, step = 0.01;
    for (;;) {
        at.value = sign > 0 ? fmin(inside + step, limit) : fmax(inside - step, limit);
        if (loss(&at) > most) break;
        if (at.value == limit) return limit;
        inside = at.value;
        step *= 1.6;
    }
    double outside = at.value;
    for (int i = 0; i < HALVINGS; i++) {
        at.value = (inside + outside) / 2;
        if (loss(&at) > most)
            outside = at.value;
        else
            inside = at.value;
    }
    return (inside + outside) / 2;
}

static double most_loss(const bl_stats_profile *p) {
    return bl_stats_curve_loss(log(p->curve.b_crit), p->curve.p, p->cells, p->n) + p->rise;
}

void bl_stats_profile_definition(const bl_stats_profile *p, bl_stats_definition d,
                                 bl_stats_value *v) {
    const double best = bl_stats_definition_at(d, &p->curve, p->cells[0].log_b);
    const point at = {.of = p, .d = d, .value = best};
    const double most = most_loss(p);
    /* A best value beyond the range: its own side is open, the other end is at most the bound. */
    const double low = best > p->low ? end_of(along_definition, at, p->low, most) : p->low;
    const double high = best < p->high ? end_of(along_definition, at, p->high, most) : p->high;
    v->low = low > p->low ? exp(fmin(low, p->high)) : 0;
    v->high = high < p->high ? exp(fmax(high, p->low)) : HUGE_VAL;
}

/* ---- the floor ---- */

/* For given bend and shape the loss is a square in the level, so its ends there are at hand and
 * those of the floor are the outermost of them: a search over bend and shape, no root inside. */
typedef struct edge {
    const bl_stats_profile *of;
    double most, sign, p; /* sign: -1 the lower end, 1 the upper */
    double sharpness;     /* how the loss grows with the square of the level; 0: by bisection */
} edge;

/* sign times the level at which the loss reaches `most`; far below anything where it is above. */
static double edge_level(double u, const edge *e) {
    const bl_stats_profile *of = e->of;
    const double least = bl_stats_curve_loss(u, e->p, of->cells, of->n);
    if (least > e->most) return -1000 - least;
    const double level = bl_stats_curve_level(u, e->p, of->cells, of->n);
    if (e->sharpness > 0) return e->sign * level + sqrt((e->most - least) / e->sharpness);
    double inside = 0, outside = 10;
    for (int i = 0; i < 2 * HALVINGS; i++) {
        const double middle = (inside + outside) / 2;
        if (bl_stats_curve_loss_at(level + e->sign * middle, u, e->p, of->cells, of->n) > e->most)
            outside = middle;
        else
            inside = middle;
    }
    return e->sign * level + inside;
}

static double minus_edge(double u, const void *context) {
    return -edge_level(u, context);
}

static double loss_of_bend(double u, const void *context) {
    const edge *e = context;
    return bl_stats_curve_loss(u, e->p, e->of->cells, e->of->n);
}

static double minus_edge_of_shape(double log_p, const void *context) {
    edge e = *(const edge *)context;
    const double middle = log(e.of->curve.b_crit);
    const double range = e.of->cells[e.of->n - 1].log_b - e.of->cells[0].log_b + log(4.0);
    e.p = exp(log_p);
    const double best = bl_stats_golden(loss_of_bend, &e, middle - range, middle + range, STEPS);
    const double u = bl_stats_golden(minus_edge, &e, best - range / 2, best + range / 2, STEPS + 8);
    return fmin(minus_edge(u, &e), minus_edge(best, &e));
}

void bl_stats_profile_floor(const bl_stats_profile *p, bl_stats_value *s_min) {
    edge e = {.of = p, .most = most_loss(p)};
    bool censored = false;
    for (size_t i = 0; i < p->n; i++) {
        e.sharpness += p->cells[i].weight;
        censored = censored || p->cells[i].censored;
    }
    if (censored) e.sharpness = 0;
    e.sign = -1;
    s_min->low = exp(least_over_shape(minus_edge_of_shape, &e, p->p_most));
    e.sign = 1;
    s_min->high = exp(-least_over_shape(minus_edge_of_shape, &e, p->p_most));
}

void bl_stats_profile_shape(const bl_stats_profile *p, bl_stats_value *shape) {
    const double best = log(p->curve.p), end = log(p->p_most);
    const point at = {.of = p, .value = best};
    shape->low = best > 0 ? exp(end_of(along_shape, at, 0, most_loss(p))) : 1;
    const double high = best < end ? end_of(along_shape, at, end, most_loss(p)) : end;
    shape->high = high < end ? exp(high) : HUGE_VAL;
}
