/* private to the room. batchlab init --command LINE: an experiment for a program of the user's own.
 *
 *     read      the line: words, options that it has, files that decide what it computes
 *     start     the program, once, without parameters, for some seconds (engine/external)
 *     tell      what was understood, and what the next level would give
 *     write     experiment.cfg and sweep.lua; nothing that exists is replaced
 *     check     as `batchlab check` does; what fails is taken back */
#ifndef BL_ENGINE_CLI_INIT_COMMAND_H
#define BL_ENGINE_CLI_INIT_COMMAND_H
#include "engine/cli/command.h"

typedef struct bl_cli_init_command {
    const char *line, *name, *metric; /* --command, --name, --metric; NULL: not given */
    const char *rows;                 /* --rows; NULL: not given */
} bl_cli_init_command;

/* Returns the exit status, after words on stderr and the names of files on stdout. */
int bl_cli_init_program(const bl_args *args, const bl_cli_init_command *wish);
#endif
