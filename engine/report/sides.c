/* Reads two answers and holds them against each other.
 *
 * The ratios of steps at n batch sizes are n comparisons. Their intervals are made wider by
 * Bonferroni's factor, so that all of them hold together at 95 %. The same goes for times. Both
 * sweeps may have used the same seeds, which makes their runs more alike; the intervals take them
 * for independent and are then too wide, never too narrow. */
#include "engine/report/sides.h"
#include "engine/base/mem.h"
#include "engine/stats/distributions.h"
#include <math.h>
#include <string.h>

/* ---- reading ---- */

static bl_stats_value value_of(const bl_json *object, const char *key) {
    const bl_json *v = bl_json_get(object, key);
    bl_stats_value out = bl_stats_unknown();
    out.value = bl_json_number(v, "value", (double)NAN);
    out.known = !isnan(out.value);
    out.low = bl_json_number(v, "low", (double)NAN);
    out.high = bl_json_number(v, "high", isnan(out.low) ? (double)NAN : HUGE_VAL);
    out.bound = (int)bl_json_int(v, "bound", 0);
    return out;
}

static int by_size(const void *a, const void *b) {
    const bl_side_size *x = a, *y = b;
    return (x->batch_size > y->batch_size) - (x->batch_size < y->batch_size);
}

static void read_sizes(bl_side *side, const bl_json *list) {
    side->sizes = bl_xalloc((list != NULL ? list->count + 1 : 1) * sizeof *side->sizes);
    for (const bl_json *s = list != NULL ? list->first : NULL; s != NULL; s = s->next)
        side->sizes[side->count++] =
            (bl_side_size){.batch_size = bl_json_number(s, "batch_size", 0),
                           .learning_rate = bl_json_number(s, "learning_rate", (double)NAN),
                           .bracketed = bl_json_bool(s, "bracketed", true),
                           .steps = value_of(s, "steps"),
                           .seconds = value_of(s, "seconds")};
    qsort(side->sizes, side->count, sizeof *side->sizes, by_size);
}

/* The curve that the critical batch size is read from. Where that rests on three segments, the
 * curve says another number and is left out. p that is not known is that of a corner, but for three
 * batch sizes, where it is written as 1. */
static void read_curve(bl_side *side, const bl_json *target) {
    const bl_json *curve = bl_json_get(target, "curve");
    const bl_stats_value s_min = value_of(curve, "s_min"), b_crit = value_of(curve, "b_crit");
    const bl_stats_value p = value_of(curve, "p");
    const bl_stats_value *answer = &side->critical[BL_STATS_B_CRIT];
    const bool rests = s_min.known && b_crit.known && answer->known && answer->bound == 0 &&
                       b_crit.value == answer->value;
    side->curve = (bl_stats_curve){.s_min = rests ? s_min.value : (double)NAN,
                                   .b_crit = b_crit.value,
                                   .p = p.known ? p.value : BL_STATS_SHAPE_MOST};
}

bl_status bl_sides_read(bl_sides *sides, int which, const char *name, const char *json, size_t n,
                        bl_err *err) {
    bl_side *side = &sides->side[which];
    side->name = name;
    BL_TRY(bl_json_parse(&side->doc, json, n, name, 1, err));
    const bl_json *root = side->doc.root;
    side->experiment = bl_json_text(root, "experiment", NULL);
    if (side->experiment == NULL || bl_json_get(root, "batch_sizes") == NULL)
        BL_FAIL(err, BL_EFORMAT, "%s: this is no recommendation.json", name);
    side->preset = bl_json_text(root, "preset", "");
    side->series = bl_json_text(root, "main_series", "");
    side->metric = bl_json_text(root, "metric", "");
    side->dataset = bl_json_text(root, "dataset", "");
    side->variant = bl_json_text(root, "variant", "");
    side->synthetic = bl_json_bool(root, "synthetic", false);
    side->target = bl_json_number(root, "target", (double)NAN);
    return BL_OK;
}

/* ---- the same question ---- */

static const char *differs(const bl_side *a, const bl_side *b) {
    if (strcmp(a->dataset, b->dataset) != 0 || strcmp(a->variant, b->variant) != 0 ||
        a->synthetic != b->synthetic)
        return "data";
    return strcmp(a->metric, b->metric) != 0 ? "metric" : NULL;
}

/* The part of the answer that is about a target; NULL: the sweep did not have it. */
static const bl_json *part_of(const bl_side *side, double target) {
    const bl_json *root = side->doc.root, *easier = bl_json_get(root, "easier_targets");
    if (side->target == target) return root;
    for (const bl_json *t = easier != NULL ? easier->first : NULL; t != NULL; t = t->next)
        if (bl_json_number(t, "target", (double)NAN) == target) return t;
    return NULL;
}

