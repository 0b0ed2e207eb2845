#include "engine/base/named.h"
#include "engine/config/layers.h"
#include "engine/model/model.h"
#include "kernels/shared/exact_math.h"

#define ROW(name, reads) &bl_model_##name,
const bl_model *const bl_model_table[] = {BL_CHOICES_MODEL(ROW)};
#undef ROW
const size_t bl_model_count = BL_COUNT(bl_model_table);

double bl_model_dropout(const bl_config *config, size_t layer) {
    const bl_f64_list *rates = &config->model.dropout;
    if (rates->n == 0) return 0.0;
    return rates->v[rates->n == 1 ? 0 : layer];
}

void bl_model_range(bl_layer_settings *set, const bl_model_input *input) {
    const double most = 1.2 * input->target_max;
    double low = 0.0, high = input->target_is_log ? bl_log64(most) : most;
    if (input->target_deviation > 0) {
        low = input->target_is_log ? bl_log64(input->target_min) : input->target_min;
        high = input->target_is_log ? bl_log64(input->target_max) : input->target_max;
        const double margin = 0.1 * (high - low);
        low = (low - margin - input->target_mean) / input->target_deviation;
        high = (high + margin - input->target_mean) / input->target_deviation;
    }
    set->low = (float)low;
    set->high = (float)high;
}

bl_status bl_model_check_hidden(const bl_config *config, bl_err *err) {
    const size_t hidden = config->model.hidden.n, rates = config->model.dropout.n;
    if (rates > 1 && rates != hidden)
        BL_FAIL(err, BL_EINVAL,
                "model.dropout has %zu rates for %zu hidden layers: give one per layer, one for "
                "all, or none",
                rates, hidden);
    for (size_t i = 0; i < hidden; i++)
        if (config->model.hidden.v[i] < 1)
            BL_FAIL(err, BL_EINVAL, "model.hidden[%zu] is %lld; a layer has at least 1 unit", i,
                    (long long)config->model.hidden.v[i]);
    return BL_OK;
}

static bl_status add_hidden(bl_net *net, const bl_config *config, size_t layer, size_t *at,
                            bl_err *err) {
    const bl_layer_settings dense = {.units = (size_t)config->model.hidden.v[layer]};
    const bl_layer_settings dropout = {.rate = bl_model_dropout(config, layer)};
    BL_TRY(bl_net_add(net, "dense", &dense, *at, 0, at, err));
    BL_TRY(bl_net_add(net, "relu", NULL, *at, 0, at, err));
    if (dropout.rate == 0.0) return BL_OK;
    return bl_net_add(net, "dropout", &dropout, *at, 0, at, err);
}

bl_status bl_model_add_head(bl_net *net, const bl_config *config, const bl_model_input *input,
                            size_t *at, bl_err *err) {
    const bl_layer_settings outputs = {.units = bl_model_outputs(input)};
    BL_TRY(bl_model_check_hidden(config, err));
    for (size_t i = 0; i < config->model.hidden.n; i++) BL_TRY(add_hidden(net, config, i, at, err));
    return bl_net_add(net, "dense", &outputs, *at, 0, at, err);
}

bl_status bl_model_check_pictures(const bl_config *config, const bl_model_input *input,
                                  bl_err *err) {
    if (input->shape.channels > 0 && input->categorical == 0) return BL_OK;
    BL_FAIL(
        err, BL_EINVAL,
        "model.kind %s takes pictures; the data set has columns (model.kind tabular takes them)",
        config->model.kind);
}

bl_status bl_model_filters(const bl_config *config, const size_t *literature, size_t count,
                           size_t *out, bl_err *err) {
    const bl_i64_list *given = &config->model.filters;
    if (given->n != 0 && given->n != count)
        BL_FAIL(err, BL_EINVAL, "model.filters has %zu numbers; %s takes %zu, or none", given->n,
                config->model.kind, count);
    for (size_t i = 0; i < count; i++) out[i] = given->n == 0 ? literature[i] : (size_t)given->v[i];
    return BL_OK;
}

const bl_model *bl_model_find(const char *kind) {
    return bl_named_find(bl_model_table, bl_model_count, kind);
}

bool bl_model_takes_pictures(const bl_config *config) {
    const bl_model *model = bl_model_find(config->model.kind);
    bl_config_layer_facts facts;
    if (model != &bl_model_layers) return model != NULL && model->pictures;
    bl_config_layers_facts(&facts, config->model.layers);
    return facts.convolutions;
}

bl_status bl_model_build(bl_net *net, const bl_config *config, const bl_model_input *input,
                         bl_err *err) {
    bl_net_init(net, input->categorical, input->continuous);
    if (input->shape.channels > 0) bl_net_set_shape(net, input->shape);
    const bl_model *model = bl_model_find(config->model.kind);
    if (model == NULL)
        BL_FAIL(err, BL_EINVAL, "model.kind: there is no model \"%s\"", config->model.kind);
    BL_TRY(model->build(net, config, input, err));
    bl_net_fuse(net);
    return BL_OK;
}
