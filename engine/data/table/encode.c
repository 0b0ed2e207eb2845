/* From the joined frame to the block that training reads.
 *
 * In this order: rows that pass every filter and the split, training rows first (split.c); the
 * target's check and, where it is declared, its mean and deviation; then for each column what it
 * needs of the training rows, and only of those. A categorical column gets codes 1, 2, ... for its
 * distinct training values in ascending order, and 0 for what is missing or was never seen in
 * training. A continuous column is standardised by mean and deviation of the training rows; missing
 * values become their median, and a column `NAME_na` says which were missing (1: there, 2: missing)
 * if any training row lacks one. So nothing of the validation rows leaks into the encoding. Sums
 * are fp64 in row order: the bytes are the same on every machine. */
#include "engine/data/table/encode.h"
#include "engine/base/mem.h"
#include "engine/data/table/levels.h"
#include "engine/data/table/split.h"
#include "kernels/shared/exact_math.h"
#include <stdio.h>
#include <string.h>

/* A column of codes in the block. */
typedef struct coded {
    const char *name;
    const bl_view *view; /* NULL: a flag for the missing values of `flag_of` */
    const bl_view *flag_of;
    bl_levels levels;
} coded;

/* A column of standardised values in the block. */
typedef struct measured {
    const bl_view *view;
    double fill, mean, deviation;
    bool flagged;
} measured;

typedef struct encoder {
    const bl_frame *frame;
    const bl_manifest *manifest;
    uint32_t *row; /* frame rows that stay, training first */
    size_t rows, train_rows;
    coded *coded;
    size_t coded_count;
    measured *measured;
    size_t measured_count;
    double *scratch; /* (rows) */
} encoder;

/* ---- columns ---- */

/* The levels of each categorical column that the frame has. */
static bl_status plan_categorical(encoder *e, bl_err *err) {
    const bl_string_list *names = &e->manifest->categorical;
    for (size_t i = 0; i < names->n; i++) {
        const bl_view *view = bl_frame_find(e->frame, names->v[i]);
        if (view == NULL) continue;
        coded *c = &e->coded[e->coded_count++];
        *c = (coded){.name = names->v[i], .view = view};
        BL_TRY(bl_levels_build(&c->levels, view, e->row, e->train_rows, err));
        if (c->levels.count > UINT16_MAX)
            BL_FAIL(err, BL_EINVAL,
                    "%s:%d: error: column '%s' has %u different values; a categorical column has "
                    "at most %d: make it continuous or ignore it",
                    names->node->file, names->node->line, names->v[i], c->levels.count, UINT16_MAX);
    }
    return BL_OK;
}

static int by_number(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. */
static double median(double *values, size_t n) {
    qsort(values, n, sizeof *values, by_number);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Mean and deviation over the training rows: fp64 sums in row order. */
static void measure_column(const encoder *e, measured *m) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < e->train_rows; i++) {
        const double x = bl_view_number(m->view, e->row[i]);
        sum += isnan(x) ? m->fill : x;
    }
    m->mean = sum / (double)e->train_rows;
    for (size_t i = 0; i < e->train_rows; i++) {
        const double x = bl_view_number(m->view, e->row[i]);
        const double d = (isnan(x) ? m->fill : x) - m->mean;
        squares += d * d;
    }
    m->deviation = sqrt(squares / (double)e->train_rows);
    if (!(m->deviation > 0)) m->deviation = 1; /* a constant column becomes 0 */
}

/* Median, mean and deviation of each continuous column that the frame has, and its flag of missing
 * values where it needs one. */
static bl_status plan_continuous(encoder *e, bl_err *err) {
    const bl_string_list *names = &e->manifest->continuous;
    for (size_t i = 0; i < names->n; i++) {
        const bl_view *view = bl_frame_find(e->frame, names->v[i]);
        if (view == NULL) continue;
        measured *m = &e->measured[e->measured_count++];
        *m = (measured){.view = view};
        size_t present = 0, missing = 0;
        for (size_t r = 0; r < e->rows; r++) {
            const double x = bl_view_number(view, e->row[r]);
            missing += isnan(x);
            if (r < e->train_rows && !isnan(x)) e->scratch[present++] = x;
        }
        if (present == 0)
            BL_FAIL(err, BL_EINVAL, "%s:%d: error: column '%s' has no value in any training row",
                    names->node->file, names->node->line, names->v[i]);
        m->flagged = present < e->train_rows;
        if (missing > 0) m->fill = median(e->scratch, present);
        measure_column(e, m);
        if (m->flagged) e->coded[e->coded_count++] = (coded){.flag_of = view};
    }
    return BL_OK;
}

