/* A project is a folder with experiments/NAME/experiment.cfg. Commands on experiments and runs work
 * from any folder in it, as they do from its own. */
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/cli/command.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool holds_experiment(const char *folder) {
    bl_names names;
    char path[BL_PATH];
    bool found = false;
    if (bl_path(path, NULL, "%s/%s", folder, bl_cli_experiments_dir) != BL_OK ||
        !bl_dir_exists(path) || bl_dir_list(&names, path, NULL) != BL_OK)
        return false;
    for (size_t i = 0; !found && i < names.count; i++)
        found = bl_path(path, NULL, "%s/%s/%s/experiment.cfg", folder, bl_cli_experiments_dir,
                        names.name[i]) == BL_OK &&
                bl_file_exists(path);
    bl_names_free(&names);
    return found;
}

/* The nearest folder above `from` that is a project; false: there is none. */
static bool find_above(char out[BL_PATH], const char *from) {
    if (bl_path(out, NULL, "%s", from) != BL_OK) return false;
    for (char *slash; (slash = strrchr(out, '/')) != NULL && slash != out;) {
        *slash = '\0';
        if (holds_experiment(out)) return true;
    }
    return false;
}

/* Commands that know experiments by their names, or runs by their ids. */
static bool is_on_project(const bl_command *c) {
    return c->operand == BL_OPERAND_EXPERIMENT || c->operand == BL_OPERAND_ANY_EXPERIMENT ||
           c->operand == BL_OPERAND_RUN || c->operand == BL_OPERAND_TWO_RUNS ||
           c->operand == BL_OPERAND_TWO_SWEEPS;
}

/* A path that the user wrote, as it has to read from another folder; kept in args->places. */
static void keep_place(bl_args *args, const char **word, const char *from) {
    if (*word == NULL || (*word)[0] == '/' || (*word)[0] == '\0') return;
    bl_buf path = {0};
    bl_buf_printf(&path, "%s/%s", from, *word);
    *BL_PUSH(args->places.name, args->places.count, "paths") = path.data;
    *word = path.data;
}

void bl_cli_enter_project(bl_args *args) {
    char here[BL_PATH], project[BL_PATH];
    const bl_command *c = args->command;
    if (!is_on_project(c) || bl_dir_exists(bl_cli_experiments_dir) ||
        bl_dir_exists(bl_cli_runs_dir()) || getcwd(here, sizeof here) == NULL ||
        !find_above(project, here) || chdir(project) != 0)
        return;
    bl_cli_printf(stderr, "batchlab: in the project %s\n", project);
    for (size_t i = 0; i < c->option_count; i++) {
        const char *takes = c->options[i].argument;
        if (takes != NULL && (strcmp(takes, "FILE") == 0 || strcmp(takes, "DIR") == 0))
            keep_place(args, &args->value[i], here);
    }
    const bool of_runs = c->operand == BL_OPERAND_RUN || c->operand == BL_OPERAND_TWO_RUNS;
    if (of_runs && args->operand != NULL && strchr(args->operand, '/') != NULL)
        keep_place(args, &args->operand, here);
    if (of_runs && args->second != NULL && strchr(args->second, '/') != NULL)
        keep_place(args, &args->second, here);
}
