/* The order of examples: an endless stream of per-epoch permutations
 * (kernels/shared/permutation.h), a function of (seed, epoch, position) only. Batch size merely
 * cuts the stream: batch i of size 2B is batches 2i and 2i+1 of size B. Any position is computed
 * alone: no shuffled array, no state but the keys of the epoch that was asked for last. */
#ifndef BL_ENGINE_DATA_SAMPLER_H
#define BL_ENGINE_DATA_SAMPLER_H
#include "kernels/shared/permutation.h"

typedef struct bl_sampler {
    bl_permutation of;
    uint8_t order[BL_PERMUTATION_SMALL]; /* of this epoch, where there are so few rows */
} bl_sampler;

void bl_sampler_init(bl_sampler *sampler, uint64_t seed, uint64_t n);
/* Row of the example at `position` of the stream: epoch = position / n. */
uint32_t bl_sampler_row(bl_sampler *sampler, uint64_t position);
/* Rows of `count` consecutive positions. */
void bl_sampler_rows(bl_sampler *sampler, uint64_t position, size_t count, uint32_t *rows);
#endif
