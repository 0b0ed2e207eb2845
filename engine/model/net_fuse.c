/* The fusion pass: which node does whose work, decided once over the finished list of nodes.
 *
 * Layers only append nodes, each of which can be carried out by itself. This pass looks for chains
 * whose later steps a kernel can do on a value before it stores it (kernels/epilogue.h), so that an
 * array passes memory once instead of three times. It writes one bl_fusion a node; net.c leaves out
 * what another node does and turns the numbers into addresses when it lays out memory. A net that
 * was never fused computes the same bits (tests/unit/net_fuse_test.c).
 *
 *     pattern                                    done by             function
 *     dense|conv2d|norm of channels -> add       the later input     fuse_add
 *     dense|conv2d|norm of channels [-> add]     the same node       fuse_relu
 *       -> relu
 *     norm of features -> dropout                the norm            fuse_dropout
 *     [relu ->] fork -> dense|conv2d|norm of     the first reader,   fuse_backward
 *       features                                 when it computes dx
 *     relu -> dense|conv2d|norm of features      the reader, when    fuse_backward
 *                                                it computes dx
 *     add, whose inputs' backward leaves dy      one place for       share_gradient
 *       as it is                                 three gradients
 *
 * A norm of features is batch_norm; norms of channels are batch_norm2d and ghost_norm
 * (layer_batch_norm.c). The rows of the layers say what each can do: fuses_add and so on (layer.h).
 *
 * A residual block, as the list of nodes and as it is carried out:
 *
 *     0 relu                      forward                       backward
 *     1 fork      reads 0         0 relu                        6 relu
 *     2 conv2d    reads 1         2 conv2d, relu of 3           4 conv2d, relu of 3
 *     3 relu      reads 2         4 conv2d, + y of 1, relu      2 conv2d, + dy of 5, relu of 0
 *     4 conv2d    reads 3           of 6
 *     5 add       reads 4, 1
 *     6 relu      reads 5
 *
 * Why this is correct:
 *     1. A node has one reader, a fork two. So no other node needs a value that is not stored.
 *     2. Of the two inputs of an add, the later node finds the result of the earlier one in memory.
 *     3. Backward walks the list from its end. So the second reader of a fork has written its
 *        gradient before the first reader adds it. */
#include "engine/model/layer.h"

static const bl_fusion k_alone = {.forward_by = BL_NET_NONE,
                                  .backward_by = BL_NET_NONE,
                                  .add = BL_NET_NONE,
                                  .relu = BL_NET_NONE,
                                  .dropout = BL_NET_NONE,
                                  .fork = BL_NET_NONE,
                                  .gate = BL_NET_NONE,
                                  .gradient_of = BL_NET_NONE};

bl_fusion bl_fusion_none(void) {
    return k_alone;
}

/* The node that writes what input 0 holds; NULL: the batch does. */
static bl_net_node *source_of(bl_net *net, const bl_net_node *node) {
    return node->in[0] == BL_NET_VALUES ? NULL : &net->node[node->in[0]];
}

/* The later of the two inputs adds the result of the earlier one to its own. */
static void fuse_add(bl_net *net, bl_net_node *node) {
    if (node->layer != &bl_layer_add) return;
    if (node->in[0] == BL_NET_VALUES || node->in[1] == BL_NET_VALUES) return;
    bl_net_node *last = &net->node[bl_size_max(node->in[0], node->in[1])];
    if (!last->layer->fuses_add) return;
    last->fused.add = node->index;
    node->fused.forward_by = last->index;
}

/* The layer before a relu applies it; behind an add that is fused, the node that does the add. */
static void fuse_relu(bl_net *net, bl_net_node *node) {
    bl_net_node *source = source_of(net, node);
    if (node->layer != &bl_layer_relu || source == NULL) return;
    if (source->layer == &bl_layer_add && source->fused.forward_by != BL_NET_NONE)
        source = &net->node[source->fused.forward_by];
    if (!source->layer->fuses_relu) return;
    source->fused.relu = node->index;
    node->fused.forward_by = source->index;
}

/* Both directions of a dropout. */
static void fuse_dropout(bl_net *net, bl_net_node *node) {
    bl_net_node *source = source_of(net, node);
    if (node->layer != &bl_layer_dropout || source == NULL || !source->layer->fuses_dropout) return;
    source->fused.dropout = node->index;
    node->fused.forward_by = node->fused.backward_by = source->index;
}

/* A layer that computes dx also adds the gradient that a fork's second reader sent back. Then it
 * does the backward of the relu before the layer or fork, if there is one. Only a fork's first
 * reader can: backward reaches it last, when the second reader's gradient is in memory. */
static void fuse_backward(bl_net *net, bl_net_node *node) {
    bl_net_node *source = source_of(net, node);
    if (!node->layer->fuses_backward || source == NULL || node->is_second_reader[0]) return;
    if (source->layer->forks) {
        if (source->reader_count > 1) node->fused.fork = source->index;
        source->fused.backward_by = node->index;
        source = source_of(net, source);
    }
    if (source == NULL || source->layer != &bl_layer_relu) return;
    node->fused.gate = source->index;
    source->fused.backward_by = node->index;
}

/* The gradients of both inputs of an add equal its own. The first input always shares the add's dy
 * (shares_gradient). The second one does, too, if nothing changes that memory while it is needed:
 * the first input's backward leaves its dy as it is (keeps_gradient), and so does the second's, or
 * the add is the second reader of its second input, a fork. */
static void share_gradient(bl_net *net, bl_net_node *node) {
    if (node->layer != &bl_layer_add) return;
    if (node->in[0] == BL_NET_VALUES || node->in[1] == BL_NET_VALUES) return;
    const bl_net_node *first = &net->node[node->in[0]];
    bl_net_node *second = &net->node[node->in[1]];
    if (first->layer->keeps_gradient &&
        (second->layer->keeps_gradient || node->is_second_reader[1]))
        second->fused.gradient_of = node->index;
}

/* In the order of the list, so that what a pattern asks of earlier nodes is decided. */
void bl_net_fuse(bl_net *net) {
    static void (*const patterns[])(bl_net * net, bl_net_node * node) = {
        fuse_add, fuse_relu, fuse_dropout, fuse_backward, share_gradient};
    for (size_t i = 0; i < net->nodes; i++) net->node[i].fused = k_alone;
    for (size_t i = 0; i < net->nodes; i++)
        for (size_t p = 0; p < BL_COUNT(patterns); p++) patterns[p](net, &net->node[i]);
}
