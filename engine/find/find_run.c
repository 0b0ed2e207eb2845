/* The host of pilot.lua: rounds go to the scheduler, the last round's results and the times of a
 * step are kept, and the store has the probes. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/seal.h"
#include "engine/find/audited.h"
#include "engine/find/find.h"
#include "engine/find/find_check.h"
#include "engine/noise/noise_record.h"
#include "engine/plan/settings.h"
#include "engine/store/noise_file.h"
#include "engine/train/train.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct pilot {
    const bl_config *config;
    const bl_scheduler *scheduler;
    const bl_find_options *options;
    bl_find *out;
    bl_trial_result *result; /* (count) of the last round, the pilot's in the end */
    size_t count;
    bl_noise_probe *probe; /* (probes) of all seeds */
    size_t probes;
} pilot;

static void drop_results(pilot *p) {
    bl_round_results_free(p->result, p->count);
    free(p->result);
    p->result = NULL;
    p->count = 0;
}

/* The results are the script's; these are a copy. */
static void keep_round(pilot *p, const bl_round *round, const bl_trial_result *results) {
    drop_results(p);
    p->result = bl_xalloc(round->count * sizeof *p->result);
    p->count = round->count;
    for (size_t i = 0; i < round->count; i++) {
        p->result[i] = results[i];
        p->result[i].eval = bl_xalloc((results[i].evals + 1) * sizeof *results[i].eval);
        if (results[i].evals > 0)
            memcpy(p->result[i].eval, results[i].eval, results[i].evals * sizeof *results[i].eval);
    }
    p->out->batch_size = round->trial[0].batch_size;
    p->out->learning_rate = round->trial[0].learning_rate;
    p->out->steps = round->trial[0].max_steps;
    p->out->seeds = round->count;
}

/* ---- probes as they are asked for ---- */

/* A finished run keeps the probes that it was made with, or none: noise.* is not part of its id. */
static bl_status has_probes(const pilot *p, const char *run, bool *has, bl_err *err) {
    bl_buf text = {0};
    bl_noise_log log = {0};
    bl_status status = bl_store_load_noise(p->scheduler->store, run, &text, err);
    *has = false;
    if (status == BL_OK) status = bl_noise_read(&log, bl_buf_text(&text), text.len, run, err);
    if (status == BL_OK) {
        const bl_noise_settings *s = &log.settings;
        const bl_config *c = p->config;
        *has = s->share == c->noise.share && s->batch == c->noise.micro_batch &&
               s->batches == (size_t)c->noise.batches && s->hessian == c->noise.hessian;
    }
    bl_noise_log_free(&log);
    bl_buf_free(&text);
    return status == BL_EMISSING ? BL_OK : status;
}

static void say_seed(const pilot *p, const bl_trial *trial, int64_t next) {
    bl_buf line = {0};
    bl_buf_printf(&line, "seed %lld in place of %lld: its run has other probes, or none",
                  (long long)next, (long long)trial->seed);
    if (p->options->decision != NULL) p->options->decision(p->options->ctx, bl_buf_text(&line));
    bl_buf_free(&line);
}

/* Gives each trial whose run has other probes the next seed that the pilot has not had; *n of them,
 * by their places in `at`. */
static bl_status take_next_seeds(const pilot *p, bl_trial *trial, const bl_trial_result *results,
                                 size_t count, int64_t *next, size_t *at, size_t *n, bl_err *err) {
    *n = 0;
    for (size_t i = 0; i < count; i++) {
        bool has = true;
        if (results[i].outcome == BL_OUTCOME_BUDGET)
            BL_TRY(has_probes(p, results[i].run, &has, err));
        if (has) continue;
        say_seed(p, &trial[i], *next);
        trial[i].seed = (*next)++;
        at[(*n)++] = i;
    }
    return BL_OK;
}

/* Runs those of trial[round->count] again that are at[n]. */
static bl_status run_some(const pilot *p, const bl_round *round, const bl_trial *trial,
                          const size_t *at, size_t n, bl_trial_result *results, bl_err *err) {
    bl_trial *some = bl_xalloc(n * sizeof *some);
    bl_trial_result *result = bl_xalloc(n * sizeof *result);
    bl_round again = *round;
    again.trial = some;
    again.count = n;
    for (size_t i = 0; i < n; i++) some[i] = trial[at[i]];
    const bl_status status = bl_scheduler_run(p->scheduler, &again, result, err);
    for (size_t i = 0; i < n && status == BL_OK; i++) {
        bl_round_results_free(&results[at[i]], 1);
        results[at[i]] = result[i];
    }
    free(result);
    free(some);
    return status;
}

