/* A declaration on trial. `batchlab init` has guessed it from whole columns; here the rows show
 * what a split would do.
 *
 *     text of the declaration -> manifest -> rows of the table (at most most_rows)
 *         -> derived columns -> split -> prune: columns without use are ignored, warnings are added
 *
 * Thresholds, all of them judgements:
 *
 *     unseen > 5 %        a category whose held-out values training lacks: a warning
 *     unseen > 20 %       a part of a date: dropped, since no row could have learnt it
 *     0.3 deviations and 4 standard errors between the targets' means: a warning
 *     skewness > 1, all targets positive        its logarithm is tried
 *
 * All of it only reads the first rows, so a warning may be missing where later rows differ. */
#include "engine/data/draft.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/data/codes.h"
#include "engine/data/dataset_open.h"
#include "engine/data/manifest/infer_words.h"
#include "engine/data/table/derive.h"
#include "engine/data/table/encode.h"
#include "engine/data/table/levels.h"
#include "engine/data/table/table_read.h"
#include "kernels/shared/exact_math.h"
#include <stdio.h>
#include <string.h>

/* All files' rows, their derived columns, and the split. */
static bl_status read_sources(bl_draft *d, const bl_infer_source *source, size_t sources,
                              bl_err *err) {
    const bl_table_decl *decl = &d->manifest.table[0];
    for (size_t i = 0; i < sources; i++)
        BL_TRY(bl_table_append(&d->table, decl, source[i].text, source[i].n, source[i].path, NULL,
                               err));
    d->frame.rows = d->table.rows;
    for (size_t i = 0; i < d->table.columns; i++)
        bl_frame_add(&d->frame, d->table.column[i]->name, d->table.column[i], NULL);
    for (size_t i = 0; i < d->manifest.derives; i++)
        BL_TRY(bl_derive(&d->frame, &d->manifest.derive[i], err));
    return bl_split_frame(&d->split, &d->frame, &d->manifest, err);
}

bl_status bl_draft_open(bl_draft *out, const bl_buf *text, const char *name,
                        const bl_infer_source *source, size_t sources, size_t most_rows,
                        bl_err *err) {
    *out = (bl_draft){0};
    BL_TRY(bl_manifest_parse(&out->manifest, bl_buf_text(text), text->len, "the declaration", name,
                             err));
    bl_table_declare(&out->table, &out->manifest.table[0]);
    out->table.most_rows = most_rows;
    const bl_status status = read_sources(out, source, sources, err);
    if (status != BL_OK) bl_draft_free(out);
    return status;
}

void bl_draft_free(bl_draft *d) {
    free(d->split.row);
    bl_frame_free(&d->frame);
    bl_table_free(&d->table);
    bl_manifest_free(&d->manifest);
    *d = (bl_draft){0};
}

/* The block has the digest of the empty text: nothing of a draft is kept under an identity. */
bl_status bl_draft_encode(bl_dataset *out, const bl_draft *d, bl_err *err) {
    bl_block_header header = {.synthetic = 0};
    unsigned char *block;
    *out = (bl_dataset){0};
    snprintf(header.name, sizeof header.name, "%s", d->manifest.name);
    bl_sha256_of("", 0, header.sha256);
    BL_TRY(bl_encode(&block, &header, &d->frame, &d->manifest, err));
    return bl_dataset_of_block(out, block, header.bytes, err);
}

/* ---- what the split shows of a column ---- */

typedef struct shown {
    size_t values;  /* different ones among the training rows; of numbers 0, 1 or 2: more */
    size_t missing; /* training rows without one */
    double unseen;  /* share of held-out rows whose value no training row has */
} shown;

static bl_status look_at_categories(shown *out, const bl_draft *d, const bl_view *view,
                                    bl_err *err) {
    bl_levels levels;
    size_t unseen = 0;
    const bl_split_rows *s = &d->split;
    BL_TRY(bl_levels_build(&levels, view, s->row, s->train_rows, err));
    out->values = levels.count;
    for (size_t i = 0; i < s->rows; i++) {
        const bool missing = bl_view_missing(view, s->row[i]);
        if (i < s->train_rows)
            out->missing += missing;
        else
            unseen += !missing && bl_levels_code(&levels, s->row[i]) == 0;
    }
    out->unseen = (double)unseen / (double)(s->rows - s->train_rows);
    bl_levels_free(&levels);
    return BL_OK;
}

/* `values` stops at 2: more is not asked. */
static void look_at_numbers(shown *out, const bl_draft *d, const bl_view *view) {
    double first = (double)NAN;
    for (size_t i = 0; i < d->split.train_rows; i++) {
        const double x = bl_view_number(view, d->split.row[i]);
        if (isnan(x))
            out->missing++;
        else if (isnan(first))
            first = x;
        else if (x != first)
            out->values = 2;
    }
    if (out->values == 0) out->values = !isnan(first);
}

