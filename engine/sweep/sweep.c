/* The host of a sweep script: between the planner (engine/lua), which knows what is asked for, and
 * the scheduler, which carries rounds out.
 *
 *     bl_planner_run -> run_round    bl_scheduler_run, then the round and its trials to the plan
 *                    -> decide       the decision to the plan, its text to the display
 *                    -> step_times   measured once, then read (timing.c)
 *
 * The plan is kept as the text of plan.jsonl. Every record is appended to it as it is made, and the
 * file is written anew when the text has grown enough. A plan is a pure function of what its
 * decisions rest on: what another process wrote into the file is this text, or a part of it, or
 * more of it. */
#include "engine/sweep/sweep.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/plan/settings.h"
#include "engine/train/train.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PLAN_LIMIT = 1 << 30 };

typedef struct sweep {
    const bl_config *config;
    const bl_scheduler *scheduler;
    const bl_sweep_options *options;
    bl_sweep_totals *totals;
    bl_buf plan;
    bl_file_stamp stamp; /* of plan.jsonl as it was last read */
    bl_buf there;        /* its text without the seal; empty where that does not hold */
    bool sealed;         /* it has one: an older file is renewed */
    size_t equal;        /* bytes of it that are known to be those of `plan` */
    size_t saved;        /* bytes of `plan` when it was last saved */
} sweep;

/* The plan's first line: what was asked, from the configuration and the data set. */
static void write_head(sweep *s) {
    const bl_config *c = s->config;
    const bl_dataset *d = s->scheduler->data;
    double targets[BL_LIST];
    memcpy(targets, c->sweep.targets.v, sizeof targets);
    bl_plan_head head = {.experiment = c->name,
                         .preset = c->preset,
                         .title = c->title,
                         .metric = c->metric,
                         .optimizer = c->optimizer.name,
                         .epoch_rows = bl_train_epoch_rows(c, d),
                         .references = s->options->references};
    if (strcmp(c->sweep.scaling, "auto") != 0) head.scaling = c->sweep.scaling;
    head.targets = (bl_plan_numbers){targets, c->sweep.targets.n};
    head.baseline = c->sweep.baseline > 0 ? c->sweep.baseline : (double)NAN;
    head.dataset = (bl_plan_dataset){d->name, d->variant, d->sha256, d->synthetic};
    head.cost = (bl_plan_cost){.per_core_hour = c->cost.per_core_hour,
                               .currency = c->cost.currency,
                               .device_batch_size = c->cost.device_batch_size,
                               .device_memory = c->cost.device_memory_mib,
                               .upfront_core_hours = c->cost.upfront_core_hours,
                               .upfront_seconds = c->cost.upfront_seconds};
    bl_plan_write_head(&s->plan, &head);
}

static void write_round(sweep *s, const bl_round *round) {
    const bl_plan_round record = {.round = (int64_t)s->totals->rounds,
                                  .title = round->title,
                                  .race = round->race,
                                  .slack = round->slack};
    bl_plan_write_round(&s->plan, &record);
}

/* The trial with its answer; its settings are written as what differs from the configuration. */
static void write_trial(sweep *s, const bl_trial *t, const bl_trial_result *r) {
    bl_buf set = {0};
    bl_config config;
    bl_trial_resolve(t, &config);
    bl_plan_settings_write(&set, s->config, &config);
    bl_plan_trial record = {.round = (int64_t)s->totals->rounds,
                            .set = set.data,
                            .batch_size = t->batch_size,
                            .learning_rate = t->learning_rate,
                            .seed = t->seed,
                            .max_steps = t->max_steps,
                            .target = t->target,
                            .outcome = r->outcome,
                            .steps = r->steps,
                            .target_step = r->target_step,
                            .previous_eval_step = r->previous_eval_step,
                            .reason = t->reason,
                            .error = r->error};
    memcpy(record.run, r->run, sizeof record.run);
    bl_plan_write_trial(&s->plan, &record);
    bl_buf_free(&set);
}

/* Whether the plan has grown enough to be saved again. A large one is saved whenever it has grown
 * by a sixteenth, so that all saving together costs in proportion to its size; a small one at once.
 */
