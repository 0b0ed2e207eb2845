/* batchlab fit FILE.csv: the critical batch sizes of any table of steps against batch size, or
 * (--times) the line and the knee of a table of times. */
#include "engine/base/file.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/report/fit_table.h"
#include "engine/report/text/times_text.h"
#include "engine/stats/loss_law.h"
#include "engine/stats/optimum.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_LIMIT = 64 << 20, BOOTSTRAP_SEED = 1 };

static const char k_notes[] =
    "Fits steps-to-target against batch size and prints every definition of the critical "
    "batch size with its interval. FILE.csv has a header and the columns batch_size and steps; "
    "seed (several rows per batch size), censored (1: the target was not reached within these "
    "steps) and steps_prev (the evaluation before) are read when present; a column target has "
    "to be the same in every row. With seconds, the time of each run, the fastest batch size is "
    "named; with cost, in any unit, the cheapest; with value, the loss after so many steps, a "
    "law of the loss is fitted.\n"
    "With --times the columns are batch_size and seconds; examples (how many passed in those "
    "seconds; without it one batch) and repeat are read when present. Fitted is the time of a "
    "step, t(B) = a + c B: its knee, the sizes with 90 and 95 % of the speed, the fastest size.\n";

/* A row of a table: the label, then the number with its interval or bound. */
static void line(bl_buf *out, const char *label, const bl_stats_value *v) {
    bl_buf_printf(out, "  %-46s ", label);
    bl_stats_value_text(out, v);
    bl_buf_str(out, "\n");
}

/* Says under the table where its intervals are from, and what >= and <= mean if one is there. */
static void explain_intervals(bl_buf *out, const bl_stats_critical *c) {
    bl_buf_str(out, "\n");
    if (c->noise == BL_STATS_NOISE_SEEDS)
        bl_buf_printf(out, "95 %% intervals; runs scatter by %.2g %%, pooled over batch sizes.\n",
                      100 * c->scatter);
    else if (c->noise == BL_STATS_NOISE_BORROWED)
        bl_buf_printf(out,
                      "95 %% intervals; runs scatter by %.2g %%, which a batch size with one run "
                      "borrows from the others.\n",
                      100 * c->scatter);
    else
        bl_buf_str(out, c->noise == BL_STATS_NOISE_NONE
                            ? "No intervals: too few repeats or batch sizes to see the scatter.\n"
                            : "95 % intervals from the deviations from the curve: one run at each "
                              "batch size.\n");
    for (int i = 0; i < BL_STATS_DEFINITION_COUNT; i++)
        if (c->of[i].known && c->of[i].bound != 0) {
            bl_buf_str(out, ">= and <= are bounds: the point lies beyond what was measured.\n");
            return;
        }
}

/* The curve's own numbers, and what single runs say of its fit. */
static void curve_words(bl_buf *out, const bl_stats_curve_fit *c) {
    bl_buf_str(out, "\ncurve, S = S_min (1 + (B_crit / B)^p)^(1/p); p = 1 is the hyperbola\n");
    line(out, "S_min, steps", &c->s_min);
    line(out, "B_crit, batch size", &c->b_crit);
    if (c->p.known)
        line(out, "p, how sharp the bend is", &c->p);
    else if (c->curve.p > 1)
        bl_buf_printf(out, "  %-46s %s\n", "p, how sharp the bend is", "a corner");
    if (bl_stats_has_interval(&c->rms)) {
        const bl_stats_value percent = bl_stats_scaled(c->rms, 100);
        line(out, "deviations of the runs, %", &percent);
    }
}

static void segments_words(bl_buf *out, const bl_stats_segments_fit *g) {
    bl_buf_str(out, "\nthree straight segments, slope -1, then free, then 0\n");
    line(out, "E_min, examples: the line is S = E_min / B", &g->examples);
    line(out, "S_min, steps: the floor", &g->s_min);
    line(out, "slope between the knees", &g->slope);
    line(out, "lower knee, batch size", &g->knee_low);
    line(out, "upper knee, batch size", &g->knee_high);
}

