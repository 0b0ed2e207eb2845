/* batchlab completion SHELL: scripts that ask the program itself, at the moment of completing,
 * which words may follow. They hold no list of their own that could grow old. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include <stdio.h>
#include <string.h>

/* Each asks for `batchlab completion words COMMAND`: lines of a word, a tab and what it means. */
// clang-format off
static const struct shell {
    const char *name, *script;
} k_shells[] = {
    {"bash",
     "_batchlab() {\n"
     "  local command= word=${COMP_WORDS[COMP_CWORD]}\n"
     "  [ \"$COMP_CWORD\" -gt 1 ] && command=${COMP_WORDS[1]}\n"
     "  COMPREPLY=($(compgen -W \"$(\"${COMP_WORDS[0]}\" completion words $command 2>/dev/null | "
     "cut -f1)\" -- \"$word\"))\n"
     "}\n"
     "complete -o default -F _batchlab batchlab\n"                       },
    {"zsh",
     "#compdef batchlab\n"
     "_batchlab() {\n"
     "  local -a lines\n"
     "  local command=\n"
     "  (( CURRENT > 2 )) && command=$words[2]\n"
     "  lines=(${(f)\"$(${words[1]} completion words $command 2>/dev/null | sed 's/:/\\\\:/g; "
     "s/\\t/:/')\"})\n"
     "  _describe batchlab lines\n"
     "  (( CURRENT > 2 )) && _files\n"
     "}\n"
     "compdef _batchlab batchlab\n"                                      },
    {"fish", "function __batchlab_words\n"
             "  set -l words (commandline -opc)\n"
             "  $words[1] completion words $words[2] 2>/dev/null\n"
             "end\n"
             "complete -c batchlab -a '(__batchlab_words)'\n"},
};

static void say_commands(void) {
    for (size_t i = 0; i < bl_command_count; i++)
        bl_cli_printf(stdout, "%s\t%s\n", bl_commands[i]->name, bl_commands[i]->does);
}

static void say_experiments(void) {
    bl_names names;
    bl_err ignored;
    if (bl_dir_list(&names, bl_cli_experiments_dir, &ignored) != BL_OK) return;
    for (size_t i = 0; i < names.count; i++) {
        char path[BL_PATH];
        if (bl_path(path, NULL, "%s/%s/experiment.cfg", bl_cli_experiments_dir, names.name[i]) ==
                BL_OK &&
            bl_file_exists(path))
            bl_cli_printf(stdout, "%s\texperiment\n", names.name[i]);
    }
    bl_names_free(&names);
}

/* What may follow a command: its options, from its own row, and experiments where it takes one. */
static int say_words(const char *command) {
    if (command == NULL) {
        say_commands();
        return BL_EXIT_DONE;
    }
    const bl_command *c = bl_command_find(command);
    if (c == NULL) return BL_EXIT_USAGE;
    if (strstr(c->arguments, "NAME") != NULL) say_experiments();
    bl_args_list_options(c);
    return BL_EXIT_DONE;
}

static int complete(const bl_args *args) {
    if (args->operand != NULL && strcmp(args->operand, "words") == 0)
        return say_words(args->second);
    for (size_t i = 0; args->operand != NULL && i < BL_COUNT(k_shells); i++)
        if (strcmp(args->operand, k_shells[i].name) == 0) {
            bl_cli_printf(stdout, "%s", k_shells[i].script);
            return BL_EXIT_DONE;
        }
    return bl_cli_usage(args, "which shell?");
}

const bl_command bl_cmd_completion = {
    .name = "completion",
    .arguments = "bash|zsh|fish",
    .does = "a script that completes words in that shell",
    .operand = BL_OPERAND_SHELL,
    .run = complete,
};