/* The hardest target that both have; NAN without one. */
static double common_target(const bl_side *a, const bl_side *b) {
    double best = part_of(b, a->target) != NULL ? a->target : (double)NAN;
    const bl_json *easier = bl_json_get(a->doc.root, "easier_targets");
    for (const bl_json *t = easier != NULL ? easier->first : NULL; t != NULL; t = t->next) {
        const double target = bl_json_number(t, "target", (double)NAN);
        if (part_of(b, target) != NULL && !(target >= best)) best = target;
    }
    return best;
}

static void read_target(bl_side *side, double target) {
    const bl_json *part = part_of(side, target);
    if (part == NULL) part = side->doc.root;
    for (int d = 0; d < BL_STATS_DEFINITION_COUNT; d++)
        side->critical[d] = value_of(bl_json_get(part, "critical"),
                                     bl_stats_definition_name((bl_stats_definition)d));
    read_sizes(side, bl_json_get(part, "batch_sizes"));
    read_curve(side, part);
    if (!isnan(target)) side->target = target;
}

/* ---- ratios ---- */

static void widen(bl_stats_value *v, double factor) {
    if (!bl_stats_has_interval(v)) return;
    v->low = v->low > 0 ? v->value * exp(factor * log(v->low / v->value)) : 0;
    v->high = isfinite(v->high) ? v->value * exp(factor * log(v->high / v->value)) : HUGE_VAL;
}

/* By how much the intervals of n comparisons are wider than that of one (Bonferroni). */
static double together(size_t n) {
    const double miss = (1 - BL_STATS_LEVEL) / 2;
    return n < 2 ? 1
                 : bl_stats_normal_quantile(1 - miss / (double)n) /
                       bl_stats_normal_quantile(1 - miss);
}

static bl_stats_value ratio(const bl_stats_value *a, const bl_stats_value *b) {
    if (!a->known || !b->known || !(a->value > 0) || !(b->value > 0)) return bl_stats_unknown();
    return bl_stats_ratio_of(a, b, 2);
}

static void judge_rows(bl_sides *sides) {
    size_t steps = 0, seconds = 0;
    for (size_t i = 0; i < sides->row_count; i++) {
        bl_sides_row *r = &sides->rows[i];
        r->steps = r->seconds = bl_stats_unknown();
        if (!sides->comparable) continue;
        r->steps = ratio(&r->of[0].steps, &r->of[1].steps);
        r->seconds = ratio(&r->of[0].seconds, &r->of[1].seconds);
        steps += bl_stats_has_interval(&r->steps);
        seconds += bl_stats_has_interval(&r->seconds);
    }
    for (size_t i = 0; i < sides->row_count; i++) {
        widen(&sides->rows[i].steps, together(steps));
        widen(&sides->rows[i].seconds, together(seconds));
    }
}

static bl_side_size no_size(void) {
    return (bl_side_size){.batch_size = (double)NAN,
                          .learning_rate = (double)NAN,
                          .bracketed = true,
                          .steps = bl_stats_unknown(),
                          .seconds = bl_stats_unknown()};
}

/* Every batch size of either side, in order. */
static void merge_rows(bl_sides *sides) {
    const bl_side *a = &sides->side[0], *b = &sides->side[1];
    sides->rows = bl_xalloc((a->count + b->count + 1) * sizeof *sides->rows);
    for (size_t i = 0, k = 0; i < a->count || k < b->count;) {
        const double x = i < a->count ? a->sizes[i].batch_size : HUGE_VAL;
        const double y = k < b->count ? b->sizes[k].batch_size : HUGE_VAL;
        bl_sides_row *r = &sides->rows[sides->row_count++];
        *r = (bl_sides_row){
            .batch_size = fmin(x, y), .of = {no_size(), no_size()}
        };
        if (x <= y) r->of[0] = a->sizes[i++];
        if (y <= x) r->of[1] = b->sizes[k++];
    }
}

bl_status bl_sides_join(bl_sides *sides, bl_err *err) {
    bl_side *a = &sides->side[0], *b = &sides->side[1];
    if (a->doc.root == NULL || b->doc.root == NULL)
        BL_FAIL(err, BL_EINVAL, "two answers are needed");
    sides->apart = differs(a, b);
    const double target = sides->apart == NULL ? common_target(a, b) : (double)NAN;
    if (sides->apart == NULL && isnan(target)) sides->apart = "target";
    sides->comparable = sides->apart == NULL;
    read_target(a, target);
    read_target(b, target);
    merge_rows(sides);
    judge_rows(sides);
    for (int d = 0; d < BL_STATS_DEFINITION_COUNT; d++)
        sides->critical[d] = ratio(&a->critical[d], &b->critical[d]);
    return BL_OK;
}

void bl_sides_free(bl_sides *sides) {
    for (int i = 0; i < 2; i++) {
        bl_json_free(&sides->side[i].doc);
        free(sides->side[i].sizes);
    }
    free(sides->rows);
    *sides = (bl_sides){0};
}
