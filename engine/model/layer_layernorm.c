/* Layer norm (Ba, Kiros, Hinton 2016): every example normalised over all its features, scaled and
 * shifted channel by channel. */
#include "engine/model/layer_groupnorm.h"

static bl_status shape(bl_net *net, bl_net_node *node, bl_err *err) {
    return bl_layer_groupnorm_shape(net, node, 1, err);
}
static void forward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    bl_layer_groupnorm_run(node, 1, pass, part);
}
static void backward(const bl_net_node *node, const bl_pass *pass, const bl_part *part) {
    bl_layer_groupnorm_back(node, 1, pass, part);
}

const bl_layer bl_layer_layernorm = {
    .name = "layernorm", .inputs = 1, .shape = shape, .forward = forward, .backward = backward};
