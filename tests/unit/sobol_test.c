/* Sobol's sequence: known points, the balance it promises, and that a shift keeps it. */
#include "engine/base/mem.h"
#include "engine/lua/sobol.h"
#include "tests/check.h"
#include <stdbool.h>
#include <string.h>

/* Points of the tables of Joe and Kuo, all 16 coordinates times 2^32. */
static void known_points(void **state) {
    (void)state;
    static const struct {
        uint32_t index, at[BL_SOBOL_DIMENSIONS];
    } cases[] = {
        {5,
         {2684354560u, 536870912u, 3758096384u, 2684354560u, 2684354560u, 3758096384u, 536870912u,
          536870912u, 536870912u, 1610612736u, 536870912u, 2684354560u, 536870912u, 3758096384u,
          2684354560u, 2684354560u}},
        {11,
         {3489660928u, 2952790016u, 3489660928u, 268435456u, 1879048192u, 4026531840u, 2415919104u,
          2415919104u, 2415919104u, 1879048192u, 3489660928u, 4026531840u, 268435456u, 3489660928u,
          805306368u, 2415919104u} },
        {777,
         {2428502016u, 809500672u, 3829399552u, 767557632u, 1161822208u, 549453824u, 3443523584u,
          952107008u, 2965372928u, 3661627392u, 1782579200u, 1841299456u, 4273995776u, 1270874112u,
          843055104u, 2202009600u} },
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++)
        for (uint32_t d = 0; d < BL_SOBOL_DIMENSIONS; d++)
            assert_int_equal(bl_sobol(cases[i].index, d), cases[i].at[d]);
    for (uint32_t d = 0; d < BL_SOBOL_DIMENSIONS; d++) {
        assert_int_equal(bl_sobol(0, d), 0);
        assert_int_equal(bl_sobol(1, d), 1u << 31);
    }
}

/* 2^k points from any multiple of 2^k on: one in each of 2^k equal intervals, on every coordinate
 * and under every shift. */
static void every_coordinate_is_uniform(void **state) {
    (void)state;
    enum { K = 6, N = 1 << K };
    for (uint64_t seed = 0; seed < 5; seed++)
        for (uint32_t d = 0; d < BL_SOBOL_DIMENSIONS; d++)
            for (uint32_t block = 0; block < 4; block++) {
                bool seen[N] = {false};
                for (uint32_t i = 0; i < N; i++) {
                    const double u = bl_sobol_shifted(seed, block * N + i, d);
                    assert_true(u > 0 && u < 1);
                    seen[(size_t)(u * N)] = true;
                }
                for (size_t i = 0; i < N; i++) assert_true(seen[i]);
            }
}

/* The first two coordinates are a (0, 2)-sequence: one of 2^k points in each box of that volume. */
static void two_coordinates_fill_the_square(void **state) {
    (void)state;
    enum { K = 8, N = 1 << K };
    for (uint32_t split = 0; split <= K; split++) {
        bool seen[N] = {false};
        const double across = (double)(1u << split), up = (double)(1u << (K - split));
        for (uint32_t i = 0; i < N; i++) {
            const size_t column = (size_t)(bl_sobol_shifted(3, i, 0) * across);
            const size_t row = (size_t)(bl_sobol_shifted(3, i, 1) * up);
            seen[column * (1u << (K - split)) + row] = true;
        }
        for (size_t i = 0; i < N; i++) assert_true(seen[i]);
    }
}

static void seeds_shift_coordinates_apart(void **state) {
    (void)state;
    assert_true(bl_sobol_shifted(1, 0, 0) != bl_sobol_shifted(2, 0, 0));
    assert_true(bl_sobol_shifted(1, 0, 0) != bl_sobol_shifted(1, 0, 1));
    /* Runs of searches are named after these bits. */
    assert_true(bl_sobol_shifted(1, 9, 4) == 0x1.d4b07f06p-2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_points),
        cmocka_unit_test(every_coordinate_is_uniform),
        cmocka_unit_test(two_coordinates_fill_the_square),
        cmocka_unit_test(seeds_shift_coordinates_apart),
    };
    return cmocka_run_group_tests_name("sobol", tests, NULL, NULL);
}
