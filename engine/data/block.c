/* The encoded data set as one block of bytes: its layout, and the check of a block from a file.
 *
 *     header | cardinality | names | codes | values | target | pixels      each part at 64 bytes
 *
 * A block is either a table (codes and values) or pictures (pixels); the other parts are empty.
 * Sizes come from the header's counts alone, so bl_block_open first checks the counts, then that
 * the parts fit the bytes that are there, then the contents that others index with: codes below
 * their column's cardinality, class numbers below the number of classes. After it no reader has to
 * check again. */
#include "engine/data/block.h"
#include "engine/base/mem.h"
#include <math.h>
#include <string.h>

/* Adds count x size bytes at the next multiple of 64. */
static bool reserve_part(size_t *end, uint64_t count, uint64_t width, size_t size, size_t *at) {
    size_t bytes;
    *at = (*end + 63) / 64 * 64;
    return *at >= *end && bl_mul_size(&bytes, count, width) && bl_mul_size(&bytes, bytes, size) &&
           !__builtin_add_overflow(*at, bytes, end);
}

/* Bytes of one; 0: a table. The header's check has bounded each side. */
static uint64_t picture_bytes(const bl_block_header *h) {
    return h->height * h->width * h->channels;
}

bool bl_block_lay_out(const bl_block_header *h, bl_block_layout *l) {
    size_t end = sizeof *h;
    const bool fits = reserve_part(&end, h->categorical, 1, sizeof(uint32_t), &l->cardinality) &&
                      reserve_part(&end, h->names_bytes, 1, 1, &l->names) &&
                      reserve_part(&end, h->rows, h->categorical, sizeof(uint16_t), &l->codes) &&
                      reserve_part(&end, h->rows, h->continuous, sizeof(float), &l->values) &&
                      reserve_part(&end, h->rows, 1, sizeof(float), &l->target) &&
                      reserve_part(&end, h->rows, picture_bytes(h), 1, &l->pixels);
    l->bytes = end;
    return fits && end < SIZE_MAX / 2;
}

bl_status bl_block_new(unsigned char **block, bl_block_header *header, bl_block_layout *layout,
                       bl_err *err) {
    const bool fits = bl_block_lay_out(header, layout);
    *block = fits ? bl_alloc(layout->bytes) : NULL;
    if (*block == NULL)
        BL_FAIL(err, BL_ENOMEM, "no memory for %llu rows of %llu columns",
                (unsigned long long)header->rows,
                (unsigned long long)(header->categorical + header->continuous));
    memcpy(header->magic, BL_BLOCK_MAGIC, sizeof header->magic);
    header->order = BL_BLOCK_ORDER;
    header->bytes = layout->bytes;
    memcpy(*block, header, sizeof *header);
    return BL_OK;
}

/* Whether the text ends within its n bytes. */
static bool terminated(const char *text, size_t n) {
    return memchr(text, '\0', n) != NULL;
}

/* Either no picture at all, or one of a bounded size without columns beside it. */
static bool check_picture(const bl_block_header *h) {
    if (picture_bytes(h) == 0) return h->height == 0 && h->width == 0 && h->channels == 0;
    for (size_t c = 0; c < BL_PICTURE_CHANNELS; c++)
        if (!isfinite(h->pixel_mean[c]) || !isfinite(h->pixel_scale[c])) return false;
    return h->height <= 4096 && h->width <= 4096 && h->channels <= BL_PICTURE_CHANNELS &&
           picture_bytes(h) <= BL_PICTURE_BYTES && h->categorical == 0 && h->continuous == 0;
}

/* A standardised target has a mean and a deviation above 0; any other has 0 for both. */
static bool check_scale(const bl_block_header *h) {
    return isfinite(h->target_mean) && isfinite(h->target_deviation) && h->target_deviation >= 0;
}

/* Every field of the header by itself and against the n bytes of the block; *l gets the layout. */
static bool check_header(const bl_block_header *h, size_t n, bl_block_layout *l) {
    return memcmp(h->magic, BL_BLOCK_MAGIC, sizeof h->magic) == 0 && h->order == BL_BLOCK_ORDER &&
           h->bytes == n && check_picture(h) && check_scale(h) && bl_block_lay_out(h, l) &&
           l->bytes == n && terminated(h->sha256, sizeof h->sha256) &&
           terminated(h->name, sizeof h->name) && terminated(h->variant, sizeof h->variant) &&
           terminated(h->transform, sizeof h->transform) && h->rows < UINT32_MAX &&
           h->train_rows > 0 && h->train_rows <= h->rows &&
           h->test_rows <= h->rows - h->train_rows && h->synthetic <= 1 &&
           h->categorical <= 65536 && h->continuous <= 65536 && h->classes <= 65536;
}

