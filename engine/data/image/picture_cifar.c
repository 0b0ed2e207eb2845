/* The binary version of CIFAR-10: records of one label byte and the picture, channel by channel.
 *
 *     label | 1024 bytes of red | 1024 of green | 1024 of blue | next label ...      32 x 32 x 3
 *     3073 bytes a record, no header: only the size of a file can be checked beforehand
 */
#include "engine/data/image/picture.h"
#include <inttypes.h>

static size_t record_bytes(const bl_picture_decl *decl) {
    return 1 + (size_t)(decl->height * decl->width * decl->channels);
}

static bl_status count_records(const bl_picture_decl *decl, bl_picture_files *part, bl_err *err) {
    if (part->n[0] == 0 || part->n[0] % record_bytes(decl) != 0)
        BL_FAIL(err, BL_EFORMAT, "%s: %zu bytes are no whole number of records of %zu",
                part->path[0], part->n[0], record_bytes(decl));
    part->rows = part->n[0] / record_bytes(decl);
    return BL_OK;
}

/* From one plane a channel to (height, width, channels). BL_EFORMAT: a label that is no class. */
static bl_status copy_records(const bl_picture_decl *decl, const bl_picture_files *part,
                              uint8_t *pixels, float *label, bl_err *err) {
    const size_t area = (size_t)(decl->height * decl->width), channels = (size_t)decl->channels;
    for (size_t i = 0; i < part->rows; i++) {
        const uint8_t *from = part->bytes[0] + i * record_bytes(decl);
        uint8_t *to = pixels + i * area * channels;
        if (from[0] >= decl->classes)
            BL_FAIL(err, BL_EFORMAT,
                    "%s: the label of record %zu is %d, the data set has %" PRId64 " classes",
                    part->path[0], i, from[0], decl->classes);
        label[i] = from[0];
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < area; p++) to[p * channels + c] = from[1 + c * area + p];
    }
    return BL_OK;
}

const bl_picture_format bl_picture_cifar = {
    .name = "cifar", .files = 1, .count = count_records, .copy = copy_records};
