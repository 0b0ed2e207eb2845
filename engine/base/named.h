/* Look-up by name in a table of rows: an array of pointers to structures whose first member is
 * `const char *name`, as losses, metrics, layers, models, optimizers and schedules have it. */
#ifndef BL_ENGINE_BASE_NAMED_H
#define BL_ENGINE_BASE_NAMED_H
#include <stddef.h>
#include <string.h>

/* The row of this name among `count`; NULL: there is none. `table` is the array. */
static inline const void *bl_named_find(const void *table, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        const void *row = NULL;
        const char *own = NULL;
        memcpy(&row, (const char *)table + i * sizeof row, sizeof row);
        memcpy(&own, row, sizeof own);
        if (strcmp(own, name) == 0) return row;
    }
    return NULL;
}
#endif