/* Trials of the pilot whose runs have other probes are trained with further seeds. What is stored
 * decides alone, so that a second call takes the same runs. */
static bl_status probe_again(const pilot *p, const bl_round *round, bl_trial_result *results,
                             bl_err *err) {
    enum { ATTEMPTS = 8 };
    bl_trial *trial = bl_xalloc(round->count * sizeof *trial);
    size_t *at = bl_xalloc(round->count * sizeof *at), n = 0;
    int64_t next = round->trial[round->count - 1].seed + 1;
    bl_status status = BL_OK;
    memcpy(trial, round->trial, round->count * sizeof *trial);
    for (int i = 0; i < ATTEMPTS && status == BL_OK; i++) {
        status = take_next_seeds(p, trial, results, round->count, &next, at, &n, err);
        if (status != BL_OK || n == 0) break;
        status = run_some(p, round, trial, at, n, results, err);
    }
    free(at);
    free(trial);
    return status;
}

/* Of the round "pilot" every run gets its probes, whatever the store had. */
static bl_status run_round(void *ctx, const bl_round *round, bl_trial_result *results,
                           bl_err *err) {
    pilot *p = ctx;
    BL_TRY(bl_scheduler_run(p->scheduler, round, results, err));
    if (strcmp(round->title, "pilot") == 0 && p->config->noise.share > 0.0)
        BL_TRY(probe_again(p, round, results, err));
    keep_round(p, round, results);
    return BL_OK;
}

static bl_status decide(void *ctx, const bl_plan_decision *decision, bl_err *err) {
    const pilot *p = ctx;
    (void)err;
    if (p->options->decision != NULL) p->options->decision(p->options->ctx, decision->text);
    return BL_OK;
}

/* Sizes that do not fit into memory have no time; pilot.lua sees them as not finite. */
static bl_status step_times(void *ctx, const int64_t *batch_sizes, size_t count, double *seconds,
                            bl_err *err) {
    const pilot *p = ctx;
    const bl_timing_options timing = {.config = p->config,
                                      .data = p->scheduler->data,
                                      .store = p->scheduler->store,
                                      .kernels = p->scheduler->kernels,
                                      .device_data = p->scheduler->device_data,
                                      .batch_sizes = batch_sizes,
                                      .count = count,
                                      .stop = p->scheduler->stop};
    BL_TRY(bl_timing_steps(&timing, p->scheduler->lookup_only, seconds, err));
    bl_find *out = p->out;
    out->size_count = 0;
    for (size_t i = 0; i < count && out->size_count < BL_FIND_SIZES; i++) {
        if (!isfinite(seconds[i])) continue; /* it does not fit into memory */
        out->size[out->size_count] = batch_sizes[i];
        out->seconds[out->size_count++] = seconds[i];
    }
    return BL_OK;
}

bl_config bl_find_config(const bl_config *config, int64_t epoch_rows) {
    /* Products with the Hessian cost two probes more, and take no probe away. */
    const double share = config->noise.hessian ? 0.75 : 0.25, seconds = 0.05;
    enum { REPEATS = 5 };
    bl_config c = *config;
    if (strcmp(c.numerics, "device") != 0) c.noise.share = fmax(c.noise.share, share);
    c.noise.window = 0;
    /* A probe of a small data set: at most a quarter of its rows. */
    while (c.noise.batches > BL_NOISE_QUARTERS &&
           c.noise.micro_batch * c.noise.batches > epoch_rows / 4)
        c.noise.batches /= 2;
    while (c.noise.micro_batch > 1 && c.noise.micro_batch * c.noise.batches > epoch_rows / 4)
        c.noise.micro_batch /= 2;
    if (c.timing.repeats > REPEATS) c.timing.repeats = REPEATS;
    c.timing.seconds = fmin(c.timing.seconds, seconds);
    return c;
}

/* ---- from the last round to numbers ---- */

