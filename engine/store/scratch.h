/* Scratch folders beside the stores: .verify-XXXXXX, .bundle-XXXXXX. The dot keeps them out of
 * every listing of experiments; the command that made one removes it, and gc those of commands that
 * were killed. */
#ifndef BL_ENGINE_STORE_SCRATCH_H
#define BL_ENGINE_STORE_SCRATCH_H
#include "engine/store/gc.h"

/* Makes a folder .PURPOSE-XXXXXX in runs_dir, which is made too. On failure path is "". */
bl_status bl_scratch_make(char path[BL_PATH], const char *runs_dir, const char *purpose,
                          bl_err *err) BL_CHECKED;
/* Removes those in which nothing has changed for an hour: whoever trains in one touches its claims
 * every few seconds. Counted as BL_GC_TEMPORARY. */
bl_status bl_scratch_gc(const char *runs_dir, bl_gc *gc, bl_err *err) BL_CHECKED;
#endif
