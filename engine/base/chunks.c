#include "engine/base/chunks.h"
#include "engine/base/mem.h"
#include <string.h>

/* The first block is small: most owners are one line of a log. */
enum { FIRST_BYTES = 1024, BLOCK_BYTES = 16384 };

struct bl_chunk {
    struct bl_chunk *next;
    size_t used, size;
    _Alignas(16) unsigned char bytes[];
};

void *bl_chunks_take(bl_chunks *chunks, size_t bytes) {
    bytes = (bytes + 15) & ~(size_t)15;
    struct bl_chunk *c = chunks->last;
    if (c == NULL || c->size - c->used < bytes) {
        const size_t size = bl_size_max(bytes, c == NULL ? FIRST_BYTES : BLOCK_BYTES);
        c = bl_xalloc(sizeof *c + size);
        c->size = size;
        c->next = chunks->last;
        chunks->last = c;
    }
    void *out = c->bytes + c->used;
    c->used += bytes;
    return out;
}

char *bl_chunks_text(bl_chunks *chunks, const char *text) {
    const size_t n = strlen(text) + 1;
    return memcpy(bl_chunks_take(chunks, n), text, n);
}

void bl_chunks_free(bl_chunks *chunks) {
    while (chunks->last != NULL) {
        struct bl_chunk *next = chunks->last->next;
        free(chunks->last);
        chunks->last = next;
    }
}
