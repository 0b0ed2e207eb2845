#include "engine/report/reference.h"
#include "engine/base/file.h"
#include "engine/base/json_writer.h"
#include "engine/report/fit_table.h"

enum { SIZE_LIMIT = 1 << 20 };

bl_status bl_reference_read(bl_buf *json, const char *path, bl_err *err) {
    bl_buf text = {0};
    bl_fit_table table = {0};
    bl_status status = BL_OK;
    BL_GOTO(bl_file_read(&text, path, SIZE_LIMIT, err));
    BL_GOTO(bl_fit_table_parse(&table, bl_buf_text(&text), text.len, path, err));
    bl_jw w = bl_jw_open(json);
    bl_jw_array(&w, NULL);
    for (size_t i = 0; i < table.count; i++) {
        bl_jw_object(&w, NULL);
        bl_jw_f64(&w, "batch_size", table.points[i].batch_size);
        bl_jw_f64(&w, "steps", table.points[i].steps);
        bl_jw_end(&w);
    }
    bl_jw_end(&w);
    bl_jw_done(&w);
done:
    bl_fit_table_free(&table);
    bl_buf_free(&text);
    return status;
}
