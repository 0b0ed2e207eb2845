#include "kernels/ref/ref.h"

void bl_mse_ref(const bl_mse *a, const bl_part *part) {
    if (part->part == 0) {
        bl_ref_tree64 tree = {.blocks = 0};
        for (size_t begin = 0; begin < a->count; begin += BL_BLOCK) {
            double acc = 0;
            for (size_t i = begin; i < bl_ref_block_end(begin, a->count); i++) {
                const double e = (double)a->y[i] - (double)a->target[i];
                acc = acc + e * e;
            }
            bl_ref_tree64_push(&tree, acc);
        }
        *a->loss = a->count ? bl_ref_tree64_sum(&tree) / (double)a->count : 0.0;
    }
    if (!a->dy) return;
    const float scale = 2.0f / (float)a->count;
    const bl_range range = bl_part_range(part, a->count, 1);
    for (size_t i = range.begin; i < range.end; i++) a->dy[i] = scale * (a->y[i] - a->target[i]);
}