/* ---- filling the block ---- */

/* Each name with its terminating zero: codes first, then values, as bl_block_open reads them. */
static void write_names(const encoder *e, bl_buf *names) {
    for (size_t i = 0; i < e->coded_count; i++) {
        const coded *c = &e->coded[i];
        if (c->view != NULL)
            bl_buf_str(names, c->name);
        else
            bl_buf_printf(names, "%s_na", c->flag_of->name);
        bl_buf_add(names, "", 1);
    }
    for (size_t i = 0; i < e->measured_count; i++)
        bl_buf_add(names, e->measured[i].view->name, strlen(e->measured[i].view->name) + 1);
}

/* A flag is 1 (there) or 2 (missing): code 0 means never seen in training, and both were. */
static uint16_t code_of(const coded *c, size_t row) {
    if (c->view != NULL) return (uint16_t)bl_levels_code(&c->levels, row);
    return bl_view_missing(c->flag_of, row) ? 2 : 1;
}

static void write_cells(const encoder *e, uint16_t *codes, float *values) {
    enum { TILE = 1024 }; /* rows whose cells stay in the cache while the columns pass */
    for (size_t first = 0; first < e->rows; first += TILE) {
        const size_t end = bl_size_min(first + TILE, e->rows);
        for (size_t c = 0; c < e->coded_count; c++)
            for (size_t i = first; i < end; i++)
                codes[i * e->coded_count + c] = code_of(&e->coded[c], e->row[i]);
        for (size_t c = 0; c < e->measured_count; c++) {
            const measured *m = &e->measured[c];
            for (size_t i = first; i < end; i++) {
                const double x = bl_view_number(m->view, e->row[i]);
                values[i * e->measured_count + c] =
                    (float)(((isnan(x) ? m->fill : x) - m->mean) / m->deviation);
            }
        }
    }
}

/* Every label is one of the declared ones. Rows without a label are gone by now (split.c). */
static bl_status check_labels(const encoder *e, bl_err *err) {
    const bl_manifest *m = e->manifest;
    const bl_view *view = bl_frame_find(e->frame, m->target);
    for (size_t i = 0; i < e->rows; i++)
        if (bl_split_class(m, view, e->row[i]) < 0)
            BL_FAIL(err, BL_EINVAL,
                    "%s:%d: error: target '%s' of row %u is '%.40s', none of 'classes'",
                    m->classes.node->file, m->classes.node->line, m->target, e->row[i] + 1,
                    view->column->dict.text[bl_view_code(view, e->row[i])]);
    return BL_OK;
}

/* Every target must be there and, under "log", positive. *least, *largest: of the training rows. */
static bl_status check_target(const encoder *e, double *least, double *largest, bl_err *err) {
    const bl_manifest *m = e->manifest;
    const bl_node *node = bl_node_get(m->doc.root, "target");
    const bl_view *view = bl_frame_find(e->frame, m->target);
    const bool log = strcmp(m->transform, "log") == 0;
    *least = INFINITY;
    *largest = -INFINITY;
    for (size_t i = 0; i < e->rows; i++) {
        const double y = bl_view_number(view, e->row[i]);
        if (isnan(y) || (log && y <= 0))
            BL_FAIL(err, BL_EINVAL,
                    "%s:%d: error: target '%s' of row %u is %s; leave such rows out with a filter",
                    node->file, node->line, m->target, e->row[i] + 1,
                    isnan(y) ? "missing" : "not positive and has no logarithm");
        if (i < e->train_rows && y > *largest) *largest = y;
        if (i < e->train_rows && y < *least) *least = y;
    }
    return BL_OK;
}

/* The target on the scale of its transform. */
static double transformed(const encoder *e, const bl_view *view, size_t i) {
    const double y = bl_view_number(view, e->row[i]);
    return strcmp(e->manifest->transform, "log") == 0 ? bl_log64(y) : y;
}

