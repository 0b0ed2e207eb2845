/* Tables from elsewhere for `batchlab fit`: CSV with a header, read as `batchlab init` reads one.
 */
#ifndef BL_ENGINE_REPORT_FIT_TABLE_H
#define BL_ENGINE_REPORT_FIT_TABLE_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include "engine/stats/critical.h"
#include "engine/stats/step_line.h"

typedef enum bl_fit_kind { BL_FIT_STEPS, BL_FIT_TIMES } bl_fit_kind;

typedef struct bl_fit_table {
    bl_stats_point *points;
    size_t count;
    double *seconds;  /* (count) of the runs; NULL without the column */
    double *cost;     /* (count) of the runs, in any unit; NULL without the column */
    double *value;    /* (count) the loss after `steps`; NULL without the column */
    double *examples; /* (count) passed in `seconds`; NULL without the column: one batch */
    bl_buf found; /* names of the columns that were read, as in the header: "Batch Size, steps" */
} bl_fit_table;

/* BL_FIT_STEPS reads columns batch_size, steps and, where present, steps_prev, seed, censored (0 or
 * 1, false or true, no or yes, empty for no), seconds, cost and value; a column target has to be
 * the same in every row; others are ignored. Names are the same in capitals and small letters, with
 * blanks,
 * '-' or
 * '_'. The separator is guessed from the header; empty lines and lines that begin with '#' are
 * passed over. Two rows of one batch size and seed are refused (with values: of one number of
 * steps, too). BL_FIT_TIMES reads batch_size, seconds and, where present, examples and repeat: a
 * point's seed is then the repeat, its steps are 1. BL_EFORMAT names FILE:LINE. `text[n]`; `name`
 * for messages. */
bl_status bl_fit_table_parse(bl_fit_table *table, bl_fit_kind kind, const char *text, size_t n,
                             const char *name, bl_err *err) BL_CHECKED;
/* The sizes of a table of times, ascending, with the seconds of one step by repeat. Room for
 * `count` of both is the caller's; how many sizes there are is returned. */
size_t bl_fit_table_sizes(const bl_fit_table *table, bl_stats_step_size *size, double *seconds);
void bl_fit_table_free(bl_fit_table *table);
#endif
