/* The store of finished and unfinished runs: runs/NAME/ID/ (docs/formats.md, docs/store.md).
 *
 * A run is an endless deterministic sequence; the store keeps a prefix of it, and nothing ever
 * shortens that. Its id is a digest of all that determines it, so asking for a run is looking for a
 * folder. State is derived from the files and stored nowhere:
 *
 *     done          a valid result.json beside its log
 *     running       a claim with signs of life
 *     interrupted   log.jsonl.part or a checkpoint, and neither of the above
 *     damaged       a result that is not as it was written
 *
 * The order of calls for one run (engine/sweep/active_trial.c):
 *
 *     bl_store_load                        what is published?
 *     bl_claim_acquire                     NULL: another process works on it
 *     bl_store_load_checkpoints, _load_part    where it was left
 *     bl_store_save_part, _save_checkpoint     on the way
 *     bl_store_publish                     run.json, log.jsonl.gz, result.json
 *     bl_claim_release
 *
 * Only the holder of a run's claim writes in its folder; files are written whole or not at all,
 * result.json last. */
#ifndef BL_ENGINE_STORE_STORE_H
#define BL_ENGINE_STORE_STORE_H
#include "engine/base/buf.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/run_id.h"
#include "engine/base/sha256.h"
#include "engine/base/status.h"
#include "engine/config/config.h"
#include "engine/runlog/runlog.h"
#include "engine/store/claim.h"
#include <stdbool.h>
#include <stdint.h>

/* "r" and the first 12 hex digits of the SHA-256 of what decides the run: identity configuration,
 * data set, numerics epoch and level. The letter keeps tables from reading an id such as
 * 399132042e62 as a number. Appends the text of run.json to `text` (may be NULL). */
void bl_store_run_identity(const bl_config *config, const char *dataset_sha256, char id[BL_RUN_ID],
                           bl_buf *text);

/* The id that an earlier release gave the run, from its text of the identity: 12 hex digits. */
void bl_store_old_identity(const bl_config *config, const char *dataset_sha256, char id[BL_RUN_ID]);

/* Is `name` that of a run's folder: r and 12 hex digits? Runs set aside as damaged are none. */
bool bl_store_is_run_id(const char *name);

typedef struct bl_store {
    char dir[BL_PATH];      /* runs/NAME */
    struct bl_index *index; /* NULL: none (engine/store/index.h) */
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
/* What reading `path` came to, with damage told apart: a folder, FIFO or link to nothing in a
 * file's place is neither the system's refusal to read nor a file that is not there. */
bl_status bl_store_or_damage(bl_status status, const char *path) BL_CHECKED;
/* The result.json at `path`: its bytes are appended to `text`, *out is to be freed, on failure too.
 * BL_EMISSING: it is not there. BL_EFORMAT: it is no JSON, or no file. Vouches for nothing else. */
bl_status bl_store_read_result(bl_json_doc *out, bl_buf *text, const char *path,
                               bl_err *err) BL_CHECKED;
/* As far as result.json alone tells, which is quick: BL_OK where it is as it was written and a log
 * lies beside it, BL_EMISSING where there is none, BL_EFORMAT where it is damaged. */
bl_status bl_store_check_result(const bl_store *store, const char *id, bl_err *err) BL_CHECKED;
/* Moves what is in a run's folder to ID.corrupt-N: nothing damaged is overwritten. For commands
 * that go on to do the run again. */
bl_status bl_store_set_aside(const bl_store *store, bl_claim *claim, const char *id,
                             bl_err *err) BL_CHECKED;
void bl_stored_free(bl_stored *run);

/* One prefix to publish. `environment` is a JSON object. */
typedef struct bl_publication {
    const char *id, *identity;
    const char *log; /* text without footer */
    size_t log_n;
    const char *noise; /* the probes up to `steps` (engine/store/noise_file.h), noise_n bytes */
    size_t noise_n;    /* 0: none */
    const char *outcome, *params, *environment;
    int64_t steps, examples, evals;
    /* Called when all but the result is written, since the result makes the run done: what a done
     * run keeps besides, such as its checkpoint, has to be there by then. May be NULL. */
    bl_status (*before_result)(void *ctx, bl_err *err);
    void *ctx;
} bl_publication;
/* Writes run.json, log and result. A prefix at least as long that is already there wins. When the
 * two differ anywhere that both go: BL_EMISMATCH, for equal runs must be equal. */
bl_status bl_store_publish(const bl_store *store, bl_claim *claim, const bl_publication *what,
                           bl_err *err) BL_CHECKED;

/* Two alternating files, each with a SHA-256 trailer; `slot` is the one to write and flips. */
bl_status bl_store_save_checkpoint(const bl_store *store, bl_claim *claim, const char *id,
                                   int *slot, const bl_buf *state, bl_err *err) BL_CHECKED;
/* The whole checkpoints into state[0] (newest by its serial number) and state[1]; a shorter list
 * leaves empty ones. *slot is that of the older. BL_EMISSING when there is none. */
bl_status bl_store_load_checkpoints(const bl_store *store, const char *id, int *slot,
                                    bl_buf state[2], bl_err *err) BL_CHECKED;
/* A finished run's checkpoint also has the log from the run's end to where its state is. These put
 * it behind the state, and take it off and append it to `log`; false: there is none. */
void bl_store_add_tail(bl_buf *state, const char *log, size_t n);
bool bl_store_cut_tail(bl_buf *state, bl_buf *log);
/* Is the file a whole checkpoint? BL_EFORMAT: no. */
bl_status bl_store_check_checkpoint(const char *path, bl_err *err) BL_CHECKED;
/* Removes the checkpoint in `slot`, and the state of a program that it speaks of. */
void bl_store_drop_checkpoint(bl_claim *claim, int slot);

/* In a run's folder: what a program that failed had, until the run is finished. */
#define BL_STORE_FAILED "failed"

/* log.jsonl.part: how far a run that is not published has come, for its next owner and for other
 * processes. A log with a footer of outcome "unfinished". */
bl_status bl_store_save_part(bl_claim *claim, const bl_buf *log, int64_t steps, const char *params,
                             bl_err *err) BL_CHECKED;
/* Without the footer; BL_EMISSING when there is none, BL_EFORMAT when it is not whole. */
bl_status bl_store_load_part(const bl_store *store, const char *id, bl_buf *log,
                             bl_err *err) BL_CHECKED;
void bl_store_drop_part(bl_claim *claim);
/* The same of log.jsonl.gz without a result beside it: of a process that died between the two. */
bl_status bl_store_load_lone_log(const bl_store *store, const char *id, bl_buf *log,
                                 bl_err *err) BL_CHECKED;
/* bl_file_write for a file of the store: a folder, FIFO or link to one in its place, which no sweep
 * made, is set aside first. */
bl_status bl_store_write(const char *path, const void *bytes, size_t n, bl_err *err) BL_CHECKED;
#endif
