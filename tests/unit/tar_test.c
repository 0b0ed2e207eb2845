/* Tar headers: fixed bytes, long names divided, what has no form refused. */
#include "engine/base/mem.h"
#include "engine/export/tar.h"
#include "tests/check.h"
#include <stdio.h>

enum { BLOCK = 512 };

static void a_file_is_a_header_and_whole_blocks(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 511, 512, 513};
    char bytes[513] = "x";
    for (size_t i = 0; i < BL_COUNT(sizes); i++) {
        bl_buf tar = {0};
        CHECK_OK(bl_tar_add(&tar, "a/b", bytes, sizes[i], ERR));
        assert_int_equal(tar.len, BLOCK + (sizes[i] + BLOCK - 1) / BLOCK * BLOCK);
        assert_string_equal(tar.data, "a/b");
        char size[12];
        (void)snprintf(size, sizeof size, "%011zo", sizes[i]);
        assert_memory_equal(tar.data + 124, size, 12);
        assert_memory_equal(tar.data + 257,
                            "ustar\0"
                            "00",
                            8);
        unsigned sum = 0;
        for (size_t k = 0; k < BLOCK; k++)
            sum += k >= 148 && k < 156 ? ' ' : (unsigned char)tar.data[k];
        assert_int_equal(strtoul(tar.data + 148, NULL, 8), sum);
        assert_string_equal(tar.data + 100, "0000644");
        const size_t before = tar.len;
        bl_tar_end(&tar);
        assert_int_equal(tar.len, before + 2 * BLOCK);
        bl_buf_free(&tar);
    }
}

static void long_names_are_divided(void **state) {
    (void)state;
    char name[400], first[160], last[110];
    bl_err err;
    bl_buf tar = {0};
    static const struct {
        int before, after;
        bool good;
    } cases[] = {
        {10,  100, true },
        {155, 100, true },
        {156, 100, false},
        {10,  101, false}
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        memset(first, 'p', sizeof first);
        memset(last, 'n', sizeof last);
        (void)snprintf(name, sizeof name, "%.*s/%.*s", cases[i].before, first, cases[i].after,
                       last);
        bl_buf_clear(&tar);
        const bl_status status = bl_tar_add(&tar, name, "x", 1, &err);
        assert_int_equal(status, cases[i].good ? BL_OK : BL_EINVAL);
        if (!cases[i].good) continue;
        assert_memory_equal(tar.data, last, (size_t)cases[i].after);
        assert_memory_equal(tar.data + 345, first, (size_t)cases[i].before);
    }
    /* A folder's name has nothing after its last '/'. */
    (void)snprintf(name, sizeof name, "%.*s/", 101, first);
    assert_int_equal(bl_tar_add(&tar, name, "x", 1, &err), BL_EINVAL);
    bl_buf_free(&tar);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_a_header_and_whole_blocks),
        cmocka_unit_test(long_names_are_divided),
    };
    return cmocka_run_group_tests_name("tar", tests, NULL, NULL);
}
