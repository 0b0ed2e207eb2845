/* Any bytes as a table: read or refused with a place, and what was read can be fitted. */
#include "engine/base/mem.h"
#include "engine/report/fit_table.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    bl_fit_table table;
    bl_err err = {0};
    char *text = bl_xalloc(n);
    if (n > 0) memcpy(text, data, n);
    if (bl_fit_table_parse(&table, BL_FIT_STEPS, text, n, "table", &err) == BL_OK) {
        bl_stats_critical c;
        const bl_stats_options options = {.seed = 1, .replicates = 2};
        bl_buf out = {0};
        BL_ASSERT(table.count > 0);
        BL_ASSERT(bl_stats_critical_fit(&c, table.points, table.count, &options, &err) == BL_OK);
        bl_jw w = bl_jw_open(&out);
        bl_stats_fit_json(&w, NULL, &c);
        bl_jw_done(&w);
        BL_ASSERT(strstr(bl_buf_text(&out), "nan") == NULL);
        bl_buf_free(&out);
        bl_fit_table_free(&table);
    } else {
        BL_ASSERT(strncmp(err.text, "table:", 6) == 0);
    }
    if (bl_fit_table_parse(&table, BL_FIT_TIMES, text, n, "table", &err) == BL_OK) {
        bl_stats_step_size *size = bl_xalloc(table.count * sizeof *size);
        double *seconds = bl_xalloc(table.count * sizeof *seconds);
        const size_t sizes = bl_fit_table_sizes(&table, size, seconds);
        const bl_stats_step_line line = bl_stats_fit_step_line(size, sizes);
        BL_ASSERT(line.known == (sizes > 1));
        free(size);
        free(seconds);
        bl_fit_table_free(&table);
    }
    free(text);
    return 0;
}
