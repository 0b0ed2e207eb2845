/* Pictures: from the files a declaration lists, or from its generator, to the encoded block.
 * Rows lie in the order training, validation, testing, each (height, width, channels) bytes. */
#ifndef BL_ENGINE_DATA_IMAGE_PICTURE_H
#define BL_ENGINE_DATA_IMAGE_PICTURE_H
#include "engine/data/block.h"
#include "engine/data/manifest/manifest.h"

enum { BL_PICTURE_FILES = 2 }; /* of one part: pictures, labels */

/* Files that belong together, uncompressed. */
typedef struct bl_picture_files {
    const char *path[BL_PICTURE_FILES];
    const uint8_t *bytes[BL_PICTURE_FILES];
    size_t n[BL_PICTURE_FILES];
    size_t rows; /* set by count */
    bool test;
} bl_picture_files;

/* A file format: one file picture_NAME.c and one row of bl_picture_format_table. `count` checks
 * sizes and headers against the declaration and sets part->rows; `copy` then writes that many
 * pictures and class numbers. */
typedef struct bl_picture_format {
    const char *name;
    size_t files; /* of a part */
    bl_status (*count)(const bl_picture_decl *decl, bl_picture_files *part, bl_err *err);
    bl_status (*copy)(const bl_picture_decl *decl, const bl_picture_files *part, uint8_t *pixels,
                      float *label, bl_err *err);
} bl_picture_format;

extern const bl_picture_format bl_picture_idx;
extern const bl_picture_format bl_picture_cifar;
extern const bl_picture_format *const bl_picture_format_table[];
extern const size_t bl_picture_format_count;
const bl_picture_format *bl_picture_format_find(const char *name); /* NULL: there is none */

/* `header` comes with name, variant, sha256 and synthetic set. Training parts come before those for
 * testing. `*block` is the caller's to free. */
bl_status bl_picture_encode(unsigned char **block, bl_block_header *header,
                            const bl_manifest *manifest, bl_picture_files *part, size_t parts,
                            bl_err *err) BL_CHECKED;
/* The same from the declaration's generator. */
bl_status bl_picture_synthesise(unsigned char **block, bl_block_header *header,
                                const bl_manifest *manifest, bl_err *err) BL_CHECKED;
#endif
