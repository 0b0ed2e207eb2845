/* The answer of an experiment, drawn from its files alone: plan.jsonl (trials and decisions), the
 * logs of the runs it names and, where there was a timing pass, timing.json. Nothing here trains,
 * reads a clock or names a host's folders: equal input files give equal output bytes.
 * docs/figures.md explains what is drawn. */
#ifndef BL_ENGINE_REPORT_REPORT_MODEL_H
#define BL_ENGINE_REPORT_REPORT_MODEL_H
#include "engine/base/buf.h"
#include "engine/base/run_id.h"
#include "engine/base/status.h"
#include "engine/plan/plan.h"
#include "engine/stats/critical.h"
#include "engine/stats/equivalence.h"
#include "engine/stats/optimum.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bl_report_trial {
    char run[BL_RUN_ID];
    bl_outcome outcome;
    const char *reason;   /* this and the next two are the plan's */
    const char *error;    /* why it failed; NULL: it did not */
    const char *settings; /* bl_plan_settings_others */
    double batch_size, learning_rate;
    double target; /* NAN: ran to its budget */
    int64_t round, seed, max_steps, steps;
    int64_t target_step;        /* of the first evaluation at the target; 0: never */
    int64_t previous_eval_step; /* of the evaluation before that; 0: there is none */
    bool is_comparison;         /* on fresh seeds: took no part in choosing a rate */
} bl_report_trial;

/* One batch size at its best learning rate. What is not known is NAN or bl_stats_unknown(). */
typedef struct bl_report_size {
    double batch_size, learning_rate;
    bool bracketed;         /* worse learning rates were tried on both sides */
    size_t fresh_seeds;     /* its runs chose nothing; 0: they chose the rate */
    bl_stats_point *points; /* (count): one per seed */
    char (*run)[BL_RUN_ID]; /* (count): their runs */
    size_t count;
    bl_stats_value step_seconds; /* of the timing pass, median with interval */
    bl_stats_cost_row costs;     /* steps, seconds, core-seconds to the target */
    double memory_bytes, joules_per_step;
    int64_t
        devices; /* that this batch size needs, as declared; each beyond the first costs upfront */
} bl_report_size;

/* What the timing pass measured. */
typedef struct bl_report_timing {
    double batch_size;
    bl_stats_value step_seconds; /* median with interval */
    double *seconds;             /* (repeats): repeat r of every batch size ran in the same spell */
    double *inference,
        *inference_processor; /* (repeats) of a forward pass alone; NULL: not timed */
    double *processor;        /* (repeats) of the same steps on the processor; NULL: not known */
    size_t repeats;
    double memory_bytes, joules_per_step;
} bl_report_timing;

/* What one target costs at each batch size. */
typedef struct bl_report_target {
    double target;
    bl_report_size *sizes; /* ascending in batch size */
    size_t size_count;
    bl_stats_optimum best[BL_STATS_GOAL_COUNT]; /* index: into sizes */
    bl_stats_critical critical;
} bl_report_target;

/* A sweep can ask its question several times, under settings that have a name: an optimizer, a
 * normalisation. */
enum { BL_NO_SERIES = -1 };
typedef struct bl_report_series {
    const char *name;      /* the plan's */
    bl_report_target main; /* the main target under these settings */
} bl_report_series;

/* What a look at the test rows gave, in the sweep's words, and the median over its seeds. */
typedef struct bl_report_test {
    const char *text;
    double batch_size, learning_rate, value; /* NAN: not finite */
    int series;
} bl_report_test;

/* What a run of the plan measured on its way, as far as the plan asked. */
typedef struct bl_report_eval {
    double step, value; /* the metric; NAN: diverged */
} bl_report_eval;
typedef struct bl_report_run {
    char run[BL_RUN_ID];
    double batch_size, learning_rate;
    int64_t seed;
    bl_report_eval *eval;
    size_t evals;                 /* 0: its log is not there */
    const bl_report_trial *trial; /* that speaks for it (bl_report_trial_of) */
} bl_report_run;

