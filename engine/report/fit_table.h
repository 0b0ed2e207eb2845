/* Tables from elsewhere for `batchlab fit`: CSV with a header, read as `batchlab init` reads one.
 */
#ifndef BL_ENGINE_REPORT_FIT_TABLE_H
#define BL_ENGINE_REPORT_FIT_TABLE_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include "engine/stats/critical.h"

typedef struct bl_fit_table {
    bl_stats_point *points;
    size_t count;
    double *seconds; /* (count) of the runs; NULL without the column */
    double *value;   /* (count) the loss after `steps`; NULL without the column */
    bl_buf found; /* names of the columns that were read, as in the header: "Batch Size, steps" */
} bl_fit_table;

/* Reads columns batch_size, steps and, where present, steps_prev, seed, censored (0 or 1, false or
 * true, no or yes, empty for no), seconds and value; a column target has to be the same in every
 * row; others are ignored. Names are the same in capitals and small letters, with blanks, '-' or
 * '_'. The separator is guessed from the header; empty lines and lines that begin with '#' are
 * passed over. Two rows of one batch size and seed are refused (with values: of one number of
 * steps, too). BL_EFORMAT names FILE:LINE. `text[n]`; `name` for messages. */
bl_status bl_fit_table_parse(bl_fit_table *table, const char *text, size_t n, const char *name,
                             bl_err *err) BL_CHECKED;
void bl_fit_table_free(bl_fit_table *table);
#endif
