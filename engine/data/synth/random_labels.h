/* Data sets that are a definition: `rows` points of `inputs` standard normal values, each with one
 * of `classes` labels drawn independently of them, so that there is nothing to learn but the points
 * themselves. The rows that evaluations look at are the training rows again. */
#ifndef BL_ENGINE_DATA_SYNTH_RANDOM_LABELS_H
#define BL_ENGINE_DATA_SYNTH_RANDOM_LABELS_H
#include "engine/data/block.h"
#include "engine/data/manifest/manifest.h"

/* `header` comes with name, variant and sha256 set. `*block` is the caller's to free. */
bl_status bl_synth_random_labels(unsigned char **block, bl_block_header *header,
                                 const bl_manifest *manifest, bl_err *err) BL_CHECKED;
#endif
