/* A declaration that is being written, tried on the first rows of its table: nothing is in files
 * yet. `batchlab init` asks it what the split shows, and trains its pilot on it. */
#ifndef BL_ENGINE_DATA_DRAFT_H
#define BL_ENGINE_DATA_DRAFT_H
#include "engine/data/dataset.h"
#include "engine/data/manifest/infer.h"
#include "engine/data/manifest/manifest.h"
#include "engine/data/table/split.h"

typedef struct bl_draft {
    bl_manifest manifest;
    bl_table table;
    bl_frame frame;
    bl_split_rows split;
} bl_draft;

/* `text` is the declaration. At most `most_rows` rows are read. */
bl_status bl_draft_open(bl_draft *out, const bl_buf *text, const char *name,
                        const bl_infer_source *source, size_t sources, size_t most_rows,
                        bl_err *err) BL_CHECKED;
void bl_draft_free(bl_draft *draft);
/* Encoded as bl_dataset_open would; free it with bl_dataset_free. */
bl_status bl_draft_encode(bl_dataset *out, const bl_draft *draft, bl_err *err) BL_CHECKED;

/* Leaves out what says nothing in the training rows, parts of dates that the held-out rows have
 * other values of, and warns of held-out rows that differ. BL_EINVAL: no column is left. */
bl_status bl_draft_prune(bl_inferred *in, const bl_draft *draft, bl_err *err) BL_CHECKED;
#endif
