/* batchlab verify NAME: does this machine get the logs that expected.lock speaks of? */
#include "engine/base/mem.h"
#include "engine/cli/jobs.h"
#include "engine/cli/lock.h"
#include "engine/cli/progress.h"
#include "engine/cli/run_files.h"
#include "engine/cli/trials.h"
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { JOBS, SAMPLE, ALL, PRESET, SET, SYNTHETIC, OPTION_COUNT };
static const bl_option k_options[] = {
    [JOBS] = {"--jobs",      "-j", "N",         "runs at once (default: the machine's cores)"               },
    [SAMPLE] = {"--sample",    NULL, "K",
              "only K runs, spread evenly over those whose settings the store knows"                        },
    [ALL] = {"--all",       NULL, NULL,        "the whole sweep anew, with no run from the store (default)"},
    [PRESET] = {"--preset",    NULL, "NAME",      "tiny, quick (default) or paper, as declared"               },
    [SET] = {"--set",       NULL, "KEY=VALUE", "change one key; may be repeated"                           },
    [SYNTHETIC] = {"--synthetic", NULL, NULL,        "the runs on generated data"                                },
};
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");
static const char k_usage[] = "verify NAME [--sample K | --all] [-j N] [--preset NAME]";

typedef struct check {
    const bl_experiment *e;
    bl_lock lock;
    bl_plan_trials plan;
    size_t jobs, sample; /* 0: all */
    char root[BL_PATH];  /* scratch folder, "" until it is there */
    bl_store scratch;
    bl_trial *trial;      /* the runs to compare, up to their locked steps */
    bl_lock_entry *entry; /* theirs */
    size_t count, equal, differ;
    bl_buf data; /* bl_experiment_data_words */
    bl_display display;
} check;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where) {
    (void)st, (void)type, (void)where;
    return remove(path);
}

