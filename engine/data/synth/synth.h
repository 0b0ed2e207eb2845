/* The generator: a frame with the declared columns and a target that depends on them, for machines
 * without the data. Every cell is a function of (seed, column, what it is drawn for); own exact
 * mathematics only, so every machine makes the same bytes. */
#ifndef BL_ENGINE_DATA_SYNTH_SYNTH_H
#define BL_ENGINE_DATA_SYNTH_SYNTH_H
#include "engine/data/manifest/manifest.h"
#include "engine/data/table/column.h"

/* The grid of groups and dates, latest date first, with every column and the target. The manifest
 * has a generator. Derived columns are not computed yet. */
bl_status bl_synthesise(bl_frame *frame, const bl_manifest *manifest, bl_err *err) BL_CHECKED;
#endif
