/* A kernel call with everything it touches: arguments, arrays between guard bands, random contents
 * that depend on (shape, array, element) only. Two problems built alike are equal byte for byte, so
 * one backend can run the first and another the second. */
#ifndef BL_TESTS_KERNELS_PROBLEM_H
#define BL_TESTS_KERNELS_PROBLEM_H
#include "engine/base/sha256.h"
#include "kernels/device.h"

typedef struct shape {
    size_t batch, k, n; /* elementwise families use batch as their count */
    unsigned variant;   /* bits that a family reads as it likes: in place, relu, no bias, ... */
} shape;

typedef enum filling {
    FILL_EXACT,   /* small integers: every order of summation gives the same result */
    FILL_RANDOM,  /* signs and magnitudes that make every order give another */
    FILL_SPECIAL, /* FILL_RANDOM strewn with zeros, subnormals, infinities, NaN */
    FILL_FAINT,   /* zeros and values whose products are too small for a float, so that sums are
                     zeros of either sign, and a few infinities */
} filling;

typedef enum array_role { ROLE_IN, ROLE_OUT, ROLE_INOUT } array_role;
/* What an array is: rows belong to examples; sums over examples; doubles. */
enum { PER_EXAMPLE = 1, RULE_B = 2, DOUBLES = 4 };

typedef struct array {
    const char *name;
    unsigned char *block, *data; /* the allocation and, between guard bands, the array */
    size_t bytes, row_bytes;
    array_role role;
    unsigned flags;
} array;

enum { MAX_ARRAYS = 12 };
typedef struct problem {
    union {
#define PROBLEM_MEMBER(family) bl_##family family;
        BL_FAMILIES(PROBLEM_MEMBER)
#undef PROBLEM_MEMBER
    } args;
    bl_embedding_column column[3];
    array arrays[MAX_ARRAYS];
    size_t count;
    filling fill;
    size_t first; /* the batch's first example in the endless stream of examples */
} problem;

typedef struct family {
    const char *name;
    const shape *shapes;
    size_t shape_count;
    bool batch_invariant;
    const char *golden; /* first digits of the SHA-256 of what ref makes of its cases */
    void (*build)(problem *p, const shape *s);
    void (*run)(const bl_kernels *k, const problem *p, const bl_part *part);
} family;
extern const family families[];
extern const size_t family_count;

/* NULL, or the device whose kernels problem_run may be given. Arrays lie on the host: problem_run
 * carries them over and back. */
extern const bl_device *problem_device;

/* For builders: an array of rows * cols floats; `positives`, as standard deviations and variances
 * are. */
float *problem_floats(problem *p, const char *name, array_role role, unsigned flags, size_t rows,
                      size_t cols);
float *problem_positives(problem *p, const char *name, array_role role, size_t n);
/* problem_image.c */
#define PROBLEM_BUILD(family) void build_##family(problem *p, const shape *s);
BL_FAMILIES_IMAGE(PROBLEM_BUILD)
#undef PROBLEM_BUILD

/* `first`: the batch is the examples [first, first + s->batch) of the stream. */
void problem_build(problem *p, const family *f, const shape *s, filling fill, size_t first);
void problem_free(problem *p);
/* Runs all parts, the last one first. Fails the test when a guard band is touched. */
void problem_run(const problem *p, const family *f, const bl_kernels *k, size_t parts);
/* Fails the test, naming the array and element, unless all arrays are equal byte for byte. */
void problem_check_equal(const problem *got, const problem *want);
/* Adds the outputs to a sum, every NaN as the same one. */
void problem_digest(const problem *p, bl_sha256 *sum);
#endif