static bool save_is_due(const sweep *s) {
    enum { SMALL = 64 << 10, SHARE = 16 };
    return s->plan.len < SMALL || s->plan.len - s->saved >= s->plan.len / SHARE;
}

/* What changed since it was written is as good as not there. */
static void read_there(sweep *s, const char *path) {
    bl_err ignored;
    bl_buf_clear(&s->there);
    s->equal = 0;
    if (bl_file_read(&s->there, path, PLAN_LIMIT, &ignored) != BL_OK) bl_buf_clear(&s->there);
    const size_t bytes = bl_plan_sealed_bytes(bl_buf_text(&s->there), s->there.len, &s->sealed);
    bl_buf_truncate(&s->there, bytes != SIZE_MAX ? bytes : 0);
}

/* What is on disk is left alone as long as it begins with this plan: when a sweep is repeated, and
 * when another process is further in the same one. At the `end` it has to be this plan exactly. */
static bl_status save_plan(sweep *s, bool end, bl_err *err) {
    char path[BL_PATH];
    if (!s->options->write_plan) return BL_OK;
    s->saved = s->plan.len;
    BL_TRY(bl_path(path, err, "%s/plan.jsonl", s->scheduler->store->dir));
    if (bl_file_changed(path, &s->stamp)) read_there(s, path);
    /* Both only grow between two reads, so what was found equal is. */
    const bool fits =
        s->there.len >= s->plan.len && memcmp(bl_buf_text(&s->there) + s->equal,
                                              s->plan.data + s->equal, s->plan.len - s->equal) == 0;
    if (fits) s->equal = s->plan.len;
    if (fits && (!end || (s->sealed && s->there.len == s->plan.len))) return BL_OK;
    const size_t bytes = s->plan.len;
    bl_plan_seal(&s->plan);
    const bl_status status = bl_store_write(path, s->plan.data, s->plan.len, err);
    bl_buf_truncate(&s->plan, bytes);
    return status;
}

/* A script may only decide, or ask for runs of one step, which come to their end before they look:
 * so a request to stop is answered before each round and decision, too. */
static bl_status check_stop(const sweep *s, bl_err *err) {
    const volatile int *stop = s->scheduler->stop;
    if (stop == NULL || __atomic_load_n(stop, __ATOMIC_RELAXED) == 0) return BL_OK;
    BL_FAIL(err, BL_EINTERRUPTED, "stopped between two rounds");
}

static bool is_lost(const bl_trial_result *r) {
    return r->outcome == BL_OUTCOME_MEMORY || r->outcome == BL_OUTCOME_FAILED;
}

/* A program that fails in every run of a round will fail in the next one, too. Under fail_fast one
 * run without memory or that failed ends the sweep. */
static bl_status check_failures(const sweep *s, const bl_round *round,
                                const bl_trial_result *results, bl_err *err) {
    size_t failures = 0;
    for (size_t i = 0; i < round->count; i++) {
        const bl_trial_result *r = &results[i];
        failures += r->outcome == BL_OUTCOME_FAILED;
        if (!s->options->fail_fast || !is_lost(r)) continue;
        if (r->outcome == BL_OUTCOME_FAILED)
            BL_FAIL(err, BL_EPROGRAM, "run %s of round '%s' failed: %s", r->run, round->title,
                    r->error);
        BL_FAIL(err, BL_ENOMEM, "run %s of round '%s' did not fit into memory", r->run,
                round->title);
    }
    if (failures < round->count) return BL_OK;
    BL_FAIL(err, BL_EPROGRAM, "the sweep ends here: %s of round '%s' failed",
            failures == 1 ? "the only run" : "all runs", round->title);
}

