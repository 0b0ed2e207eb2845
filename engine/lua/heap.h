/* The memory of one sandbox: a region of fixed size, reserved at once and touched where it is used.
 * Its size bounds what a script costs the process, gaps between blocks included; whether a request
 * fits depends on the requests before it and on nothing else. Two-level segregated fit (Masmano,
 * Ripoll, Crespo, Real 2004): constant time, small gaps. */
#ifndef BL_ENGINE_LUA_HEAP_H
#define BL_ENGINE_LUA_HEAP_H
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>

typedef struct bl_heap bl_heap;

/* NULL: not even the addresses are to be had. `bytes` counts the heap's own records. */
bl_heap *bl_heap_open(size_t bytes);
void bl_heap_close(bl_heap *heap); /* and all that was taken from it; NULL is fine */

/* As realloc, aligned to 16 bytes; size 0 frees. NULL: it does not fit, and `old` is as it was.
 * Making a block smaller always works. */
void *bl_heap_resize(bl_heap *heap, void *old, size_t size);

/* For tests: every block and every list is as it has to be. */
bool bl_heap_sound(const bl_heap *heap);
#endif
