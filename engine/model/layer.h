/* The layers: one file layer_NAME.c and one row of layer_table.c each. net.h says what a layer is;
 * here are the rows themselves, for the fusion pass and for tests, and what some layers share. */
#ifndef BL_ENGINE_MODEL_LAYER_H
#define BL_ENGINE_MODEL_LAYER_H
#include "engine/model/net.h"

extern const bl_layer bl_layer_embedding;
extern const bl_layer bl_layer_dropout;
extern const bl_layer bl_layer_dense;
extern const bl_layer bl_layer_relu;
extern const bl_layer bl_layer_batch_norm;
extern const bl_layer bl_layer_concat;
extern const bl_layer bl_layer_sigmoid_range;
extern const bl_layer bl_layer_conv2d;
extern const bl_layer bl_layer_max_pool;
extern const bl_layer bl_layer_avg_pool;
extern const bl_layer bl_layer_global_pool;
extern const bl_layer bl_layer_batch_norm2d;
extern const bl_layer bl_layer_ghost_norm;
extern const bl_layer bl_layer_group_norm;
extern const bl_layer bl_layer_layer_norm;
extern const bl_layer bl_layer_pad_channels;
extern const bl_layer bl_layer_fork;
extern const bl_layer bl_layer_add;
extern const bl_layer bl_layer_scale;
extern const bl_layer bl_layer_hard_sigmoid;
extern const bl_layer bl_layer_hard_swish;

/* What a dropout's node does to its y, in place or from x. */
bl_dropout bl_layer_dropout_of(const bl_net_node *node, const bl_pass *pass);

/* What keeps a root from a division by 0. */
static inline float bl_layer_eps(const bl_net_node *node) {
    return node->set.eps > 0.0f ? node->set.eps : 1e-5f;
}

/* Width of an embedding of n categories, "missing" included: min(600, round(1.6 n^0.56)), fastai's
 * rule. By exact_math.h, so that a width never depends on a C library. */
size_t bl_layer_embedding_width(uint32_t n);
#endif
