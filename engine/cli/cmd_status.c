/* batchlab status [NAME]: what the store holds, derived from its files. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include <stdio.h>
#include <string.h>

typedef struct counts {
    size_t done, interrupted, set_aside;
} counts;

static bool has(const char *dir, const char *run, const char *file) {
    char path[BL_PATH];
    return bl_path(path, NULL, "%s/%s/%s", dir, run, file) == BL_OK && bl_file_exists(path);
}

static bl_status count_runs(const char *dir, counts *out, bl_err *err) {
    bl_names names;
    *out = (counts){0};
    BL_TRY(bl_dir_list(&names, dir, err));
    for (size_t i = 0; i < names.count; i++) {
        const char *run = names.name[i];
        if (strstr(run, ".corrupt-") != NULL)
            out->set_aside++;
        else if (has(dir, run, "result.json"))
            out->done++;
        else if (has(dir, run, "log.jsonl.part"))
            out->interrupted++;
    }
    bl_names_free(&names);
    return BL_OK;
}

static bl_status show(const char *experiment, bl_err *err) {
    char dir[BL_PATH];
    counts n;
    BL_TRY(bl_path(dir, err, "%s/%s", bl_runs_dir(), experiment));
    BL_TRY(count_runs(dir, &n, err));
    (void)printf("%-20s %6zu done %6zu interrupted", experiment, n.done, n.interrupted);
    if (n.set_aside > 0) (void)printf(" %6zu set aside as damaged", n.set_aside);
    (void)printf("\n");
    return BL_OK;
}

int bl_cmd_status(int argc, char **argv) {
    bl_args args;
    const int rc = bl_args_read(&args, NULL, 0, "status [NAME]", argc, argv);
    if (rc >= 0) return rc;
    bl_err err = {0};
    if (args.operand != NULL) {
        if (show(args.operand, &err) == BL_OK) return BL_EXIT_DONE;
        return bl_cli_fail(&err);
    }
    bl_names names;
    if (!bl_dir_exists(bl_runs_dir())) {
        (void)printf("no runs yet in %s/\n", bl_runs_dir());
        return BL_EXIT_DONE;
    }
    bl_status status = bl_dir_list(&names, bl_runs_dir(), &err);
    for (size_t i = 0; status == BL_OK && i < names.count; i++) status = show(names.name[i], &err);
    bl_names_free(&names);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}
