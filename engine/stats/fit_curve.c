/* The curve S = s_min (1 + (b_crit / B)^p)^(1 / p) by least squares.
 *
 * In logs it is y = a + log1p(exp(p (u - x))) / p with x = log B, a = log s_min, u = log b_crit.
 * For given u and p the best a is a weighted mean, so two dimensions are left: golden section over
 * log p of golden section over u, each after a grid that finds its valley. Values of a loss tell
 * its valley's bottom to half their digits only; Gauss-Newton steps, which look at the slope, find
 * the rest, so that nine digits do not depend on the last bit of exp and log. */
#include "engine/base/status.h"
#include "engine/stats/fit.h"
#include <math.h>

enum { GRID_U = 32, GRID_P = 12, STEPS_U = 24, STEPS_P = 20, POLISH = 60, CELLS = 64 };

double bl_stats_curve_bend(double d, double p) {
    const double e = p * d;
    return (e > 0 ? e + log1p(exp(-e)) : log1p(exp(e))) / p;
}

double bl_stats_curve_at(const bl_stats_curve *c, double batch_size) {
    return c->s_min * exp(bl_stats_curve_bend(log(c->b_crit / batch_size), c->p));
}

int bl_stats_curve_free(const bl_stats_curve *c, double p_most) {
    return c->p > 1 && c->p < p_most ? 3 : 2;
}

double bl_stats_golden(bl_stats_function *f, const void *context, double lo, double hi, int steps) {
    const double ratio = 0.6180339887498949;
    double a = hi - ratio * (hi - lo), b = lo + ratio * (hi - lo);
    double fa = f(a, context), fb = f(b, context);
    for (int i = 0; i < steps; i++) {
        if (fa <= fb) {
            hi = b;
            b = a, fb = fa;
            a = hi - ratio * (hi - lo), fa = f(a, context);
        } else {
            lo = a;
            a = b, fa = fb;
            b = lo + ratio * (hi - lo), fb = f(b, context);
        }
    }
    return (lo + hi) / 2;
}

/* The best level for given u and p. A censored cell takes part only while the curve lies below it.
 * The slope of the loss is concave and rising in a, so Newton steps from the left never overshoot
 * and end after at most one step per censored cell. */
double bl_stats_curve_level(double u, double p, const bl_stats_cell *cells, size_t n) {
    double level = -HUGE_VAL;
    for (size_t pass = 0; pass <= n + 1; pass++) {
        double sum = 0, weights = 0;
        bool censored = false;
        for (size_t i = 0; i < n; i++) {
            censored = censored || cells[i].censored;
            if (cells[i].censored && pass == 0) continue;
            const double gap = cells[i].log_s - bl_stats_curve_bend(u - cells[i].log_b, p);
            if (cells[i].censored && gap <= level) continue;
            sum += cells[i].weight * gap;
            weights += cells[i].weight;
        }
        const double next = sum / weights;
        if (pass > 0 && next <= level) break;
        level = next;
        if (!censored) break;
    }
    return level;
}

double bl_stats_curve_loss_at(double a, double u, double p, const bl_stats_cell *cells, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double r = cells[i].log_s - a - bl_stats_curve_bend(u - cells[i].log_b, p);
        if (!cells[i].censored || r > 0) sum += cells[i].weight * r * r;
    }
    return sum;
}

/* The loss at the best level, of cells without a censored one: each bend is computed once. */
static double plain_loss(double u, double p, const bl_stats_cell *cells, size_t n) {
    double gap[CELLS], sum = 0, weights = 0, loss = 0;
    for (size_t i = 0; i < n; i++) {
        gap[i] = cells[i].log_s - bl_stats_curve_bend(u - cells[i].log_b, p);
        sum += cells[i].weight * gap[i];
        weights += cells[i].weight;
    }
    const double level = sum / weights;
    for (size_t i = 0; i < n; i++) loss += cells[i].weight * (gap[i] - level) * (gap[i] - level);
    return loss;
}

double bl_stats_curve_loss(double u, double p, const bl_stats_cell *cells, size_t n) {
    bool censored = n > CELLS;
    for (size_t i = 0; i < n && !censored; i++) censored = cells[i].censored;
    if (!censored) return plain_loss(u, p, cells, n);
    return bl_stats_curve_loss_at(bl_stats_curve_level(u, p, cells, n), u, p, cells, n);
}

typedef struct search {
    const bl_stats_cell *cells;
    size_t n;
    double p, low, high; /* of u */
} search;

static double loss_of_u(double u, const void *context) {
    const search *s = context;
    return bl_stats_curve_loss(u, s->p, s->cells, s->n);
}

/* The best u for s->p. */
static double best_u(const search *s) {
    const double step = (s->high - s->low) / GRID_U;
    int best = 0;
    double least = HUGE_VAL;
    for (int i = 0; i <= GRID_U; i++) {
        const double here = loss_of_u(s->low + step * i, s);
        if (here < least) best = i, least = here;
    }
    return bl_stats_golden(loss_of_u, s, s->low + step * (best - 1), s->low + step * (best + 1),
                           STEPS_U);
}

static double loss_of_log_p(double log_p, const void *context) {
    search s = *(const search *)context;
    s.p = exp(log_p);
    return loss_of_u(best_u(&s), &s);
}

/* The best p in [1, p_most]; one of the ends where the loss still falls there. */
static double best_p(const search *s, double p_most) {
    const double most = log(p_most), step = most / GRID_P;
    int best = 0;
    double least = HUGE_VAL;
    for (int i = 0; i <= GRID_P; i++) {
        const double here = loss_of_log_p(step * i, s);
        if (here < least) best = i, least = here;
    }
    const double low = fmax(0, step * (best - 1)), high = fmin(most, step * (best + 1));
    const double inside = bl_stats_golden(loss_of_log_p, s, low, high, STEPS_P);
    const double there = loss_of_log_p(inside, s);
    if (loss_of_log_p(0, s) <= there) return 1;
    return loss_of_log_p(most, s) <= there ? p_most : exp(inside);
}

