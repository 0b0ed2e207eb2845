/* The net that model.layers lists (engine/config/layers.h): every layer reads the one before it,
 * the first one the data's continuous columns or pictures. A layer of layers (residual, scale,
 * concat) reads its input twice, through a fork. The nodes are those that the named builders make
 * of the same layers, so they have the same parameters, masks and bits. */
#include "engine/config/layers.h"
#include "engine/model/layer.h"
#include "engine/model/model.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct builder {
    bl_net *net;
    const bl_model_input *input;
    bool embedded; /* the categorical columns are read */
    bl_err *err;
} builder;

/* A layer and where it stands. */
typedef struct place {
    const bl_config_layer *entry;
    const char *path; /* "model.layers[2]" */
} place;

BL_PRINTF(3, 4)
static bl_status refuse(const builder *b, const place *p, const char *fmt, ...) {
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    BL_FAIL(b->err, BL_EINVAL, "%s (%s): %s", p->path, p->entry->kind->name, text);
}

static bl_shape image_at(const builder *b, size_t at) {
    return at == BL_NET_VALUES ? b->net->shape : b->net->node[at].shape;
}

static size_t width_at(const builder *b, size_t at) {
    return at == BL_NET_VALUES ? b->net->continuous : b->net->node[at].width;
}

static const char *shape_text(char out[64], bl_shape i) {
    if (bl_shape_positions(i) > 1)
        (void)snprintf(out, 64, "%zu x %zu x %zu", i.height, i.width, i.channels);
    else
        (void)snprintf(out, 64, "%zu", i.channels);
    return out;
}

/* ---- one node ---- */

/* What works in place may not write over what another layer reads too: it gets a copy, which is a
 * padding by no channels. */
static bl_status add_copy(builder *b, size_t *at) {
    const bl_layer_settings same = {.units = image_at(b, *at).channels};
    return bl_net_add(b->net, "pad_channels", &same, *at, 0, at, b->err);
}

static bl_status add_node(builder *b, const place *p, const char *layer,
                          const bl_layer_settings *set, size_t *at) {
    const bool shared = *at == BL_NET_VALUES || b->net->node[*at].layer->forks;
    bl_err why;
    if (shared && bl_layer_find(layer)->shares_output) BL_TRY(add_copy(b, at));
    const bl_status status = bl_net_add(b->net, layer, set, *at, 0, at, &why);
    if (status == BL_EINVAL) return refuse(b, p, "%s", why.text);
    if (status != BL_OK) BL_FAIL(b->err, status, "%s", why.text);
    return BL_OK;
}

/* ---- kinds that are one layer ---- */

/* A kind's layer has its name, but for batch norm, of which pictures have one of their own. */
static const char *layer_of(const builder *b, const bl_config_layer_kind *kind, size_t at) {
    const bool pictures = bl_shape_positions(image_at(b, at)) > 1;
    return pictures && strcmp(kind->name, "batch_norm") == 0 ? "batch_norm2d" : kind->name;
}

/* An entry of the list as a layer's settings: a key that the entry's kind lacks is 0 there. */
static bl_layer_settings settings_of(const bl_config_layer *e) {
    const int64_t units = e->filters > 0 ? e->filters : e->units > 0 ? e->units : e->channels;
    const int64_t stride = e->kind->stride_is_size && e->stride == 0 ? e->size : e->stride;
    return (bl_layer_settings){.units = (size_t)units,
                               .kernel = (size_t)(e->kernel > 0 ? e->kernel : e->size),
                               .stride = (size_t)stride,
                               .groups = (size_t)e->groups,
                               .no_bias = !e->bias,
                               .same = strcmp(e->padding, "same") == 0,
                               .ghost = (size_t)e->ghost,
                               .eps = (float)e->eps,
                               .momentum = (float)e->momentum,
                               .rate = e->rate};
}

/* Windows have to lie inside the picture. */
static bl_status check_window(const builder *b, const place *p, const bl_layer_settings *set,
                              size_t at) {
    const bl_shape i = image_at(b, at);
    const size_t pad = set->same ? 2 * ((set->kernel - 1) / 2) : 0;
    if (set->same && set->kernel % 2 == 0)
        return refuse(b, p, "padding \"same\" takes an odd kernel, not %zu: take %zu or \"valid\"",
                      set->kernel, set->kernel + 1);
    if (set->kernel <= i.height + pad && set->kernel <= i.width + pad) return BL_OK;
    if (bl_shape_positions(i) <= 1 && at != BL_NET_VALUES)
        return refuse(b, p,
                      "a window of %zu x %zu does not fit: what comes in is no picture but %zu "
                      "features; put the layer before what ends the picture",
                      set->kernel, set->kernel, width_at(b, at));
    return refuse(b, p,
                  "a window of %zu x %zu does not fit what comes in, %zu x %zu: take a smaller "
                  "one, or shrink the picture less before it",
                  set->kernel, set->kernel, i.height, i.width);
}

