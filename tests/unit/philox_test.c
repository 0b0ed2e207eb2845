#include "engine/base/philox.h"
#include "tests/check.h"

/* kat_vectors of Random123 (Salmon et al. 2011) for philox4x32, 10 rounds. */
static void test_known_answers(void **state) {
    (void)state;
    static const struct {
        bl_u32x4 counter;
        uint32_t k0, k1;
        bl_u32x4 want;
    } kat[] = {
        {{{0, 0, 0, 0}},                                     0,   0,          {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}},
        {{{~0u, ~0u, ~0u, ~0u}},                             ~0u, ~0u,        {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}},
        {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
         0xa4093822,                                              0x299f31d0,
         {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}                                                                     },
    };
    for (size_t i = 0; i < sizeof kat / sizeof kat[0]; i++) {
        const bl_u32x4 got = bl_philox4x32(kat[i].counter, kat[i].k0, kat[i].k1);
        assert_memory_equal(&got, &kat[i].want, sizeof got);
    }
}

/* Where seed, stream, sub-stream and index go: part of the numerics epoch. */
static void test_counter_layout(void **state) {
    (void)state;
    const bl_u32x4 counter = {
        {0x89abcdef, 0x01234567, 77, BL_STREAM_DROPOUT}
    };
    const bl_u32x4 want = bl_philox4x32(counter, 0xdeadbeef, 0xfeedface);
    const bl_u32x4 got = bl_random4(0xfeedfacedeadbeef, BL_STREAM_DROPOUT, 77, 0x0123456789abcdef);
    assert_memory_equal(&got, &want, sizeof got);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(bl_random_u32(5, BL_STREAM_INIT, 6, 4 * 9 + i),
                         bl_random4(5, BL_STREAM_INIT, 6, 9).v[i]);
}

static void test_unit_ranges(void **state) {
    (void)state;
    assert_true(bl_unit_f32(0) == 0.0f);
    assert_true(bl_unit_f32(~0u) == 1.0f - 0x1p-24f);
    assert_true(bl_unit_f64(0, 0) == 0.0);
    assert_true(bl_unit_f64(~0u, ~0u) == 1.0 - 0x1p-53);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_counter_layout),
        cmocka_unit_test(test_unit_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
