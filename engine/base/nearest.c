#include "engine/base/nearest.h"
#include "engine/base/mem.h"
#include <stdio.h>
#include <string.h>

enum { WORD = 64 };

/* Edits between two words (insert, remove, replace), by rows of the usual table. */
static size_t distance(const char *a, const char *b) {
    size_t row[WORD + 1];
    const size_t n = strlen(b);
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            const size_t replace = corner + (a[i] != b[j]);
            corner = row[j + 1];
            row[j + 1] = bl_size_min(replace, bl_size_min(row[j], row[j + 1]) + 1);
        }
    }
    return row[n];
}

const char *bl_nearest(const char *name, const char *const *candidates, size_t count) {
    const size_t n = strlen(name);
    const char *best = NULL;
    size_t least = n / 3 + 2; /* one more than is accepted */
    for (size_t i = 0; i < count && n <= WORD; i++) {
        if (strlen(candidates[i]) > WORD) continue;
        const size_t d = distance(name, candidates[i]);
        if (d >= least) continue;
        least = d;
        best = candidates[i];
    }
    return best;
}

const char *bl_nearest_hint(char out[BL_NEAREST_HINT], const char *lead, const char *near) {
    out[0] = '\0';
    if (near != NULL) (void)snprintf(out, BL_NEAREST_HINT, "%sdid you mean '%s'?", lead, near);
    return out;
}
