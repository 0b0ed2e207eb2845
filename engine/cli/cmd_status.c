/* batchlab status [NAME]: what the store holds, derived from its files. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/stores.h"
#include "engine/store/store.h"
#include <stdio.h>
#include <string.h>

static const bl_option k_options[] = {
    {"--json", NULL, NULL, "one JSON object per experiment"},
};
static const char k_usage[] = "status [NAME] [--json]";

typedef struct counts {
    size_t done, running, interrupted, set_aside;
} counts;

static bool has(const char *dir, const char *run, const char *file) {
    char path[BL_PATH];
    return bl_path(path, NULL, "%s/%s/%s", dir, run, file) == BL_OK && bl_file_exists(path);
}

/* A run that is extended is done, and goes on. */
static void count_run(const char *dir, const char *run, counts *out) {
    char path[BL_PATH];
    if (strstr(run, ".corrupt-") != NULL)
        out->set_aside++;
    else if (!bl_is_run_id(run) || bl_path(path, NULL, "%s/%s", dir, run) != BL_OK)
        return;
    else if (has(dir, run, "result.json"))
        out->done++;
    else if (bl_claim_look(path) == BL_CLAIM_FRESH)
        out->running++;
    else if (has(dir, run, "log.jsonl.part"))
        out->interrupted++;
}

static bl_status show(const char *experiment, bool json, bl_err *err) {
    char dir[BL_PATH];
    bl_names names;
    counts n = {0};
    BL_TRY(bl_path(dir, err, "%s/%s", bl_runs_dir(), experiment));
    BL_TRY(bl_dir_list(&names, dir, err));
    for (size_t i = 0; i < names.count; i++) count_run(dir, names.name[i], &n);
    bl_names_free(&names);
    if (json) {
        (void)printf("{\"experiment\":\"%s\",\"done\":%zu,\"running\":%zu,\"interrupted\":%zu,"
                     "\"set_aside\":%zu}\n",
                     experiment, n.done, n.running, n.interrupted, n.set_aside);
        return BL_OK;
    }
    (void)printf("%-20s %6zu done %6zu running %6zu interrupted", experiment, n.done, n.running,
                 n.interrupted);
    if (n.set_aside > 0) (void)printf(" %6zu set aside as damaged", n.set_aside);
    (void)printf("\n");
    return BL_OK;
}

int bl_cmd_status(int argc, char **argv) {
    bl_args args;
    const int rc = bl_args_read(&args, k_options, BL_COUNT(k_options), k_usage, argc, argv);
    if (rc >= 0) return rc;
    const bool json = bl_args_has(&args, 0);
    bl_err err = {0};
    bl_names names = {0};
    bl_status status = bl_stores_find(&names, args.operand, &err);
    if (status == BL_OK && names.count == 0 && !json)
        (void)printf("no runs yet in %s/\n", bl_runs_dir());
    for (size_t i = 0; status == BL_OK && i < names.count; i++)
        status = show(names.name[i], json, &err);
    bl_names_free(&names);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}
