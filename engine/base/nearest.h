/* "Did you mean ...?": the known word nearest to a mistyped one. */
#ifndef BL_ENGINE_BASE_NEAREST_H
#define BL_ENGINE_BASE_NEAREST_H
#include <stddef.h>

enum { BL_NEAREST_HINT = 128 };

/* The candidate nearest to `name` by edit distance, or NULL if all are further away than a third of
 * its length plus 1. The first of several that are equally near. */
const char *bl_nearest(const char *name, const char *const *candidates, size_t count);
/* What a message ends with: `lead`, then "did you mean 'NEAR'?". Nothing when `near` is NULL.
 * Returns `out`. Example: bl_nearest_hint(hint, "; ", bl_nearest(...)). */
const char *bl_nearest_hint(char out[BL_NEAREST_HINT], const char *lead, const char *near);
#endif
