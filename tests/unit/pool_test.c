/* Every part of every call is done exactly once, and is done when the call returns. */
#include "engine/base/mem.h"
#include "engine/base/pool.h"
#include "tests/check.h"

enum { PARTS = 7 };

typedef struct counts {
    int done[PARTS];
    size_t parts;
} counts;

static void count(void *ctx, size_t part, size_t parts) {
    counts *c = ctx;
    c->done[part]++;
    if (part == 0) c->parts = parts;
}

static void test_parts(void **state) {
    (void)state;
    for (size_t threads = 0; threads <= PARTS; threads++) {
        const size_t size = bl_size_max(threads, 1);
        bl_pool *pool = NULL;
        CHECK_OK(bl_pool_open(&pool, threads, ERR));
        assert_int_equal(bl_pool_size(pool), size);
        counts c = {0};
        for (int call = 1; call <= 300; call++) {
            bl_pool_run(pool, count, &c);
            for (size_t p = 0; p < PARTS; p++) assert_int_equal(c.done[p], p < size ? call : 0);
        }
        assert_int_equal(c.parts, size);
        bl_pool_close(pool);
    }
    bl_pool_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts)};
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
