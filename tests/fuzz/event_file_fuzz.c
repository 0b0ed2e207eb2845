/* Event files of TensorBoard, as `batchlab import` reads them: refused by name, or scalars whose
 * tags lie within the bytes. The bytes are read as a file, and once more as one event below right
 * checksums, which nothing gets past by chance. */
#include "engine/base/buf.h"
#include "engine/base/mem.h"
#include "engine/export/tfevents.h"
#include "engine/import/event_file.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

typedef struct within {
    const char *begin;
    size_t n;
} within;

static void check(void *ctx, const bl_event_scalar *s) {
    const within *w = ctx;
    const bool inside = s->tag_n == 0 || (s->tag >= w->begin && s->tag_n <= w->n &&
                                          (size_t)(s->tag - w->begin) <= w->n - s->tag_n);
    BL_ASSERT(inside);
}

/* A text may be a number's, which lies elsewhere. */
static void check_setting(void *ctx, const bl_event_setting *s) {
    check(ctx, &(bl_event_scalar){.tag = s->key, .tag_n = s->key_n});
    BL_ASSERT(s->text != NULL || s->text_n == 0);
}

static void read_file(const void *bytes, size_t n) {
    within w = {bytes, n};
    bl_err err = {0};
    bool torn;
    const bl_status status = bl_event_each(bytes, n, "events", check, &w, &torn, &err);
    BL_ASSERT(bl_event_each_setting(bytes, n, "events", check_setting, &w, &err) != BL_OK ||
              status == BL_OK);
    BL_ASSERT(status == BL_OK || (status == BL_EFORMAT && strncmp(err.text, "events: ", 8) == 0));
}

static void add_sum(bl_buf *out, const void *bytes, size_t n) {
    const uint32_t crc = bl_crc32c(bytes, n), masked = (crc >> 15 | crc << 17) + 0xa282ead8u;
    const unsigned char four[] = {(unsigned char)masked, (unsigned char)(masked >> 8),
                                  (unsigned char)(masked >> 16), (unsigned char)(masked >> 24)};
    bl_buf_add(out, four, sizeof four);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    bl_buf file = {0};
    unsigned char length[8];
    read_file(data, n);
    for (size_t i = 0; i < sizeof length; i++) length[i] = (unsigned char)((uint64_t)n >> 8 * i);
    bl_buf_add(&file, length, sizeof length);
    add_sum(&file, length, sizeof length);
    bl_buf_add(&file, data, n);
    add_sum(&file, data, n);
    read_file(file.data, file.len);
    bl_buf_free(&file);
    return 0;
}
