#include "kernels/kernel.h"
#include "tests/check.h"
#include <stdlib.h>

static void test_picks_the_first_usable(void **state) {
    (void)state;
    const bl_kernels *k = NULL;
    unsetenv("BL_FORCE_IMPL");
    CHECK_OK(bl_kernels_pick(&k, ERR));
    size_t first = 0;
    while (!bl_kernels_table[first]->usable()) first++;
    assert_ptr_equal(k, bl_kernels_table[first]);
    setenv("BL_FORCE_IMPL", "", 1);
    CHECK_OK(bl_kernels_pick(&k, ERR));
    assert_ptr_equal(k, bl_kernels_table[first]);
}

static void test_obeys_the_environment(void **state) {
    (void)state;
    for (size_t i = 0; i < bl_kernels_count; i++) {
        const bl_kernels *k = NULL;
        bl_err err = {0};
        setenv("BL_FORCE_IMPL", bl_kernels_table[i]->name, 1);
        const bl_status status = bl_kernels_pick(&k, &err);
        if (bl_kernels_table[i]->usable()) {
            assert_int_equal(status, BL_OK);
            assert_ptr_equal(k, bl_kernels_table[i]);
        } else {
            assert_int_equal(status, BL_EUNSUPPORTED);
        }
    }
}

static void test_refuses_an_unknown_name(void **state) {
    (void)state;
    const bl_kernels *k = NULL;
    bl_err err = {0};
    setenv("BL_FORCE_IMPL", "avx1024", 1);
    assert_int_equal(bl_kernels_pick(&k, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "avx1024"));
    assert_non_null(strstr(err.text, "scalar, ref"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_picks_the_first_usable),
        cmocka_unit_test(test_obeys_the_environment),
        cmocka_unit_test(test_refuses_an_unknown_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
