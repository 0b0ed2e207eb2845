/* Random numbers without a generator.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC'11):
 * a random value is a function of (seed, stream, counter). Nothing has a state, nothing is drawn
 * "in order", so any thread, device or resumed run asks for the value it needs and gets it.
 *
 * A round multiplies two of the four counter words by constants, crosses the halves and mixes in
 * the keys k0, k1, which move on by the golden ratio and by sqrt(3) - 1:
 *
 *     (c0, c1, c2, c3)  ->  (hi(M1 c2) ^ c1 ^ k0, lo(M1 c2), hi(M0 c0) ^ c3 ^ k1, lo(M0 c0))
 *
 * The seed is the key. The counter is (index, sub-stream, stream), for example: whether dropout
 * keeps feature j of an example is a word of (seed, BL_STREAM_DROPOUT, layer, index), the index
 * counting examples and features (kernels/kernel.h). Known
 * answers of Random123 are in tests/unit/philox_test.c. */
#ifndef BL_ENGINE_BASE_PHILOX_H
#define BL_ENGINE_BASE_PHILOX_H
#include "engine/base/numerics.h"
#include <stdint.h>

/* What a value is for. Streams of one seed never meet. Part of the numerics epoch. */
typedef enum bl_stream {
    BL_STREAM_INIT = 1,
    BL_STREAM_ORDER = 2,
    BL_STREAM_DROPOUT = 3,
    BL_STREAM_AUGMENT = 4,
    BL_STREAM_SYNTH = 5,
    BL_STREAM_SEARCH = 6,
    BL_STREAM_BOOTSTRAP = 7,
    BL_STREAM_NOISE = 8,
    BL_STREAM_PROBE = 9
} bl_stream;

typedef struct bl_u32x4 {
    uint32_t v[4];
} bl_u32x4;

static inline BL_HD bl_u32x4 bl_philox4x32(bl_u32x4 counter, uint32_t k0, uint32_t k1) {
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * counter.v[0];
        const uint64_t p1 = (uint64_t)0xCD9E8D57u * counter.v[2];
        const bl_u32x4 next = {
            {(uint32_t)(p1 >> 32) ^ counter.v[1] ^ k0, (uint32_t)p1,
             (uint32_t)(p0 >> 32) ^ counter.v[3] ^ k1, (uint32_t)p0}
        };
        counter = next;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return counter;
}

/* Four words for (seed, stream, sub-stream, index). `sub` tells layers, columns, epochs apart. */
static inline BL_HD bl_u32x4 bl_random4(uint64_t seed, uint32_t stream, uint32_t sub,
                                        uint64_t index) {
    const bl_u32x4 counter = {
        {(uint32_t)index, (uint32_t)(index >> 32), sub, stream}
    };
    return bl_philox4x32(counter, (uint32_t)seed, (uint32_t)(seed >> 32));
}

static inline BL_HD uint32_t bl_random_u32(uint64_t seed, uint32_t stream, uint32_t sub,
                                           uint64_t index) {
    return bl_random4(seed, stream, sub, index >> 2).v[index & 3];
}

/* In [0, 1), a multiple of 2^-24: exact in float and in double. */
static inline BL_HD float bl_unit_f32(uint32_t word) {
    return (float)(word >> 8) * 0x1p-24f;
}

/* In [0, 1), a multiple of 2^-53, from two words. */
static inline BL_HD double bl_unit_f64(uint32_t hi, uint32_t lo) {
    return (double)(((uint64_t)hi << 21) ^ (lo >> 11)) * 0x1p-53;
}
#endif
