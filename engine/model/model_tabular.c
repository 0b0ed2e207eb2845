/* The net for tables (fastai's TabularModel): embeddings of the categorical columns, dropout over
 * their concatenation, batch norm of the continuous ones; hidden layers of dense, ReLU, batch norm,
 * dropout; one dense output. With model.linear, a dense layer from the inputs is added to that. */
#include "engine/model/model.h"
#include <string.h>

/* Embeddings with their dropout; *at is the node. */
static bl_status add_categorical(bl_net *net, const bl_config *config, const bl_model_input *input,
                                 size_t *at, bl_err *err) {
    const bl_layer_settings set = {.columns = input->categorical,
                                   .cardinality = input->cardinality,
                                   .column_name = input->categorical_name};
    BL_TRY(bl_net_add(net, "embedding", &set, 0, 0, at, err));
    if (config->model.embedding_dropout == 0.0) return BL_OK;
    return bl_net_add(net, "dropout", &(bl_layer_settings){.rate = config->model.embedding_dropout},
                      *at, 0, at, err);
}

/* What the first hidden layer reads: embeddings, normalised continuous columns, or both side by
 * side. */
static bl_status add_inputs(bl_net *net, const bl_config *config, const bl_model_input *input,
                            size_t *at, bl_err *err) {
    size_t categorical = 0, continuous = BL_NET_VALUES;
    if (input->categorical + input->continuous == 0)
        BL_FAIL(err, BL_EINVAL, "the data set has no categorical and no continuous column");
    if (input->categorical > 0) BL_TRY(add_categorical(net, config, input, &categorical, err));
    if (input->continuous > 0 && config->model.batch_norm)
        BL_TRY(bl_net_add(net, "batch_norm", NULL, BL_NET_VALUES, 0, &continuous, err));
    if (input->categorical == 0) {
        *at = continuous;
        return BL_OK;
    }
    *at = categorical;
    if (input->continuous == 0) return BL_OK;
    return bl_net_add(net, "concat", NULL, categorical, continuous, at, err);
}

/* Dense, relu, batch norm and dropout, the last two where they are asked for. */
static bl_status add_hidden(bl_net *net, const bl_config *config, size_t layer, size_t *at,
                            bl_err *err) {
    const double rate = bl_model_dropout(config, layer);
    BL_TRY(bl_net_add(net, "dense",
                      &(bl_layer_settings){.units = (size_t)config->model.hidden.v[layer]}, *at, 0,
                      at, err));
    BL_TRY(bl_net_add(net, "relu", NULL, *at, 0, at, err));
    if (config->model.batch_norm) BL_TRY(bl_net_add(net, "batch_norm", NULL, *at, 0, at, err));
    if (rate == 0.0) return BL_OK;
    return bl_net_add(net, "dropout", &(bl_layer_settings){.rate = rate}, *at, 0, at, err);
}

static bl_status add_range(bl_net *net, const bl_model_input *input, size_t *at, bl_err *err) {
    if (input->classes > 0)
        BL_FAIL(err, BL_EINVAL,
                "model.output is sigmoid_range, but the target is one of %zu classes; "
                "that takes linear outputs",
                input->classes);
    bl_layer_settings set = {0};
    bl_model_range(&set, input);
    return bl_net_add(net, "sigmoid_range", &set, *at, 0, at, err);
}

/* The hidden layers and the dense output; with model.linear the sum of that and a dense layer that
 * reads the inputs. */
static bl_status add_layers(bl_net *net, const bl_config *config, const bl_model_input *input,
                            size_t *at, bl_err *err) {
    const bl_layer_settings out = {.units = bl_model_outputs(input)};
    const bool linear = config->model.linear && config->model.hidden.n > 0;
    size_t inputs, line = 0;
    if (linear && *at != BL_NET_VALUES) BL_TRY(bl_net_add(net, "fork", NULL, *at, 0, at, err));
    inputs = *at;
    for (size_t i = 0; i < config->model.hidden.n; i++) BL_TRY(add_hidden(net, config, i, at, err));
    BL_TRY(bl_net_add(net, "dense", &out, *at, 0, at, err));
    if (!linear) return BL_OK;
    BL_TRY(bl_net_add(net, "dense", &out, inputs, 0, &line, err));
    return bl_net_add(net, "add", NULL, *at, line, at, err);
}

static bl_status build(bl_net *net, const bl_config *config, const bl_model_input *input,
                       bl_err *err) {
    size_t at = 0;
    BL_TRY(bl_model_check_hidden(config, err));
    BL_TRY(add_inputs(net, config, input, &at, err));
    BL_TRY(add_layers(net, config, input, &at, err));
    if (strcmp(config->model.output, "sigmoid_range") == 0) return add_range(net, input, &at, err);
    if (strcmp(config->model.output, "linear") == 0) return BL_OK;
    BL_FAIL(err, BL_EINVAL, "model.output: there is no output \"%s\"", config->model.output);
}

const bl_model bl_model_tabular = {.name = "tabular", .build = build};
