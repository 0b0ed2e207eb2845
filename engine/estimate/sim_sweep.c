#include "engine/estimate/sim_sweep.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/sweep/stop_rule.h"
#include "engine/train/train.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A sweep on imagined runs, to learn what a script asks for without training anything.
 *
 * The planner is the real one; only the host that answers it differs. A round is answered from the
 * formula in sim_sweep.h: the run of batch size B and rate eta needs S steps, its metric is target
 * x sqrt(S / step), and it is evaluated where a real one would be. The stop rule and the race are
 * the real ones, too.
 *
 * A rate twice or half the best takes 2^0.4 = 1.3 times the steps, one four times off 2^1.6 = 3
 * times: as tables of measured steps show it. */
static const double k_curvature = 0.4, k_most_steps = 1e15;

/* `keep` leaves the best rate where it is; every other rule than `linear` counts as `sqrt`. */
double bl_sim_sweep_steps(const bl_config *c, int64_t epoch_rows, double batch_size,
                          double learning_rate) {
    const double grown = batch_size / (double)c->sweep.batch_sizes.v[0];
    const double moved = strcmp(c->sweep.lr_rule, "keep") == 0     ? 1.0
                         : strcmp(c->sweep.lr_rule, "linear") == 0 ? grown
                                                                   : sqrt(grown);
    const double d = log2(learning_rate / (c->sweep.lr_start * moved));
    const double best = c->sweep.expected_epochs * (double)epoch_rows / batch_size *
                        (1.0 + batch_size / c->sweep.expected_batch_size);
    return fmin(k_most_steps, fmax(1.0, best) * exp2(k_curvature * d * d));
}

/* The metric falls as the root of steps and is at the target after S. */
static void train(const bl_sim_sweep *in, const bl_trial *t, bl_trial_result *r) {
    const double s =
        bl_sim_sweep_steps(in->config, in->epoch_rows, (double)t->batch_size, t->learning_rate);
    bl_config config;
    bl_trial_resolve(t, &config);
    const double target = isnan(in->target) ? 1.0 : in->target;
    for (int64_t step = 0; step < t->max_steps;) {
        step = bl_train_next_eval(&config, in->epoch_rows, step, t->max_steps);
        const double value = target * sqrt(s / (double)step);
        *BL_PUSH(r->eval, r->evals, "evaluations") =
            (bl_eval){.step = step,
                      .value = value,
                      .batch_mean = config.eval.batch_mean ? value : (double)NAN};
        if (value <= t->target) break;
    }
}

/* Where the run of this identity is entered, or would be. A digest's first digits are as good as
 * any hash of it. */
static size_t *slot_of(const bl_sim_sweep *in, const char *identity) {
    char digits[16] = {0};
    memcpy(digits, identity, sizeof digits - 1);
    size_t at = (size_t)(strtoull(digits, NULL, 16) % in->slots);
    while (in->slot[at] != 0 && strcmp(in->run[in->slot[at] - 1].identity, identity) != 0)
        at = (at + 1) % in->slots;
    return &in->slot[at];
}

/* Doubled when half full; entries are found again by their identities. */
static void grow_slots(bl_sim_sweep *in) {
    free(in->slot);
    in->slots = in->slots == 0 ? 256 : 2 * in->slots;
    in->slot = bl_xalloc(in->slots * sizeof *in->slot);
    for (size_t i = 0; i < in->count; i++) *slot_of(in, in->run[i].identity) = i + 1;
}

/* Enters the run by its identity, and keeps the longest prefix that a trial asked for. A run that
 * is asked for twice is trained once. The identity's first digits serve as its id. */
