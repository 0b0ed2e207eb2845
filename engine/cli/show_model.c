#include "engine/cli/show_model.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/model/layer.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* What one layer takes, or all of them together. */
typedef struct cost {
    size_t parameters, flops, bytes;
} cost;

/* 2 FLOPs a multiply-add. Running statistics are no parameters. */
static cost cost_of(const bl_net *net, const bl_net_node *node) {
    cost c = {.flops = 2 * node->multiplies, .bytes = bl_net_node_floats(node) * sizeof(float)};
    for (size_t i = node->first_param; i < node->first_param + node->params; i++)
        if (!net->param[i].running) c.parameters += net->param[i].rows * net->param[i].cols;
    return c;
}

/* All layers, and the inputs and the target that they start from. */
static cost total_of(const bl_net *net) {
    cost total = {.bytes =
                      (net->continuous + 1) * sizeof(float) + net->categorical * sizeof(uint16_t)};
    for (size_t i = 0; i < net->nodes; i++) {
        const cost c = cost_of(net, &net->node[i]);
        total.parameters += c.parameters;
        total.flops += c.flops;
        total.bytes += c.bytes;
    }
    return total;
}

/* "conv2d 3x3 stride 2 groups 4" */
static const char *layer_text(char out[64], const bl_net_node *node) {
    const bl_layer_settings *set = &node->set;
    int n = snprintf(out, 64, "%s", node->layer->name);
    if (set->kernel > 0)
        n += snprintf(out + n, 64 - (size_t)n, " %zux%zu", set->kernel, set->kernel);
    if (set->stride > 1) n += snprintf(out + n, 64 - (size_t)n, " stride %zu", set->stride);
    if (set->groups > 1) n += snprintf(out + n, 64 - (size_t)n, " groups %zu", set->groups);
    if (set->ghost > 0) n += snprintf(out + n, 64 - (size_t)n, " of %zu", set->ghost);
    if (set->rate > 0.0) (void)snprintf(out + n, 64 - (size_t)n, " %g", set->rate);
    return out;
}

/* "32 x 32 x 16" of a picture, "64" of a row. */
static const char *shape_text(char out[64], const bl_net_node *node) {
    const bl_shape i = node->shape;
    if (bl_shape_positions(i) > 1)
        (void)snprintf(out, 64, "%zu x %zu x %zu", i.height, i.width, i.channels);
    else
        (void)snprintf(out, 64, "%zu", node->width);
    return out;
}

/* The layers that it reads, "3, 5"; x is the input. */
static const char *source_text(char out[64], const bl_net_node *node) {
    int n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < node->layer->inputs; i++)
        n += node->in[i] == BL_NET_VALUES
                 ? snprintf(out + n, 64 - (size_t)n, "%sx", i ? ", " : "")
                 : snprintf(out + n, 64 - (size_t)n, "%s%zu", i ? ", " : "", node->in[i]);
    return out;
}

static void count_text(bl_buf *out, int width, size_t value) {
    char digits[32];
    bl_buf text = {0};
    (void)snprintf(digits, sizeof digits, "%zu", value);
    bl_buf_grouped(&text, digits);
    bl_buf_printf(out, " %*s", width, text.data);
    bl_buf_free(&text);
}

static void row_text(bl_buf *out, const char *index, const char *layer, const char *from,
                     const char *shape, cost c) {
    bl_buf_printf(out, "%4s  %-26s %-8s %16s", index, layer, from, shape);
    count_text(out, 13, c.parameters);
    count_text(out, 15, c.flops);
    count_text(out, 13, c.bytes);
    bl_buf_str(out, "\n");
}

/* ---- what is fused ---- */

/* The words of the table and the keys of the object, in the order of a step. */
static const struct {
    size_t at; /* of a number in bl_fusion */
    const char *key, *words;
} k_fused[] = {
    {offsetof(bl_fusion, forward_by),  "forward_by",  "forward by"          },
    {offsetof(bl_fusion, add),         "add",         "does add"            },
    {offsetof(bl_fusion, relu),        "relu",        "does relu"           },
    {offsetof(bl_fusion, dropout),     "dropout",     "does dropout"        },
    {offsetof(bl_fusion, backward_by), "backward_by", "backward by"         },
    {offsetof(bl_fusion, fork),        "fork",        "adds gradient of"    },
    {offsetof(bl_fusion, gate),        "gate",        "backward of relu"    },
    {offsetof(bl_fusion, gradient_of), "gradient_of", "gradient in place of"},
};

