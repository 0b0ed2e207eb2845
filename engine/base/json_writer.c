#include "engine/base/json_writer.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bl_jw bl_jw_open(bl_buf *out) {
    return (bl_jw){.out = out, .indent = -1};
}

bl_jw bl_jw_resume(bl_buf *out) {
    return (bl_jw){
        .out = out, .objects = 1, .depth = 1, .comma = true, .whole = true, .indent = -1};
}

static bool in_object(const bl_jw *w) {
    return w->depth > 0 && (w->objects >> (w->depth - 1) & 1) != 0;
}

/* The comma and the line break before a value. */
static void separate(bl_jw *w) {
    BL_ASSERT(w->depth > 0 || !w->whole); /* one outermost value */
    if (w->comma) bl_buf_str(w->out, ",");
    if (w->indent >= 0) bl_buf_printf(w->out, "\n%*s", w->indent, "");
    w->comma = w->whole = true;
    w->indent = -1;
}

bl_buf *bl_jw_slot(bl_jw *w, const char *key) {
    BL_ASSERT((key != NULL) == in_object(w)); /* members have keys, elements have none */
    separate(w);
    if (key != NULL) {
        bl_json_string(w->out, key);
        bl_buf_str(w->out, ":");
    }
    return w->out;
}

static void open_one(bl_jw *w, const char *key, bool object) {
    bl_buf_str(bl_jw_slot(w, key), object ? "{" : "[");
    BL_ASSERT(w->depth < BL_JW_DEPTH);
    const uint64_t bit = (uint64_t)1 << w->depth++;
    w->objects = object ? w->objects | bit : w->objects & ~bit;
    w->comma = false;
}

void bl_jw_object(bl_jw *w, const char *key) {
    open_one(w, key, true);
}

void bl_jw_array(bl_jw *w, const char *key) {
    open_one(w, key, false);
}

void bl_jw_end(bl_jw *w) {
    BL_ASSERT(w->depth > 0);
    bl_buf_str(w->out, in_object(w) ? "}" : "]");
    w->depth--;
    w->comma = true;
}

void bl_jw_null(bl_jw *w, const char *key) {
    bl_buf_str(bl_jw_slot(w, key), "null");
}

void bl_jw_bool(bl_jw *w, const char *key, bool value) {
    bl_buf_str(bl_jw_slot(w, key), value ? "true" : "false");
}

void bl_jw_i64(bl_jw *w, const char *key, int64_t value) {
    bl_json_i64(bl_jw_slot(w, key), value);
}

void bl_jw_f64(bl_jw *w, const char *key, double value) {
    bl_json_f64(bl_jw_slot(w, key), value);
}

void bl_jw_f64_rounded(bl_jw *w, const char *key, double value) {
    char text[32];
    (void)snprintf(text, sizeof text, "%.9g", value);
    bl_jw_f64(w, key, strtod(text, NULL));
}

void bl_jw_fixed(bl_jw *w, const char *key, double value, int places) {
    if (isfinite(value))
        bl_buf_printf(bl_jw_slot(w, key), "%.*f", places, value);
    else
        bl_jw_null(w, key);
}

void bl_jw_str(bl_jw *w, const char *key, const char *value) {
    bl_json_string(bl_jw_slot(w, key), value);
}

void bl_jw_raw(bl_jw *w, const char *key, const char *json) {
    BL_ASSERT(json[0] != '\0' && (key == NULL || in_object(w)));
    if (key != NULL)
        (void)bl_jw_slot(w, key);
    else
        separate(w);
    bl_buf_str(w->out, json);
}

/* A value that was read, written again. A number keeps its text, so that it comes out as it was. */
void bl_jw_value(bl_jw *w, const char *key, const bl_json *value) {
    switch (value->type) {
    case BL_JSON_NULL:
        bl_jw_null(w, key);
        break;
    case BL_JSON_BOOL:
        bl_jw_bool(w, key, value->boolean);
        break;
    case BL_JSON_NUMBER:
        bl_jw_raw(w, key, value->string);
        break;
    case BL_JSON_STRING:
        bl_jw_str(w, key, value->string);
        break;
    case BL_JSON_ARRAY:
    case BL_JSON_OBJECT:
        open_one(w, key, value->type == BL_JSON_OBJECT);
        for (const bl_json *v = value->first; v != NULL; v = v->next) bl_jw_value(w, v->key, v);
        bl_jw_end(w);
        break;
    }
}

void bl_jw_newline(bl_jw *w, int indent) {
    w->indent = indent;
}

void bl_jw_done(const bl_jw *w) {
    BL_ASSERT(w->depth == 0 && w->whole);
}

void bl_jw_line(bl_jw *w) {
    bl_jw_done(w);
    bl_buf_str(w->out, "\n");
}