static bl_status look_at(shown *out, const bl_draft *d, const char *name, bool categorical,
                         bl_err *err) {
    const bl_view *view = bl_frame_find(&d->frame, name);
    *out = (shown){0};
    if (categorical) return look_at_categories(out, d, view, err);
    look_at_numbers(out, d, view);
    return BL_OK;
}

/* ---- what follows ---- */

/* Whole numbers become a category or a number by what the target does along them. */
static bl_status judge_codes(bl_inferred_column *c, const bl_draft *d, const bl_code_others *others,
                             bl_err *err) {
    bl_code_evidence e;
    if (!c->codes) return BL_OK;
    BL_TRY(bl_code_weigh(&e, &d->frame, &d->manifest, &d->split, others, c->name, err));
    if (e.values < 3) return BL_OK;
    const bool often = e.values * BL_INFER_ROWS_PER_CODE <= d->split.train_rows;
    const bool names = often && bl_code_names(&e, BL_INFER_FEW);
    const bool was = c->kind == BL_KIND_CATEGORICAL;
    c->kind = names ? BL_KIND_CATEGORICAL : BL_KIND_CONTINUOUS;
    if (names)
        (void)snprintf(c->note, sizeof c->note,
                       "whole numbers along which '%s' is no straight line", d->manifest.target);
    else if (was && often)
        (void)snprintf(c->note, sizeof c->note,
                       "%zu whole numbers, in whose order '%s' changes evenly or not at all",
                       e.values, d->manifest.target);
    else if (was)
        (void)snprintf(c->note, sizeof c->note, "%zu whole numbers, too many to learn one by one",
                       e.values);
    return BL_OK;
}

static bl_status prune_column(bl_inferred *in, bl_inferred_column *c, const bl_draft *d,
                              const bl_code_others *others, bl_err *err) {
    static const double much = 0.05;
    shown s;
    BL_TRY(judge_codes(c, d, others, err));
    const bool categorical = c->kind == BL_KIND_CATEGORICAL;
    BL_TRY(look_at(&s, d, c->name, categorical, err));
    if (s.values == 0)
        bl_infer_ignore(c, "it has no value in any training row");
    else if (s.values == 1 && (!categorical || s.missing == 0))
        bl_infer_ignore(c, "it has one value in the training rows");
    else if (s.unseen > much)
        bl_infer_warn(in, "%.0f %% of the held-out rows have a '%s' that no training row has",
                      100 * s.unseen, c->name);
    return BL_OK;
}

/* A part of a date whose held-out values were not seen in training only misleads. */
static bl_status prune_parts(bl_inferred *in, bl_inferred_column *c, const bl_draft *d,
                             bl_err *err) {
    static const double most_unseen = 0.2;
    bl_buf name = {0};
    bl_status status = BL_OK;
    shown s;
    size_t left = 0;
    for (size_t p = 0; p < bl_infer_part_count; p++) {
        if (p > 0) bl_inferred_part_name(in, c, bl_infer_parts[p], &name);
        if (p > 0 && bl_frame_find(&d->frame, bl_buf_text(&name)) == NULL) continue;
        BL_GOTO(look_at(&s, d, p > 0 ? bl_buf_text(&name) : c->name, p > 0, err));
        c->no_part[p] = s.values < 2 || s.unseen > most_unseen;
        left += !c->no_part[p];
    }
    if (c->guess != BL_GUESS_TIME)
        (void)snprintf(c->note, sizeof c->note, "%zu of its parts vary in the training rows", left);
done:
    bl_buf_free(&name);
    return status;
}

/* Warns where the held-out rows' mean lies far from the training rows', or those have one value. */
static void compare_targets(bl_inferred *in, const bl_draft *d) {
    const bl_view *view = bl_frame_find(&d->frame, d->manifest.target);
    const bl_split_rows *s = &d->split;
    double mean[2] = {0}, squares = 0;
    bool varies = false;
    const double n[2] = {(double)s->train_rows, (double)(s->rows - s->train_rows)};
    for (size_t i = 0; i < s->rows; i++)
        mean[i >= s->train_rows] += bl_view_number(view, s->row[i]) / n[i >= s->train_rows];
    for (size_t i = 0; i < s->train_rows; i++) {
        const double y = bl_view_number(view, s->row[i]);
        squares += pow(y - mean[0], 2);
        varies = varies || y != bl_view_number(view, s->row[0]);
    }
    if (!varies) {
        bl_infer_warn(in, "every training row has the '%s' %.4g: there is nothing to learn",
                      d->manifest.target, mean[0]);
        return;
    }
    const double deviation = sqrt(squares / n[0]), shift = fabs(mean[1] - mean[0]) / deviation;
    if (shift > 0.3 && shift * sqrt(n[1]) > 4)
        bl_infer_warn(in,
                      "'%s' is %.4g on average in the held-out rows and %.4g in training: %.1f "
                      "deviations apart",
                      d->manifest.target, mean[1], mean[0], shift);
}

