/* Finished runs from elsewhere become an experiment (docs/import.md):
 *
 *     bl_import_gather    reads every CSV and event file below a folder: runs, their parameters,
 *                         their evaluations
 *     bl_import_settle    what batchlab needs of each: a batch size, a rate, a seed; evaluations in
 *                         order; two runs with the same parameters are refused
 *     bl_import_targets   targets that every batch size reaches, where none are given
 *     bl_import_write     experiments/NAME: a file for each run (engine/external/recorded.h),
 *                         experiment.cfg and sweep.lua
 *
 * The rest of batchlab then reads those files wherever it would train. */
#ifndef BL_ENGINE_IMPORT_IMPORT_H
#define BL_ENGINE_IMPORT_IMPORT_H
#include "engine/base/chunks.h"
#include "engine/external/recorded.h"

/* What the user says of the files. */
typedef struct bl_import_wish {
    const char *dir;
    const char *metric;     /* the column, tag or key of the values; NULL: found by its name */
    const char *const *map; /* (maps) "OURS=THEIRS"; a name that is not ours is a setting */
    size_t maps;
    const char *pattern; /* of runs' names; NULL: as `export --tfevents` names them */
    const char *runs;    /* a CSV file with a row for each run; NULL: none */
    bool higher;         /* higher values are better */
} bl_import_wish;

/* The parameters of a run: these three, then the settings. */
enum { BL_IMPORT_SIZE, BL_IMPORT_RATE, BL_IMPORT_SEED, BL_IMPORT_FIXED, BL_IMPORT_PARAMS = 32 };

typedef struct bl_import_run {
    const char *name;                    /* as it is called there */
    const char *source;                  /* the file, for messages */
    const char *param[BL_IMPORT_PARAMS]; /* as text; NULL: not known */
    int64_t batch_size, seed;            /* once settled */
    double learning_rate;
    bl_recorded_row *row; /* (rows) */
    size_t rows;
} bl_import_run;

typedef struct bl_import {
    bl_import_run *run;
    size_t runs;
    const char *param[BL_IMPORT_PARAMS]; /* (params) their names */
    size_t params;
    const char *metric;         /* with a word about its direction: "1 - accuracy" */
    const char *found;          /* what was read from where, a line each */
    size_t files, torn;         /* that were read; whose last record is not whole */
    size_t early, again, empty; /* evaluations before step 1; at a step that came twice; runs
                                   without one */
    double targets[2];          /* of bl_import_targets, easiest first */
    bl_chunks memory;
    bl_buf words; /* behind `found` */
} bl_import;

/* BL_EINVAL, BL_EFORMAT: one sentence, with the file and what to say. To be freed on failure too.
 */
bl_status bl_import_gather(bl_import *out, const bl_import_wish *wish, bl_err *err) BL_CHECKED;
bl_status bl_import_settle(bl_import *in, bool higher, bl_err *err) BL_CHECKED;
void bl_import_targets(bl_import *in);
void bl_import_free(bl_import *in);

/* Of the experiment. `folder` is experiments/NAME and does not exist. It is written under another
 * name beside and renamed: it is there whole or not at all. */
typedef struct bl_import_plan {
    const char *name, *folder, *from;
    const double *targets; /* (target_count), easiest first */
    size_t target_count;
    int64_t epoch_rows; /* 0: not known */
    /* Asked before each run is written: true stops, with BL_EINTERRUPTED and nothing written. */
    bool (*stops)(void *ctx, size_t written, size_t runs);
    void *ctx;
} bl_import_plan;
bl_status bl_import_write(const bl_import *in, const bl_import_plan *plan, bl_err *err) BL_CHECKED;
#endif
