/* Names of processes that say where and since when they run, so that a later process on the same
 * machine can tell that one is dead without waiting for it. */
#ifndef BL_ENGINE_BASE_PROCESS_H
#define BL_ENGINE_BASE_PROCESS_H
#include <stdbool.h>
#include <stddef.h>

enum { BL_PROCESS_TOKEN = 96 }; /* the most a token takes, with its terminator */

/* "<place>-<pid>-<start>-<random>": place is 8 hex digits of this boot and process-id space, start
 * the process's start in clock ticks. A new one every time; a legal file name. */
void bl_process_token(char *out, size_t size);
/* Does `token` begin with that of a process of this boot and process-id space that no longer runs?
 * Of any other process nothing is known: false. */
bool bl_process_is_dead(const char *token);
#endif
