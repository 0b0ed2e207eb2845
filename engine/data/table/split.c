/* Rows of a frame: those that pass every filter and have a label, then the split.
 *
 *     by      latest rows for validation: the rest in order of date, latest first
 *     seed    a permutation drawn from it: its first rows are for validation
 *     stratify  with a seed and classes: of each class its share of them
 *     group   with a seed: groups in drawn order, whole ones for validation until there are enough
 *     none    the last rows of the file
 *
 * Training rows come first in the result. */
#include "engine/data/table/split.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/data/table/levels.h"
#include <stdlib.h>
#include <string.h>

typedef struct rows_of {
    const bl_frame *frame;
    const bl_manifest *manifest;
    bl_split_rows kept;
} rows_of;

/* Whether the row stays. Missing values pass no filter. */
static bool passes(const bl_row_filter_decl *f, const bl_view *view, size_t row) {
    if (f->equals != NULL) {
        const uint32_t code = bl_view_code(view, row);
        return code != 0 && strcmp(view->column->dict.text[code], f->equals) == 0;
    }
    const double value = bl_view_number(view, row);
    return value > f->above && value < f->below;
}

/* A row has to pass every filter. */
static void filter_rows(rows_of *e) {
    for (size_t i = 0; i < e->frame->rows; i++) e->kept.row[i] = (uint32_t)i;
    e->kept.rows = e->frame->rows;
    for (size_t f = 0; f < e->manifest->filters; f++) {
        const bl_row_filter_decl *filter = &e->manifest->filter[f];
        const bl_view *view = bl_frame_find(e->frame, filter->column);
        size_t kept = 0;
        for (size_t i = 0; i < e->kept.rows; i++)
            if (passes(filter, view, e->kept.row[i])) e->kept.row[kept++] = e->kept.row[i];
        e->kept.rows = kept;
    }
}

/* Latest first, rows of one date as in the file, rows without a date last. */
static bl_status sort_by_date(rows_of *e, bl_err *err) {
    bl_levels dates;
    const bl_view *by = bl_frame_find(e->frame, e->manifest->split.by);
    uint32_t *key = bl_alloc(bl_size_max(e->frame->rows, 1) * sizeof *key);
    if (key == NULL) BL_FAIL(err, BL_ENOMEM, "no memory to sort %zu rows", e->kept.rows);
    bl_status status = bl_levels_build(&dates, by, e->kept.row, e->kept.rows, err);
    if (status == BL_OK) {
        for (size_t i = 0; i < e->kept.rows; i++)
            key[e->kept.row[i]] = dates.count - bl_levels_code(&dates, e->kept.row[i]);
        status = bl_sort_rows(e->kept.row, e->kept.rows, key, dates.count, err);
    }
    bl_levels_free(&dates);
    free(key);
    return status;
}

/* ---- drawn at random ---- */

typedef struct drawn {
    uint64_t key;
    uint32_t row;
} drawn;

