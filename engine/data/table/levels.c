/* Numbering the distinct values of a column: code 1 is the smallest, 0 is missing or not seen.
 * Three ways, by what the values are:
 *
 *     texts                  "b" "a" "b"     direct[dictionary code]: "a" 1, "b" 2
 *     integers close by      7 3 4 7         low 3, direct = [1, 2, 0, 0, 3]
 *     other numbers          0.5 2 0.5       value = [0.5, 2], found by bisection
 *
 * Texts that are all numbers are ordered as numbers, else by bytes. The order is by value, never by
 * first sight, so that it does not depend on the order of rows. */
#include "engine/data/table/levels.h"
#include "engine/base/mem.h"
#include "engine/data/table/csv.h"
#include <string.h>

enum { MAX_SPAN = 1 << 20 };

static int by_number(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct text_level {
    const char *text;
    double number;
    uint32_t code; /* in the dictionary */
    bool numeric;  /* all of them are */
} text_level;

static int by_text(const void *a, const void *b) {
    const text_level *x = a, *y = b;
    if (x->numeric && x->number != y->number) return x->number < y->number ? -1 : 1;
    return strcmp(x->text, y->text);
}

/* Of n rows, all of them where `rows` is NULL. */
static size_t row_at(const uint32_t *rows, size_t i) {
    return rows != NULL ? rows[i] : i;
}

/* Levels of a column of texts: those that occur in the rows, in order, numbers by value if all of
 * them are numbers. l->direct leads from a code of the dictionary to its level; 0 is a missing
 * value. */
static bl_status build_text(bl_levels *l, const uint32_t *rows, size_t n, bl_err *err) {
    const bl_dict *dict = &l->view->column->dict;
    text_level *level = bl_alloc(dict->count * sizeof *level);
    l->span = dict->count;
    l->direct = bl_alloc(l->span * sizeof *l->direct);
    if (level == NULL || l->direct == NULL) {
        free(level);
        BL_FAIL(err, BL_ENOMEM, "no memory for the values of column '%s'", l->view->name);
    }
    for (size_t i = 0; i < n; i++) l->direct[bl_view_code(l->view, row_at(rows, i))] = 1;
    bool numeric = true;
    for (uint32_t code = 1; code < dict->count; code++) {
        if (!l->direct[code]) continue;
        text_level *t = &level[l->count++];
        *t = (text_level){.text = dict->text[code], .code = code};
        numeric = bl_csv_number((bl_csv_field){t->text, strlen(t->text)}, &t->number) && numeric;
    }
    for (uint32_t i = 0; i < l->count; i++) level[i].numeric = numeric;
    qsort(level, l->count, sizeof *level, by_text);
    l->direct[0] = 0;
    for (uint32_t i = 0; i < l->count; i++) l->direct[level[i].code] = i + 1;
    free(level);
    return BL_OK;
}

/* Whether the values are integers close together, and their range. */
static bool integer_range(const bl_view *view, const uint32_t *rows, size_t n, double *low,
                          double *high) {
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        const double x = bl_view_number(view, row_at(rows, i));
        if (isnan(x)) continue;
        if (fabs(x) > 0x1p52 || x != (double)(int64_t)x) return false;
        *low = x < *low ? x : *low;
        *high = x > *high ? x : *high;
    }
    return *low > *high || *high - *low < MAX_SPAN;
}

/* An empty range (low > high) is a column without values. */
static bl_status build_integers(bl_levels *l, const uint32_t *rows, size_t n, double low,
                                double high, bl_err *err) {
    l->low = low <= high ? (int64_t)low : 0;
    l->span = low <= high ? (size_t)(high - low) + 1 : 1;
    l->direct = bl_alloc(l->span * sizeof *l->direct);
    if (l->direct == NULL)
        BL_FAIL(err, BL_ENOMEM, "no memory for the values of column '%s'", l->view->name);
    for (size_t i = 0; i < n; i++) {
        const double x = bl_view_number(l->view, row_at(rows, i));
        if (!isnan(x)) l->direct[(int64_t)x - l->low] = 1;
    }
    for (size_t k = 0; k < l->span; k++)
        if (l->direct[k]) l->direct[k] = ++l->count;
    return BL_OK;
}

static bl_status build_numbers(bl_levels *l, const uint32_t *rows, size_t n, bl_err *err) {
    double *value = bl_alloc(bl_size_max(n, 1) * sizeof *value);
    if (value == NULL)
        BL_FAIL(err, BL_ENOMEM, "no memory for the values of column '%s'", l->view->name);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = bl_view_number(l->view, row_at(rows, i));
        if (!isnan(x)) value[count++] = x;
    }
    qsort(value, count, sizeof *value, by_number);
    for (size_t i = 0; i < count; i++)
        if (l->count == 0 || value[i] != value[l->count - 1]) value[l->count++] = value[i];
    l->value = value;
    return BL_OK;
}

bl_status bl_levels_build(bl_levels *levels, const bl_view *view, const uint32_t *rows, size_t n,
                          bl_err *err) {
    double low, high;
    *levels = (bl_levels){.view = view};
    if (view->column->type == BL_COLUMN_TEXT) return build_text(levels, rows, n, err);
    if (integer_range(view, rows, n, &low, &high))
        return build_integers(levels, rows, n, low, high, err);
    return build_numbers(levels, rows, n, err);
}

/* A value between two levels, or beyond them, is 0. */
uint32_t bl_levels_code(const bl_levels *l, size_t row) {
    if (l->view->column->type == BL_COLUMN_TEXT) return l->direct[bl_view_code(l->view, row)];
    const double x = bl_view_number(l->view, row);
    if (isnan(x)) return 0;
    if (l->direct != NULL) {
        const double at = x - (double)l->low;
        if (!(at >= 0 && at < (double)l->span) || at != (double)(size_t)at) return 0;
        return l->direct[(size_t)at];
    }
    size_t from = 0, to = l->count;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (l->value[middle] < x)
            from = middle + 1;
        else
            to = middle;
    }
    return from < l->count && l->value[from] == x ? (uint32_t)from + 1 : 0;
}

void bl_levels_free(bl_levels *levels) {
    free(levels->value);
    free(levels->direct);
    *levels = (bl_levels){0};
}

/* Two passes with the same stable sort order rows by two keys: the last pass is by the more
 * important one. */
bl_status bl_sort_rows(uint32_t *rows, size_t n, const uint32_t *key, size_t keys, bl_err *err) {
    size_t *start = bl_alloc((keys + 2) * sizeof *start);
    uint32_t *sorted = bl_alloc(bl_size_max(n, 1) * sizeof *sorted);
    if (start == NULL || sorted == NULL) {
        free(start);
        free(sorted);
        BL_FAIL(err, BL_ENOMEM, "no memory to sort %zu rows", n);
    }
    for (size_t i = 0; i < n; i++) start[key[rows[i]] + 1]++;
    for (size_t k = 0; k <= keys; k++) start[k + 1] += start[k];
    for (size_t i = 0; i < n; i++) sorted[start[key[rows[i]]]++] = rows[i];
    memcpy(rows, sorted, n * sizeof *rows);
    free(start);
    free(sorted);
    return BL_OK;
}
