/* A data set in memory, encoded and ready to train on: row-major blocks, training rows first. It is
 * read-only and shared by all runs of a process. */
#ifndef BL_ENGINE_DATA_DATASET_H
#define BL_ENGINE_DATA_DATASET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BL_PICTURE_CHANNELS = 4, BL_PICTURE_BYTES = 1 << 18 }; /* of a picture, at most */

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
    const float *target;       /* (rows): after the declared transform (log) and scale */
    char target_transform[16]; /* "none" or "log" */
    double target_min, target_max; /* of the training targets before the transform */
    /* A standardised target is (transformed - target_mean) / target_deviation; 0: it is not. */
    double target_mean, target_deviation;
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

#endif
