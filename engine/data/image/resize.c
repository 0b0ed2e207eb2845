/* Bilinear scaling in whole numbers. Two grey pixels 0 and 80 become four: their centres lie at
 * 1/4 and 3/4 of the line, those of the four at 1/8, 3/8, 5/8 and 7/8. In units of the old
 * pixels that is -1/4, 1/4, 3/4, 5/4:
 *
 *     pixel         0      1      2      3
 *     place         0     1/4    3/4     1        kept between the old centres
 *     value         0     20     60     80
 *
 * Places are fractions of 2 n, so that every weight is a whole number and rounding happens once, at
 * the end. */
#include "engine/data/image/resize.h"

/* Where pixel i of n lies among m: between `first` and `second`, `part` of 2 n on the way. */
typedef struct place {
    int64_t first, second, part;
} place;

/* The centre (i + 1/2) m / n - 1/2, as a fraction of 2 n, kept between the outer centres. */
static place place_of(int64_t i, int64_t n, int64_t m) {
    int64_t at = (2 * i + 1) * m - n;
    if (at < 0) at = 0;
    if (at > (m - 1) * 2 * n) at = (m - 1) * 2 * n;
    const int64_t first = at / (2 * n);
    return (place){first, first + 1 < m ? first + 1 : first, at % (2 * n)};
}

void bl_picture_resize(uint8_t *to, bl_picture_size to_size, const uint8_t *from,
                       bl_picture_size from_size, size_t channels) {
    const int64_t wy = 2 * to_size.height, wx = 2 * to_size.width;
    const size_t row = (size_t)from_size.width * channels;
    for (int64_t y = 0; y < to_size.height; y++) {
        const place py = place_of(y, to_size.height, from_size.height);
        const uint8_t *above = from + (size_t)py.first * row,
                      *below = from + (size_t)py.second * row;
        for (int64_t x = 0; x < to_size.width; x++) {
            const place px = place_of(x, to_size.width, from_size.width);
            const size_t left = (size_t)px.first * channels, right = (size_t)px.second * channels;
            for (size_t c = 0; c < channels; c++) {
                const int64_t top = (wx - px.part) * above[left + c] + px.part * above[right + c];
                const int64_t low = (wx - px.part) * below[left + c] + px.part * below[right + c];
                const int64_t sum = (wy - py.part) * top + py.part * low;
                *to++ = (uint8_t)((sum + wy * wx / 2) / (wy * wx));
            }
        }
    }
}
