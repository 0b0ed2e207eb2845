/* expected.lock: what the logs of an experiment's runs are expected to be (docs/formats.md). An
 * entry is a run's id, how far it goes, the SHA-256 of its log up to there, and the hash of the
 * losses at four places on the way, so that a machine without the expected log can still say
 * between which two of them the runs part. `lock` writes the file from a store; `verify` trains the
 * runs again (engine/verify/rerun.h); the file is kept with the experiment, so that a change of
 * bits is seen in a diff. */
#ifndef BL_ENGINE_VERIFY_LOCK_H
#define BL_ENGINE_VERIFY_LOCK_H
#include "engine/base/buf.h"
#include "engine/base/sha256.h"
#include "engine/store/run_files.h"

enum { BL_LOCK_MARKS = 6 };

/* The rolling hash of the losses up to an evaluation: where it differs, another log has left this
 * one. */
typedef struct bl_lock_mark {
    int64_t step;
    uint64_t hash;
} bl_lock_mark;

typedef struct bl_lock_entry {
    char run[BL_RUN_ID];
    int64_t steps;
    char log_sha256[BL_SHA256_HEX];   /* of the log's text up to the evaluation at `steps` */
    bl_lock_mark mark[BL_LOCK_MARKS]; /* of n evaluations ..., n / 4, n / 2, n */
    size_t marks;
} bl_lock_entry;

typedef struct bl_lock {
    bl_lock_entry *entry; /* sorted by run, each once */
    size_t count;
} bl_lock;

/* A file that does not exist is an empty lock. BL_EFORMAT names FILE:LINE. */
bl_status bl_lock_read(bl_lock *lock, const char *path, bl_err *err) BL_CHECKED;
/* From text[n], for tests and fuzzing; `name` is for messages. */
bl_status bl_lock_parse(bl_lock *lock, const char *text, size_t n, const char *name,
                        bl_err *err) BL_CHECKED;
bl_status bl_lock_write(const bl_lock *lock, const char *path, bl_err *err) BL_CHECKED;
void bl_lock_free(bl_lock *lock);
/* The run's entry, or NULL. */
const bl_lock_entry *bl_lock_find(const bl_lock *lock, const char *run);
/* Adds the entry, or takes the place of the one with its run. */
void bl_lock_set(bl_lock *lock, const bl_lock_entry *entry);
/* Digest of a stored log up to the evaluation at `steps`; false when there is none at that step. */
bool bl_lock_digest(const bl_stored *run, int64_t steps, char out[BL_SHA256_HEX]);
/* What is published of a run, as an entry; *done: something is. */
bl_status bl_lock_published(bl_lock_entry *entry, const bl_store *store, const char *run,
                            bool *done, bl_err *err) BL_CHECKED;
#endif
