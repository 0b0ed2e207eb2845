/* Opening a data set by its name, or only checking its declaration. */
#ifndef BL_ENGINE_DATA_DATASET_OPEN_H
#define BL_ENGINE_DATA_DATASET_OPEN_H
#include "engine/base/status.h"
#include "engine/data/dataset.h"

typedef struct bl_dataset_options {
    const char *manifest_dir;                 /* datasets */
    const char *more_manifests;               /* where else declarations are; NULL: nowhere */
    const char *data_path;                    /* BATCHLAB_DATA: folders separated by ':' */
    const char *cache_dir;                    /* datasets/cache; NULL or unwritable: no cache */
    bool synthetic;                           /* use the generator even if the data is there */
    void (*say)(void *ctx, const char *text); /* one line of narration, may be NULL */
    void *say_ctx;
} bl_dataset_options;

/* The data set "none": no bytes, as many rows as one likes. For problems that need no data. */
void bl_dataset_none(bl_dataset *out);

/* Finds, checks, reads, joins, encodes, or takes it all from the cache. Missing sources: falls back
 * to a declared variant, and without any source to the generator, saying so. Half a data set,
 * altered or truncated sources are errors that name file, hashes, and where to get it. */
bl_status bl_dataset_open(bl_dataset *out, const char *name, const bl_dataset_options *options,
                          bl_err *err) BL_CHECKED;
/* Also of a data set that could not be opened, which is empty. */
void bl_dataset_free(bl_dataset *data);

/* The data set in a block of `bytes` bytes (engine/data/block.h), which becomes its own. */
bl_status bl_dataset_of_block(bl_dataset *out, unsigned char *block, size_t bytes,
                              bl_err *err) BL_CHECKED;

/* The declaration alone is checked: what `batchlab check` calls. *shape gets what it says of an
 * example: numbers of columns, the picture, classes, the target's transform. It owns nothing, and
 * has no rows and no cardinalities. */
bl_status bl_dataset_check(bl_dataset *shape, const char *name, const bl_dataset_options *options,
                           bl_err *err) BL_CHECKED;
#endif
