#include "engine/config/fault.h"
#include <stdarg.h>
#include <stdio.h>

bool bl_fault_refuse(bl_fault *fault, const bl_node *node, const char *near, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(fault->message, sizeof fault->message, fmt, ap);
    va_end(ap);
    fault->node = node;
    (void)bl_nearest_hint(fault->hint, "", near);
    return false;
}
