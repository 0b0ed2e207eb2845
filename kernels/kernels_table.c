/* The backends, best first, and the choice of one. */
#include "engine/base/mem.h"
#include "kernels/kernel.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool always(void) {
    return true;
}

#define DECLARE(family, isa)   void bl_##family##_##isa(const bl_##family *, const bl_part *);
#define DECLARE_scalar(family) DECLARE(family, scalar)
#define DECLARE_ref(family)    DECLARE(family, ref)
#define MEMBER_scalar(family)  .family = bl_##family##_scalar,
#define MEMBER_ref(family)     .family = bl_##family##_ref,
BL_FAMILIES(DECLARE_scalar)
BL_FAMILIES(DECLARE_ref)
static const bl_kernels scalar = {"scalar", always, BL_FAMILIES(MEMBER_scalar)};
static const bl_kernels ref = {"ref", always, BL_FAMILIES(MEMBER_ref)};

#ifdef __x86_64__
static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("fma");
}
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#define DECLARE_avx512(family) DECLARE(family, avx512)
#define DECLARE_avx2(family)   DECLARE(family, avx2)
#define MEMBER_avx512(family)  .family = bl_##family##_avx512,
#define MEMBER_avx2(family)    .family = bl_##family##_avx2,
BL_FAMILIES(DECLARE_avx512)
BL_FAMILIES(DECLARE_avx2)
static const bl_kernels avx512 = {"avx512", has_avx512, BL_FAMILIES(MEMBER_avx512)};
static const bl_kernels avx2 = {"avx2", has_avx2, BL_FAMILIES(MEMBER_avx2)};
#endif

const bl_kernels *const bl_kernels_table[] = {
#ifdef __x86_64__
    &avx512, &avx2,
#endif
    &scalar, &ref};
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
