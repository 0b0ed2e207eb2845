/* runs/NAME/index.csv: what the results of finished runs say, so that a sweep that is done need not
 * unpack every log again. A cache, for speed alone: it may be deleted at any time, a row counts
 * only while size, time and inode of result and log are those it was made from, and a file that is
 * not sealed by its own digest is none. fsck never reads it. */
#ifndef BL_ENGINE_STORE_INDEX_H
#define BL_ENGINE_STORE_INDEX_H
#include "engine/store/store.h"

typedef struct bl_index bl_index;

/* Never fails: without a whole file it is empty. */
bl_index *bl_index_open(const bl_store *store);
/* With `keep` it is written if anything was learnt; what cannot be written is left. NULL is fine.
 */
void bl_index_close(bl_index *index, bool keep);

/* As bl_store_load, without the log's text where store->index vouches for the run: then log.data is
 * NULL and parsed has steps, values and losses only. May be called by several threads. */
bl_status bl_index_load(const bl_store *store, const char *id, bl_stored *out,
                        bl_err *err) BL_CHECKED;

/* For tests and fuzzing: the runs in text[n), or -1 when it is not a whole index. */
long bl_index_check(const char *text, size_t n);
#endif