static void definitions_words(bl_buf *out, const bl_stats_critical *c) {
    static const char *const labels[] = {
        [BL_STATS_B_CRIT] = "critical (E_min / S_min)",
        [BL_STATS_EFFICIENCY_50] = "half the efficiency of small batches",
        [BL_STATS_OVERHEAD_20] = "20 % more steps than perfect scaling",
        [BL_STATS_PERFECT_END] = "end of perfect scaling (10 % more)",
        [BL_STATS_MAX_USEFUL] = "maximum useful (steps within 10 % of S_min)",
        [BL_STATS_OVERHEAD_20_FROM] = "20 % more than from the smallest size (Zhang)"};
    _Static_assert(BL_COUNT(labels) == BL_STATS_DEFINITION_COUNT, "a label for each");
    bl_buf_str(out, "\ncritical batch size\n");
    if (c->corner) {
        line(out, "a corner: fewer steps up to it, none beyond", &c->of[BL_STATS_B_CRIT]);
        return;
    }
    for (int i = 0; i < BL_STATS_DEFINITION_COUNT; i++) line(out, labels[i], &c->of[i]);
}

static bool any_answer(const bl_stats_critical *c) {
    for (int i = 0; i < BL_STATS_DEFINITION_COUNT; i++)
        if (c->of[i].known) return true;
    return false;
}

/* ---- what the rows themselves say ---- */

/* The batch sizes of some runs, and which of them cost least: steps, and examples as a resource. */
typedef struct optima {
    bl_stats_cost_input *in;
    bl_stats_cost_row *rows;
    size_t sizes;
    bl_stats_optimum best[BL_STATS_GOAL_COUNT];
} optima;

static void optima_free(optima *o) {
    free(o->in);
    free(o->rows);
}

/* Sorts `points`. */
static bl_status find_optima(optima *o, bl_stats_point *points, size_t n, bl_err *err) {
    const bl_stats_options options = {.seed = BOOTSTRAP_SEED, .replicates = BL_STATS_REPLICATES};
    *o = (optima){.in = bl_xalloc((n + 1) * sizeof *o->in),
                  .rows = bl_xalloc((n + 1) * sizeof *o->rows)};
    o->sizes = bl_stats_cost_inputs(o->in, points, n);
    for (size_t i = 0; i < o->sizes; i++)
        o->in[i].step_resource = bl_stats_exact(o->in[i].batch_size);
    return bl_stats_costs(o->rows, o->best, o->in, o->sizes, &options, err);
}

/* The winner and its ties, in one line. `unit`: NULL for none. */
static void least_words(bl_buf *out, const optima *o, bl_stats_goal goal, const char *what,
                        const char *unit) {
    const bl_stats_optimum *best = &o->best[goal];
    if (!best->known) return;
    bl_buf_printf(out, "%s: batch size ", what);
    bl_format_count(out, o->in[best->index].batch_size);
    bl_buf_str(out, ", ");
    bl_stats_value_text(out, &o->rows[best->index].cost[goal]);
    if (unit != NULL) bl_buf_printf(out, " %s", unit);
    for (size_t i = 0, said = 0; i < o->sizes; i++)
        if (o->rows[i].tied[goal]) {
            bl_buf_str(out, said++ == 0 ? "; not told apart from it: " : ", ");
            bl_format_count(out, o->in[i].batch_size);
        }
    bl_buf_str(out, "\n");
}

/* What a run takes in all, from a column (count), stands in for its steps. Without the column there
 * is no winner. */
static bl_status find_least(optima *o, const bl_fit_table *t, const double *column, bl_err *err) {
    *o = (optima){0};
    if (column == NULL) return BL_OK;
    bl_stats_point *points = bl_xalloc((t->count + 1) * sizeof *points);
    for (size_t i = 0; i < t->count; i++) {
        points[i] = t->points[i];
        points[i].steps = column[i];
        points[i].steps_prev = 0;
    }
    const bl_status status = find_optima(o, points, t->count, err);
    free(points);
    return status;
}

/* Who wins by the rows themselves: by steps, and by what the columns seconds and cost say. */
typedef struct winners {
    bl_stats_point *points; /* of by_steps, in order of size */
    optima by_steps, by_seconds, by_cost;
} winners;

static void winners_free(winners *w) {
    optima_free(&w->by_steps);
    optima_free(&w->by_seconds);
    optima_free(&w->by_cost);
    free(w->points);
}

