#include "engine/cli/trials.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include <string.h>

typedef struct collection {
    const bl_experiment *e;
    bl_experiment_trials *out;
} collection;

static void add(bl_experiment_trials *out, const char *run, const bl_trial *trial) {
    size_t i = 0;
    while (i < out->count && strcmp(out->run[i], run) < 0) i++;
    if (i < out->count && strcmp(out->run[i], run) == 0) return;
    size_t runs = out->count;
    (void)BL_PUSH(out->trial, out->count, "trials");
    (void)BL_PUSH(out->run, runs, "trials");
    memmove(&out->trial[i + 1], &out->trial[i], (out->count - 1 - i) * sizeof *out->trial);
    memmove(&out->run[i + 1], &out->run[i], (out->count - 1 - i) * sizeof *out->run);
    out->trial[i] = *trial;
    memcpy(out->run[i], run, BL_RUN_ID);
}

static void take_round(void *ctx, const bl_round *round) {
    const collection *c = ctx;
    for (size_t i = 0; i < round->count; i++) {
        char id[BL_RUN_ID];
        bl_store_run_identity(&round->trial[i].config, c->e->data.sha256, id, NULL);
        add(c->out, id, &round->trial[i]);
    }
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
    collection c = {.e = e, .out = out};
    const bl_sweep_options options = {
        .script = e->script, .library_dir = bl_cli_lua_dir, .round = take_round, .ctx = &c};
    bl_sweep_totals totals;
    const bl_status status = bl_sweep_run(&e->config, scheduler, &options, &totals, err);
    out->complete = status == BL_OK;
    /* The first round with a run that is not done ends a plan that only looks. */
    if (scheduler->lookup_only && status == BL_EMISSING && out->count > 0) return BL_OK;
    if (status != BL_OK) bl_experiment_trials_free(out);
    return status;
}

void bl_experiment_trials_free(bl_experiment_trials *trials) {
    free(trials->trial);
    free(trials->run);
    *trials = (bl_experiment_trials){0};
}
