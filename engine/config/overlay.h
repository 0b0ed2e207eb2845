/* How an experiment's settings come together, weakest first: the schema's defaults, the file, the
 * chosen preset, --set. A trial's own settings follow by bl_config_set. Later values replace
 * earlier ones key by key; a list is one value. What has to hold between keys is asked once the
 * file and each preset are applied (validate.h), and a fault there points at the line that set the
 * key. */
#ifndef BL_ENGINE_CONFIG_OVERLAY_H
#define BL_ENGINE_CONFIG_OVERLAY_H
#include "engine/config/config.h"

/* The document's settings under a preset (NULL or "": "quick", if there is one) and `sets`. */
bl_status bl_overlay_resolve(bl_config *out, const bl_doc *doc, const char *preset,
                             const char *const *sets, size_t n_sets, bl_err *err) BL_CHECKED;
#endif
