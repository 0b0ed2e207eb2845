/* batchlab new FOLDER [--from NAME]: a project folder with a copy of an experiment that comes with
 * the program. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/config/config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FROM, OPTION_COUNT, FILE_LIMIT = 1 << 26 };
// clang-format off
static const bl_option k_options[] = {
    [FROM] = {"--from", NULL, "NAME", "the experiment to copy (default: quadratic)"},
};
// clang-format on

static const char k_ignored[] = "/runs/\n/reports/\n/datasets/cache/\n";

static bl_status copy_file(const char *from, const char *to, bl_err *err) {
    bl_buf bytes = {0};
    bl_status status = bl_file_read(&bytes, from, FILE_LIMIT, err);
    if (status == BL_OK) status = bl_file_write(to, bl_buf_text(&bytes), bytes.len, err);
    bl_buf_free(&bytes);
    return status;
}

/* Files of the experiment's folder, not folders in it. */
static bl_status copy_experiment(const char *folder, const char *name, bl_err *err) {
    bl_names names;
    char from[BL_PATH], to[BL_PATH];
    BL_TRY(bl_path(to, err, "%s/experiments/%s", folder, name));
    BL_TRY(bl_make_dirs(to, err));
    BL_TRY(bl_path(from, err, "%s/%s", bl_cli_experiments_of(name), name));
    BL_TRY(bl_dir_list(&names, from, err));
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        status = bl_path(from, err, "%s/%s/%s", bl_cli_experiments_of(name), name, names.name[i]);
        if (status == BL_OK)
            status = bl_path(to, err, "%s/experiments/%s/%s", folder, name, names.name[i]);
        if (status == BL_OK && bl_file_exists(from)) status = copy_file(from, to, err);
    }
    bl_names_free(&names);
    return status;
}

/* The declaration of its data set, so that the copy can be changed; "none" has none. */
static bl_status copy_declaration(const char *folder, const char *dataset, bl_err *err) {
    const bl_dataset_options known = bl_cli_dataset_options(false);
    const char *const places[] = {known.manifest_dir, known.more_manifests};
    char from[BL_PATH], to[BL_PATH];
    BL_TRY(bl_path(to, err, "%s/datasets", folder));
    BL_TRY(bl_make_dirs(to, err));
    BL_TRY(bl_path(to, err, "%s/datasets/%s.cfg", folder, dataset));
    for (size_t i = 0; i < BL_COUNT(places); i++) {
        if (places[i] == NULL) continue;
        BL_TRY(bl_path(from, err, "%s/%s.cfg", places[i], dataset));
        if (bl_file_exists(from)) return copy_file(from, to, err);
    }
    return BL_OK;
}

/* BL_EINVAL: something is there already, and is left alone. */
static bl_status check_free(const char *folder, bl_err *err) {
    bl_names names;
    if (folder[0] == '\0') BL_FAIL(err, BL_EINVAL, "'': expected the name of a folder");
    if (bl_file_exists(folder) && !bl_dir_exists(folder))
        BL_FAIL(err, BL_EINVAL, "%s exists and is left alone; choose another name", folder);
    if (!bl_dir_exists(folder)) return BL_OK;
    BL_TRY(bl_dir_list(&names, folder, err));
    const size_t there = names.count;
    bl_names_free(&names);
    if (there > 0)
        BL_FAIL(err, BL_EINVAL, "%s is not empty and is left alone; choose another name", folder);
    return BL_OK;
}

/* What is there is asked before anything is written, and so is whether the experiment can be
 * read. A fault later on leaves what was written so far. */
static bl_status make_project(const char *folder, const char *name, bl_err *err) {
    char path[BL_PATH];
    bl_config *config = bl_xalloc(sizeof *config);
    bl_status status;
    BL_GOTO(check_free(folder, err));
    BL_GOTO(bl_config_read(config, bl_cli_experiments_of(name), name, NULL, NULL, 0, err));
    BL_GOTO(copy_experiment(folder, name, err));
    BL_GOTO(copy_declaration(folder, config->dataset, err));
    BL_GOTO(bl_path(path, err, "%s/.gitignore", folder));
    BL_GOTO(bl_file_write(path, k_ignored, strlen(k_ignored), err));
done:
    free(config);
    return status;
}

static int make_new(const bl_args *args) {
    bl_err err = {0};
    const char *folder = args->operand;
    const char *name = args->value[FROM] != NULL ? args->value[FROM] : "quadratic";
    if (make_project(folder, name, &err) != BL_OK) return bl_cli_fail(&err);
    bl_cli_printf(stdout, "%s/experiments/%s\nnext: cd %s && batchlab run %s\n", folder, name,
                  folder, name);
    return BL_EXIT_DONE;
}

const bl_command bl_cmd_new = {
    .name = "new",
    .does = "a project folder with a copy of an experiment to change",
    .arguments = "FOLDER [--from NAME]",
    .group = BL_GROUP_BEGIN,
    .sentence = "Makes a project folder: a copy of an experiment that comes with batchlab, and the "
                "declaration of its data set. A project is any folder with "
                "experiments/NAME/experiment.cfg; commands work from any folder in it.",
    .example = "batchlab new mine --from quadratic",
    .shows = "mine/experiments/quadratic\n"
             "next: cd mine && batchlab run quadratic\n",
    .operand = BL_OPERAND_FOLDER,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = make_new,
};
