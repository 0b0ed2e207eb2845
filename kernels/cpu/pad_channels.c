/* pad_channels: the shortcut of a residual net without weights (He et al. 2016, option A). It
 * takes every stride-th position of x and appends channels of 0. A part has whole rows. */
#include "kernels/cpu/cpu.h"

void BL_CPU(pad_channels_forward)(const bl_pad_channels_forward *a, const bl_part *part) {
    const bl_pad_channels *p = &a->pad;
    const bl_range rows = bl_part_range(part, p->batch * p->out_height, 1);
    const size_t bytes = p->channels * sizeof *a->y;
    const size_t rest = (p->out_channels - p->channels) * sizeof *a->y;
    for (size_t row = rows.begin; row < rows.end; row++) {
        const size_t b = row / p->out_height, iy = row % p->out_height * p->stride;
        const float *x = a->x + (b * p->height + iy) * p->width * p->channels;
        float *y = a->y + row * p->out_width * p->out_channels;
        for (size_t ox = 0; ox < p->out_width; ox++, y += p->out_channels) {
            memcpy(y, x + ox * p->stride * p->channels, bytes);
            memset(y + p->channels, 0, rest);
        }
    }
}

/* Zeros first, then dy where a position was seen: the rest got no gradient. */
void BL_CPU(pad_channels_backward)(const bl_pad_channels_backward *a, const bl_part *part) {
    const bl_pad_channels *p = &a->pad;
    const bl_range rows = bl_part_range(part, p->batch * p->height, 1);
    const size_t bytes = p->channels * sizeof *a->dx;
    for (size_t row = rows.begin; row < rows.end; row++) {
        const size_t b = row / p->height, iy = row % p->height;
        float *dx = a->dx + row * p->width * p->channels;
        memset(dx, 0, p->width * bytes);
        if (iy % p->stride != 0) continue;
        const float *dy =
            a->dy + (b * p->out_height + iy / p->stride) * p->out_width * p->out_channels;
        for (size_t ox = 0; ox < p->out_width; ox++)
            memcpy(dx + ox * p->stride * p->channels, dy + ox * p->out_channels, bytes);
    }
}
