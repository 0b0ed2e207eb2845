/* batchlab verify NAME: does this machine get the logs that expected.lock speaks of? */
#include "engine/base/mem.h"
#include "engine/cli/jobs.h"
#include "engine/cli/signals.h"
#include "engine/cli/trials.h"
#include "engine/verify/rerun.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { JOBS, SAMPLE, ALL, PRESET, SET, SYNTHETIC, DEVICE, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [JOBS]      = {"--jobs",      "-j", "N",         "runs at once (default: the machine's cores)"},
    [SAMPLE]    = {"--sample",    NULL, "K",         "only K runs, spread evenly over those whose settings the store knows"},
    [ALL]       = {"--all",       NULL, NULL,        "the whole sweep anew, with no run from the store (default)"},
    [PRESET]    = {"--preset",    NULL, "NAME",      "tiny, quick (default) or paper, as declared"},
    [SET]       = {"--set",       NULL, "KEY=VALUE", "change one key; may be repeated", .repeats = true},
    [SYNTHETIC] = {"--synthetic", NULL, NULL,        "the runs on generated data"},
    [DEVICE]    = {"--device",    NULL, "NAME",      "where to compute: cpu, cuda, cuda:1"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

typedef struct check {
    bl_experiment *e;
    bl_display *display;
    size_t jobs;
    bl_rerun rerun;
    bl_lock lock;
    bl_experiment_trials plan;
    size_t sample; /* 0: all */
    bl_buf data;   /* bl_experiment_data_words */
} check;

/* The locked runs of the plan, or a sample of them. */
static bl_status choose(check *c, bl_err *err) {
    const bl_experiment *e = c->e;
    size_t *locked = bl_xalloc((c->plan.count + 1) * sizeof *locked), all = 0;
    for (size_t i = 0; i < c->plan.count; i++)
        if (bl_lock_find(&c->lock, c->plan.run[i]) != NULL) locked[all++] = i;
    const size_t n = c->sample == 0 ? all : bl_size_min(c->sample, all);
    for (size_t i = 0; i < n; i++) {
        const size_t at = locked[i * all / n];
        bl_rerun_add(&c->rerun, &c->plan.trial[at], bl_lock_find(&c->lock, c->plan.run[at]));
    }
    free(locked);
    if (n == 0)
        BL_FAIL(err, BL_EMISSING,
                "nothing to verify: none of the %zu locked runs is in this machine's plan of "
                "preset %s, %s",
                c->lock.count, e->config.preset, bl_buf_text(&c->data));
    return BL_OK;
}

static bool is_noisy(const bl_experiment *e) {
    return bl_config_is_external(&e->config) && !bl_config_is_imported(&e->config) &&
           strcmp(e->config.external.repeats, "noisy") == 0;
}

/* What is published of the plan, or a sample of it. */
static bl_status choose_published(check *c, bl_err *err) {
    const bl_experiment *e = c->e;
    bl_lock_entry *known = bl_xalloc((c->plan.count + 1) * sizeof *known);
    size_t *at = bl_xalloc((c->plan.count + 1) * sizeof *at), all = 0;
    bl_status status = BL_OK;
    for (size_t i = 0; i < c->plan.count && status == BL_OK; i++) {
        bool done = false;
        status = bl_lock_published(&known[all], &e->store, c->plan.run[i], &done, err);
        if (done) at[all++] = i;
    }
    const size_t n = c->sample == 0 ? all : bl_size_min(c->sample, all);
    for (size_t i = 0; i < n && status == BL_OK; i++)
        bl_rerun_add(&c->rerun, &c->plan.trial[at[i * all / n]], &known[i * all / n]);
    free(known);
    free(at);
    BL_TRY(status);
    if (n == 0)
        BL_FAIL(err, BL_EMISSING, "nothing to verify: no run of %s is published", e->config.name);
    return BL_OK;
}

/* A program that declares noise has no lock. Its published runs are trained again; other values
 * are what it declares, so they are told and no fault. */
static bl_status verify_noisy(check *c, bl_err *err) {
    bl_rerun *r = &c->rerun;
    const bl_scheduler lookup = bl_experiment_lookup(c->e);
    bl_experiment_data_words(&c->data, c->e);
    BL_TRY(bl_experiment_trials_collect(&c->plan, c->e, &lookup, err));
    BL_TRY(choose_published(c, err));
    BL_TRY(bl_rerun_open(r, err));
    BL_TRY(bl_rerun_train(r, err));
    bl_display_close(c->display);
    BL_TRY(bl_rerun_compare_noisy(r, err));
    const size_t count = r->equal + r->differ;
    bl_cli_printf(stdout, "%s, %s, -j %zu: %zu run%s trained again, %zu equal, %zu differ\n",
                  c->e->config.name, bl_buf_text(&c->data), r->how.jobs, count,
                  count == 1 ? "" : "s", r->equal, r->differ);
    bl_cli_printf(stdout, "The experiment declares noise (external.repeats = \"noisy\"): other "
                          "values are no damage.\n");
    return BL_OK;
}

/* Trains the runs of expected.lock again, compares, and prints the counts. */
static bl_status verify(check *c, bl_err *err) {
    char path[BL_PATH];
    bl_rerun *r = &c->rerun;
    const bl_experiment *e = c->e;
    BL_TRY(bl_path(path, err, "%s/%s/expected.lock", bl_cli_experiments_of(e->config.name),
                   e->config.name));
    BL_TRY(bl_lock_read(&c->lock, path, err));
    bl_experiment_data_words(&c->data, e);
    if (c->lock.count == 0)
        BL_FAIL(err, BL_EMISSING,
                "nothing to verify: %s has no entries; `batchlab lock %s` "
                "writes them",
                path, e->config.name);
    BL_TRY(bl_rerun_open(r, err));
    /* A sweep is adaptive: its later runs are known from results. For all runs it is swept anew. */
    const bl_scheduler planning = c->sample > 0 ? bl_rerun_scheduler(r, &e->store, true)
                                                : bl_rerun_scheduler(r, &r->scratch, false);
    BL_TRY(bl_experiment_trials_collect(&c->plan, e, &planning, err));
    BL_TRY(choose(c, err));
    BL_TRY(bl_rerun_train(r, err));
    bl_display_close(c->display);
    BL_TRY(bl_rerun_compare(r, "expected.lock", err));
    bl_cli_printf(stdout, "%s%s%s, %s, -j %zu: %zu runs equal, %zu differ, %zu skipped\n",
                  e->config.name, e->config.preset[0] != '\0' ? ", preset " : "", e->config.preset,
                  bl_buf_text(&c->data), r->how.jobs, r->equal, r->differ,
                  c->lock.count - r->equal - r->differ);
    if (r->equal + r->differ == 0)
        BL_FAIL(err, BL_ENOMEM, "nothing was verified: no run found the memory it needs");
    return BL_OK;
}

/* -1 to go on, else the exit status. */
static int read_options(const bl_args *args, check *c) {
    if (!bl_cli_jobs(args->value[JOBS], &c->jobs)) {
        bl_cli_printf(stderr, "batchlab: --jobs %s: expected a number from 1 to 256\n",
                      args->value[JOBS]);
        return BL_EXIT_USAGE;
    }
    const char *device = args->value[DEVICE], *sample = args->value[SAMPLE];
    if (device != NULL && strcmp(device, "cpu") != 0 && args->value[JOBS] == NULL)
        c->jobs = 0; /* as many as fit there */
    if (sample == NULL) return -1;
    char *end;
    const long n = strtol(sample, &end, 10);
    c->sample = n > 0 ? (size_t)n : 0;
    if (n > 0 && *end == '\0' && !bl_args_has(args, ALL)) return -1;
    bl_cli_printf(stderr, "batchlab: --sample %s: %s\n", sample,
                  bl_args_has(args, ALL) ? "not together with --all" : "expected a number from 1");
    return BL_EXIT_USAGE;
}

/* Trains the locked runs again beside the store, which is not changed, and compares. A difference
 * ends with 3. */
static int verify_lock(const bl_args *args) {
    bl_err err = {0};
    bl_experiment e = {0};
    bl_display display;
    check c = {.e = &e, .display = &display};
    int rc = read_options(args, &c);
    if (rc < 0)
        rc = bl_experiment_begin(&e, args, args->value[PRESET], bl_args_has(args, SYNTHETIC),
                                 args->value[DEVICE]);
    if (rc >= 0) return rc;
    /* A program uses the cores itself. */
    if (bl_config_is_external(&e.config) && args->value[JOBS] == NULL) c.jobs = 1;
    (void)bl_display_init(&display, NULL);
    bl_cli_catch_signals();
    bl_status status = bl_experiment_device(&e, args->value[DEVICE], &c.jobs, &err);
    c.rerun = (bl_rerun){.how = bl_experiment_scheduler(&e, c.jobs, &display),
                         .runs_dir = bl_cli_runs_dir(),
                         .name = e.config.name};
    c.rerun.how.checkpoint_seconds = (double)INFINITY; /* nothing of it is resumed */
    const bool noisy = is_noisy(&e);
    if (status == BL_OK) status = noisy ? verify_noisy(&c, &err) : verify(&c, &err);
    bl_display_close(&display);
    bl_rerun_close(&c.rerun);
    bl_lock_free(&c.lock);
    bl_buf_free(&c.data);
    bl_experiment_trials_free(&c.plan);
    bl_experiment_close(&e);
    if (status != BL_OK) return bl_cli_fail(&err);
    return c.rerun.differ > 0 && !noisy ? BL_EXIT_MISMATCH : BL_EXIT_DONE;
}

const bl_command bl_cmd_verify = {
    .name = "verify",
    .does = "train again and compare with the expected logs",
    .arguments = "NAME [--sample K | --all] [-j N] [--preset NAME]",
    .group = BL_GROUP_KEEP,
    .sentence = "Trains the runs of expected.lock again, beside the store, and names the first "
                "step that differs.",
    .example = "batchlab verify quadratic --preset tiny --sample 2",
    .shows = "quadratic, preset tiny, no data, ... 2 runs equal, 0 differ, 133 skipped\n",
    .exits = {{BL_EXIT_MISMATCH, ""}, {BL_EXIT_UNAVAILABLE, ""}, {BL_EXIT_INTERRUPTED, ""}},
    .operand = BL_OPERAND_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = verify_lock,
};
