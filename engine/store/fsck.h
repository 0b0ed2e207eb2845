/* Reads every file of a store as if nothing about it were known, and names what is not as it was
 * written. With repair, damaged runs and files are set aside (renamed to NAME.corrupt-N), never
 * deleted, and what dead writers left behind is removed. */
#ifndef BL_ENGINE_STORE_FSCK_H
#define BL_ENGINE_STORE_FSCK_H
#include "engine/store/store.h"

typedef enum bl_finding_kind {
    BL_FOUND_DAMAGE,
    BL_FOUND_LEFTOVER, /* of a writer that is gone: takes room, harms nothing */
    BL_FOUND_ASIDE     /* set aside as damaged before */
} bl_finding_kind;

typedef struct bl_finding {
    bl_finding_kind kind;
    const char *path; /* of the file or folder */
    const char *what; /* begins with `path` when it is damage */
    const char *done; /* what repair did with it; "" when nothing */
} bl_finding;

typedef struct bl_fsck {
    bool repair;
    void (*found)(void *ctx, const bl_finding *finding);
    void *ctx;
    size_t runs;                     /* folders of runs that were read */
    size_t damage, leftovers, aside; /* findings by kind */
    size_t mended;                   /* of `damage`: set aside */
} bl_fsck;

/* Adds to the totals of *fsck. Fails only where the system refuses to read or rename. */
bl_status bl_store_fsck(const bl_store *store, bl_fsck *fsck, bl_err *err) BL_CHECKED;

/* Is DIR/name something that a writer left who is gone: the claim of a dead process, an empty
 * claim, a temporary file of a dead process, or one without a change for an hour in a folder that
 * nobody has claimed? */
bool bl_store_is_leftover(const char *dir, const char *name);
/* Removes it; a claim as bl_claim_clear does. */
bl_status bl_store_remove_leftover(const char *dir, const char *name, bl_err *err) BL_CHECKED;
#endif