/* A kind that is one layer, after the checks whose messages a reader understands. */
static bl_status add_layer(builder *b, const place *p, size_t *at) {
    const bl_layer_settings set = settings_of(p->entry);
    if (width_at(b, *at) == 0)
        return refuse(b, p,
                      "the data set has no continuous columns to read: begin with \"embedding\"");
    if (set.kernel > 0) BL_TRY(check_window(b, p, &set, *at));
    return add_node(b, p, layer_of(b, p->entry->kind, *at), &set, at);
}

static bl_status add_embedding(builder *b, const place *p, size_t *at) {
    const bl_layer_settings set = {.columns = b->input->categorical,
                                   .cardinality = b->input->cardinality,
                                   .column_name = b->input->categorical_name};
    if (set.columns == 0)
        return refuse(b, p, "the data set has no categorical columns: leave the layer out");
    if (*at != BL_NET_VALUES)
        return refuse(b, p,
                      "it reads the data, not the layer before: put it first, beside the "
                      "continuous columns by a concat");
    b->embedded = true;
    return add_node(b, p, "embedding", &set, at);
}

/* As model.output of the net for tables. */
static bl_status add_sigmoid_range(builder *b, const place *p, size_t *at) {
    const bl_config_layer *e = p->entry;
    bl_layer_settings set = {.low = (float)e->low, .high = (float)e->high};
    if (b->input->classes > 0)
        return refuse(b, p, "the target is one of %zu classes, no number: leave the layer out",
                      b->input->classes);
    if (e->low == 0.0 && e->high == 0.0) bl_model_range(&set, b->input);
    if (!(set.high > set.low))
        return refuse(b, p, "nothing lies between low = %g and high = %g", (double)set.low,
                      (double)set.high);
    return add_node(b, p, "sigmoid_range", &set, at);
}

/* ---- layers of layers ---- */

static bl_status add_list(builder *b, const bl_config_layer *first, const char *path, size_t *at);

/* Both lists read *at: *main becomes the end of the first, *side that of the second, which is *at
 * itself where there is none. */
static bl_status add_both(builder *b, const place *p, size_t at, size_t *main, size_t *side) {
    char path[BL_CONFIG_LAYER_PATH];
    if (at != BL_NET_VALUES) BL_TRY(add_node(b, p, "fork", NULL, &at));
    *main = *side = at;
    for (size_t i = 0; i < BL_CONFIG_LAYER_LISTS; i++) {
        if (p->entry->list[i] == NULL) continue;
        (void)snprintf(path, sizeof path, "%s.%s", p->path, p->entry->kind->list[i]);
        BL_TRY(add_list(b, p->entry->list[i], path, i == 0 ? main : side));
    }
    return BL_OK;
}

/* What would bring the input to the shape of the layers. */
static void suggest_shortcut(char out[160], bl_shape input, bl_shape main) {
    const size_t stride = (input.height + main.height - 1) / main.height;
    if (bl_shape_positions(input) > 1)
        (void)snprintf(
            out, 160,
            "shortcut = ( { type = \"conv2d\"; filters = %zu; kernel = 1; stride = %zu; } );",
            main.channels, stride);
    else
        (void)snprintf(out, 160, "shortcut = ( { type = \"dense\"; units = %zu; } );",
                       main.channels);
}

/* layers + shortcut. */
static bl_status add_residual(builder *b, const place *p, size_t *at) {
    size_t main, side;
    char left[64], right[64], hint[160];
    BL_TRY(add_both(b, p, *at, &main, &side));
    const bl_shape a = image_at(b, main), c = image_at(b, side);
    suggest_shortcut(hint, image_at(b, *at), a);
    if (a.height != c.height || a.width != c.width || a.channels != c.channels)
        return refuse(b, p,
                      "its layers give %s, its shortcut %s, which cannot be added: change either, "
                      "perhaps %s",
                      shape_text(left, a), shape_text(right, c), hint);
    return bl_net_add(b->net, "add", NULL, main, side, at, b->err);
}

