/* "Did you mean ...?": the known word nearest to a mistyped one. */
#ifndef BL_ENGINE_BASE_NEAREST_H
#define BL_ENGINE_BASE_NEAREST_H
#include <stddef.h>

/* The candidate nearest to `name` by edit distance, or NULL if all are further away than a third of
 * its length plus 1. The first of several that are equally near. */
const char *bl_nearest(const char *name, const char *const *candidates, size_t count);
#endif
