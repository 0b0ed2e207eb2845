/* An event file, byte by byte. Each record frames one serialized protocol buffer:
 *
 *     8 bytes   length of the payload, little-endian
 *     4 bytes   masked CRC-32C of those 8
 *     n bytes   tensorflow.Event
 *     4 bytes   masked CRC-32C of the payload
 *
 * The mask turns the CRC by 15 bits and adds a constant, so that a CRC of data with CRCs in it
 * stays a good one. Only the fields of Event that scalars need are written; their numbers stand
 * above each function. */
#include "engine/export/tfevents.h"
#include "engine/base/mem.h"
#include <string.h>

/* Bit-reversed, four bits a step: a table of 16 words is fast enough for files of a few hundred
 * kilobytes. */
uint32_t bl_crc32c(const void *bytes, size_t n) {
    enum { NIBBLE = 16 };
    static const uint32_t table[NIBBLE] = {/* of the reversed polynomial 0x82f63b78 */
                                           0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
                                           0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                                           0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                           0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    const unsigned char *at = bytes;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        crc ^= at[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* ---- records ---- */

/* The value's lowest bytes, little-endian on every machine. */
static void put_fixed(bl_buf *out, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        const unsigned char byte = (unsigned char)(value >> 8 * i);
        bl_buf_add(out, &byte, 1);
    }
}

static void put_masked_crc(bl_buf *out, const void *bytes, size_t n) {
    const uint32_t crc = bl_crc32c(bytes, n);
    put_fixed(out, (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8u), 4);
}

static void put_record(bl_buf *out, const bl_buf *event) {
    const size_t at = out->len;
    put_fixed(out, event->len, 8);
    put_masked_crc(out, out->data + at, 8);
    bl_buf_add(out, event->data, event->len);
    put_masked_crc(out, event->data, event->len);
}

/* ---- protocol buffers: a key is the field's number and its wire type ---- */

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

/* Seven bits a byte, the lowest first; the high bit says that more follow. */
static void put_varint(bl_buf *out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) put_fixed(out, (value & 0x7f) | 0x80, 1);
    put_fixed(out, value, 1);
}

static void put_key(bl_buf *out, unsigned field, unsigned type) {
    put_varint(out, field << 3 | type);
}

/* A field of known length: a text or a message inside the message. */
static void put_bytes(bl_buf *out, unsigned field, const void *bytes, size_t n) {
    put_key(out, field, BYTES);
    put_varint(out, n);
    bl_buf_add(out, bytes, n);
}

/* Summary.Value: tag = 1, simple_value = 2. */
static void put_scalar(bl_buf *summary, const bl_tfscalar *scalar) {
    bl_buf value = {0};
    const float number = (float)scalar->value;
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    put_bytes(&value, 1, scalar->tag, strlen(scalar->tag));
    put_key(&value, 2, FIXED32);
    put_fixed(&value, bits, 4);
    put_bytes(summary, 1, value.data, value.len);
    bl_buf_free(&value);
}

/* Event: wall_time = 1. */
static void put_no_time(bl_buf *event) {
    put_key(event, 1, FIXED64);
    put_fixed(event, 0, 8);
}

/* Event: file_version = 3. */
void bl_tfevents_begin(bl_buf *out) {
    static const char version[] = "brain.Event:2";
    bl_buf event = {0};
    put_no_time(&event);
    put_bytes(&event, 3, version, sizeof version - 1);
    put_record(out, &event);
    bl_buf_free(&event);
}

/* Event: step = 2, summary = 5. */
void bl_tfevents_add(bl_buf *out, int64_t step, const bl_tfscalar *scalar, size_t count) {
    bl_buf event = {0}, summary = {0};
    for (size_t i = 0; i < count; i++) put_scalar(&summary, &scalar[i]);
    put_no_time(&event);
    put_key(&event, 2, VARINT);
    put_varint(&event, (uint64_t)step);
    put_bytes(&event, 5, bl_buf_text(&summary), summary.len);
    put_record(out, &event);
    bl_buf_free(&summary);
    bl_buf_free(&event);
}

/* ---- hyperparameters ---- */

/* google.protobuf.Value: number_value = 2, string_value = 3. */
static void put_setting_value(bl_buf *entry, const bl_tfsetting *s) {
    bl_buf value = {0};
    uint64_t bits;
    if (s->text != NULL) {
        put_bytes(&value, 3, s->text, strlen(s->text));
    } else {
        memcpy(&bits, &s->number, sizeof bits);
        put_key(&value, 2, FIXED64);
        put_fixed(&value, bits, 8);
    }
    put_bytes(entry, 2, value.data, value.len);
    bl_buf_free(&value);
}

/* SessionStartInfo: hparams = 1, a map: its entries have key = 1 and value = 2. */
static void put_setting(bl_buf *start, const bl_tfsetting *s) {
    bl_buf entry = {0};
    put_bytes(&entry, 1, s->key, strlen(s->key));
    put_setting_value(&entry, s);
    put_bytes(start, 1, entry.data, entry.len);
    bl_buf_free(&entry);
}

/* Summary.Value: tag = 1, metadata = 9. SummaryMetadata: plugin_data = 1. PluginData: plugin_name
 * = 1, content = 2, here an HParamsPluginData with `message` as its field. */
static void put_plugin(bl_buf *summary, const char *tag, unsigned field, const bl_buf *message) {
    static const char plugin[] = "hparams";
    bl_buf content = {0}, data = {0}, metadata = {0}, value = {0};
    put_bytes(&content, field, bl_buf_text(message), message->len);
    put_bytes(&data, 1, plugin, sizeof plugin - 1);
    put_bytes(&data, 2, content.data, content.len);
    put_bytes(&metadata, 1, data.data, data.len);
    put_bytes(&value, 1, tag, strlen(tag));
    put_bytes(&value, 9, metadata.data, metadata.len);
    put_bytes(summary, 1, value.data, value.len);
    bl_buf_free(&content);
    bl_buf_free(&data);
    bl_buf_free(&metadata);
    bl_buf_free(&value);
}

/* HParamsPluginData: session_start_info = 3, session_end_info = 4, whose status = 1 is 1: ended
 * well. */
void bl_tfevents_settings(bl_buf *out, const bl_tfsetting *setting, size_t count) {
    bl_buf event = {0}, summary = {0}, start = {0}, end = {0};
    for (size_t i = 0; i < count; i++) put_setting(&start, &setting[i]);
    put_key(&end, 1, VARINT);
    put_varint(&end, 1);
    put_plugin(&summary, "_hparams_/session_start_info", 3, &start);
    put_plugin(&summary, "_hparams_/session_end_info", 4, &end);
    put_no_time(&event);
    put_bytes(&event, 5, summary.data, summary.len);
    put_record(out, &event);
    bl_buf_free(&event);
    bl_buf_free(&summary);
    bl_buf_free(&start);
    bl_buf_free(&end);
}
