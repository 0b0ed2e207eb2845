/* Any bytes as a table: read or refused with a place. What is read writes back to the same table.
 */
#include "engine/base/mem.h"
#include "engine/data/table/csv.h"
#include "engine/data/table/table_read.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Every field quoted, every quote doubled. */
static bool rewrite(const char *text, size_t n, bl_buf *out) {
    bl_csv csv;
    bl_err err = {0};
    bool more = true;
    bl_csv_init(&csv, text, n, "table", ',');
    while (more) {
        if (bl_csv_row(&csv, &more, &err) != BL_OK) {
            BL_ASSERT(strncmp(err.text, "table:", 6) == 0);
            bl_csv_free(&csv);
            return false;
        }
        for (size_t i = 0; more && i < csv.count; i++) {
            double value;
            (void)bl_csv_number(csv.field[i], &value);
            bl_buf_str(out, i > 0 ? ",\"" : "\"");
            for (size_t k = 0; k < csv.field[i].n; k++) {
                bl_buf_add(out, &csv.field[i].text[k], 1);
                if (csv.field[i].text[k] == '"') bl_buf_str(out, "\"");
            }
            bl_buf_str(out, i + 1 < csv.count ? "\"" : "\"\n");
        }
    }
    bl_csv_free(&csv);
    return true;
}

static void read_table(const char *text, size_t n) {
    static const char *number[] = {"n"}, *date[] = {"d"}, *words[] = {"t"}, *interval[] = {"w"};
    const bl_table_decl decl = {
        .name = "table",
        .separator = ",",
        .number = {number,   1, NULL},
        .date = {date,     1, NULL},
        .text = {words,    1, NULL},
        .interval = {interval, 1, NULL}
    };
    bl_table table;
    bl_err err = {0};
    bl_table_declare(&table, &decl);
    if (bl_table_append(&table, &decl, text, n, "table", NULL, &err) != BL_OK)
        BL_ASSERT(strncmp(err.text, "table:", 6) == 0);
    bl_table_free(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    bl_buf once = {0}, twice = {0};
    char *text = bl_xalloc(n + 1);
    if (n > 0) memcpy(text, data, n);
    if (rewrite(text, n, &once)) {
        BL_ASSERT(rewrite(bl_buf_text(&once), once.len, &twice));
        BL_ASSERT(once.len == twice.len);
        BL_ASSERT(once.len == 0 || memcmp(once.data, twice.data, once.len) == 0);
    }
    read_table(text, n);
    bl_buf_free(&once);
    bl_buf_free(&twice);
    free(text);
    return 0;
}
