/* The plan's records as tables, and a line from each: what is written here is what is read.
 *
 * NEED is a member that has to be there, MAY one that may be absent; both name the JSON member and
 * the struct's. ROW closes a table: the words for messages, and up to two members that the reader
 * passes over because they chose the row. So a field is added by one line here and one in plan.h;
 * docs/formats.md has its meaning.
 *
 * The order of a table is the order of members in the file. It is part of the format: plans are
 * compared and sealed as bytes. In decisions it is ascending, because scripts make them from Lua
 * tables, which have no order. */
#include "engine/plan/records.h"
#include "engine/base/mem.h"
#include <math.h>
#include <string.h>

#define NEED(record, name, type, member)                                                           \
    { #name, BL_PLAN_TYPE_##type, true, offsetof(record, member), NULL }
#define MAY(record, name, type, member)                                                            \
    { #name, BL_PLAN_TYPE_##type, false, offsetof(record, member), NULL }
#define ROW(what, first, second, fields)                                                           \
    { what, {first, second}, fields, BL_COUNT(fields) }

// clang-format off

/* ---- head, rounds, trials ---- */

#define IN bl_plan_dataset
static const bl_plan_field dataset_fields[] = {
    NEED(IN, name,      TEXT, name),
    NEED(IN, synthetic, BOOL, synthetic),
    NEED(IN, variant,   TEXT, variant),
    NEED(IN, sha256,    TEXT, sha256),
};
#undef IN
#define IN bl_plan_cost
static const bl_plan_field cost_fields[] = {
    NEED(IN, per_core_hour,      NULLABLE, per_core_hour),
    NEED(IN, currency,           TEXT,     currency),
    NEED(IN, device_batch_size,  WHOLE,    device_batch_size),
    NEED(IN, device_memory,      NULLABLE, device_memory),
    NEED(IN, upfront_core_hours, NULLABLE, upfront_core_hours),
    NEED(IN, upfront_seconds,    NULLABLE, upfront_seconds),
};
#undef IN
static const bl_plan_row dataset_row = ROW("'dataset'", NULL, NULL, dataset_fields);
static const bl_plan_row cost_row = ROW("'cost'", NULL, NULL, cost_fields);

#define IN bl_plan_head
static const bl_plan_field head_fields[] = {
    NEED(IN, experiment, TEXT,       experiment),
    NEED(IN, preset,     TEXT,       preset),
    NEED(IN, title,      TEXT,       title),
    NEED(IN, metric,     TEXT,       metric),
    NEED(IN, optimizer,  TEXT,       optimizer),
    NEED(IN, targets,    NUMBERS,    targets),
    MAY(IN,  baseline,   NUMBER,     baseline),
    NEED(IN, epoch_rows, WHOLE,      epoch_rows),
    { "dataset", BL_PLAN_TYPE_OBJECT, true, offsetof(IN, dataset), &dataset_row },
    { "cost",    BL_PLAN_TYPE_OBJECT, true, offsetof(IN, cost),    &cost_row },
    MAY(IN,  known,      REFERENCES, references),
    MAY(IN,  scaling,    TEXT,       scaling),
};
#undef IN
#define IN bl_plan_round
static const bl_plan_field round_fields[] = {
    NEED(IN, round, WHOLE,    round),
    NEED(IN, title, TEXT,     title),
    NEED(IN, race,  BOOL,     race),
    NEED(IN, slack, NULLABLE, slack),
};
#undef IN
#define IN bl_plan_trial
static const bl_plan_field trial_fields[] = {
    NEED(IN, round,         WHOLE,    round),
    NEED(IN, run,           RUN,      run),
    NEED(IN, set,           JSON,     set),
    NEED(IN, batch_size,    WHOLE,    batch_size),
    NEED(IN, learning_rate, NULLABLE, learning_rate),
    NEED(IN, seed,          WHOLE,    seed),
    NEED(IN, max_steps,     WHOLE,    max_steps),
    NEED(IN, target,        NULLABLE, target),
    NEED(IN, outcome,       OUTCOME,  outcome),
    NEED(IN, steps,         WHOLE,    steps),
    NEED(IN, hit,           WHOLE,    target_step),
    NEED(IN, before,        WHOLE,    previous_eval_step),
    NEED(IN, reason,        TEXT,     reason),
    MAY(IN,  error,         TEXT,     error),
};
#undef IN

const bl_plan_row bl_plan_head_row = ROW("the head", "record", "format", head_fields);
const bl_plan_row bl_plan_round_row = ROW("a round", "record", NULL, round_fields);
const bl_plan_row bl_plan_trial_row = ROW("a trial", "record", NULL, trial_fields);

/* ---- decisions: fields in ascending order ---- */

#define IN bl_plan_decision
static const bl_plan_field best_fields[] = {
    NEED(IN, batch_size,    COUNT,  batch_size),
    MAY(IN,  box,           JSON,   box),
    NEED(IN, bracketed,     ANSWER, bracketed),
    NEED(IN, censored,      ANSWER, censored),
    MAY(IN,  fresh_seeds,   COUNT,  fresh_seeds),
    NEED(IN, kind,          KIND,   kind),
    NEED(IN, learning_rate, COUNT,  learning_rate),
    MAY(IN,  points,        JSON,   points),
    MAY(IN,  refined,       ANSWER, refined),
    NEED(IN, runs,          RUNS,   runs),
    MAY(IN,  series,        TEXT,   series),
    MAY(IN,  settings,      JSON,   settings),
    NEED(IN, steps,         COUNT,  steps),
    NEED(IN, target,        COUNT,  target),
    NEED(IN, text,          TEXT,   text),
    MAY(IN,  whole_grid,    ANSWER, whole_grid),
};
static const bl_plan_field budget_fields[] = {
    NEED(IN, amount,           COUNT,  amount),
    NEED(IN, batch_size,       COUNT,  batch_size),
    MAY(IN,  best,             ANSWER, best),
    MAY(IN,  bracketed,        ANSWER, bracketed),
    NEED(IN, budget,           BUDGET, budget),
    NEED(IN, kind,             KIND,   kind),
    NEED(IN, learning_rate,    COUNT,  learning_rate),
    MAY(IN,  retuned,          ANSWER, retuned),
    NEED(IN, run,              TEXT,   run),
    MAY(IN,  runs,             RUNS,   runs),
    MAY(IN,  seconds_per_step, COUNT,  seconds_per_step),
    MAY(IN,  series,           TEXT,   series),
    NEED(IN, steps,            COUNT,  steps),
    NEED(IN, text,             TEXT,   text),
    MAY(IN,  value,            COUNT,  value), /* not there: the median run has none */
    NEED(IN, values,           VALUES, values),
};
static const bl_plan_field compare_fields[] = {
    NEED(IN, batch_sizes,           TWO,   batch_sizes),
    MAY(IN,  budget_epochs,         COUNT, budget_epochs),
    MAY(IN,  budget_learning_rates, TWO,   budget_learning_rates),
    MAY(IN,  budget_runs,           BOTH,  within),
    MAY(IN,  budget_steps,          TWO,   budget_steps),
    NEED(IN, kind,                  KIND,  kind),
    NEED(IN, learning_rates,        TWO,   learning_rates),
    NEED(IN, runs,                  BOTH,  both),
    NEED(IN, target,                COUNT, target),
    NEED(IN, text,                  TEXT,  text),
};
static const bl_plan_field critical_fields[] = {
    NEED(IN, kind,        KIND,  kind),
    MAY(IN,  max_useful,  COUNT, max_useful),
    MAY(IN,  overhead_20, COUNT, overhead_20),
    NEED(IN, reached,     COUNT, reached),
    MAY(IN,  series,      TEXT,  series),
    NEED(IN, target,      COUNT, target),
    NEED(IN, text,        TEXT,  text),
};
static const bl_plan_field custom_fields[] = {
    MAY(IN,  data, JSON, data),
    NEED(IN, kind, KIND, kind),
    NEED(IN, text, TEXT, text),
};
static const bl_plan_field note_fields[] = {
    NEED(IN, kind, KIND, kind),
    NEED(IN, text, TEXT, text),
};
static const bl_plan_field rule_fields[] = {
    NEED(IN, at_least,      ANSWER, at_least),
    NEED(IN, batch_size,    COUNT,  batch_size),
    NEED(IN, kind,          KIND,   kind),
    NEED(IN, learning_rate, COUNT,  learning_rate),
    NEED(IN, regret,        COUNT,  regret),
    NEED(IN, rule,          RULE,   rule),
    NEED(IN, runs,          RUNS,   runs),
    MAY(IN,  steps,         COUNT,  steps), /* not there: at least */
    NEED(IN, target,        COUNT,  target),
    NEED(IN, text,          TEXT,   text),
    NEED(IN, tuned,         COUNT,  tuned),
};
static const bl_plan_field test_fields[] = {
    NEED(IN, batch_size,    COUNT,   batch_size),
    NEED(IN, kind,          KIND,    kind),
    NEED(IN, learning_rate, COUNT,   learning_rate),
    NEED(IN, runs,          RUNS,    runs),
    MAY(IN,  series,        TEXT,    series),
    NEED(IN, steps,         NUMBERS, step_list), /* where each seed reached its target ... */
    NEED(IN, steps,         COUNT,   steps),     /* ... or the same for all of them */
    NEED(IN, text,          TEXT,    text),
    MAY(IN,  value,         COUNT,   value), /* not there: not finite */
    NEED(IN, values,        VALUES,  values),
};
#undef IN

#define KIND(name) ROW("a decision of kind '" #name "'", "record", "round", name##_fields)
const bl_plan_row bl_plan_kind_rows[] = {
    [BL_PLAN_BEST]     = KIND(best),
    [BL_PLAN_BUDGET]   = KIND(budget),
    [BL_PLAN_COMPARE]  = KIND(compare),
    [BL_PLAN_CRITICAL] = KIND(critical),
    [BL_PLAN_CUSTOM]   = KIND(custom),
    [BL_PLAN_NOTE]     = KIND(note),
    [BL_PLAN_RULE]     = KIND(rule),
    [BL_PLAN_TEST]     = KIND(test),
};
static const char *const kind_names[] = {
    [BL_PLAN_BEST] = "best",         [BL_PLAN_BUDGET] = "budget", [BL_PLAN_COMPARE] = "compare",
    [BL_PLAN_CRITICAL] = "critical", [BL_PLAN_CUSTOM] = "custom", [BL_PLAN_NOTE] = "note",
    [BL_PLAN_RULE] = "rule",         [BL_PLAN_TEST] = "test",
};
static const char *const budget_names[] = {
    [BL_PLAN_EPOCHS] = "epochs", [BL_PLAN_STEPS] = "steps",
    [BL_PLAN_SECONDS] = "seconds", [BL_PLAN_COST] = "cost",
};
static const char *const rule_names[] = {
    [BL_PLAN_KEEP] = "keep", [BL_PLAN_SQRT] = "sqrt", [BL_PLAN_LINEAR] = "linear",
    [BL_PLAN_SATURATING] = "saturating", [BL_PLAN_MALLADI] = "malladi",
    [BL_PLAN_HALF_LIFE] = "half_life", [BL_PLAN_DECAY] = "decay", [BL_PLAN_SURGE] = "surge",
};
// clang-format on
_Static_assert(BL_COUNT(bl_plan_kind_rows) == BL_PLAN_KIND_COUNT, "a row for every kind");
_Static_assert(BL_COUNT(kind_names) == BL_PLAN_KIND_COUNT, "a name for every kind");
_Static_assert(BL_COUNT(budget_names) == BL_PLAN_BUDGET_COUNT, "a name for every budget");
_Static_assert(BL_COUNT(rule_names) == BL_PLAN_RULE_COUNT, "a name for every rule");

const char *bl_plan_kind_name(bl_plan_kind kind) {
    return kind_names[kind];
}
const char *bl_plan_budget_name(bl_plan_budget budget) {
    return budget_names[budget];
}
const char *bl_plan_rule_name(bl_plan_rule rule) {
    return rule_names[rule];
}

/* ---- decisions ---- */

/* Cleared for every kind, since kinds share members: what the kind does not have is not there,
 * either. */
bl_plan_decision bl_plan_decision_empty(bl_plan_kind kind) {
    bl_plan_decision d = {.kind = kind};
    for (int k = 0; k < BL_PLAN_KIND_COUNT; k++) bl_plan_fields_clear(&d, &bl_plan_kind_rows[k]);
    return d;
}

/* BL_EFORMAT names the kinds that there are. */
static bl_status parse_kind(bl_plan_kind *out, const bl_json *object, bl_err *err) {
    const char *name = bl_json_text(object, "kind", "");
    bl_buf known = {0};
    int k = 0;
    for (; k < BL_PLAN_KIND_COUNT && strcmp(kind_names[k], name) != 0; k++)
        bl_buf_printf(&known, "%s%s", k > 0 ? ", " : "", kind_names[k]);
    bl_status status = BL_OK;
    if (k == BL_PLAN_KIND_COUNT)
        status = BL_ERR(err, BL_EFORMAT, "unknown kind of decision '%.40s'; there are: %s", name,
                        bl_buf_text(&known));
    else
        *out = (bl_plan_kind)k;
    bl_buf_free(&known);
    return status;
}

/* Of an old file, a kind that is gone is read as custom: its text still counts. */
bl_status bl_plan_decision_read(bl_plan_decision *out, const bl_json *object, bool old,
                                bl_chunks *memory, bl_err *err) {
    bl_plan_kind kind = BL_PLAN_CUSTOM;
    const bl_status status = parse_kind(&kind, object, err);
    if (!old) BL_TRY(status);
    *out = bl_plan_decision_empty(kind);
    out->round = bl_json_int(object, "round", 0);
    return bl_plan_fields_parse(out, &bl_plan_kind_rows[kind], object, old, memory, err);
}

bl_status bl_plan_decision_parse(bl_plan_decision *out, const bl_json *object, bl_chunks *memory,
                                 bl_err *err) {
    return bl_plan_decision_read(out, object, false, memory, err);
}

static bool has_run(const bl_plan_runs *runs, const char *run) {
    for (size_t i = 0; i < runs->count; i++)
        if (strcmp(runs->v[i], run) == 0) return true;
    return false;
}

/* Every member that can name a run is looked at: `why` tells of a run's decisions by this. */
bool bl_plan_rests_on(const bl_plan_decision *d, const char *run) {
    return (d->run != NULL && strcmp(d->run, run) == 0) || has_run(&d->runs, run) ||
           has_run(&d->both[0], run) || has_run(&d->both[1], run) || has_run(&d->within[0], run) ||
           has_run(&d->within[1], run);
}

/* ---- a line from each ---- */

/* {"record":"...", left open for the fields; `end` closes the line. */
static bl_jw begin(bl_buf *out, const char *record) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", record);
    return w;
}

static void end(bl_jw *w, const void *record, const bl_plan_row *row) {
    bl_plan_fields_write(w, record, row);
    bl_jw_end(w);
    bl_jw_line(w);
}

void bl_plan_write_head(bl_buf *out, const bl_plan_head *head) {
    bl_jw w = begin(out, "plan");
    bl_jw_i64(&w, "format", BL_PLAN_FORMAT);
    end(&w, head, &bl_plan_head_row);
}

void bl_plan_write_round(bl_buf *out, const bl_plan_round *round) {
    bl_jw w = begin(out, "round");
    end(&w, round, &bl_plan_round_row);
}

void bl_plan_write_trial(bl_buf *out, const bl_plan_trial *trial) {
    bl_jw w = begin(out, "trial");
    end(&w, trial, &bl_plan_trial_row);
}

void bl_plan_write_decision(bl_buf *out, const bl_plan_decision *decision) {
    bl_jw w = begin(out, "decision");
    bl_jw_i64(&w, "round", decision->round);
    end(&w, decision, &bl_plan_kind_rows[decision->kind]);
}
