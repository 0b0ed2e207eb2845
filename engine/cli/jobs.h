/* What commands that train share: how many runs at once, and a stop on request. */
#ifndef BL_ENGINE_CLI_JOBS_H
#define BL_ENGINE_CLI_JOBS_H
#include <stdbool.h>
#include <stddef.h>

/* --jobs: a number from 1 to 256; NULL: the machine's cores. */
bool bl_cli_jobs(const char *text, size_t *jobs);

/* The only state a signal handler can reach. The first request sets it and a sweep then stops
 * resumably; a second Ctrl-C ends the program at once. Published files are whole either way. */
extern volatile int bl_cli_interrupted;
void bl_cli_catch_signals(void);
#endif