/* Solves the n equations of `m`, whose last column is the right-hand side, by elimination; false
 * where they do not determine a solution. */
static bool solve_equations(double m[3][4], int n) {
    for (int i = 0; i < n; i++) {
        int pivot = i;
        for (int r = i + 1; r < n; r++)
            if (fabs(m[r][i]) > fabs(m[pivot][i])) pivot = r;
        if (fabs(m[pivot][i]) < 1e-12) return false;
        for (int k = 0; k < 4; k++) {
            const double swap = m[i][k];
            m[i][k] = m[pivot][k];
            m[pivot][k] = swap;
        }
        for (int r = 0; r < n; r++) {
            const double factor = r == i ? 0 : m[r][i] / m[i][i];
            for (int k = i; k < 4; k++) m[r][k] -= factor * m[i][k];
        }
    }
    for (int i = 0; i < n; i++) m[i][3] /= m[i][i];
    return true;
}

void bl_stats_curve_slopes(double by[3], double d, double p) {
    const double slope = 1 / (1 + exp(-p * d));
    by[0] = 1;
    by[1] = slope;
    by[2] = d * slope - bl_stats_curve_bend(d, p);
}

/* The normal equations of the first n of a, u and log p, over the cells that take part; their
 * last column is the slope of the loss. The sum of the weights. */
static double normal_equations(double m[3][4], const double at[3], int n,
                               const bl_stats_cell *cells, size_t count) {
    double weights = 0;
    const double p = exp(at[2]);
    for (size_t i = 0; i < count; i++) {
        const double d = at[1] - cells[i].log_b, bend = bl_stats_curve_bend(d, p);
        const double r = cells[i].log_s - at[0] - bend;
        double by[3];
        bl_stats_curve_slopes(by, d, p);
        if (cells[i].censored && r <= 0) continue;
        weights += cells[i].weight;
        for (int k = 0; k < n; k++) {
            for (int l = 0; l < n; l++) m[k][l] += cells[i].weight * by[k] * by[l];
            m[k][3] += cells[i].weight * by[k] * r;
        }
    }
    return weights;
}

bool bl_stats_curve_covariance(double out[3][3], const bl_stats_curve *c, int n,
                               const bl_stats_cell *cells, size_t count) {
    const double at[3] = {log(c->s_min), log(c->b_crit), log(c->p)};
    for (int column = 0; column < n; column++) {
        double m[3][4] = {{0}};
        const double weights = normal_equations(m, at, n, cells, count);
        for (int k = 0; k < n; k++)
            for (int l = 0; l < n; l++) m[k][l] /= weights;
        for (int k = 0; k < n; k++) m[k][3] = k == column ? 1 / weights : 0;
        if (!solve_equations(m, n)) return false;
        for (int k = 0; k < n; k++) out[k][column] = m[k][3];
    }
    return true;
}

/* One Gauss-Newton step in a, u and, with n = 3, log p; *moved is its largest part. */
static bool newton_step(double at[3], int n, const bl_stats_cell *cells, size_t count,
                        double *moved) {
    double m[3][4] = {{0}};
    const double weights = normal_equations(m, at, n, cells, count);
    for (int k = 0; k < n; k++)
        for (int l = 0; l < 4; l++) m[k][l] /= weights;
    if (!solve_equations(m, n)) return false;
    *moved = 0;
    for (int k = 0; k < n; k++) {
        at[k] += m[k][3];
        *moved = fmax(*moved, fabs(m[k][3]));
    }
    return true;
}

/* Steps from where the search ended while they shrink; a valley too flat for them keeps that. */
static void polish(bl_stats_curve *c, bool shape, const bl_stats_cell *cells, size_t n) {
    double at[3] = {log(c->s_min), log(c->b_crit), log(c->p)}, moved = 0, before = 0.1;
    for (int i = 0; i < POLISH; i++) {
        if (!newton_step(at, shape ? 3 : 2, cells, n, &moved)) return;
        if (moved < 1e-13) break;
        if (!(moved < before) || (shape && at[2] <= 0)) return;
        before = moved;
    }
    *c = (bl_stats_curve){exp(at[0]), exp(at[1]), shape ? exp(at[2]) : c->p};
}

bool bl_stats_fit_curve(bl_stats_curve *out, const bl_stats_cell *cells, size_t n, double p_most) {
    size_t measured = 0;
    for (size_t i = 0; i < n; i++) measured += !cells[i].censored;
    if (measured < BL_STATS_CURVE_MIN) return false;
    search s = {.cells = cells,
                .n = n,
                .p = 1,
                .low = cells[0].log_b - log(1000.0),
                .high = cells[n - 1].log_b + log(1000.0)};
    if (p_most > 1 && measured >= BL_STATS_SHAPE_MIN) s.p = best_p(&s, p_most);
    const double u = best_u(&s);
    *out = (bl_stats_curve){
        .s_min = exp(bl_stats_curve_level(u, s.p, cells, n)), .b_crit = exp(u), .p = s.p};
    polish(out, bl_stats_curve_free(out, p_most) == 3, cells, n);
    return true;
}

double bl_stats_curve_deviation(const bl_stats_curve *c, const bl_stats_cell *cells, size_t n) {
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double r = cells[i].log_s - log(bl_stats_curve_at(c, exp(cells[i].log_b)));
        worst = fmax(worst, cells[i].censored ? r : fabs(r));
    }
    return expm1(worst);
}