/* Names, each ended by a zero byte: first the categorical columns', then the continuous. */
static bool read_names(const char *text, size_t n, const char **names, size_t count) {
    const char *end = text + n;
    for (size_t i = 0; i < count; i++) {
        if (text == end || !terminated(text, (size_t)(end - text))) return false;
        names[i] = text;
        text += strlen(text) + 1;
    }
    return text == end;
}

/* Whether every code is below its column's cardinality. The highest code of each column is found
 * for 64 columns at a time, so that a row is read once. */
static bool check_codes(const uint16_t *codes, size_t rows, const uint32_t *cardinality,
                        size_t columns) {
    uint16_t highest[64];
    for (size_t c = 0; c < columns; c++)
        if (cardinality[c] == 0 || cardinality[c] > 65536) return false;
    for (size_t first = 0; first < columns; first += BL_COUNT(highest)) {
        const size_t n = bl_size_min(BL_COUNT(highest), columns - first);
        memset(highest, 0, sizeof highest);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < n; c++) {
                const uint16_t code = codes[r * columns + first + c];
                highest[c] = code > highest[c] ? code : highest[c];
            }
        for (size_t c = 0; c < n; c++)
            if (highest[c] >= cardinality[first + c]) return false;
    }
    return true;
}

/* Whether targets are whole numbers below `classes`; 0 classes: targets are values. */
static bool check_classes(const float *target, size_t rows, size_t classes) {
    for (size_t r = 0; r < rows && classes > 0; r++)
        if (!(target[r] >= 0 && target[r] < (float)classes &&
              target[r] == (float)(uint32_t)target[r]))
            return false;
    return true;
}

/* The counts and texts of a checked header. */
static void fill_dataset(bl_dataset *out, const bl_block_header *h) {
    *out = (bl_dataset){.synthetic = h->synthetic == 1,
                        .rows = h->rows,
                        .train_rows = h->train_rows,
                        .valid_rows = h->rows - h->train_rows - h->test_rows,
                        .test_rows = h->test_rows,
                        .classes = h->classes,
                        .categorical = h->categorical,
                        .continuous = h->continuous + picture_bytes(h),
                        .height = h->height,
                        .width = h->width,
                        .channels = h->channels,
                        .target_min = h->target_min,
                        .target_max = h->target_max,
                        .target_mean = h->target_mean,
                        .target_deviation = h->target_deviation,
                        .bytes = h->bytes};
    memcpy(out->name, h->name, sizeof out->name);
    memcpy(out->variant, h->variant, sizeof out->variant);
    memcpy(out->sha256, h->sha256, sizeof out->sha256);
    memcpy(out->target_transform, h->transform, sizeof out->target_transform);
    memcpy(out->pixel_mean, h->pixel_mean, sizeof out->pixel_mean);
    memcpy(out->pixel_scale, h->pixel_scale, sizeof out->pixel_scale);
}

/* Nothing in the block is believed: every offset, name, code and class is checked before *out
 * points to it. *out owns the array of names alone; the rest lies in the block. */
bl_status bl_block_open(bl_dataset *out, const unsigned char *block, size_t n, bl_err *err) {
    bl_block_header h;
    bl_block_layout l;
    *out = (bl_dataset){0};
    if (n < sizeof h) BL_FAIL(err, BL_EFORMAT, "too short");
    memcpy(&h, block, sizeof h);
    if (!check_header(&h, n, &l)) BL_FAIL(err, BL_EFORMAT, "its header makes no sense");
    const size_t columns = h.categorical + h.continuous;
    const char **names = bl_xalloc((columns + 1) * sizeof *names);
    if (!read_names((const char *)block + l.names, h.names_bytes, names, columns)) {
        free(names);
        BL_FAIL(err, BL_EFORMAT, "its names make no sense");
    }
    fill_dataset(out, &h);
    out->categorical_name = names;
    out->continuous_name = picture_bytes(&h) ? NULL : names + h.categorical;
    out->cardinality = (const uint32_t *)(const void *)(block + l.cardinality);
    out->codes = (const uint16_t *)(const void *)(block + l.codes);
    out->values = picture_bytes(&h) ? NULL : (const float *)(const void *)(block + l.values);
    out->target = (const float *)(const void *)(block + l.target);
    out->pixels = picture_bytes(&h) ? block + l.pixels : NULL;
    if (!check_codes(out->codes, h.rows, out->cardinality, h.categorical)) {
        bl_block_close(out);
        BL_FAIL(err, BL_EFORMAT, "a code is not below its column's cardinality");
    }
    if (!check_classes(out->target, h.rows, h.classes)) {
        bl_block_close(out);
        BL_FAIL(err, BL_EFORMAT, "a class number is not below the number of classes");
    }
    return BL_OK;
}

void bl_block_close(bl_dataset *data) {
    free((void *)(uintptr_t)data->categorical_name);
    *data = (bl_dataset){0};
}
