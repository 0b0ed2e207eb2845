/* The numerics epoch. Whoever changes any result bit on purpose raises it, and the golden hashes in
 * tests/golden/ and experiments/ change in the same commit. See docs/numerics.md. */
#ifndef BL_ENGINE_BASE_NUMERICS_H
#define BL_ENGINE_BASE_NUMERICS_H
#include <stdbool.h>

enum {
    BL_NUMERICS_EPOCH = 1,
    BL_BLOCK = 256, /* examples per block of rule B; terms per block of rule F */
};

/* True when the processor rounds to nearest and neither flushes nor denies subnormals. Checked at
 * start-up and after loading any foreign library: one stray -ffast-math at link time sets it. */
bool bl_fpenv_ok(void);
#endif
