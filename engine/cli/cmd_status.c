/* batchlab status [NAME]: what the store holds, derived from its files. */
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/stores.h"
#include "engine/store/store.h"
#include <stdio.h>
#include <string.h>

enum { JSON, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [JSON] = {"--json", NULL, NULL, "one JSON object per experiment"},
};
// clang-format on

typedef struct counts {
    size_t done, running, interrupted, failed, damaged, set_aside;
} counts;

/* A folder's state, in this order: a result decides (done or damaged), else a living claim
 * (running), else a log's part (interrupted). A folder with none of them is not counted: its run
 * has not begun. A run that is extended is done, and goes on. */
static bl_status count_run(const bl_store *store, const char *run, counts *out, bl_err *err) {
    char dir[BL_PATH], part[BL_PATH], failed[BL_PATH];
    if (strstr(run, ".corrupt-") != NULL) out->set_aside++;
    if (!bl_store_is_run_id(run)) return BL_OK;
    BL_TRY(bl_path(dir, err, "%s/%s", store->dir, run));
    BL_TRY(bl_path(part, err, "%s/log.jsonl.part", dir));
    BL_TRY(bl_path(failed, err, "%s/" BL_STORE_FAILED, dir));
    const bl_status status = bl_store_check_result(store, run, err);
    if (status == BL_OK)
        out->done++;
    else if (status == BL_EFORMAT)
        out->damaged++;
    else if (status != BL_EMISSING)
        return status;
    else if (bl_claim_state_of(dir) == BL_CLAIM_HELD)
        out->running++;
    else if (bl_dir_exists(failed))
        out->failed++;
    else if (bl_file_exists(part))
        out->interrupted++;
    return BL_OK;
}

static void show_json(const char *experiment, const counts *n) {
    bl_buf line = {0};
    bl_jw w = bl_jw_open(&line);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "experiment", experiment);
    bl_jw_i64(&w, "done", (int64_t)n->done);
    bl_jw_i64(&w, "running", (int64_t)n->running);
    bl_jw_i64(&w, "interrupted", (int64_t)n->interrupted);
    bl_jw_i64(&w, "failed", (int64_t)n->failed);
    bl_jw_i64(&w, "damaged", (int64_t)n->damaged);
    bl_jw_i64(&w, "set_aside", (int64_t)n->set_aside);
    bl_jw_end(&w);
    bl_jw_line(&w);
    (void)fwrite(line.data, 1, line.len, stdout);
    bl_buf_free(&line);
}

static void show_text(const char *experiment, const counts *n) {
    bl_cli_printf(stdout, "%-20s %6zu done %6zu running %6zu interrupted", experiment, n->done,
                  n->running, n->interrupted);
    if (n->failed > 0) bl_cli_printf(stdout, " %6zu failed (the next run tries again)", n->failed);
    if (n->damaged > 0) bl_cli_printf(stdout, " %6zu damaged (see batchlab fsck)", n->damaged);
    if (n->set_aside > 0) bl_cli_printf(stdout, " %6zu set aside as damaged", n->set_aside);
    bl_cli_printf(stdout, "\n");
}

/* Counts and shows one experiment. Nothing is unpacked and no claim is taken, so it may be asked
 * while runs are at work. */
static bl_status show(const char *experiment, bool json, bl_err *err) {
    bl_store store;
    bl_names names;
    counts n = {0};
    BL_TRY(bl_store_open(&store, bl_cli_runs_dir(), experiment, false, err));
    BL_TRY(bl_dir_list(&names, store.dir, err));
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < names.count; i++)
        status = count_run(&store, names.name[i], &n, err);
    bl_names_free(&names);
    if (status == BL_OK && json)
        show_json(experiment, &n);
    else if (status == BL_OK)
        show_text(experiment, &n);
    return status;
}

static int count_stores(const bl_args *args) {
    const bool json = bl_args_has(args, JSON);
    bl_err err = {0};
    bl_names names = {0};
    bl_status status = bl_cli_find_stores(&names, args->operand, &err);
    if (status == BL_OK && names.count == 0 && !json)
        bl_cli_printf(stdout, "no runs yet in %s/\n", bl_cli_runs_dir());
    for (size_t i = 0; status == BL_OK && i < names.count; i++)
        status = show(names.name[i], json, &err);
    bl_names_free(&names);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}

const bl_command bl_cmd_status = {
    .name = "status",
    .does = "what the store holds",
    .arguments = "[NAME] [--json]",
    .group = BL_GROUP_LOOK,
    .sentence = "Counts the runs in the store by their state: of one experiment, or of all.",
    .example = "batchlab status quadratic",
    .shows = "quadratic               ... done      0 running      0 interrupted\n",
    .operand = BL_OPERAND_ANY_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = count_stores,
};
