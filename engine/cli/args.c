/* Reads a command line by the command's row, and says what is wrong with it. */
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/cli/command.h"
#include "engine/cli/help.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    size_t least, most; /* words */
    const char *ask;    /* for one that is missing */
} k_operands[] = {
    [BL_OPERAND_NONE] = {0, 0,   ""                 },
    [BL_OPERAND_EXPERIMENT] = {1, 1,   "which experiment?"},
    [BL_OPERAND_ANY_EXPERIMENT] = {0, 1,   ""                 },
    [BL_OPERAND_RUN] = {1, 1,   "which run?"       },
    [BL_OPERAND_TWO_RUNS] = {2, 2,   "which two runs?"  },
    [BL_OPERAND_TWO_SWEEPS] = {2, 2,   "which two sweeps?"},
    [BL_OPERAND_TABLE] = {1, 1,   "which table?"     },
    [BL_OPERAND_TABLES] = {0, 256, ""                 },
    [BL_OPERAND_FOLDER] = {1, 1,   "which folder?"    },
    [BL_OPERAND_SHELL] = {0, 5,   ""                 },
};
_Static_assert(BL_COUNT(k_operands) == BL_OPERAND_COUNT, "a row for every kind of operand");

int bl_cli_usage(const bl_args *args, const char *fmt, ...) {
    bl_buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    bl_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    const bl_command *c = args->command;
    bl_cli_printf(stderr, "batchlab: %s\nusage: batchlab %s%s%s\n", bl_buf_text(&text), c->name,
                  c->arguments[0] != '\0' ? " " : "", c->arguments);
    bl_buf_free(&text);
    return BL_EXIT_USAGE;
}

static void show_help(const bl_command *c) {
    bl_buf text = {0};
    bl_help_command(&text, c);
    bl_cli_print(stdout, bl_buf_text(&text));
    bl_buf_free(&text);
}

void bl_args_list_options(const bl_command *command) {
    for (size_t i = 0; i < command->option_count; i++)
        bl_cli_printf(stdout, "%s\t%s\n", command->options[i].name, command->options[i].help);
    bl_cli_printf(stdout, "--help\tshow the options\n");
}

static int unknown_option(const bl_args *args, const char *word) {
    const bl_command *c = args->command;
    const char *names[BL_MOST_OPTIONS];
    for (size_t i = 0; i < c->option_count; i++) names[i] = c->options[i].name;
    const char *near = bl_nearest(word, names, c->option_count);
    if (near == NULL) return bl_cli_usage(args, "unknown option '%s'", word);
    char hint[BL_NEAREST_HINT];
    bl_cli_printf(stderr, "batchlab: unknown option '%s'%s\n", word,
                  bl_nearest_hint(hint, ": ", near));
    return BL_EXIT_USAGE;
}

/* The next word that is no option. -1 to go on, else the exit status after words to the user. */
static int add_operand(bl_args *args, const char *word) {
    const size_t have = (args->operand != NULL) + (args->second != NULL) + args->mores;
    const bl_operand kind = args->command->operand;
    if (word[0] == '\0' && (kind == BL_OPERAND_TABLE || kind == BL_OPERAND_TABLES))
        return bl_cli_usage(args, "'': expected the name of a file");
    if (word[0] == '\0' && kind == BL_OPERAND_FOLDER)
        return bl_cli_usage(args, "'': expected the name of a folder");
    if (kind == BL_OPERAND_TABLES && args->mores == BL_MOST_MORE)
        return bl_cli_usage(args, "too many files");
    if (have >= k_operands[kind].most) return bl_cli_usage(args, "unexpected argument '%s'", word);
    if (have == 0)
        args->operand = word;
    else if (have == 1 && kind != BL_OPERAND_TABLES)
        args->second = word;
    else
        args->more[args->mores++] = word;
    return -1;
}

/* `word` up to '=' or its end is this option's name. */
static bool is_named(const bl_option *o, const char *word, size_t n) {
    return (strlen(o->name) == n && memcmp(o->name, word, n) == 0) ||
           (o->brief != NULL && strlen(o->brief) == n && memcmp(o->brief, word, n) == 0);
}

/* Reads the option argv[*i], and the next word where that is its value: --jobs=2, --jobs 2, -j 2,
 * -j2. */
static int add_option(bl_args *args, int argc, char **argv, int *i) {
    const bl_command *c = args->command;
    const char *word = argv[*i], *equals = strchr(word, '=');
    const bool brief = word[1] != '-';
    const size_t n = brief ? 2 : equals != NULL ? (size_t)(equals - word) : strlen(word);
    size_t row = 0;
    while (row < c->option_count && !is_named(&c->options[row], word, n)) row++;
    if (row == c->option_count) return unknown_option(args, word);
    const bl_option *o = &c->options[row];
    if (o->argument == NULL) {
        if (word[n] != '\0') return bl_cli_usage(args, "option '%s' takes no value", o->name);
        args->value[row] = "";
        return -1;
    }
    const bool may_lack = o->argument[0] == '[';
    const char *value = word[n] != '\0' ? word + n + !brief : NULL;
    if (value == NULL && *i + 1 < argc && !(may_lack && argv[*i + 1][0] == '-')) value = argv[++*i];
    if (value == NULL && !may_lack)
        return bl_cli_usage(args, "a value is missing after '%s'", word);
    args->value[row] = value != NULL ? value : "";
    if (!o->repeats) return -1;
    if (args->sets == BL_MOST_SETS) return bl_cli_usage(args, "too many '%s'", o->name);
    args->set[args->sets++] = value;
    return -1;
}

/* An experiment is a folder's name; a path would lead out of the folder of experiments and stores.
 */
static int check_operands(const bl_args *args) {
    const bl_operand kind = args->command->operand;
    const size_t have = (args->operand != NULL) + (args->second != NULL);
    if (have < k_operands[kind].least) return bl_cli_usage(args, "%s", k_operands[kind].ask);
    if ((kind != BL_OPERAND_EXPERIMENT && kind != BL_OPERAND_ANY_EXPERIMENT) || have == 0)
        return -1;
    if (args->operand[0] == '\0' || args->operand[0] == '.' || strchr(args->operand, '/') != NULL)
        return bl_cli_usage(args, "'%s': expected the name of an experiment, not a path",
                            args->operand);
    return -1;
}

int bl_args_read(bl_args *args, const bl_command *command, int argc, char **argv) {
    *args = (bl_args){.command = command};
    BL_ASSERT(command->option_count <= BL_MOST_OPTIONS);
    bool options_end = false; /* "--" was there: what follows are operands */
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        const bool is_operand = options_end || word[0] != '-' || word[1] == '\0';
        if (!options_end && strcmp(word, "--") == 0) {
            options_end = true;
            continue;
        }
        if (!is_operand && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            show_help(command);
            return BL_EXIT_DONE;
        }
        const int rc = is_operand ? add_operand(args, word) : add_option(args, argc, argv, &i);
        if (rc >= 0) return rc;
    }
    return check_operands(args);
}

bool bl_args_has(const bl_args *args, size_t row) {
    return args->value[row] != NULL;
}
