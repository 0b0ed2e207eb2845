/* plan.jsonl: what a sweep asked for, what came of it, and what it concluded (docs/formats.md).
 *
 * This room owns the file. A line is one record: the head, then rounds, the trials of a round, and
 * decisions, in the order in which the sweep made them. Each kind of record is a struct here, has
 * one writer and one reader (records.c, fields.c); everything else in the tree passes structs.
 *
 *     sweep             fills records, appends their lines    bl_plan_write_trial(&text, &trial)
 *     lua               makes decisions of exp:decide{...}    bl_plan_decision_parse(...)
 *     report, why, gc,  read the file                         bl_plan_read(&plan, run_dir, err)
 *       fsck
 *
 * Which fields a decision has depends on its kind: one table (records.c) names them, with their
 * types and whether they must be there. The script that makes a decision, the writer and the reader
 * all follow that table: what one of them accepts, the others do, and an unknown kind, an unknown
 * field or a missing one is an error where it is made, with FILE:LINE.
 *
 * The last line is a seal: the SHA-256 of every byte before it. A plan is saved many times while a
 * sweep runs, each time with a seal of its own, so that a file whose seal does not hold was changed
 * by something else: BL_EDAMAGED, and the next `batchlab run` writes it anew.
 *
 * Texts in records are not owned by them: those of a document live in its memory until
 * bl_plan_free. The reader holds what the writer wrote: reading a plan and writing it again gives
 * the same bytes (tests/unit/plan_test.c). */
#ifndef BL_ENGINE_PLAN_PLAN_H
#define BL_ENGINE_PLAN_PLAN_H
#include "engine/base/chunks.h"
#include "engine/base/json.h"
#include "engine/base/run_id.h"
#include "engine/plan/outcome.h"
#include "engine/runlog/runlog.h"

/* Format 1 had no seal. */
enum { BL_PLAN_UNSEALED = 1, BL_PLAN_FORMAT = 2 };

/* Lists. v == NULL: the file has no such list. An empty list has a v that is not NULL. */
typedef struct bl_plan_numbers {
    double *v;
    size_t count;
} bl_plan_numbers;
typedef struct bl_plan_runs {
    char (*v)[BL_RUN_ID];
    size_t count;
} bl_plan_runs;

/* A step count that is known beforehand, from experiments/NAME/FILE.csv. */
typedef struct bl_plan_reference {
    double batch_size, steps;
} bl_plan_reference;
typedef struct bl_plan_references {
    bl_plan_reference *v;
    size_t count;
} bl_plan_references;

typedef struct bl_plan_dataset {
    const char *name, *variant, *sha256;
    bool synthetic;
} bl_plan_dataset;

typedef struct bl_plan_cost {
    double per_core_hour; /* NAN: no price */
    const char *currency;
    int64_t device_batch_size; /* of one device; 0: no limit */
    double device_memory;      /* MiB */
    double upfront_core_hours, upfront_seconds;
} bl_plan_cost;

typedef struct bl_plan_head {
    const char *experiment, *preset, *title, *metric, *optimizer;
    bl_plan_numbers targets; /* easiest first */
    double baseline;         /* the metric without a net; NAN: not known */
    int64_t epoch_rows;
    bl_plan_dataset dataset;
    bl_plan_cost cost;
    bl_plan_references references; /* "known" in the file; v == NULL: no such member */
    const char *scaling;           /* sweep.scaling; NULL: no such member, auto */
} bl_plan_head;

typedef struct bl_plan_round {
    int64_t round; /* from 1 */
    const char *title;
    bool race;
    double slack; /* of a race: the others stop at slack x the winner's steps */
} bl_plan_round;

typedef struct bl_plan_trial {
    int64_t round;
    char run[BL_RUN_ID];
    const char *set; /* one JSON object: the settings it was asked with (settings.h) */
    int64_t batch_size, seed, max_steps;
    double learning_rate;
    double target; /* NAN: ran to its budget */
    bl_outcome outcome;
    int64_t steps; /* of the run, for this trial's question */
    /* First evaluation step at or below the target, and the one before it; 0: there is none.
     * "hit" and "before" in the file. */
    int64_t target_step, previous_eval_step;
    const char *reason;
    const char *error; /* why it failed, one line; NULL: it did not */
    size_t next;       /* of a document: the next trial of the same run; SIZE_MAX: there is none */
} bl_plan_trial;

/* ---- decisions ---- */

typedef enum bl_plan_kind {
    BL_PLAN_BEST,     /* the best rate of one batch size, for one target */
    BL_PLAN_BUDGET,   /* the best value of one batch size within one budget */
    BL_PLAN_COMPARE,  /* two batch sizes on the same fresh seeds */
    BL_PLAN_CRITICAL, /* the line that closes a search for critical batch sizes */
    BL_PLAN_CUSTOM,   /* a script's own */
    BL_PLAN_NOTE,     /* a line for people */
    BL_PLAN_RULE,     /* a learning-rate rule against retuning */
    BL_PLAN_TEST,     /* the look at the test rows */
    BL_PLAN_KIND_COUNT
} bl_plan_kind;
const char *bl_plan_kind_name(bl_plan_kind kind); /* "best", ... */

typedef enum bl_plan_budget {
    BL_PLAN_EPOCHS,
    BL_PLAN_STEPS,
    BL_PLAN_SECONDS,
    BL_PLAN_COST,
    BL_PLAN_BUDGET_COUNT
} bl_plan_budget;
const char *bl_plan_budget_name(bl_plan_budget budget); /* "epochs", "steps", "seconds", "cost" */

