/* The encoded data set as one block of bytes: what the encoder fills, what the cache file holds and
 * what a bl_dataset points into. A cached data set is therefore the same bytes as a fresh one.
 * Layout: header, cardinalities, names, codes, values, target, pixels, each aligned to 64 bytes; a
 * cache file ends in the SHA-256 of all that, as 64 hex digits. Made for one machine: numbers are
 * native.
 */
#ifndef BL_ENGINE_DATA_BLOCK_H
#define BL_ENGINE_DATA_BLOCK_H
#include "engine/base/status.h"
#include "engine/data/dataset.h"

typedef struct bl_block_header {
    char magic[8];  /* BL_BLOCK_MAGIC */
    uint64_t order; /* BL_BLOCK_ORDER in the writer's byte order */
    uint64_t bytes; /* of the block, the trailer not counted */
    char sha256[65], name[64], variant[64], transform[16];
    uint8_t synthetic;
    uint64_t rows, train_rows, test_rows, classes, categorical, continuous, names_bytes;
    uint64_t height, width, channels; /* of pictures; 0: a table */
    double target_min, target_max, target_mean, target_deviation;
    float pixel_mean[BL_PICTURE_CHANNELS], pixel_scale[BL_PICTURE_CHANNELS];
} bl_block_header;

#define BL_BLOCK_MAGIC "BLDATA3"
#define BL_BLOCK_ORDER 0x0102030405060708u

/* Where the parts lie, from the counts of the header. */
typedef struct bl_block_layout {
    size_t cardinality, names, codes, values, target, pixels, bytes;
} bl_block_layout;

/* False when the sizes do not fit the address space. */
bool bl_block_lay_out(const bl_block_header *header, bl_block_layout *layout);
/* A zeroed block with this header (magic, order and bytes are filled in); the caller frees it. */
bl_status bl_block_new(unsigned char **block, bl_block_header *header, bl_block_layout *layout,
                       bl_err *err) BL_CHECKED;
/* Points `out` into the block after checking all of it: sizes, names, codes below cardinalities.
 * `out->owner` stays NULL but for the name tables, which bl_block_close frees. */
bl_status bl_block_open(bl_dataset *out, const unsigned char *block, size_t n,
                        bl_err *err) BL_CHECKED;
/* Frees the names and empties *data. The block itself is its owner's. */
void bl_block_close(bl_dataset *data);
#endif
