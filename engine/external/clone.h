/* A second name for a file, or for all files of a folder, that are only replaced and never changed:
 * by links where the disk has them, else as copies. */
#ifndef BL_ENGINE_EXTERNAL_CLONE_H
#define BL_ENGINE_EXTERNAL_CLONE_H
#include "engine/base/status.h"

/* `to` is removed first. BL_EMISSING: there is no `from`. */
bl_status bl_external_clone(const char *from, const char *to, bl_err *err) BL_CHECKED;
#endif
