/* batchlab lock NAME: writes experiments/NAME/expected.lock from the store. */
#include "engine/base/mem.h"
#include "engine/cli/trials.h"
#include "engine/verify/lock.h"
#include <stdio.h>
#include <string.h>

enum { PRUNE, PRESET, SET, SYNTHETIC, DEVICE, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [PRUNE]     = {"--prune",     NULL, NULL,        "drop the entries that are not of this plan, and say which"},
    [PRESET]    = {"--preset",    NULL, "NAME",      "tiny, quick (default) or paper, as declared"},
    [SET]       = {"--set",       NULL, "KEY=VALUE", "change one key; may be repeated", .repeats = true},
    [SYNTHETIC] = {"--synthetic", NULL, NULL,        "the runs on generated data"},
    [DEVICE]    = {"--device",    NULL, "NAME",      "lock the runs for this GPU (only with numerics = device): cuda, cuda:1"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

typedef struct counts {
    size_t added, changed, same, undone;
} counts;

/* A run that is not done is only counted. */
static bl_status lock_run(bl_lock *lock, const bl_store *store, const char *id, counts *n,
                          bl_err *err) {
    bl_lock_entry entry;
    bool done;
    BL_TRY(bl_lock_published(&entry, store, id, &done, err));
    if (!done) {
        n->undone++;
        return BL_OK;
    }
    const bl_lock_entry *there = bl_lock_find(lock, id);
    const bool same = there != NULL && there->steps == entry.steps &&
                      strcmp(there->log_sha256, entry.log_sha256) == 0;
    *(there == NULL ? &n->added : same ? &n->same : &n->changed) += 1;
    bl_lock_set(lock, &entry);
    return BL_OK;
}

static bool is_planned(const bl_experiment_trials *plan, const char *run) {
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->run[i], run) == 0) return true;
    return false;
}

/* Drops the entries of other plans, or only counts them. */
static void prune(bl_lock *lock, const bl_experiment_trials *plan, bool drop) {
    size_t kept = 0, others = 0;
    for (size_t i = 0; i < lock->count; i++) {
        const bool planned = is_planned(plan, lock->entry[i].run);
        others += !planned;
        if (!planned && drop) bl_cli_printf(stdout, "dropped %s\n", lock->entry[i].run);
        if (planned || !drop) lock->entry[kept++] = lock->entry[i];
    }
    lock->count = kept;
    if (others > 0 && !drop)
        bl_cli_printf(stdout,
                      "%zu of the entries are of other presets, data or settings, or of runs that "
                      "no plan has any more; --prune drops them\n",
                      others);
}

/* Brings expected.lock up to the runs of the plan that are done, and says what has changed in it.
 */
static bl_status lock_plan(const bl_experiment *e, bool drop, bl_err *err) {
    char path[BL_PATH];
    bl_lock lock = {0};
    bl_experiment_trials plan = {0};
    counts n = {0};
    const bl_scheduler scheduler = bl_experiment_lookup(e);
    BL_TRY(bl_experiment_repeats(e, "lock", err));
    BL_TRY(bl_cli_writable_experiment(e->config.name, "lock", err));
    bl_status status =
        bl_path(path, err, "%s/%s/expected.lock", bl_cli_experiments_dir, e->config.name);
    if (status != BL_OK) return status;
    BL_GOTO(bl_lock_read(&lock, path, err));
    BL_GOTO(bl_experiment_trials_collect(&plan, e, &scheduler, err));
    for (size_t i = 0; i < plan.count; i++)
        BL_GOTO(lock_run(&lock, &e->store, plan.run[i], &n, err));
    if (n.undone == plan.count) {
        status = BL_ERR(err, BL_EMISSING,
                        "no run of this plan is done; `batchlab run %s --preset %s` makes them",
                        e->config.name, e->config.preset);
        goto done;
    }
    if (drop && !plan.complete) {
        status = BL_ERR(err, BL_EMISSING,
                        "the sweep is not complete: --prune would drop runs that it has yet to "
                        "come to; `batchlab run %s --preset %s` first",
                        e->config.name, e->config.preset);
        goto done;
    }
    prune(&lock, &plan, drop);
    BL_GOTO(bl_lock_write(&lock, path, err));
    bl_cli_printf(stdout, "%s: %zu entries (%zu added, %zu changed, %zu as before)\n", path,
                  lock.count, n.added, n.changed, n.same);
    if (!plan.complete)
        bl_cli_printf(stdout, "the sweep is not complete: %zu of its runs so far are not done\n",
                      n.undone);
done:
    bl_lock_free(&lock);
    bl_experiment_trials_free(&plan);
    return status;
}

static int write_lock(const bl_args *args) {
    bl_err err = {0};
    bl_experiment e = {0};
    const int rc = bl_experiment_begin(&e, args, args->value[PRESET], bl_args_has(args, SYNTHETIC),
                                       args->value[DEVICE]);
    if (rc >= 0) return rc;
    const bl_status status = lock_plan(&e, bl_args_has(args, PRUNE), &err);
    bl_experiment_close(&e);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}

const bl_command bl_cmd_lock = {
    .name = "lock",
    .does = "write the expected logs of the runs that are done",
    .arguments = "NAME [--prune] [--preset NAME] [--set KEY=VALUE] [--synthetic]",
    .group = BL_GROUP_KEEP,
    .sentence = "Writes the expected logs of the finished runs into expected.lock, with which "
                "`batchlab verify` compares.",
    .example = "batchlab lock quadratic --preset tiny",
    .shows = "experiments/quadratic/expected.lock: 135 entries ...\n",
    .exits = {{BL_EXIT_DAMAGE, ""}, {BL_EXIT_UNAVAILABLE, ""}},
    .operand = BL_OPERAND_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = write_lock,
};
