#include "kernels/ref/ref.h"

/* The feature of y that stands for (position (row, column), channel) of example b. */
static BL_HD size_t y_at(const bl_pad_channels *p, size_t b, size_t row, size_t column, size_t c) {
    return ((b * p->out_height + row) * p->out_width + column) * p->out_channels + c;
}

/* y[b][oy][ox][c] = x[b][oy s][ox s][c] for the channels that x has, else +0; s is the stride. */
BL_REF void bl_pad_channels_forward_ref(const bl_pad_channels_forward *a, const bl_part *part) {
    const bl_pad_channels *p = &a->pad;
    const bl_range rows = bl_part_range(part, p->batch * p->out_height, 1);
    for (size_t row = rows.begin; row < rows.end; row++)
        for (size_t ox = 0; ox < p->out_width; ox++)
            for (size_t c = 0; c < p->out_channels; c++) {
                const size_t b = row / p->out_height, oy = row % p->out_height;
                const size_t from = (b * p->height + oy * p->stride) * p->width + ox * p->stride;
                a->y[y_at(p, b, oy, ox, c)] = c < p->channels ? a->x[from * p->channels + c] : 0.0f;
            }
}

/* dx[b][iy][ix][c] = dy of the position that saw it; +0 where none did. */
BL_REF void bl_pad_channels_backward_ref(const bl_pad_channels_backward *a, const bl_part *part) {
    const bl_pad_channels *p = &a->pad;
    const bl_range rows = bl_part_range(part, p->batch * p->height, 1);
    for (size_t row = rows.begin; row < rows.end; row++)
        for (size_t ix = 0; ix < p->width; ix++)
            for (size_t c = 0; c < p->channels; c++) {
                const size_t b = row / p->height, iy = row % p->height;
                const bool seen = iy % p->stride == 0 && ix % p->stride == 0;
                a->dx[(row * p->width + ix) * p->channels + c] =
                    seen ? a->dy[y_at(p, b, iy / p->stride, ix / p->stride, c)] : 0.0f;
            }
}
