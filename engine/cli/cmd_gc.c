/* batchlab gc [NAME]: removes from the store what nothing needs. */
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/cli/stores.h"
#include "engine/cli/trials.h"
#include "engine/plan/plan.h"
#include "engine/store/gc.h"
#include "engine/verify/lock.h"
#include <stdio.h>
#include <string.h>

enum { DRY_RUN, UNPLANNED, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [DRY_RUN]   = {"--dry-run",   "-n", NULL, "say what would be removed"},
    [UNPLANNED] = {"--unplanned", NULL, NULL, "also finished runs that are in no preset's plan, nor in plan.jsonl or expected.lock"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

/* ---- which runs are planned ---- */

/* Every run that anything here speaks of, kept as the entries of a lock: sorted, each once. */
typedef struct planned {
    const bl_store *store;
    bl_lock runs;
    char dataset[2][BL_SHA256_HEX]; /* real and generated data of this machine; of a program, its
                                     * inputs as they are */
} planned;

static void plan_run(planned *p, const char *run) {
    bl_lock_entry entry = {.steps = 1};
    if (!bl_store_is_run_id(run)) return;
    memcpy(entry.run, run, sizeof entry.run);
    bl_lock_set(&p->runs, &entry);
}

/* The plan of one preset on one kind of data, as far as the store's runs decide it. Without the
 * real data nothing is known of their plans: wanted() keeps such runs. */
static bl_status take_preset(planned *p, const char *name, const char *preset, bool synthetic,
                             bl_err *err) {
    const bl_args none = {0};
    bl_experiment e = {0};
    bl_experiment_trials plan = {0};
    bl_status status = bl_experiment_config(&e, name, preset, &none, err);
    const bool external = status == BL_OK && bl_config_is_external(&e.config);
    if (external && synthetic) {
        bl_experiment_close(&e);
        return BL_OK;
    }
    if (status == BL_OK) status = bl_experiment_level(&e, NULL, err);
    if (status == BL_OK) status = bl_experiment_open(&e, synthetic, false, err);
    if (status == BL_EMISSING && !synthetic && e.config.name[0] != '\0') return BL_OK;
    const bl_scheduler scheduler = bl_experiment_lookup(&e);
    if (status == BL_OK) status = bl_experiment_trials_collect(&plan, &e, &scheduler, err);
    for (size_t i = 0; status == BL_OK && i < plan.count; i++) plan_run(p, plan.run[i]);
    const char *digest = external ? e.config.external.inputs_sha256 : e.data.sha256;
    /* A repeat is found by the runs that it took the place of: they all stay. */
    const bool chained = external && strcmp(e.config.external.repeats, "noisy") == 0;
    if (status == BL_OK && !chained)
        memcpy(p->dataset[synthetic], digest, sizeof p->dataset[synthetic]);
    bl_experiment_trials_free(&plan);
    bl_experiment_close(&e);
    return status;
}

/* A plan that cannot be read is an error: without it nothing is known to be superfluous. */
static bl_status take_plan_file(planned *p, bl_err *err) {
    bl_plan_doc plan;
    const bl_status status = bl_plan_read(&plan, p->store->dir, err);
    if (status == BL_EMISSING) return BL_OK;
    BL_TRY(status);
    for (size_t i = 0; i < plan.trial_count; i++) plan_run(p, plan.trials[i].run);
    bl_plan_free(&plan);
    return BL_OK;
}

/* Every plan that this machine can make: of each preset, on the real and on the generated data. */
static bl_status take_all(planned *p, const char *name, bl_err *err) {
    char path[BL_PATH];
    bl_names presets = {0};
    BL_TRY(bl_path(path, err, "%s/%s/expected.lock", bl_cli_experiments_of(name), name));
    BL_TRY(bl_lock_read(&p->runs, path, err));
    BL_TRY(take_plan_file(p, err));
    BL_TRY(bl_config_presets(&presets, bl_cli_experiments_of(name), name, err));
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < 2 * presets.count; i++)
        status = take_preset(p, name, presets.name[i / 2], i % 2 == 1, err);
    bl_names_free(&presets);
    return status;
}

/* A run on other data than this machine has, or of another version of a program, may be in plans
 * that cannot be made here. */
static bool wanted(void *ctx, const char *run) {
    planned *p = ctx;
    char path[BL_PATH];
    bl_buf text = {0};
    bl_err ignored;
    if (bl_lock_find(&p->runs, run) != NULL) return true;
    bool known = false;
    if (bl_path(path, &ignored, "%s/%s/run.json", p->store->dir, run) == BL_OK &&
        bl_file_read(&text, path, BL_RUNLOG_LIMIT, &ignored) == BL_OK)
        for (size_t i = 0; i < BL_COUNT(p->dataset); i++)
            known |= p->dataset[i][0] != '\0' && strstr(bl_buf_text(&text), p->dataset[i]) != NULL;
    bl_buf_free(&text);
    return !known;
}

/* ---- the command ---- */

static bl_status clean(bl_gc *gc, const char *name, bool unplanned, bl_err *err) {
    bl_store store;
    BL_TRY(bl_store_open(&store, bl_cli_runs_dir(), name, false, err));
    planned p = {.store = &store};
    bl_status status = BL_OK;
    gc->wanted = unplanned ? wanted : NULL;
    gc->ctx = &p;
    if (unplanned) status = take_all(&p, name, err);
    if (status == BL_OK) status = bl_store_gc(&store, gc, err);
    bl_lock_free(&p.runs);
    return status;
}

/* A line for each kind that was found, and their sum. */
static void show(const bl_gc *gc) {
    static const char *const words[] = {[BL_GC_CHECKPOINTS] = "checkpoints of finished runs",
                                        [BL_GC_TEMPORARY] = "left behind by dead writers",
                                        [BL_GC_ASIDE] = "set aside as damaged",
                                        [BL_GC_UNWANTED] = "runs that are in no plan"};
    char size[BL_FORMAT_SIZE];
    int64_t bytes = 0;
    for (size_t i = 0; i < BL_GC_KINDS; i++) {
        bytes += gc->kind[i].bytes;
        if (gc->kind[i].count > 0)
            bl_cli_printf(stdout, "%10s  %6zu  %s\n",
                          bl_format_size(size, (double)gc->kind[i].bytes), gc->kind[i].count,
                          words[i]);
    }
    bl_cli_printf(stdout, "%10s  %s\n", bl_format_size(size, (double)bytes),
                  gc->dry ? "would be removed" : "removed");
}

static int collect(const bl_args *args) {
    bl_err err = {0};
    bl_names names = {0};
    bl_gc gc = {.dry = bl_args_has(args, DRY_RUN)};
    bl_status status = bl_cli_find_stores(&names, args->operand, &err);
    for (size_t i = 0; status == BL_OK && i < names.count; i++)
        status = clean(&gc, names.name[i], bl_args_has(args, UNPLANNED), &err);
    bl_names_free(&names);
    if (status == BL_OK) status = bl_scratch_gc(bl_cli_runs_dir(), &gc, &err);
    if (status != BL_OK) return bl_cli_fail(&err);
    show(&gc);
    return BL_EXIT_DONE;
}

const bl_command bl_cmd_gc = {
    .name = "gc",
    .does = "remove from the store what nothing needs",
    .arguments = "[NAME] [-n] [--unplanned]",
    .group = BL_GROUP_KEEP,
    .sentence = "Removes from the store what no command needs any more: checkpoints of finished "
                "runs and what killed processes left.",
    .example = "batchlab gc quadratic -n",
    .shows = "...\n"
             "...  would be removed\n",
    .exits = {{BL_EXIT_DAMAGE, ""}},
    .operand = BL_OPERAND_ANY_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = collect,
};
