/* Do whole numbers name things or count them? The question is answered by what the target does
 * along them.
 *
 *     shop    1    2    3    4    5        rooms   1    2    3    4    5
 *     mean   80   20   95   10   60        mean   20   31   39   52   60
 *     no line and no curve: names          a line: amounts
 *
 * It is the F test of lack of fit (Draper and Smith, "Applied Regression Analysis"). With n_v rows
 * of value v, their mean m_v, the mean m of all N rows, V values:
 *
 *     between   = sum of n_v (m_v - m)^2     what the values explain: V - 1 degrees
 *     explained = the part of it along a line; along a square; along a cube, one degree each
 *     chance    = (total - between) / (N - V)         the variance within values
 *     surprise  = (between - line) / (V - 2) / chance
 *
 * Where other columns say much of the target, their least squares are taken out of it first: what
 * they leave is what the formulas hold for. Their coefficients are lost degrees of freedom, too.
 *
 * The shares beyond the line and the cubic are of `between`, after all of them have lost what
 * chance gives: `chance` for each degree. A target of classes sums the same squares over one
 * indicator for each class. */
#include "engine/data/codes.h"
#include "engine/base/mem.h"
#include <math.h>
#include <string.h>

/* The rows, and the class of each code of the target: -1 where its text is no class. */
typedef struct rows_of {
    const bl_split_rows *split;
    const bl_view *target;
    int *class;    /* by code; NULL: the target is a number */
    double *left;  /* (training rows, targets): without the other columns; NULL: as it is */
    size_t fitted; /* coefficients of `left` */
} rows_of;

/* Sums over the training rows by value of the column: `targets` numbers a row. */
typedef struct sums {
    size_t values, targets, rows;
    double *count, *place; /* (values): rows, and the value itself */
    double *mean;          /* (values, targets) */
    double *all;           /* (targets): means over all rows */
    double total;          /* squared distances from `all`, of all targets */
} sums;

static void free_sums(sums *s) {
    free(s->count);
    free(s->place);
    free(s->mean);
    free(s->all);
}

/* What row i of the training rows adds to target k. */
static double part_of(const rows_of *r, size_t i, size_t k, size_t targets) {
    const size_t row = r->split->row[i];
    if (r->left != NULL) return r->left[i * targets + k];
    if (r->class != NULL) return r->class[bl_view_code(r->target, row)] == (int)k;
    return bl_view_number(r->target, row);
}

/* The value's code of row i, 0 where it has none, or a label that is no class. */
static uint32_t value_of(const rows_of *r, const bl_levels *levels, size_t i) {
    const size_t row = r->split->row[i];
    if (r->class != NULL && r->class[bl_view_code(r->target, row)] < 0) return 0;
    return bl_levels_code(levels, row);
}

/* Rows of the column's value, and in `mean` and `all` the means of the target. */
static void add_rows(sums *s, const rows_of *r, const bl_view *view, const bl_levels *levels) {
    for (size_t i = 0; i < r->split->train_rows; i++) {
        const uint32_t code = value_of(r, levels, i);
        if (code == 0) continue;
        for (size_t k = 0; k < s->targets; k++) {
            const double y = part_of(r, i, k, s->targets);
            s->mean[(code - 1) * s->targets + k] += y;
            s->all[k] += y;
        }
        s->count[code - 1]++;
        s->place[code - 1] = bl_view_number(view, r->split->row[i]);
        s->rows++;
    }
    for (size_t k = 0; k < s->targets; k++) {
        s->all[k] /= fmax(1, (double)s->rows);
        for (size_t v = 0; v < s->values; v++) s->mean[v * s->targets + k] /= fmax(1, s->count[v]);
    }
}

/* Squared distances from the means of all rows, in a second pass. */
static double total_squares(const sums *s, const rows_of *r, const bl_levels *levels) {
    double total = 0;
    for (size_t i = 0; i < r->split->train_rows; i++) {
        if (value_of(r, levels, i) == 0) continue;
        for (size_t k = 0; k < s->targets; k++) {
            const double off = part_of(r, i, k, s->targets) - s->all[k];
            total += off * off;
        }
    }
    return total;
}

/* ---- polynomials along the values ---- */

enum { DEGREE = 3 };

/* The product of two functions of the values, over rows: each value counts as often as it
 * occurs. */
static double weighted(const sums *s, const double *a, const double *b) {
    double sum = 0;
    for (size_t v = 0; v < s->values; v++) sum += s->count[v] * a[v] * b[v];
    return sum;
}

/* p[0 .. DEGREE] of `values` numbers each: 1, x, x^2, x^3 made orthogonal over the rows. Rounding
 * leaves nothing of a degree that so few values do not have: it becomes 0. */