/* The other node of this kind of fusion; BL_NET_NONE: there is none. */
static size_t fused_node(const bl_net_node *node, size_t row) {
    size_t other;
    memcpy(&other, (const char *)&node->fused + k_fused[row].at, sizeof other);
    return other;
}

/* One line for each node that does another's work or leaves its own to one. */
static void fused_text(bl_buf *out, const bl_net *net) {
    bl_buf_str(out, "\nCarried out as one\n");
    for (size_t i = 0; i < net->nodes; i++) {
        const char *before = NULL;
        for (size_t r = 0; r < BL_COUNT(k_fused); r++) {
            const size_t other = fused_node(&net->node[i], r);
            if (other == BL_NET_NONE) continue;
            if (before == NULL) bl_buf_printf(out, "%4zu  %-14s", i, net->node[i].layer->name);
            bl_buf_printf(out, "%s %s %zu", before == NULL ? "" : before, k_fused[r].words, other);
            before = ",";
        }
        if (before != NULL) bl_buf_str(out, "\n");
    }
}

static void fused_json(bl_jw *w, const bl_net_node *node) {
    bl_jw_object(w, "fused");
    for (size_t r = 0; r < BL_COUNT(k_fused); r++)
        if (fused_node(node, r) != BL_NET_NONE)
            bl_jw_i64(w, k_fused[r].key, (int64_t)fused_node(node, r));
    bl_jw_end(w);
}

/* ---- the whole ---- */

void bl_cli_model_text(bl_buf *out, const bl_net *net, const char *words, bool fused) {
    char index[32], layer[64], from[64], shape[64];
    bl_buf_printf(out, "%s\n\n%4s  %-26s %-8s %16s %13s %15s %13s\n", words, "", "layer", "from",
                  "output", "parameters", "FLOPs", "memory, B");
    for (size_t i = 0; i < net->nodes; i++) {
        const bl_net_node *node = &net->node[i];
        (void)snprintf(index, sizeof index, "%zu", i);
        row_text(out, index, layer_text(layer, node), source_text(from, node),
                 shape_text(shape, node), cost_of(net, node));
    }
    row_text(out, "", "all, with the inputs", "", "", total_of(net));
    bl_buf_str(out, "\nFLOPs: of one example, forward, in dense layers and convolutions; a step "
                    "takes about three times as many.\nMemory: what training keeps of one example, "
                    "gradients included; parameters and optimizer states come on top.\n");
    if (fused) fused_text(out, net);
}

static void cost_json(bl_jw *w, cost c) {
    bl_jw_i64(w, "parameters", (int64_t)c.parameters);
    bl_jw_i64(w, "flops", (int64_t)c.flops);
    bl_jw_i64(w, "bytes", (int64_t)c.bytes);
}

static void layer_json(bl_jw *w, const bl_net *net, const bl_net_node *node, bool fused) {
    const size_t shape[] = {node->shape.height, node->shape.width, node->shape.channels};
    bl_jw_object(w, NULL);
    bl_jw_str(w, "layer", node->layer->name);
    bl_jw_array(w, "shape");
    for (size_t i = 0; i < BL_COUNT(shape); i++) bl_jw_i64(w, NULL, (int64_t)shape[i]);
    bl_jw_end(w);
    cost_json(w, cost_of(net, node));
    if (fused) fused_json(w, node);
    bl_jw_end(w);
}

void bl_cli_model_json(bl_buf *out, const bl_net *net, const char *experiment, const char *kind,
                       bool fused) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "experiment", experiment);
    bl_jw_str(&w, "model", kind);
    cost_json(&w, total_of(net));
    bl_jw_array(&w, "layers");
    for (size_t i = 0; i < net->nodes; i++) layer_json(&w, net, &net->node[i], fused);
    bl_jw_end(&w);
    bl_jw_end(&w);
    bl_jw_line(&w);
}
