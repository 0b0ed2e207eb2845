/* The commands, in the order in which --help lists them: those of a group together. A command is
 * one file, cmd_NAME.c, with its row (bl_cmd_NAME) at the end, and one line here. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include <string.h>

// clang-format off
const bl_command *const bl_commands[] = {
    &bl_cmd_new, &bl_cmd_init, &bl_cmd_import, &bl_cmd_check, &bl_cmd_find,
    &bl_cmd_run, &bl_cmd_work, &bl_cmd_submit, &bl_cmd_plan, &bl_cmd_machine,
    &bl_cmd_recommend, &bl_cmd_compare, &bl_cmd_report, &bl_cmd_plot, &bl_cmd_export, &bl_cmd_fit,
    &bl_cmd_status, &bl_cmd_ls, &bl_cmd_show, &bl_cmd_why, &bl_cmd_diff,
    &bl_cmd_lock, &bl_cmd_verify, &bl_cmd_bundle, &bl_cmd_fsck, &bl_cmd_gc,
    &bl_cmd_doctor, &bl_cmd_completion,
};
// clang-format on
const size_t bl_command_count = BL_COUNT(bl_commands);

const bl_command *bl_command_find(const char *name) {
    for (size_t i = 0; i < bl_command_count; i++)
        if (strcmp(bl_commands[i]->name, name) == 0) return bl_commands[i];
    return NULL;
}
