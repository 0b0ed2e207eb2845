/* Growing arrays: a pointer and a count, no capacity kept.
 *
 *     trial *trials = NULL; size_t count = 0;
 *     *BL_PUSH(trials, count, "trials") = (trial){.seed = 1};
 *
 * BL_PUSH makes room for one element more, counts it, and gives its address; the element is zeroed.
 * `array` and `count` are lvalues without side effects. The array begins at NULL and 0 and is freed
 * with free(). It has room for the next power of two (8 at least), so it is moved only when the
 * count is one; an array that was made by other means must not be pushed to.
 * Memory that cannot be had, and more than BL_VEC_LIMIT elements, end the program as bl_xalloc
 * does: the message names `what` there are too many of. */
#ifndef BL_ENGINE_BASE_VEC_H
#define BL_ENGINE_BASE_VEC_H
#include <stddef.h>
#include <stdint.h>

#define BL_VEC_LIMIT ((size_t)INT32_MAX)

#define BL_PUSH(array, count, what)                                                                \
    ((array) = bl_vec_grow((array), (count), sizeof *(array), (what)), &(array)[(count)++])

/* The array with room for element number `count`, which is zeroed. */
void *bl_vec_grow(void *array, size_t count, size_t size, const char *what);
#endif
