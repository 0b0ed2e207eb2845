#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "kernels/cpu/cpu.h"

/* Features per call of the generator: two independent sets of BL_W / 2 counters of 4 words, since
 * one set's ten rounds are a chain that leaves the multiplier idle. */
enum { SETS = 2, WORDS = 2 * SETS, STEP = WORDS * BL_W };

/* The keys of the ten rounds, in every lane: made once a call, so that a round takes them from
 * memory instead of moving them to a vector register. */
enum { ROUNDS = 10 };
typedef struct keys {
    bl_vq k0[ROUNDS], k1[ROUNDS];
} keys;

static void keys_of(keys *k, uint64_t seed) {
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < ROUNDS; round++) {
        k->k0[round] = bl_vq_set1(k0);
        k->k1[round] = bl_vq_set1(k1);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

/* Philox (engine/base/philox.h) on 64-bit lanes of which only the low halves count, so that a
 * product's low half needs no cleaning. Counters index, index + 1, ...; words in order. */
BL_INLINE void random_words(const bl_dropout *a, const keys *k, uint64_t index,
                            bl_vq words[WORDS]) {
    const bl_vq m0 = bl_vq_set1(0xD2511F53u), m1 = bl_vq_set1(0xCD9E8D57u);
    bl_vq c0[SETS], c1[SETS], c2[SETS], c3[SETS];
    for (size_t s = 0; s < SETS; s++) {
        c0[s] = bl_vq_add(bl_vq_set1(index + s * (BL_W / 2)), bl_vq_numbers());
        c1[s] = bl_vq_high(c0[s]);
        c2[s] = bl_vq_set1(a->layer);
        c3[s] = bl_vq_set1(BL_STREAM_DROPOUT);
    }
    for (int round = 0; round < ROUNDS; round++)
        for (size_t s = 0; s < SETS; s++) {
            const bl_vq p0 = bl_vq_mul32(c0[s], m0), p1 = bl_vq_mul32(c2[s], m1);
            c0[s] = bl_vq_xor3(bl_vq_high(p1), c1[s], k->k0[round]);
            c2[s] = bl_vq_xor3(bl_vq_high(p0), c3[s], k->k1[round]);
            c1[s] = p1;
            c3[s] = p0;
        }
    for (size_t s = 0; s < SETS; s++) {
        const bl_vq w01 = bl_vq_pair(c0[s], c1[s]), w23 = bl_vq_pair(c2[s], c3[s]);
        words[2 * s] = bl_vq_zip_low(w01, w23);
        words[2 * s + 1] = bl_vq_zip_high(w01, w23);
    }
}

BL_INLINE void mask(const bl_dropout *a, size_t at, bl_vq words, bl_lanes m) {
    const bl_v x = bl_v_get(a->x + at, m) * bl_v_set1(a->scale);
    bl_v_put(a->y + at, bl_v_if_at_least(words, a->threshold, x), m);
}

static void drop_row(const bl_dropout *a, const keys *k, size_t b) {
    const uint64_t first = (a->position + b) * ((a->n + 3) / 4);
    const bl_lanes full = {.full = true};
    bl_vq words[WORDS];
    size_t j = 0;
    for (; j + STEP <= a->n; j += STEP) {
        random_words(a, k, first + j / 4, words);
        for (size_t i = 0; i < WORDS; i++) mask(a, b * a->n + j + i * BL_W, words[i], full);
    }
    if (j == a->n) return;
    random_words(a, k, first + j / 4, words);
    for (int i = 0; i < WORDS && j < a->n; i++, j += BL_W)
        mask(a, b * a->n + j, words[i],
             (bl_lanes){.first = bl_vm_first(bl_min_size(a->n - j, BL_W))});
}

void BL_CPU(dropout)(const bl_dropout *a, const bl_part *part) {
    const bl_range rows = bl_part_range(part, a->batch, 1);
    keys k;
    keys_of(&k, a->seed);
    for (size_t b = rows.begin; b < rows.end; b++) drop_row(a, &k, b);
}
