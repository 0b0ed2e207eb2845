/* The order of examples: a permutation per epoch, computed at any position alone. */
#include "engine/base/mem.h"
#include "engine/data/sampler.h"
#include "tests/check.h"

static void check_bijection(uint64_t n, uint64_t epoch) {
    bl_sampler s;
    unsigned char *seen = bl_xalloc(n);
    bl_sampler_init(&s, 7, n);
    for (uint64_t i = 0; i < n; i++) {
        const uint32_t row = bl_sampler_row(&s, epoch * n + i);
        if (row >= n || seen[row]) fail_msg("n %u: row %u at %u", (unsigned)n, row, (unsigned)i);
        seen[row] = 1;
    }
    free(seen);
}

static void test_bijection(void **state) {
    (void)state;
    static const uint64_t sizes[] = {1, 2, 3, 4, 5, 255, 256, 257, 1000, 802943};
    for (size_t i = 0; i < BL_COUNT(sizes); i++) check_bijection(sizes[i], 0);
    for (size_t i = 0; i < BL_COUNT(sizes) - 1; i++) check_bijection(sizes[i], 3);
}

static void test_batches_nest(void **state) {
    (void)state;
    enum { N = 1000, B = 96 };
    bl_sampler small, large;
    uint32_t a[B], b[B], both[2 * B];
    bl_sampler_init(&small, 5, N);
    bl_sampler_init(&large, 5, N);
    for (uint64_t i = 0; i < 30; i++) { /* crosses two ends of epochs inside batches */
        bl_sampler_rows(&small, 2 * i * B, B, a);
        bl_sampler_rows(&small, (2 * i + 1) * B, B, b);
        bl_sampler_rows(&large, i * 2 * B, 2 * B, both);
        assert_memory_equal(both, a, sizeof a);
        assert_memory_equal(both + B, b, sizeof b);
    }
}

static void test_position_alone(void **state) {
    (void)state;
    enum { N = 257, COUNT = 5 * N };
    static uint32_t in_order[COUNT];
    bl_sampler s;
    bl_sampler_init(&s, 11, N);
    bl_sampler_rows(&s, 0, COUNT, in_order);
    for (uint32_t i = 0; i < COUNT; i++) {
        const uint32_t at = (uint32_t)((uint64_t)i * 733 % COUNT); /* jumps between epochs */
        bl_sampler fresh;
        bl_sampler_init(&fresh, 11, N);
        assert_int_equal(bl_sampler_row(&s, at), in_order[at]);
        assert_int_equal(bl_sampler_row(&fresh, at), in_order[at]);
    }
}

/* Two orders of 1000 rows that have nothing to do with each other agree at one place on average. */
static size_t agreements(uint64_t seed_a, uint64_t from_a, uint64_t seed_b, uint64_t from_b) {
    enum { N = 1000 };
    bl_sampler a, b;
    size_t same = 0;
    bl_sampler_init(&a, seed_a, N);
    bl_sampler_init(&b, seed_b, N);
    for (uint64_t i = 0; i < N; i++)
        same += bl_sampler_row(&a, from_a + i) == bl_sampler_row(&b, from_b + i);
    return same;
}

static void test_epochs_and_seeds_differ(void **state) {
    (void)state;
    assert_true(agreements(1, 0, 1, 0) == 1000);
    assert_true(agreements(1, 0, 1, 1000) < 10);
    assert_true(agreements(1, 0, 2, 0) < 10);
    assert_true(agreements(1, 5000, (uint64_t)1 << 32 | 1, 5000) < 10);
}

/* Where the first tenth of an epoch's rows come from: every tenth of the data set alike. */
static void test_spread(void **state) {
    (void)state;
    enum { N = 100000 };
    size_t tenth[10] = {0};
    bl_sampler s;
    bl_sampler_init(&s, 3, N);
    for (uint64_t i = 0; i < N / 10; i++) tenth[bl_sampler_row(&s, i) / (N / 10)]++;
    for (int k = 0; k < 10; k++) assert_in_range(tenth[k], 850, 1150); /* 5 deviations of 28.5 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bijection), cmocka_unit_test(test_batches_nest),
        cmocka_unit_test(test_position_alone), cmocka_unit_test(test_epochs_and_seeds_differ),
        cmocka_unit_test(test_spread)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