/* The planner's way to run a round. It may end the sweep, after the round is in the plan. */
static bl_status run_round(void *ctx, const bl_round *round, bl_trial_result *results,
                           bl_err *err) {
    sweep *s = ctx;
    BL_TRY(check_stop(s, err));
    s->totals->rounds++;
    if (s->options->round != NULL) s->options->round(s->options->ctx, round);
    BL_TRY(bl_scheduler_run(s->scheduler, round, results, err));
    write_round(s, round); /* only whole rounds are in the plan */
    for (size_t i = 0; i < round->count; i++) {
        write_trial(s, &round->trial[i], &results[i]);
        s->totals->trials++;
        s->totals->reached += results[i].outcome == BL_OUTCOME_TARGET;
        s->totals->failed += is_lost(&results[i]);
    }
    if (save_is_due(s)) BL_TRY(save_plan(s, false, err));
    return check_failures(s, round, results, err);
}

static bl_status decide(void *ctx, const bl_plan_decision *decision, bl_err *err) {
    sweep *s = ctx;
    BL_TRY(check_stop(s, err));
    bl_plan_decision record = *decision;
    record.round = (int64_t)s->totals->rounds;
    bl_plan_write_decision(&s->plan, &record);
    if (s->options->decision != NULL) s->options->decision(s->options->ctx, decision->text);
    return save_is_due(s) ? save_plan(s, false, err) : BL_OK;
}

static bl_status step_times(void *ctx, const int64_t *batch_sizes, size_t count, double *seconds,
                            bl_err *err) {
    const sweep *s = ctx;
    const bl_timing_options options = {.config = s->config,
                                       .data = s->scheduler->data,
                                       .store = s->scheduler->store,
                                       .kernels = s->scheduler->kernels,
                                       .device_data = s->scheduler->device_data,
                                       .devices = s->scheduler->devices,
                                       .memory = s->scheduler->memory,
                                       .batch_sizes = batch_sizes,
                                       .count = count,
                                       .stop = s->scheduler->stop};
    return bl_timing_steps(&options, s->scheduler->lookup_only, seconds, err);
}

bl_status bl_sweep_run(const bl_config *config, const bl_scheduler *scheduler,
                       const bl_sweep_options *options, bl_sweep_totals *totals, bl_err *err) {
    *totals = (bl_sweep_totals){0};
    sweep s = {.config = config, .scheduler = scheduler, .options = options, .totals = totals};
    write_head(&s);
    const bl_planner_facts facts = {.epoch_rows = bl_train_epoch_rows(config, scheduler->data),
                                    .synthetic = scheduler->data->synthetic};
    bl_err ignored;
    const bl_planner_host host = {
        .ctx = &s, .run = run_round, .decide = decide, .step_times = step_times};
    bl_status status = bl_planner_run(options->script, options->library_dir, config, &facts, &host,
                                      &bl_planner_default_limits, err);
    if (status == BL_OK)
        status = save_plan(&s, true, err);
    else if (s.saved < s.plan.len)
        (void)save_plan(&s, false, &ignored);
    bl_buf_free(&s.plan);
    bl_buf_free(&s.there);
    return status;
}

static bl_status stop_at_first_round(void *ctx, const bl_round *round, bl_trial_result *results,
                                     bl_err *err) {
    (void)results;
    *(size_t *)ctx = round->count;
    BL_FAIL(err, BL_EINTERRUPTED, "checked");
}

static bl_status decide_nothing(void *ctx, const bl_plan_decision *decision, bl_err *err) {
    (void)ctx, (void)decision, (void)err;
    return BL_OK;
}

/* Any times do: the first round does not hang on them. */
static bl_status some_times(void *ctx, const int64_t *batch_sizes, size_t count, double *seconds,
                            bl_err *err) {
    (void)ctx, (void)batch_sizes, (void)err;
    for (size_t i = 0; i < count; i++) seconds[i] = 1e-3;
    return BL_OK;
}

bl_status bl_sweep_check(const bl_config *config, int64_t epoch_rows,
                         const bl_sweep_options *options, size_t *trials, bl_err *err) {
    *trials = 0;
    const bl_planner_facts facts = {.epoch_rows = epoch_rows};
    const bl_planner_host host = {.ctx = trials,
                                  .run = stop_at_first_round,
                                  .decide = decide_nothing,
                                  .step_times = some_times};
    const bl_status status = bl_planner_run(options->script, options->library_dir, config, &facts,
                                            &host, &bl_planner_default_limits, err);
    return status == BL_EINTERRUPTED && *trials > 0 ? BL_OK : status;
}
