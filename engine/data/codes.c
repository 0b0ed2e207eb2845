#include "engine/data/codes.h"
#include "engine/base/mem.h"
#include "engine/data/table/levels.h"
#include <math.h>
#include <string.h>

/* The rows, and the class of each code of the target: -1 where its text is no class. */
typedef struct rows_of {
    const bl_split_rows *split;
    const bl_view *target;
    int *class; /* by code; NULL: the target is a number */
} rows_of;

static int *classes_by_code(const bl_manifest *m, const bl_view *target) {
    const bl_dict *dict = &target->column->dict;
    if (m->classes.n == 0) return NULL;
    int *class = bl_xalloc(((size_t)dict->count + 1) * sizeof *class);
    for (uint32_t code = 0; code <= dict->count; code++) class[code] = -1;
    for (size_t k = 0; k < m->classes.n; k++) {
        const uint32_t code = bl_dict_find(dict, m->classes.v[k], strlen(m->classes.v[k]));
        if (code != 0) class[code] = (int)k;
    }
    return class;
}

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

/* Rows of the column's value, and in `mean` and `all` the sums of the target: of a number itself,
 * of a class 1 where its rows are counted. A row without a value or with another label adds
 * nothing. */
static void add_rows(sums *s, const rows_of *r, const bl_view *view, const bl_levels *levels) {
    for (size_t i = 0; i < r->split->train_rows; i++) {
        const size_t row = r->split->row[i];
        const uint32_t code = bl_levels_code(levels, row);
        const int class = r->class != NULL ? r->class[bl_view_code(r->target, row)] : 0;
        if (code == 0 || class < 0) continue;
        const double y = r->class != NULL ? 1 : bl_view_number(r->target, row);
        s->mean[(code - 1) * s->targets + (size_t) class] += y;
        s->all[class] += y;
        s->count[code - 1]++;
        s->place[code - 1] = bl_view_number(view, row);
        s->rows++;
    }
    for (size_t k = 0; k < s->targets; k++) {
        s->all[k] /= fmax(1, (double)s->rows);
        for (size_t v = 0; v < s->values; v++) s->mean[v * s->targets + k] /= fmax(1, s->count[v]);
    }
}

/* Of an indicator that is 1 in a share p of n rows: n p (1 - p). Of a number in a second pass. */
static double total_squares(const sums *s, const rows_of *r, const bl_levels *levels) {
    double total = 0;
    for (size_t k = 0; k < s->targets && r->class != NULL; k++)
        total += (double)s->rows * s->all[k] * (1 - s->all[k]);
    for (size_t i = 0; i < r->split->train_rows && r->class == NULL; i++) {
        const size_t row = r->split->row[i];
        if (bl_levels_code(levels, row) == 0) continue;
        const double off = bl_view_number(r->target, row) - s->all[0];
        total += off * off;
    }
    return total;
}

/* Squares between the values, and those of them that lie on a straight line along `place`. */
static void split_squares(const sums *s, double *between, double *line) {
    double centre = 0, width = 0;
    for (size_t v = 0; v < s->values; v++) centre += s->count[v] * s->place[v] / (double)s->rows;
    for (size_t v = 0; v < s->values; v++)
        width += s->count[v] * (s->place[v] - centre) * (s->place[v] - centre);
    *between = *line = 0;
    for (size_t k = 0; k < s->targets; k++) {
        double slope = 0;
        for (size_t v = 0; v < s->values; v++) {
            const double off = s->mean[v * s->targets + k] - s->all[k];
            *between += s->count[v] * off * off;
            slope += s->count[v] * (s->place[v] - centre) * off;
        }
        *line += width > 0 ? slope * slope / width : 0;
    }
}

/* Squared steps from value to value over squared distances from the mean of means. */
static double roughness_of(const sums *s) {
    double steps = 0, squares = 0;
    for (size_t k = 0; k < s->targets; k++) {
        double middle = 0;
        for (size_t v = 0; v < s->values; v++)
            middle += s->mean[v * s->targets + k] / (double)s->values;
        for (size_t v = 0; v < s->values; v++) {
            const double *m = &s->mean[v * s->targets + k];
            squares += (*m - middle) * (*m - middle);
            if (v > 0) steps += (*m - m[-(ptrdiff_t)s->targets]) * (*m - m[-(ptrdiff_t)s->targets]);
        }
    }
    return squares > 0 ? steps / squares : 2;
}

static void weigh(bl_code_evidence *out, sums *s, const rows_of *r, const bl_view *view,
                  const bl_levels *levels) {
    double between, line;
    add_rows(s, r, view, levels);
    split_squares(s, &between, &line);
    const double total = total_squares(s, r, levels);
    const double within = fmax(total - between, 1e-12 * total);
    const double rest = (double)s->rows - (double)s->values;
    if (!(between > 0 && within > 0 && rest > 0)) return;
    out->straight = line / between;
    out->surprise = (between - line) / ((double)s->values - 2) / (within / rest);
    out->roughness = roughness_of(s);
}

bl_status bl_code_weigh(bl_code_evidence *out, const bl_frame *frame, const bl_manifest *manifest,
                        const bl_split_rows *split, const char *name, bl_err *err) {
    const bl_view *view = bl_frame_find(frame, name);
    rows_of r = {.split = split, .target = bl_frame_find(frame, manifest->target)};
    bl_levels levels;
    *out = (bl_code_evidence){.straight = 1, .roughness = 2};
    BL_TRY(bl_levels_build(&levels, view, split->row, split->train_rows, err));
    sums s = {.values = levels.count, .targets = bl_size_max(manifest->classes.n, 1)};
    out->values = s.values;
    if (s.values >= 3) {
        r.class = classes_by_code(manifest, r.target);
        s.count = bl_xalloc(s.values * sizeof *s.count);
        s.place = bl_xalloc(s.values * sizeof *s.place);
        s.mean = bl_xalloc(s.values * s.targets * sizeof *s.mean);
        s.all = bl_xalloc(s.targets * sizeof *s.all);
        weigh(out, &s, &r, view, &levels);
        free_sums(&s);
        free(r.class);
    }
    bl_levels_free(&levels);
    return BL_OK;
}

/* By chance the surprise is 1 on average with a deviation of sqrt(2 / (values - 2)). */
bool bl_code_names(const bl_code_evidence *e, size_t few) {
    static const double straight = 0.9, rough = 1.2, deviations = 5;
    if (e->values < 3 || e->straight > straight) return false;
    if (e->surprise < 1 + deviations * sqrt(2 / ((double)e->values - 2))) return false;
    return e->values <= few || e->roughness > rough;
}
