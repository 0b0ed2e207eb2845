/* Linear least squares: the baseline that a net has to beat. */
#ifndef BL_ENGINE_STATS_LEAST_SQUARES_H
#define BL_ENGINE_STATS_LEAST_SQUARES_H
#include <stdbool.h>
#include <stddef.h>

/* The coefficients b (columns, outputs) that make the sum of squares of y - X b least, over rows
 * that are added one by one, by the normal equations and Cholesky's factors in fp64. `ridge` is
 * added to the diagonal, in parts of its mean, for columns that depend on each other. */
typedef struct bl_stats_squares {
    size_t columns, outputs;
    double *gram;  /* (columns, columns): X'X, its lower half */
    double *right; /* (columns, outputs): X'y; after solving the coefficients */
} bl_stats_squares;

/* False: there is no memory. The caller frees it in any case. */
bool bl_stats_squares_init(bl_stats_squares *s, size_t columns, size_t outputs);
void bl_stats_squares_free(bl_stats_squares *s);
/* One row: x (columns), y (outputs). */
void bl_stats_squares_add(bl_stats_squares *s, const double *x, const double *y);
/* s->right becomes the coefficients. False: the equations cannot be solved. */
bool bl_stats_squares_solve(bl_stats_squares *s, double ridge);
#endif
