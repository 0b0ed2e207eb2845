/* batchlab completion SHELL: scripts that ask the program itself, at the moment of completing,
 * which words may follow. They hold no list of their own that could grow old. `completion man`
 * writes manual pages, from the same rows. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/help.h"
#include "engine/cli/stores.h"
#include "engine/config/schema.h"
#include "engine/store/store.h"
#include <stdio.h>
#include <string.h>

/* Each asks for `batchlab completion words -- COMMAND BEFORE OPERAND`: lines of a word, a tab and
 * what it means. BEFORE is the word left of the cursor, OPERAND the word after the command. */
// clang-format off
static const struct shell {
    const char *name, *script;
} k_shells[] = {
    {"bash",
     "_batchlab() {\n"
     "  local command= operand= word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
     "  [ \"$COMP_CWORD\" -gt 1 ] && command=${COMP_WORDS[1]} operand=${COMP_WORDS[2]}\n"
     "  COMPREPLY=($(compgen -W \"$(\"${COMP_WORDS[0]}\" completion words -- \"$command\" \"$before\" "
     "\"$operand\" 2>/dev/null | cut -f1)\" -- \"$word\"))\n"
     "  case ${COMPREPLY[0]} in *=) compopt -o nospace 2>/dev/null ;; esac\n"
     "}\n"
     "complete -o default -F _batchlab batchlab\n"                       },
    {"zsh",
     "#compdef batchlab\n"
     "_batchlab() {\n"
     "  local -a lines\n"
     "  local command= operand=\n"
     "  (( CURRENT > 2 )) && command=$words[2] operand=$words[3]\n"
     "  lines=(${(f)\"$(${words[1]} completion words -- \"$command\" \"$words[CURRENT-1]\" \"$operand\" "
     "2>/dev/null | sed 's/:/\\\\:/g; s/\\t/:/')\"})\n"
     "  if [[ ${lines[1]} == *=:* ]]; then _describe -o batchlab lines -S ''\n"
     "  else _describe -o batchlab lines; fi\n"
     "  (( CURRENT > 2 )) && _files\n"
     "}\n"
     "compdef _batchlab batchlab\n"                                      },
    {"fish", "function __batchlab_words\n"
             "  set -l words (commandline -opc)\n"
             "  set -l command $words[2]; set -l operand $words[3]\n"
             "  $words[1] completion words -- \"$command\" \"$words[-1]\" \"$operand\" 2>/dev/null\n"
             "end\n"
             "complete -c batchlab -a '(__batchlab_words)'\n"},
};

/* What may stand behind an option that takes one of a few words; keys end with "=". */
static const struct value {
    const char *option, *words;
} k_values[] = {
    {"--progress", "auto plain json none"},
    {"--device", "cpu cuda"},
};
// clang-format on

static void say_commands(void) {
    for (size_t i = 0; i < bl_command_count; i++)
        bl_cli_printf(stdout, "%s\t%s\n", bl_commands[i]->name, bl_commands[i]->does);
}

/* The experiments in that folder that the project does not have itself; in its own, all. */
static void say_experiments_in(const char *folder) {
    bl_names names;
    bl_err ignored;
    if (bl_dir_list(&names, folder, &ignored) != BL_OK) return;
    for (size_t i = 0; i < names.count; i++) {
        char path[BL_PATH];
        if (bl_path(path, NULL, "%s/%s/experiment.cfg", folder, names.name[i]) == BL_OK &&
            bl_file_exists(path) && strcmp(bl_cli_experiments_of(names.name[i]), folder) == 0)
            bl_cli_printf(stdout, "%s\texperiment\n", names.name[i]);
    }
    bl_names_free(&names);
}

static void say_experiments(void) {
    char shared[BL_PATH];
    say_experiments_in(bl_cli_experiments_dir);
    if (bl_cli_share_dir()[0] != '\0' &&
        bl_path(shared, NULL, "%s/experiments", bl_cli_share_dir()) == BL_OK)
        say_experiments_in(shared);
}

static void say_presets(const char *experiment) {
    bl_names presets;
    bl_err ignored;
    if (bl_config_presets(&presets, bl_cli_experiments_of(experiment), experiment, &ignored) !=
        BL_OK)
        return;
    for (size_t i = 0; i < presets.count; i++)
        bl_cli_printf(stdout, "%s\tpreset of %s\n", presets.name[i], experiment);
    bl_names_free(&presets);
}

static void say_keys(void) {
    for (size_t i = 0; i < bl_schema_count; i++)
        bl_cli_printf(stdout, "%s=\t%s\n", bl_schema[i].path, bl_schema[i].help);
}

