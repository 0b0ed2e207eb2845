/* Which batch size is worth trying, from one short run and without a sweep: what `batchlab find`
 * and `batchlab init` ask.
 *
 *     bl_find_run          trains what scripts/lua/pilot.lua asks for; every run goes to the store
 *       find_targets.c     the pilot's courses -> two targets for a sweep
 *       find_noise.c       its probes -> the gradient noise scale (engine/noise)
 *       find_propose.c     noise scale, line of step times -> batch size, rate, steps, seconds
 *       find_check.c       these tried: seeds that run with them to the target
 *     bl_find_text, _json  what came out, for people and for programs
 *     bl_find_settings_of  targets, rate and sizes as settings for experiment.cfg
 *
 *     bl_find found;
 *     BL_TRY(bl_find_run(&found, &json, &config, &scheduler, &options, err));
 *     printf("%lld\n", (long long)found.best.batch_size);
 *
 * What came out is also written to the store's find.json, which a report reads (docs/formats.md).
 * A second call trains nothing and comes to the same bytes, times included: the times of a step are
 * part of the store once they are measured.
 *
 * The theory (McCandlish et al. 2018, arXiv 1812.06162): steps to a target are
 * S(B) = S_min (1 + B_n / B), B_n the noise scale. With t(B) = a + c B seconds a step, S(B) t(B) is
 * least at B = sqrt(B_n a / c). docs/noise.md says how far this was off where it was checked. */
#ifndef BL_ENGINE_FIND_FIND_H
#define BL_ENGINE_FIND_FIND_H
#include "engine/base/buf.h"
#include "engine/base/json.h"
#include "engine/base/sha256.h"
#include "engine/config/edit.h"
#include "engine/noise/noise.h"
#include "engine/stats/step_line.h"
#include "engine/sweep/sweep.h"

enum { BL_FIND_TARGETS = 2, BL_FIND_SIZES = 5 };

/* Values of one seed of the pilot, by rising step. */
typedef struct bl_find_course {
    const bl_eval *eval; /* (evals) */
    size_t evals;
} bl_find_course;

typedef struct bl_find_target {
    double value;
    double steps;   /* of the pilot's batch: log mean over the seeds */
    double scatter; /* standard deviation of the log steps of one run, predicted */
} bl_find_target;

/* Steps within which a run of another seed comes to `value`, in 95 of 100 cases: from where the
 * band around the courses' mean first has it to where the whole band is below. The band is two
 * deviations of the values wide; where a course is flat, it is long in steps. high INFINITY: the
 * pilot does not say. */
typedef struct bl_find_span {
    double low, high;
} bl_find_span;

/* What the scatter of a target's steps should stay below, for three seeds to say something. */
#define BL_FIND_SCATTER 0.15

/* The noise scale in three windows of the pilot, its seeds together. */
typedef struct bl_find_noise {
    bl_noise_value start;  /* the first probe of each seed */
    bl_noise_value way;    /* up to the harder target: bl_noise_course */
    bl_noise_value target; /* probes between 2/3 and 3/2 of its steps */
    size_t probes;         /* in all; 0: the runs have none with this measure */
} bl_find_noise;

/* For a target that the experiment has: what the audit holds against a sweep's answer. */
typedef struct bl_find_forecast {
    double target;
    double steps; /* of the pilot's batch; NAN: most seeds did not get there */
    bl_find_noise noise[BL_NOISE_MEASURES];
} bl_find_forecast;
enum { BL_FIND_FORECASTS = 8 };

typedef struct bl_find_proposal {
    bool known;
    /* The fastest by S(B) t(B), and what the interval of the noise scale and the audit's factors
     * make of that. */
    int64_t batch_size, low, high;
    double learning_rate, steps, seconds;
    double steps_low, steps_high; /* 95 %, for one run of another seed; NAN: no bound is known */
    size_t arrived; /* seeds that were there with this size and rate; 0: it is the pilot's */
    int64_t sizes[BL_LIST]; /* (size_count) worth a sweep: list_sizes */
    size_t size_count;
} bl_find_proposal;

/* A size that the noise scale and the times spoke for, and most seeds did not arrive with. */
typedef struct bl_find_refusal {
    int64_t batch_size, steps; /* that they ran; 0: there is none */
    size_t arrived;
    double learning_rate;
} bl_find_refusal;

