/* Pooling, as specification. Windows of size x size positions, `stride` apart: that of (oy, ox)
 * covers rows oy * stride + ty, columns ox * stride + tx, for ty, tx < size. */
#include "kernels/ref/ref.h"

/* The same position's value in the image of example b. */
static BL_HD size_t x_at(const bl_pool2d *p, size_t b, size_t row, size_t column, size_t c) {
    return ((b * p->height + row) * p->width + column) * p->channels + c;
}

/* The largest value of one window, in channel c, and its number t = ty * size + tx in it; a NaN
 * wins over every number. */
static BL_HD void largest(const bl_max_pool_forward *a, size_t b, size_t oy, size_t ox, size_t c,
                          size_t out) {
    const bl_pool2d *p = &a->pool;
    for (size_t t = 0; t < p->size * p->size; t++) {
        const float x =
            a->x[x_at(p, b, oy * p->stride + t / p->size, ox * p->stride + t % p->size, c)];
        if (t > 0 && !(x > a->y[out] || x != x)) continue;
        a->y[out] = x;
        a->index[out] = (float)t;
    }
}

/* y = max of the window. A part has whole rows of y. */
BL_REF void bl_max_pool_forward_ref(const bl_max_pool_forward *a, const bl_part *part) {
    const bl_pool2d *p = &a->pool;
    const bl_range rows = bl_part_range(part, p->batch * p->out_height, 1);
    for (size_t row = rows.begin; row < rows.end; row++)
        for (size_t ox = 0; ox < p->out_width; ox++)
            for (size_t c = 0; c < p->channels; c++)
                largest(a, row / p->out_height, row % p->out_height, ox, c,
                        (row * p->out_width + ox) * p->channels + c);
}

/* Sum of dy over the windows that contain a position; of those whose index names it, if given. */
static BL_HD float gather(const bl_pool2d *p, const float *dy, const float *index, size_t b,
                          size_t iy, size_t ix, size_t c) {
    float acc = 0;
    for (size_t oy = 0; oy < p->out_height; oy++)
        for (size_t ox = 0; ox < p->out_width; ox++) {
            const size_t ty = iy - oy * p->stride, tx = ix - ox * p->stride;
            if (ty >= p->size || tx >= p->size) continue;
            const size_t at = ((b * p->out_height + oy) * p->out_width + ox) * p->channels + c;
            if (index == NULL || index[at] == (float)(ty * p->size + tx)) acc = acc + dy[at];
        }
    return acc;
}

/* dx = sum of dy over the windows whose largest value was here. */
BL_REF void bl_max_pool_backward_ref(const bl_max_pool_backward *a, const bl_part *part) {
    const bl_pool2d *p = &a->pool;
    const bl_range rows = bl_part_range(part, p->batch * p->height, 1);
    for (size_t row = rows.begin; row < rows.end; row++)
        for (size_t ix = 0; ix < p->width; ix++)
            for (size_t c = 0; c < p->channels; c++)
                a->dx[(row * p->width + ix) * p->channels + c] =
                    gather(p, a->dy, a->index, row / p->height, row % p->height, ix, c);
}

/* The mean of one window in channel c, by rule F. */
static BL_HD float mean(const bl_avg_pool_forward *a, size_t b, size_t oy, size_t ox, size_t c) {
    const bl_pool2d *p = &a->pool;
    const size_t terms = p->size * p->size;
    float sum = 0;
    for (size_t begin = 0; begin < terms; begin += BL_BLOCK) {
        float acc = 0;
        for (size_t t = begin; t < bl_ref_block_end(begin, terms); t++)
            acc = acc +
                  a->x[x_at(p, b, oy * p->stride + t / p->size, ox * p->stride + t % p->size, c)];
        sum = begin == 0 ? acc : sum + acc;
    }
    return sum / (float)terms;
}

/* y = mean of the window. */
BL_REF void bl_avg_pool_forward_ref(const bl_avg_pool_forward *a, const bl_part *part) {
    const bl_pool2d *p = &a->pool;
    const bl_range rows = bl_part_range(part, p->batch * p->out_height, 1);
    for (size_t row = rows.begin; row < rows.end; row++)
        for (size_t ox = 0; ox < p->out_width; ox++)
            for (size_t c = 0; c < p->channels; c++)
                a->y[(row * p->out_width + ox) * p->channels + c] =
                    mean(a, row / p->out_height, row % p->out_height, ox, c);
}

/* dx = sum of dy over the windows around, / size^2. */
BL_REF void bl_avg_pool_backward_ref(const bl_avg_pool_backward *a, const bl_part *part) {
    const bl_pool2d *p = &a->pool;
    const bl_range rows = bl_part_range(part, p->batch * p->height, 1);
    for (size_t row = rows.begin; row < rows.end; row++)
        for (size_t ix = 0; ix < p->width; ix++)
            for (size_t c = 0; c < p->channels; c++)
                a->dx[(row * p->width + ix) * p->channels + c] =
                    gather(p, a->dy, NULL, row / p->height, row % p->height, ix, c) /
                    (float)(p->size * p->size);
}
