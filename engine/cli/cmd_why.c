/* batchlab why RUN: who asked for it, why it ends where it ends, and what sets it apart. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/plan/plan.h"
#include "engine/store/run_files.h"
#include <inttypes.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { IDENTITY_LIMIT = 1 << 20 };

typedef struct question {
    char dir[BL_PATH];   /* of the run */
    char store[BL_PATH]; /* runs/NAME */
    const char *run;     /* its id */
    bl_plan_doc plan;
    bl_buf *out;
} question;

/* ---- state ---- */

/* A result is believed only as the store believes it: with its seal and its log. */
static bl_status state(const question *q, bl_err *err) {
    bl_store store;
    bl_stored run;
    bl_run_files files;
    bl_err why = {0};
    BL_TRY(bl_path(store.dir, err, "%s", q->store));
    BL_TRY(bl_store_load(&store, q->run, &run, &why));
    const bool done = run.done, damaged = run.damaged;
    const int64_t steps = run.steps;
    bl_stored_free(&run);
    bl_buf_str(q->out, "state      ");
    if (damaged) {
        bl_buf_printf(q->out,
                      "damaged: %s\n           the next `batchlab run` sets it aside and does it "
                      "again\n",
                      why.text);
        return BL_OK;
    }
    if (bl_run_files_read(&files, q->dir, &why) != BL_OK) {
        bl_buf_str(q->out, "begun, without a checkpoint: the next `batchlab run` begins it anew\n");
        return BL_OK;
    }
    const bl_runlog *log = &files.parsed;
    if (done)
        bl_buf_printf(q->out, "done: outcome %s at step %" PRId64 "\n",
                      bl_json_text(files.result.root, "outcome", "?"), steps);
    else if (strcmp(files.state, "failed") == 0)
        bl_buf_printf(q->out,
                      "failed: %s/" BL_STORE_FAILED " has its files; `batchlab run` tries again\n",
                      q->dir);
    else
        bl_buf_printf(q->out,
                      "interrupted after step %" PRId64
                      ": the same `batchlab run` goes on from its checkpoint\n",
                      log->evals > 0 ? log->eval[log->evals - 1].step : 0);
    bl_run_files_free(&files);
    return BL_OK;
}

/* ---- reasons ---- */

/* The trial of the round that reached its target first: what bounds a race. */
static const bl_plan_trial *winner(const question *q, int64_t round) {
    const bl_plan_trial *best = NULL;
    for (size_t i = 0; i < q->plan.trial_count; i++) {
        const bl_plan_trial *t = &q->plan.trials[i];
        if (t->round != round || t->target_step == 0) continue;
        if (best == NULL || t->target_step < best->target_step) best = t;
    }
    return best;
}

/* Why the run ends where it does, by the outcome and the round that asked for it. */
static void end_of(const question *q, const bl_plan_trial *t, const bl_plan_round *round) {
    const bl_plan_trial *first = winner(q, t->round);
    bl_buf_printf(q->out, "           answered at step %" PRId64 ": ", t->steps);
    if (t->outcome == BL_OUTCOME_TARGET)
        bl_buf_printf(q->out,
                      "the first evaluation at or below the target %.9g (not yet at step %" PRId64
                      ")\n",
                      t->target, t->previous_eval_step);
    else if (t->outcome == BL_OUTCOME_BUDGET && t->steps < t->max_steps)
        bl_buf_str(q->out, "the run has no more\n");
    else if (t->outcome == BL_OUTCOME_BUDGET)
        bl_buf_printf(q->out, "its budget of %" PRId64 " steps\n", t->max_steps);
    else if (t->outcome == BL_OUTCOME_RACE && first != NULL)
        bl_buf_printf(q->out,
                      "the first evaluation at or after %.9g x %" PRId64
                      " steps, in which run %s won the race\n",
                      round->slack, first->target_step, first->run);
    else if (t->outcome == BL_OUTCOME_DIVERGED)
        bl_buf_str(q->out, "it left the finite numbers\n");
    else if (t->outcome == BL_OUTCOME_FAILED)
        bl_buf_printf(q->out, "it failed: %s\n", t->error != NULL ? t->error : "?");
    else
        bl_buf_str(q->out, "it did not fit into memory\n");
}

