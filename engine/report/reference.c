/* Steps that are known beforehand, from a table beside the experiment. */
#include "engine/report/reference.h"
#include "engine/base/file.h"
#include "engine/base/vec.h"
#include "engine/report/fit_table.h"

enum { SIZE_LIMIT = 1 << 20 };

/* Appends to *out, which the caller frees; the table's other columns do not count. */
bl_status bl_reference_read(bl_plan_references *out, const char *path, bl_err *err) {
    bl_buf text = {0};
    bl_fit_table table = {0};
    bl_status status = BL_OK;
    BL_GOTO(bl_file_read(&text, path, SIZE_LIMIT, err));
    BL_GOTO(bl_fit_table_parse(&table, BL_FIT_STEPS, bl_buf_text(&text), text.len, path, err));
    for (size_t i = 0; i < table.count; i++)
        *BL_PUSH(out->v, out->count, "reference steps") =
            (bl_plan_reference){table.points[i].batch_size, table.points[i].steps};
done:
    bl_fit_table_free(&table);
    bl_buf_free(&text);
    return status;
}
