/* Fitting the loss law: for given exponents it is linear in E, p and q, so the search has two
 * dimensions: a grid in the logs of the exponents, then a pattern search. */
#include "engine/stats/loss_law.h"
#include <math.h>

enum { GRID = 24, TERMS = 3, SUBSETS = 1 << TERMS, REFINEMENTS = 400 };
static const double least_exponent = 0.05, most_exponent = 3;

typedef struct losses {
    const double *batch_size, *steps, *loss;
    size_t n;
} losses;

/* The terms of one point over its loss: the model there is 1. */
static void terms_of(double x[TERMS], const losses *l, size_t i, double beta, double gamma) {
    x[0] = 1 / l->loss[i];
    x[1] = pow(l->batch_size[i], -beta) / l->loss[i];
    x[2] = pow(l->steps[i], -gamma) / l->loss[i];
}

/* Solves the normal equations over the terms of `subset`, the others being 0; false without a
 * solution in which none is negative. */
static bool solve_subset(double out[TERMS], double m[TERMS][TERMS + 1], int subset) {
    double a[TERMS][TERMS + 1];
    for (int r = 0; r < TERMS; r++)
        for (int c = 0; c <= TERMS; c++) {
            const bool used = (subset >> r & 1) && (c == TERMS || (subset >> c & 1));
            a[r][c] = used ? m[r][c] : r == c;
        }
    for (int i = 0; i < TERMS; i++) {
        if (fabs(a[i][i]) < 1e-14 * fabs(m[i][i]) || a[i][i] == 0) return false;
        for (int r = 0; r < TERMS; r++) {
            const double factor = r == i ? 0 : a[r][i] / a[i][i];
            for (int c = i; c <= TERMS; c++) a[r][c] -= factor * a[i][c];
        }
    }
    for (int i = 0; i < TERMS; i++) {
        out[i] = (subset >> i & 1) ? a[i][TERMS] / a[i][i] : 0;
        if (!(out[i] >= 0)) return false;
    }
    return true;
}

static double squares_of(const losses *l, const double at[TERMS], double beta, double gamma) {
    double sum = 0;
    for (size_t i = 0; i < l->n; i++) {
        double x[TERMS];
        terms_of(x, l, i, beta, gamma);
        const double r = at[0] * x[0] + at[1] * x[1] + at[2] * x[2] - 1;
        sum += r * r;
    }
    return sum;
}

/* The least squares for given exponents; out[] are E, p, q. */
static double solve(double out[TERMS], const losses *l, double beta, double gamma) {
    double m[TERMS][TERMS + 1] = {{0}}, least = HUGE_VAL;
    for (size_t i = 0; i < l->n; i++) {
        double x[TERMS];
        terms_of(x, l, i, beta, gamma);
        for (int r = 0; r < TERMS; r++) {
            for (int c = 0; c < TERMS; c++) m[r][c] += x[r] * x[c];
            m[r][TERMS] += x[r];
        }
    }
    for (int subset = 1; subset < SUBSETS; subset++) {
        double at[TERMS];
        if (!solve_subset(at, m, subset)) continue;
        const double sum = squares_of(l, at, beta, gamma);
        if (sum >= least) continue;
        least = sum;
        for (int i = 0; i < TERMS; i++) out[i] = at[i];
    }
    return least;
}

static size_t different(const double *x, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n && count < BL_STATS_LOSS_LAW_VALUES; i++) {
        size_t k = 0;
        while (k < i && x[k] != x[i]) k++;
        count += k == i;
    }
    return count;
}

/* Exponents as logs, moved to the best of their neighbours until steps are small. */
static void refine(double at[2], double step, double least, const losses *l) {
    double terms[TERMS];
    for (int round = 0; round < REFINEMENTS && step > 1e-10; round++) {
        const double from[2] = {at[0], at[1]};
        for (int i = 0; i < 9; i++) {
            const double to[2] = {from[0] + (i / 3 - 1) * step, from[1] + (i % 3 - 1) * step};
            if (fmin(to[0], to[1]) < log(least_exponent) || fmax(to[0], to[1]) > log(most_exponent))
                continue;
            const double here = solve(terms, l, exp(to[0]), exp(to[1]));
            if (here < least) least = here, at[0] = to[0], at[1] = to[1];
        }
        if (at[0] == from[0] && at[1] == from[1]) step /= 2;
    }
}

bool bl_stats_fit_loss_law(bl_stats_loss_law *out, const double *batch_size, const double *steps,
                           const double *loss, size_t n) {
    const losses l = {batch_size, steps, loss, n};
    if (n < BL_STATS_LOSS_LAW_MIN || different(batch_size, n) < BL_STATS_LOSS_LAW_VALUES ||
        different(steps, n) < BL_STATS_LOSS_LAW_VALUES)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(loss[i] > 0)) return false;
    const double low = log(least_exponent), step = (log(most_exponent) - low) / GRID;
    double at[2] = {0, 0}, least = HUGE_VAL, terms[TERMS] = {0};
    for (int i = 0; i <= GRID; i++)
        for (int k = 0; k <= GRID; k++) {
            const double here = solve(terms, &l, exp(low + i * step), exp(low + k * step));
            if (here < least) least = here, at[0] = low + i * step, at[1] = low + k * step;
        }
    if (isinf(least)) return false;
    refine(at, step / 2, least, &l);
    const double beta = exp(at[0]), gamma = exp(at[1]), squares = solve(terms, &l, beta, gamma);
    *out = (bl_stats_loss_law){.e = terms[0],
                               .p = terms[1],
                               .beta = beta,
                               .q = terms[2],
                               .gamma = gamma,
                               .rms = sqrt(squares / ((double)n - 5))};
    return true;
}
