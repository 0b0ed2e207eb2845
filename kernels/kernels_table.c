/* The backends, best first, and the choice of one. */
#include "engine/base/mem.h"
#include "kernels/kernel.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool always(void) {
    return true;
}

#define DECLARE_REF(family) void bl_##family##_ref(const bl_##family *args, const bl_part *part);
#define MEMBER_REF(family)  .family = bl_##family##_ref,
BL_FAMILIES(DECLARE_REF)

static const bl_kernels ref = {.name = "ref", .usable = always, BL_FAMILIES(MEMBER_REF)};

const bl_kernels *const bl_kernels_table[] = {&ref};
const size_t bl_kernels_count = BL_COUNT(bl_kernels_table);

/* "avx512 (not on this processor), avx2, scalar, ref" */
static void list_names(char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < bl_kernels_count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s%s", i ? ", " : "",
                                 bl_kernels_table[i]->name,
                                 bl_kernels_table[i]->usable() ? "" : " (not on this processor)");
}

bl_status bl_kernels_pick(const bl_kernels **out, bl_err *err) {
    const char *wanted = getenv("BL_FORCE_IMPL");
    if (wanted && !*wanted) wanted = NULL;
    char names[256];
    for (size_t i = 0; i < bl_kernels_count; i++) {
        const bl_kernels *k = bl_kernels_table[i];
        if (wanted && strcmp(wanted, k->name) != 0) continue;
        if (k->usable()) {
            *out = k;
            return BL_OK;
        }
        if (!wanted) continue;
        list_names(names, sizeof names);
        BL_FAIL(err, BL_EUNSUPPORTED, "BL_FORCE_IMPL=%s: this processor cannot run it; there is %s",
                wanted, names);
    }
    list_names(names, sizeof names);
    BL_FAIL(err, BL_EINVAL, "BL_FORCE_IMPL=%s: no such implementation; there is %s",
            wanted ? wanted : "", names);
}
