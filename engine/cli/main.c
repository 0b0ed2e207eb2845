#include "engine/base/nearest.h"
#include "engine/base/numerics.h"
#include "engine/cli/command.h"
#include "engine/cli/environment.h"
#include <stdio.h>
#include <string.h>

static void show_help(void) {
    (void)printf("batchlab: which batch size, at which learning rate, and what does each choice "
                 "cost?\n\nusage: batchlab COMMAND [arguments]\n\n");
    for (size_t i = 0; i < bl_command_count; i++)
        (void)printf("  %-10s %-24s %s\n", bl_commands[i].name, bl_commands[i].arguments,
                     bl_commands[i].does);
    (void)printf("\n`batchlab COMMAND --help` shows a command's options. Start with\n"
                 "  batchlab run rossmann --preset tiny\n\n"
                 "Exit status: 0 done, 1 some runs failed, 2 usage or configuration, 3 mismatch,\n"
                 "4 damage, 5 no answer, 69 unavailable, 74 input/output, 75 interrupted: run the\n"
                 "same command again.\n");
}

static int unknown_command(const char *word) {
    const char *names[64];
    for (size_t i = 0; i < bl_command_count; i++) names[i] = bl_commands[i].name;
    const char *near = bl_nearest(word, names, bl_command_count);
    (void)fprintf(stderr, "batchlab: unknown command '%s'", word);
    if (near != NULL) (void)fprintf(stderr, ": did you mean '%s'?", near);
    (void)fprintf(stderr, "\n`batchlab --help` lists the commands.\n");
    return BL_EXIT_USAGE;
}

int main(int argc, char **argv) {
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        show_help();
        return argc < 2 ? BL_EXIT_USAGE : BL_EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("batchlab %s (numerics epoch %d)\n", BL_VERSION, BL_NUMERICS_EPOCH);
        return BL_EXIT_DONE;
    }
    if (!bl_fpenv_ok()) {
        (void)fprintf(stderr, "batchlab: the processor is set to flush small numbers to zero or "
                              "to another rounding; results would not be reproducible\n");
        return BL_EXIT_UNAVAILABLE;
    }
    bl_cli_check_environment();
    for (size_t i = 0; i < bl_command_count; i++)
        if (strcmp(argv[1], bl_commands[i].name) == 0)
            return bl_commands[i].run(argc - 1, argv + 1);
    return unknown_command(argv[1]);
}
