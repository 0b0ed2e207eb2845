/* Which register tiles a convolution uses: for a rectangle of positions that see the same taps, in
 * some images at once, along which dimension tiles go, how many positions each has, and whether one
 * tile takes two lines. Only speed depends on the choice; the bits are the contract's. A function
 * of numbers alone, apart from the kernels (cpu/conv2d.c), so that tests/unit/conv_select_test.c
 * can hold it to tables. */
#ifndef BL_KERNELS_CONV_SELECT_H
#define BL_KERNELS_CONV_SELECT_H
#include <stdbool.h>
#include <stddef.h>

/* The dimensions of positions, innermost first. */
enum { BL_CONV_COLUMNS, BL_CONV_LINES, BL_CONV_IMAGES, BL_CONV_DIMENSIONS };

/* How a line of positions, or two at once, is cut into tiles: as few as can be, all about equally
 * high. */
typedef struct bl_conv_line_cut {
    size_t vecs, lines, tiles;
    size_t each, higher; /* positions of a line in a tile; of so many tiles one more */
} bl_conv_line_cut;

typedef struct bl_conv_tiling {
    size_t along;              /* the dimension that tiles go along */
    bl_conv_line_cut one, two; /* one line, and two at once */
    bool pairs;                /* two at once is better */
} bl_conv_tiling;

/* For tiles of at most `most_rows` positions and `vecs` vectors of channels, and `count` positions
 * in each dimension, all at least 1. */
bl_conv_tiling bl_conv_select(size_t most_rows, size_t vecs,
                              const size_t count[BL_CONV_DIMENSIONS]);
#endif