typedef enum bl_plan_rule {
    BL_PLAN_KEEP,
    BL_PLAN_SQRT,
    BL_PLAN_LINEAR,
    BL_PLAN_SATURATING,
    BL_PLAN_MALLADI,
    BL_PLAN_HALF_LIFE,
    BL_PLAN_DECAY,
    BL_PLAN_SURGE,
    BL_PLAN_RULE_COUNT
} bl_plan_rule;
const char *bl_plan_rule_name(bl_plan_rule rule); /* "keep", "sqrt", ... */

typedef enum bl_plan_answer { BL_PLAN_UNSAID = -1, BL_PLAN_NO, BL_PLAN_YES } bl_plan_answer;

/* What the fields mean is said in docs/formats.md; which of them a kind has, in records.c. Not
 * there: NAN, NULL, BL_PLAN_UNSAID. Begin with bl_plan_decision_empty. */
typedef struct bl_plan_decision {
    bl_plan_kind kind;
    int64_t round;      /* the last one begun before it; 0: none */
    const char *text;   /* one line for people */
    const char *series; /* the name of the settings it was asked under */
    double batch_size, learning_rate, target, steps, value;
    double amount, seconds_per_step; /* of a budget */
    double regret, tuned;            /* of a rule: steps over tuned steps, the tuned steps */
    double reached, overhead_20, max_useful, budget_epochs;
    double fresh_seeds; /* of a best: its runs are so many seeds that chose nothing */
    bl_plan_answer at_least, best, bracketed, censored, refined, retuned, whole_grid;
    int budget, rule;       /* a bl_plan_budget and a bl_plan_rule */
    const char *run;        /* "" or an id */
    bl_plan_runs runs;      /* all seeds */
    bl_plan_runs both[2];   /* of a comparison: "runs" */
    bl_plan_runs within[2]; /* the same within a budget: "budget_runs" */
    /* Two each, of a comparison. */
    bl_plan_numbers batch_sizes, learning_rates, budget_steps, budget_learning_rates;
    bl_plan_numbers values;    /* a run that diverged: NAN here, the text "diverged" in the file */
    bl_plan_numbers step_list; /* of a test: "steps", of each seed */
    const char *box, *data, *points, *settings; /* JSON that only people and scripts read */
} bl_plan_decision;
bl_plan_decision bl_plan_decision_empty(bl_plan_kind kind);

/* From an object with the kind's fields. Texts and lists go into `memory`. BL_EFORMAT says what is
 * wrong, without a place: the caller has it. `round` is taken where it is there. */
bl_status bl_plan_decision_parse(bl_plan_decision *out, const bl_json *object, bl_chunks *memory,
                                 bl_err *err) BL_CHECKED;

/* ---- writing: one line each ---- */

void bl_plan_write_head(bl_buf *out, const bl_plan_head *head);
void bl_plan_write_round(bl_buf *out, const bl_plan_round *round);
void bl_plan_write_trial(bl_buf *out, const bl_plan_trial *trial);
void bl_plan_write_decision(bl_buf *out, const bl_plan_decision *decision);

/* Appends the line that closes the file. */
void bl_plan_seal(bl_buf *text);
/* Bytes of text[0..n) before its seal, if that holds; SIZE_MAX: it does not. All of an unsealed
 * plan: *sealed says which. */
size_t bl_plan_sealed_bytes(const char *text, size_t n, bool *sealed);

/* What the trial says against the run's own log, which goes at least as far: BL_EDAMAGED says what
 * differs. */
bl_status bl_plan_check_trial(const bl_plan_trial *trial, const bl_runlog *log, const char *name,
                              bl_err *err) BL_CHECKED;

/* ---- the whole file ---- */

typedef enum bl_plan_record {
    BL_PLAN_IS_ROUND,
    BL_PLAN_IS_TRIAL,
    BL_PLAN_IS_DECISION
} bl_plan_record;

/* One line after the head: an element of the document's rounds, trials or decisions. */
typedef struct bl_plan_line {
    bl_plan_record record;
    size_t index;
} bl_plan_line;

typedef struct bl_plan_doc {
    bool sealed; /* false: of format 1, from before there were seals */
    bl_plan_head head;
    bl_plan_round *rounds;
    size_t round_count;
    bl_plan_trial *trials;
    size_t trial_count;
    bl_plan_decision *decisions;
    size_t decision_count;
    bl_plan_line *lines; /* all of them, in the file's order */
    size_t line_count;
    bl_chunks memory;
    size_t *slots; /* a hash from run id to its first trial + 1; 0: free */
    size_t slot_count;
} bl_plan_doc;

/* From text[n]; `name` is for messages as NAME:LINE. BL_EDAMAGED: the seal does not hold.
 * BL_EFORMAT: not a plan, another format, a record or decision of an unknown kind, a missing or
 * unknown member, a round that was not begun. On failure *out is empty. */
bl_status bl_plan_parse(bl_plan_doc *out, const char *text, size_t n, const char *name,
                        bl_err *err) BL_CHECKED;
/* run_dir/plan.jsonl. BL_EMISSING without one; BL_EDAMAGED, too, where it is no plain file, or the
 * plan of another experiment than the one that the folder is named after. */
bl_status bl_plan_read(bl_plan_doc *out, const char *run_dir, bl_err *err) BL_CHECKED;
/* The file's text again, sealed. */
void bl_plan_write(bl_buf *out, const bl_plan_doc *plan);
void bl_plan_free(bl_plan_doc *plan);

/* The index of the first trial of a run, SIZE_MAX without one; trials[i].next leads to the others.
 */
size_t bl_plan_first_trial(const bl_plan_doc *plan, const char *run);
/* Does the decision rest on the run? */
bool bl_plan_rests_on(const bl_plan_decision *decision, const char *run);
#endif
