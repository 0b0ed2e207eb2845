/* Blocks lie one after the other, each with the size of the one before it, so that a free one is
 * joined with its neighbours. Free blocks of similar size are in one list: by the highest bit of
 * the size, then by the three bits after it. Bitmaps say which lists are not empty. */
#include "engine/lua/heap.h"
#include "engine/base/mem.h"
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGN = 16, HEAD = 16, LEAST = 32, SUBS = 8, SUB_BITS = 3, LOGS = 40 };

typedef struct block block;
struct block {
    size_t before;        /* bytes of the block before this one; 0: this is the first */
    size_t size;          /* bytes, this head included; 1 more: it is free */
    block *next, *former; /* of a free block, in its list; a used one's bytes begin here */
};

struct bl_heap {
    size_t bytes;
    uint64_t logs;      /* which rows of `list` have a block */
    uint8_t subs[LOGS]; /* and where in the row */
    block *list[LOGS][SUBS];
};

static size_t size_of(const block *b) {
    return b->size & ~(size_t)1;
}

static bool is_free(const block *b) {
    return (b->size & 1) != 0;
}

static block *after(block *b) {
    return (block *)(void *)((char *)b + size_of(b));
}

static void set_size(block *b, size_t size, bool free) {
    b->size = size | free;
    after(b)->before = size;
}

/* ---- lists ------------------------------------------------------------------------------------
 */

static void place_of(size_t size, unsigned *log, unsigned *sub) {
    *log = 63 - (unsigned)__builtin_clzll(size);
    *sub = (unsigned)(size >> (*log - SUB_BITS)) & (SUBS - 1);
}

static void put(bl_heap *h, block *b) {
    unsigned log, sub;
    place_of(size_of(b), &log, &sub);
    b->former = NULL;
    b->next = h->list[log][sub];
    if (b->next != NULL) b->next->former = b;
    h->list[log][sub] = b;
    h->subs[log] |= (uint8_t)(1u << sub);
    h->logs |= (uint64_t)1 << log;
}

static void take(bl_heap *h, block *b) {
    unsigned log, sub;
    place_of(size_of(b), &log, &sub);
    if (b->next != NULL) b->next->former = b->former;
    if (b->former != NULL) {
        b->former->next = b->next;
        return;
    }
    h->list[log][sub] = b->next;
    if (b->next != NULL) return;
    h->subs[log] &= (uint8_t) ~(1u << sub);
    if (h->subs[log] == 0) h->logs &= ~((uint64_t)1 << log);
}

/* A free block of at least `size`, from the first list whose blocks are all large enough. */
static block *find(const bl_heap *h, size_t size) {
    unsigned log, sub;
    size += ((size_t)1 << (63 - __builtin_clzll(size) - SUB_BITS)) - 1;
    place_of(size, &log, &sub);
    if (log >= LOGS) return NULL;
    unsigned subs = h->subs[log] & (0xffu << sub);
    if (subs == 0) {
        const uint64_t logs = log + 1 < LOGS ? h->logs & (~(uint64_t)0 << (log + 1)) : 0;
        if (logs == 0) return NULL;
        log = (unsigned)__builtin_ctzll(logs);
        subs = h->subs[log];
    }
    return h->list[log][__builtin_ctz(subs)];
}

/* ---- blocks -----------------------------------------------------------------------------------
 */

/* Frees what is not in a list, together with free neighbours. */
static void give(bl_heap *h, block *b) {
    block *next = after(b);
    size_t size = size_of(b);
    if (is_free(next)) {
        take(h, next);
        size += size_of(next);
    }
    block *former = b->before > 0 ? (block *)(void *)((char *)b - b->before) : NULL;
    if (former != NULL && is_free(former)) {
        take(h, former);
        size += size_of(former);
        b = former;
    }
    set_size(b, size, true);
    put(h, b);
}

/* Makes a block that is in no list a used one of `size` bytes; the rest is freed. */
static void cut(bl_heap *h, block *b, size_t size) {
    const size_t rest = size_of(b) - size;
    if (rest < LEAST) {
        set_size(b, size_of(b), false);
        return;
    }
    set_size(b, size, false);
    block *tail = after(b);
    set_size(tail, rest, false);
    give(h, tail);
}

static void *allocate(bl_heap *h, size_t size) {
    block *b = find(h, size);
    if (b == NULL) return NULL;
    take(h, b);
    cut(h, b, size);
    return (char *)b + HEAD;
}

void *bl_heap_resize(bl_heap *h, void *old, size_t size) {
    block *b = old == NULL ? NULL : (block *)(void *)((char *)old - HEAD);
    if (size == 0) {
        if (b != NULL) give(h, b);
        return NULL;
    }
    if (size > h->bytes) return NULL;
    const size_t need = bl_max_size(LEAST, (size + HEAD + ALIGN - 1) / ALIGN * ALIGN);
    if (b == NULL) return allocate(h, need);
    const size_t had = size_of(b);
    block *next = after(b);
    if (need > had && is_free(next) && had + size_of(next) >= need) {
        take(h, next);
        set_size(b, had + size_of(next), false);
    }
    if (need <= size_of(b)) {
        cut(h, b, need);
        return old;
    }
    void *moved = allocate(h, need);
    if (moved == NULL) return NULL;
    memcpy(moved, old, had - HEAD);
    give(h, b);
    return moved;
}

/* ---- the region -------------------------------------------------------------------------------
 */

static block *first(const bl_heap *h) {
    return (block *)(void *)((char *)(uintptr_t)h + (sizeof *h + ALIGN - 1) / ALIGN * ALIGN);
}

/* At the end stands the head of a block that is never free. */
bl_heap *bl_heap_open(size_t bytes) {
    bytes = bytes / ALIGN * ALIGN;
    BL_ASSERT(bytes > 2 * sizeof(bl_heap) && bytes < (size_t)1 << (LOGS - 1));
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return NULL;
    bl_heap *h = at;
    h->bytes = bytes;
    block *b = first(h);
    set_size(b, bytes - (size_t)((char *)b - (char *)h) - HEAD, false);
    after(b)->size = HEAD;
    give(h, b);
    return h;
}

void bl_heap_close(bl_heap *h) {
    if (h != NULL) (void)munmap(h, h->bytes);
}

bool bl_heap_sound(const bl_heap *h) {
    size_t before = 0, free_blocks = 0, listed = 0;
    block *b = first(h);
    for (; (char *)b - (const char *)h + HEAD < (ptrdiff_t)h->bytes; b = after(b)) {
        if (b->before != before || size_of(b) < LEAST || size_of(b) % ALIGN != 0) return false;
        if (is_free(b) && is_free(after(b))) return false; /* they belong together */
        before = size_of(b);
        free_blocks += is_free(b);
    }
    if ((char *)b - (const char *)h + HEAD != (ptrdiff_t)h->bytes || b->before != before)
        return false;
    for (unsigned log = 0; log < LOGS; log++)
        for (unsigned sub = 0; sub < SUBS; sub++) {
            const bool marked = (h->subs[log] >> sub & 1) != 0;
            if (marked != (h->list[log][sub] != NULL)) return false;
            if (marked && (h->logs >> log & 1) == 0) return false;
            for (const block *f = h->list[log][sub]; f != NULL; f = f->next) {
                unsigned at, in;
                place_of(size_of(f), &at, &in);
                if (!is_free(f) || at != log || in != sub) return false;
                listed++;
            }
        }
    return listed == free_blocks;
}
