/* Orders of n rows, one for each (seed, epoch): a row is a function of (seed, epoch, place) alone,
 * so a resumed run, a thread or a device asks for what it needs. Shared by host
 * (engine/data/sampler.c, many places at once) and device (training.cu, a place a thread).
 *
 * A permutation of n is a Feistel network on the smallest even number of bits that covers n, walked
 * until the value is below n (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002).
 * Six rounds on a few bits do not reach every order alike, so up to BL_PERMUTATION_SMALL rows are
 * drawn by Fisher and Yates' shuffle instead: each order is equally likely but for 2^-26.
 *
 * Example, n = 5 of 16 values: 3 -> 11 -> 7 -> 2, the first value below 5, so row 2 is at place 3.
 */
#ifndef BL_KERNELS_SHARED_PERMUTATION_H
#define BL_KERNELS_SHARED_PERMUTATION_H
#include "engine/base/philox.h"
#include <stddef.h>

enum {
    BL_PERMUTATION_ROUNDS = 6,
    BL_PERMUTATION_SMALL = BL_SHUFFLED_ROWS, /* rows: a bit each of a 64-bit set */
};

typedef struct bl_permutation {
    uint64_t seed;
    uint64_t n;         /* rows, below 2^32 */
    uint32_t half_bits; /* the network works on 2 x half_bits bits */
    uint64_t epoch;     /* whose keys are held */
    uint32_t key[BL_PERMUTATION_ROUNDS];
} bl_permutation;

static inline BL_HD void bl_permutation_epoch(bl_permutation *p, uint64_t epoch) {
    p->epoch = epoch;
    for (uint32_t r = 0; r < BL_PERMUTATION_ROUNDS; r++)
        p->key[r] = bl_random4(p->seed, BL_STREAM_ORDER, r, epoch).v[0];
}

/* Of n rows, at epoch 0. */
static inline BL_HD bl_permutation bl_permutation_of(uint64_t seed, uint64_t n) {
    bl_permutation p;
    p.seed = seed;
    p.n = n;
    p.half_bits = 1;
    while (((uint64_t)1 << (2 * p.half_bits)) < n) p.half_bits++;
    bl_permutation_epoch(&p, 0);
    return p;
}

/* The round function: the finaliser of MurmurHash3 over one half and the round's key. */
static inline BL_HD uint32_t bl_permutation_mix(uint32_t x, uint32_t key) {
    x ^= key;
    x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
    x = (x ^ (x >> 13)) * 0xC2B2AE35u;
    return x ^ (x >> 16);
}

/* One application of the network: a permutation of [0, 4^half_bits). */
static inline BL_HD uint64_t bl_permutation_apply(const bl_permutation *p, uint64_t value) {
    const uint32_t mask = (uint32_t)(((uint64_t)1 << p->half_bits) - 1);
    uint32_t left = (uint32_t)(value >> p->half_bits), right = (uint32_t)value & mask;
    for (int r = 0; r < BL_PERMUTATION_ROUNDS; r++) {
        const uint32_t next = left ^ (bl_permutation_mix(right, p->key[r]) & mask);
        left = right;
        right = next;
    }
    return (uint64_t)left << p->half_bits | right;
}

/* All of at most BL_PERMUTATION_SMALL rows, as a set. */
static inline BL_HD uint64_t bl_permutation_all(uint64_t n) {
    return n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
}

/* The row that the shuffle draws next: a bit of the set `*left` of `count` rows, which is removed.
 * `drawn` rows have been drawn before. */
static inline BL_HD uint32_t bl_permutation_draw(uint64_t seed, uint64_t epoch, uint32_t drawn,
                                                 uint32_t count, uint64_t *left) {
    const uint32_t word = bl_random4(seed, BL_STREAM_ORDER, drawn, epoch).v[0];
    uint32_t skip = (uint32_t)((uint64_t)word * count >> 32); /* in [0, count) */
    uint32_t row = 0;
    while (!(*left >> row & 1) || skip-- > 0) row++;
    *left &= ~((uint64_t)1 << row);
    return row;
}

/* The row of the example at `position` of the endless stream: epoch position / n, place
 * position % n. */
static inline BL_HD uint64_t bl_permutation_row(uint64_t seed, uint64_t n, uint64_t position) {
    const uint64_t epoch = position / n, place = position % n;
    uint64_t row = place;
    if (n <= BL_PERMUTATION_SMALL) {
        uint64_t left = bl_permutation_all(n);
        for (uint32_t i = 0; i <= place; i++)
            row = bl_permutation_draw(seed, epoch, i, (uint32_t)n - i, &left);
        return row;
    }
    bl_permutation p = bl_permutation_of(seed, n);
    bl_permutation_epoch(&p, epoch);
    do row = bl_permutation_apply(&p, row);
    while (row >= n);
    return row;
}
#endif
