/* Building a net, giving it memory, and the passes over it.
 *
 * Memory. A node's output y and its gradient dy have memory of their own, unless
 *
 *     the node                                      has
 *     works in place (shares_output: relu,          the y of its input
 *       dropout, fork)
 *     is an add that its later input carries out    the y of that input
 *     has a backward that works in place            the dy of its input
 *       (shares_gradient)
 *     is the second input of an add, where the      the dy of the add
 *       fusion pass says so (net_fuse.c)
 *
 * For instance conv2d, relu, add with a shortcut, relu: y of the second convolution is the add's
 * and the last relu's; the add's dy is both its inputs'.
 *
 * Passes. Each is one loop over the nodes, forward from the first, backward from the last, and for
 * each node one fork and join of the pool: every thread computes its part of that node's outputs.
 * Nodes whose work another one does are left out. */
#include "engine/model/net.h"
#include "engine/base/vec.h"
#include <stdio.h>
#include <string.h>

enum { PAD = 16 }; /* floats: every tensor starts on a cache line */

void bl_net_init(bl_net *net, size_t categorical, size_t continuous) {
    *net = (bl_net){
        .categorical = categorical, .continuous = continuous, .shape = {1, 1, continuous}
    };
}

void bl_net_set_shape(bl_net *net, bl_shape shape) {
    BL_ASSERT(net->nodes == 0 && bl_shape_positions(shape) * shape.channels == net->continuous);
    net->shape = shape;
}

void bl_net_free(bl_net *net) {
    for (size_t i = 0; i < net->nodes; i++) free(net->node[i].column);
    free(net->node);
    free(net->param);
    *net = (bl_net){0};
}

bl_net_node *bl_net_output(const bl_net *net) {
    return &net->node[net->nodes - 1];
}

/* Input `slot` of a node is the output of `from`, or the batch's values. Only a fork has two
 * readers, and what works in place never reads a fork: it would change what the other reader sees.
 */
static void connect(bl_net *net, bl_net_node *node, size_t slot, size_t from) {
    node->in[slot] = from;
    if (from == BL_NET_VALUES) {
        node->in_width[slot] = net->continuous;
        node->in_shape[slot] = net->shape;
        return;
    }
    bl_net_node *source = &net->node[from];
    BL_ASSERT(from < node->index && source->reader_count < (source->layer->forks ? 2 : 1));
    BL_ASSERT(!source->layer->forks || node->layer->forks || !node->layer->shares_output);
    node->is_second_reader[slot] = source->reader_count++ > 0;
    node->in_width[slot] = source->width;
    node->in_shape[slot] = source->shape;
}

bl_status bl_net_add(bl_net *net, const char *layer, const bl_layer_settings *set, size_t in0,
                     size_t in1, size_t *index, bl_err *err) {
    const size_t in[BL_NODE_INPUTS] = {in0, in1};
    bl_net_node *node = BL_PUSH(net->node, net->nodes, "nodes of a net");
    *node = (bl_net_node){
        .layer = bl_layer_find(layer), .index = net->nodes - 1, .fused = bl_fusion_none()};
    BL_ASSERT(node->layer != NULL);
    if (set != NULL) node->set = *set;
    node->first_param = net->params;
    for (size_t i = 0; i < BL_NODE_INPUTS && i < node->layer->inputs; i++)
        connect(net, node, i, in[i]);
    BL_ASSERT(!node->layer->shares_output || node->in[0] != BL_NET_VALUES);
    node->shape = node->in_shape[0];
    BL_TRY(node->layer->shape(net, node, err));
    if (bl_shape_positions(node->shape) * node->shape.channels != node->width)
        node->shape = (bl_shape){1, 1, node->width};
    *index = node->index;
    return BL_OK;
}

bl_status bl_net_add_param(bl_net *net, bl_net_node *node, const bl_param *param, bl_err *err) {
    size_t *block = param->running ? &net->runnings : &net->weights;
    size_t count = 0, end = 0;
    if (!bl_mul_size(&count, param->rows, param->cols) ||
        __builtin_add_overflow(*block, count, &end) || end > SIZE_MAX / 64)
        BL_FAIL(err, BL_ENOMEM, "%zu by %zu parameters for layer %s are more than memory can hold",
                param->rows, param->cols, node->layer->name);
    bl_param *added = BL_PUSH(net->param, net->params, "parameters of a net");
    *added = *param;
    added->offset = *block;
    (void)snprintf(added->name, sizeof added->name, "%zu.%s.%.64s", node->index, node->layer->name,
                   param->name);
    *block = (end + PAD - 1) / PAD * PAD;
    node->params++;
    return BL_OK;
}

void *bl_net_layout_take(bl_net_layout *layout, size_t count, size_t each) {
    size_t bytes = 0;
    if (!bl_mul_size(&bytes, count, each) || bytes > SIZE_MAX / 8 ||
        layout->arena->used > SIZE_MAX / 8) {
        layout->too_large = true;
        return (void *)(uintptr_t)BL_ALIGN; /* never touched: too_large is seen first */
    }
    return bl_arena_alloc(layout->arena, bytes);
}