/* The decision made last before line `at`: what the round was asked upon. */
static const char *decision_before(const question *q, size_t at) {
    while (at-- > 0) {
        const bl_plan_line *line = &q->plan.lines[at];
        if (line->record == BL_PLAN_IS_DECISION) return q->plan.decisions[line->index].text;
    }
    return NULL;
}

/* Why trial t, which is line `at` of the plan, was asked for, and how it ended. */
static void explain_trial(const question *q, const bl_plan_trial *t, size_t at, bool first) {
    const bl_plan_round *round = &q->plan.rounds[t->round - 1];
    const char *after = decision_before(q, at);
    bl_buf_printf(q->out, "%s round %" PRId64 ", \"%s\"%s: %s\n",
                  first ? "asked in  " : "and in    ", t->round, round->title,
                  round->race ? " (a race)" : "", t->reason);
    end_of(q, t, round);
    if (after != NULL) bl_buf_printf(q->out, "           decided before: %s\n", after);
}

/* Every trial of the plan that asked for the run, and every decision that rests on it. */
static void reasons(const question *q) {
    size_t asked = 0, carried = 0;
    for (size_t i = 0; i < q->plan.line_count; i++) {
        const bl_plan_line *line = &q->plan.lines[i];
        const bl_plan_trial *t = &q->plan.trials[line->index];
        if (line->record == BL_PLAN_IS_TRIAL && strcmp(t->run, q->run) == 0)
            explain_trial(q, t, i, asked++ == 0);
    }
    if (asked == 0)
        bl_buf_printf(
            q->out,
            "asked      by no trial of %s/plan.jsonl: an earlier sweep of another preset, "
            "data set, program or --set made it, or this one was interrupted\n",
            q->store);
    for (size_t i = 0; i < q->plan.decision_count; i++)
        if (bl_plan_rests_on(&q->plan.decisions[i], q->run))
            bl_buf_printf(q->out, "%s %s\n", carried++ == 0 ? "carries   " : "          ",
                          q->plan.decisions[i].text);
}

/* ---- the nearest other run ---- */

/* run.json of a run: what its id is a hash of. */
static bl_status read_identity(bl_json_doc *out, const char *store, const char *run, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    BL_TRY(bl_path(path, err, "%s/%s/run.json", store, run));
    bl_status status = bl_file_read(&text, path, IDENTITY_LIMIT, err);
    if (status == BL_OK) status = bl_json_parse(out, bl_buf_text(&text), text.len, path, 1, err);
    bl_buf_free(&text);
    return status;
}

/* The members of a's object that b has otherwise or not at all; into `out` unless that is NULL. */
static size_t count_differences(const bl_json *a, const bl_json *b, bl_buf *out) {
    size_t n = 0;
    for (const bl_json *m = a != NULL ? a->first : NULL; m != NULL; m = m->next) {
        const bl_json *other = bl_json_get(b, m->key);
        bl_buf mine = {0}, theirs = {0};
        bl_json_show(&mine, m);
        bl_json_show(&theirs, other);
        if (strcmp(mine.data, theirs.data) != 0) {
            n++;
            if (out != NULL)
                bl_buf_printf(out, "  %-26s %s | %s\n", m->key, mine.data, theirs.data);
        }
        bl_buf_free(&mine);
        bl_buf_free(&theirs);
    }
    return n;
}

