/* The register tiles that convolutions choose, against tables worked out by hand. */
#include "engine/base/mem.h"
#include "kernels/conv_select.h"
#include "tests/check.h"

typedef struct choice {
    const char *what;
    size_t most_rows, vecs, count[BL_CONV_DIMENSIONS];
    size_t along, tiles, each, higher;
    bool pairs;
} choice;

/* A tile is full with 10 chains: 10 positions of one vector, 5 of two, 4 of three. */
static const choice k_choices[] = {
  /* 5 x 5 "same" on 14 x 14 to 64 channels with vectors of 16: two vectors, up to 8 positions;
  * ten images are worked on at once. The inside is 10 x 10, the border a row or a column. */
    {"inside",               8, 2, {10, 10, 10}, BL_CONV_COLUMNS, 2, 5, 0, false},
    {"border row",           8, 2, {10, 1, 10},  BL_CONV_COLUMNS, 2, 5, 0, false},
    {"border column",        8, 2, {1, 10, 10},  BL_CONV_LINES,   2, 5, 0, false},
    {"corner",               8, 2, {1, 1, 10},   BL_CONV_IMAGES,  2, 5, 0, false},
    {"corner of one image",  8, 2, {1, 1, 1},    BL_CONV_COLUMNS, 1, 1, 0, true },
 /* Lines of 3 fill three fifths of a tile, six of two lines all of it. */
    {"short lines",          8, 2, {3, 4, 1},    BL_CONV_COLUMNS, 1, 3, 0, true },
 /* 4 of 5 along the line is not 1.5 times worse than 5 of 5 down the column. */
    {"no switch for little", 8, 2, {4, 5, 1},    BL_CONV_COLUMNS, 1, 4, 0, true },
 /* 10 positions of one vector are never full with 8: all equal, so the line. */
    {"one vector",           8, 1, {8, 8, 8},    BL_CONV_COLUMNS, 1, 8, 0, false},
 /* 11 positions in tiles of at most 6: 6 and 5. */
    {"unequal tiles",        6, 2, {11, 1, 1},   BL_CONV_COLUMNS, 2, 5, 1, false},
    {"tiles of four",        4, 3, {14, 14, 1},  BL_CONV_COLUMNS, 4, 3, 2, true },
};

static void test_choices(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_choices); i++) {
        const choice *c = &k_choices[i];
        const bl_conv_tiling t = bl_conv_select(c->most_rows, c->vecs, c->count);
        if (t.along != c->along || t.one.tiles != c->tiles || t.one.each != c->each ||
            t.one.higher != c->higher || t.pairs != c->pairs)
            fail_msg("%s: along %zu, %zu tiles of %zu, %zu of them higher, pairs %d", c->what,
                     t.along, t.one.tiles, t.one.each, t.one.higher, t.pairs);
    }
}

/* Whatever the counts: tiles cover every position once, and none is higher than a register tile. */
static void test_cover(void **state) {
    (void)state;
    for (size_t most = 4; most <= 8; most++)
        for (size_t vecs = 1; vecs <= 3; vecs++)
            for (size_t n = 1; n < 4096; n++) {
                const size_t count[] = {n / 256 + 1, n / 16 % 16 + 1, n % 16 + 1};
                const bl_conv_tiling t = bl_conv_select(most, vecs, count);
                const bl_conv_line_cut *cut[] = {&t.one, &t.two};
                for (size_t i = 0; i < BL_COUNT(cut); i++) {
                    assert_int_equal(cut[i]->tiles * cut[i]->each + cut[i]->higher, count[t.along]);
                    assert_true(cut[i]->lines * (cut[i]->each + (cut[i]->higher > 0)) <= most);
                }
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_choices),
                                       cmocka_unit_test(test_cover)};
    return cmocka_run_group_tests_name("conv_select", tests, NULL, NULL);
}
