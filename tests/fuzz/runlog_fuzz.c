/* Any bytes as a run log, as JSON and as gzip: refused with a place, or read within every limit. */
#include "engine/base/gzip.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/runlog/runlog.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Evaluations in order, each ending with a line of the text. */
static void read_log(const char *text, size_t n) {
    bl_runlog log;
    bl_err err = {0};
    if (bl_runlog_parse(&log, text, n, "log", &err) != BL_OK) {
        BL_ASSERT(err.code == BL_EFORMAT && strncmp(err.text, "log:", 4) == 0);
        return;
    }
    int64_t step = 0;
    size_t end = 0;
    for (size_t i = 0; i < log.evals; i++) {
        BL_ASSERT(log.eval[i].step > step && log.eval[i].end > end && log.eval[i].end <= n);
        step = log.eval[i].step;
        end = log.eval[i].end;
        BL_ASSERT(text[end - 1] == '\n');
    }
    bl_runlog_free(&log);
}

static void write_value(bl_buf *out, const bl_json *v) {
    if (v->key != NULL) {
        bl_json_string(out, v->key);
        bl_buf_str(out, ":");
    }
    switch (v->type) {
    case BL_JSON_NULL:
        bl_buf_str(out, "null");
        return;
    case BL_JSON_BOOL:
        bl_buf_str(out, v->boolean ? "true" : "false");
        return;
    case BL_JSON_NUMBER:
        bl_json_f64(out, v->number);
        return;
    case BL_JSON_STRING:
        bl_json_string(out, v->string);
        return;
    case BL_JSON_ARRAY:
    case BL_JSON_OBJECT:
        break;
    }
    size_t count = 0;
    bl_buf_str(out, v->type == BL_JSON_ARRAY ? "[" : "{");
    for (const bl_json *child = v->first; child != NULL; child = child->next) {
        if (count++ > 0) bl_buf_str(out, ",");
        write_value(out, child);
    }
    BL_ASSERT(count == v->count);
    bl_buf_str(out, v->type == BL_JSON_ARRAY ? "]" : "}");
}

/* What is read, written and read again is written the same. */
static void round_trip(const char *text, size_t n) {
    bl_json_doc doc;
    bl_buf once = {0}, twice = {0};
    bl_err err = {0};
    if (bl_json_parse(&doc, text, n, "json", 1, &err) != BL_OK) {
        BL_ASSERT(err.code == BL_EFORMAT && strncmp(err.text, "json:", 5) == 0);
        return;
    }
    write_value(&once, doc.root);
    bl_json_free(&doc);
    BL_ASSERT(bl_json_parse(&doc, once.data, once.len, "json", 1, &err) == BL_OK);
    write_value(&twice, doc.root);
    bl_json_free(&doc);
    BL_ASSERT(strcmp(once.data, twice.data) == 0);
    bl_buf_free(&once);
    bl_buf_free(&twice);
}

static void unpack(const char *bytes, size_t n) {
    enum { LIMIT = 1 << 16 };
    bl_buf text = {0};
    bl_err err = {0};
    if (bl_gunzip_one(&text, bytes, n, LIMIT, "log", &err) == BL_OK) {
        BL_ASSERT(text.len <= LIMIT);
        read_log(bl_buf_text(&text), text.len);
    } else {
        BL_ASSERT(err.code == BL_EFORMAT && strncmp(err.text, "log:", 4) == 0);
    }
    bl_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    char *text = bl_xalloc(n);
    if (n > 0) memcpy(text, data, n);
    read_log(text, n);
    round_trip(text, n);
    unpack(text, n);
    free(text);
    return 0;
}
