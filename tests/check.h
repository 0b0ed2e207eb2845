/* cmocka needs these headers before it, in this order; formatting would sort them apart. */
#ifndef BL_TESTS_CHECK_H
#define BL_TESTS_CHECK_H
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "engine/base/status.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A call that must succeed; its message is shown when it does not. */
#define CHECK_OK(expr)                                                                             \
    do {                                                                                           \
        bl_err *check_err_ = &g_check_err;                                                         \
        *check_err_ = (bl_err){0};                                                                 \
        const bl_status check_status_ = (expr);                                                    \
        if (check_status_ != BL_OK)                                                                \
            fail_msg("%s: %s", bl_status_name(check_status_), check_err_->text);                   \
    } while (0)
/* Pass ERR as the error argument inside CHECK_OK. */
#define ERR (&g_check_err)
static bl_err g_check_err __attribute__((unused));

/* The two may differ by the part `relative` of what is expected; NaN is near nothing. */
__attribute__((unused)) static void check_close(double found, double expected, double relative) {
    if (!(fabs(found - expected) <= relative * fabs(expected)))
        fail_msg("%.17g, expected %.17g", found, expected);
}
#endif
