/* The mask of dropout, which batch norm applies too. */
#ifndef BL_KERNELS_REF_DROPOUT_REF_H
#define BL_KERNELS_REF_DROPOUT_REF_H
#include "engine/base/philox.h"
#include "kernels/ref/ref.h"

/* The features [4c, 4c + 4) of example b, and their byte of the mask. */
static inline BL_HD void bl_ref_drop4(const bl_dropout *a, size_t b, size_t c) {
    const uint64_t stride4 = (a->n + 3) / 4, index = (a->position + b) * stride4 + c;
    const bl_u32x4 words = bl_random4(a->seed, BL_STREAM_DROPOUT, a->layer, index);
    unsigned char kept = 0;
    for (size_t i = 0; i < 4 && 4 * c + i < a->n; i++) {
        const size_t at = b * a->n + 4 * c + i;
        const bool keep = words.v[i] >= a->threshold;
        a->y[at] = keep ? a->x[at] * a->scale : 0.0f;
        kept = (unsigned char)(kept | keep << i);
    }
    a->mask[b * bl_dropout_mask_bytes(a->n) + c] = kept;
}

/* The whole units of the mask in a range of features. */
static inline BL_HD void bl_ref_drop(const bl_dropout *a, size_t b, bl_range columns) {
    if (columns.begin == columns.end) return;
    for (size_t c = columns.begin / 4; c < bl_dropout_mask_bytes(columns.end); c++)
        bl_ref_drop4(a, b, c);
}

/* dy behind a dropout. */
static inline BL_HD float bl_ref_kept(const unsigned char *mask, float scale, float dy, size_t n,
                                      size_t b, size_t j) {
    return mask[b * bl_dropout_mask_bytes(n) + j / 4] >> j % 4 & 1 ? dy * scale : 0.0f;
}
#endif
