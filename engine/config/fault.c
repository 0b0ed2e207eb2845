#include "engine/config/fault.h"
#include <stdarg.h>
#include <stdio.h>

bool bl_fault_refuse(bl_fault *fault, const bl_node *node, const char *near, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(fault->message, sizeof fault->message, fmt, ap);
    va_end(ap);
    fault->node = node;
    fault->hint[0] = '\0';
    if (near != NULL) (void)snprintf(fault->hint, sizeof fault->hint, "did you mean '%s'?", near);
    return false;
}