/* (examples, each) floats. */
static float *take_floats(bl_net_layout *layout, size_t examples, size_t each) {
    size_t count = 0;
    if (!bl_mul_size(&count, examples, each)) count = SIZE_MAX;
    return bl_net_layout_take(layout, count, sizeof(float));
}

/* Whether its gradient, a fork's second one, lies where an add's does. */
static bool borrows_gradient(const bl_net_node *node) {
    return node->fused.gradient_of != BL_NET_NONE;
}

size_t bl_net_node_floats(const bl_net_node *node) {
    const bl_layer *layer = node->layer;
    const bool own_output = !layer->shares_output && node->fused.forward_by == BL_NET_NONE;
    const bool own_gradient = !layer->shares_gradient || node->in[0] == BL_NET_VALUES;
    return (own_output ? node->width : 0) + (own_gradient ? node->width : 0) + node->saved_each -
           (borrows_gradient(node) ? node->width : 0);
}

/* Where an add's second input leaves its gradient: in place of the add's own. */
static void lend_gradient(bl_net_node *second, bl_net_node *add) {
    *(second->layer->forks ? &second->memory : &second->dy) = add->dy;
    add->dx[1] = add->dy;
}

/* Addresses of one node, whose inputs have theirs. */
static void lay_out_node(bl_net *net, bl_net_node *node, bl_net_layout *layout) {
    const bl_layer *layer = node->layer;
    for (size_t i = 0; i < layer->inputs; i++) {
        const bool values = node->in[i] == BL_NET_VALUES;
        node->x[i] = values ? net->values : net->node[node->in[i]].y;
        node->dx[i] = values                      ? NULL
                      : node->is_second_reader[i] ? net->node[node->in[i]].memory
                                                  : net->node[node->in[i]].dy;
    }
    node->y = layer->shares_output ? net->node[node->in[0]].y
              : node->fused.forward_by != BL_NET_NONE
                  ? net->node[node->fused.forward_by].y
                  : take_floats(layout, net->capacity, node->width);
    node->dy = layer->shares_gradient && node->dx[0] != NULL ? node->dx[0]
               : borrows_gradient(node) && !layer->forks
                   ? NULL
                   : take_floats(layout, net->capacity, node->width);
    if (layer->inputs > 1 && node->in[1] != BL_NET_VALUES &&
        net->node[node->in[1]].fused.gradient_of == node->index)
        lend_gradient(&net->node[node->in[1]], node);
    node->memory = NULL;
    if (node->saved > 0) node->memory = take_floats(layout, 1, node->saved);
    if (node->saved_each > 0 && !borrows_gradient(node))
        node->memory = take_floats(layout, net->capacity, node->saved_each);
    for (size_t i = 0; i < bl_size_min(node->params, BL_NODE_PARAMS); i++) {
        const bl_param *p = &net->param[node->first_param + i];
        node->grad[i] = net->gradient + (p->running ? net->weights : 0) + p->offset;
    }
}

/* The numbers of the fusion pass as addresses, once every node has its own. */
static void aim_epilogues(const bl_net *net, bl_net_node *node) {
    const bl_fusion *f = &node->fused;
    node->epilogue = node->dx_epilogue = (bl_epilogue){0};
    node->dropout = f->dropout == BL_NET_NONE ? NULL : &net->node[f->dropout];
    node->epilogue.relu = f->relu != BL_NET_NONE;
    if (f->add != BL_NET_NONE) {
        const bl_net_node *add = &net->node[f->add];
        node->epilogue.residual = net->node[add->in[add->in[0] == node->index ? 1 : 0]].y;
    }
    if (f->fork != BL_NET_NONE) node->dx_epilogue.residual = net->node[f->fork].memory;
    if (f->gate != BL_NET_NONE) node->dx_epilogue.relu_gate = net->node[f->gate].y;
}

void bl_net_aim(bl_net *net, float *weight, float *running) {
    for (size_t n = 0; n < net->nodes; n++) {
        bl_net_node *node = &net->node[n];
        for (size_t i = 0; i < bl_size_min(node->params, BL_NODE_PARAMS); i++) {
            const bl_param *p = &net->param[node->first_param + i];
            node->param[i] = (p->running ? running : weight) + p->offset;
        }
    }
}

void bl_net_lay_out(bl_net *net, bl_net_layout *layout, size_t capacity) {
    net->capacity = capacity;
    net->weight = bl_net_layout_take(layout, net->weights, sizeof(float));
    net->gradient = bl_net_layout_take(layout, bl_net_gradients(net), sizeof(float));
    net->running = bl_net_layout_take(layout, net->runnings, sizeof(float));
    net->values = take_floats(layout, capacity, net->continuous);
    net->target = take_floats(layout, capacity, 1);
    net->codes = bl_net_layout_take(layout, capacity, net->categorical * sizeof(uint16_t));
    for (size_t i = 0; i < net->nodes; i++) lay_out_node(net, &net->node[i], layout);
    for (size_t i = 0; i < net->nodes; i++) aim_epilogues(net, &net->node[i]);
    bl_net_aim(net, net->weight, net->running);
}

