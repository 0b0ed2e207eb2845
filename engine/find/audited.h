/* How far the noise scale was off where it was checked: the factors of docs/audit.md, which
 * `make audit` measures anew. A test compares the two. */
#ifndef BL_ENGINE_FIND_AUDITED_H
#define BL_ENGINE_FIND_AUDITED_H
#include "engine/base/buf.h"
#include <stdbool.h>
#include <stddef.h>

typedef struct bl_find_audit {
    const char *sweep; /* as the first column of the table has it */
    bool adam;         /* adam or adamw; else sgd with or without momentum */
    double factor;     /* noise scale on the way over b_crit */
} bl_find_audit;
extern const bl_find_audit bl_find_audits[];
extern const size_t bl_find_audit_count;

/* The range of the factors with this kind of optimizer; how many. Both 0 where there are none. */
size_t bl_find_audited_range(const char *optimizer, double *low, double *high);
/* A sentence about the sweeps with this kind of optimizer; nothing where there are none. */
void bl_find_audited_text(bl_buf *out, const char *optimizer);
#endif