static int by_key(const void *a, const void *b) {
    const drawn *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* The number that orders row or group `i`: of the seed and `i` alone. */
static uint64_t draw(const rows_of *e, uint64_t i) {
    const bl_u32x4 w =
        bl_random4((uint64_t)e->manifest->split.seed, BL_STREAM_SYNTH, UINT32_MAX, i);
    return (uint64_t)w.v[0] << 32 | w.v[1];
}

/* Orders the rows by their keys; rows of one key keep their order. */
static bl_status sort_drawn(rows_of *e, const uint64_t *key, bl_err *err) {
    drawn *d = bl_alloc(bl_size_max(e->kept.rows, 1) * sizeof *d);
    if (d == NULL) BL_FAIL(err, BL_ENOMEM, "no memory to sort %zu rows", e->kept.rows);
    for (size_t i = 0; i < e->kept.rows; i++)
        d[i] = (drawn){key != NULL ? key[i] : draw(e, e->kept.row[i]), e->kept.row[i]};
    qsort(d, e->kept.rows, sizeof *d, by_key);
    for (size_t i = 0; i < e->kept.rows; i++) e->kept.row[i] = d[i].row;
    free(d);
    return BL_OK;
}

/* Whole groups for validation, in drawn order, until there are *valid rows; *valid becomes what
 * they have. The rows of each side are then mixed. */
static bl_status split_groups(rows_of *e, size_t *valid, bl_err *err) {
    bl_levels groups;
    const bl_view *view = bl_frame_find(e->frame, e->manifest->split.group);
    BL_TRY(bl_levels_build(&groups, view, e->kept.row, e->kept.rows, err));
    bl_status status = BL_OK;
    uint64_t *key = bl_alloc(bl_size_max(e->kept.rows, 1) * sizeof *key);
    size_t wanted = *valid;
    if (key == NULL) {
        status = BL_ERR(err, BL_ENOMEM, "no memory to sort %zu rows", e->kept.rows);
        goto done;
    }
    for (size_t i = 0; i < e->kept.rows; i++)
        key[i] = draw(e, UINT32_MAX + (uint64_t)bl_levels_code(&groups, e->kept.row[i]));
    BL_GOTO(sort_drawn(e, key, err));
    *valid = 0;
    while (*valid < wanted) {
        const uint32_t group = bl_levels_code(&groups, e->kept.row[*valid]);
        while (*valid < e->kept.rows && bl_levels_code(&groups, e->kept.row[*valid]) == group)
            ++*valid;
    }
    for (size_t i = 0; i < e->kept.rows; i++) /* mixed, and the sides stay apart */
        key[i] = draw(e, e->kept.row[i]) >> 1 | (i < *valid ? 0 : (uint64_t)1 << 63);
    BL_GOTO(sort_drawn(e, key, err));
done:
    bl_levels_free(&groups);
    free(key);
    return status;
}

/* ---- by class ---- */

int bl_split_class(const bl_manifest *m, const bl_view *target, size_t row) {
    const uint32_t code = bl_view_code(target, row);
    for (size_t i = 0; i < m->classes.n && code != 0; i++)
        if (strcmp(m->classes.v[i], target->column->dict.text[code]) == 0) return (int)i;
    return -1;
}

/* Whether the row's label is missing: empty, NA, or a declared text that is no class. */
static bool without_label(const rows_of *e, const bl_view *target, size_t row) {
    const uint32_t code = bl_view_code(target, row);
    if (code == 0) return true;
    return bl_split_class(e->manifest, target, row) < 0 &&
           bl_string_list_contains(&e->manifest->table[0].missing, target->column->dict.text[code]);
}

static void drop_without_label(rows_of *e) {
    const bl_view *target = bl_frame_find(e->frame, e->manifest->target);
    size_t kept = 0;
    for (size_t i = 0; i < e->kept.rows && e->manifest->classes.n > 0; i++)
        if (!without_label(e, target, e->kept.row[i])) e->kept.row[kept++] = e->kept.row[i];
    if (e->manifest->classes.n > 0) e->kept.rows = kept;
}

void bl_split_shares(size_t *given, const size_t *rows, size_t classes, size_t *valid) {
    for (size_t i = 0; i < *valid; i++) {
        size_t best = classes;
        for (size_t k = 0; k < classes; k++)
            if (given[k] + 1 < rows[k] && (best == classes || rows[k] * (2 * given[best] + 1) >
                                                                  rows[best] * (2 * given[k] + 1)))
                best = k;
        if (best == classes) {
            *valid = i;
            return;
        }
        given[best]++;
    }
}

/* The first rows of each class, in drawn order, are for validation. */
static bl_status split_classes(rows_of *e, size_t *valid, bl_err *err) {
    const bl_view *target = bl_frame_find(e->frame, e->manifest->target);
    const size_t classes = e->manifest->classes.n + 1; /* the last: labels that are none of them */
    size_t *rows = bl_xalloc(2 * classes * sizeof *rows), *given = rows + classes;
    bl_status status = BL_OK;
    uint64_t *key = bl_alloc(bl_size_max(e->kept.rows, 1) * sizeof *key);
    if (key == NULL) {
        status = BL_ERR(err, BL_ENOMEM, "no memory to sort %zu rows", e->kept.rows);
        goto done;
    }
    BL_GOTO(sort_drawn(e, NULL, err));
    for (size_t i = 0; i < e->kept.rows; i++) {
        const int k = bl_split_class(e->manifest, target, e->kept.row[i]);
        key[i] = k >= 0 ? (uint64_t)k : classes - 1;
        rows[key[i]]++;
    }
    bl_split_shares(given, rows, classes, valid);
    for (size_t i = 0; i < e->kept.rows; i++) { /* place i of its side, validation first */
        const bool held_out = given[key[i]] > 0;
        given[key[i]] -= held_out;
        key[i] = i | (held_out ? 0 : (uint64_t)1 << 63);
    }
    BL_GOTO(sort_drawn(e, key, err));
done:
    free(rows);
    free(key);
    return status;
}

/* ---- all ---- */

/* From "validation rows first" to "training rows first". */
static bl_status turn(rows_of *e, size_t valid, bl_err *err) {
    uint32_t *turned = bl_alloc(e->kept.rows * sizeof *turned);
    if (turned == NULL) BL_FAIL(err, BL_ENOMEM, "no memory to sort %zu rows", e->kept.rows);
    memcpy(turned, e->kept.row + valid, e->kept.train_rows * sizeof *turned);
    memcpy(turned + e->kept.train_rows, e->kept.row, valid * sizeof *turned);
    memcpy(e->kept.row, turned, e->kept.rows * sizeof *turned);
    free(turned);
    return BL_OK;
}

/* Rows that are drawn or sorted have validation first, until the last line turns the sides
 * round. Groups and classes come first, because they may give fewer or more rows than were asked
 * for. */
static bl_status split_rows(rows_of *e, bl_err *err) {
    const bl_split_decl *split = &e->manifest->split;
    const size_t rows = e->kept.rows;
    size_t valid = split->share > 0 ? (size_t)(split->share * (double)rows) : (size_t)split->valid;
    if (split->group != NULL && valid > 0 && valid < rows) BL_TRY(split_groups(e, &valid, err));
    if (split->stratify && valid > 0 && valid < rows) BL_TRY(split_classes(e, &valid, err));
    if (valid == 0 || valid >= rows)
        BL_FAIL(err, BL_EINVAL, "%s:%d: error: %zu rows, of which %zu are for validation: %s",
                split->node->file, split->node->line, rows, valid,
                valid == 0 ? "at least one is needed" : "none are left to train on");
    e->kept.train_rows = rows - valid;
    if (split->by == NULL && split->seed == 0) return BL_OK;
    if (split->by != NULL) BL_TRY(sort_by_date(e, err));
    if (split->by == NULL && split->group == NULL && !split->stratify)
        BL_TRY(sort_drawn(e, NULL, err));
    return turn(e, valid, err);
}

/* Filters come before the split: shares and counts are of the rows that stay. */
bl_status bl_split_frame(bl_split_rows *out, const bl_frame *frame, const bl_manifest *manifest,
                         bl_err *err) {
    rows_of e = {.frame = frame, .manifest = manifest};
    *out = (bl_split_rows){0};
    e.kept.row = bl_alloc(bl_size_max(frame->rows, 1) * sizeof *e.kept.row);
    if (e.kept.row == NULL) BL_FAIL(err, BL_ENOMEM, "no memory for %zu rows", frame->rows);
    filter_rows(&e);
    drop_without_label(&e);
    const bl_status status = split_rows(&e, err);
    if (status == BL_OK)
        *out = e.kept;
    else
        free(e.kept.row);
    return status;
}
