/* A layer: one file layer_NAME.c and one row of layer_table.c.
 *
 * `shape` sees widths and images of the inputs and its settings; it sets width, saved and
 * saved_each and declares the parameters. The image is the first input's if the width still is,
 * unless set. The other three compute part `part` of their outputs by kernels (one call must not
 * read what another part of the same function writes). `infer` NULL: as forward.
 *
 * shares_output: y lies where x lay (element by element, and backward does not need x). Sharing
 * layers follow a layer whose own backward does not read its y, or reads only which elements are
 * above 0 where the gradient that comes back is not already 0.
 * shares_gradient: dx lies where dy lay; otherwise each has its own memory. */
#ifndef BL_ENGINE_MODEL_LAYER_H
#define BL_ENGINE_MODEL_LAYER_H
#include "engine/model/net.h"

struct bl_layer {
    const char *name;
    size_t inputs; /* 0: reads the batch's codes */
    bool shares_output, shares_gradient;
    bool forks; /* two layers may read y, none of which shares_output; the second one's gradient
                   comes in `memory`, and backward adds the two */
    bool takes_relu;     /* forward applies the relu that follows, when node->relu says so */
    bool takes_add;      /* forward adds node->plus before that: an add follows */
    bool takes_dropout;  /* forward and backward do node->dropout's, which follows, where y lies */
    bool ends_gradient;  /* backward does that of a fork and of a relu before it: adds node->dx_plus
                            to dx[0], then cuts it by node->dx_relu */
    bool keeps_gradient; /* backward leaves dy as it is */
    bl_status (*shape)(bl_net *net, bl_net_node *node, bl_err *err);
    void (*forward)(const bl_net_node *node, const bl_pass *pass, const bl_part *part);
    void (*infer)(const bl_net_node *node, const bl_pass *pass, const bl_part *part);
    void (*backward)(const bl_net_node *node, const bl_pass *pass, const bl_part *part);
    /* Layers with running statistics: how many chunks of `batch` examples are normalised each by
     * itself. forward writes the sums over them to the running parameters' grad. */
    size_t (*chunks)(const bl_net_node *node, size_t batch);
};

extern const bl_layer bl_layer_embedding;
extern const bl_layer bl_layer_dropout;
extern const bl_layer bl_layer_dense;
extern const bl_layer bl_layer_relu;
extern const bl_layer bl_layer_batchnorm;
extern const bl_layer bl_layer_concat;
extern const bl_layer bl_layer_sigmoid_range;
extern const bl_layer bl_layer_conv2d;
extern const bl_layer bl_layer_max_pool;
extern const bl_layer bl_layer_avg_pool;
extern const bl_layer bl_layer_global_pool;
extern const bl_layer bl_layer_ghostnorm;
extern const bl_layer bl_layer_groupnorm;
extern const bl_layer bl_layer_layernorm;
extern const bl_layer bl_layer_pad_channels;
extern const bl_layer bl_layer_fork;
extern const bl_layer bl_layer_add;
extern const bl_layer bl_layer_scale;
extern const bl_layer bl_layer_hard_sigmoid;
extern const bl_layer bl_layer_hard_swish;

/* What a dropout's node does to its y, in place or from x. */
bl_dropout bl_layer_dropout_of(const bl_net_node *node, const bl_pass *pass);

/* Share of a step's batch in the running statistics. */
static inline float bl_layer_momentum(const bl_net_node *node) {
    return node->set.momentum > 0.0f ? node->set.momentum : 0.1f;
}
static inline float bl_layer_eps(const bl_net_node *node) {
    return node->set.eps > 0.0f ? node->set.eps : 1e-5f;
}

extern const bl_layer *const bl_layer_table[];
extern const size_t bl_layer_count;

/* Width of an embedding of n categories, "missing" included: min(600, round(1.6 n^0.56)), fastai's
 * rule. By exact_math.h, so that a width never depends on a C library. */
size_t bl_embedding_width(uint32_t n);
#endif
