/* Dropout's random words, row by row, and its mask: what batch norm applies too.
 *
 * Features of example b, whose words come from counters (position + b) * ceil(n / 4) + 0, 1, ...:
 *
 *     feature   0  1  2  3 | 4  5  6  7 | 8 ...
 *     counter        0     |     1      |  2        four words each
 *     mask        byte 0   |   byte 1   | byte 2    bits 0 to 3; bits 4 to 7 are 0
 *
 * The words depend on the example's place in the stream and on nothing else, so a batch that is cut
 * otherwise drops the same features. */
#ifndef BL_KERNELS_CPU_DROPOUT_H
#define BL_KERNELS_CPU_DROPOUT_H
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "kernels/cpu/cpu.h"

/* Features per call of the generator: two independent sets of BL_W / 2 counters of 4 words, since
 * one set's ten rounds are a chain that leaves the multiplier idle. */
enum { BL_DROP_SETS = 2, BL_DROP_WORDS = 2 * BL_DROP_SETS, BL_DROP_STEP = BL_DROP_WORDS * BL_W };
_Static_assert(BL_DROP_STEP % BL_DROPOUT_MASK_UNIT == 0, "whole units of the mask");

/* The keys of the ten rounds, in every lane: made once a call, so that a round takes them from
 * memory instead of moving them to a vector register. */
enum { BL_DROP_ROUNDS = 10 };
typedef struct bl_drop_keys {
    bl_vq k0[BL_DROP_ROUNDS], k1[BL_DROP_ROUNDS];
} bl_drop_keys;

static inline void bl_drop_keys_of(bl_drop_keys *k, uint64_t seed) {
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < BL_DROP_ROUNDS; round++) {
        k->k0[round] = bl_vq_set1(k0);
        k->k1[round] = bl_vq_set1(k1);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

/* Philox (engine/base/philox.h) on 64-bit lanes of which only the low halves count, so that a
 * product's low half needs no cleaning. Counters index, index + 1, ...; words in order. */
BL_INLINE void bl_drop_words(const bl_dropout *a, const bl_drop_keys *k, uint64_t index,
                             bl_vq words[BL_DROP_WORDS]) {
    const bl_vq m0 = bl_vq_set1(0xD2511F53u), m1 = bl_vq_set1(0xCD9E8D57u);
    bl_vq c0[BL_DROP_SETS], c1[BL_DROP_SETS], c2[BL_DROP_SETS], c3[BL_DROP_SETS];
    for (size_t s = 0; s < BL_DROP_SETS; s++) {
        c0[s] = bl_vq_add(bl_vq_set1(index + s * (BL_W / 2)), bl_vq_numbers());
        c1[s] = bl_vq_high(c0[s]);
        c2[s] = bl_vq_set1(a->layer);
        c3[s] = bl_vq_set1(BL_STREAM_DROPOUT);
    }
    for (int round = 0; round < BL_DROP_ROUNDS; round++)
        for (size_t s = 0; s < BL_DROP_SETS; s++) {
            const bl_vq p0 = bl_vq_mul32(c0[s], m0), p1 = bl_vq_mul32(c2[s], m1);
            c0[s] = bl_vq_xor3(bl_vq_high(p1), c1[s], k->k0[round]);
            c2[s] = bl_vq_xor3(bl_vq_high(p0), c3[s], k->k1[round]);
            c1[s] = p1;
            c3[s] = p0;
        }
    for (size_t s = 0; s < BL_DROP_SETS; s++) {
        const bl_vq w01 = bl_vq_pair(c0[s], c1[s]), w23 = bl_vq_pair(c2[s], c3[s]);
        words[2 * s] = bl_vq_zip_low(w01, w23);
        words[2 * s + 1] = bl_vq_zip_high(w01, w23);
    }
}

/* Bits of BL_W lanes to the mask's bytes, four bits each, and there. */
BL_INLINE void bl_mask_put(unsigned char *mask, uint32_t bits) {
    bits = (bits | bits << 8) & 0x00ff00ffu;
    bits = (bits | bits << 4) & 0x0f0f0f0fu;
    memcpy(mask, &bits, BL_W / 4);
}

/* dy behind a dropout, for a vector of features that begins a byte of the mask. */
BL_INLINE bl_v bl_kept(const unsigned char *mask, float scale, bl_v dy) {
    uint32_t bits = 0;
    memcpy(&bits, mask, BL_W / 4);
    return bl_v_if_kept(bits, dy * bl_v_set1(scale));
}

/* Some features of example b: [begin, end) of a range that is whole units or ends the row. */
static inline void bl_drop_row(const bl_dropout *a, const bl_drop_keys *k, size_t b,
                               bl_range columns) {
    const uint64_t first = (a->position + b) * ((a->n + 3) / 4);
    unsigned char *const mask = a->mask + b * bl_dropout_mask_bytes(a->n);
    const float *const x = a->x + b * a->n;
    float *const y = a->y + b * a->n;
    const bl_v scale = bl_v_set1(a->scale);
    bl_vq words[BL_DROP_WORDS];
    size_t j = columns.begin;
    for (; j + BL_DROP_STEP <= columns.end; j += BL_DROP_STEP) {
        bl_drop_words(a, k, first + j / 4, words);
        for (size_t i = 0, at = j; i < BL_DROP_WORDS; i++, at += BL_W) {
            bl_v_store(y + at, bl_v_if_at_least(words[i], a->threshold, bl_v_load(x + at) * scale));
            bl_mask_put(mask + at / 4, bl_vq_at_least(words[i], a->threshold));
        }
    }
    if (j >= columns.end) return;
    bl_drop_words(a, k, first + j / 4, words);
    for (size_t i = 0; i < BL_DROP_WORDS && j < 4 * bl_dropout_mask_bytes(columns.end);
         i++, j += BL_W) {
        const size_t count = j < columns.end ? bl_size_min(columns.end - j, BL_W) : 0;
        const bl_vm m = bl_vm_first(count);
        const bl_v v = bl_v_load_part(x + j, m) * scale;
        bl_v_store_part(y + j, bl_v_if_at_least(words[i], a->threshold, v), m);
        bl_mask_put(mask + j / 4, bl_vq_at_least(words[i], a->threshold) & ((1u << count) - 1));
    }
}
#endif
