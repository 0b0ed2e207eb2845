/* TensorBoard's event files, read by hand. A file is a row of TFRecords, each with two
 * checksums:
 *
 *     length     8 bytes, little endian
 *     crc        4 bytes, of the length, "masked"
 *     event      `length` bytes: a protocol buffer
 *     crc        4 bytes, of the event
 *
 * A masked CRC-32C is rotated right by 15 bits and raised by 0xa282ead8, as TFRecord has it. A
 * protocol buffer is a row of fields, key first: number << 3 | type. Of these messages only what
 * follows is read:
 *
 *     Event      1 wall_time (double)   2 step (varint)   5 summary
 *     Summary    1 value, repeated
 *     Value      1 tag   2 simple_value (float)   8 tensor   9 metadata
 *     Tensor     1 dtype   4 content   5 floats   6 doubles
 *     metadata   1 plugin data: 1 name, 2 content; of "hparams" 3 session: 1 map, 1 key, 2 value
 */
#include "engine/import/event_file.h"
#include "engine/base/json.h"
#include "engine/export/tfevents.h"
#include <string.h>

/* Bytes that are still to be read. Every take_ function says whether there were enough. */
typedef struct span {
    const unsigned char *at;
    size_t n;
} span;

static uint64_t little_endian(const unsigned char *bytes, size_t n) {
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) value |= (uint64_t)bytes[i] << 8 * i;
    return value;
}

static bool take_fixed(span *s, size_t n, uint64_t *out) {
    if (s->n < n) return false;
    *out = little_endian(s->at, n);
    s->at += n;
    s->n -= n;
    return true;
}

/* *out points into the bytes. */
static bool take_bytes(span *s, uint64_t n, span *out) {
    if (n > s->n) return false;
    *out = (span){s->at, (size_t)n};
    s->at += n;
    s->n -= (size_t)n;
    return true;
}

/* ---- protocol buffers ---- */

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