/* Warns of a class that one side lacks, or of the rare one of two. */
static void compare_classes(bl_inferred *in, const bl_draft *d) {
    enum { SEEN_OFTEN = 10 };
    const bl_view *view = bl_frame_find(&d->frame, d->manifest.target);
    size_t count[BL_INFER_CLASSES][2] = {0};
    for (size_t i = 0; i < d->split.rows; i++) {
        const int k = bl_split_class(&d->manifest, view, d->split.row[i]);
        if (k >= 0) count[k][i >= d->split.train_rows]++;
    }
    for (size_t k = 0; k < in->labels; k++) {
        if (count[k][0] == 0)
            bl_infer_warn(in, "no training row is of class '%s', but %zu held-out rows are",
                          in->label[k], count[k][1]);
        else if (count[k][1] == 0)
            bl_infer_warn(in, "no held-out row is of class '%s'; %zu training row%s", in->label[k],
                          count[k][0], count[k][0] == 1 ? " is" : "s are");
        else if (count[k][1] < SEEN_OFTEN && in->labels == 2)
            bl_infer_warn(in,
                          "%zu of the held-out rows %s of class '%s': what is measured there rests "
                          "on few rows",
                          count[k][1], count[k][1] == 1 ? "is" : "are", in->label[k]);
    }
}

/* A target that is positive and skewed may be better learnt as its logarithm. */
static void judge_skewness(bl_inferred *in, const bl_draft *d) {
    static const double skewed = 1.0; /* half of what an exponential has */
    const bl_view *view = bl_frame_find(&d->frame, d->manifest.target);
    const double n = (double)d->split.rows;
    double mean = 0, m2 = 0, m3 = 0, low = INFINITY;
    for (size_t i = 0; i < d->split.rows; i++) {
        const double y = bl_view_number(view, d->split.row[i]);
        mean += y / n;
        low = y < low ? y : low;
    }
    for (size_t i = 0; i < d->split.rows; i++) {
        const double e = bl_view_number(view, d->split.row[i]) - mean;
        m2 += e * e / n;
        m3 += e * e * e / n;
    }
    const double cube = pow(m2, 1.5);
    in->skewed = low > 0 && cube > 0 && m3 > skewed * cube;
}

/* Every column in turn; *inputs becomes the number of those that are left, parts of dates each. */
static bl_status prune_columns(bl_inferred *in, const bl_draft *d, size_t *inputs, bl_err *err) {
    bl_code_others others = {0};
    bl_status status = BL_OK;
    bool codes = false;
    for (size_t i = 0; i < in->columns; i++) codes = codes || in->column[i].codes;
    if (codes) BL_TRY(bl_code_others_open(&others, &d->frame, &d->manifest, &d->split, err));
    for (size_t i = 0; i < in->columns; i++) {
        bl_inferred_column *c = &in->column[i];
        if (c->kind == BL_KIND_DATE) BL_GOTO(prune_parts(in, c, d, err));
        if (c->kind == BL_KIND_CATEGORICAL || c->kind == BL_KIND_CONTINUOUS)
            BL_GOTO(prune_column(in, c, d, codes ? &others : NULL, err));
        *inputs += c->kind == BL_KIND_CATEGORICAL || c->kind == BL_KIND_CONTINUOUS;
        for (size_t p = 0; p < bl_infer_part_count && c->kind == BL_KIND_DATE; p++)
            *inputs += !c->no_part[p];
    }
done:
    bl_code_others_free(&others);
    return status;
}

/* What the rows say of the guesses: columns that do not vary in the training rows go, and so do
 * parts of dates. Then the target or its classes are compared between training and held-out
 * rows: warnings only. */
bl_status bl_draft_prune(bl_inferred *in, const bl_draft *d, bl_err *err) {
    size_t inputs = 0;
    BL_TRY(prune_columns(in, d, &inputs, err));
    if (inputs == 0)
        BL_FAIL(err, BL_EINVAL,
                "no column is left to learn from: none of them varies in the training rows");
    if (in->labels > 0) {
        compare_classes(in, d);
        return BL_OK;
    }
    compare_targets(in, d);
    judge_skewness(in, d);
    return BL_OK;
}
