/* Pictures as a net sees them: bytes become standardised floats, moved and mirrored in training. */
#include "engine/data/image/augment.h"
#include "engine/base/mem.h"
#include "engine/base/numerics.h"
#include <string.h>

enum { PERIOD = 16 }; /* pixels after which channels and vectors begin together again */

/* value = (pixel - mean) * scale of its channel, for n bytes, whole pixels. Every loop runs over
 * numbers side by side, so that compilers make vectors of it: of one channel as it stands, of
 * several with means and scales laid out as the bytes are, PERIOD pixels at a time. */
BL_CLONES static void standardise(float *restrict values, const bl_dataset *d,
                                  const uint8_t *restrict from, size_t n) {
    const size_t turn = PERIOD * d->channels;
    float mean[PERIOD * BL_PICTURE_CHANNELS], scale[PERIOD * BL_PICTURE_CHANNELS];
    if (d->channels == 1) {
        const float only_mean = d->pixel_mean[0], only_scale = d->pixel_scale[0];
        for (size_t i = 0; i < n; i++) values[i] = ((float)from[i] - only_mean) * only_scale;
        return;
    }
    for (size_t i = 0; i < turn; i++) {
        mean[i] = d->pixel_mean[i % d->channels];
        scale[i] = d->pixel_scale[i % d->channels];
    }
    for (size_t at = 0; at < n; at += turn) {
        const size_t end = bl_size_min(turn, n - at);
        for (size_t i = 0; i < end; i++)
            values[at + i] = ((float)from[at + i] - mean[i]) * scale[i];
    }
}

/* Pixels of one line, from column x0 on; `step` -1 takes them backwards. What lies outside is 0. */
static void picture_line(float *values, const bl_dataset *d, const uint8_t *from, int64_t x0,
                         int step) {
    const int64_t width = (int64_t)d->width;
    for (int64_t x = 0; x < width; x++, values += d->channels) {
        const int64_t at = x0 + step * x;
        for (size_t c = 0; c < d->channels; c++)
            values[c] = at < 0 || at >= width
                            ? 0.0f
                            : ((float)from[(size_t)at * d->channels + c] - d->pixel_mean[c]) *
                                  d->pixel_scale[c];
    }
}

/* Without augmentation one loop over all bytes. With it each line is read from where the shift
 * has moved it: line y comes from y + dy, and column x from x + dx, or mirrored from width - 1 -
 * dx - x. */
void bl_picture_values(float *values, const bl_dataset *d, size_t row, const bl_augment *augment,
                       uint64_t position) {
    const size_t stride = d->width * d->channels;
    const uint8_t *from = d->pixels + row * d->height * stride;
    if (augment == NULL || (augment->crop == 0 && !augment->flip)) {
        standardise(values, d, from, d->height * stride);
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
