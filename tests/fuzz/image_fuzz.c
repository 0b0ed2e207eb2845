/* Any bytes as files of pictures, in every format: counted and copied, or refused. The first byte
 * says where the second file begins. */
#include "engine/base/mem.h"
#include "engine/data/image/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void feed(const bl_picture_format *format, const uint8_t *data, size_t n) {
    const bl_picture_decl decl = {.height = 2, .width = 3, .channels = 1, .classes = 3};
    const size_t cut = n > 0 ? bl_size_min(data[0], n - 1) : 0;
    bl_picture_files part = {
        .path = {"a",            "b"                 },
        .bytes = {data + (n > 0), data + (n > 0) + cut},
        .n = {cut,            n - (n > 0) - cut   }
    };
    bl_err err = {0};
    if (format->files == 1) part.n[0] = n - (n > 0);
    if (format->count(&decl, &part, &err) != BL_OK) {
        BL_ASSERT(err.text[0] == 'a' || err.text[0] == 'b');
        return;
    }
    uint8_t *pixels = bl_xalloc(part.rows * 6 + 1);
    float *label = bl_xalloc((part.rows + 1) * sizeof *label);
    if (format->copy(&decl, &part, pixels, label, &err) == BL_OK)
        for (size_t i = 0; i < part.rows; i++) BL_ASSERT(label[i] >= 0 && label[i] < 3);
    free(pixels);
    free(label);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    for (size_t i = 0; i < bl_picture_format_count; i++) feed(bl_picture_format_table[i], data, n);
    return 0;
}
