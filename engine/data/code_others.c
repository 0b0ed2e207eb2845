/* The target without the linear effect of the other columns (Frisch and Waugh 1933, for y alone).
 * X has a 1, the numbers, and a column for each value of a category. X_c has all but those of c.
 *
 *     y = X_c b_c + left(c)      over the training rows, by least squares
 *
 * X'X and X'y are summed once, and each left(c) solves a part of them. Where c depends on the
 * others, left(c) shows less of c than there is, never more. */
#include "engine/data/code_others.h"
#include "engine/base/mem.h"
#include <string.h>

/* Columns of X: a tenth of the rows at most, so that the fit says more than chance. Multiplications
 * of the sums: half a second. Numbers in y: 32 MiB. */
enum { MOST_WIDTH = 200, ROWS_EACH = 10, MOST_VALUES = 64, MOST_Y = 4194304 };
static const double MOST_WORK = 4e8;

static const double RIDGE = 1e-8;

int *bl_code_classes(const bl_manifest *m, const bl_view *target) {
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

static double number_in(const bl_code_other *c, size_t row) {
    const double x = bl_view_number(c->view, row);
    return isfinite(x) ? (x - c->mean) * c->scale : 0;
}

static void standardise(bl_code_other *c, const bl_split_rows *s) {
    double n = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < s->train_rows; i++) {
        const double x = bl_view_number(c->view, s->row[i]);
        if (!isfinite(x)) continue;
        n++;
        const double off = x - sum;
        sum += off / n; /* the mean so far (Welford 1962) */
        squares += off * (x - sum);
    }
    c->mean = sum;
    c->scale = squares > 0 ? 1 / sqrt(squares / n) : 0;
}

/* Adds the column if there is room for it. */
static bl_status add_column(bl_code_others *o, const bl_frame *frame, const char *name,
                            bool category, size_t room, bl_err *err) {
    const bl_split_rows *s = o->split;
    bl_code_other c = {.view = bl_frame_find(frame, name), .category = category, .width = 1};
    if (c.view == NULL) return BL_OK;
    if (category) {
        BL_TRY(bl_levels_build(&c.levels, c.view, s->row, s->train_rows, err));
        c.width = c.levels.count;
    }
    c.first = o->squares.columns;
    if (c.first + c.width > room || c.width > MOST_VALUES) {
        if (category) bl_levels_free(&c.levels);
        return BL_OK;
    }
    if (!category) standardise(&c, s);
    o->squares.columns += c.width;
    o->column[o->columns++] = c;
    return BL_OK;
}

static bl_status add_columns(bl_code_others *o, const bl_frame *frame, const bl_manifest *m,
                             bl_err *err) {
    const double rows = (double)o->split->train_rows;
    const size_t room =
        (size_t)fmin(fmin(MOST_WIDTH, rows / ROWS_EACH), sqrt(2 * MOST_WORK / fmax(rows, 1)));
    o->column = bl_xalloc((m->continuous.n + m->categorical.n + 1) * sizeof *o->column);
    o->squares.columns = 1;
    for (size_t i = 0; i < m->continuous.n; i++)
        BL_TRY(add_column(o, frame, m->continuous.v[i], false, room, err));
    for (size_t i = 0; i < m->categorical.n; i++)
        BL_TRY(add_column(o, frame, m->categorical.v[i], true, room, err));
    return BL_OK;
}

static void fill_y(bl_code_others *o, const bl_view *target, const int *class) {
    for (size_t i = 0; i < o->split->train_rows; i++) {
        const size_t row = o->split->row[i];
        if (class == NULL)
            o->y[i] = bl_view_number(target, row);
        else if (class[bl_view_code(target, row)] >= 0)
            o->y[i * o->targets + (size_t) class[bl_view_code(target, row)]] = 1;
    }
}

static void sum_squares(bl_code_others *o) {
    double *x = bl_xalloc(o->squares.columns * sizeof *x);
    for (size_t i = 0; i < o->split->train_rows; i++) {
        const size_t row = o->split->row[i];
        memset(x, 0, o->squares.columns * sizeof *x);
        x[0] = 1;
        for (size_t k = 0; k < o->columns; k++) {
            const bl_code_other *c = &o->column[k];
            const uint32_t code = c->category ? bl_levels_code(&c->levels, row) : 0;
            if (!c->category)
                x[c->first] = number_in(c, row);
            else if (code > 0)
                x[c->first + code - 1] = 1;
        }
        bl_stats_squares_add(&o->squares, x, o->y + i * o->targets);
    }
    free(x);
}