/* The validation value of one batch size within one budget. */
typedef struct bl_report_budget {
    bl_plan_budget kind;
    double amount; /* of epochs, steps, seconds, the currency */
    bool best;     /* the lowest value within this budget and series */
    int series;    /* into model->series; BL_NO_SERIES */
    double batch_size, learning_rate;
    double value;     /* of the median seed */
    double low, high; /* range over the seeds; NAN: one seed */
    int64_t steps;
    char run[BL_RUN_ID];
} bl_report_budget;

/* All seeds of one learning rate that was tried at one batch size for the main target. */
typedef struct bl_sensitivity_rate {
    double batch_size, learning_rate;
    double steps; /* median over the seeds, infinite when too few arrived */
    double ran;   /* median of the steps that were run: a bound where `steps` is infinite */
    size_t trials, arrived;
} bl_sensitivity_rate;

/* What a rule is called in files and in sentences. */
typedef struct bl_report_rule_name {
    const char *file, *words;
} bl_report_rule_name;
extern const bl_report_rule_name bl_report_rule_names[BL_PLAN_RULE_COUNT];

/* What following a rule for the learning rate costs at one batch size. */
typedef struct bl_report_regret {
    bl_plan_rule rule;
    double batch_size, learning_rate, target;
    bl_stats_value regret; /* S(rule) / S(retuned); bound == 1: at least */
    bool run;              /* the sweep ran this rate; else read from the rates around it */
} bl_report_regret;

/* Two batch sizes against each other on the same fresh seeds, each at its own best rate. Ratios are
 * second / first, medians over pairs of seeds. */
typedef struct bl_report_pair {
    double batch_size[2], learning_rate[2];
    char (*run[2])[BL_RUN_ID];        /* (seeds) */
    char (*budget_run[2])[BL_RUN_ID]; /* (seeds); NULL: not compared within a budget */
    size_t seeds;
    size_t reached;                       /* pairs of which at least one reached the target */
    bl_stats_value steps, examples, time; /* bound: a pair's other run did not get there */
    double budget_epochs;                 /* 0: not compared within a budget */
    double budget_steps[2], budget_learning_rate[2];
    size_t valued;
    double budget_value[2];    /* medians of the metric within the budget */
    bl_stats_value difference; /* of the metric: second - first */
} bl_report_pair;

/* A run of the learning-rate finder (finder_read.c). */
enum { BL_REPORT_SUGGESTIONS = 3 };
typedef struct bl_report_finder_point {
    double learning_rate, loss; /* smoothed */
} bl_report_finder_point;
typedef struct bl_report_suggestion {
    char name[16];
    double learning_rate, regret; /* NAN: none; not judged */
    bool at_least;
} bl_report_suggestion;
typedef struct bl_report_finder {
    double batch_size, tuned;      /* the retuned rate; NAN: not known */
    bl_report_finder_point *point; /* (points) by rising rate */
    size_t points;
    bl_report_suggestion suggestion[BL_REPORT_SUGGESTIONS];
    size_t suggestions;
} bl_report_finder;

/* The best validation value of one batch size in one part of sweep.quality (quality.c). */
typedef enum bl_report_part {
    BL_REPORT_PART_ALL,  /* everything retuned */
    BL_REPORT_PART_RATE, /* the rate alone */
    BL_REPORT_PART_NONE, /* nothing */
    BL_REPORT_PART_HALF, /* everything, and half of the steps */
    BL_REPORT_PART_COUNT
} bl_report_part;
typedef struct bl_report_quality {
    bl_report_part part;
    double batch_size, learning_rate, steps;
    double margin; /* declared: ratios within 1 + margin count as equal */
    bool bracketed;
    char *settings;        /* what was found, as a JSON object */
    double *lowest;        /* (seeds) on each run's way, in the order of seeds: infinite when it
                              diverged, NAN when its log is not there */
    size_t seeds, valued;  /* `valued`: those with a log */
    bl_stats_value median; /* of `lowest` */
    /* To the smallest batch size of the part with the same seed; of PART_HALF to PART_ALL at the
     * same batch size. Unknown for the smallest size itself. */
    bl_stats_value ratio;
    bl_stats_equal verdict;
} bl_report_quality;

