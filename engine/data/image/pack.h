/* Pictures in memory that become a data set: one file in the format of picture_cifar.c, mixed and
 * split, and its declaration. `batchlab init` makes one of arrays and of folders of pictures. */
#ifndef BL_ENGINE_DATA_IMAGE_PACK_H
#define BL_ENGINE_DATA_IMAGE_PACK_H
#include "engine/base/buf.h"
#include "engine/data/image/photo.h"

enum { BL_PACK_CLASSES = 256 };

typedef struct bl_pack {
    bl_photo_shape shape;
    size_t rows, valid; /* valid: held out, of each class the same share; set by bl_pack_write */
    uint8_t *pixels;    /* (rows, height, width, channels) */
    uint8_t *label;     /* (rows) */
    char **class;       /* (classes): names */
    size_t classes;
} bl_pack;

/* The file's bytes appended: rows in an order drawn from a fixed seed, those held out last. */
void bl_pack_write(bl_buf *out, bl_pack *pack, double share);
/* The declaration, for FOLDER/FILE with these bytes' digest. */
void bl_pack_declare(bl_buf *out, const bl_pack *pack, const char *origin, const char *folder,
                     const char *file, const char *sha256);
void bl_pack_free(bl_pack *pack);
#endif
