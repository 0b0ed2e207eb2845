/* The order of examples: an endless stream of per-epoch permutations, a function of (seed, epoch,
 * position) only. Batch size merely cuts the stream: batch i of size 2B is batches 2i and 2i+1 of
 * size B. Any position is computed alone (no shuffled array, no state), so a resumed run, a thread
 * or a device asks for what it needs. A permutation of n is a Feistel network on the smallest even
 * number of bits that covers n, walked until the value is below n (Black and Rogaway, "Ciphers with
 * arbitrary finite domains", 2002).
 *
 * Six rounds on a few bits do not reach every order alike, so up to BL_SAMPLER_SMALL rows are drawn
 * by Fisher and Yates' shuffle instead: each order is equally likely but for 2^-26. */
#ifndef BL_ENGINE_DATA_SAMPLER_H
#define BL_ENGINE_DATA_SAMPLER_H
#include "engine/base/philox.h"
#include <stddef.h>
#include <stdint.h>

enum {
    BL_SAMPLER_ROUNDS = 6,
    BL_SAMPLER_SMALL = 64, /* rows: a bit each of a 64-bit set */
};

typedef struct bl_sampler {
    uint64_t seed;
    uint64_t n;         /* rows, below 2^32 */
    uint32_t half_bits; /* the network works on 2 x half_bits bits */
    uint64_t epoch;     /* whose keys are held */
    uint32_t key[BL_SAMPLER_ROUNDS];
    uint8_t
        order[BL_SAMPLER_SMALL]; /* of this epoch, filled by bl_sampler_init and _rows if small */
} bl_sampler;

/* What a device computes, too: the keys of an epoch, and one application of the network, a
 * permutation of [0, 4^half_bits). */
static inline BL_HD void bl_sampler_keys(bl_sampler *s, uint64_t epoch) {
    s->epoch = epoch;
    for (uint32_t r = 0; r < BL_SAMPLER_ROUNDS; r++)
        s->key[r] = bl_random4(s->seed, BL_STREAM_ORDER, r, epoch).v[0];
}
/* The round function: the finaliser of MurmurHash3 over one half and the round's key. */
static inline BL_HD uint32_t bl_sampler_mix(uint32_t x, uint32_t key) {
    x ^= key;
    x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
    x = (x ^ (x >> 13)) * 0xC2B2AE35u;
    return x ^ (x >> 16);
}
static inline BL_HD uint64_t bl_sampler_permute(const bl_sampler *s, uint64_t value) {
    const uint32_t mask = (uint32_t)(((uint64_t)1 << s->half_bits) - 1);
    uint32_t left = (uint32_t)(value >> s->half_bits), right = (uint32_t)value & mask;
    for (int r = 0; r < BL_SAMPLER_ROUNDS; r++) {
        const uint32_t next = left ^ (bl_sampler_mix(right, s->key[r]) & mask);
        left = right;
        right = next;
    }
    return (uint64_t)left << s->half_bits | right;
}

/* The row that the shuffle draws next: a bit of the set `*left` of `count` rows, which is removed.
 * `drawn` rows have been drawn before. */
static inline BL_HD uint32_t bl_sampler_draw(uint64_t seed, uint64_t epoch, uint32_t drawn,
                                             uint32_t count, uint64_t *left) {
    const uint32_t word = bl_random4(seed, BL_STREAM_ORDER, drawn, epoch).v[0];
    uint32_t skip = (uint32_t)((uint64_t)word * count >> 32); /* in [0, count) */
    uint32_t row = 0;
    while (!(*left >> row & 1) || skip-- > 0) row++;
    *left &= ~((uint64_t)1 << row);
    return row;
}
/* All of at most BL_SAMPLER_SMALL rows, as a set. */
static inline BL_HD uint64_t bl_sampler_all(uint64_t n) {
    return n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
}

void bl_sampler_init(bl_sampler *sampler, uint64_t seed, uint64_t n);
/* Row of the example at `position` of the stream: epoch = position / n. */
uint32_t bl_sampler_row(bl_sampler *sampler, uint64_t position);
/* Rows of `count` consecutive positions. */
void bl_sampler_rows(bl_sampler *sampler, uint64_t position, size_t count, uint32_t *rows);
#endif
