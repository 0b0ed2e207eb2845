/* A picture file, PNG or JPEG, as bytes that a net may see: by libpng and libjpeg, where the
 * program was built with them. */
#ifndef BL_ENGINE_DATA_IMAGE_PHOTO_H
#define BL_ENGINE_DATA_IMAGE_PHOTO_H
#include "engine/base/status.h"
#include "engine/data/image/resize.h"
#include <stdbool.h>

typedef struct bl_photo_shape {
    bl_picture_size size;
    size_t channels; /* 1: grey, 3: red, green, blue */
} bl_photo_shape;

/* Was the program built with the libraries? */
bool bl_photo_known(void);
/* Does the file's name end in .png, .jpg or .jpeg? */
bool bl_photo_named(const char *file);
/* What the header says. Formats are told apart by the first bytes, whatever the name says. */
bl_status bl_photo_measure(bl_photo_shape *out, const uint8_t *bytes, size_t n, const char *name,
                           bl_err *err) BL_CHECKED;
/* to (height, width, channels) of `shape`: the middle of the picture in that shape's proportions,
 * made smaller by means over areas or larger by bl_picture_resize. Colours become grey where one
 * channel is wanted; what is transparent lies on white; 16 bits become 8. */
bl_status bl_photo_read(uint8_t *to, const bl_photo_shape *shape, const uint8_t *bytes, size_t n,
                        const char *name, bl_err *err) BL_CHECKED;
#endif
