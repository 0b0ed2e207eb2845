/* The order of examples: a permutation per epoch, computed at any position alone. */
#include "engine/base/mem.h"
#include "engine/data/sampler.h"
#include "tests/check.h"
#include <math.h>

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
    static const uint64_t sizes[] = {1, 2, 3, 4, 5, 63, 64, 65, 255, 256, 257, 1000, 802943};
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

/* Which of the n! orders the epoch has: positions as digits of a number with mixed bases. */
static size_t order_of(bl_sampler *s, uint64_t epoch) {
    size_t number = 0;
    for (uint64_t i = 0; i < s->of.n; i++) {
        size_t smaller = 0; /* rows that come later and are smaller */
        for (uint64_t j = i + 1; j < s->of.n; j++)
            smaller +=
                bl_sampler_row(s, epoch * s->of.n + j) < bl_sampler_row(s, epoch * s->of.n + i);
        number = number * (size_t)(s->of.n - i) + smaller;
    }
    return number;
}

/* Pearson's chi-square of equal expectations as a normal deviate (Wilson and Hilferty 1931). */
static double deviate(const uint32_t *count, size_t cells, size_t draws) {
    const double expected = (double)draws / (double)cells, k = (double)cells - 1.0;
    const double spread = 2.0 / (9.0 * k);
    double chi = 0.0;
    for (size_t i = 0; i < cells; i++) {
        const double difference = (double)count[i] - expected;
        chi += difference * difference / expected;
    }
    return (cbrt(chi / k) - (1.0 - spread)) / sqrt(spread);
}

/* Every order of 3 to 6 rows is equally likely, over epochs and over seeds. */
static void test_orders_of_few_rows(void **state) {
    (void)state;
    static const size_t orders[] = {0, 0, 0, 6, 24, 120, 720};
    for (uint64_t n = 3; n <= 6; n++) {
        for (int over_seeds = 0; over_seeds < 2; over_seeds++) {
            uint32_t count[720] = {0};
            const size_t draws = 200 * orders[n];
            for (size_t d = 0; d < draws; d++) {
                bl_sampler s;
                bl_sampler_init(&s, over_seeds ? d : 17, n);
                count[order_of(&s, over_seeds ? 0 : d)]++;
            }
            const double z = deviate(count, orders[n], draws);
            if (fabs(z) > 4.0)
                fail_msg("%u rows, %s: chi-square is %.1f deviations off", (unsigned)n,
                         over_seeds ? "seeds" : "epochs", z);
        }
    }
}

/* Every pair of rows is equally likely to come first, and to come last, among 3 to 64 rows: 124
 * looks, one of which is 4.5 deviations off by chance once in 1,000 times. */
static void test_pairs_of_small_sets(void **state) {
    (void)state;
    enum { EACH = 6, MOST = BL_PERMUTATION_SMALL * BL_PERMUTATION_SMALL };
    for (uint64_t n = 3; n <= BL_PERMUTATION_SMALL; n++) {
        static uint32_t count[2][MOST];
        const size_t cells = (size_t)(n * (n - 1)), draws = EACH * cells;
        bl_sampler s;
        memset(count, 0, sizeof count);
        bl_sampler_init(&s, 23, n);
        for (size_t d = 0; d < draws; d++) {
            for (int last = 0; last < 2; last++) {
                const uint64_t at = d * n + (last ? n - 2 : 0);
                const uint32_t a = bl_sampler_row(&s, at), b = bl_sampler_row(&s, at + 1);
                count[last][a * (n - 1) + b - (b > a)]++;
            }
        }
        for (int last = 0; last < 2; last++) {
            const double z = deviate(count[last], cells, draws);
            if (fabs(z) > 4.5)
                fail_msg("%u rows, %s pair: chi-square is %.1f deviations off", (unsigned)n,
                         last ? "last" : "first", z);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bijection),
                                       cmocka_unit_test(test_batches_nest),
                                       cmocka_unit_test(test_position_alone),
                                       cmocka_unit_test(test_epochs_and_seeds_differ),
                                       cmocka_unit_test(test_spread),
                                       cmocka_unit_test(test_orders_of_few_rows),
                                       cmocka_unit_test(test_pairs_of_small_sets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
