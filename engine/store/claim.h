/* Claims: which process works on a folder, normally that of a run (docs/store.md). claim.c draws
 * the files and lists what holds when a process is killed between any two calls.
 *
 * The order of calls, for one process with many runs:
 *
 *     bl_claims_open        once; with the first claim a thread begins that keeps claims fresh
 *     bl_claim_acquire      for each folder; NULL: another process is at work there
 *     bl_claim_write ...    write, publish, remove and move; BL_EMISSING: the claim is lost
 *     bl_claim_release      when the run is done or left to others
 *     bl_claims_close       releases what is still held
 *
 * Example, of a checkpoint:
 *
 *     bl_claim *claim;
 *     BL_TRY(bl_claim_acquire(claims, "runs/NAME/ID", &claim, err));
 *     if (claim == NULL) return BL_OK;
 *     status = bl_claim_write(claim, "checkpoint-A", bytes, n, err);
 *     bl_claim_release(claim);
 *
 * A claim is the folder DIR/claim.d with one folder in it, named by its owner. Inside lie `beat`, a
 * file that the owner touches, and the files that the owner is writing. The owner prepares a claim
 * beside its place and renames it there, so a claim is always complete. A claim is taken away by
 * renaming the owner's folder, when the owner is dead or its beat is old by the clock of the file
 * server; only one process can do that. After that the old owner writes nothing into DIR, since its
 * files are renamed out of that folder. No lock has to be undone after a crash. */
#ifndef BL_ENGINE_STORE_CLAIM_H
#define BL_ENGINE_STORE_CLAIM_H
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* The claims that one process holds, with the thread that keeps them fresh. BL_CLAIM_BEAT and
 * BL_CLAIM_STALE in the environment set the seconds between beats (15) and the age at which a claim
 * is stale (120). */
typedef struct bl_claims bl_claims;
bl_claims *bl_claims_open(void);
void bl_claims_close(bl_claims *claims); /* releases what is still held; NULL is fine */

typedef struct bl_claim bl_claim;
/* Claims the folder and makes it; removes what dead writers left in it. *out is NULL when another
 * process, or this one, holds a claim on it. */
bl_status bl_claim_acquire(bl_claims *claims, const char *dir, bl_claim **out,
                           bl_err *err) BL_CHECKED;
/* DIR, and the owner's folder: what is made there is lost with the claim. */
const char *bl_claim_dir(const bl_claim *claim);
const char *bl_claim_own(const bl_claim *claim);
double bl_claim_stale_seconds(void);
/* Frees it; the folder goes as well if nothing was written. */
void bl_claim_release(bl_claim *claim);
/* Did another process take it away? Then nothing more can be written with it. */
bool bl_claim_lost(const bl_claim *claim);

/* DIR/name: replaced; made unless it exists; removed; moved to the path `to`. On BL_EMISSING the
 * claim is lost and nothing was changed. */
bl_status bl_claim_write(bl_claim *claim, const char *name, const void *bytes, size_t n,
                         bl_err *err) BL_CHECKED;
bl_status bl_claim_publish(bl_claim *claim, const char *name, const void *bytes, size_t n,
                           bool *won, bl_err *err) BL_CHECKED;
void bl_claim_remove(bl_claim *claim, const char *name);
/* Renames `from`, in the owner's folder, to DIR/name, where nothing may be. */
bl_status bl_claim_place(bl_claim *claim, const char *from, const char *name,
                         bl_err *err) BL_CHECKED;
bl_status bl_claim_move(bl_claim *claim, const char *name, const char *to, bl_err *err) BL_CHECKED;

/* For commands that only read: is a process at work on the folder? Changes nothing. An age is the
 * difference of two times of the file server; the local clock is not used. In a store that this
 * user may not write, the server's time is unknown. A claim then counts as held unless its owner is
 * a dead process of this machine. */
typedef enum bl_claim_state {
    BL_CLAIM_NONE,
    BL_CLAIM_EMPTY, /* a folder claim.d without an owner: of a process that died while it left */
    BL_CLAIM_HELD,
    BL_CLAIM_STALE
} bl_claim_state;
bl_claim_state bl_claim_state_of(const char *dir);
/* Seconds since `modified`, a time that the file server of `dir` gave; false: it cannot be asked.
 */
bool bl_claim_server_age(const char *dir, double modified, double *age);
/* Removes a claim that is stale or empty, as its next owner would: the owner's folder is renamed
 * away first, so that a claim that came meanwhile stays. *cleared: there is none now. */
bl_status bl_claim_clear(const char *dir, bool *cleared, bl_err *err) BL_CHECKED;
#endif
