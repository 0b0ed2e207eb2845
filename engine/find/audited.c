/* A copy of the table in docs/audit.md, as the program has to know it where there are no docs. A
 * test holds the two against each other. A factor of 1.7 says: the noise scale was 1.7 times the
 * critical batch size that the sweep found. */
#include "engine/find/audited.h"
#include "engine/base/mem.h"
#include <math.h>
#include <string.h>

const bl_find_audit bl_find_audits[] = {
    {"mnist, momentum",         false, 1.7 },
    {"mnist, Nesterov",         false, 1.4 },
    {"mnist, SGD",              false, 3.6 },
    {"fashion_mnist, momentum", false, 1.4 },
    {"fashion_mnist, Nesterov", false, 1.4 },
    {"fashion_mnist, SGD",      false, 2.5 },
    {"quadratic, SGD, 0.1",     false, 4.9 },
    {"quadratic, SGD, 0.03",    false, 2.6 },
    {"cifar10, SGD",            false, 4.2 },
    {"accumulation, Nesterov",  false, 0.18},
    {"simplenn, Adam",          true,  0.77},
    {"rossmann, AdamW, 0.18",   true,  0.38},
    {"rossmann, AdamW, 0.15",   true,  0.14},
};
const size_t bl_find_audit_count = BL_COUNT(bl_find_audits);

static bool is_adam(const char *optimizer) {
    return strncmp(optimizer, "adam", 4) == 0;
}

size_t bl_find_audited_range(const char *optimizer, double *low, double *high) {
    size_t n = 0;
    *low = (double)INFINITY;
    *high = 0.0;
    for (size_t i = 0; i < bl_find_audit_count; i++) {
        if (bl_find_audits[i].adam != is_adam(optimizer)) continue;
        *low = fmin(*low, bl_find_audits[i].factor);
        *high = fmax(*high, bl_find_audits[i].factor);
        n++;
    }
    if (n == 0) *low = 0.0;
    return n;
}

void bl_find_audited_text(bl_buf *out, const char *optimizer) {
    double low, high;
    const size_t n = bl_find_audited_range(optimizer, &low, &high);
    if (n == 0) return;
    bl_buf_printf(out,
                  "How far to trust it: in %zu checks with %s, the noise\n"
                  "scale was %.2g to %.2g times the critical batch size (docs/audit.md).\n",
                  n, is_adam(optimizer) ? "Adam" : "SGD or momentum", low, high);
}