/* How many members of what decides a run differ; into `out` which, unless that is NULL. */
static size_t differences(const bl_json *a, const bl_json *b, bl_buf *out) {
    const size_t config =
        count_differences(bl_json_get(a, "config"), bl_json_get(b, "config"), out);
    const bool data = strcmp(bl_json_text(a, "dataset", ""), bl_json_text(b, "dataset", "")) != 0;
    const bool inputs = strcmp(bl_json_text(a, "inputs", ""), bl_json_text(b, "inputs", "")) != 0;
    const int64_t mine = bl_json_int(a, "repeat", 0), theirs = bl_json_int(b, "repeat", 0);
    if (data && out != NULL) bl_buf_printf(out, "  %-26s other data\n", "dataset");
    if (inputs && out != NULL)
        bl_buf_printf(out, "  %-26s other bytes (external.inputs)\n", "inputs");
    if (mine != theirs && out != NULL)
        bl_buf_printf(out, "  %-26s %" PRId64 " | %" PRId64 "\n", "repeat", mine, theirs);
    return config + data + inputs + (mine != theirs);
}

/* Names the run of the same store that differs in the fewest settings, and these settings. */
static bl_status sibling(const question *q, bl_err *err) {
    bl_json_doc mine = {0}, best = {0};
    bl_names names;
    char nearest[BL_RUN_ID] = "";
    size_t fewest = SIZE_MAX;
    bl_err ignored;
    if (read_identity(&mine, q->store, q->run, &ignored) != BL_OK) return BL_OK;
    bl_status status = bl_dir_list(&names, q->store, err);
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        bl_json_doc other = {0};
        if (!bl_store_is_run_id(names.name[i]) || strcmp(names.name[i], q->run) == 0 ||
            read_identity(&other, q->store, names.name[i], &ignored) != BL_OK)
            continue;
        const size_t n = differences(mine.root, other.root, NULL);
        if (n < fewest) {
            fewest = n;
            memcpy(nearest, names.name[i], sizeof nearest);
            bl_json_free(&best);
            best = other;
        } else {
            bl_json_free(&other);
        }
    }
    if (best.root != NULL) {
        bl_buf_printf(q->out, "nearest    run %s: this one | that one\n", nearest);
        (void)differences(mine.root, best.root, q->out);
    }
    bl_names_free(&names);
    bl_json_free(&mine);
    bl_json_free(&best);
    return status;
}

/* ---- the command ---- */

static bl_status explain(question *q, const char *word, bl_err *err) {
    char copy[BL_PATH];
    BL_TRY(bl_run_find(q->dir, bl_cli_runs_dir(), word, err));
    BL_TRY(bl_path(copy, err, "%s", q->dir));
    BL_TRY(bl_path(q->store, err, "%s", dirname(copy)));
    q->run = strrchr(q->dir, '/');
    q->run = q->run != NULL ? q->run + 1 : q->dir;
    if (!bl_store_is_run_id(q->run) || !bl_dir_exists(q->dir))
        BL_FAIL(err, BL_EINVAL, "%s is no run of a store", q->dir);
    bl_buf_printf(q->out, "run        %s (%s)\n", q->run, q->dir);
    BL_TRY(state(q, err));
    const bl_status read = bl_plan_read(&q->plan, q->store, err);
    if (read != BL_EMISSING) BL_TRY(read);
    reasons(q);
    return sibling(q, err);
}

static int explain_run(const bl_args *args) {
    bl_err err = {0};
    bl_buf out = {0};
    question q = {.out = &out};
    const bl_status status = explain(&q, args->operand, &err);
    bl_plan_free(&q.plan);
    if (status == BL_OK) bl_cli_print(stdout, bl_buf_text(&out));
    bl_buf_free(&out);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}

const bl_command bl_cmd_why = {
    .name = "why",
    .does = "why a run was made, and why it ends where it does",
    .arguments = "RUN",
    .group = BL_GROUP_LOOK,
    .sentence = "Says why a run was made: which round asked for it, what was decided before, and "
                "why it ends where it does.",
    .example = "batchlab why r75647",
    .shows = "run        r75647fb9dd04 (runs/quadratic/r75647fb9dd04)\n"
             "...\n"
             "asked in   round 1, \"batch 1\" (a race): around 0.0625: the grid's start\n"
             "...\n",
    .exits = {{BL_EXIT_DAMAGE, ""}},
    .operand = BL_OPERAND_RUN,
    .run = explain_run,
};