static void note(bl_sim_sweep *in, const bl_trial *t, bl_trial_result *r) {
    char identity[BL_SHA256_HEX];
    bl_buf text = {0};
    bl_config config;
    bl_trial_resolve(t, &config);
    bl_config_identity(&config, &text);
    bl_sha256_of(text.data, text.len, identity);
    bl_buf_free(&text);
    memcpy(r->run, identity, sizeof r->run - 1);
    r->run[sizeof r->run - 1] = '\0';
    if (2 * in->count >= in->slots) grow_slots(in);
    size_t *slot = slot_of(in, identity);
    const size_t i = *slot == 0 ? in->count : *slot - 1;
    if (i == in->count) {
        *BL_PUSH(in->run, in->count, "simulated runs") = (bl_sim_run){.batch_size = t->batch_size};
        memcpy(in->run[i].identity, identity, sizeof identity);
        *slot = i + 1;
    }
    if (r->steps > in->run[i].steps) {
        in->run[i].steps = r->steps;
        in->run[i].evals = r->evals;
    }
}

/* A bl_sweep's way to run a round, on imagined curves. All trials are trained to their limit before
 * the race is judged, as if all had run side by side. */
static bl_status run_round(void *ctx, const bl_round *round, bl_trial_result *results,
                           bl_err *err) {
    bl_sim_sweep *in = ctx;
    int64_t best = 0;
    for (size_t i = 0; i < round->count; i++) {
        const bl_trial *t = &round->trial[i];
        double seconds;
        results[i] = (bl_trial_result){.outcome = BL_OUTCOME_BUDGET};
        BL_TRY(in->step_seconds(in->ctx, t->batch_size, &seconds, err));
        if (isnan(seconds)) {
            results[i].outcome = BL_OUTCOME_MEMORY;
            continue;
        }
        if (isnan(in->target)) in->target = t->target;
        train(in, t, &results[i]);
        const size_t hit =
            bl_stop_first_hit(results[i].eval, results[i].evals, t->target, t->max_steps);
        const int64_t at = hit == SIZE_MAX ? 0 : results[i].eval[hit].step;
        if (round->race && at > 0 && (best == 0 || at < best)) best = at;
    }
    for (size_t i = 0; i < round->count; i++) {
        if (results[i].outcome == BL_OUTCOME_MEMORY) continue;
        bl_stop_apply(&round->trial[i], round->slack, best, &results[i]);
        note(in, &round->trial[i], &results[i]);
    }
    return BL_OK;
}

/* Decisions change nothing here: the script already knows what it decided. */
static bl_status decide(void *ctx, const bl_plan_decision *decision, bl_err *err) {
    (void)ctx, (void)decision, (void)err;
    return BL_OK;
}

static bl_status step_times(void *ctx, const int64_t *batch_sizes, size_t count, double *seconds,
                            bl_err *err) {
    const bl_sim_sweep *in = ctx;
    for (size_t i = 0; i < count; i++)
        BL_TRY(in->step_seconds(in->ctx, batch_sizes[i], &seconds[i], err));
    return BL_OK;
}

bl_status bl_sim_sweep_run(bl_sim_sweep *in, const char *script, const char *library_dir,
                           const bl_config *config, const bl_planner_facts *facts, bl_err *err) {
    const bl_f64_list *targets = &config->sweep.targets;
    const bl_planner_host host = {
        .ctx = in, .run = run_round, .decide = decide, .step_times = step_times};
    in->config = config;
    in->epoch_rows = facts->epoch_rows;
    in->target = targets->n > 0 ? targets->v[targets->n - 1] : (double)NAN;
    return bl_planner_run(script, library_dir, config, facts, &host, &bl_planner_default_limits,
                          err);
}

/* A size that does not fit has no runs that count, and no timing pass. */
double bl_sim_sweep_seconds(const bl_sim_sweep *in, const bl_sim_size *size, size_t count,
                            const bl_config *config) {
    double seconds = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(size[i].step)) continue;
        for (size_t k = 0; k < in->count; k++) {
            const bl_sim_run *r = &in->run[k];
            if (r->batch_size == size[i].batch_size)
                seconds += (double)r->steps * size[i].step + (double)r->evals * size[i].eval;
        }
        seconds +=
            (double)config->timing.repeats * fmax(config->timing.seconds, 3.0 * size[i].step);
    }
    return seconds;
}

void bl_sim_sweep_free(bl_sim_sweep *in) {
    free(in->run);
    free(in->slot);
    in->run = NULL;
    in->slot = NULL;
    in->count = in->slots = 0;
}
