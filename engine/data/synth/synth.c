/* The generator of a table: made-up rows with the declared columns, for machines without the data.
 *
 * Rows are a grid, every group on every date, the latest date first. A column is drawn once for
 * each combination of its `per` columns and repeated where the combination repeats, as a shop's
 * town is the same on every day. Each value moves the logarithm of the target by an effect of its
 * own; the target is exp(level + group + weekday + season + effects + noise), rounded down, at
 * least 1, or 0 on closed days. Every draw is a Philox number of (seed, sub-stream, index), so no
 * draw depends on another. */
#include "engine/data/synth/synth.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/data/table/calendar.h"
#include "engine/data/table/levels.h"
#include "kernels/shared/exact_math.h"
#include <string.h>

/* Sub-streams: columns count from 0, their values' effects from EFFECTS, the rest is below. */
enum { EFFECTS = 1 << 16, GROUP_EFFECT = 1 << 17, WEEKDAY_EFFECT, NOISE, CLOSED };

typedef struct synth {
    const bl_synthetic_decl *decl;
    uint64_t seed;
    bl_frame *frame;
    double *log_target; /* (rows) */
    uint64_t *index;    /* (rows): what the column at hand is drawn for */
} synth;

/* A standard normal number for (sub-stream, index). */
static double draw_normal(const synth *s, uint32_t sub, uint64_t index) {
    const bl_u32x4 r = bl_random4(s->seed, BL_STREAM_SYNTH, sub, index);
    return (double)bl_normal(r.v[0], r.v[1]);
}

/* NULL when memory ran out; err says so. */
static bl_column *add_column(const synth *s, const char *name, bl_column_type type, bl_err *err) {
    bl_column *column = bl_frame_compute(s->frame, name, type);
    if (column == NULL) (void)BL_ERR(err, BL_ENOMEM, "no memory for column '%s'", name);
    return column;
}

/* Group and date of every row, and what both add to the log target. */
static bl_status fill_grid(const synth *s, bl_err *err) {
    const bl_synthetic_decl *d = s->decl;
    int32_t first, last;
    (void)bl_parse_date(d->first, strlen(d->first), &first);
    (void)bl_parse_date(d->last, strlen(d->last), &last);
    const size_t groups = (size_t)d->groups;
    const bl_column *group = add_column(s, d->group, BL_COLUMN_NUMBER, err);
    const bl_column *date = group != NULL ? add_column(s, d->date, BL_COLUMN_DATE, err) : NULL;
    if (date == NULL) return BL_ENOMEM;
    double *effect = bl_xalloc(groups * sizeof *effect);
    for (size_t g = 0; g < groups; g++)
        effect[g] = d->group_effect * draw_normal(s, GROUP_EFFECT, g);
    for (size_t i = 0; i < s->frame->rows; i += groups) {
        const int32_t day = last - (int32_t)(i / groups);
        const float turn = (float)((double)(day % 1461) / 365.25);
        const double of_day =
            d->level +
            d->weekday_effect * draw_normal(s, WEEKDAY_EFFECT, (uint64_t)bl_weekday(day)) +
            d->season_effect * (double)bl_sin_turn(turn - (float)(int32_t)turn);
        for (size_t g = 0; g < groups; g++) {
            group->number[i + g] = (double)(g + 1);
            date->number[i + g] = day;
            s->log_target[i + g] = of_day + effect[g];
        }
    }
    free(effect);
    return BL_OK;
}

/* One number for each combination of the column's `per` columns. */
static bl_status index_rows(const synth *s, const bl_synth_decl *c, bl_err *err) {
    memset(s->index, 0, s->frame->rows * sizeof *s->index);
    for (size_t k = 0; k < c->per.n; k++) {
        bl_levels levels;
        BL_TRY(bl_levels_build(&levels, bl_frame_find(s->frame, c->per.v[k]), NULL, s->frame->rows,
                               err));
        for (size_t i = 0; i < s->frame->rows; i++)
            s->index[i] = s->index[i] * (levels.count + 1) + bl_levels_code(&levels, i);
        bl_levels_free(&levels);
    }
    return BL_OK;
}

/* The declared values with the upper ends of their shares of [0, 1). */
typedef struct choice {
    double number, upper, effect;
    uint32_t code;
} choice;

/* The caller frees the array of *count choices. Texts are added to the column's dictionary. */
static choice *weigh_choices(const synth *s, const bl_synth_decl *c, uint32_t sub,
                             bl_column *column, size_t *count) {
    *count = c->values_node != NULL ? c->values_node->count : (size_t)c->count;
    choice *all = bl_xalloc((*count + 1) * sizeof *all);
    const bl_node *value = c->values_node != NULL ? c->values_node->first : NULL;
    const bl_node *weight = c->weights_node != NULL ? c->weights_node->first : NULL;
    double sum = 0;
    for (size_t i = 0; i < *count; i++) {
        sum += weight != NULL ? weight->number : 1;
        all[i] = (choice){.number = value != NULL ? value->number : (double)(i + 1), .upper = sum};
        all[i].effect = c->effect * draw_normal(s, EFFECTS + sub, i);
        if (value != NULL && value->type == BL_NODE_STRING)
            all[i].code = bl_dict_add(&column->dict, value->string, strlen(value->string));
        value = value != NULL ? value->next : NULL;
        weight = weight != NULL ? weight->next : NULL;
    }
    for (size_t i = 0; i < *count; i++) all[i].upper /= sum;
    return all;
}

