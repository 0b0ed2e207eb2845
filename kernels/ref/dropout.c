#include "engine/base/philox.h"
#include "kernels/ref/ref.h"

BL_REF void bl_dropout_ref(const bl_dropout *a, const bl_part *part) {
    const uint64_t stride4 = (a->n + 3) / 4;
    const bl_range rows = bl_part_range(part, a->batch, 1);
    for (size_t b = rows.begin; b < rows.end; b++)
        for (size_t j = 0; j < a->n; j++) {
            const uint64_t index = (a->position + b) * stride4 + j / 4;
            const bl_u32x4 words = bl_random4(a->seed, BL_STREAM_DROPOUT, a->layer, index);
            const bool keep = words.v[j % 4] >= a->threshold;
            a->y[b * a->n + j] = keep ? a->x[b * a->n + j] * a->scale : 0.0f;
        }
}