/* Appends the run's probes. */
static bl_status read_probes(pilot *p, const char *run, bl_err *err) {
    bl_buf text = {0};
    bl_noise_log log = {0};
    bl_status status = bl_store_load_noise(p->scheduler->store, run, &text, err);
    if (status == BL_EMISSING) status = BL_OK; /* trained before, without probes */
    if (status == BL_OK && text.len > 0)
        status = bl_noise_read(&log, bl_buf_text(&text), text.len, run, err);
    if (status == BL_OK && log.probes > 0) {
        p->probe = bl_xrealloc(p->probe, (p->probes + log.probes) * sizeof *p->probe);
        memcpy(p->probe + p->probes, log.probe, log.probes * sizeof *p->probe);
        p->probes += log.probes;
    }
    bl_noise_log_free(&log);
    bl_buf_free(&text);
    return status;
}

/* The noise up to each target that the experiment has. */
static void forecast(pilot *p, const bl_find_course *course, size_t n) {
    const bl_f64_list *targets = &p->config->sweep.targets;
    bl_find *out = p->out;
    for (size_t i = 0; i < targets->n && i < BL_FIND_FORECASTS; i++) {
        bl_find_forecast *f = &out->forecast[out->forecasts++];
        *f = (bl_find_forecast){.target = targets->v[i],
                                .steps = bl_find_steps_to(course, n, targets->v[i])};
        for (int m = 0; m < BL_NOISE_MEASURES && isfinite(f->steps); m++)
            f->noise[m] = bl_find_noise_of(p->probe, p->probes, f->steps, (double)out->batch_size,
                                           (bl_noise_measure)m);
    }
}

/* One more setting of the advice. */
static void add_advice(bl_buf *out, const char *path, double value) {
    bl_buf_printf(out, "%s %s to %.4g", out->len > 0 ? " and" : "set", path, value);
}

/* What makes the pilot's way finer and longer, all at once: pilot.lua gives the same advice before
 * anything is trained. "": its evaluations and steps are as many as settings can make them. */
static void advise(bl_buf *out, const bl_config *c, const bl_find *f) {
    const double fewest = 1000, coarse = 1.2, fine = 1.1; /* as in pilot.lua */
    const double steps_per_epoch = (double)f->steps / f->epochs;
    if (c->eval.growth > coarse) add_advice(out, "eval.growth", fine);
    if (c->sweep.max_steps > 0 && (double)c->sweep.max_steps < fewest)
        add_advice(out, "sweep.max_steps", fewest);
    if (c->sweep.max_epochs * steps_per_epoch < fewest)
        add_advice(out, "sweep.max_epochs", ceil(fewest / steps_per_epoch));
}

/* Why there are no targets, and what helps. */
static void no_target(const pilot *p, size_t courses) {
    bl_find *out = p->out;
    bl_buf help = {0};
    advise(&help, p->config, out);
    if (help.len == 0) bl_buf_str(&help, "change the model or its optimizer");
    if (courses == 0)
        (void)snprintf(out->why, sizeof out->why,
                       "every seed of the pilot diverged at rate %g: lower sweep.lr_min, or change "
                       "the model",
                       out->learning_rate);
    else
        (void)snprintf(out->why, sizeof out->why,
                       "the pilot learnt too little in %lld steps to propose a target: %s",
                       (long long)out->steps, bl_buf_text(&help));
    bl_buf_free(&help);
}

/* Courses of seeds that diverged say nothing of targets. */
static bool read_courses(pilot *p) {
    bl_find_course *course = bl_xalloc((p->count + 1) * sizeof *course);
    size_t n = 0;
    for (size_t i = 0; i < p->count; i++)
        if (p->result[i].outcome == BL_OUTCOME_BUDGET)
            course[n++] = (bl_find_course){p->result[i].eval, p->result[i].evals};
    const double baseline = p->out->baseline > 0.0 ? p->out->baseline : (double)INFINITY;
    const bool found = bl_find_targets(p->out->target, &p->out->settled, course, n, baseline);
    if (found) p->out->span = bl_find_span_of(course, n, &p->out->target[BL_FIND_TARGETS - 1]);
    forecast(p, course, n);
    free(course);
    if (!found) no_target(p, n);
    return found;
}

static void fit_line(bl_find *out) {
    bl_stats_step_size size[BL_FIND_SIZES];
    for (size_t i = 0; i < out->size_count; i++)
        size[i] = (bl_stats_step_size){
            .batch_size = (double)out->size[i], .seconds = &out->seconds[i], .repeats = 1};
    out->line = bl_stats_fit_step_line(size, out->size_count);
}

/* An error of pilot.lua is a sentence on the settings: the place in the script that found it helps
 * nobody. */
static bl_status without_place(bl_status status, bl_err *err) {
    char *place = status == BL_EINVAL && err != NULL ? strstr(err->text, "\n  found by ") : NULL;
    if (place != NULL) *place = '\0';
    return status;
}