static bl_status find_winners(winners *w, const bl_fit_table *t, bl_err *err) {
    *w = (winners){.points = bl_xalloc((t->count + 1) * sizeof *w->points)};
    memcpy(w->points, t->points, t->count * sizeof *w->points);
    BL_TRY(find_optima(&w->by_steps, w->points, t->count, err));
    BL_TRY(find_least(&w->by_seconds, t, t->seconds, err));
    return find_least(&w->by_cost, t, t->cost, err);
}

/* A run costs at least its examples, so those are said with and without costs. */
static void winners_words(bl_buf *out, const winners *w) {
    least_words(out, &w->by_steps, BL_STATS_FEWEST_STEPS, "fewest steps", "steps");
    least_words(out, &w->by_seconds, BL_STATS_FEWEST_STEPS, "fastest", "seconds");
    least_words(out, &w->by_cost, BL_STATS_FEWEST_STEPS, "cheapest", NULL);
    least_words(out, &w->by_steps, BL_STATS_CHEAPEST, "cheapest, in examples", "examples");
}

/* Nothing where the table has no such column; null within where it decides nothing. */
static void least_json(bl_jw *w, const char *key, const optima *o) {
    const bl_stats_optimum *best = &o->best[BL_STATS_FEWEST_STEPS];
    if (o->in == NULL) return;
    bl_jw_object(w, key);
    bl_jw_f64_rounded(w, "batch_size", best->known ? o->in[best->index].batch_size : (double)NAN);
    const bl_stats_value none = bl_stats_unknown();
    bl_stats_value_json(w, "least",
                        best->known ? &o->rows[best->index].cost[BL_STATS_FEWEST_STEPS] : &none);
    bl_jw_array(w, "tied");
    for (size_t i = 0; i < o->sizes; i++)
        if (o->rows[i].tied[BL_STATS_FEWEST_STEPS]) bl_jw_f64_rounded(w, NULL, o->in[i].batch_size);
    bl_jw_end(w);
    bl_jw_end(w);
}

/* The table's size, its best batch sizes, the verdict, what the answer rests on, every definition.
 */
static void in_words(bl_buf *out, const char *name, const bl_stats_critical *c, const winners *w) {
    bl_buf_printf(out, "%s: %zu run%s at %zu batch size%s", name, c->points,
                  c->points == 1 ? "" : "s", c->batch_sizes, c->batch_sizes == 1 ? "" : "s");
    if (c->censored > 0) bl_buf_printf(out, ", %zu of them censored", c->censored);
    bl_buf_str(out, "\n");
    winners_words(out, w);
    bl_buf_printf(out, "\n%s\n", c->verdict);
    if (c->source == BL_STATS_BY_CURVE) curve_words(out, &c->curve);
    if (c->source == BL_STATS_BY_SEGMENTS) segments_words(out, &c->segments);
    if (c->source == BL_STATS_BY_NOTHING) return;
    definitions_words(out, c);
    explain_intervals(out, c);
}

/* The law of the loss, where the table has losses. */
static bool loss_law(bl_stats_loss_law *law, const bl_fit_table *t) {
    if (t->value == NULL) return false;
    double *sizes = bl_xalloc(2 * t->count * sizeof *sizes), *steps = sizes + t->count;
    for (size_t i = 0; i < t->count; i++) {
        sizes[i] = t->points[i].batch_size;
        steps[i] = t->points[i].steps;
    }
    const bool fitted = bl_stats_fit_loss_law(law, sizes, steps, t->value, t->count);
    free(sizes);
    return fitted;
}

static void loss_words(bl_buf *out, const bl_stats_loss_law *law) {
    bl_buf_printf(out,
                  "\nloss after K steps with batch size M, L = E + p/M^beta + q/K^gamma\n"
                  "  E %.3g, p %.3g, beta %.3g, q %.3g, gamma %.3g; the losses lie %.2g %% off\n",
                  law->e, law->p, law->beta, law->q, law->gamma, 100 * law->rms);
}

static void loss_json(bl_jw *w, const bl_stats_loss_law *law) {
    bl_jw_object(w, "loss_law");
    bl_jw_f64_rounded(w, "e", law->e);
    bl_jw_f64_rounded(w, "p", law->p);
    bl_jw_f64_rounded(w, "beta", law->beta);
    bl_jw_f64_rounded(w, "q", law->q);
    bl_jw_f64_rounded(w, "gamma", law->gamma);
    bl_jw_f64_rounded(w, "rms", law->rms);
    bl_jw_end(w);
}

