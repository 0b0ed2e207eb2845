/* Normal equations X'X b = X'y, solved by the factors L L' of X'X (Golub and Van Loan, Matrix
 * Computations, algorithm 4.2.2). */
#include "engine/stats/least_squares.h"
#include "engine/base/mem.h"
#include <math.h>

bool bl_stats_squares_init(bl_stats_squares *s, size_t columns, size_t outputs) {
    *s = (bl_stats_squares){.columns = columns, .outputs = outputs};
    s->gram = bl_alloc(bl_size_max(columns * columns, 1) * sizeof *s->gram);
    s->right = bl_alloc(bl_size_max(columns * outputs, 1) * sizeof *s->right);
    return s->gram != NULL && s->right != NULL;
}

void bl_stats_squares_free(bl_stats_squares *s) {
    free(s->gram);
    free(s->right);
    *s = (bl_stats_squares){0};
}

void bl_stats_squares_add(bl_stats_squares *s, const double *x, const double *y) {
    for (size_t i = 0; i < s->columns; i++) {
        if (x[i] == 0) continue;
        double *row = s->gram + i * s->columns;
        for (size_t j = 0; j <= i; j++) row[j] += x[i] * x[j];
        for (size_t k = 0; k < s->outputs; k++) s->right[i * s->outputs + k] += x[i] * y[k];
    }
}

/* The lower half of gram becomes L. A pivot that is nothing but rounding is 0: the columns depend
 * on each other. */
static bool factor(bl_stats_squares *s) {
    const size_t n = s->columns;
    double *g = s->gram;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            const double least = 1e-12 * g[i * n + i];
            double sum = g[i * n + j];
            for (size_t k = 0; k < j; k++) sum -= g[i * n + k] * g[j * n + k];
            if (i != j)
                g[i * n + j] = sum / g[j * n + j];
            else if (sum > least)
                g[i * n + i] = sqrt(sum);
            else
                return false;
        }
    return true;
}

/* With X'X + ridge mean(diagonal) I = L L': L z = X'y from the first row down, then L' b = z from
 * the last row up. Both overwrite `right`, one output after the other. */
bool bl_stats_squares_solve(bl_stats_squares *s, double ridge) {
    const size_t n = s->columns, m = s->outputs;
    double mean = 0;
    for (size_t i = 0; i < n; i++) mean += s->gram[i * n + i] / (double)n;
    for (size_t i = 0; i < n; i++) s->gram[i * n + i] += ridge * mean;
    if (!factor(s)) return false;
    for (size_t k = 0; k < m; k++) {
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < i; j++)
                s->right[i * m + k] -= s->gram[i * n + j] * s->right[j * m + k];
            s->right[i * m + k] /= s->gram[i * n + i];
        }
        for (size_t i = n; i-- > 0;) {
            for (size_t j = i + 1; j < n; j++)
                s->right[i * m + k] -= s->gram[j * n + i] * s->right[j * m + k];
            s->right[i * m + k] /= s->gram[i * n + i];
        }
    }
    return true;
}
