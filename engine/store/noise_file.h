/* noise.jsonl.gz in a run's folder: what the probes of the gradient noise saw, beside the log,
 * which does not know of them (engine/noise/noise_record.h). Written before the result, which holds
 * two digests: `noise_sha256` of the text up to the result's steps, and `noise_gz_sha256` of the
 * packed file. After a kill between the two writes of a longer prefix the file goes on beyond its
 * result; then the first one holds, up to there. */
#ifndef BL_ENGINE_STORE_NOISE_FILE_H
#define BL_ENGINE_STORE_NOISE_FILE_H
#include "engine/store/store.h"

#define BL_STORE_NOISE_FILE "noise.jsonl.gz"

/* The records up to the result's steps. BL_EMISSING: the run is not done, or has none. BL_EFORMAT:
 * the result speaks of records that are not there, or not as they were written. */
bl_status bl_store_load_noise(const bl_store *store, const char *id, bl_buf *text,
                              bl_err *err) BL_CHECKED;
/* For fsck: the file by itself and by what the result says of it. A file that no result speaks of,
 * or that goes on beyond it, has to pack to its own bytes. BL_OK where there is neither. */
bl_status bl_store_check_noise(const bl_store *store, const char *id, bl_err *err) BL_CHECKED;
#endif