/* One of the declared values, by their weights, or all equally likely. */
static void draw_choice(const synth *s, const bl_synth_decl *c, uint32_t sub, bl_column *column) {
    size_t count;
    choice *all = weigh_choices(s, c, sub, column, &count);
    for (size_t i = 0; i < s->frame->rows; i++) {
        const bl_u32x4 r = bl_random4(s->seed, BL_STREAM_SYNTH, sub, s->index[i]);
        const double u = bl_unit_f64(r.v[0], r.v[1]);
        const bool missing = (double)bl_unit_f32(r.v[2]) < c->missing;
        size_t k = c->weights_node != NULL ? 0 : (size_t)(u * (double)count);
        while (k + 1 < count && u >= all[k].upper && c->weights_node != NULL) k++;
        if (column->type == BL_COLUMN_TEXT)
            column->code[i] = missing ? 0 : all[k].code;
        else
            column->number[i] = missing ? (double)NAN : all[k].number;
        if (!missing) s->log_target[i] += all[k].effect;
    }
    free(all);
}

/* Uniform in [low, high), in whole steps where a step is declared. */
static void draw_range(const synth *s, const bl_synth_decl *c, uint32_t sub, bl_column *column) {
    for (size_t i = 0; i < s->frame->rows; i++) {
        const bl_u32x4 r = bl_random4(s->seed, BL_STREAM_SYNTH, sub, s->index[i]);
        const double u = bl_unit_f64(r.v[0], r.v[1]);
        double x = c->low + u * (c->high - c->low);
        if (c->step > 0) x = c->low + c->step * (double)(int64_t)((x - c->low) / c->step);
        const bool missing = (double)bl_unit_f32(r.v[2]) < c->missing;
        column->number[i] = missing ? (double)NAN : x;
        if (!missing) s->log_target[i] += c->effect * (2 * u - 1);
    }
}

/* `sub`, the column's number, is its sub-stream. */
static bl_status draw_column(const synth *s, const bl_synth_decl *c, uint32_t sub, bl_err *err) {
    const bool text = c->values_node != NULL && c->values_node->first->type == BL_NODE_STRING;
    BL_TRY(index_rows(s, c, err));
    bl_column *column = add_column(s, c->name, text ? BL_COLUMN_TEXT : BL_COLUMN_NUMBER, err);
    if (column == NULL) return BL_ENOMEM;
    if (c->values_node != NULL || c->count)
        draw_choice(s, c, sub, column);
    else
        draw_range(s, c, sub, column);
    return BL_OK;
}

static bl_status draw_target(const synth *s, const char *name, bl_err *err) {
    bl_column *column = add_column(s, name, BL_COLUMN_NUMBER, err);
    if (column == NULL) return BL_ENOMEM;
    for (size_t i = 0; i < s->frame->rows; i++) {
        const double y = bl_exp64(s->log_target[i] + s->decl->noise * draw_normal(s, NOISE, i));
        const uint32_t r = bl_random_u32(s->seed, BL_STREAM_SYNTH, CLOSED, i);
        const bool closed = (double)bl_unit_f32(r) < s->decl->closed;
        column->number[i] = closed ? 0 : (double)(int64_t)(y < 1 ? 1 : y < 1e15 ? y : 1e15);
    }
    return BL_OK;
}

bl_status bl_synthesise(bl_frame *frame, const bl_manifest *m, bl_err *err) {
    const bl_synthetic_decl *d = &m->synthetic;
    int32_t first = 0, last = 0;
    (void)bl_parse_date(d->first, strlen(d->first), &first);
    (void)bl_parse_date(d->last, strlen(d->last), &last);
    *frame = (bl_frame){.rows = (size_t)(last - first + 1) * (size_t)d->groups};
    synth s = {.decl = d, .seed = (uint64_t)d->seed, .frame = frame};
    s.log_target = bl_alloc(frame->rows * sizeof *s.log_target);
    s.index = bl_alloc(frame->rows * sizeof *s.index);
    bl_status status = BL_OK;
    if (s.log_target == NULL || s.index == NULL)
        status = BL_ERR(err, BL_ENOMEM, "no memory for %zu rows", frame->rows);
    if (status == BL_OK) status = fill_grid(&s, err);
    for (size_t i = 0; i < d->columns && status == BL_OK; i++)
        status = draw_column(&s, &d->column[i], (uint32_t)i, err);
    if (status == BL_OK) status = draw_target(&s, m->target, err);
    free(s.log_target);
    free(s.index);
    return status;
}
