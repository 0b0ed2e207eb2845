/* The order of examples: an endless stream of per-epoch permutations, a function of (seed, epoch,
 * position) only. Batch size merely cuts the stream: batch i of size 2B is batches 2i and 2i+1 of
 * size B. Any position is computed alone (no shuffled array, no state), so a resumed run, a thread
 * or a device asks for what it needs. A permutation of n is a Feistel network on the smallest even
 * number of bits that covers n, walked until the value is below n (Black and Rogaway, "Ciphers with
 * arbitrary finite domains", 2002). */
#ifndef BL_ENGINE_DATA_SAMPLER_H
#define BL_ENGINE_DATA_SAMPLER_H
#include "engine/base/philox.h"
#include <stddef.h>
#include <stdint.h>

enum { BL_SAMPLER_ROUNDS = 6 };

typedef struct bl_sampler {
    uint64_t seed;
    uint64_t n;         /* rows, below 2^32 */
    uint32_t half_bits; /* the network works on 2 x half_bits bits */
    uint64_t epoch;     /* whose keys are held */
    uint32_t key[BL_SAMPLER_ROUNDS];
} bl_sampler;

void bl_sampler_init(bl_sampler *sampler, uint64_t seed, uint64_t n);
/* Row of the example at `position` of the stream: epoch = position / n. */
uint32_t bl_sampler_row(bl_sampler *sampler, uint64_t position);
/* Rows of `count` consecutive positions. */
void bl_sampler_rows(bl_sampler *sampler, uint64_t position, size_t count, uint32_t *rows);
#endif
