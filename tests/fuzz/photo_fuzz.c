/* Any bytes as a picture file: measured and read in the measured shape, smaller and larger; or
 * refused by name. */
#include "engine/base/mem.h"
#include "engine/data/image/photo.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const bl_picture_size sizes[] = {
        {3,  5 },
        {40, 40}
    };
    bl_photo_shape shape;
    bl_err err = {0};
    if (bl_photo_measure(&shape, data, n, "a", &err) != BL_OK) {
        BL_ASSERT(strncmp(err.text, "a: ", 3) == 0);
        return 0;
    }
    BL_ASSERT(shape.size.height > 0 && shape.size.width > 0);
    if (shape.size.height * shape.size.width > 1 << 20) return 0;
    for (size_t i = 0; i < BL_COUNT(sizes); i++)
        for (size_t channels = 1; channels <= 3; channels += 2) {
            const bl_photo_shape wish = {sizes[i], channels};
            uint8_t *to = bl_xalloc((size_t)(wish.size.height * wish.size.width) * channels);
            (void)!bl_photo_read(to, &wish, data, n, "a", &err);
            free(to);
        }
    return 0;
}
