/* Pictures: from files or from the generator to the block that training reads, and their mean and
 * deviation. The formats themselves are picture_idx.c and picture_cifar.c. */
#include "engine/data/image/picture.h"
#include "engine/base/mem.h"
#include "engine/data/image/resize.h"
#include "kernels/shared/exact_math.h"
#include <stdio.h>
#include <string.h>

const bl_picture_format *const bl_picture_format_table[] = {&bl_picture_idx, &bl_picture_cifar};
const size_t bl_picture_format_count = BL_COUNT(bl_picture_format_table);

const bl_picture_format *bl_picture_format_find(const char *name) {
    for (size_t i = 0; i < bl_picture_format_count; i++)
        if (strcmp(bl_picture_format_table[i]->name, name) == 0) return bl_picture_format_table[i];
    return NULL;
}

/* A block being filled. */
typedef struct picture_block {
    unsigned char *bytes;
    bl_block_layout at;
    size_t picture;           /* bytes of one */
    bl_picture_size from, to; /* as the source has them, and as the block does */
    size_t from_picture;      /* bytes of one of the source */
} picture_block;

/* A block for `rows` pictures, the last test_rows of them for testing; h gets the counts. The
 * caller fills pixels and targets and frees out->bytes. */
static bl_status new_picture_block(picture_block *out, bl_block_header *h, const bl_manifest *m,
                                   size_t rows, size_t test_rows, bl_err *err) {
    const bl_picture_decl *d = &m->image;
    const size_t valid = (size_t)m->split.valid;
    if (rows - test_rows <= valid)
        BL_FAIL(err, BL_EINVAL,
                "data set '%s': %zu rows for validation leave none of %zu for training", m->name,
                valid, rows - test_rows);
    h->rows = rows;
    h->train_rows = rows - test_rows - valid;
    h->test_rows = test_rows;
    out->from = (bl_picture_size){d->height, d->width};
    out->to =
        d->resize_height > 0 ? (bl_picture_size){d->resize_height, d->resize_width} : out->from;
    h->height = (uint64_t)out->to.height;
    h->width = (uint64_t)out->to.width;
    h->channels = (uint64_t)d->channels;
    h->classes = (uint64_t)d->classes;
    snprintf(h->transform, sizeof h->transform, "none");
    h->target_max = (double)(d->classes - 1);
    out->picture = (size_t)(out->to.height * out->to.width * d->channels);
    out->from_picture = (size_t)(d->height * d->width * d->channels);
    return bl_block_new(&out->bytes, h, &out->at, err);
}

/* Mean and 1/deviation of each channel over the training rows, from exact integer sums. */
static void standardise_channels(picture_block *out, bl_block_header *h) {
    const uint8_t *pixels = out->bytes + out->at.pixels;
    const size_t channels = h->channels, n = h->train_rows * h->height * h->width;
    uint64_t sum[BL_PICTURE_CHANNELS] = {0}, square[BL_PICTURE_CHANNELS] = {0};
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < channels; c++) {
            const uint64_t x = pixels[i * channels + c];
            sum[c] += x;
            square[c] += x * x;
        }
    for (size_t c = 0; c < channels; c++) {
        const double mean = (double)sum[c] / (double)n;
        const double variance = (double)square[c] / (double)n - mean * mean;
        h->pixel_mean[c] = (float)mean;
        h->pixel_scale[c] = variance > 0 ? (float)(1 / bl_sqrt64(variance)) : 1.0f;
    }
    memcpy(out->bytes, h, sizeof *h);
}

/* One part's pictures, from row `row` on, and its labels. What is scaled is read aside first. */
static bl_status copy_part(picture_block *out, const bl_picture_format *format,
                           const bl_picture_decl *d, const bl_picture_files *part, size_t row,
                           bl_err *err) {
    uint8_t *pixels = out->bytes + out->at.pixels + row * out->picture;
    float *label = (float *)(void *)(out->bytes + out->at.target) + row;
    if (out->picture == out->from_picture) return format->copy(d, part, pixels, label, err);
    uint8_t *read = bl_alloc(part->rows * out->from_picture + 1);
    if (read == NULL) BL_FAIL(err, BL_ENOMEM, "no memory for %zu pictures", part->rows);
    const bl_status status = format->copy(d, part, read, label, err);
    for (size_t i = 0; i < part->rows && status == BL_OK; i++)
        bl_picture_resize(pixels + i * out->picture, out->to, read + i * out->from_picture,
                          out->from, (size_t)d->channels);
    free(read);
    return status;
}

/* Counts the rows of all parts first, so that each part is copied to its final place. The caller
 * frees *block. */
