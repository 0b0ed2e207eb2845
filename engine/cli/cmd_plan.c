/* batchlab plan NAME: the sweep as far as it is decided, as a tree of rounds, runs and decisions.
 */
#include "engine/base/clock.h"
#include "engine/base/gzip.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/cli/progress.h"
#include "engine/cli/trials.h"
#include "engine/config/set_notes.h"
#include "engine/plan/plan_tree.h"
#include "engine/sweep/active_trial.h"
#include "engine/sweep/stop_rule.h"
#include "engine/sweep/trainer.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { JSON, PRESET, SET, SYNTHETIC, DEVICE, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [JSON]      = {"--json",      NULL, NULL,        "one JSON object per round, trial and decision"},
    [PRESET]    = {"--preset",    NULL, "NAME",      "tiny, quick (default) or paper, as the experiment declares"},
    [SET]       = {"--set",       NULL, "KEY=VALUE", "change one key; may be repeated", .repeats = true},
    [SYNTHETIC] = {"--synthetic", NULL, NULL,        "plan on generated data"},
    [DEVICE]    = {"--device",    NULL, "NAME",      "show the runs for this GPU (only with numerics = device): cuda, cuda:1"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

typedef struct plan_view {
    const bl_experiment *e;
    bl_plan_tree tree;
} plan_view;

/* ---- how long ---- */

/* What runs of a batch size have taken so far. */
typedef struct pace {
    int64_t batch_size;
    double seconds, examples;
} pace;

/* A stretch of a run's timing: from a step to another, in so many seconds. */
static bl_status add_stretch(void *ctx, const bl_jsonl_line *line, bl_err *err) {
    pace *p = ctx;
    const int64_t from = bl_json_int(line->value, "from", 0);
    (void)err;
    p->seconds += bl_json_number(line->value, "seconds", 0);
    p->examples += (double)(p->batch_size * (bl_json_int(line->value, "step", 0) - from));
    return BL_OK;
}

/* Adds what a run's timing says: seconds and the examples they took. */
static void add_timing(const bl_store *store, const char *id, int64_t batch_size, double *seconds,
                       double *examples) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_err ignored;
    pace p = {.batch_size = batch_size};
    bl_status status = bl_path(path, &ignored, "%s/%s/timing.jsonl.gz", store->dir, id);
    if (status == BL_OK) status = bl_runlog_read(&text, path, &ignored);
    if (status == BL_OK)
        status = bl_jsonl_each(bl_buf_text(&text), text.len, path, add_stretch, &p, &ignored);
    (void)status; /* no file, or one that ends early: it counts as far as it goes */
    *seconds += p.seconds;
    *examples += p.examples;
    bl_buf_free(&text);
}

/* Seconds of an example at the batch size, from the runs of the tree that are done: of this size,
 * or of any while there is none. */
static double example_seconds(const plan_view *v, int64_t batch_size) {
    enum { ENOUGH = 3 };
    double seconds[2] = {0}, examples[2] = {0};
    size_t runs[2] = {0};
    for (size_t i = 0; i < v->tree.count; i++)
        for (size_t k = 0; k < v->tree.rounds[i].run_count; k++) {
            const bl_plan_tree_run *r = &v->tree.rounds[i].runs[k];
            const size_t of = r->batch_size == batch_size ? 0 : 1;
            if (!bl_plan_tree_is_done(r) || runs[of] == ENOUGH) continue;
            add_timing(&v->e->store, r->id, r->batch_size, &seconds[of], &examples[of]);
            runs[of]++;
        }
    const size_t of = examples[0] > 0 ? 0 : 1;
    return examples[of] > 0 ? seconds[of] / examples[of] : (double)NAN;
}

/* Seconds left of each run that is not done. */
static void estimate(plan_view *v) {
    for (size_t i = 0; i < v->tree.count; i++)
        for (size_t k = 0; k < v->tree.rounds[i].run_count; k++) {
            bl_plan_tree_run *r = &v->tree.rounds[i].runs[k];
            if (bl_plan_tree_is_done(r)) continue;
            r->seconds_left = (double)(r->max_steps - r->steps) * (double)r->batch_size *
                              example_seconds(v, r->batch_size);
        }
}

/* ---- state ---- */

