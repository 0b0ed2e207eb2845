/* Pictures: from the files a declaration lists, or from its generator, to the encoded block.
 * Rows lie in the order training, validation, testing, each (height, width, channels) bytes. */
#ifndef BL_ENGINE_DATA_IMAGE_IMAGE_H
#define BL_ENGINE_DATA_IMAGE_IMAGE_H
#include "engine/data/block.h"
#include "engine/data/manifest/manifest.h"

enum {
    BL_IMAGE_FILES = 2,     /* of one part: pictures, labels */
    BL_IMAGE_PIXELS = 65536 /* bytes of one picture, at most */
};

/* Files that belong together, uncompressed. */
typedef struct bl_image_part {
    const char *path[BL_IMAGE_FILES];
    const uint8_t *bytes[BL_IMAGE_FILES];
    size_t n[BL_IMAGE_FILES];
    size_t rows; /* set by count */
    bool test;
} bl_image_part;

/* A file format: one file image_NAME.c and one row of bl_image_format_table. `count` checks sizes
 * and headers against the declaration and sets part->rows; `copy` then writes that many pictures
 * and class numbers. */
typedef struct bl_image_format {
    const char *name;
    size_t files; /* of a part */
    bl_status (*count)(const bl_image_decl *decl, bl_image_part *part, bl_err *err);
    bl_status (*copy)(const bl_image_decl *decl, const bl_image_part *part, uint8_t *pixels,
                      float *label, bl_err *err);
} bl_image_format;

extern const bl_image_format bl_image_idx;
extern const bl_image_format bl_image_cifar;
extern const bl_image_format *const bl_image_format_table[];
extern const size_t bl_image_format_count;
const bl_image_format *bl_image_format_find(const char *name); /* NULL: there is none */

/* `header` comes with name, variant, sha256 and synthetic set. Training parts come before those for
 * testing. `*block` is the caller's to free. */
bl_status bl_image_encode(unsigned char **block, bl_block_header *header,
                          const bl_manifest *manifest, bl_image_part *part, size_t parts,
                          bl_err *err) BL_CHECKED;
/* The same from the declaration's generator. */
bl_status bl_image_synthesise(unsigned char **block, bl_block_header *header,
                              const bl_manifest *manifest, bl_err *err) BL_CHECKED;
#endif