/* The input, each channel times what the layers make of it. */
static bl_status add_scale(builder *b, const place *p, size_t *at) {
    size_t main, side;
    BL_TRY(add_both(b, p, *at, &main, &side));
    const size_t channels = image_at(b, side).channels;
    if (width_at(b, main) != channels)
        return refuse(b, p,
                      "its layers give %zu features for %zu channels: let them begin with "
                      "\"global_pool\" and end with a dense layer of units = %zu",
                      width_at(b, main), channels, channels);
    return bl_net_add(b->net, "scale", NULL, side, main, at, b->err);
}

static bl_status add_concat(builder *b, const place *p, size_t *at) {
    size_t main, side;
    BL_TRY(add_both(b, p, *at, &main, &side));
    if (width_at(b, side) == 0)
        return refuse(
            b, p, "the data set has no continuous columns to put beside: list its layers alone");
    return bl_net_add(b->net, "concat", NULL, main, side, at, b->err);
}

/* ---- the list ---- */

static const struct {
    const char *kind;
    bl_status (*add)(builder *b, const place *p, size_t *at);
} k_special[] = {
    {"embedding",     add_embedding    },
    {"sigmoid_range", add_sigmoid_range},
    {"residual",      add_residual     },
    {"scale",         add_scale        },
    {"concat",        add_concat       },
};

static bl_status add_entry(builder *b, const place *p, size_t *at) {
    for (size_t i = 0; i < BL_COUNT(k_special); i++)
        if (strcmp(k_special[i].kind, p->entry->kind->name) == 0) return k_special[i].add(b, p, at);
    return add_layer(b, p, at);
}

static bl_status add_list(builder *b, const bl_config_layer *first, const char *path, size_t *at) {
    char here[BL_CONFIG_LAYER_PATH];
    size_t i = 0;
    for (const bl_config_layer *e = first; e != NULL; e = e->next) {
        (void)snprintf(here, sizeof here, "%s[%zu]", path, i++);
        BL_TRY(add_entry(b, &(place){e, here}, at));
    }
    return BL_OK;
}

/* A column that no layer reads is a slip of the pen, no wish. */
static bl_status check_inputs(const builder *b, const place *first) {
    bool values = b->input->continuous == 0;
    for (size_t i = 0; i < b->net->nodes; i++)
        for (size_t k = 0; k < b->net->node[i].layer->inputs; k++)
            values = values || b->net->node[i].in[k] == BL_NET_VALUES;
    if (!values)
        return refuse(b, first,
                      "no layer reads the data set's %zu continuous columns: begin with a concat "
                      "of \"embedding\" and what is beside it",
                      b->input->continuous);
    if (b->input->categorical > 0 && !b->embedded)
        return refuse(b, first,
                      "no layer reads the data set's %zu categorical columns: begin with a concat "
                      "of \"embedding\" and what is beside it",
                      b->input->categorical);
    return BL_OK;
}

/* The last layer has a feature for each class, or one. */
static bl_status check_output(const builder *b, const place *last, size_t at) {
    const size_t wanted = bl_model_outputs(b->input), width = width_at(b, at);
    if (width == wanted) return BL_OK;
    return refuse(b, last,
                  "the list ends in %zu features, but the data set's target is %s%zu%s: end it "
                  "with { type = \"dense\"; units = %zu; }",
                  width, b->input->classes > 0 ? "one of " : "", wanted,
                  b->input->classes > 0 ? " classes" : " number", wanted);
}

static bl_status build(bl_net *net, const bl_config *config, const bl_model_input *input,
                       bl_err *err) {
    char path[BL_CONFIG_LAYER_PATH];
    builder b = {.net = net, .input = input, .err = err};
    size_t at = BL_NET_VALUES, count = 0;
    bl_config_layer *first = bl_config_layers_open(config->model.layers), *last = first;
    if (first == NULL) BL_FAIL(err, BL_EINVAL, "model.layers is empty: list the net's layers");
    bl_status status = add_list(&b, first, "model.layers", &at);
    for (; last->next != NULL; last = last->next) count++;
    if (status == BL_OK) status = check_inputs(&b, &(place){first, "model.layers[0]"});
    (void)snprintf(path, sizeof path, "model.layers[%zu]", count);
    if (status == BL_OK) status = check_output(&b, &(place){last, path}, at);
    bl_config_layers_free(first);
    return status;
}

const bl_model bl_model_layers = {.name = "layers", .build = build};