/* The gradient noise scale in a window of a run, and a line of them (noise_read.c). */
typedef struct bl_report_noise_point {
    double examples, scale, low, high; /* NaN: undetermined; low and high of probes alone */
    double records;                    /* that it is made of */
} bl_report_noise_point;
typedef struct bl_report_noise_line {
    const char *name, *words;
    bl_report_noise_point point[16];
    size_t points;
} bl_report_noise_line;

/* machine.json: what batchlab machine found out (machine_read.c). */
typedef struct bl_report_probe {
    double batch_size, bytes; /* NAN: not known */
    bool ran;
} bl_report_probe;
enum { BL_REPORT_PHASES = 2, BL_REPORT_PHASE_KINDS = 4, BL_REPORT_LAYERS = 5 };
extern const char *const bl_report_phase_names[BL_REPORT_PHASE_KINDS];
typedef struct bl_report_layer_time {
    char name[32];
    double seconds; /* of a step, forward and backward */
} bl_report_layer_time;
typedef struct bl_report_phases {
    double batch_size, phase[BL_REPORT_PHASE_KINDS], step, evaluation; /* seconds */
    double whole, same_batch, gather;  /* three loops: seconds of a step; NAN: not measured */
    double of_multiply_adds, of_bytes; /* shares of the peaks */
    double waits_for_data; /* share of a step, as a program says; NAN: a net of batchlab's own */
    char bound[64];
    bl_report_layer_time layer[BL_REPORT_LAYERS]; /* (layers) the dearest first */
    size_t layers;
} bl_report_phases;
typedef struct bl_report_machine {
    bool known;
    double limit, kept_free; /* bytes */
    char source[64], note[256];
    bl_report_probe *probe; /* (probes) ascending in batch size */
    size_t probes;
    double parameters;
    double largest, largest_bytes; /* that ran; NAN bytes on a device */
    double failed, most;           /* the smallest that did not run, 0: none; rows of an epoch */
    char because[64];              /* how it ended */
    bool out_of_time;
    double peak_multiply_adds; /* a second; NAN: not measured */
    bl_report_phases phases[BL_REPORT_PHASES];
    size_t phase_count;
    double piece, pieced; /* examples; 0: pieces were not measured */
    bl_stats_value in_pieces;
} bl_report_machine;

/* The best rate against the budget, for a schedule and a choice of batch size (rate_budget.h). */
enum { BL_REPORT_RATE_POINTS = 8 };
typedef struct bl_report_rate_point {
    double epochs, learning_rate, low, high; /* low and high: NaN with one seed */
    double batch_size;
} bl_report_rate_point;
typedef struct bl_report_rate_budget {
    char words[48];     /* "constant, fixed size" */
    double slope, half; /* d log rate / d log examples; half the width of its interval */
    bl_report_rate_point point[BL_REPORT_RATE_POINTS]; /* (points) by rising budget */
    size_t points;
} bl_report_rate_budget;

/* What was said of the critical batch size before the sweep (audit.h). */
typedef struct bl_report_forecast {
    const char *name, *words; /* in files, in sentences */
    double target;
    int series; /* of the answer it is held against */
    bl_stats_value value;
} bl_report_forecast;

