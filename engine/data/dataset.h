/* A data set in memory, encoded and ready to train on: row-major blocks, training rows first. It is
 * read-only and shared by all runs of a process. */
#ifndef BL_ENGINE_DATA_DATASET_H
#define BL_ENGINE_DATA_DATASET_H
#include "engine/base/file.h"
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BL_PICTURE_CHANNELS = 4 }; /* at most */

typedef struct bl_dataset {
    char name[64];
    bool synthetic;    /* made by the generator: every output says so */
    char variant[64];  /* which declared variant was there, "" if only one */
    char sha256[65];   /* of everything that decides the bytes below: sources and declaration */
    size_t rows;       /* of all three kinds */
    size_t train_rows; /* rows [0, train_rows) */
    size_t valid_rows; /* rows [train_rows, train_rows + valid_rows) */
    size_t test_rows;  /* the last rows: for one look at the very end */
    size_t classes;    /* the target is a class number below this; 0: a value */
    size_t categorical, continuous;
    const uint16_t *codes;       /* (rows, categorical): 0 is missing or never seen in training */
    const uint32_t *cardinality; /* (categorical): codes are below this, 0 included */
    const float *values;       /* (rows, continuous): standardised by training mean and deviation */
    const float *target;       /* (rows): after the declared transform (log) */
    char target_transform[16]; /* "none" or "log" */
    double target_max;         /* largest training target before the transform */
    const char *const *categorical_name;
    const char *const *continuous_name;
    /* Pictures: continuous = height * width * channels, and `values` is NULL; a value is
     * (pixel - pixel_mean[c]) * pixel_scale[c], by mean and deviation of the training rows. */
    const uint8_t *pixels; /* (rows, height, width, channels); NULL: a table */
    size_t height, width, channels;
    float pixel_mean[BL_PICTURE_CHANNELS], pixel_scale[BL_PICTURE_CHANNELS];
    size_t bytes; /* resident */
    void *owner;  /* mapping and tables, freed by bl_dataset_free */
} bl_dataset;

typedef struct bl_dataset_options {
    const char *manifest_dir;                 /* datasets */
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
void bl_dataset_free(bl_dataset *data);

/* The declaration alone is checked: what `batchlab check` calls. *shape gets what it says of an
 * example: numbers of columns, the picture, classes, the target's transform. It owns nothing, and
 * has no rows and no cardinalities. */
bl_status bl_dataset_check(bl_dataset *shape, const char *name, const bl_dataset_options *options,
                           bl_err *err) BL_CHECKED;
#endif