/* Seven bits a byte, the lowest first; the highest bit says that another byte follows. */
static bool take_varint(span *s, uint64_t *out) {
    *out = 0;
    for (unsigned shift = 0; shift < 64 && s->n > 0; shift += 7) {
        const unsigned char byte = *s->at++;
        s->n--;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

/* One field: a number, or bytes where its type has them. */
typedef struct field {
    uint64_t number, type, value;
    span bytes;
} field;

/* The two old types of groups, 3 and 4, are refused. */
static bool take_field(span *s, field *f) {
    uint64_t key;
    *f = (field){0};
    if (!take_varint(s, &key)) return false;
    f->number = key >> 3;
    f->type = key & 7;
    if (f->type == VARINT) return take_varint(s, &f->value);
    if (f->type == FIXED64) return take_fixed(s, 8, &f->value);
    if (f->type == FIXED32) return take_fixed(s, 4, &f->value);
    return f->type == BYTES && take_varint(s, &f->value) && take_bytes(s, f->value, &f->bytes);
}

static double float_of(uint64_t bits) {
    const uint32_t word = (uint32_t)bits;
    float x;
    memcpy(&x, &word, sizeof x);
    return (double)x;
}

static double double_of(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* A number that is all of these bytes: a float of 4, a double of 8. */
static bool number_of(span s, size_t size, double *out) {
    uint64_t bits;
    if (s.n != size || !take_fixed(&s, size, &bits)) return false;
    *out = size == 4 ? float_of(bits) : double_of(bits);
    return true;
}

/* TensorProto: dtype = 1 (1 float, 2 double), tensor_content = 4, float_val = 5, double_val = 6. A
 * repeated number may be packed or not. */
static bool read_tensor(span s, double *value, bool *found) {
    enum { DOUBLE = 2 };
    uint64_t type = 1;
    for (field f; s.n > 0;) {
        if (!take_field(&s, &f)) return false;
        if (f.number == 1 && f.type == VARINT) type = f.value;
        if (f.number == 4 && f.type == BYTES && (type == 1 || type == DOUBLE))
            *found = number_of(f.bytes, type == DOUBLE ? 8 : 4, value);
        if (f.number == 5 && f.type == BYTES) *found = number_of(f.bytes, 4, value);
        if (f.number == 6 && f.type == BYTES) *found = number_of(f.bytes, 8, value);
        if (f.number == 5 && f.type == FIXED32) *value = float_of(f.value), *found = true;
        if (f.number == 6 && f.type == FIXED64) *value = double_of(f.value), *found = true;
    }
    return true;
}

typedef struct reader {
    void (*each)(void *ctx, const bl_event_scalar *scalar);
    void (*setting)(void *ctx, const bl_event_setting *setting);
    void *ctx;
} reader;

/* ---- hyperparameters ---- */

/* google.protobuf.Value: number_value = 2, string_value = 3, bool_value = 4; another is passed
 * over. */
static bool read_setting_value(const reader *r, span s, bl_event_setting *out) {
    char number[32];
    for (field f; s.n > 0;) {
        if (!take_field(&s, &f)) return false;
        if (f.number == 2 && f.type == FIXED64) bl_json_f64_text(number, double_of(f.value));
        const char *word = f.number == 2 && f.type == FIXED64  ? number
                           : f.number == 4 && f.type == VARINT ? (f.value != 0 ? "true" : "false")
                                                               : NULL;
        if (f.number == 3 && f.type == BYTES) {
            out->text = (const char *)f.bytes.at;
            out->text_n = f.bytes.n;
            r->setting(r->ctx, out);
        } else if (word != NULL) {
            out->text = word;
            out->text_n = strlen(word);
            r->setting(r->ctx, out);
        }
    }
    return true;
}

/* An entry of the map: key = 1, value = 2, in this order in every writer's file. */
static bool read_setting(const reader *r, span s) {
    bl_event_setting setting = {.key = ""};
    for (field f; s.n > 0;) {
        if (!take_field(&s, &f)) return false;
        if (f.number == 1 && f.type == BYTES) {
            setting.key = (const char *)f.bytes.at;
            setting.key_n = f.bytes.n;
        }
        if (f.number == 2 && f.type == BYTES && !read_setting_value(r, f.bytes, &setting))
            return false;
    }
    return true;
}

/* The bytes of that field's last occurrence; none: an empty span. False: no message. */
static bool find_bytes(span s, uint64_t number, span *out) {
    *out = (span){NULL, 0};
    for (field f; s.n > 0;) {
        if (!take_field(&s, &f)) return false;
        if (f.number == number && f.type == BYTES) *out = f.bytes;
    }
    return true;
}

/* SummaryMetadata: plugin_data = 1. PluginData: plugin_name = 1, content = 2. HParamsPluginData:
 * session_start_info = 3. SessionStartInfo: hparams = 1. What another plugin wrote is no fault. */
static bool read_metadata(const reader *r, span s) {
    span data, name, content, session;
    if (!find_bytes(s, 1, &data) || !find_bytes(data, 1, &name) || !find_bytes(data, 2, &content))
        return false;
    if (name.n != strlen("hparams") || memcmp(name.at, "hparams", name.n) != 0) return true;
    if (!find_bytes(content, 3, &session)) return false;
    for (field f; session.n > 0;) {
        if (!take_field(&session, &f)) return false;
        if (f.number == 1 && f.type == BYTES && !read_setting(r, f.bytes)) return false;
    }
    return true;
}

/* ---- scalars ---- */

/* Summary.Value: tag = 1, simple_value = 2, tensor = 8, metadata = 9. */
static bool read_value(const reader *r, span s, bl_event_scalar *out, bool *found) {
    *found = false;
    for (field f; s.n > 0;) {
        if (!take_field(&s, &f)) return false;
        if (f.number == 1 && f.type == BYTES) {
            out->tag = (const char *)f.bytes.at;
            out->tag_n = f.bytes.n;
        }
        if (f.number == 2 && f.type == FIXED32) {
            out->value = float_of(f.value);
            *found = true;
        }
        if (f.number == 8 && f.type == BYTES && !read_tensor(f.bytes, &out->value, found))
            return false;
        if (f.number == 9 && f.type == BYTES && r->setting != NULL && !read_metadata(r, f.bytes))
            return false;
    }
    return true;
}

/* Summary: value = 1. */
static bool read_summary(const reader *r, span s, int64_t step, double wall_time) {
    for (field f; s.n > 0;) {
        bl_event_scalar scalar = {.tag = "", .step = step, .wall_time = wall_time};
        bool found;
        if (!take_field(&s, &f)) return false;
        if (f.number != 1 || f.type != BYTES) continue;
        if (!read_value(r, f.bytes, &scalar, &found)) return false;
        if (found && r->each != NULL) r->each(r->ctx, &scalar);
    }
    return true;
}

/* Event: wall_time = 1, step = 2, summary = 5. The summary may stand before the step. */
static bool read_event(const reader *r, span s) {
    double wall_time = 0;
    int64_t step = 0;
    span rest = s;
    for (field f; rest.n > 0;) {
        if (!take_field(&rest, &f)) return false;
        if (f.number == 1 && f.type == FIXED64) wall_time = double_of(f.value);
        if (f.number == 2 && f.type == VARINT) step = (int64_t)f.value;
    }
    for (field f; s.n > 0;) {
        if (!take_field(&s, &f)) return false;
        if (f.number == 5 && f.type == BYTES && !read_summary(r, f.bytes, step, wall_time))
            return false;
    }
    return true;
}

/* ---- records ---- */

static bool sums_to(span s, uint64_t masked) {
    const uint32_t crc = bl_crc32c(s.at, s.n);
    return masked == (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8u);
}

static bl_status read_records(const reader *r, const void *bytes, size_t n, const char *name,
                              bool *torn, bl_err *err) {
    span rest = {bytes, n};
    *torn = false;
    while (rest.n > 0) {
        const size_t begin = n - rest.n;
        span head, event;
        uint64_t length = 0, crc = 0;
        *torn = true;
        if (!take_bytes(&rest, 8, &head) || !take_fixed(&rest, 4, &crc)) return BL_OK;
        if (!sums_to(head, crc))
            BL_FAIL(err, BL_EFORMAT, "%s: not an event file, or damaged: the length at byte %zu",
                    name, begin);
        length = little_endian(head.at, head.n);
        if (!take_bytes(&rest, length, &event) || !take_fixed(&rest, 4, &crc)) return BL_OK;
        if (!sums_to(event, crc))
            BL_FAIL(err, BL_EFORMAT, "%s: damaged: the record at byte %zu", name, begin);
        if (!read_event(r, event))
            BL_FAIL(err, BL_EFORMAT, "%s: the record at byte %zu is no event", name, begin);
        *torn = false;
    }
    return BL_OK;
}

bl_status bl_event_each(const void *bytes, size_t n, const char *name,
                        void (*each)(void *ctx, const bl_event_scalar *scalar), void *ctx,
                        bool *torn, bl_err *err) {
    const reader r = {.each = each, .ctx = ctx};
    return read_records(&r, bytes, n, name, torn, err);
}

bl_status bl_event_each_setting(const void *bytes, size_t n, const char *name,
                                void (*each)(void *ctx, const bl_event_setting *setting), void *ctx,
                                bl_err *err) {
    const reader r = {.setting = each, .ctx = ctx};
    bool torn;
    return read_records(&r, bytes, n, name, &torn, err);
}
