/* How ghost batch norm cuts a batch, and whether that shows when the batch comes in pieces. */
#ifndef BL_ENGINE_CONFIG_GHOST_H
#define BL_ENGINE_CONFIG_GHOST_H
#include <stdbool.h>
#include <stddef.h>

/* ceil(batch / size) chunks, but none of one example unless that is the batch. They are balanced:
 * bl_chunk_begin of kernels/kernel_image.h. */
static inline size_t bl_ghost_chunks(size_t batch, size_t size) {
    if (batch < 2) return 1;
    const size_t chunks = (batch - 1) / size + 1;
    return chunks < batch / 2 ? chunks : batch / 2;
}

/* Are the chunks of pieces of `piece` examples, the last one shorter, those of the whole batch?
 * Then all are of one length that divides the pieces. */
static inline bool bl_ghost_same_chunks(size_t batch, size_t piece, size_t size) {
    const size_t chunks = bl_ghost_chunks(batch, size), each = batch / chunks;
    const size_t rest = batch % piece;
    return batch % chunks == 0 && piece % each == 0 &&
           bl_ghost_chunks(piece, size) == piece / each &&
           (rest == 0 || bl_ghost_chunks(rest, size) == rest / each);
}
#endif
