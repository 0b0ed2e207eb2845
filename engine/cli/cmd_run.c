/* batchlab run NAME: the whole way from a configuration to figures and a recommendation.
 * batchlab work NAME: the training alone, beside other workers. */
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/cli/dry_run.h"
#include "engine/cli/experiment.h"
#include "engine/cli/jobs.h"
#include "engine/cli/progress.h"
#include "engine/cli/signals.h"
#include "engine/cli/trials.h"
#include "engine/config/filter.h"
#include "engine/config/set_notes.h"
#include "engine/config/validate.h"
#include "engine/report/analyse.h"
#include "engine/report/report_folder.h"
#include "engine/report/report_stamp.h"
#include "engine/report/text/recommendation.h"
#include "engine/report/write.h"
#include "engine/sweep/sweep.h"
#include "engine/verify/rerun.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    JOBS,
    DRY_RUN,
    PRESET,
    SET,
    SYNTHETIC,
    DEVICE,
    TIME_LIMIT,
    PROGRESS,
    ONLY,
    FAIL_FAST,
    FORCE,
    OPTION_COUNT
};
// clang-format off
static const bl_option k_options[] = {
    [JOBS]       = {"--jobs",       "-j", "N",         "runs at once (default: the machine's cores)"},
    [DRY_RUN]    = {"--dry-run",    "-n", NULL,        "say what would be done and how long each preset takes here"},
    [PRESET]     = {"--preset",     NULL, "NAME",      "tiny, quick (default) or paper, as the experiment declares"},
    [SET]        = {"--set",        NULL, "KEY=VALUE", "change one key; may be repeated", .repeats = true},
    [SYNTHETIC]  = {"--synthetic",  NULL, NULL,        "use generated data although the real data are there"},
    [DEVICE]     = {"--device",     NULL, "cpu",       "where to compute: cpu, cuda, cuda:1"},
    [TIME_LIMIT] = {"--time-limit", NULL, "T",         "stop, resumably, after this time: 90, 15m, 2h"},
    [ONLY]       = {"--only",       NULL, "EXPR",      "train only runs like 'batch_size=64,128 learning_rate<0.01'"},
    [FAIL_FAST]  = {"--fail-fast",  NULL, NULL,        "stop at the first run that fails or lacks memory"},
    [FORCE]      = {"--force",      NULL, NULL,        "train published runs once more beside the store and compare, before going on"},
    [PROGRESS]   = {"--progress",   NULL, "MODE",      "auto, plain, json or none"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

/* Seconds of "90", "90s", "15m", "2h"; 0: malformed. */
static unsigned read_duration(const char *text) {
    char *end;
    errno = 0;
    const unsigned long n = strtoul(text, &end, 10);
    const unsigned long unit = *end == 'h' ? 3600 : *end == 'm' ? 60 : 1;
    if (strchr("smh", *end) != NULL && *end != '\0') end++;
    if (errno != 0 || *end != '\0' || end == text || text[0] == '-' || n > 1000000) return 0;
    return (unsigned)(n * unit);
}

static int usage_fault(const char *option, const char *value, const char *wanted) {
    bl_cli_printf(stderr, "batchlab: %s %s: expected %s\n", option, value, wanted);
    return BL_EXIT_USAGE;
}

/* Checks the options that need no files. Returns -1 to go on. */
static int read_options(const bl_args *args, size_t *jobs, bl_display *display) {
    if (!bl_cli_jobs(args->value[JOBS], jobs))
        return usage_fault("--jobs", args->value[JOBS], "a number from 1 to 256");
    if (!bl_display_init(display, args->value[PROGRESS]))
        return usage_fault("--progress", args->value[PROGRESS], "auto, plain, json or none");
    const char *device = args->value[DEVICE];
    if (device != NULL && strcmp(device, "cpu") != 0) {
        const bl_device *opened;
        bl_err err = {0};
        if (bl_device_open(&opened, device, &err) != BL_OK) return bl_cli_fail(&err);
        if (args->value[JOBS] == NULL) *jobs = 0; /* as many as fit there */
    }
    const char *limit = args->value[TIME_LIMIT];
    if (limit == NULL) return -1;
    if (read_duration(limit) == 0)
        return usage_fault("--time-limit", limit, "a time such as 90, 15m or 2h");
    (void)alarm(read_duration(limit));
    return -1;
}

/* What the options ask of a sweep. */
typedef struct run_options {
    size_t jobs;
    bl_filter only; /* of --only; no terms: everything */
    bool fail_fast, force;
} run_options;

/* Does --only select the trial? */
static bool is_wanted(void *ctx, const bl_trial *trial) {
    bl_config config;
    bl_trial_resolve(trial, &config);
    return bl_filter_matches(ctx, &config);
}

static bl_status sweep(bl_experiment *e, run_options *w, bl_display *display,
                       bl_scheduler_spent *spent, bl_sweep_totals *totals, bl_err *err) {
    bl_scheduler scheduler = bl_experiment_scheduler(e, w->jobs, display);
    scheduler.spent = spent;
    scheduler.failure = bl_display_failure;
    scheduler.failure_ctx = display;
    if (w->only.count > 0) scheduler.wanted = is_wanted;
    scheduler.wanted_ctx = &w->only;
    const bl_sweep_options options = {.script = e->script,
                                      .library_dir = bl_cli_lua_dir(),
                                      .write_plan = true,
                                      .fail_fast = w->fail_fast,
                                      .references = e->references,
                                      .round = bl_display_round,
                                      .decision = bl_display_decision,
                                      .ctx = display};
    return bl_sweep_run(&e->config, &scheduler, &options, totals, err);
}

/* Trains again what is published of the plan, as far as --only selects it. BL_EMISMATCH: some have
 * other logs now; nothing in the store is changed either way. */
static bl_status compare_published(bl_experiment *e, run_options *w, bl_display *display,
                                   bl_err *err) {
    BL_TRY(bl_experiment_repeats(e, "--force", err));
    const bl_scheduler lookup = bl_experiment_lookup(e);
    bl_rerun r = {.how = bl_experiment_scheduler(e, w->jobs, display),
                  .runs_dir = bl_cli_runs_dir(),
                  .name = e->config.name};
    r.how.checkpoint_seconds = (double)INFINITY; /* nothing of it is resumed */
    bl_experiment_trials plan = {0};
    bl_status status;
    BL_GOTO(bl_experiment_trials_collect(&plan, e, &lookup, err));
    for (size_t i = 0; i < plan.count; i++) {
        bl_lock_entry known;
        bool done;
        if (w->only.count > 0 && !is_wanted(&w->only, &plan.trial[i])) continue;
        BL_GOTO(bl_lock_published(&known, &e->store, plan.run[i], &done, err));
        if (done) bl_rerun_add(&r, &plan.trial[i], &known);
    }
    BL_GOTO(bl_rerun_open(&r, err));
    BL_GOTO(bl_rerun_train(&r, err));
    bl_display_close(display);
    BL_GOTO(bl_rerun_compare(&r, "what is published", err));
    bl_cli_printf(stdout, "%s: trained again, %zu published runs equal, %zu differ\n",
                  e->config.name, r.equal, r.differ);
    if (r.differ > 0)
        status = BL_ERR(err, BL_EMISMATCH,
                        "%zu of %zu runs have other logs now: this machine or program is not "
                        "the one that published them; the store is as it was",
                        r.differ, r.count);
done:
    bl_rerun_close(&r);
    bl_experiment_trials_free(&plan);
    return status;
}

static bl_status measure_times(bl_experiment *e, bl_display *display, bl_err *err) {
    const bl_timing_options timing = {.config = &e->config,
                                      .devices = e->devices,
                                      .memory = bl_experiment_memory(e),
                                      .data = &e->data,
                                      .store = &e->store,
                                      .kernels = e->kernels,
                                      .device_data = e->device_data,
                                      .batch_sizes = e->config.sweep.batch_sizes.v,
                                      .count = e->config.sweep.batch_sizes.n,
                                      .stop = &bl_cli_interrupted,
                                      .say = bl_display_say,
                                      .say_ctx = display};
    return bl_timing_run(&timing, err);
}

static int ending(const bl_experiment *e, const bl_sweep_totals *totals) {
    if (totals->failed == 0) return BL_EXIT_DONE;
    bl_cli_printf(stderr, "%zu run%s failed; `batchlab run %s` tries %s again\n", totals->failed,
                  totals->failed == 1 ? "" : "s", e->config.name,
                  totals->failed == 1 ? "it" : "them");
    return BL_EXIT_SOME_FAILED;
}

/* What a report drawn from these inputs says, if one is there still: with an answer or without. */
static bool find_drawn(const bl_experiment *e, char dir[BL_PATH], const bl_buf *inputs,
                       bl_buf *words, bool *answered) {
    for (int with = 1; with >= 0; with--)
        if (bl_report_place(dir, bl_cli_reports_dir(), e->config.name, e->config.preset, with == 1,
                            NULL) == BL_OK &&
            bl_report_stamp_text(words, dir, inputs, answered))
            return true;
    return false;
}

/* Figures and tables into *dir; *words is what there is to say. */
static bl_status draw(const bl_experiment *e, char dir[BL_PATH], bl_buf *words, bool *answered,
                      bl_err *err) {
    const char *reports = bl_cli_reports_dir();
    bl_report_model out;
    bl_buf inputs = {0};
    bl_status status = bl_report_stamp_make(&inputs, e->store.dir, bl_cli_templates_dir(), err);
    if (status != BL_OK || find_drawn(e, dir, &inputs, words, answered)) goto done;
    bl_buf_clear(words);
    BL_GOTO(bl_report_analyse(&out, e->store.dir, err));
    *answered = out.answered;
    bl_recommendation_text(&out, words);
    status = bl_report_place(dir, reports, e->config.name, e->config.preset, *answered, err);
    if (status == BL_OK) status = bl_report_write(&out, dir, bl_cli_templates_dir(), &inputs, err);
    bl_report_model_free(&out);
done:
    bl_buf_free(&inputs);
    if (status != BL_OK && status != BL_EUNSUPPORTED) return status;
    const bl_status linked = bl_report_make_current(reports, e->config.name, dir, *answered,
                                                    status == BL_OK ? err : NULL);
    return status != BL_OK ? status : linked;
}

/* Figures, tables and the closing words. */
static int answer(const bl_experiment *e, const bl_sweep_totals *totals) {
    bl_err err = {0};
    char dir[BL_PATH];
    bl_buf words = {0};
    bool answered = false;
    const bl_status status = draw(e, dir, &words, &answered, &err);
    const int drawing = status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
    bl_cli_print(stdout, bl_buf_text(&words));
    bl_buf_free(&words);
    if (drawing != BL_EXIT_DONE) return drawing;
    bl_cli_printf(stdout, "\nFigures and tables: %s/  (open report.html)\n", dir);
    const int rc = ending(e, totals);
    if (rc != BL_EXIT_DONE) return rc;
    return answered ? BL_EXIT_DONE : BL_EXIT_NO_ANSWER;
}

/* --fail-fast ends at a run that found no memory: that is its answer. Any other refusal of memory
 * is the machine's, which may have some the next time. */
static int failing(const bl_err *err, bool at_a_run) {
    const int rc = bl_cli_fail(err);
    return err->code == BL_ENOMEM && at_a_run ? BL_EXIT_SOME_FAILED : rc;
}

/* `answers`: the command is `run`, with a timing pass, figures and a recommendation; else it is
 * `work`, which only trains. The order: options, configuration, data, device, then either the dry
 * run or the sweep and the timing pass, and at the end the exit status. */
static int train(const bl_args *args, bool answers) {
    bl_display display;
    bl_err err = {0};
    run_options w = {.jobs = 1};
    int rc = read_options(args, &w.jobs, &display);
    if (rc >= 0) return rc;
    w.fail_fast = bl_args_has(args, FAIL_FAST);
    w.force = bl_args_has(args, FORCE);
    if (bl_args_has(args, ONLY) && bl_filter_parse(&w.only, args->value[ONLY], &err) != BL_OK)
        return bl_cli_fail(&err);

    bl_experiment *e = bl_xalloc(sizeof *e);
    bl_sweep_totals totals = {0};
    bl_display_spent spent = {0};
    const bool dry = bl_args_has(args, DRY_RUN);
    bool left_out = false;
    if (!dry) bl_cli_catch_signals(); /* a dry run has nothing to put away */
    bl_status status = bl_experiment_config(e, args->operand, args->value[PRESET], args, &err);
    if (status == BL_OK) bl_config_notes(&e->config, bl_display_say, &display);
    if (status == BL_OK)
        bl_config_set_notes(&e->config, args->set, args->sets, bl_display_say, &display);
    if (status == BL_OK) status = bl_experiment_level(e, args->value[DEVICE], &err);
    if (status == BL_OK) status = bl_experiment_open(e, bl_args_has(args, SYNTHETIC), !dry, &err);
    if (status == BL_OK) status = bl_experiment_device(e, args->value[DEVICE], &w.jobs, &err);
    if (bl_config_is_external(&e->config) && args->value[JOBS] == NULL)
        w.jobs = bl_experiment_jobs(e);
    if (status == BL_OK && e->fits[0] != '\0') bl_display_say(&display, e->fits);
    if (status == BL_OK && dry) {
        status = bl_cli_dry_run(e, args, args->value[PRESET], w.jobs, &display, &err);
    } else if (status == BL_OK) {
        if (w.force) status = compare_published(e, &w, &display, &err);
        spent.began = bl_clock_process_seconds();
        if (status == BL_OK) status = sweep(e, &w, &display, &spent.rounds, &totals, &err);
        spent.sweep = bl_clock_process_seconds();
        left_out = status == BL_EMISSING && w.only.count > 0;
        if (status == BL_OK && answers) status = measure_times(e, &display, &err);
        spent.timing = bl_clock_process_seconds();
        bl_display_close(&display);
    }
    if (status == BL_EINTERRUPTED)
        bl_cli_printf(stderr,
                      "interrupted; nothing finished is lost. Continue with the same command.\n");
    if (left_out) bl_cli_printf(stderr, "%s; what --only selects is done\n", err.text);
    rc = status == BL_EINTERRUPTED ? BL_EXIT_INTERRUPTED
         : left_out                ? BL_EXIT_DONE
         : status != BL_OK         ? failing(&err, w.fail_fast && totals.failed > 0)
         : dry                     ? BL_EXIT_DONE
         : answers                 ? answer(e, &totals)
                                   : ending(e, &totals);
    (void)fflush(stdout); /* in a log that takes both, the answer stands before what follows */
    if (!dry && status == BL_OK) bl_display_times(&display, &spent);
    bl_filter_free(&w.only);
    bl_experiment_close(e);
    free(e);
    return rc;
}

static int run(const bl_args *args) {
    return train(args, true);
}

const bl_command bl_cmd_run = {
    .name = "run",
    .does = "plan, train, publish, draw, recommend; run again to go on",
    .arguments = "NAME [options]",
    .group = BL_GROUP_SWEEP,
    .sentence = "Runs a sweep to its answer: trains what experiments/NAME asks for, measures "
                "times, draws figures and a report, and recommends. The same command after an "
                "interruption continues; what is finished is never trained again.",
    .example = "batchlab run quadratic --preset tiny",
    .shows = "...\n"
             "batch   best lr   steps   examples ...\n"
             "    1    0.0625   1,792      1,792 ...\n"
             "    4    0.1768     474      1,896 ...\n"
             "...\n",
    .exits = {{BL_EXIT_SOME_FAILED, ""},
              {BL_EXIT_MISMATCH, "--force: published runs differ from what is trained now"},
              {BL_EXIT_DAMAGE, ""},
              {BL_EXIT_NO_ANSWER, ""},
              {BL_EXIT_UNAVAILABLE, ""},
              {BL_EXIT_INTERRUPTED, ""},
              {BL_EXIT_SECOND_INTERRUPT, ""}},
    .operand = BL_OPERAND_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = run,
};

/* Trains what the sweep asks for until nothing is left. Any number of workers, on any number of
 * machines, share one store; each runs the planner itself, and all come to one plan. */
static int work(const bl_args *args) {
    return train(args, false);
}

const bl_command bl_cmd_work = {
    .name = "work",
    .does = "train with other processes on one store until nothing is left",
    .arguments = "NAME [options]",
    .group = BL_GROUP_SWEEP,
    .sentence = "Trains the runs of a sweep together with other workers, on this machine or others "
                "that share the folder of runs, until none is left. It draws nothing; `batchlab "
                "run` does that at the end.",
    .example = "batchlab work quadratic --preset tiny --progress none; batchlab status",
    .shows = "quadratic               ... done      0 running      0 interrupted\n",
    .exits = {{BL_EXIT_SOME_FAILED, ""},
              {BL_EXIT_DAMAGE, ""},
              {BL_EXIT_UNAVAILABLE, ""},
              {BL_EXIT_INTERRUPTED, ""},
              {BL_EXIT_SECOND_INTERRUPT, ""}},
    .operand = BL_OPERAND_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = work,
};
