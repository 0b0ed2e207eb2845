/* Tables from elsewhere for `batchlab fit`: CSV with a header. */
#ifndef BL_ENGINE_REPORT_FIT_TABLE_H
#define BL_ENGINE_REPORT_FIT_TABLE_H
#include "engine/base/status.h"
#include "engine/stats/critical.h"

typedef struct bl_fit_table {
    bl_stats_point *points;
    size_t count;
} bl_fit_table;

/* Reads columns batch_size, steps and, where present, steps_prev, seed and censored (0 or 1, false
 * or true, no or yes, empty for no); a column target has to be the same in every row; others are
 * ignored, as are empty lines. Fields may be quoted, a quoted field may not span lines. BL_EFORMAT
 * names FILE:LINE. `text[n]`; `name` for messages. */
bl_status bl_fit_table_parse(bl_fit_table *table, const char *text, size_t n, const char *name,
                             bl_err *err) BL_CHECKED;
void bl_fit_table_free(bl_fit_table *table);
#endif
