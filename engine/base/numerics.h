/* The numerics epoch. Whoever changes any result bit on purpose raises it, and the golden hashes in
 * tests/golden/ and experiments/ change in the same commit. See docs/numerics.md. */
#ifndef BL_ENGINE_BASE_NUMERICS_H
#define BL_ENGINE_BASE_NUMERICS_H
#include <stdbool.h>

/* Functions that a device compiler compiles for the device, too. */
#ifdef __CUDACC__
#define BL_HD __host__ __device__
#elif !defined(BL_HD)
#define BL_HD
#endif

enum {
    BL_NUMERICS_EPOCH = 1,
    BL_BLOCK = 256, /* examples per block of rule B; terms per block of rule F */
};

/* True when the processor rounds to nearest and neither flushes nor denies subnormals. Checked at
 * start-up and after loading any foreign library: one stray -ffast-math at link time sets it. */
bool bl_fpenv_ok(void);
#endif
