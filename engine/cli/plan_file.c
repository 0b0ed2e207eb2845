#include "engine/cli/plan_file.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include <string.h>

enum { PLAN_LIMIT = 1 << 30 };

bl_status bl_plan_file_parse(bl_plan_file *out, const char *text, size_t n, const char *name,
                             bl_err *err) {
    *out = (bl_plan_file){0};
    size_t cap = 0;
    bl_status status = BL_OK;
    for (size_t at = 0; at < n && status == BL_OK;) {
        const char *stop = memchr(text + at, '\n', n - at);
        const size_t end = stop != NULL ? (size_t)(stop - text) : n;
        if (out->count == cap) {
            cap = cap ? 2 * cap : 64;
            out->record = bl_xrealloc(out->record, cap * sizeof *out->record);
        }
        bl_json_doc *doc = &out->record[out->count];
        status = bl_json_parse(doc, text + at, end - at, name, out->count + 1, err);
        if (status == BL_OK && out->count++ == 0 &&
            (!bl_plan_record_is(doc, "plan") || bl_json_int(doc->root, "format", 0) != 1))
            status = BL_ERR(err, BL_EFORMAT, "%s:1: not a plan of format 1", name);
        at = end + 1;
    }
    if (status != BL_OK) bl_plan_file_free(out);
    return status;
}

bl_status bl_plan_file_read(bl_plan_file *out, const char *run_dir, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    *out = (bl_plan_file){0};
    BL_TRY(bl_path(path, err, "%s/plan.jsonl", run_dir));
    if (!bl_file_exists(path)) return BL_OK;
    bl_status status = bl_file_read(&text, path, PLAN_LIMIT, err);
    if (status == BL_OK) status = bl_plan_file_parse(out, bl_buf_text(&text), text.len, path, err);
    bl_buf_free(&text);
    return status;
}

void bl_plan_file_free(bl_plan_file *plan) {
    for (size_t i = 0; i < plan->count; i++) bl_json_free(&plan->record[i]);
    free(plan->record);
    *plan = (bl_plan_file){0};
}

bool bl_plan_record_is(const bl_json_doc *record, const char *kind) {
    return strcmp(bl_json_text(record->root, "record", ""), kind) == 0;
}

bool bl_plan_record_has(const bl_json_doc *record, const char *run) {
    if (strcmp(bl_json_text(record->root, "run", ""), run) == 0) return true;
    const bl_json *runs = bl_json_get(record->root, "runs");
    if (runs == NULL || runs->type != BL_JSON_ARRAY) return false;
    for (const bl_json *r = runs->first; r != NULL; r = r->next)
        if (r->type == BL_JSON_STRING && strcmp(r->string, run) == 0) return true;
    return false;
}