typedef struct bl_find {
    char why[320]; /* there are no targets, and what helps; "": there are */
    /* the pilot */
    int64_t batch_size, steps;
    double learning_rate, epochs;
    double lr_min, lr_max; /* of the sweep's grid, which the proposed rate keeps to; 0: any */
    size_t seeds;
    char trains[BL_SHA256_HEX]; /* bl_plan_settings_digest of its runs */
    bool synthetic;
    double baseline; /* sweep.baseline, the metric without a net; 0: not known */
    /* Probes that a larger noise.batches cannot make larger: they take a quarter of the rows. */
    bool few_rows;
    bl_find_target target[BL_FIND_TARGETS]; /* easier, harder */
    bl_find_span span;                      /* of the harder one's steps */
    bool settled;                           /* the harder one's scatter is below BL_FIND_SCATTER */
    bl_find_noise noise[BL_NOISE_MEASURES];
    bl_noise_measure measure; /* that the proposal rests on */
    /* Where it was checked, the noise scale was from audit_low to audit_high times the critical
     * batch size under an optimizer of this kind; 0: nobody knows. */
    double audit_low, audit_high;
    /* times */
    int64_t size[BL_FIND_SIZES]; /* (size_count) */
    double seconds[BL_FIND_SIZES];
    size_t size_count;
    bl_stats_step_line line;
    bl_find_proposal best;
    bl_find_refusal refused;
    bl_find_forecast forecast[BL_FIND_FORECASTS]; /* (forecasts) of the experiment's own targets */
    size_t forecasts;
} bl_find;

/* As bl_sweep_options; `script` is pilot.lua's path. */
typedef struct bl_find_options {
    const char *script, *library_dir;
    void (*decision)(void *ctx, const char *text); /* may be NULL */
    void *ctx;
} bl_find_options;

/* What the pilot is trained with: `config` with probes, and with short timing passes. */
bl_config bl_find_config(const bl_config *config, int64_t epoch_rows);
/* *json gets the bytes of find.json. */
bl_status bl_find_run(bl_find *out, bl_buf *json, const bl_config *config,
                      const bl_scheduler *scheduler, const bl_find_options *options,
                      bl_err *err) BL_CHECKED;

/* ---- the parts, pure ---- */

/* Two targets out of `courses` that were evaluated at the same steps; false: too few evaluations,
 * or nothing was learnt. The harder one is the latest value of the first four fifths whose
 * predicted scatter is below BL_FIND_SCATTER, from 30 steps on; the easier one the value at five
 * eighths of its steps. Where all values scatter more (*settled false), the one that scatters least
 * is taken; where none fall, the lowest by a half and by four fifths of the way. Both are below
 * `baseline` where values of the way are (INFINITY: any will do). */
bool bl_find_targets(bl_find_target out[BL_FIND_TARGETS], bool *settled,
                     const bl_find_course *course, size_t courses, double baseline);
/* The span of the pilot's steps to a value. */
bl_find_span bl_find_span_of(const bl_find_course *course, size_t courses,
                             const bl_find_target *target);
/* Steps to `value`: log mean over the courses that reach it, NAN where fewer than half do. */
double bl_find_steps_to(const bl_find_course *course, size_t courses, double value);
/* probe[probes] sorted by step; `steps` of `batch` examples lead to the harder target. */
bl_find_noise bl_find_noise_of(const bl_noise_probe *probe, size_t probes, double steps,
                               double batch, bl_noise_measure measure);
/* From what the other fields say; `lr_rule` moves the rate, `rows` is the largest size. */
bl_find_proposal bl_find_propose(const bl_find *found, const char *lr_rule, int64_t rows);
/* The same for a size half as far from the pilot's, on a logarithmic scale. */
void bl_find_move(bl_find_proposal *p, const bl_find *found, const char *lr_rule, int64_t rows);
/* `arrived` of the seeds had the target with its size and rate, after `steps` in the log mean. */
void bl_find_measured(bl_find_proposal *p, const bl_find *found, double steps, size_t arrived);

/* ---- words ---- */

void bl_find_text(bl_buf *out, const bl_find *found, const bl_config *config);
/* One object, open for further members: bl_seal closes it, as it does in the store's find.json.
 * `before` is the root of an earlier find.json or NULL. Its forecasts for other presets,
 * optimizers, data and settings are kept, so that a sweep of several optimizers is audited whole.
 */
void bl_find_json(bl_buf *out, const bl_find *found, const bl_config *config,
                  const bl_json *before);

/* Is there a proposal, and a target that is not reached without a net? */
bool bl_find_is_answer(const bl_find *found);

/* Targets, batch sizes, the grid's first rate and the noise scale as settings of group "sweep", to
 * be written by bl_config_edit. Sizes and noise scale are left out where no proposal is known, and
 * a target that is reached without a net. */
typedef struct bl_find_settings {
    bl_config_change change[4]; /* (count) */
    size_t count;
    char text[4][512]; /* the values */
} bl_find_settings;
void bl_find_settings_of(bl_find_settings *out, const bl_find *found, const bl_config *config);
#endif
