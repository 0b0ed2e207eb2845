/* Removes from a store what nothing needs. Results and logs of runs are never among it, except of
 * runs that the caller declares unwanted. */
#ifndef BL_ENGINE_STORE_GC_H
#define BL_ENGINE_STORE_GC_H
#include "engine/store/store.h"

typedef enum bl_gc_kind {
    BL_GC_CHECKPOINTS, /* of finished runs: asking for more steps begins at step 0 again */
    BL_GC_TEMPORARY,   /* files and claims of dead writers */
    BL_GC_ASIDE,       /* runs and files set aside as damaged */
    BL_GC_UNWANTED,    /* runs for which wanted() says no */
    BL_GC_KINDS
} bl_gc_kind;

typedef struct bl_gc {
    bool dry; /* count, remove nothing */
    /* NULL: every run is wanted. */
    bool (*wanted)(void *ctx, const char *run);
    void *ctx;
    struct {
        size_t count;
        int64_t bytes;
    } kind[BL_GC_KINDS];
} bl_gc;

/* Adds to the counts of *gc. */
bl_status bl_store_gc(const bl_store *store, bl_gc *gc, bl_err *err) BL_CHECKED;

/* What `run` and `work` do before they begin, so that a store after any kills has the files of one
 * that nothing has disturbed. Removes what provably nobody needs: claims and temporary files of
 * dead processes, empty claims, and what a process killed after publishing a run had still to
 * remove. Judges and removes as an owner does, under the run's claim. What cannot be removed is
 * left. */
bl_status bl_store_tidy(const bl_store *store, bl_err *err) BL_CHECKED;

/* ---- scratch folders beside the stores: .verify-TOKEN, .bundle-TOKEN (engine/base/process.h) ----
 * The dot keeps them out of every listing of experiments. The command that made one removes it, and
 * gc those of commands that were killed. */
/* Makes a folder .PURPOSE-TOKEN in runs_dir, which is made too. On failure path is "". */
bl_status bl_scratch_make(char path[BL_PATH], const char *runs_dir, const char *purpose,
                          bl_err *err) BL_CHECKED;
/* Removes those of dead processes, and those in which nothing has changed for an hour: a process
 * that trains in one touches its claims every few seconds. Counted as BL_GC_TEMPORARY. */
bl_status bl_scratch_gc(const char *runs_dir, bl_gc *gc, bl_err *err) BL_CHECKED;
#endif
