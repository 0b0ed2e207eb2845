/* Changes settings in the text of an experiment's file, and leaves every other byte as it is:
 * comments, order, blanks.
 *
 *     const bl_config_change change[] = {{"sweep.targets", "[0.2, 0.15]"}};
 *     BL_TRY(bl_config_edit(&out, text, n, "experiment.cfg", "quick", change, 1, err));
 *
 * A value that is there is replaced where it stands. A setting that is not there is added at the
 * end of its group, and a group that is not there at the end of its preset. */
#ifndef BL_ENGINE_CONFIG_EDIT_H
#define BL_ENGINE_CONFIG_EDIT_H
#include "engine/base/buf.h"
#include "engine/base/status.h"

typedef struct bl_config_change {
    const char *path;  /* "group.key" */
    const char *value; /* as libconfig writes it */
} bl_config_change;

/* Appends the new text. `preset` ("" or NULL: the file's own level) is where the settings go. The
 * text has to be a whole experiment; so is what comes out, and it differs from the old one in these
 * settings alone, which is checked. BL_EUNSUPPORTED: a group comes from an @include. */
bl_status bl_config_edit(bl_buf *out, const char *text, size_t n, const char *file,
                         const char *preset, const bl_config_change *change, size_t count,
                         bl_err *err) BL_CHECKED;
#endif
