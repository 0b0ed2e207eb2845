/* Pictures as a net sees them: bytes become standardised floats, moved and mirrored in training. */
#include "engine/data/image/augment.h"
#include <string.h>

/* Pixels of one line, taken from column x0 on; `step` -1 takes them backwards. */
static void picture_line(float *values, const bl_dataset *d, const uint8_t *from, int64_t x0,
                         int step) {
    const int64_t width = (int64_t)d->width;
    for (int64_t x = 0; x < width; x++) {
        const int64_t at = x0 + step * x;
        for (size_t c = 0; c < d->channels; c++)
            *values++ = at < 0 || at >= width
                            ? 0.0f
                            : ((float)from[(size_t)at * d->channels + c] - d->pixel_mean[c]) *
                                  d->pixel_scale[c];
    }
}

/* The picture as it is: value = (pixel - mean) * scale of its channel. */
static void whole_picture(float *values, const bl_dataset *d, const uint8_t *from) {
    const size_t n = d->height * d->width * d->channels;
    for (size_t c = 0; c < d->channels; c++) {
        const float mean = d->pixel_mean[c], scale = d->pixel_scale[c];
        for (size_t i = c; i < n; i += d->channels) values[i] = ((float)from[i] - mean) * scale;
    }
}

void bl_picture_values(float *values, const bl_dataset *d, size_t row, const bl_augment *augment,
                       uint64_t position) {
    const size_t stride = d->width * d->channels;
    const uint8_t *from = d->pixels + row * d->height * stride;
    if (augment == NULL || (augment->crop == 0 && !augment->flip)) {
        whole_picture(values, d, from);
        return;
    }
    const bl_shift shift = bl_shift_of(augment, position);
    const int64_t dy = shift.dy, dx = shift.dx;
    for (int64_t y = 0; y < (int64_t)d->height; y++, values += stride) {
        if (y + dy < 0 || y + dy >= (int64_t)d->height)
            memset(values, 0, stride * sizeof *values);
        else
            picture_line(values, d, from + (size_t)(y + dy) * stride,
                         shift.mirrored ? (int64_t)d->width - 1 - dx : dx, shift.mirrored ? -1 : 1);
    }
}
