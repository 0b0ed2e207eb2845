#include "engine/base/vec.h"
#include "engine/base/mem.h"
#include <string.h>

enum { FIRST = 8 };

void *bl_vec_grow(void *array, size_t count, size_t size, const char *what) {
    size_t bytes = 0, next = FIRST;
    while (next <= count && next <= BL_VEC_LIMIT) next *= 2;
    const bool full = count == 0 || count == next / 2;
    if (count >= BL_VEC_LIMIT || !bl_mul_size(&bytes, next, size)) bl_out_of_memory(bytes, what);
    if (full) array = realloc(array, bytes);
    if (array == NULL) bl_out_of_memory(bytes, what);
    memset((unsigned char *)array + count * size, 0, size);
    return array;
}
