/* The files that decide what a program computes: their bytes are part of run ids. */
#ifndef BL_ENGINE_EXTERNAL_INPUTS_H
#define BL_ENGINE_EXTERNAL_INPUTS_H
#include "engine/config/config.h"

/* Fills config->external.inputs_sha256 and folder. Paths of external.inputs are relative to
 * `folder`; a folder stands for its files, sorted, without those whose names begin with a dot and
 * without __pycache__. `cache` (may be NULL) is a file that remembers digests by size, time and
 * inode, so that large inputs are read once; it is written only with `keep`. BL_EMISSING names an
 * input that is not there. */
bl_status bl_external_identify(bl_config *config, const char *folder, const char *cache, bool keep,
                               bl_err *err) BL_CHECKED;
#endif
