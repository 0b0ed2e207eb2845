#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/cli/command.h"
#include <stdio.h>
#include <string.h>

static void show_help(const bl_option *options, size_t count, const char *usage) {
    (void)printf("usage: batchlab %s\n", usage);
    if (count > 0) (void)printf("\noptions:\n");
    for (size_t i = 0; i < count; i++) {
        char left[64];
        (void)snprintf(left, sizeof left, "%s%s%s%s%s", options[i].brief ? options[i].brief : "",
                       options[i].brief ? ", " : "", options[i].name,
                       options[i].argument ? " " : "",
                       options[i].argument ? options[i].argument : "");
        (void)printf("  %-26s %s\n", left, options[i].help);
    }
}

static void list_options(const bl_option *options, size_t count) {
    for (size_t i = 0; i < count; i++) (void)printf("%s\t%s\n", options[i].name, options[i].help);
    (void)printf("--help\tshow the options\n");
}

static int usage_error(const char *usage, const char *problem, const char *word) {
    (void)fprintf(stderr, "batchlab: %s '%s'\nusage: batchlab %s\n", problem, word, usage);
    return BL_EXIT_USAGE;
}

static int unknown_option(const bl_option *options, size_t count, const char *usage,
                          const char *word) {
    const char *names[16];
    for (size_t i = 0; i < count; i++) names[i] = options[i].name;
    const char *near = bl_nearest(word, names, count);
    if (near != NULL)
        (void)fprintf(stderr, "batchlab: unknown option '%s': did you mean '%s'?\n", word, near);
    return near != NULL ? BL_EXIT_USAGE : usage_error(usage, "unknown option", word);
}

/* `word` up to '=' or its end is this option's name. */
static bool names(const bl_option *o, const char *word, size_t n) {
    return (strlen(o->name) == n && memcmp(o->name, word, n) == 0) ||
           (o->brief != NULL && strlen(o->brief) == n && memcmp(o->brief, word, n) == 0);
}

int bl_args_read(bl_args *args, const bl_option *options, size_t count, const char *usage, int argc,
                 char **argv) {
    *args = (bl_args){0};
    BL_ASSERT(count <= BL_COUNT(args->value));
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            show_help(options, count, usage);
            return BL_EXIT_DONE;
        }
        if (strcmp(word, BL_LIST_OPTIONS) == 0) {
            list_options(options, count);
            return BL_EXIT_DONE;
        }
        if (word[0] != '-' || word[1] == '\0') {
            if (args->operand != NULL) return usage_error(usage, "unexpected argument", word);
            args->operand = word;
            continue;
        }
        const char *equals = strchr(word, '=');
        const bool brief = word[1] != '-'; /* -j 2, -j2 */
        const size_t n = brief ? 2 : equals != NULL ? (size_t)(equals - word) : strlen(word);
        size_t row = 0;
        while (row < count && !names(&options[row], word, n)) row++;
        if (row == count) return unknown_option(options, count, usage, word);
        if (options[row].argument == NULL) {
            if (word[n] != '\0') return usage_error(usage, "no value belongs to", word);
            args->value[row] = "";
            continue;
        }
        const char *value = word[n] != '\0' ? word + n + !brief : i + 1 < argc ? argv[++i] : NULL;
        if (value == NULL) return usage_error(usage, "a value is missing after", word);
        args->value[row] = value;
        if (strcmp(options[row].name, "--set") != 0) continue;
        if (args->sets == BL_MOST_SETS) return usage_error(usage, "too many", word);
        args->set[args->sets++] = value;
    }
    return -1;
}

bool bl_args_has(const bl_args *args, size_t row) {
    return args->value[row] != NULL;
}
