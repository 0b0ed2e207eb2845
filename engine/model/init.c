/* First values of parameters: a function of (seed, place in the parameter table, element). */
#include "engine/model/net.h"
#include "kernels/shared/exact_math.h"

static float normal(bl_u32x4 words, size_t half) {
    return bl_normal(words.v[2 * half], words.v[2 * half + 1]);
}

/* A normal value with what lies outside two deviations folded back by the remainder of a division
 * by 2, as fastai's truncated normal does it. */
static float folded_normal(bl_u32x4 words, size_t half) {
    float z = normal(words, half);
    while (z > 2.0f) z -= 2.0f;
    while (z < -2.0f) z += 2.0f;
    return z;
}

/* Element i of parameter number `sub` depends on (seed, sub, i) alone, not on the other parameters'
 * sizes. */
static void fill(float *out, const bl_param *p, uint64_t seed, uint32_t sub) {
    const size_t count = p->rows * p->cols;
    switch (p->init) {
    case BL_INIT_ZERO:
    case BL_INIT_ONE:
        for (size_t i = 0; i < count; i++) out[i] = p->init == BL_INIT_ONE ? 1.0f : 0.0f;
        break;
    case BL_INIT_UNIFORM:
        for (size_t i = 0; i < count; i++)
            out[i] = bl_uniform(bl_random_u32(seed, BL_STREAM_INIT, sub, i), -p->scale, p->scale);
        break;
    case BL_INIT_NORMAL:
        for (size_t i = 0; i < count; i++)
            out[i] = p->scale * normal(bl_random4(seed, BL_STREAM_INIT, sub, i / 2), i % 2);
        break;
    case BL_INIT_FOLDED_NORMAL:
        for (size_t i = 0; i < count; i++)
            out[i] = p->scale * folded_normal(bl_random4(seed, BL_STREAM_INIT, sub, i / 2), i % 2);
        break;
    }
}

void bl_net_reset(bl_net *net, uint64_t seed) {
    for (size_t i = 0; i < net->params; i++) {
        const bl_param *p = &net->param[i];
        fill((p->running ? net->running : net->weight) + p->offset, p, seed, (uint32_t)i);
    }
}
