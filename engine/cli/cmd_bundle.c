/* batchlab bundle NAME: everything that an experiment's answer rests on, as one tar file. */
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/stores.h"
#include "engine/export/bundle.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUTPUT, WITH_TIMING, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [OUTPUT]      = {"--output",      "-o", "FILE", "where to write (default NAME.tar.gz); .tar: not packed"},
    [WITH_TIMING] = {"--with-timing", NULL, NULL,   "also what differs from machine to machine: timings and environments"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

/* Does `file` lead to standard output, as /dev/stdout does? */
static bool is_stdout(const char *file) {
    struct stat st, out;
    return stat(file, &st) == 0 && fstat(STDOUT_FILENO, &out) == 0 && st.st_dev == out.st_dev &&
           st.st_ino == out.st_ino;
}

/* The experiment has to have a store. A report that could not be drawn is said and does not stop
 * the bundle; a damaged run does, with an exit of its own. */
static int write_bundle(const bl_args *args) {
    bl_err err = {0};
    char file[BL_PATH];
    bl_names found = {0};
    bl_bundle made = {0};
    const bl_dataset_options data = bl_cli_dataset_options(false);
    const bl_bundle_source source = {.name = args->operand,
                                     .runs_dir = bl_cli_runs_dir(),
                                     .experiments_dir = bl_cli_experiments_of(args->operand),
                                     .library_dir = bl_cli_lua_dir(),
                                     .templates_dir = bl_cli_templates_dir(),
                                     .manifest_dir = data.manifest_dir,
                                     .more_manifests = data.more_manifests,
                                     .with_timing = bl_args_has(args, WITH_TIMING)};
    if (args->value[OUTPUT] != NULL && args->value[OUTPUT][0] == '\0')
        return bl_cli_usage(args, "--output names no file");
    FILE *words = stdout; /* unless the archive goes there */
    bl_status status = args->value[OUTPUT] != NULL
                           ? bl_path(file, &err, "%s", args->value[OUTPUT])
                           : bl_path(file, &err, "%s.tar.gz", args->operand);
    if (status == BL_OK) status = bl_cli_find_stores(&found, args->operand, &err);
    bl_names_free(&found);
    if (status == BL_OK && is_stdout(file)) words = stderr;
    if (status == BL_OK) status = bl_bundle_write(&made, &source, file, &err);
    if (made.undrawn.code != BL_OK) (void)bl_cli_fail(&made.undrawn);
    if (status != BL_OK) {
        const int failed = bl_cli_fail(&err);
        return made.damaged ? BL_EXIT_DAMAGE : failed;
    }
    char size[BL_FORMAT_SIZE];
    bl_cli_printf(words, "%s: %zu runs, %zu files, %s\n", file, made.runs, made.files,
                  bl_format_size(size, (double)made.bytes));
    return BL_EXIT_DONE;
}

const bl_command bl_cmd_bundle = {
    .name = "bundle",
    .does = "everything an answer rests on, as one tar file",
    .arguments = "NAME [-o FILE] [--with-timing]",
    .group = BL_GROUP_KEEP,
    .sentence = "Packs all that an answer rests on into one tar file: experiment, runs, plan and "
                "report. Equal contents give equal bytes.",
    .example = "batchlab bundle quadratic",
    .shows = "quadratic.tar.gz: ... runs, ... files, ...\n",
    .exits = {{BL_EXIT_DAMAGE, ""},
              {BL_EXIT_UNAVAILABLE, "gnuplot is not installed: tables, and no figures"}},
    .operand = BL_OPERAND_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = write_bundle,
};