bl_status bl_picture_encode(unsigned char **block, bl_block_header *h, const bl_manifest *m,
                            bl_picture_files *part, size_t parts, bl_err *err) {
    const bl_picture_format *format = bl_picture_format_find(m->image.format);
    picture_block out;
    size_t rows = 0, test_rows = 0;
    for (size_t i = 0; i < parts; i++) {
        BL_TRY(format->count(&m->image, &part[i], err));
        rows += part[i].rows;
        test_rows += part[i].test ? part[i].rows : 0;
    }
    BL_TRY(new_picture_block(&out, h, m, rows, test_rows, err));
    size_t row = 0;
    bl_status status = BL_OK;
    for (size_t i = 0; i < parts && status == BL_OK; i++) {
        status = copy_part(&out, format, &m->image, &part[i], row, err);
        row += part[i].rows;
    }
    if (status != BL_OK) {
        free(out.bytes);
        return status;
    }
    standardise_channels(&out, h);
    *block = out.bytes;
    return BL_OK;
}

/* ---- the generator ---- */

/* Sub-streams of BL_STREAM_SYNTH. */
enum { WAVES = 1, EXAMPLE, NOISE };
enum { WAVES_EACH = 4, SHIFT = 2 };

/* A class's picture: a sum of slow waves around mid-grey, as floats (height, width, channels). */
static void draw_class(float *picture, const bl_picture_decl *d, uint64_t seed, uint64_t class) {
    for (int64_t c = 0; c < d->channels; c++)
        for (int64_t y = 0; y < d->height; y++)
            for (int64_t x = 0; x < d->width; x++) {
                float sum = 128;
                for (uint64_t k = 0; k < WAVES_EACH; k++) {
                    const bl_u32x4 r =
                        bl_random4(seed, BL_STREAM_SYNTH, WAVES,
                                   (class * (uint64_t)d->channels + (uint64_t)c) * WAVES_EACH + k);
                    const float turn = bl_unit_f32(r.v[0]) +
                                       (float)(r.v[1] % 3) * ((float)y / (float)d->height) +
                                       (float)(r.v[2] % 3) * ((float)x / (float)d->width);
                    sum += 30 * bl_sin_turn(turn - (float)(int32_t)turn);
                }
                picture[(y * d->width + x) * d->channels + c] = sum;
            }
}

/* `at` is at least -n. */
static int64_t wrap_around(int64_t at, int64_t n) {
    return (at + n) % n;
}

/* One example: its class's picture, shifted (it wraps around), with triangular noise: the sum of
 * two random bytes, whose deviation is 104.5. */
static void draw_example(uint8_t *to, const float *picture, const bl_picture_decl *d, uint64_t seed,
                         float noise, uint64_t row, const bl_u32x4 *r) {
    const int64_t dy = (int64_t)(r->v[1] % (2 * SHIFT + 1)) - SHIFT,
                  dx = (int64_t)(r->v[2] % (2 * SHIFT + 1)) - SHIFT,
                  n = d->height * d->width * d->channels;
    bl_u32x4 word = {{0}};
    for (int64_t i = 0; i < n; i++) {
        if (i % 8 == 0)
            word = bl_random4(seed, BL_STREAM_SYNTH, NOISE,
                              row * (uint64_t)((n + 7) / 8) + (uint64_t)(i / 8));
        const uint32_t two = word.v[i % 8 / 2] >> (i % 2 * 16);
        const float shake = noise * (float)((int32_t)(two & 255) + (int32_t)(two >> 8 & 255) - 255);
        const int64_t y = i / d->channels / d->width, x = i / d->channels % d->width;
        const float value =
            picture[(wrap_around(y + dy, d->height) * d->width + wrap_around(x + dx, d->width)) *
                        d->channels +
                    i % d->channels] +
            shake;
        to[i] = value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
    }
}

/* Pictures of all classes are drawn first; each example is then a Philox function of its row, at
 * the source's size. */
bl_status bl_picture_synthesise(unsigned char **block, bl_block_header *h, const bl_manifest *m,
                                bl_err *err) {
    const bl_picture_synth_decl *s = &m->image_synthetic;
    const bl_picture_decl *d = &m->image;
    const uint64_t seed = (uint64_t)s->seed;
    picture_block out;
    BL_TRY(
        new_picture_block(&out, h, m, (size_t)(s->rows + s->test_rows), (size_t)s->test_rows, err));
    float *picture = bl_alloc((size_t)d->classes * out.from_picture * sizeof *picture);
    uint8_t *drawn = bl_alloc(out.from_picture);
    if (picture == NULL || drawn == NULL) {
        free(picture);
        free(drawn);
        free(out.bytes);
        BL_FAIL(err, BL_ENOMEM, "no memory for %lld classes", (long long)d->classes);
    }
    for (size_t k = 0; k < (size_t)d->classes; k++)
        draw_class(picture + k * out.from_picture, d, seed, k);
    float *label = (float *)(void *)(out.bytes + out.at.target);
    for (size_t i = 0; i < h->rows; i++) {
        const bl_u32x4 r = bl_random4(seed, BL_STREAM_SYNTH, EXAMPLE, i);
        const size_t class = r.v[0] % (uint32_t)d->classes;
        label[i] = (float)class;
        draw_example(drawn, picture + class * out.from_picture, d, seed, (float)s->noise, i, &r);
        bl_picture_resize(out.bytes + out.at.pixels + i * out.picture, out.to, drawn, out.from,
                          (size_t)d->channels);
    }
    free(picture);
    free(drawn);
    standardise_channels(&out, h);
    *block = out.bytes;
    return BL_OK;
}
