/* batchlab plan NAME: the sweep as far as it is decided, each trial with its state. */
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/cli/trials.h"
#include "engine/train/train.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { JSON, PRESET, SET, SYNTHETIC, OPTION_COUNT };
static const bl_option k_options[] = {
    [JSON] = {"--json",      NULL, NULL,        "one JSON object per trial and decision"},
    [PRESET] = {"--preset",    NULL, "NAME",
              "tiny, quick (default) or paper, as the experiment declares"              },
    [SET] = {"--set",       NULL, "KEY=VALUE", "change one key; may be repeated"       },
    [SYNTHETIC] = {"--synthetic", NULL, NULL,        "plan on generated data"                },
};
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");
static const char k_usage[] = "plan NAME [--json] [--preset NAME] [--set KEY=VALUE]";

typedef struct plan_view {
    const bl_experiment *e;
    bool json;
    size_t rounds, done, left;
} plan_view;

static const char *state_of(const bl_experiment *e, const char *id, int64_t *steps) {
    bl_err ignored;
    bl_stored run;
    const bl_status status = bl_store_load(&e->store, id, &run, &ignored);
    const bool done = status == BL_OK && run.done;
    *steps = done ? run.steps : 0;
    const bool damaged = status == BL_OK && run.damaged;
    bl_stored_free(&run);
    if (done || damaged) return done ? "done" : "damaged";
    char path[BL_PATH];
    const bool part = bl_path(path, NULL, "%s/%s/log.jsonl.part", e->store.dir, id) == BL_OK &&
                      bl_file_exists(path);
    return part ? "interrupted" : "to do";
}

static void show_trial(plan_view *v, const bl_trial *t) {
    char id[BL_RUN_ID], memory[32] = "?", rate[32];
    int64_t steps;
    size_t bytes = 0;
    bl_err ignored;
    bl_run_identity(&t->config, v->e->data.sha256, id, NULL);
    const char *state = state_of(v->e, id, &steps);
    if (bl_train_memory(&t->config, &v->e->data, &bytes, &ignored) == BL_OK)
        (void)snprintf(memory, sizeof memory, "%.1f", (double)bytes / 1048576.0);
    *(strcmp(state, "done") == 0 ? &v->done : &v->left) += 1;
    bl_f64_text(rate, t->config.train.learning_rate);
    if (v->json)
        (void)printf("{\"record\":\"trial\",\"round\":%zu,\"run\":\"%s\",\"state\":\"%s\",\"batch_"
                     "size\":%" PRId64 ",\"learning_rate\":%s,\"seed\":%" PRId64
                     ",\"max_steps\":%" PRId64 ",\"steps\":%" PRId64 ",\"memory_bytes\":%zu}\n",
                     v->rounds, id, state, t->config.train.batch_size, rate, t->config.train.seed,
                     t->max_steps, steps, bytes);
    else
        (void)printf("   %s  %-11s batch %-6" PRId64 " lr %-12s seed %-2" PRId64 " %9" PRId64
                     "/%-9" PRId64 " steps %7s MiB  %s\n",
                     id, state, t->config.train.batch_size, rate, t->config.train.seed, steps,
                     t->max_steps, memory, t->reason);
}

static void show_round(void *ctx, const bl_round *round) {
    plan_view *v = ctx;
    v->rounds++;
    if (!v->json) (void)printf("%s%s\n", round->title, round->race ? " (race)" : "");
    for (size_t i = 0; i < round->count; i++) show_trial(v, &round->trial[i]);
}

static void show_decision(void *ctx, const char *text) {
    const plan_view *v = ctx;
    if (!v->json) {
        (void)printf("   -> %s\n", text);
        return;
    }
    bl_buf line = {0};
    bl_json_string(&line, text);
    (void)printf("{\"record\":\"decision\",\"round\":%zu,\"text\":%s}\n", v->rounds, line.data);
    bl_buf_free(&line);
}

static bl_status show_plan(bl_experiment *e, bool json, bl_err *err) {
    plan_view view = {.e = e, .json = json};
    const bl_scheduler scheduler = bl_lookup_scheduler(e);
    const bl_sweep_options options = {.script = e->script,
                                      .library_dir = bl_lua_dir,
                                      .round = show_round,
                                      .decision = show_decision,
                                      .ctx = &view};
    bl_sweep_totals totals;
    const bl_status status = bl_sweep_run(&e->config, &scheduler, &options, &totals, err);
    if (status != BL_OK && (status != BL_EMISSING || view.left == 0)) return status;
    if (!json)
        (void)printf("%s, preset %s: %zu trials answered%s\n", e->config.name, e->config.preset,
                     view.done,
                     view.left == 0 ? "; the sweep is complete."
                                    : "; what follows depends on the runs still to do.");
    return BL_OK;
}

int bl_cmd_plan(int argc, char **argv) {
    bl_args args;
    const int rc = bl_args_read(&args, k_options, OPTION_COUNT, k_usage, argc, argv);
    if (rc >= 0) return rc;
    if (args.operand == NULL) {
        (void)fprintf(stderr, "batchlab: which experiment?\nusage: batchlab %s\n", k_usage);
        return BL_EXIT_USAGE;
    }
    bl_err err = {0};
    bl_experiment e;
    bl_status status = bl_experiment_config(&e, args.operand, args.value[PRESET], &args, &err);
    if (status == BL_OK)
        status = bl_experiment_open(&e, bl_args_has(&args, SYNTHETIC), false, &err);
    if (status == BL_OK) status = show_plan(&e, bl_args_has(&args, JSON), &err);
    bl_experiment_close(&e);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}
