/* See conv_select.h.
 *
 * A tile of r positions and v vectors has r * v chains. A multiply-add takes several cycles, and
 * several start in one, so about CHAINS chains have to run at once; with fewer the tile waits. So
 * the score of a cut is the positions it computes over the time it takes, in units of a full
 * tile's: a tile that would need `least` positions to be full takes the time of `least`.
 *
 * Tiles go along a line unless another dimension is SWITCH_GAIN times better: its positions are far
 * apart in memory. For the border of a picture it is: a border column is one position wide, a
 * corner one position altogether, and there tiles go down the column or through the images. */
#include "kernels/conv_select.h"
#include "engine/base/mem.h"

enum { CHAINS = 10 }; /* that keep the multipliers busy */
static const float SWITCH_GAIN = 1.5f;

static bl_conv_line_cut cut_lines(size_t most_rows, size_t vecs, size_t lines, size_t count) {
    const size_t most = most_rows / lines, tiles = (count + most - 1) / most;
    return (bl_conv_line_cut){vecs, lines, tiles, count / tiles, count % tiles};
}

/* The part of the time in which such tiles multiply, in (0, 1]. */
static float use_of(const bl_conv_line_cut *c) {
    const size_t least = (CHAINS + c->vecs - 1) / c->vecs, rows = c->lines * c->each;
    const size_t positions = c->tiles * rows + c->higher * c->lines;
    const size_t time = c->higher * bl_size_max(rows + c->lines, least) +
                        (c->tiles - c->higher) * bl_size_max(rows, least);
    return (float)positions / (float)time;
}

bl_conv_tiling bl_conv_select(size_t most_rows, size_t vecs,
                              const size_t count[BL_CONV_DIMENSIONS]) {
    bl_conv_tiling t = {.along = BL_CONV_COLUMNS,
                        .one = cut_lines(most_rows, vecs, 1, count[BL_CONV_COLUMNS])};
    for (size_t i = BL_CONV_LINES; i < BL_CONV_DIMENSIONS; i++) {
        const bl_conv_line_cut other = cut_lines(most_rows, vecs, 1, count[i]);
        if (use_of(&other) < SWITCH_GAIN * use_of(&t.one)) continue;
        t.along = i;
        t.one = other;
    }
    t.two = cut_lines(most_rows, vecs, 2, count[t.along]);
    t.pairs = use_of(&t.two) > use_of(&t.one);
    return t;
}
