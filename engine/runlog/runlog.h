/* Run logs: JSON lines, gzip-packed (docs/formats.md). A packed file is written whole under its
 * final name; its header carries no time, so equal text gives equal bytes with one zlib. */
#ifndef BL_ENGINE_RUNLOG_RUNLOG_H
#define BL_ENGINE_RUNLOG_RUNLOG_H
#include "engine/base/buf.h"
#include "engine/base/run_id.h"
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BL_RUNLOG_LIMIT = 1 << 30 }; /* the most text that is unpacked */

/* Packs and writes a file at once, replacing what is there. */
bl_status bl_runlog_write(const char *path, const char *text, size_t n, bl_err *err) BL_CHECKED;
/* The whole unpacked text of a log file. */
bl_status bl_runlog_read(bl_buf *text, const char *path, bl_err *err) BL_CHECKED;

typedef struct bl_runlog_eval {
    int64_t step, examples;
    double value;      /* NAN: diverged */
    double batch_mean; /* NAN: diverged, or the run has none */
    double train_loss; /* mean_loss of the step record before it */
    double learning_rate;
    bool ends;  /* of a program that has no more to train */
    size_t end; /* length of the log's text up to and including this record */
    char params[65];
} bl_runlog_eval;

/* A parsed log. */
typedef struct bl_runlog {
    char run[BL_RUN_ID];
    /* Of the run's settings, in the header. Batch size 0: not known, as in a log from an index. */
    int64_t batch_size, seed;
    double learning_rate;
    bl_runlog_eval *eval;
    size_t evals;
    bool whole; /* has a footer, and its digest is right */
} bl_runlog;
/* Checks form, order of steps and the footer's digest; `name` goes into messages as NAME:LINE. */
bl_status bl_runlog_parse(bl_runlog *out, const char *text, size_t n, const char *name,
                          bl_err *err) BL_CHECKED;
void bl_runlog_free(bl_runlog *log);

/* Appends the footer that closes the prefix `text[0..n)`. */
void bl_runlog_footer(bl_buf *text, const char *outcome, int64_t steps, const char *params_sha256);
#endif