/* Does the table hold one run a row? A loss at several numbers of steps of one run is none. */
static bool holds_runs(const bl_fit_table *t) {
    for (size_t i = 0; i < t->count && t->value != NULL; i++)
        for (size_t k = 0; k < i; k++)
            if (t->points[i].batch_size == t->points[k].batch_size &&
                t->points[i].seed == t->points[k].seed)
                return false;
    return true;
}

static bl_status read_table(bl_fit_table *table, bl_fit_kind kind, const char *path, bl_err *err) {
    bl_buf text = {0};
    bl_status status = bl_file_read(&text, path, SIZE_LIMIT, err);
    if (status == BL_OK)
        status = bl_fit_table_parse(table, kind, bl_buf_text(&text), text.len, path, err);
    bl_buf_free(&text);
    return status;
}

static int print(const bl_buf *out) {
    bl_cli_print(stdout, bl_buf_text(out));
    if (fflush(stdout) == 0 && !ferror(stdout)) return BL_EXIT_DONE;
    bl_cli_printf(stderr, "batchlab fit: cannot write to standard output\n");
    return BL_EXIT_IO;
}

enum { TIMES, SIZES, SEGMENTS, JSON, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [TIMES] = {"--times", NULL, NULL, "a table of times: batch_size, seconds, examples, repeat"},
    [SIZES] = {"--sizes", NULL, "LIST", "with --times: are these, such as 128,256, faster than the others"},
    [SEGMENTS] = {"--segments", NULL, NULL, "critical sizes by three straight segments, not by one curve"},
    [JSON] = {"--json", NULL, NULL, "one JSON object instead of words; null is unknown or unbounded"},
};
// clang-format on

/* Everything that the table says; *known: it holds an answer. */
static bl_status answer(bl_buf *out, const bl_args *args, bool *known, bl_err *err) {
    const char *path = args->operand;
    const bool json = bl_args_has(args, JSON);
    bl_fit_table table = {0};
    bl_stats_critical c;
    bl_stats_loss_law law;
    winners won = {0};
    bl_status status = BL_OK;
    BL_GOTO(read_table(&table, BL_FIT_STEPS, path, err));
    const bl_stats_options options = {
        .seed = BOOTSTRAP_SEED,
        .replicates = BL_STATS_REPLICATES,
        .scaling = bl_args_has(args, SEGMENTS) ? BL_STATS_SCALING_SEGMENTS : BL_STATS_SCALING_AUTO};
    const bool runs = holds_runs(&table), has_law = loss_law(&law, &table);
    BL_GOTO(bl_stats_critical_fit(&c, table.points, runs ? table.count : 0, &options, err));
    if (runs) BL_GOTO(find_winners(&won, &table, err));
    *known = any_answer(&c) || has_law;
    if (json) {
        bl_jw w = bl_jw_open(out);
        bl_jw_object(&w, NULL);
        bl_stats_fit_members(&w, &c);
        least_json(&w, "fastest", &won.by_seconds);
        least_json(&w, "cheapest", &won.by_cost);
        if (has_law) loss_json(&w, &law);
        bl_jw_end(&w);
        bl_jw_line(&w);
        goto done;
    }
    if (runs)
        in_words(out, path, &c, &won);
    else
        bl_buf_printf(out, "%s: %zu losses\n", path, table.count);
    if (has_law) loss_words(out, &law);
    if (table.value != NULL && !has_law)
        bl_buf_str(out, "\nvalue: too few losses above 0 for a law of the loss (7 points, 3 batch "
                        "sizes, 3 numbers of steps)\n");
    bl_buf_printf(out, "columns read: %s\n", bl_buf_text(&table.found));
done:
    winners_free(&won);
    bl_fit_table_free(&table);
    return status;
}