bl_status bl_code_others_open(bl_code_others *out, const bl_frame *frame,
                              const bl_manifest *manifest, const bl_split_rows *split,
                              bl_err *err) {
    const size_t targets = bl_size_max(manifest->classes.n, 1), n = split->train_rows;
    *out = (bl_code_others){.split = split};
    if (n > MOST_Y / targets) return BL_OK;
    const bl_status status = add_columns(out, frame, manifest, err);
    if (status != BL_OK) {
        bl_code_others_free(out);
        return status;
    }
    if (!bl_stats_squares_init(&out->squares, out->squares.columns, targets)) {
        bl_code_others_free(out);
        return BL_ERR(err, BL_ENOMEM, "no memory for the sums of squares");
    }
    out->targets = targets;
    out->y = bl_xalloc((n * targets + 1) * sizeof *out->y);
    const bl_view *target = bl_frame_find(frame, manifest->target);
    int *class = bl_code_classes(manifest, target);
    fill_y(out, target, class);
    free(class);
    sum_squares(out);
    return BL_OK;
}

/* The equations without the columns of X from `first` to `first + width`. False: no memory. */
static bool copy_without(bl_stats_squares *out, const bl_stats_squares *all, size_t first,
                         size_t width) {
    const size_t n = all->columns - width, m = all->outputs;
    if (!bl_stats_squares_init(out, n, m)) return false;
    for (size_t i = 0; i < n; i++) {
        const size_t from = i < first ? i : i + width;
        for (size_t j = 0; j <= i; j++)
            out->gram[i * n + j] = all->gram[from * all->columns + (j < first ? j : j + width)];
        memcpy(out->right + i * m, all->right + from * m, m * sizeof *out->right);
    }
    return true;
}

/* Takes the part of column c from `left`; its first coefficients are at b. */
static void subtract(double *left, const bl_code_others *o, const bl_code_other *c,
                     const double *b) {
    const size_t m = o->targets;
    for (size_t i = 0; i < o->split->train_rows; i++) {
        const size_t row = o->split->row[i];
        const uint32_t code = c->category ? bl_levels_code(&c->levels, row) : 1;
        const double x = c->category ? 1 : number_in(c, row);
        for (size_t k = 0; k < m && code > 0; k++) left[i * m + k] -= x * b[(code - 1) * m + k];
    }
}

double *bl_code_others_left(const bl_code_others *o, const char *name, size_t *fitted) {
    const size_t m = o->targets, cells = o->split->train_rows * m;
    size_t first = o->squares.columns, width = 0;
    bl_stats_squares part = {0};
    double *left = NULL;
    *fitted = 0;
    if (m == 0) return NULL;
    for (size_t k = 0; k < o->columns; k++)
        if (strcmp(o->column[k].view->name, name) == 0) {
            first = o->column[k].first;
            width = o->column[k].width;
        }
    if (copy_without(&part, &o->squares, first, width) && bl_stats_squares_solve(&part, RIDGE)) {
        left = bl_xalloc((cells + 1) * sizeof *left);
        memcpy(left, o->y, cells * sizeof *left);
        for (size_t i = 0; i < cells; i++) left[i] -= part.right[i % m];
        for (size_t k = 0; k < o->columns; k++) {
            const bl_code_other *c = &o->column[k];
            const size_t at = c->first < first ? c->first : c->first - width;
            if (c->first != first) subtract(left, o, c, part.right + at * m);
        }
        *fitted = part.columns;
    }
    bl_stats_squares_free(&part);
    return left;
}

void bl_code_others_free(bl_code_others *o) {
    for (size_t k = 0; k < o->columns; k++)
        if (o->column[k].category) bl_levels_free(&o->column[k].levels);
    free(o->column);
    free(o->y);
    bl_stats_squares_free(&o->squares);
    *o = (bl_code_others){0};
}
