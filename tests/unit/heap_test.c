/* The sandbox's heap: whatever is taken, changed and given back, blocks keep their bytes, do not
 * overlap, and in the end the region is whole again. */
#include "engine/base/philox.h"
#include "engine/lua/heap.h"
#include "tests/check.h"
#include <stdint.h>
#include <string.h>

enum { BYTES = 1 << 20, SLOTS = 64 };

static uint32_t draw(uint32_t i, uint32_t n) {
    return bl_random4(7, BL_STREAM_SYNTH, 3, i).v[0] % n;
}

/* Small, middling and now and then large. */
static size_t some_size(uint32_t i) {
    static const uint32_t most[] = {40, 40, 400, 4000, 4000, 200000};
    return 1 + draw(3 * i + 1, most[draw(3 * i + 2, 6)]);
}

static void check_bytes(const unsigned char *p, size_t n, unsigned char value) {
    for (size_t i = 0; i < n; i++) assert_int_equal(p[i], value);
}

static void blocks_keep_their_bytes(void **state) {
    (void)state;
    bl_heap *heap = bl_heap_open(BYTES);
    unsigned char *at[SLOTS] = {0};
    size_t size[SLOTS] = {0};
    int refused = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        const uint32_t s = draw(3 * i, SLOTS);
        const size_t want = draw(i, 5) == 0 ? 0 : some_size(i);
        const size_t common = want < size[s] ? want : size[s];
        unsigned char *p = bl_heap_resize(heap, at[s], want);
        if (p == NULL && want > 0) {
            assert_true(want > size[s]); /* smaller always works */
            check_bytes(at[s], size[s], (unsigned char)s);
            refused++;
            continue;
        }
        assert_true((uintptr_t)p % 16 == 0);
        check_bytes(p, common, (unsigned char)s);
        if (want > 0) memset(p, (int)s, want);
        at[s] = p;
        size[s] = want;
        if (i % 100 == 0) assert_true(bl_heap_sound(heap));
    }
    assert_true(refused > 100);
    for (uint32_t s = 0; s < SLOTS; s++) {
        check_bytes(at[s], size[s], (unsigned char)s);
        (void)bl_heap_resize(heap, at[s], 0);
        assert_true(bl_heap_sound(heap));
    }
    void *all = bl_heap_resize(heap, NULL, BYTES / 8 * 7 - 4096); /* one block again */
    assert_non_null(all);
    bl_heap_close(heap);
}

static void a_block_grows_in_place(void **state) {
    (void)state;
    bl_heap *heap = bl_heap_open(BYTES);
    char *a = bl_heap_resize(heap, NULL, 100), *b = bl_heap_resize(heap, NULL, 100);
    char *c = bl_heap_resize(heap, NULL, 100);
    assert_ptr_equal(bl_heap_resize(heap, b, 0), NULL);
    assert_ptr_equal(bl_heap_resize(heap, a, 200), a);
    assert_ptr_equal(bl_heap_resize(heap, a, 50), a);
    assert_ptr_equal(bl_heap_resize(heap, c, 300), c);
    assert_true(bl_heap_sound(heap));
    assert_null(bl_heap_resize(heap, c, BYTES));
    assert_null(bl_heap_resize(heap, NULL, SIZE_MAX));
    assert_null(bl_heap_resize(heap, NULL, 0));
    bl_heap_close(heap);
    bl_heap_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_keep_their_bytes),
        cmocka_unit_test(a_block_grows_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