/* Marks the sizes of "128,256"; each has to be in the table. */
static bl_status read_named(bool *named, const char *list, const bl_stats_step_size *size, size_t n,
                            bl_err *err) {
    const char *at = list;
    for (;;) {
        char *end;
        size_t i = 0;
        const double wanted = strtod(at, &end);
        if (end == at || (*end != ',' && *end != '\0'))
            BL_FAIL(err, BL_EINVAL, "--sizes %s: expected batch sizes such as 128,256", list);
        while (i < n && size[i].batch_size != wanted) i++;
        if (i == n)
            BL_FAIL(err, BL_EINVAL, "--sizes %s: the table has no batch size %.*s", list,
                    (int)(end - at), at);
        named[i] = true;
        if (*end == '\0') return BL_OK;
        at = end + 1;
    }
}

static void times_json(bl_buf *out, const bl_stats_step_size *size, size_t n, const bool *named) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_times_json(&w, size, n);
    if (named != NULL) bl_times_named_json(&w, size, n, named);
    bl_jw_end(&w);
    bl_jw_line(&w);
}

/* The same of a table of times: two batch sizes are an answer. */
static bl_status answer_times(bl_buf *out, const bl_args *args, bool *known, bl_err *err) {
    const char *path = args->operand, *sizes = args->value[SIZES];
    bl_fit_table table = {0};
    BL_TRY(read_table(&table, BL_FIT_TIMES, path, err));
    bl_stats_step_size *size = bl_xalloc(table.count * sizeof *size);
    double *seconds = bl_xalloc(table.count * sizeof *seconds);
    bool *named = sizes != NULL ? bl_xalloc(table.count * sizeof *named) : NULL;
    const size_t n = bl_fit_table_sizes(&table, size, seconds);
    bl_status status = BL_OK;
    if (named != NULL) BL_GOTO(read_named(named, sizes, size, n, err));
    *known = n > 1;
    if (bl_args_has(args, JSON)) {
        times_json(out, size, n, named);
        goto done;
    }
    bl_buf_printf(out, "%s: %zu time%s of %zu batch size%s\n", path, table.count,
                  table.count == 1 ? "" : "s", n, n == 1 ? "" : "s");
    bl_times_words(out, size, n);
    if (named != NULL) bl_times_named_words(out, size, n, named);
    bl_buf_str(out, "\n");
    bl_times_table(out, size, n);
    bl_buf_printf(out, "\ncolumns read: %s\n", bl_buf_text(&table.found));
done:
    free(named);
    free(size);
    free(seconds);
    bl_fit_table_free(&table);
    return status;
}

/* A fault in the file is 2, a file that cannot be read 74. A fit that finds no critical batch size
 * is printed all the same and ends with 5. */
static int fit(const bl_args *args) {
    bl_err err = {0};
    bl_buf out = {0};
    bool known = false;
    if (args->value[SIZES] != NULL && !bl_args_has(args, TIMES))
        return bl_cli_usage(args, "--sizes is about times per step: it needs --times");
    const bl_status status = bl_args_has(args, TIMES) ? answer_times(&out, args, &known, &err)
                                                      : answer(&out, args, &known, &err);
    if (status != BL_OK) {
        bl_buf_free(&out);
        bl_cli_printf(stderr, "batchlab fit: %s\n", err.text);
        return status == BL_EIO || status == BL_EMISSING ? BL_EXIT_IO : BL_EXIT_USAGE;
    }
    const int code = print(&out);
    bl_buf_free(&out);
    return code != BL_EXIT_DONE || known ? code : BL_EXIT_NO_ANSWER;
}

const bl_command bl_cmd_fit = {
    .name = "fit",
    .does = "critical batch sizes of any table of steps; speed of one of times",
    .arguments = "FILE.csv [--times [--sizes LIST]] [--segments] [--json]",
    .group = BL_GROUP_ANSWER,
    .sentence = "Computes every definition of the critical batch size, with its interval, from any "
                "table of steps against batch sizes.",
    .notes = k_notes,
    .example = "batchlab fit steps.csv",
    .shows = "steps.csv: 5 runs at 5 batch sizes\n"
             "fewest steps: batch size 256, 41 steps\n"
             "cheapest, in examples: batch size 1, 1,790 examples\n"
             "...\n",
    .exits = {{BL_EXIT_USAGE, "a bad table, or wrong usage"},
              {BL_EXIT_NO_ANSWER, "these data hold no answer"}},
    .operand = BL_OPERAND_TABLE,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = fit,
};
