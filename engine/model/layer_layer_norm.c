/* Layer norm (Ba, Kiros, Hinton 2016): every example normalised over all its features, scaled and
 * shifted channel by channel. */
#include "engine/model/layer_group_norm.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    return bl_layer_group_norm_shape(net, node, 1, err);
}
static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    bl_layer_group_norm_run(node, 1, pass, part);
}
static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    bl_layer_group_norm_back(node, 1, pass, part);
}

const bl_layer bl_layer_layer_norm = {
    .name = "layer_norm", .inputs = 1, .shape = shape, .forward = forward, .backward = backward};
