/* A program of the user's own as a process: in a group of its own, its output in a file, and
 * nothing of it left when it is ended. What it starts may leave the group (torchrun's workers sit
 * in sessions of their own) or lose its parent. This process is a reaper of orphans
 * (PR_SET_CHILD_SUBREAPER), and each process of a run has BATCHLAB_RUN in its environment, so that
 * they are found.
 *
 *     bl_external_child_start
 *     bl_external_child_ended    is it over, and how?
 *     bl_external_child_bytes    the memory of its processes
 *     bl_external_child_stop     SIGTERM, the grace, SIGKILL, and all that is left of it */
#ifndef BL_ENGINE_EXTERNAL_CHILD_H
#define BL_ENGINE_EXTERNAL_CHILD_H
#include "engine/base/status.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct bl_external_child {
    long pid;   /* of the program and its group; 0: none runs */
    char *mark; /* "BATCHLAB_RUN=..." */
    bool ended;
    int status;        /* its exit status; 128 and the signal where one killed it */
    int64_t oom_kills; /* of this machine before it began; -1: it does not say */
    bool memory_kill;  /* killed while the machine killed for memory */
} bl_external_child;

/* argv[0] is looked for on PATH. `run` becomes BATCHLAB_RUN, `device` CUDA_VISIBLE_DEVICES unless
 * it is NULL, and output is appended to `out`. */
bl_status bl_external_child_start(bl_external_child *child, char *const *argv, const char *folder,
                                  const char *run, const char *device, const char *out,
                                  bl_err *err) BL_CHECKED;
/* Has the program ended? Then ends all that it has left behind. */
bool bl_external_child_ended(bl_external_child *child);
/* Ends it, if it runs: SIGTERM to its group and `grace` seconds unless that is 0, then SIGKILL. */
void bl_external_child_stop(bl_external_child *child, double grace);
/* The sum of what each living process of it has held at most; what several share counts for each.
 */
double bl_external_child_bytes(const bl_external_child *child);
void bl_external_child_free(bl_external_child *child);
#endif