/* Mean and deviation over the training rows in two passes: nothing cancels far from zero. */
static void measure_target(const encoder *e, double *mean, double *deviation) {
    const bl_view *view = bl_frame_find(e->frame, e->manifest->target);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < e->train_rows; i++) sum += transformed(e, view, i);
    *mean = sum / (double)e->train_rows;
    for (size_t i = 0; i < e->train_rows; i++) {
        const double d = transformed(e, view, i) - *mean;
        squares += d * d;
    }
    *deviation = sqrt(squares / (double)e->train_rows);
    if (!(*deviation > 0)) *deviation = 1;
}

/* What the header says of the target, after a check of every row's. */
static bl_status plan_target(const encoder *e, bl_block_header *header, bl_err *err) {
    const bl_manifest *m = e->manifest;
    snprintf(header->transform, sizeof header->transform, "%s", m->transform);
    header->classes = m->classes.n;
    if (m->classes.n > 0) return check_labels(e, err);
    BL_TRY(check_target(e, &header->target_min, &header->target_max, err));
    if (m->scale != NULL && strcmp(m->scale, "standard") == 0)
        measure_target(e, &header->target_mean, &header->target_deviation);
    return BL_OK;
}

/* Class numbers, or values after the transform and the scale. */
static void write_target(const encoder *e, const bl_block_header *h, float *target) {
    const bl_view *view = bl_frame_find(e->frame, e->manifest->target);
    const bool scaled = h->target_deviation > 0;
    for (size_t i = 0; i < e->rows; i++) {
        if (h->classes > 0) {
            target[i] = (float)bl_split_class(e->manifest, view, e->row[i]);
            continue;
        }
        const double y = transformed(e, view, i);
        target[i] = (float)(scaled ? (y - h->target_mean) / h->target_deviation : y);
    }
}

/* Makes the block, once everything that it needs is known. */
static bl_status fill_block(unsigned char **block, bl_block_header *header, const encoder *e,
                            bl_err *err) {
    bl_block_layout layout;
    bl_buf names = {0};
    write_names(e, &names);
    header->rows = e->rows;
    header->train_rows = e->train_rows;
    header->categorical = e->coded_count;
    header->continuous = e->measured_count;
    header->names_bytes = names.len;
    bl_status status = bl_block_new(block, header, &layout, err);
    if (status == BL_OK) {
        uint32_t *cardinality = (uint32_t *)(void *)(*block + layout.cardinality);
        for (size_t c = 0; c < e->coded_count; c++)
            cardinality[c] = e->coded[c].view != NULL ? e->coded[c].levels.count + 1 : 3;
        if (names.len > 0) memcpy(*block + layout.names, names.data, names.len);
        write_cells(e, (uint16_t *)(void *)(*block + layout.codes),
                    (float *)(void *)(*block + layout.values));
        write_target(e, header, (float *)(void *)(*block + layout.target));
    }
    bl_buf_free(&names);
    return status;
}

/* The order is the head's: what a column needs is taken of the training rows, so the split comes
 * first. */
bl_status bl_encode(unsigned char **block, bl_block_header *header, const bl_frame *frame,
                    const bl_manifest *manifest, bl_err *err) {
    encoder e = {.frame = frame, .manifest = manifest};
    bl_status status = BL_OK;
    *block = NULL;
    const size_t columns = manifest->categorical.n + manifest->continuous.n + 1;
    e.coded = bl_xalloc(columns * sizeof *e.coded);
    e.measured = bl_xalloc(columns * sizeof *e.measured);
    bl_split_rows split = {0};
    e.scratch = bl_alloc(bl_size_max(frame->rows, 1) * sizeof *e.scratch);
    if (e.scratch == NULL) {
        status = BL_ERR(err, BL_ENOMEM, "no memory for %zu rows", frame->rows);
        goto done;
    }
    BL_GOTO(bl_split_frame(&split, frame, manifest, err));
    e.row = split.row;
    e.rows = split.rows;
    e.train_rows = split.train_rows;
    BL_GOTO(plan_target(&e, header, err));
    BL_GOTO(plan_categorical(&e, err));
    BL_GOTO(plan_continuous(&e, err));
    BL_GOTO(fill_block(block, header, &e, err));
done:
    for (size_t i = 0; i < e.coded_count; i++) bl_levels_free(&e.coded[i].levels);
    free(e.coded);
    free(e.measured);
    free(split.row);
    free(e.scratch);
    return status;
}
