/* The fully connected net: for each hidden layer dense, ReLU and, where there is a rate, dropout;
 * then one dense layer to the outputs. */
#include "engine/model/model.h"

static bl_status build(bl_net *net, const bl_config *config, const bl_model_input *input,
                       bl_err *err) {
    size_t at = BL_NET_VALUES;
    if (input->categorical > 0 || input->continuous == 0)
        BL_FAIL(err, BL_EINVAL,
                "model.kind mlp takes continuous columns; the data set has %zu of them and %zu "
                "categorical ones (model.kind tabular takes both)",
                input->continuous, input->categorical);
    return bl_model_add_head(net, config, input, &at, err);
}

const bl_model bl_model_mlp = {.name = "mlp", .build = build};
