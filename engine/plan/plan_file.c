/* plan.jsonl as a document: every line once, and a hash from run to trials.
 *
 * Reading goes in this order, so that every message is about the first thing that is wrong:
 *
 *     the file      it is there and plain        BL_EMISSING, BL_EDAMAGED
 *     the seal      no byte was changed          BL_EDAMAGED
 *     the lines     one after the other          BL_EFORMAT, NAME:LINE
 *     the place     runs/NAME has NAME's plan    BL_EDAMAGED
 *
 * A run may be asked for by many trials: several rounds, seeds drawn again, a target after a
 * budget. The hash leads from a run's id to its first trial, and `next` from there to the others,
 * in the file's order:
 *
 *     slots   [0] [2] [0] [1]          1 + index of a trial; 0: free
 *     trials  0: run A, next 2         A is asked for by trials 0, 2 and 4
 *              1: run C
 *              2: run A, next 4
 *
 * Linear probing; at most half of the slots are taken, so that a search ends at a free one. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/plan/records.h"
#include <string.h>

enum { FILE_LIMIT = 1 << 30, FEWEST_SLOTS = 16 };

/* ---- the hash ---- */

/* FNV-1a. */
static size_t hash_of(const char *run) {
    uint64_t h = 14695981039346656037u;
    for (; *run != '\0'; run++) h = (h ^ (unsigned char)*run) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

/* The run's slot, or the free one where it would stand. */
static size_t *slot_of(const bl_plan_doc *plan, const char *run) {
    size_t i = hash_of(run) & (plan->slot_count - 1);
    while (plan->slots[i] != 0 && strcmp(plan->trials[plan->slots[i] - 1].run, run) != 0)
        i = (i + 1) & (plan->slot_count - 1);
    return &plan->slots[i];
}

/* Once all trials are read. They are entered from the last to the first, so that a chain ascends.
 */
static void index_trials(bl_plan_doc *plan) {
    plan->slot_count = FEWEST_SLOTS;
    while (plan->slot_count < 2 * plan->trial_count) plan->slot_count *= 2;
    plan->slots = bl_xalloc(plan->slot_count * sizeof *plan->slots);
    for (size_t i = plan->trial_count; i-- > 0;) {
        size_t *slot = slot_of(plan, plan->trials[i].run);
        plan->trials[i].next = *slot > 0 ? *slot - 1 : SIZE_MAX;
        *slot = i + 1;
    }
}

size_t bl_plan_first_trial(const bl_plan_doc *plan, const char *run) {
    if (plan->slot_count == 0) return SIZE_MAX;
    const size_t first = *slot_of(plan, run);
    return first > 0 ? first - 1 : SIZE_MAX;
}

/* ---- reading ---- */

static void add_line(bl_plan_doc *plan, bl_plan_record record, size_t index) {
    *BL_PUSH(plan->lines, plan->line_count, "lines of a plan") = (bl_plan_line){record, index};
}

/* Without a seal, only format 1 is taken; with one, only format 2. A file that lost its seal
 * cannot pass for an old one. */
static bl_status parse_head(bl_plan_doc *plan, const bl_json *object, bl_err *err) {
    const int64_t format = plan->sealed ? BL_PLAN_FORMAT : BL_PLAN_UNSEALED;
    if (strcmp(bl_json_text(object, "record", ""), "plan") != 0 ||
        bl_json_int(object, "format", 0) != format)
        BL_FAIL(err, BL_EFORMAT, "not a plan of format %d or %d", BL_PLAN_UNSEALED, BL_PLAN_FORMAT);
    return bl_plan_fields_parse(&plan->head, &bl_plan_head_row, object, !plan->sealed,
                                &plan->memory, err);
}

/* Rounds count up from 1. */
static bl_status parse_round(bl_plan_doc *plan, const bl_json *object, bl_err *err) {
    bl_plan_round *r = BL_PUSH(plan->rounds, plan->round_count, "rounds of a plan");
    BL_TRY(bl_plan_fields_parse(r, &bl_plan_round_row, object, !plan->sealed, &plan->memory, err));
    if (r->round != (int64_t)plan->round_count)
        BL_FAIL(err, BL_EFORMAT, "round %lld does not follow round %zu", (long long)r->round,
                plan->round_count - 1);
    add_line(plan, BL_PLAN_IS_ROUND, plan->round_count - 1);
    return BL_OK;
}

/* What the report divides by, takes the logarithm of or looks into must be sound, whoever wrote
 * the file. */
static bl_status check_trial(const bl_plan_doc *plan, const bl_plan_trial *t, bl_err *err) {
    if (t->round < 1 || t->round > (int64_t)plan->round_count)
        BL_FAIL(err, BL_EFORMAT, "a trial of round %lld, which was not begun", (long long)t->round);
    if (t->batch_size < 1) BL_FAIL(err, BL_EFORMAT, "'batch_size' is not a positive number");
    if (!(t->learning_rate > 0))
        BL_FAIL(err, BL_EFORMAT, "'learning_rate' is not a positive number");
    if (t->set[0] != '{') BL_FAIL(err, BL_EFORMAT, "'set' is not a table");
    return BL_OK;
}

static bl_status parse_trial(bl_plan_doc *plan, const bl_json *object, bl_err *err) {
    bl_plan_trial *t = BL_PUSH(plan->trials, plan->trial_count, "trials of a plan");
    BL_TRY(bl_plan_fields_parse(t, &bl_plan_trial_row, object, !plan->sealed, &plan->memory, err));
    add_line(plan, BL_PLAN_IS_TRIAL, plan->trial_count - 1);
    return check_trial(plan, t, err);
}

/* Numbers that later divide or are taken the logarithm of. */
static bl_status check_decision(const bl_plan_decision *d, bl_err *err) {
    if (d->batch_size <= 0) BL_FAIL(err, BL_EFORMAT, "'batch_size' is not a positive number");
    if (d->learning_rate <= 0) BL_FAIL(err, BL_EFORMAT, "'learning_rate' is not a positive number");
    if (d->amount <= 0) BL_FAIL(err, BL_EFORMAT, "'amount' is not a positive number");
    return BL_OK;
}

/* The line is entered before it is checked: on failure the document is freed as a whole. */
static bl_status parse_decision(bl_plan_doc *plan, const bl_json *object, bl_err *err) {
    bl_plan_decision *d = BL_PUSH(plan->decisions, plan->decision_count, "decisions of a plan");
    BL_TRY(bl_plan_decision_read(d, object, !plan->sealed, &plan->memory, err));
    add_line(plan, BL_PLAN_IS_DECISION, plan->decision_count - 1);
    return check_decision(d, err);
}

/* The first line is the head, whatever it says it is. */
static bl_status parse_record(bl_plan_doc *plan, const bl_jsonl_line *line, bl_err *err) {
    const char *record = bl_json_text(line->value, "record", "");
    if (line->number == 1) return parse_head(plan, line->value, err);
    if (strcmp(record, "round") == 0) return parse_round(plan, line->value, err);
    if (strcmp(record, "trial") == 0) return parse_trial(plan, line->value, err);
    if (strcmp(record, "decision") == 0) return parse_decision(plan, line->value, err);
    BL_FAIL(err, BL_EFORMAT, "unknown record '%.40s'", record);
}

/* Errors get their place here. */
static bl_status parse_line(void *ctx, const bl_jsonl_line *line, bl_err *err) {
    bl_err what = {0};
    const bl_status status = parse_record(ctx, line, &what);
    if (status != BL_OK) BL_FAIL(err, status, "%s:%zu: %s", line->name, line->number, what.text);
    return BL_OK;
}

bl_status bl_plan_parse(bl_plan_doc *out, const char *text, size_t n, const char *name,
                        bl_err *err) {
    *out = (bl_plan_doc){0};
    const size_t bytes = bl_plan_sealed_bytes(text, n, &out->sealed);
    if (bytes == SIZE_MAX)
        BL_FAIL(err, BL_EDAMAGED,
                "%s: its seal does not hold: something changed the file after it was written; "
                "`batchlab run` writes it anew",
                name);
    const bl_status status = bl_jsonl_each(text, bytes, name, parse_line, out, err);
    if (status == BL_OK)
        index_trials(out);
    else
        bl_plan_free(out);
    return status;
}

/* The last part of a path, which is the experiment's name. */
static bl_status check_place(const bl_plan_doc *plan, const char *run_dir, bl_err *err) {
    const char *slash = strrchr(run_dir, '/'), *name = slash != NULL ? slash + 1 : run_dir;
    if (strcmp(plan->head.experiment, name) == 0) return BL_OK;
    BL_FAIL(err, BL_EDAMAGED,
            "%s/plan.jsonl is the plan of experiment '%s'; `batchlab run` writes that of '%s'",
            run_dir, plan->head.experiment, name);
}

bl_status bl_plan_read(bl_plan_doc *out, const char *run_dir, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    *out = (bl_plan_doc){0};
    BL_TRY(bl_path(path, err, "%s/plan.jsonl", run_dir));
    if (bl_file_is_other(path))
        BL_FAIL(err, BL_EDAMAGED,
                "%s is not a plain file; `batchlab run` sets it aside and writes it anew", path);
    if (!bl_file_exists(path))
        BL_FAIL(err, BL_EMISSING, "%s: there is no plan.jsonl; `batchlab run` writes it", run_dir);
    bl_status status = bl_file_read(&text, path, FILE_LIMIT, err);
    if (status == BL_OK) status = bl_plan_parse(out, bl_buf_text(&text), text.len, path, err);
    bl_buf_free(&text);
    if (status == BL_OK) status = check_place(out, run_dir, err);
    if (status != BL_OK) bl_plan_free(out);
    return status;
}

void bl_plan_write(bl_buf *out, const bl_plan_doc *plan) {
    bl_plan_write_head(out, &plan->head);
    for (size_t i = 0; i < plan->line_count; i++) {
        const bl_plan_line *line = &plan->lines[i];
        if (line->record == BL_PLAN_IS_ROUND)
            bl_plan_write_round(out, &plan->rounds[line->index]);
        else if (line->record == BL_PLAN_IS_TRIAL)
            bl_plan_write_trial(out, &plan->trials[line->index]);
        else
            bl_plan_write_decision(out, &plan->decisions[line->index]);
    }
    bl_plan_seal(out);
}

void bl_plan_free(bl_plan_doc *plan) {
    free(plan->rounds);
    free(plan->trials);
    free(plan->decisions);
    free(plan->lines);
    free(plan->slots);
    bl_chunks_free(&plan->memory);
    *plan = (bl_plan_doc){0};
}