typedef struct bl_report_model {
    bl_plan_doc plan;    /* what the rest was made from; it owns texts and run ids below */
    char processor[128]; /* of the timing pass */
    bool timed;
    bool timing_sealed; /* false: timing.json is from before there were seals */
    double *targets;    /* (target_count): all of them, easiest first */
    size_t target_count;
    int64_t threads;         /* of one training run in the timing pass */
    bl_report_trial *trials; /* in the plan's order */
    size_t trial_count;
    bl_report_run *runs; /* the trials', each once, ascending in id */
    size_t run_count;
    bl_report_timing *timing;
    size_t timing_count;
    bl_report_machine machine;
    /* The answer: main.target is the last of the plan's targets, NAN where no trial asked for
     * one; its sizes are those with a decision for it. With series it is that of the series with
     * the fewest steps. */
    bl_report_target main;
    int main_series;          /* into `series`; BL_NO_SERIES: what was asked under no name */
    bl_report_target *easier; /* the plan's other targets, easiest first */
    size_t easier_count;
    bl_report_series *series; /* in the plan's order */
    size_t series_count;
    bl_report_test *tests;
    size_t test_count;
    bl_report_finder *finders; /* (finder_count) in the order of the plan */
    size_t finder_count;
    bl_report_quality *quality; /* (quality_count) in the order of the plan */
    size_t quality_count;
    bl_report_noise_line *noise; /* (noise_count) of one run, of batches of noise_batch_size */
    size_t noise_count;
    double noise_batch_size;
    bl_report_rate_budget *rate_budgets; /* (rate_budget_count) in the order of the plan */
    size_t rate_budget_count;
    bl_report_forecast *forecasts; /* (forecast_count) by target */
    size_t forecast_count;
    bl_sensitivity_rate *rates; /* every rate tried for the main target, by batch size and rate */
    size_t rate_count;
    bl_report_regret *regrets;
    size_t regret_count;
    bl_report_pair *pairs; /* in the plan's order */
    size_t pair_count;
    bl_report_budget *budgets; /* by kind, amount and batch size */
    size_t budget_count;
    bl_stats_point *reference_steps; /* known beforehand, to the main target */
    size_t reference_count;
    bl_stats_critical reference_critical; /* by the same estimators from the range of
                                         batch sizes measured, without intervals */
    const char **notes;                   /* (note_count): what the sweep said besides */
    size_t note_count;
    bool answered; /* a batch size reached the target, or none was asked to */
} bl_report_model;

void bl_report_size_free(bl_report_size *size);
void bl_report_target_free(bl_report_target *target);
void bl_report_model_free(bl_report_model *model);

/* Fills model->runs from the trials, and which trial speaks for each: once trials and main target
 * are final. */
void bl_report_index(bl_report_model *model);
/* NULL when the plan does not name it. */
bl_report_run *bl_report_find_run(const bl_report_model *model, const char *run);
/* NULL when the plan does not name it or its log is not there. */
const bl_report_run *bl_report_run_of(const bl_report_model *model, const char *run);

/* Where the best of all series for one goal lies. */
typedef struct bl_report_winner {
    const bl_report_target *target; /* its best[goal] is the best of all */
    int series;                     /* whose target that is; BL_NO_SERIES */
} bl_report_winner;
bl_report_winner bl_report_winner_of(const bl_report_model *model, bl_stats_goal goal);

/* A view of target `i`, the easier ones first: easier_count is the main one. */
bl_report_target bl_report_target_at(const bl_report_model *model, size_t i);
/* The run in the middle by its steps to the target (of an even number the faster of the two); NULL
 * when its log is not there. */
const bl_report_run *bl_report_typical_run(const bl_report_model *model,
                                           const bl_report_size *size);
/* What is known of a run and the target: of the trials that asked for it one that arrived, else the
 * longest; NULL without any. */
const bl_report_trial *bl_report_trial_of(const bl_report_model *model, const char *run);
/* Core-seconds to money; NAN without a price. */
double bl_report_money(const bl_report_model *model, double core_seconds);
/* Known steps at a batch size; NAN where nothing is known. */
double bl_report_reference_steps(const bl_report_model *model, double batch_size);
/* Examples and joules to the target; NAN when not known. */
double bl_report_examples(const bl_report_size *size);
double bl_report_joules(const bl_report_size *size);
#endif