/* The order: probes, then targets, as the noise scale is that of the way to the harder one. */
static bl_status conclude(pilot *p, int64_t rows, bl_err *err) {
    bl_find *out = p->out;
    out->epochs = (double)out->steps * (double)out->batch_size / (double)rows;
    for (size_t i = 0; i < p->count; i++) BL_TRY(read_probes(p, p->result[i].run, err));
    bl_noise_sort(p->probe, p->probes);
    fit_line(out);
    if (!read_courses(p)) return BL_OK;
    for (int m = 0; m < BL_NOISE_MEASURES; m++)
        out->noise[m] =
            bl_find_noise_of(p->probe, p->probes, out->target[BL_FIND_TARGETS - 1].steps,
                             (double)out->batch_size, (bl_noise_measure)m);
    out->measure = BL_NOISE_PLAIN;
    (void)bl_find_audited_range(p->config->optimizer.name, &out->audit_low, &out->audit_high);
    out->best = bl_find_propose(out, p->config->sweep.lr_rule, rows);
    return BL_OK;
}

/* What the pilot's runs have in common with those of a sweep. */
static bl_status note_what_it_trains(bl_find *out, const bl_config *config, const bl_dataset *data,
                                     bl_err *err) {
    char id[BL_RUN_ID];
    bl_buf text = {0};
    bl_json_doc doc = {0};
    bl_config trained;
    const bl_trial trial = bl_trial_of(config);
    bl_trial_resolve(&trial, &trained);
    bl_store_run_identity(&trained, data->sha256, id, &text);
    const bl_status status = bl_json_parse(&doc, text.data, text.len, "run.json", 1, err);
    if (status == BL_OK) bl_plan_settings_digest(doc.root, out->trains);
    out->synthetic = data->synthetic;
    bl_json_free(&doc);
    bl_buf_free(&text);
    return status;
}

/* For reports. What is there already with these bytes stays; what is damaged is written anew. */
static bl_status save(const bl_find *out, bl_buf *json, const bl_config *config,
                      const bl_store *store, bl_err *err) {
    char path[BL_PATH];
    bl_buf there = {0};
    bl_json_doc doc = {0};
    BL_TRY(bl_path(path, err, "%s/find.json", store->dir));
    const bool read = bl_file_read(&there, path, 1 << 20, NULL) == BL_OK &&
                      bl_seal_holds(bl_buf_text(&there), there.len) &&
                      bl_json_parse(&doc, there.data, there.len, path, 1, NULL) == BL_OK;
    bl_find_json(json, out, config, read ? doc.root : NULL);
    bl_seal(json);
    bl_status status = BL_OK;
    if (!read || there.len != json->len || memcmp(there.data, json->data, json->len) != 0)
        status = bl_store_write(path, json->data, json->len, err);
    bl_json_free(&doc);
    bl_buf_free(&there);
    return status;
}

bl_status bl_find_run(bl_find *out, bl_buf *json, const bl_config *config,
                      const bl_scheduler *scheduler, const bl_find_options *options, bl_err *err) {
    const int64_t rows = bl_train_epoch_rows(config, scheduler->data);
    const bl_config probed = bl_find_config(config, rows);
    const int64_t probe = probed.noise.micro_batch * probed.noise.batches;
    *out = (bl_find){.lr_min = config->sweep.lr_min,
                     .lr_max = config->sweep.lr_max,
                     .baseline = config->sweep.baseline,
                     .few_rows = 2 * probe > rows / 4};
    pilot p = {.config = &probed, .scheduler = scheduler, .options = options, .out = out};
    const bl_planner_facts facts = {.epoch_rows = rows, .synthetic = scheduler->data->synthetic};
    const bl_planner_host host = {
        .ctx = &p, .run = run_round, .decide = decide, .step_times = step_times};
    BL_TRY(note_what_it_trains(out, config, scheduler->data, err));
    bl_status status = without_place(bl_planner_run(options->script, options->library_dir, &probed,
                                                    &facts, &host, &bl_planner_default_limits, err),
                                     err);
    if (status == BL_OK) status = conclude(&p, rows, err);
    if (status == BL_OK) status = bl_find_check_proposal(out, config, rows, scheduler, err);
    if (status == BL_OK) status = save(out, json, config, scheduler->store, err);
    drop_results(&p);
    free(p.probe);
    return status;
}
