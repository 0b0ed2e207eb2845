/* Settings on the command line that change nothing: said in a line each, as nobody means them. */
#ifndef BL_ENGINE_CONFIG_SET_NOTES_H
#define BL_ENGINE_CONFIG_SET_NOTES_H
#include "engine/config/config.h"

/* Of `sets` ("key=value" each, already applied to the configuration): keys that nothing reads under
 * the choices in force, as momentum under adamw, and the two that a sweep chooses by itself. */
void bl_config_set_notes(const bl_config *config, const char *const *sets, size_t n,
                         void (*say)(void *ctx, const char *line), void *ctx);
#endif
