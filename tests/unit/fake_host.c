#include "tests/unit/fake_host.h"
#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/base/sha256.h"
#include "engine/sweep/stop_rule.h"
#include "engine/train/train.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <inttypes.h>
#include <math.h>

const bl_planner_facts fake_facts = {.epoch_rows = 100000};

double fake_steps(const fake_host *f, double batch_size, double learning_rate, int64_t seed) {
    const double d = log2(learning_rate / (f->lr_opt * sqrt(batch_size / 64)));
    const uint32_t word = bl_random_u32((uint64_t)seed, BL_STREAM_SYNTH, (uint32_t)batch_size,
                                        (uint64_t)(learning_rate * 0x1p40));
    const double scatter = 1 + f->noise * (2 * (double)bl_unit_f32(word) - 1);
    return f->s_min * (1 + f->b_crit / batch_size) * exp2(f->curvature * d * d) * scatter;
}

static void compute(const fake_host *f, const bl_trial *t, bl_trial_result *r) {
    bl_config config;
    bl_trial_resolve(t, &config);
    const double batch = (double)t->batch_size, rate = t->learning_rate;
    const double decay = config.optimizer.weight_decay;
    const double e = decay > 0 ? log2(decay / f->decay_opt) : 0;
    const double s = fake_steps(f, batch, rate, t->seed) * exp2(f->decay_curvature * e * e);
    const bool diverges = log2(rate / (f->lr_opt * sqrt(batch / 64))) > f->diverge_above;
    size_t room = 0;
    char key[160], digest[BL_SHA256_HEX];
    const int n = snprintf(key, sizeof key, "%a %a %a %a %" PRId64, batch, rate, decay,
                           config.optimizer.beta1, t->seed);
    bl_sha256_of(key, (size_t)n, digest);
    (void)snprintf(r->run, sizeof r->run, "%.12s", digest);
    if (f->memory_above > 0 && t->batch_size > f->memory_above) {
        r->outcome = BL_OUTCOME_MEMORY;
        return;
    }
    for (int64_t step = 0; step < t->max_steps;) {
        step = bl_train_next_eval(&config, fake_facts.epoch_rows, step, t->max_steps);
        if (r->evals == room) {
            room = room == 0 ? 64 : 2 * room;
            r->eval = bl_xrealloc(r->eval, room * sizeof *r->eval);
        }
        const double value = diverges ? (double)NAN : f->target * sqrt(s / (double)step);
        r->eval[r->evals++] = (bl_eval){.step = step, .value = value, .batch_mean = (double)NAN};
        if (diverges || value <= t->target) break;
    }
}

static void count_steps(fake_host *f, const bl_trial *t, const bl_trial_result *r) {
    bl_config config;
    bl_trial_resolve(t, &config);
    size_t i = 0;
    while (i < f->done_count &&
           (f->done[i].batch_size != t->batch_size ||
            f->done[i].learning_rate != t->learning_rate ||
            f->done[i].weight_decay != config.optimizer.weight_decay || f->done[i].seed != t->seed))
        i++;
    if (i == f->done_count) {
        assert_true(i < BL_COUNT(f->done));
        f->done_count++;
        f->done[i].batch_size = t->batch_size;
        f->done[i].learning_rate = t->learning_rate;
        f->done[i].weight_decay = config.optimizer.weight_decay;
        f->done[i].seed = t->seed;
    }
    if (r->steps > f->done[i].steps) {
        f->steps += r->steps - f->done[i].steps;
        f->done[i].steps = r->steps;
    }
}

static bl_status run_round(void *ctx, const bl_round *round, bl_trial_result *results,
                           bl_err *err) {
    fake_host *f = ctx;
    if (f->fail != BL_OK) BL_FAIL(err, f->fail, "the host says stop");
    const double until = bl_clock_cpu_seconds() + f->busy;
    while (bl_clock_cpu_seconds() < until) {
    }
    int64_t best = 0;
    for (size_t n = 0; n < round->count; n++) {
        const size_t i = f->backwards ? round->count - 1 - n : n;
        const bl_trial *t = &round->trial[i];
        compute(f, t, &results[i]);
        const size_t hit =
            bl_stop_first_hit(results[i].eval, results[i].evals, t->target, t->max_steps);
        const int64_t at = hit == SIZE_MAX ? 0 : results[i].eval[hit].step;
        if (round->race && at > 0 && (best == 0 || at < best)) best = at;
    }
    f->rounds++;
    bl_buf_printf(&f->text, "R %s%s\n", round->title, round->race ? ", race" : "");
    for (size_t i = 0; i < round->count; i++) {
        const bl_trial *t = &round->trial[i];
        if (results[i].outcome != BL_OUTCOME_MEMORY)
            bl_stop_apply(t, round->slack, best, &results[i]);
        count_steps(f, t, &results[i]);
        f->trials++;
        bl_buf_printf(&f->text, "T %" PRId64 " %a %" PRId64 " %" PRId64 " %s %" PRId64 " %s\n",
                      t->batch_size, t->learning_rate, t->seed, t->max_steps,
                      bl_outcome_name(results[i].outcome), results[i].steps, t->reason);
    }
    return BL_OK;
}

static bl_status decide(void *ctx, const bl_plan_decision *decision, bl_err *err) {
    fake_host *f = ctx;
    (void)err;
    f->decisions++;
    bl_buf_str(&f->text, "D ");
    bl_plan_write_decision(&f->text, decision);
    return BL_OK;
}

static bl_status step_times(void *ctx, const int64_t *batch_sizes, size_t count, double *seconds,
                            bl_err *err) {
    const fake_host *f = ctx;
    (void)err;
    for (size_t i = 0; i < count; i++)
        seconds[i] = f->memory_above > 0 && batch_sizes[i] > f->memory_above
                         ? (double)NAN
                         : 1e-3 + 1e-5 * (double)batch_sizes[i];
    return BL_OK;
}

bl_planner_host fake_host_of(fake_host *fake) {
    return (bl_planner_host){
        .ctx = fake, .run = run_round, .decide = decide, .step_times = step_times};
}

void fake_config(bl_config *config, const char *const *sets, size_t n_sets) {
    static const char text[] = "dataset = \"fake\";\n"
                               "sweep: { batch_sizes = [32, 64, 128, 256, 512, 1024];\n"
                               "  targets = [0.3, 0.2]; max_epochs = 400; lr_start = 0.001; };\n";
    CHECK_OK(bl_config_parse(config, text, sizeof text - 1, "fake.cfg", NULL, sets, n_sets, ERR));
}

bl_status fake_plan(const char *script, const bl_config *config, fake_host *fake,
                    const bl_planner_limits *limits, bl_err *err) {
    static const char *folder; /* one for all: each script takes the place of the one before */
    char path[BL_PATH];
    if (folder == NULL) folder = scratch_folder("plan");
    CHECK_OK(bl_path(path, ERR, "%s/s.lua", folder));
    CHECK_OK(bl_file_write(path, script, strlen(script), ERR));
    const bl_planner_host host = fake_host_of(fake);
    return bl_planner_run(path, "scripts/lua", config, &fake_facts, &host, limits, err);
}
