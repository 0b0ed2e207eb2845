/* How many runs at once, for commands that train. */
#ifndef BL_ENGINE_CLI_JOBS_H
#define BL_ENGINE_CLI_JOBS_H
#include <stdbool.h>
#include <stddef.h>

/* --jobs: a number from 1 to 256; NULL: the machine's cores. */
bool bl_cli_jobs(const char *text, size_t *jobs);
#endif
