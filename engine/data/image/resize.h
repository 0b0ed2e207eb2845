/* Pictures scaled up, as `resize_height` and `resize_width` of a declaration ask. */
#ifndef BL_ENGINE_DATA_IMAGE_RESIZE_H
#define BL_ENGINE_DATA_IMAGE_RESIZE_H
#include <stddef.h>
#include <stdint.h>

typedef struct bl_picture_size {
    int64_t height, width;
} bl_picture_size;

/* to (height, width, channels) from `from` of the same layout: bilinear between the centres of
 * pixels, the edge repeated outside. In whole numbers, rounded half up, so the bytes are the same
 * everywhere. A size that does not change is a copy. */
void bl_picture_resize(uint8_t *to, bl_picture_size to_size, const uint8_t *from,
                       bl_picture_size from_size, size_t channels);
#endif
