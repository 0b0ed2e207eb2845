/* Two families of allocation. bl_x*: small bookkeeping whose failure ends the program with a
 * message and the resumable exit status. bl_alloc: anything that grows with the configuration;
 * returns NULL, which callers turn into BL_ENOMEM. Sizes are multiplied only through bl_mul_size.
 *
 * A run has one arena, sized before it exists by running the code that fills it on an arena without
 * a block (base NULL), which only counts. Pieces are never freed one by one: a step marks the
 * arena, takes what it needs and resets to the mark. Under the address sanitizer pieces have red
 * zones, and what was reset is poisoned. */
#ifndef BL_ENGINE_BASE_MEM_H
#define BL_ENGINE_BASE_MEM_H
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define BL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* `align` bytes of alignment suit every vector unit and keep rows of different runs apart. */
enum { BL_ALIGN = 64 };

__attribute__((malloc)) void *bl_xalloc(size_t bytes); /* zeroed */
void *bl_xrealloc(void *old, size_t bytes);
__attribute__((malloc)) char *bl_xstrdup(const char *text);
/* The exit status that says: the same command goes on from here (EX_TEMPFAIL of sysexits.h). */
enum { BL_EXIT_RESUMABLE = 75 };
/* Ends the program as these do: `bytes` of `what` cannot be had. BL_EXIT_RESUMABLE. */
__attribute__((noreturn)) void bl_out_of_memory(size_t bytes, const char *what);
/* Zeroed, BL_ALIGN-aligned; NULL when there is none. Free with free(). */
__attribute__((malloc)) void *bl_alloc(size_t bytes);

static inline bool bl_mul_size(size_t *out, size_t a, size_t b) {
    return !__builtin_mul_overflow(a, b, out);
}
static inline size_t bl_size_min(size_t a, size_t b) {
    return a < b ? a : b;
}
static inline size_t bl_size_max(size_t a, size_t b) {
    return a > b ? a : b;
}

/* One block handed out in aligned pieces, freed as a whole. With base == NULL it only counts: the
 * same building code then sizes the block before it exists (a dry pass). */
typedef struct bl_arena {
    unsigned char *base;
    size_t capacity, used, peak;
} bl_arena;

bl_status bl_arena_init(bl_arena *arena, size_t capacity, bl_err *err) BL_CHECKED;
void bl_arena_free(bl_arena *arena);
/* Zeroed on first use; a dry arena returns a non-NULL address that must not be touched. */
void *bl_arena_alloc(bl_arena *arena, size_t bytes);
static inline size_t bl_arena_mark(const bl_arena *arena) {
    return arena->used;
}
void bl_arena_reset(bl_arena *arena, size_t mark);
#endif