/* Ids of the runs in all stores. */
static void say_runs(void) {
    bl_names stores, runs;
    bl_err ignored;
    if (bl_cli_find_stores(&stores, NULL, &ignored) != BL_OK) return;
    for (size_t i = 0; i < stores.count; i++) {
        char path[BL_PATH];
        if (bl_cli_runs_folder(path, stores.name[i], &ignored) != BL_OK ||
            bl_dir_list(&runs, path, &ignored) != BL_OK)
            continue;
        for (size_t k = 0; k < runs.count; k++)
            if (bl_store_is_run_id(runs.name[k]))
                bl_cli_printf(stdout, "%s\trun of %s\n", runs.name[k], stores.name[i]);
        bl_names_free(&runs);
    }
    bl_names_free(&stores);
}

/* Each word of the list, with nothing said of it. */
static void say_each(const char *words) {
    for (const char *at = words; *at != '\0';) {
        const size_t n = strcspn(at, " ");
        bl_cli_printf(stdout, "%.*s\t\n", (int)n, at);
        at += n + (at[n] == ' ');
    }
}

/* Behind an option that takes a value: its words, keys or presets. False: `before` is none. */
static bool say_values(const bl_command *c, const char *before, const char *operand) {
    for (size_t i = 0; i < c->option_count; i++) {
        const bl_option *o = &c->options[i];
        if (o->argument == NULL || before == NULL ||
            (strcmp(o->name, before) != 0 && (o->brief == NULL || strcmp(o->brief, before) != 0)))
            continue;
        for (size_t k = 0; k < BL_COUNT(k_values); k++)
            if (strcmp(k_values[k].option, o->name) == 0) say_each(k_values[k].words);
        if (strcmp(o->name, "--set") == 0 || strcmp(o->name, "--only") == 0) say_keys();
        if (strcmp(o->name, "--preset") == 0 && operand != NULL) say_presets(operand);
        return true;
    }
    return false;
}

/* What may follow a command: its options, from its own row, and experiments or runs where it takes
 * them. */
static int say_words(const char *command, const char *before, const char *operand) {
    if (command == NULL || command[0] == '\0' || strcmp(command, "help") == 0) {
        say_commands();
        return BL_EXIT_DONE;
    }
    const bl_command *c = bl_command_find(command);
    if (c == NULL) return BL_EXIT_USAGE;
    if (say_values(c, before, operand)) return BL_EXIT_DONE;
    if (c->operand == BL_OPERAND_TWO_SWEEPS || strstr(c->arguments, "NAME") == c->arguments ||
        strstr(c->arguments, "[NAME]") != NULL || strstr(c->arguments, "| show NAME") != NULL)
        say_experiments();
    if (c->operand == BL_OPERAND_RUN || c->operand == BL_OPERAND_TWO_RUNS) say_runs();
    for (size_t i = 0; c->operand == BL_OPERAND_SHELL && i < BL_COUNT(k_shells); i++)
        bl_cli_printf(stdout, "%s\tshell\n", k_shells[i].name);
    bl_args_list_options(c);
    return BL_EXIT_DONE;
}

/* The pages' roff: of the command, or of the program. */
static int say_man_page(const bl_args *args) {
    bl_buf text = {0};
    const bl_command *c = args->second != NULL ? bl_command_find(args->second) : NULL;
    if (args->second != NULL && c == NULL)
        return bl_cli_usage(args, "no command '%s'", args->second);
    bl_help_man_page(&text, c);
    bl_cli_print(stdout, bl_buf_text(&text));
    bl_buf_free(&text);
    return BL_EXIT_DONE;
}

/* "words" is for the scripts, "man" for those who install; neither is a shell. */
static int complete(const bl_args *args) {
    if (args->operand != NULL && strcmp(args->operand, "words") == 0)
        return say_words(args->second, args->mores > 0 ? args->more[0] : NULL,
                         args->mores > 1 ? args->more[1] : NULL);
    if (args->operand != NULL && strcmp(args->operand, "man") == 0) return say_man_page(args);
    for (size_t i = 0; args->operand != NULL && i < BL_COUNT(k_shells); i++)
        if (strcmp(args->operand, k_shells[i].name) == 0) {
            bl_cli_printf(stdout, "%s", k_shells[i].script);
            return BL_EXIT_DONE;
        }
    return bl_cli_usage(args, "which shell?");
}

const bl_command bl_cmd_completion = {
    .name = "completion",
    .does = "a script that completes words in that shell",
    .arguments = "bash|zsh|fish",
    .group = BL_GROUP_PROGRAM,
    .sentence = "Prints the script with which a shell completes commands, options, experiments, "
                "presets, keys and runs.",
    .example = "batchlab completion bash",
    .shows = "_batchlab() {\n"
             "...\n",
    .operand = BL_OPERAND_SHELL,
    .run = complete,
};
