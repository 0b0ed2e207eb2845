/* Memory that is freed all at once: many small things in a few blocks. {0} is an empty one. Texts
 * and arrays of a parsed file live in it, so that their owner frees one thing. */
#ifndef BL_ENGINE_BASE_CHUNKS_H
#define BL_ENGINE_BASE_CHUNKS_H
#include <stddef.h>

typedef struct bl_chunks {
    struct bl_chunk *last;
} bl_chunks;

/* Zeroed, 16-aligned, until bl_chunks_free. Ends the program where there is none (bl_xalloc). */
void *bl_chunks_take(bl_chunks *chunks, size_t bytes);
char *bl_chunks_text(bl_chunks *chunks, const char *text);
void bl_chunks_free(bl_chunks *chunks);
#endif
