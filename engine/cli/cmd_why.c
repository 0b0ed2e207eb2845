/* batchlab why RUN: who asked for it, why it ends where it ends, and what sets it apart. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/plan_file.h"
#include "engine/verify/log_diff.h"
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
    bl_plan_file plan;
    bl_buf *out;
} question;

/* ---- state ------------------------------------------------------------------------------------
 */

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
    else
        bl_buf_printf(q->out,
                      "interrupted after step %" PRId64
                      ": the same `batchlab run` goes on from its checkpoint\n",
                      log->evals > 0 ? log->eval[log->evals - 1].step : 0);
    bl_run_files_free(&files);
    return BL_OK;
}

/* ---- reasons ----------------------------------------------------------------------------------
 */

static const bl_json *round_of(const question *q, int64_t round) {
    for (size_t i = 0; i < q->plan.count; i++)
        if (bl_plan_record_is(&q->plan.record[i], "round") &&
            bl_json_int(q->plan.record[i].root, "round", 0) == round)
            return q->plan.record[i].root;
    return NULL;
}

/* The trial of the round that reached its target first: what bounds a race. */
static const bl_json *winner(const question *q, int64_t round) {
    const bl_json *best = NULL;
    for (size_t i = 0; i < q->plan.count; i++) {
        const bl_json *t = q->plan.record[i].root;
        if (!bl_plan_record_is(&q->plan.record[i], "trial") ||
            bl_json_int(t, "round", 0) != round || bl_json_int(t, "hit", 0) == 0)
            continue;
        if (best == NULL || bl_json_int(t, "hit", 0) < bl_json_int(best, "hit", 0)) best = t;
    }
    return best;
}

static void end_of(const question *q, const bl_json *trial, const bl_json *round) {
    const char *outcome = bl_json_text(trial, "outcome", "");
    const int64_t steps = bl_json_int(trial, "steps", 0);
    const bl_json *first = winner(q, bl_json_int(trial, "round", 0));
    bl_buf_printf(q->out, "           answered at step %" PRId64 ": ", steps);
    if (strcmp(outcome, "target") == 0)
        bl_buf_printf(
            q->out,
            "the first evaluation at or below the target %.9g (not yet at step %" PRId64 ")\n",
            bl_json_number(trial, "target", (double)NAN), bl_json_int(trial, "before", 0));
    else if (strcmp(outcome, "budget") == 0)
        bl_buf_printf(q->out, "its budget of %" PRId64 " steps\n",
                      bl_json_int(trial, "max_steps", 0));
    else if (strcmp(outcome, "race") == 0 && first != NULL)
        bl_buf_printf(q->out,
                      "the first evaluation at or after %.9g x %" PRId64
                      " steps, in which run %s won the race\n",
                      bl_json_number(round, "slack", (double)NAN), bl_json_int(first, "hit", 0),
                      bl_json_text(first, "run", "?"));
    else if (strcmp(outcome, "diverged") == 0)
        bl_buf_str(q->out, "it left the finite numbers\n");
    else
        bl_buf_str(q->out, "it did not fit into memory\n");
}

/* The decision made last before record `at`: what the round was asked upon. */
static const char *decision_before(const question *q, size_t at) {
    while (at-- > 0) {
        const char *text = bl_json_text(q->plan.record[at].root, "text", "");
        if (bl_plan_record_is(&q->plan.record[at], "decision") && text[0] != '\0') return text;
    }
    return NULL;
}

static void reasons(const question *q) {
    size_t asked = 0;
    for (size_t i = 0; i < q->plan.count; i++) {
        const bl_json_doc *r = &q->plan.record[i];
        if (!bl_plan_record_is(r, "trial") || !bl_plan_record_has(r, q->run)) continue;
        const int64_t n = bl_json_int(r->root, "round", 0);
        const bl_json *round = round_of(q, n);
        const char *after = decision_before(q, i);
        bl_buf_printf(q->out, "%s round %" PRId64 ", \"%s\"%s: %s\n",
                      asked++ == 0 ? "asked in  " : "and in    ", n,
                      bl_json_text(round, "title", "?"),
                      bl_json_bool(round, "race", false) ? " (a race)" : "",
                      bl_json_text(r->root, "reason", "?"));
        end_of(q, r->root, round);
        if (after != NULL) bl_buf_printf(q->out, "           decided before: %s\n", after);
    }
    if (asked == 0)
        bl_buf_printf(
            q->out,
            "asked      by no trial of %s/plan.jsonl: an earlier sweep of another preset, "
            "data set or --set made it, or this one was interrupted\n",
            q->store);
    for (size_t i = 0, n = 0; i < q->plan.count; i++) {
        const bl_json_doc *r = &q->plan.record[i];
        if (bl_plan_record_is(r, "decision") && bl_plan_record_has(r, q->run))
            bl_buf_printf(q->out, "%s %s\n", n++ == 0 ? "carries   " : "          ",
                          bl_json_text(r->root, "text", "?"));
    }
}

/* ---- the nearest other run --------------------------------------------------------------------
 */

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

static size_t differences(const bl_json *a, const bl_json *b, bl_buf *out) {
    const size_t config =
        count_differences(bl_json_get(a, "config"), bl_json_get(b, "config"), out);
    const bool data = strcmp(bl_json_text(a, "dataset", ""), bl_json_text(b, "dataset", "")) != 0;
    if (data && out != NULL) bl_buf_printf(out, "  %-26s other data\n", "dataset");
    return config + data;
}

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

/* ---- the command ------------------------------------------------------------------------------
 */

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
    BL_TRY(bl_plan_file_read(&q->plan, q->store, err));
    reasons(q);
    return sibling(q, err);
}

static int explain_run(const bl_args *args) {
    bl_err err = {0};
    bl_buf out = {0};
    question q = {.out = &out};
    const bl_status status = explain(&q, args->operand, &err);
    bl_plan_file_free(&q.plan);
    if (status == BL_OK) (void)fwrite(bl_buf_text(&out), 1, out.len, stdout);
    bl_buf_free(&out);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}

const bl_command bl_cmd_why = {
    .name = "why",
    .arguments = "RUN",
    .does = "why a run was made, and why it ends where it does",
    .operand = BL_OPERAND_RUN,
    .run = explain_run,
};
