#include "engine/data/sampler.h"

static void load_keys(bl_sampler *s, uint64_t epoch) {
    s->epoch = epoch;
    for (uint32_t r = 0; r < BL_SAMPLER_ROUNDS; r++)
        s->key[r] = bl_random4(s->seed, BL_STREAM_ORDER, r, epoch).v[0];
}

void bl_sampler_init(bl_sampler *sampler, uint64_t seed, uint64_t n) {
    *sampler = (bl_sampler){.seed = seed, .n = n, .half_bits = 1};
    while (((uint64_t)1 << (2 * sampler->half_bits)) < n) sampler->half_bits++;
    load_keys(sampler, 0);
}

/* The round function: the finaliser of MurmurHash3 over one half and the round's key. */
static uint32_t mix(uint32_t x, uint32_t key) {
    x ^= key;
    x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
    x = (x ^ (x >> 13)) * 0xC2B2AE35u;
    return x ^ (x >> 16);
}

uint32_t bl_sampler_row(bl_sampler *s, uint64_t position) {
    const uint64_t epoch = position / s->n;
    if (epoch != s->epoch) load_keys(s, epoch);
    const uint32_t mask = (uint32_t)(((uint64_t)1 << s->half_bits) - 1);
    uint64_t value = position % s->n;
    do {
        uint32_t left = (uint32_t)(value >> s->half_bits), right = (uint32_t)value & mask;
        for (int r = 0; r < BL_SAMPLER_ROUNDS; r++) {
            const uint32_t next = left ^ (mix(right, s->key[r]) & mask);
            left = right;
            right = next;
        }
        value = (uint64_t)left << s->half_bits | right;
    } while (value >= s->n);
    return (uint32_t)value;
}

void bl_sampler_rows(bl_sampler *sampler, uint64_t position, size_t count, uint32_t *rows) {
    for (size_t i = 0; i < count; i++) rows[i] = bl_sampler_row(sampler, position + i);
}
