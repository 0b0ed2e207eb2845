/* From the joined frame to the encoded block: filter, split, codes, standardised values, target. */
#ifndef BL_ENGINE_DATA_TABLE_ENCODE_H
#define BL_ENGINE_DATA_TABLE_ENCODE_H
#include "engine/data/block.h"
#include "engine/data/manifest/manifest.h"
#include "engine/data/table/column.h"

/* `header` comes with name, variant, sha256 and synthetic set. Columns that the frame lacks are
 * left out. `*block` is the caller's to free. */
bl_status bl_encode(unsigned char **block, bl_block_header *header, const bl_frame *frame,
                    const bl_manifest *manifest, bl_err *err) BL_CHECKED;
#endif