static void make_polynomials(const sums *s, double *p) {
    double centre = 0, reach = 0;
    for (size_t v = 0; v < s->values; v++) centre += s->count[v] * s->place[v] / (double)s->rows;
    for (size_t v = 0; v < s->values; v++) reach = fmax(reach, fabs(s->place[v] - centre));
    for (size_t n = 0; n <= DEGREE; n++) {
        double *q = p + n * s->values;
        for (size_t v = 0; v < s->values; v++)
            q[v] = n == 0 ? 1 : q[v - s->values] * (s->place[v] - centre) / fmax(reach, 1e-300);
        const double before = weighted(s, q, q);
        for (size_t m = 0; m < n; m++) {
            const double *lower = p + m * s->values, size = weighted(s, lower, lower);
            const double part = size > 0 ? weighted(s, q, lower) / size : 0;
            for (size_t v = 0; v < s->values; v++) q[v] -= part * lower[v];
        }
        const bool left = weighted(s, q, q) > 1e-12 * before;
        for (size_t v = 0; v < s->values && !left; v++) q[v] = 0;
    }
}

/* Squares between the values' means, and those of them that each degree explains. */
static double split_squares(const sums *s, double explained[DEGREE + 1]) {
    double *p = bl_xalloc((DEGREE + 2) * s->values * sizeof *p), between = 0;
    double *off = p + (DEGREE + 1) * s->values;
    make_polynomials(s, p);
    for (size_t n = 0; n <= DEGREE; n++) explained[n] = 0;
    for (size_t k = 0; k < s->targets; k++) {
        for (size_t v = 0; v < s->values; v++) off[v] = s->mean[v * s->targets + k] - s->all[k];
        between += weighted(s, off, off);
        for (size_t n = 1; n <= DEGREE; n++) {
            const double *q = p + n * s->values, size = weighted(s, q, q);
            const double along = weighted(s, off, q);
            explained[n] += size > 0 ? along * along / size : 0;
        }
    }
    free(p);
    return between;
}

/* Leaves *out at 0 where the values say nothing, or where there are no more rows than values. */
static void weigh(bl_code_evidence *out, sums *s, const rows_of *r, const bl_view *view,
                  const bl_levels *levels) {
    double explained[DEGREE + 1];
    add_rows(s, r, view, levels);
    const double between = split_squares(s, explained);
    const double total = total_squares(s, r, levels), values = (double)s->values;
    const double rest = (double)s->rows - values - (double)r->fitted;
    if (!(between > 0 && rest > 0)) return;
    const double chance =
        fmax(total - between, 1e-12 * total) / rest; /* of one degree of freedom */
    const double line = between - explained[1], cubic = line - explained[2] - explained[3];
    const double says = between - (values - 1) * chance;
    out->surprise = line / (values - 2) / chance;
    if (!(says > 0)) return;
    out->beyond_line = (line - (values - 2) * chance) / says;
    out->beyond_cubic = (cubic - fmax(values - 1 - DEGREE, 0) * chance) / says;
}

/* Below three different values *out has only their number: a line goes through any two points. */
bl_status bl_code_weigh(bl_code_evidence *out, const bl_frame *frame, const bl_manifest *manifest,
                        const bl_split_rows *split, const bl_code_others *others, const char *name,
                        bl_err *err) {
    const bl_view *view = bl_frame_find(frame, name);
    rows_of r = {.split = split, .target = bl_frame_find(frame, manifest->target)};
    bl_levels levels;
    *out = (bl_code_evidence){0};
    BL_TRY(bl_levels_build(&levels, view, split->row, split->train_rows, err));
    sums s = {.values = levels.count, .targets = bl_size_max(manifest->classes.n, 1)};
    out->values = s.values;
    if (s.values >= 3) {
        r.class = bl_code_classes(manifest, r.target);
        if (others != NULL) r.left = bl_code_others_left(others, name, &r.fitted);
        s.count = bl_xalloc(s.values * sizeof *s.count);
        s.place = bl_xalloc(s.values * sizeof *s.place);
        s.mean = bl_xalloc(s.values * s.targets * sizeof *s.mean);
        s.all = bl_xalloc(s.targets * sizeof *s.all);
        weigh(out, &s, &r, view, &levels);
        free_sums(&s);
        free(r.class);
        free(r.left);
    }
    bl_levels_free(&levels);
    return BL_OK;
}

/* By chance the surprise is 1 on average with a deviation of sqrt(2 / (values - 2)), and five of
 * these are asked for. Of more than `few` values only jumps are names: a quantity, too, may
 * bend, and a curve costs far fewer parameters. */
bool bl_code_names(const bl_code_evidence *e, size_t few) {
    static const double bent = 0.1, jumping = 0.3, deviations = 5;
    if (e->values < 3 || e->beyond_line < bent) return false;
    if (e->surprise < 1 + deviations * sqrt(2 / ((double)e->values - 2))) return false;
    return e->values <= few || e->beyond_cubic > jumping;
}
