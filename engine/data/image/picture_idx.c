/* IDX, the format of MNIST: two zero bytes, a type (8: unsigned bytes), the number of
 * dimensions, each dimension in four bytes (the highest first), then the values. A part has two
 * files. Those of MNIST begin
 *
 *     pictures   00 00 08 03   00 00 EA 60   00 00 00 1C   00 00 00 1C   pixels   60000 x 28 x 28
 *     labels     00 00 08 01   00 00 EA 60   05 00 04 ...                         60000
 */
#include "engine/data/image/picture.h"
#include <inttypes.h>
#include <string.h>

static uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Header of `dimensions` dimensions of unsigned bytes, followed by exactly as many values. */
static bl_status check_idx_file(const bl_picture_files *part, size_t file, uint32_t dimensions,
                                const char *what, bl_err *err) {
    const uint8_t *p = part->bytes[file];
    const size_t n = part->n[file], header = 4 + 4 * (size_t)dimensions;
    if (n < header || big_endian(p) != (0x800u | dimensions))
        BL_FAIL(err, BL_EFORMAT, "%s: no IDX file of %s", part->path[file], what);
    uint64_t bytes = 1;
    for (size_t i = 0; i < dimensions; i++)
        if (__builtin_mul_overflow(bytes, big_endian(p + 4 + 4 * i), &bytes))
            BL_FAIL(err, BL_EFORMAT, "%s: its dimensions are too large", part->path[file]);
    if (bytes != n - header)
        BL_FAIL(err, BL_EFORMAT, "%s: its header announces %" PRIu64 " values, %zu are there",
                part->path[file], bytes, n - header);
    return BL_OK;
}

/* Both headers, the declared size, and a label for each picture. */
static bl_status count_pictures(const bl_picture_decl *decl, bl_picture_files *part, bl_err *err) {
    BL_TRY(check_idx_file(part, 0, 3, "pictures", err));
    BL_TRY(check_idx_file(part, 1, 1, "labels", err));
    const uint8_t *p = part->bytes[0];
    const uint32_t rows = big_endian(p + 4), height = big_endian(p + 8), width = big_endian(p + 12);
    if (height != decl->height || width != decl->width || decl->channels != 1)
        BL_FAIL(err, BL_EFORMAT,
                "%s: pictures of %" PRIu32 " x %" PRIu32 " x 1, the data set declares %" PRId64
                " x %" PRId64 " x %" PRId64,
                part->path[0], height, width, decl->height, decl->width, decl->channels);
    const uint32_t labels = big_endian(part->bytes[1] + 4);
    if (labels != rows)
        BL_FAIL(err, BL_EFORMAT, "%s: %" PRIu32 " labels for the %" PRIu32 " pictures of %s",
                part->path[1], labels, rows, part->path[0]);
    part->rows = rows;
    return BL_OK;
}

static bl_status copy_pictures(const bl_picture_decl *decl, const bl_picture_files *part,
                               uint8_t *pixels, float *label, bl_err *err) {
    const uint8_t *labels = part->bytes[1] + 8;
    memcpy(pixels, part->bytes[0] + 16, part->n[0] - 16);
    for (size_t i = 0; i < part->rows; i++) {
        if (labels[i] >= decl->classes)
            BL_FAIL(err, BL_EFORMAT, "%s: label %zu is %d, the data set has %" PRId64 " classes",
                    part->path[1], i, labels[i], decl->classes);
        label[i] = labels[i];
    }
    return BL_OK;
}

const bl_picture_format bl_picture_idx = {
    .name = "idx", .files = 2, .count = count_pictures, .copy = copy_pictures};
