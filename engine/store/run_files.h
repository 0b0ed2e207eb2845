/* One run as its files tell of it, wherever they lie: for commands that look and change nothing.
 * Unlike bl_store_load this reads interrupted runs and logs that have no store, and vouches for
 * nothing. */
#ifndef BL_ENGINE_STORE_RUN_FILES_H
#define BL_ENGINE_STORE_RUN_FILES_H
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/runlog/log_steps.h"
#include "engine/runlog/runlog.h"
#include "engine/store/store.h"

typedef struct bl_run_files {
    char dir[BL_PATH]; /* its folder, or the log's path when it was named by that */
    const char *state; /* "done", "interrupted" */
    bl_buf log;        /* the text; an interrupted run's goes to its last checkpoint */
    bl_runlog parsed;
    bl_json_doc header; /* the log's first line */
    bl_json_doc result; /* root is NULL unless the run is done */
} bl_run_files;

/* Reads a run's folder, or a log's file alone. On failure *out is empty. */
bl_status bl_run_files_read(bl_run_files *out, const char *path, bl_err *err) BL_CHECKED;
void bl_run_files_free(bl_run_files *run);
/* The path of the run that `word` names: an existing file or folder, if it has a '/' in it, or the
 * first digits (at least 4) of an id in any experiment under `runs_dir`. One id in two experiments
 * is one run: the first is taken. BL_EMISSING: none; BL_EINVAL: several, or no such word. */
bl_status bl_run_find(char path[BL_PATH], const char *runs_dir, const char *word,
                      bl_err *err) BL_CHECKED;
#endif
