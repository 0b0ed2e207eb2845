/* Any bytes as an array of NumPy, or as an archive of arrays: read or refused by name; what is read
 * has values, becomes a table and, where it can, pictures. */
#include "engine/base/mem.h"
#include "engine/base/zip.h"
#include "engine/data/array/arrays.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void use(const bl_npy *x) {
    enum { MOST = 4096 };
    bl_buf text = {0};
    bl_err err = {0};
    bl_pack pack;
    bl_npy_describe(&text, x);
    for (size_t i = 0; i < bl_size_min(x->count, MOST); i++) {
        bl_npy_text(&text, x, i);
        BL_ASSERT(!bl_npy_is_text(x) || bl_npy_number(x, i) != 0);
    }
    const bl_arrays pair = {.x = *x, .y = *x, .x_name = "a", .y_name = "a"};
    if (bl_arrays_check(&pair, &err) != BL_OK) {
        BL_ASSERT(strncmp(err.text, "a", 1) == 0);
    } else if (x->count <= MOST && x->size <= 64) {
        bl_arrays_table(&text, &pair);
        if (bl_arrays_pictures(&pack, &pair)) {
            bl_pack_write(&text, &pack, 0.2);
            bl_pack_free(&pack);
        }
    }
    bl_buf_free(&text);
}

static void feed(const void *bytes, size_t n) {
    bl_npy x;
    bl_err err = {0};
    if (bl_npy_read(&x, bytes, n, "a", &err) == BL_OK)
        use(&x);
    else
        BL_ASSERT(strncmp(err.text, "a: ", 3) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    bl_zip zip;
    bl_err err = {0};
    feed(data, n);
    if (bl_zip_open(&zip, data, n, "a", &err) == BL_OK)
        for (size_t i = 0; i < bl_size_min(zip.members, 16); i++) {
            bl_buf member = {0};
            if (zip.member[i].bytes < 1 << 20 &&
                bl_zip_read(&member, &zip, &zip.member[i], &err) == BL_OK)
                feed(bl_buf_text(&member), member.len);
            bl_buf_free(&member);
        }
    else
        BL_ASSERT(strncmp(err.text, "a: ", 3) == 0);
    bl_zip_close(&zip);
    return 0;
}
