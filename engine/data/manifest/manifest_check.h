/* Whether a declaration makes sense by itself: every column, table and operation it names exists
 * and has the right type, in every variant. */
#ifndef BL_ENGINE_DATA_MANIFEST_MANIFEST_CHECK_H
#define BL_ENGINE_DATA_MANIFEST_MANIFEST_CHECK_H
#include "engine/data/manifest/manifest.h"

bl_status bl_manifest_check(const bl_manifest *manifest, bl_err *err) BL_CHECKED;
#endif
