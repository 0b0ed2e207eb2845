#include "engine/external/report.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A quote behind a backslash ends no string, so both are stepped over. */
void bl_external_tame(char *text, size_t n) {
    static const char *const words[] = {"-Infinity", "Infinity", "NaN"};
    bool inside = false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"') inside = !inside;
        if (inside && text[i] == '\\') i++;
        for (size_t w = 0; !inside && w < BL_COUNT(words); w++) {
            const size_t length = strlen(words[w]);
            if (n - i < length || memcmp(text + i, words[w], length) != 0) continue;
            memset(text + i, ' ', length);
            memcpy(text + i, "[]", 2);
            i += length - 1;
            break;
        }
    }
}

bool bl_external_close_cut(bl_buf *line) {
    size_t depth = 0, comma = 0;
    bool inside = false;
    for (size_t i = 0; i < line->len; i++) {
        const char c = line->data[i];
        if (c == '"') inside = !inside;
        if (inside && c == '\\') i++;
        if (inside) continue;
        depth += c == '{' || c == '[';
        if ((c == '}' || c == ']') && depth > 0) depth--;
        if (c == ',' && depth == 1) comma = i;
    }
    bl_buf_truncate(line, comma);
    bl_buf_str(line, "}");
    return comma > 0 && line->data[0] == '{';
}

/* NAN for null, for what is not finite (an empty list, once tamed) and for what is absent. */
static bl_status take_number(double *out, const bl_json *line, const char *key, const char *name,
                             size_t number, bl_err *err) {
    const bl_json *v = bl_json_get(line, key);
    *out = (double)NAN;
    if (v == NULL || v->type == BL_JSON_NULL) return BL_OK;
    if (v->type == BL_JSON_ARRAY && v->count == 0) return BL_OK;
    if (v->type != BL_JSON_NUMBER)
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: \"%s\" is not a number", name, number, key);
    *out = v->number;
    return BL_OK;
}

static bl_status take_step(int64_t *out, const bl_json *line, const char *key, const char *name,
                           size_t number, bl_err *err) {
    const bl_json *v = bl_json_get(line, key);
    const bool whole = v != NULL && v->type == BL_JSON_NUMBER && v->number == floor(v->number) &&
                       v->number >= 0.0 && v->number < 0x1p53;
    if (!whole)
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: \"%s\" is not a whole number of steps", name, number,
                key);
    *out = (int64_t)v->number;
    return BL_OK;
}

/* The first of these names that a line has says what it is. */
static const struct {
    const char *key;
    bl_external_word word;
} k_words[] = {
    {"error",  BL_EXTERNAL_ERROR },
    {"end",    BL_EXTERNAL_END   },
    {"saved",  BL_EXTERNAL_SAVED },
    {"saving", BL_EXTERNAL_SAVING},
    {"mark",   BL_EXTERNAL_MARK  },
    {"step",   BL_EXTERNAL_EVAL  },
    {"start",  BL_EXTERNAL_START },
};

/* The row of k_words that the line is of; BL_COUNT(k_words): of none. */
static size_t kind_of(const bl_json *line) {
    const bool eval = bl_json_get(line, "step") != NULL && bl_json_get(line, "value") != NULL;
    size_t i = 0;
    while (i < BL_COUNT(k_words) &&
           (eval ? k_words[i].word != BL_EXTERNAL_EVAL : bl_json_get(line, k_words[i].key) == NULL))
        i++;
    return i;
}

/*     {"step":64,"value":0.31,"loss":0.28,"train_s":1.9}     an evaluation, by its two keys
 *     {"saved":64}                                           a word of k_words, its key the step
 *     {"error":"OutOfMemory","why":"tried to take 2 GiB"}    no step: words for people
 *     {"lr":0.1}                                             of none: NOTHING, and no error
 *
 * Members that are missing are as bl_external_line_read began them; of `waits` and `saves`, true.
 */
static bl_status take_line(bl_external_line *out, const bl_json *line, const char *name,
                           size_t number, bl_err *err) {
    if (line->type != BL_JSON_OBJECT)
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: a line is a JSON object", name, number);
    const size_t i = kind_of(line);
    if (i == BL_COUNT(k_words)) return BL_OK;
    out->word = k_words[i].word;
    if (out->word == BL_EXTERNAL_ERROR) {
        const char *why = bl_json_text(line, "why", "");
        (void)snprintf(out->why, sizeof out->why, "%s%s%s", bl_json_text(line, "error", "error"),
                       why[0] != '\0' ? ": " : "", why);
        return BL_OK;
    }
    BL_TRY(take_step(&out->step, line, k_words[i].key, name, number, err));
    BL_TRY(take_number(&out->value, line, "value", name, number, err));
    BL_TRY(take_number(&out->loss, line, "loss", name, number, err));
    BL_TRY(take_number(&out->train_s, line, "train_s", name, number, err));
    BL_TRY(take_number(&out->data_s, line, "data_s", name, number, err));
    BL_TRY(take_number(&out->peak_bytes, line, "peak_bytes", name, number, err));
    if (out->word == BL_EXTERNAL_EVAL && bl_json_get(line, "value") == NULL)
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: an evaluation has a \"value\"", name, number);
    out->waits = bl_json_bool(line, "waits", true);
    out->saves = bl_json_bool(line, "saves", true);
    (void)snprintf(out->why, sizeof out->why, "%s", bl_json_text(line, "why", ""));
    return BL_OK;
}

bl_status bl_external_line_read(bl_external_line *out, const char *text, size_t n, const char *name,
                                size_t number, bl_err *err) {
    bl_json_doc doc;
    bl_buf tamed = {0};
    *out = (bl_external_line){0};
    bl_buf_add(&tamed, text, bl_size_min(n, BL_EXTERNAL_LINE));
    const bool holds = n <= BL_EXTERNAL_LINE || bl_external_close_cut(&tamed);
    bl_external_tame(tamed.data, tamed.len);
    bl_status status =
        holds ? bl_json_parse(&doc, bl_buf_text(&tamed), tamed.len, name, number, err) : BL_OK;
    bl_buf_free(&tamed);
    if (!holds) return BL_OK;
    BL_TRY(status);
    status = take_line(out, doc.root, name, number, err);
    bl_json_free(&doc);
    return status;
}