/* A run that was begun has a part of a log. */
static bool interrupted(const bl_experiment *e, const char *id) {
    char path[BL_PATH];
    return bl_path(path, NULL, "%s/%s/log.jsonl.part", e->store.dir, id) == BL_OK &&
           bl_file_exists(path);
}

/* The evaluations of a published prefix, in answer->eval. */
static bl_plan_tree_state load_evals(const bl_experiment *e, const char *id,
                                     bl_trial_result *answer) {
    bl_err ignored;
    bl_stored run;
    const bl_status status = bl_store_load(&e->store, id, &run, &ignored);
    const bool done = status == BL_OK && run.done, damaged = status == BL_OK && run.damaged;
    if (done) {
        answer->evals = run.parsed.evals;
        answer->eval = bl_xalloc((run.parsed.evals + 1) * sizeof *answer->eval);
        for (size_t i = 0; i < run.parsed.evals; i++)
            answer->eval[i] = bl_stop_eval_of(&run.parsed.eval[i]);
        answer->steps = run.steps;
    }
    bl_stored_free(&run);
    if (done) return BL_PLAN_TREE_DONE;
    if (damaged) return BL_PLAN_TREE_DAMAGED;
    return interrupted(e, id) ? BL_PLAN_TREE_INTERRUPTED : BL_PLAN_TREE_TO_DO;
}

/* Fewest steps to target of the round's race, as far as its runs are there. */
static int64_t race_best(const bl_round *round, const bl_trial_result *results) {
    int64_t best = 0;
    for (size_t i = 0; i < round->count && round->race; i++) {
        const bl_trial_result *a = &results[i];
        const size_t hit =
            bl_stop_first_hit(a->eval, a->evals, round->trial[i].target, round->trial[i].max_steps);
        if (hit != SIZE_MAX && (best == 0 || a->eval[hit].step < best)) best = a->eval[hit].step;
    }
    return best;
}

/* One trial with what the store has of it. *result gets its evaluations. */
static void take_trial(const plan_view *v, const bl_trial *t, bl_plan_tree_run *r,
                       bl_trial_result *result) {
    bl_err ignored;
    bl_config config;
    const bl_scheduler lookup = bl_experiment_lookup(v->e);
    bl_trial_resolve(t, &config);
    *r = (bl_plan_tree_run){.batch_size = t->batch_size,
                            .seed = t->seed,
                            .learning_rate = t->learning_rate,
                            .max_steps = t->max_steps,
                            .seconds_left = (double)NAN};
    memcpy(r->reason, t->reason, sizeof r->reason);
    /* What cannot be read has the id that it would begin with. */
    (void)!bl_active_trial_run(r->id, &lookup, t, &ignored);
    r->state = load_evals(v->e, r->id, result);
    r->steps = result->steps;
    if (bl_trainer_memory(&lookup, &config, &r->memory_bytes, &ignored) != BL_OK)
        r->memory_bytes = 0;
}

/* A round as the planner asked for it: its runs go into the tree with their state in the store. */
static void take_round(void *ctx, const bl_round *round) {
    plan_view *v = ctx;
    bl_plan_tree_round *r = bl_plan_tree_add(&v->tree, round->title, round->count);
    r->race = round->race;
    r->slack = round->slack;
    bl_trial_result *results = bl_xalloc((round->count + 1) * sizeof *results);
    for (size_t i = 0; i < round->count; i++)
        take_trial(v, &round->trial[i], &r->runs[i], &results[i]);
    const int64_t best = race_best(round, results);
    for (size_t i = 0; i < round->count; i++) {
        bl_plan_tree_run *run = &r->runs[i];
        bl_trial_result *found = &results[i];
        if (run->state != BL_PLAN_TREE_DONE) continue;
        if (bl_stop_needs_more(&round->trial[i], found->eval, found->evals, round->slack, best)) {
            run->state = BL_PLAN_TREE_TO_EXTEND;
            continue;
        }
        bl_stop_apply(&round->trial[i], round->slack, best, found);
        run->outcome = found->outcome;
        run->steps = found->steps;
    }
    bl_round_results_free(results, round->count);
    free(results);
}

static void take_decision(void *ctx, const char *text) {
    plan_view *v = ctx;
    bl_plan_tree_decide(&v->tree, text);
}

/* ---- the command ---- */

