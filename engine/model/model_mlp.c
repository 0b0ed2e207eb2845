/* The fully connected net: for each hidden layer dense, ReLU and, where there is a rate, dropout;
 * then one dense layer to the outputs. */
#include "engine/model/model.h"

static bl_status add_hidden(bl_net *net, const bl_config *config, size_t layer, size_t *at,
                            bl_err *err) {
    const bl_layer_settings dense = {.units = (size_t)config->model.hidden.v[layer]};
    const bl_layer_settings dropout = {.rate = bl_model_dropout(config, layer)};
    BL_TRY(bl_net_add(net, "dense", &dense, *at, 0, at, err));
    BL_TRY(bl_net_add(net, "relu", NULL, *at, 0, at, err));
    if (dropout.rate == 0.0) return BL_OK;
    return bl_net_add(net, "dropout", &dropout, *at, 0, at, err);
}

static bl_status build(bl_net *net, const bl_config *config, const bl_model_input *input,
                       bl_err *err) {
    const bl_layer_settings outputs = {.units = bl_model_outputs(input)};
    size_t at = BL_NET_VALUES;
    if (input->categorical > 0 || input->continuous == 0)
        BL_FAIL(err, BL_EINVAL,
                "model.kind mlp takes continuous columns; the data set has %zu of them and %zu "
                "categorical ones (model.kind tabular takes both)",
                input->continuous, input->categorical);
    BL_TRY(bl_model_check_hidden(config, err));
    for (size_t i = 0; i < config->model.hidden.n; i++)
        BL_TRY(add_hidden(net, config, i, &at, err));
    return bl_net_add(net, "dense", &outputs, at, 0, &at, err);
}

const bl_model bl_model_mlp = {.name = "mlp", .build = build};