static void close_check(check *c) {
    enum { OPEN_FOLDERS = 16 };
    if (c->root[0] != '\0') (void)nftw(c->root, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    bl_lock_free(&c->lock);
    bl_plan_trials_free(&c->plan);
    free(c->trial);
    free(c->entry);
    bl_buf_free(&c->data);
    bl_display_close(&c->display);
}

/* A dot in front keeps the folder out of every listing of experiments. */
static bl_status open_scratch(check *c, bl_err *err) {
    char root[BL_PATH];
    BL_TRY(bl_make_dirs(bl_runs_dir(), err));
    BL_TRY(bl_path(root, err, "%s/.verify-XXXXXX", bl_runs_dir()));
    if (mkdtemp(root) == NULL)
        BL_FAIL(err, BL_EIO, "cannot make a scratch folder in %s/: %s", bl_runs_dir(),
                strerror(errno));
    memcpy(c->root, root, sizeof c->root);
    return bl_store_open(&c->scratch, c->root, c->e->config.name, true, err);
}

static bl_scheduler scheduler_on(check *c, const bl_store *store, bool lookup_only) {
    return (bl_scheduler){.data = &c->e->data,
                          .store = store,
                          .kernels = c->e->kernels,
                          .jobs = c->jobs,
                          .checkpoint_seconds = (double)INFINITY,
                          .stop = &bl_stop_requested,
                          .lookup_only = lookup_only,
                          .progress = bl_display_progress,
                          .progress_ctx = &c->display};
}

/* The locked runs of the plan, or a sample of them. */
static bl_status choose(check *c, bl_err *err) {
    c->trial = bl_xalloc((c->plan.count + 1) * sizeof *c->trial);
    c->entry = bl_xalloc((c->plan.count + 1) * sizeof *c->entry);
    for (size_t i = 0; i < c->plan.count; i++) {
        const bl_lock_entry *entry = bl_lock_find(&c->lock, c->plan.run[i]);
        if (entry == NULL) continue;
        c->entry[c->count] = *entry;
        c->trial[c->count] = c->plan.trial[i];
        c->trial[c->count].max_steps = entry->steps;
        c->trial[c->count].target = (double)NAN;
        c->count++;
    }
    if (c->count == 0)
        BL_FAIL(err, BL_EMISSING,
                "nothing to verify: none of the %zu locked runs is in this machine's plan of "
                "preset %s, %s",
                c->lock.count, c->e->config.preset, bl_buf_text(&c->data));
    const size_t all = c->count;
    if (c->sample == 0 || c->sample >= all) return BL_OK;
    for (size_t i = 0; i < c->sample; i++) {
        c->entry[i] = c->entry[i * all / c->sample];
        c->trial[i] = c->trial[i * all / c->sample];
    }
    c->count = c->sample;
    return BL_OK;
}

static bl_status rerun(check *c, bl_err *err) {
    const bl_scheduler scheduler = scheduler_on(c, &c->scratch, false);
    const bl_round round = {.title = "verify", .trial = c->trial, .count = c->count};
    bl_trial_result *results = bl_xalloc(c->count * sizeof *results);
    const bl_status status = bl_scheduler_run(&scheduler, &round, results, err);
    if (status == BL_OK) bl_round_results_free(results, c->count);
    free(results);
    return status;
}

/* Where the new log leaves the one in the store, if that is the expected one. */
static bl_status name_step(const check *c, const bl_lock_entry *entry, const bl_stored *got,
                           bl_err *err) {
    char digest[BL_SHA256_HEX];
    bl_stored kept;
    bl_log_steps a = {0}, b = {0};
    bl_status status = bl_store_load(&c->e->store, entry->run, &kept, err);
    if (status != BL_OK) return status;
    size_t i, j;
    if (!bl_lock_digest(&kept, entry->steps, digest) || strcmp(digest, entry->log_sha256) != 0) {
        (void)printf("   %s/ has no log of it with the expected digest to compare steps with\n",
                     c->e->store.dir);
        goto done;
    }
    BL_GOTO(bl_log_steps_read(&a, kept.log.data, kept.log.len, entry->run, err));
    BL_GOTO(bl_log_steps_read(&b, bl_buf_text(&got->log), got->log.len, entry->run, err));
    if (bl_log_steps_differ(&a, &b, &i, &j))
        (void)printf("   first differing record: step %" PRId64
                     ", expected hash %s loss %.9g value %.9g, here hash %s loss %.9g value %.9g\n",
                     a.at[i].step, a.at[i].hash, a.at[i].loss, a.at[i].value, b.at[j].hash,
                     b.at[j].loss, b.at[j].value);
    else
        (void)printf("   no step differs; other parts of the log do\n");
done:
    bl_log_steps_free(&a);
    bl_log_steps_free(&b);
    bl_stored_free(&kept);
    return status;
}

static bl_status compare(check *c, const bl_lock_entry *entry, bl_err *err) {
    char digest[BL_SHA256_HEX];
    bl_stored got;
    BL_TRY(bl_store_load(&c->scratch, entry->run, &got, err));
    bl_status status = BL_OK;
    const bool reached = bl_lock_digest(&got, entry->steps, digest);
    if (reached && strcmp(digest, entry->log_sha256) == 0) {
        c->equal++;
    } else if (got.done) { /* not done: it found no memory, and is skipped */
        c->differ++;
        (void)printf("run %s differs from expected.lock at or before step %" PRId64 "\n",
                     entry->run, entry->steps);
        status = name_step(c, entry, &got, err);
    }
    bl_stored_free(&got);
    return status;
}

static bl_status verify(check *c, bl_err *err) {
    char path[BL_PATH];
    const bl_experiment *e = c->e;
    BL_TRY(bl_path(path, err, "%s/%s/expected.lock", bl_experiments_dir, e->config.name));
    BL_TRY(bl_lock_read(&c->lock, path, err));
    bl_experiment_data_words(&c->data, e);
    if (c->lock.count == 0)
        BL_FAIL(err, BL_EMISSING,
                "nothing to verify: %s has no entries; `batchlab lock %s` "
                "writes them",
                path, e->config.name);
    BL_TRY(open_scratch(c, err));
    /* A sweep is adaptive: its later runs are known from results. For all runs it is swept anew. */
    const bl_scheduler planning =
        c->sample > 0 ? scheduler_on(c, &e->store, true) : scheduler_on(c, &c->scratch, false);
    BL_TRY(bl_plan_trials_collect(&c->plan, e, &planning, err));
    BL_TRY(choose(c, err));
    BL_TRY(rerun(c, err));
    bl_display_close(&c->display);
    for (size_t i = 0; i < c->count; i++) BL_TRY(compare(c, &c->entry[i], err));
    (void)printf("%s, preset %s, %s, -j %zu: %zu runs equal, %zu differ, %zu skipped\n",
                 e->config.name, e->config.preset, bl_buf_text(&c->data), c->jobs, c->equal,
                 c->differ, c->lock.count - c->equal - c->differ);
    if (c->equal + c->differ == 0)
        BL_FAIL(err, BL_ENOMEM, "nothing was verified: no run found the memory it needs");
    return BL_OK;
}

/* -1 to go on, else the exit status. */
static int read_options(const bl_args *args, check *c) {
    if (args->operand == NULL) {
        (void)fprintf(stderr, "batchlab: which experiment?\nusage: batchlab %s\n", k_usage);
        return BL_EXIT_USAGE;
    }
    if (!bl_jobs_read(args->value[JOBS], &c->jobs)) {
        (void)fprintf(stderr, "batchlab: --jobs %s: expected a number from 1 to 256\n",
                      args->value[JOBS]);
        return BL_EXIT_USAGE;
    }
    const char *sample = args->value[SAMPLE];
    if (sample == NULL) return -1;
    char *end;
    const long n = strtol(sample, &end, 10);
    c->sample = n > 0 ? (size_t)n : 0;
    if (n > 0 && *end == '\0' && !bl_args_has(args, ALL)) return -1;
    (void)fprintf(stderr, "batchlab: --sample %s: %s\n", sample,
                  bl_args_has(args, ALL) ? "not together with --all" : "expected a number from 1");
    return BL_EXIT_USAGE;
}

int bl_cmd_verify(int argc, char **argv) {
    bl_args args;
    bl_err err = {0};
    bl_experiment e = {0};
    check c = {.e = &e};
    int rc = bl_args_read(&args, k_options, OPTION_COUNT, k_usage, argc, argv);
    if (rc < 0) rc = read_options(&args, &c);
    if (rc >= 0) return rc;
    (void)bl_display_init(&c.display, NULL);
    bl_catch_signals();
    bl_status status = bl_experiment_config(&e, args.operand, args.value[PRESET], &args, &err);
    if (status == BL_OK)
        status = bl_experiment_open(&e, bl_args_has(&args, SYNTHETIC), false, &err);
    if (status == BL_OK) status = verify(&c, &err);
    close_check(&c);
    bl_experiment_close(&e);
    if (status != BL_OK) return bl_cli_fail(&err);
    return c.differ > 0 ? BL_EXIT_MISMATCH : BL_EXIT_DONE;
}