/* The tree in words, what is left to do, and what the plan waits for; `waiting` NULL: for nothing.
 */
static void print_tree(const plan_view *v, const char *waiting) {
    const bl_experiment *e = v->e;
    const bl_plan_tree_sum t = bl_plan_tree_totals(&v->tree);
    bl_buf out = {0};
    bl_experiment_data_words(&out, e);
    bl_buf_str(&out, "\n");
    bl_plan_tree_text(&v->tree, &out);
    bl_cli_printf(stdout, "%s%s%s, ", e->config.name,
                  e->config.preset[0] != '\0' ? ", preset " : "", e->config.preset);
    bl_cli_print(stdout, bl_buf_text(&out));
    bl_buf_free(&out);
    bl_cli_printf(stdout, "%zu trial%s answered in %zu round%s", t.done, t.done == 1 ? "" : "s",
                  v->tree.count, v->tree.count == 1 ? "" : "s");
    if (waiting == NULL) {
        bl_cli_printf(stdout, "; the sweep is complete.\n");
        return;
    }
    if (t.left > 0) bl_cli_printf(stdout, ", %zu to do", t.left);
    if (t.left > 0 && !isnan(t.seconds_left)) {
        char time[32];
        bl_clock_span(time, fmax(1.0, t.seconds_left));
        bl_cli_printf(stdout, " in at most %s of one core", time);
    }
    bl_cli_printf(stdout, "; what follows depends on %s.\n", waiting);
}

/* Runs the script on a store that only answers. The sweep ends with BL_EMISSING where the script
 * needs a result that is not there: what was collected until then is the tree to show. */
static bl_status show_plan(bl_experiment *e, bool json, bl_err *err) {
    plan_view view = {.e = e};
    const bl_scheduler scheduler = bl_experiment_lookup(e);
    const bl_sweep_options options = {.script = e->script,
                                      .library_dir = bl_cli_lua_dir(),
                                      .round = take_round,
                                      .decision = take_decision,
                                      .ctx = &view};
    bl_sweep_totals totals;
    const bl_status status = bl_sweep_run(&e->config, &scheduler, &options, &totals, err);
    if (status == BL_OK || status == BL_EMISSING) {
        const bool runs = bl_plan_tree_totals(&view.tree).left > 0;
        estimate(&view);
        bl_buf out = {0};
        if (json) {
            bl_plan_tree_json(&view.tree, &out);
            bl_cli_printf(stdout, "%s", bl_buf_text(&out));
        } else {
            print_tree(&view, status == BL_OK ? NULL
                              : runs          ? "them"
                                              : "times per step, measured when it runs");
        }
        bl_buf_free(&out);
    }
    bl_plan_tree_free(&view.tree);
    return status == BL_EMISSING ? BL_OK : status;
}

/* To stderr: stdout may be one JSON object. */
static void say(void *ctx, const char *line) {
    (void)ctx;
    bl_cli_print(stderr, line);
    (void)fputs("\n", stderr);
}

static int show(const bl_args *args) {
    bl_err err = {0};
    bl_experiment e = {0};
    const int rc = bl_experiment_begin(&e, args, args->value[PRESET], bl_args_has(args, SYNTHETIC),
                                       args->value[DEVICE]);
    if (rc >= 0) return rc;
    bl_config_set_notes(&e.config, args->set, args->sets, say, NULL);
    const bl_status status = show_plan(&e, bl_args_has(args, JSON), &err);
    bl_experiment_close(&e);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}

const bl_command bl_cmd_plan = {
    .name = "plan",
    .does = "the trials in order of decision, with state and memory",
    .arguments = "NAME [--json] [--preset NAME] [--set KEY=VALUE]",
    .group = BL_GROUP_SWEEP,
    .sentence = "Shows the runs of a sweep in the order in which they are decided, each with its "
                "id, state and reason.",
    .example = "batchlab plan quadratic --preset tiny",
    .shows = "quadratic, preset tiny, no data\n"
             "├─ batch 1, race to 1.25 times the best\n"
             "│  ├─ r75647fb9dd04 done        batch 1     lr 0.04419   seed 1  ...\n"
             "...\n",
    .exits = {{BL_EXIT_DAMAGE, ""}, {BL_EXIT_UNAVAILABLE, ""}},
    .operand = BL_OPERAND_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = show,
};
