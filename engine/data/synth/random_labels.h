/* Data sets that are a definition: `rows` points of `inputs` standard normal values, each with one
 * of `classes` labels. Without a rule they are drawn independently of the values, so that there is
 * nothing to learn but the points themselves. Rule "linear" gives each class a direction, and a
 * point the class along whose direction it lies furthest; of `noise` of the points the label is
 * drawn all the same.
 *
 * Evaluations look at `valid` further points, without them at the training rows again. The training
 * rows are the same whatever `valid` is. */
#ifndef BL_ENGINE_DATA_SYNTH_RANDOM_LABELS_H
#define BL_ENGINE_DATA_SYNTH_RANDOM_LABELS_H
#include "engine/data/block.h"
#include "engine/data/manifest/manifest.h"

/* `header` comes with name, variant and sha256 set. `*block` is the caller's to free. */
bl_status bl_synth_random_labels(unsigned char **block, bl_block_header *header,
                                 const bl_manifest *manifest, bl_err *err) BL_CHECKED;
#endif
