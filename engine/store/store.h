/* The store of finished and unfinished runs: runs/NAME/ID/ (docs/formats.md). A run is an endless
 * deterministic sequence; the store keeps a prefix of it, and nothing ever shortens that. State is
 * derived from the files: done is a valid result.json beside its log, interrupted a checkpoint
 * without one. Files are written whole or not at all, result.json last. */
#ifndef BL_ENGINE_STORE_STORE_H
#define BL_ENGINE_STORE_STORE_H
#include "engine/base/buf.h"
#include "engine/base/file.h"
#include "engine/base/sha256.h"
#include "engine/base/status.h"
#include "engine/config/config.h"
#include "engine/runlog/runlog.h"
#include <stdbool.h>
#include <stdint.h>

enum { BL_RUN_ID = 13 }; /* 12 hex digits and the terminator */

/* What is hashed: identity configuration, data set, numerics epoch and level. Appends the text of
 * run.json to `text` (may be NULL). */
void bl_run_identity(const bl_config *config, const char *dataset_sha256, char id[BL_RUN_ID],
                     bl_buf *text);

/* Is `name` that of a run's folder: 12 hex digits? Runs set aside as damaged are none. */
bool bl_is_run_id(const char *name);

typedef struct bl_store {
    char dir[BL_PATH]; /* runs/NAME */
} bl_store;

/* Makes the folder when `create`; a store that does not exist is an empty one otherwise. */
bl_status bl_store_open(bl_store *store, const char *runs_dir, const char *experiment, bool create,
                        bl_err *err) BL_CHECKED;

/* The published prefix of a run. */
typedef struct bl_stored {
    bool done;
    bool damaged;     /* a result is there, and not what was published; *err says why */
    bool log_ahead;   /* the log's file goes on beyond `steps` */
    bl_buf log;       /* text without footer, up to and including the evaluation at `steps` */
    bl_runlog parsed; /* of `log` */
    int64_t steps;
} bl_stored;
/* Looks and changes nothing. */
bl_status bl_store_load(const bl_store *store, const char *id, bl_stored *out,
                        bl_err *err) BL_CHECKED;
/* Renames a run's folder to ID.corrupt-N: nothing damaged is overwritten. For commands that go on
 * to do the run again. */
bl_status bl_store_set_aside(const bl_store *store, const char *id, bl_err *err) BL_CHECKED;
void bl_stored_free(bl_stored *run);

/* One prefix to publish. `environment` is the inside of a JSON object. */
typedef struct bl_publication {
    const char *id, *identity;
    const char *log; /* text without footer */
    size_t log_n;
    const char *outcome, *params, *environment;
    int64_t steps, examples, evals;
} bl_publication;
/* Writes run.json, log and result. A prefix at least as long that is already there wins. When the
 * two differ anywhere that both go: BL_EMISMATCH, for equal runs must be equal. */
bl_status bl_store_publish(const bl_store *store, const bl_publication *what,
                           bl_err *err) BL_CHECKED;

/* Two alternating files, each with a SHA-256 trailer, and the log's text beside them; `slot` flips.
 */
bl_status bl_store_save_checkpoint(const bl_store *store, const char *id, int *slot,
                                   const bl_buf *state, const bl_buf *log, bl_err *err) BL_CHECKED;
/* The newest whole checkpoint (by its serial number) into `state`; BL_EMISSING when there is none.
 */
bl_status bl_store_load_checkpoint(const bl_store *store, const char *id, int *slot, bl_buf *state,
                                   bl_err *err) BL_CHECKED;
/* Is the file a whole checkpoint? BL_EFORMAT: no. */
bl_status bl_checkpoint_check(const char *path, bl_err *err) BL_CHECKED;
/* The text of log.jsonl.part; BL_EMISSING when there is none. */
bl_status bl_store_load_part(const bl_store *store, const char *id, bl_buf *log,
                             bl_err *err) BL_CHECKED;
void bl_store_drop_part(const bl_store *store, const char *id);
#endif
