#include "engine/data/sampler.h"

void bl_sampler_init(bl_sampler *sampler, uint64_t seed, uint64_t n) {
    *sampler = (bl_sampler){.seed = seed, .n = n, .half_bits = 1};
    while (((uint64_t)1 << (2 * sampler->half_bits)) < n) sampler->half_bits++;
    bl_sampler_keys(sampler, 0);
}

uint32_t bl_sampler_row(bl_sampler *s, uint64_t position) {
    uint32_t row;
    bl_sampler_rows(s, position, 1, &row);
    return row;
}

/* At most so many positions of one epoch; those still outside the range walk on together, since one
 * walk is a chain that leaves the processor idle. */
enum { WALKERS = 64 };

static void walk(const bl_sampler *s, uint64_t position, size_t count, uint32_t *rows) {
    uint64_t value[WALKERS];
    uint8_t at[WALKERS];
    for (size_t i = 0; i < count; i++) {
        value[i] = position + i;
        at[i] = (uint8_t)i;
    }
    while (count > 0) {
        size_t outside = 0;
        for (size_t i = 0; i < count; i++) {
            const uint64_t v = bl_sampler_permute(s, value[i]);
            rows[at[i]] = (uint32_t)v;
            value[outside] = v;
            at[outside] = at[i];
            outside += v >= s->n;
        }
        count = outside;
    }
}

void bl_sampler_rows(bl_sampler *s, uint64_t position, size_t count, uint32_t *rows) {
    while (count > 0) {
        const uint64_t epoch = position / s->n, first = position % s->n, left = s->n - first;
        size_t now = count < WALKERS ? count : WALKERS;
        if (now > left) now = (size_t)left;
        if (epoch != s->epoch) bl_sampler_keys(s, epoch);
        walk(s, first, now, rows);
        position += now;
        count -= now;
        rows += now;
    }
}
