#include "engine/base/status.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const k_names[] = {
    [BL_OK] = "ok",
    [BL_ENOMEM] = "out of memory",
    [BL_EINVAL] = "invalid",
    [BL_EFORMAT] = "damaged",
    [BL_EIO] = "i/o error",
    [BL_EMISSING] = "missing",
    [BL_EUNSUPPORTED] = "unsupported",
    [BL_EDIVERGED] = "diverged",
    [BL_EMISMATCH] = "mismatch",
    [BL_EDAMAGED] = "changed",
    [BL_EINTERRUPTED] = "interrupted",
    [BL_EPROGRAM] = "program failed",
};
_Static_assert(sizeof k_names / sizeof k_names[0] == BL_STATUS_COUNT, "name every status");

const char *bl_status_name(bl_status status) {
    return (unsigned)status < BL_STATUS_COUNT ? k_names[status] : "?";
}

bl_status bl_err_set(bl_err *err, bl_status code, const char *file, int line, const char *fmt,
                     ...) {
    if (err != NULL) {
        err->code = code;
        err->file = file;
        err->line = line;
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
        va_end(ap);
    }
    return code;
}

void bl_assert_failed(const char *cond, const char *file, int line) {
    (void)fprintf(stderr, "%s:%d: internal error: %s\n", file, line, cond);
    abort();
}
