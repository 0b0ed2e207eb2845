/* The order of examples: permutations by cycle walking (permutation.h says why), many positions
 * at once. With n = 10 rows the network permutes 0 to 15, and what lands outside goes on from
 * there:
 *
 *     position 3 -> 12 (no row) -> 7        row 7
 *
 * Each row is reached from one position only, because the network is a permutation of all 16. So no
 * row is drawn twice in an epoch, and no table of rows is kept. Up to BL_PERMUTATION_SMALL rows the
 * order is drawn and kept instead. */
#include "engine/data/sampler.h"
#include "engine/base/numerics.h"
#include <string.h>

/* Makes what one epoch's rows are computed from. */
static void begin_epoch(bl_sampler *s, uint64_t epoch) {
    const uint64_t n = s->of.n;
    bl_permutation_epoch(&s->of, epoch);
    if (n > BL_PERMUTATION_SMALL) return;
    uint64_t left = bl_permutation_all(n);
    for (uint32_t i = 0; i < n; i++)
        s->order[i] = (uint8_t)bl_permutation_draw(s->of.seed, epoch, i, (uint32_t)n - i, &left);
}

void bl_sampler_init(bl_sampler *sampler, uint64_t seed, uint64_t n) {
    *sampler = (bl_sampler){.of = bl_permutation_of(seed, n)};
    begin_epoch(sampler, 0);
}

uint32_t bl_sampler_row(bl_sampler *s, uint64_t position) {
    uint32_t row;
    bl_sampler_rows(s, position, 1, &row);
    return row;
}

/* At most so many positions of one epoch; those still outside the range walk on together, since one
 * walk is a chain that leaves the processor idle. */
enum { WALKERS = 64 };

/* One application of the network to each value: rows are below 2^32, and so are the values. */
BL_CLONES static void permute(const bl_permutation *s, size_t count, uint32_t *value) {
    const uint32_t half = s->half_bits, mask = (uint32_t)(((uint64_t)1 << half) - 1);
    uint32_t key[BL_PERMUTATION_ROUNDS]; /* what the values cannot be taken to overlap */
    memcpy(key, s->key, sizeof key);
    for (size_t i = 0; i < count; i++) {
        uint32_t left = value[i] >> half, right = value[i] & mask;
        for (int r = 0; r < BL_PERMUTATION_ROUNDS; r++) {
            const uint32_t next = left ^ (bl_permutation_mix(right, key[r]) & mask);
            left = right;
            right = next;
        }
        value[i] = left << half | right;
    }
}

/* Rows at `count` positions of one epoch (WALKERS at most). Values that are still outside of [0, n)
 * stay in the array and go on, with the places they belong to in `at`. */
static void walk(const bl_permutation *s, uint64_t position, size_t count, uint32_t *rows) {
    uint32_t value[WALKERS];
    uint8_t at[WALKERS];
    for (size_t i = 0; i < count; i++) {
        value[i] = (uint32_t)(position + i);
        at[i] = (uint8_t)i;
    }
    while (count > 0) {
        size_t outside = 0;
        permute(s, count, value);
        for (size_t i = 0; i < count; i++) {
            const uint32_t v = value[i];
            rows[at[i]] = v;
            value[outside] = v;
            at[outside] = at[i];
            outside += v >= s->n;
        }
        count = outside;
    }
}

/* In pieces that end with an epoch or with WALKERS positions. */
void bl_sampler_rows(bl_sampler *s, uint64_t position, size_t count, uint32_t *rows) {
    while (count > 0) {
        const uint64_t epoch = position / s->of.n, first = position % s->of.n,
                       left = s->of.n - first;
        size_t now = count < WALKERS ? count : WALKERS;
        if (now > left) now = (size_t)left;
        if (epoch != s->of.epoch) begin_epoch(s, epoch);
        if (s->of.n > BL_PERMUTATION_SMALL)
            walk(&s->of, first, now, rows);
        else
            for (size_t i = 0; i < now; i++) rows[i] = s->order[first + i];
        position += now;
        count -= now;
        rows += now;
    }
}