/* ---- passes: one fork and join for every layer ---- */

typedef struct layer_job {
    void (*run)(const bl_net_node *node, const bl_pass *pass, const bl_part *part);
    const bl_net_node *node;
    const bl_pass *pass;
} layer_job;

/* One thread's part of one layer. */
static void run_part(void *ctx, size_t p, size_t parts) {
    const layer_job *job = ctx;
    const bl_part part = {.part = p,
                          .parts = parts,
                          .scratch = job->pass->scratch + p * BL_KERNEL_SCRATCH,
                          .queue = job->pass->queue};
    job->run(job->node, job->pass, &part);
}

static void tell(const bl_pass *pass, size_t node, bool backward) {
    if (pass->watch != NULL) pass->watch->done(pass->watch->ctx, node, backward);
}

void bl_net_forward(bl_net *net, const bl_pass *pass) {
    bl_pass here = *pass;
    here.codes = net->codes;
    for (size_t i = 0; i < net->nodes; i++) {
        if (net->node[i].fused.forward_by != BL_NET_NONE) continue;
        layer_job job = {net->node[i].layer->forward, &net->node[i], &here};
        bl_pool_run(pass->pool, run_part, &job);
        tell(pass, i, false);
    }
}

void bl_net_infer(bl_net *net, const bl_pass *pass) {
    bl_pass here = *pass;
    here.codes = net->codes;
    for (size_t i = 0; i < net->nodes; i++) {
        const bl_layer *layer = net->node[i].layer;
        if (net->node[i].fused.forward_by != BL_NET_NONE) continue;
        layer_job job = {layer->infer != NULL ? layer->infer : layer->forward, &net->node[i],
                         &here};
        bl_pool_run(pass->pool, run_part, &job);
    }
}

void bl_net_backward(bl_net *net, const bl_pass *pass) {
    bl_pass here = *pass;
    here.codes = net->codes;
    for (size_t i = net->nodes; i-- > 0;) {
        const bl_layer *layer = net->node[i].layer;
        if (net->node[i].fused.backward_by != BL_NET_NONE) continue;
        layer_job job = {layer->backward, &net->node[i], &here};
        if (pass->update != NULL && bl_net_updates(&net->node[i])) {
            job.run = layer->backward_input; /* in all threads, before a weight changes */
            bl_pool_run(pass->pool, run_part, &job);
            job.run = layer->backward_update;
        }
        bl_pool_run(pass->pool, run_part, &job);
        tell(pass, i, true);
    }
}

/* ---- running statistics ---- */

/* Running parameters [begin, end) of neighbouring nodes, whose sums are of as many chunks each and
 * which move with the same momentum: one call's. Between two parameters there may be padding, which
 * is 0 and stays so. */
typedef struct settle_range {
    size_t begin, end, chunks;
    float momentum;
} settle_range;

static void settle_range_run(const bl_net *net, const settle_range *r, const bl_pass *pass,
                             const bl_part *part) {
    const bl_running_average args = {.running = net->running + r->begin,
                                     .sum = net->gradient + net->weights + r->begin,
                                     .count = r->end - r->begin,
                                     .chunks = r->chunks,
                                     .momentum = r->momentum};
    if (r->begin < r->end) pass->kernels->running_average(&args, part);
}

static settle_range settle_range_of(const bl_net *net, const bl_net_node *node, size_t chunks) {
    settle_range r = {net->runnings, 0, chunks, bl_net_momentum(node)};
    for (size_t i = node->first_param; i < node->first_param + node->params; i++) {
        const bl_param *p = &net->param[i];
        if (!p->running) continue;
        r.begin = bl_size_min(r.begin, p->offset);
        r.end = bl_size_max(r.end, p->offset + p->rows * p->cols);
    }
    return r;
}

typedef struct settle_job {
    const bl_net *net;
    const bl_pass *pass;
    size_t batch, piece;
} settle_job;

static void settle_part(void *ctx, size_t p, size_t parts) {
    const settle_job *job = ctx;
    const bl_part part = {.part = p, .parts = parts, .queue = job->pass->queue};
    const size_t whole = job->batch / job->piece, rest = job->batch % job->piece;
    settle_range all = {0};
    for (size_t i = 0; i < job->net->nodes; i++) {
        const bl_net_node *node = &job->net->node[i];
        if (node->layer->chunks == NULL) continue;
        const size_t chunks = whole * node->layer->chunks(node, job->piece) +
                              (rest > 0 ? node->layer->chunks(node, rest) : 0);
        const settle_range r = settle_range_of(job->net, node, chunks);
        if (r.begin >= all.end && r.chunks == all.chunks && r.momentum == all.momentum) {
            all.end = r.end;
            continue;
        }
        settle_range_run(job->net, &all, job->pass, &part);
        all = r;
    }
    settle_range_run(job->net, &all, job->pass, &part);
}

void bl_net_update_running_stats(bl_net *net, const bl_pass *pass, size_t batch, size_t piece) {
    settle_job job = {net, pass, batch, piece};
    if (net->runnings > 0) bl_pool_run(pass->pool, settle_part, &job);
}
