#include "engine/cli/trials.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/sweep/active_trial.h"
#include <stdlib.h>
#include <string.h>

typedef struct collection {
    bl_scheduler scheduler; /* answers from the experiment's store */
    bl_experiment_trials *out;
} collection;

/* A copy of the trial, with what its `sets` points to. */
static void add(bl_experiment_trials *out, const char *run, const bl_trial *trial) {
    size_t runs = out->count;
    bl_trial *kept = BL_PUSH(out->trial, out->count, "trials");
    char *id = *BL_PUSH(out->run, runs, "trials");
    *kept = *trial;
    const size_t bytes = bl_trial_sets_bytes(trial);
    if (bytes > 0) kept->sets = memcpy(bl_chunks_take(&out->sets, bytes), trial->sets, bytes);
    memcpy(id, run, BL_RUN_ID);
}

/* Notes a round's trials with the ids of their runs. */
static void take_round(void *ctx, const bl_round *round) {
    const collection *c = ctx;
    for (size_t i = 0; i < round->count; i++) {
        char id[BL_RUN_ID];
        bl_err ignored; /* what cannot be read has the id that it would begin with */
        (void)!bl_active_trial_run(id, &c->scheduler, &round->trial[i], &ignored);
        add(c->out, id, &round->trial[i]);
    }
}

/* A trial's place in the order of the plan, and its run. */
typedef struct place {
    char run[BL_RUN_ID];
    size_t at;
} place;

static int by_run(const void *a, const void *b) {
    const place *x = a, *y = b;
    const int order = strcmp(x->run, y->run);
    return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

/* Brings the trials into the order of their runs and keeps the first of each run. */
static void sort_runs(bl_experiment_trials *out) {
    const size_t n = out->count;
    place *order = bl_xalloc((n + 1) * sizeof *order);
    bl_trial *trial = bl_xalloc((n + 1) * sizeof *trial);
    for (size_t i = 0; i < n; i++) {
        memcpy(order[i].run, out->run[i], BL_RUN_ID);
        order[i].at = i;
    }
    qsort(order, n, sizeof *order, by_run);
    out->count = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && strcmp(order[i - 1].run, order[i].run) == 0) continue;
        memcpy(out->run[out->count], order[i].run, BL_RUN_ID);
        trial[out->count++] = out->trial[order[i].at];
    }
    free(order);
    free(out->trial);
    out->trial = trial;
}

bl_status bl_experiment_repeats(const bl_experiment *e, const char *what, bl_err *err) {
    if (!bl_config_is_external(&e->config) || strcmp(e->config.external.repeats, "noisy") != 0)
        return BL_OK;
    BL_FAIL(
        err, BL_EINVAL,
        "%s compares bits, and %s says external.repeats = \"noisy\"; `batchlab check %s --twice` "
        "says whether \"exact\" would hold",
        what, e->config.name, e->config.name);
}

bl_scheduler bl_experiment_lookup(const bl_experiment *e) {
    return (bl_scheduler){.data = &e->data,
                          .store = &e->store,
                          .kernels = e->kernels,
                          .jobs = 1,
                          .lookup_only = true};
}

bl_status bl_experiment_trials_collect(bl_experiment_trials *out, const bl_experiment *e,
                                       const bl_scheduler *scheduler, bl_err *err) {
    *out = (bl_experiment_trials){0};
    collection c = {.scheduler = bl_experiment_lookup(e), .out = out};
    const bl_sweep_options options = {
        .script = e->script, .library_dir = bl_cli_lua_dir(), .round = take_round, .ctx = &c};
    bl_sweep_totals totals;
    const bl_status status = bl_sweep_run(&e->config, scheduler, &options, &totals, err);
    out->complete = status == BL_OK;
    sort_runs(out);
    /* The first round with a run that is not done ends a plan that only looks. */
    if (scheduler->lookup_only && status == BL_EMISSING && out->count > 0) return BL_OK;
    if (status != BL_OK) bl_experiment_trials_free(out);
    return status;
}

void bl_experiment_trials_free(bl_experiment_trials *trials) {
    free(trials->trial);
    free(trials->run);
    bl_chunks_free(&trials->sets);
    *trials = (bl_experiment_trials){0};
}
