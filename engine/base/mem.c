#include "engine/base/mem.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
enum { REDZONE = BL_ALIGN };
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
enum { REDZONE = 0 };
#define POISON(p, n)   ((void)0)
#define UNPOISON(p, n) ((void)0)
#endif

/* As a kill would: at once, whatever other threads hold. Files are whole or not there at any
 * moment. */
void bl_out_of_memory(size_t bytes, const char *what) {
    (void)fprintf(stderr,
                  "batchlab: out of memory (%zu bytes of %s); nothing finished is lost. Free some, "
                  "then continue with the same command.\n",
                  bytes, what);
    _exit(BL_EXIT_RESUMABLE);
}

void *bl_xalloc(size_t bytes) {
    void *p = calloc(1, bytes ? bytes : 1);
    if (p == NULL) bl_out_of_memory(bytes, "bookkeeping");
    return p;
}

void *bl_xrealloc(void *old, size_t bytes) {
    void *p = realloc(old, bytes ? bytes : 1);
    if (p == NULL) bl_out_of_memory(bytes, "bookkeeping");
    return p;
}

char *bl_xstrdup(const char *text) {
    const size_t n = strlen(text) + 1;
    return memcpy(bl_xalloc(n), text, n);
}

/* Linux promises memory that it does not have and kills whoever uses it; more than the machine has
 * is refused here instead. */
static bool machine_has(size_t bytes) {
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages <= 0 || page <= 0 || bytes / (size_t)page < (size_t)pages;
}

/* Blocks of a few huge pages are asked to be made of these: kernels that go down the columns of a
 * matrix touch a page per row, more than the processor keeps addresses of. */
enum { HUGE_PAGE = 2 << 20, HUGE_LEAST = 2 * HUGE_PAGE };

void *bl_alloc(size_t bytes) {
    const size_t align = bytes >= HUGE_LEAST ? HUGE_PAGE : BL_ALIGN;
    if (bytes > SIZE_MAX - (size_t)2 * HUGE_PAGE || !machine_has(bytes)) return NULL;
    void *p = aligned_alloc(align, bytes / align * align + align);
    if (p == NULL) return NULL;
    if (align == HUGE_PAGE) (void)madvise(p, bytes, MADV_HUGEPAGE); /* a wish */
    memset(p, 0, bytes);
    return p;
}

bl_status bl_arena_init(bl_arena *arena, size_t capacity, bl_err *err) {
    *arena = (bl_arena){.capacity = capacity};
    arena->base = bl_alloc(capacity);
    if (arena->base == NULL)
        BL_FAIL(err, BL_ENOMEM, "%.1f MiB of memory for one run are not to be had",
                (double)capacity / 1048576.0);
    POISON(arena->base, capacity);
    return BL_OK;
}

void bl_arena_free(bl_arena *arena) {
    if (arena->base != NULL) UNPOISON(arena->base, arena->capacity);
    free(arena->base);
    *arena = (bl_arena){0};
}

void *bl_arena_alloc(bl_arena *arena, size_t bytes) {
    const size_t at = (arena->used + BL_ALIGN - 1) / BL_ALIGN * BL_ALIGN;
    BL_ASSERT(bytes <= SIZE_MAX / 2 && at <= SIZE_MAX / 2);
    arena->used = at + bytes + REDZONE;
    arena->peak = bl_size_max(arena->peak, arena->used);
    if (arena->base == NULL) return (void *)(uintptr_t)BL_ALIGN;
    BL_ASSERT(arena->used <= arena->capacity);
    UNPOISON(arena->base + at, bytes);
    return arena->base + at;
}

void bl_arena_reset(bl_arena *arena, size_t mark) {
    BL_ASSERT(mark <= arena->used);
    if (arena->base != NULL) POISON(arena->base + mark, arena->capacity - mark);
    arena->used = mark;
}
