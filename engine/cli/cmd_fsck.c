/* batchlab fsck [NAME]: reads every file of the store and names what is damaged. */
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/stores.h"
#include "engine/store/fsck.h"
#include <stdio.h>
#include <string.h>

enum { REPAIR, JSON, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [REPAIR] = {"--repair", NULL, NULL, "set damaged runs and files aside, remove what dead writers left; no result is lost"},
    [JSON]   = {"--json",   NULL, NULL, "one JSON object per finding"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

/* A finding's words may begin with its path already. */
static void show_text(void *ctx, const bl_finding *f) {
    (void)ctx;
    const bool named = strncmp(f->what, f->path, strlen(f->path)) == 0;
    bl_cli_printf(stdout, "%s%s%s%s%s%s\n", named ? "" : f->path, named ? "" : ": ", f->what,
                  f->done[0] != '\0' ? " (" : "", f->done, f->done[0] != '\0' ? ")" : "");
}

static void show_json(void *ctx, const bl_finding *f) {
    static const char *const kinds[] = {
        [BL_FOUND_DAMAGE] = "damage", [BL_FOUND_LEFTOVER] = "leftover", [BL_FOUND_ASIDE] = "aside"};
    (void)ctx;
    bl_buf line = {0};
    bl_jw w = bl_jw_open(&line);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "kind", kinds[f->kind]);
    bl_jw_str(&w, "path", f->path);
    bl_jw_str(&w, "what", f->what);
    bl_jw_str(&w, "done", f->done);
    bl_jw_end(&w);
    bl_jw_line(&w);
    (void)fwrite(line.data, 1, line.len, stdout);
    bl_buf_free(&line);
}

/* Checks the named store, or all of them. The findings go to standard output as they come, the
 * totals to standard error. Damage that was set aside still ends with 4. */
static int check_stores(const bl_args *args) {
    bl_err err = {0};
    bl_names names = {0};
    bl_fsck fsck = {.repair = bl_args_has(args, REPAIR),
                    .found = bl_args_has(args, JSON) ? show_json : show_text};
    bl_status status = bl_cli_find_stores(&names, args->operand, &err);
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        bl_store store;
        status = bl_store_open(&store, bl_cli_runs_dir(), names.name[i], false, &err);
        if (status == BL_OK) status = bl_store_fsck(&store, &fsck, &err);
    }
    bl_names_free(&names);
    if (status != BL_OK) return bl_cli_fail(&err);
    bl_cli_printf(stderr, "%zu runs read: %zu damaged files, %zu leftovers, %zu set aside before\n",
                  fsck.runs, fsck.damage, fsck.leftovers, fsck.aside);
    if (fsck.damage > fsck.mended)
        bl_cli_printf(stderr, "`batchlab fsck --repair` sets damage aside; the next `batchlab run` "
                              "does those runs again.\n");
    return fsck.damage > 0 ? BL_EXIT_DAMAGE : BL_EXIT_DONE;
}

const bl_command bl_cmd_fsck = {
    .name = "fsck",
    .does = "read every file of the store and name what is damaged",
    .arguments = "[NAME] [--repair] [--json]",
    .group = BL_GROUP_KEEP,
    .sentence = "Reads every file of the store and names what is damaged or left over.",
    .example = "batchlab fsck quadratic",
    .shows = "... runs read: 0 damaged files, 0 leftovers, 0 set aside before\n",
    .exits = {{BL_EXIT_DAMAGE, ""}},
    .operand = BL_OPERAND_ANY_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = check_stores,
};
