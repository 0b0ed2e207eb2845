/* The numerics epoch. Whoever changes any result bit on purpose raises it, and the golden hashes in
 * tests/golden/ and experiments/ change in the same commit. See docs/numerics.md. */
#ifndef BL_ENGINE_BASE_NUMERICS_H
#define BL_ENGINE_BASE_NUMERICS_H
#include <stdbool.h>

/* Checkpoints, caches and hashes of values are bytes in this order, and no test runs on any other:
 * on another processor the program would build and train other numbers. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "batchlab needs a little-endian processor, such as x86-64, 64-bit Arm or RISC-V"
#endif

/* Functions that a device compiler compiles for the device, too. */
#ifdef __CUDACC__
#define BL_HD __host__ __device__
#elif !defined(BL_HD)
#define BL_HD
#endif

/* Compiled for several vector units, one picked when the program starts. The bits are the same:
 * nothing is contracted or reordered. */
#ifdef __CUDACC__
#define BL_CLONES __host__ __device__
#elif defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__) &&  \
    !defined(__cplusplus) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define BL_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define BL_CLONES
#endif

enum {
    BL_NUMERICS_EPOCH = 1,
    BL_NUMERICS_EPOCH_PIECES = 2, /* of batch norm in pieces that are part of the id: in epoch 1 the
                                     running statistics moved with every piece, not once a step */
    BL_NUMERICS_EPOCH_GAPS = 3, /* of nets with convolutions: before, what a tap sees outside of an
                                   image counted as +0 */
    BL_NUMERICS_EPOCH_STARTS = 4, /* of mobilenet_v3_large, which had the initial values of other
                                     nets, and of at most 64 rows (data.rows), whose orders were
                                     not equally likely. A data set that has no more rows by itself
                                     keeps its number: its bits changed with all run ids. */
    BL_BLOCK = 256,               /* examples per block of rule B; terms per block of rule F */
};

/* A data set of at most so many rows has its orders drawn by a shuffle
 * (kernels/shared/permutation.h). */
enum { BL_SHUFFLED_ROWS = 64 };

/* True when the processor rounds to nearest and neither flushes nor denies subnormals. Checked at
 * start-up and after loading any foreign library: one stray -ffast-math at link time sets it. */
bool bl_fpenv_ok(void);
#endif
