/* A net: layers in the order they run, one block of parameters, one of their gradients, one of
 * running statistics. The calls that make one, in this order:
 *
 *     bl_net_init       with the numbers of columns; bl_net_set_shape if they are a picture
 *     bl_net_add        once a layer; the builders of model.h do it from a configuration
 *     bl_net_fuse       decides which nodes do the work of others (net_fuse.c); may be left out
 *     bl_net_lay_out    twice: with a dry arena that counts bytes, then with one of that size. The
 *                       same code does both, so the count cannot be wrong
 *     bl_net_reset      sets the first values, a function of the seed
 *
 * The calls for each batch:
 *
 *     1. the caller fills net->codes, net->values and net->target with the examples
 *     2. bl_net_forward computes the output
 *     3. the caller writes the gradient of the loss with respect to the output into
 *        bl_net_output(net)->dy
 *     4. bl_net_backward leaves the gradient of every weight in net->gradient, but for weights that
 *        pass->update takes
 *
 * An evaluation calls bl_net_infer instead of steps 2 to 4.
 *
 * Ownership: bl_net_free frees the bookkeeping. All arrays of floats belong to the arena. On a
 * device the arena is the device's memory, and nothing here reads or writes what lies in it.
 *
 * Invariants: a node reads earlier nodes; it has at most one reader, a fork two. All arrays are
 * (batch, width), row-major. The bits of a pass depend on neither threads nor tiles; those of a
 * batch that comes in pieces are the concern of engine/train/batch.c. */
#ifndef BL_ENGINE_MODEL_NET_H
#define BL_ENGINE_MODEL_NET_H
#include "engine/base/mem.h"
#include "engine/base/pool.h"
#include "engine/base/status.h"
#include "kernels/device.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BL_NODE_INPUTS = 2,
    BL_NODE_PARAMS = 4, /* those a node has pointers to; an embedding reaches more by offset */
    BL_PARAM_NAME = 96,
};
#define BL_NET_NONE   SIZE_MAX /* no node */
#define BL_NET_VALUES SIZE_MAX /* as a node's input: the batch's continuous values */

typedef struct bl_layer bl_layer;

/* The shape of a picture, stored as kernels/kernel_image.h says: height * width * channels
 * features. What is no picture is (1, 1, features). */
typedef struct bl_shape {
    size_t height, width, channels;
} bl_shape;
static inline size_t bl_shape_positions(bl_shape shape) {
    return shape.height * shape.width;
}

typedef enum bl_init {
    BL_INIT_ZERO,
    BL_INIT_ONE,
    BL_INIT_UNIFORM,      /* in [-scale, scale) */
    BL_INIT_NORMAL,       /* mean 0, deviation `scale` */
    BL_INIT_FOLDED_NORMAL /* the same, values outside two deviations folded back inside */
} bl_init;

/* One parameter tensor, (rows, cols) row-major. */
typedef struct bl_param {
    char name[BL_PARAM_NAME]; /* "3.dense.weight": node, layer, tensor */
    size_t rows, cols;
    size_t offset; /* first float in its block, a multiple of 16 */
    bl_init init;
    float scale;
    bool running; /* lives in the block of running statistics: forward updates it, not the optimizer
                   */
} bl_param;

/* What a builder says about one layer; each layer reads what concerns it. */
typedef struct bl_layer_settings {
    size_t units; /* dense: features out; conv2d: filters; pad_channels: channels */
    size_t kernel, stride, groups; /* conv2d, pools (no groups): 0 is a stride or groups of 1;
                                      pad_channels: stride; group_norm: groups */
    bool no_bias;                  /* conv2d */
    bool same;                     /* conv2d: pad by (kernel - 1) / 2 on every side; else by 0 */
    size_t ghost;                  /* ghost_norm: examples of a chunk; 0: the batch is one */
    float spread;        /* conv2d, dense: weights start normal with this deviation and biases at 0;
                            0: both start uniform, as PyTorch's layers do */
    float eps, momentum; /* of norms: 0 is 1e-5 and 0.1 */
    double rate;         /* dropout: probability of a zero, in [0, 1) */
    float low, high;     /* sigmoid_range */
    size_t columns;      /* embedding: columns of codes, ... */
    const uint32_t *cardinality;    /* ... codes of column c are below cardinality[c], ... */
    const char *const *column_name; /* ... for the parameters' names, may be NULL */
} bl_layer_settings;

/* What the fusion pass (net_fuse.c) decided about a node: numbers of nodes, or BL_NET_NONE. */
typedef struct bl_fusion {
    size_t forward_by, backward_by; /* who does this node's work; none: the node itself */
    size_t add, relu, dropout;      /* forward also does these nodes' work, in this order */
    size_t fork; /* backward also adds the gradient that this fork's second reader sent back, ... */
    size_t gate; /* ... then also does the backward of this relu */
    size_t gradient_of; /* the node's dy is the same memory as the dy of this add */
} bl_fusion;
bl_fusion bl_fusion_none(void);

typedef struct bl_net_node {
    const bl_layer *layer;
    bl_layer_settings set;
    size_t in[BL_NODE_INPUTS]; /* earlier nodes or BL_NET_VALUES */
    size_t in_width[BL_NODE_INPUTS];
    size_t width;                             /* features out */
    bl_shape in_shape[BL_NODE_INPUTS], shape; /* height * width * channels is the width */
    size_t multiplies;                        /* forward, per example: conv2d and dense */
    size_t index;                             /* in the net; also the sub-stream of a dropout */
    size_t first_param, params;               /* in the net's table */
    size_t saved, saved_each;    /* floats forward keeps for backward: in all, and per example */
    bl_embedding_column *column; /* embedding only; owned */
    size_t reader_count;         /* nodes that read it: at most one, of a layer that forks two */
    bool is_second_reader[BL_NODE_INPUTS]; /* of that input */
    bl_fusion fused;
    /* memory; shapes with batch as first dimension */
    const float *x[BL_NODE_INPUTS];    /* (batch, in_width) */
    float *y;                          /* (batch, width) */
    float *dy;                         /* (batch, width): the loss's gradient by y */
    float *dx[BL_NODE_INPUTS];         /* (batch, in_width); NULL: nobody wants it */
    float *memory;                     /* saved + batch * saved_each */
    bl_epilogue epilogue;              /* of forward: what of `fused` is done to y, ... */
    bl_epilogue dx_epilogue;           /* ... and of backward, to dx[0] */
    const struct bl_net_node *dropout; /* of `fused`, done too; NULL: none */
    float *param[BL_NODE_PARAMS], *grad[BL_NODE_PARAMS]; /* grad of a running one: of its sums */
} bl_net_node;

typedef struct bl_net {
    bl_net_node *node;
    size_t nodes;
    bl_param *param;
    size_t params;
    size_t weights, runnings; /* floats in the two blocks, padding included */
    size_t categorical, continuous;
    bl_shape shape; /* of the continuous values */
    /* memory */
    size_t capacity; /* examples */
    float *weight;   /* (weights) */
    float *gradient; /* (weights), then (runnings): what a batch's statistics sum up to */
    float *running;  /* (runnings) */
    uint16_t *codes; /* (capacity, categorical): the caller fills these three before a pass */
    float *values;   /* (capacity, continuous) */
    float *target;   /* (capacity) */
} bl_net;

/* Floats of the block of gradients, the sums of statistics included. */
static inline size_t bl_net_gradients(const bl_net *net) {
    return net->weights + net->runnings;
}

/* An arena and whether a size has overflowed on the way. */
typedef struct bl_net_layout {
    bl_arena *arena;
    bool too_large;
} bl_net_layout;
/* count * each bytes, or NULL and too_large. */
void *bl_net_layout_take(bl_net_layout *layout, size_t count, size_t each);

/* Told when the work of a node is done, for measuring; it changes no bit. */
typedef struct bl_pass_watch {
    void (*done)(void *ctx, size_t node, bool backward);
    void *ctx;
} bl_pass_watch;

/* Updates weights by their gradients, as soon as these are there. */
typedef struct bl_pass_update {
    /* `gradient` has the `count` numbers that belong at `place`, which is in net->gradient; it is
     * not read after the call. Threads call it at once, for different places. */
    void (*weights)(const void *ctx, const float *gradient, const float *place, size_t count);
    const void *ctx;
} bl_pass_update;

/* How one pass over the net is carried out. */
typedef struct bl_pass {
    const bl_kernels *kernels;
    bl_pool *pool;
    unsigned char *scratch;     /* BL_KERNEL_SCRATCH bytes for each thread of the pool */
    size_t batch;               /* at most the net's capacity */
    const uint16_t *codes;      /* the net's; set by forward */
    uint64_t seed;              /* of dropout */
    uint64_t position;          /* of the batch's first example in the stream of examples */
    const uint64_t *from;       /* on a device: added to position when a call is made; else NULL */
    bl_queue *queue;            /* of a device, where the net's memory is; NULL: here */
    const bl_pass_watch *watch; /* NULL: nobody measures */
    /* Of a backward pass. NULL: all gradients are wanted. Else the first parameter of every node
     * with bl_net_updates is updated on the way, and its gradient is undefined. */
    const bl_pass_update *update;
} bl_pass;

/* A layer: one file layer_NAME.c and one row of layer_table.c.
 *
 * `shape` sees widths and images of the inputs and its settings; it sets width, saved and
 * saved_each and declares the parameters. The image is the first input's if the width still is,
 * unless set. The other three compute part `part` of their outputs by kernels (one call must not
 * read what another part of the same function writes). `infer` NULL: as forward.
 *
 * shares_output: y lies where x lay (element by element, and backward does not need x). Sharing
 * layers follow a layer whose own backward does not read its y, or reads only which elements are
 * above 0 where the gradient that comes back is not already 0.
 * shares_gradient: dx lies where dy lay; otherwise each has its own memory. */
struct bl_layer {
    const char *name;
    size_t inputs; /* 0: reads the batch's codes */
    bool shares_output, shares_gradient;
    bool forks; /* two layers may read y, none of which shares_output; the second one's gradient
                   comes in `memory`, and backward adds the two */
    /* What its kernels can also do, for the fusion pass (net_fuse.c): */
    bool fuses_add, fuses_relu; /* node->epilogue of y, forward and in inference */
    bool fuses_dropout;         /* node->dropout, forward and backward */
    bool fuses_backward;        /* node->dx_epilogue of dx[0] */
    bool keeps_gradient;        /* backward leaves dy as it is */
    bl_status (*shape)(bl_net *net, bl_net_node *node, bl_err *err);
    void (*forward)(const bl_net_node *node, const bl_pass *pass, const bl_part *part);
    void (*infer)(const bl_net_node *node, const bl_pass *pass, const bl_part *part);
    void (*backward)(const bl_net_node *node, const bl_pass *pass, const bl_part *part);
    /* The two halves of backward for passes that update: dx, then the parameters' gradients, of
     * which the first parameter's go to pass->update piece by piece. NULL: the layer cannot. */
    void (*backward_input)(const bl_net_node *node, const bl_pass *pass, const bl_part *part);
    void (*backward_update)(const bl_net_node *node, const bl_pass *pass, const bl_part *part);
    /* Layers with running statistics: how many chunks of `batch` examples are normalised each by
     * itself. forward writes the sums over them to the running parameters' grad. */
    size_t (*chunks)(const bl_net_node *node, size_t batch);
};

extern const bl_layer *const bl_layer_table[];
extern const size_t bl_layer_count;
const bl_layer *bl_layer_find(const char *name); /* by its table name; NULL: there is none */

/* Share of a step's batch in a node's running statistics. */
static inline float bl_net_momentum(const bl_net_node *node) {
    return node->set.momentum > 0.0f ? node->set.momentum : 0.1f;
}

/* Whether passes with an update also update the node's first parameter: only of layers whose
 * weights and their gradient do not stay in the second cache from backward to the update anyway. Of
 * smaller ones strips cost more than they save (rossmann's at batch 64: 4 %). Strips are rows: 16
 * of them have to fit into that cache, and there have to be some for each thread. */
enum { BL_NET_LARGE = 1 << 19, BL_NET_ROWS = 1 << 9, BL_NET_COLUMNS = 1 << 13 }; /* floats */
static inline bool bl_net_updates(const bl_net_node *node) {
    return node->layer->backward_update != NULL && node->in_width[0] >= BL_NET_ROWS &&
           node->width <= BL_NET_COLUMNS && node->in_width[0] * node->width >= BL_NET_LARGE;
}

void bl_net_init(bl_net *net, size_t categorical, size_t continuous);
/* The continuous values are a picture's: before the first layer. */
void bl_net_set_shape(bl_net *net, bl_shape shape);
void bl_net_free(bl_net *net); /* bookkeeping; the arena holds the rest */
/* Appends a layer by its table name; *index is its node. Widths and settings are checked. */
bl_status bl_net_add(bl_net *net, const char *layer, const bl_layer_settings *set, size_t in0,
                     size_t in1, size_t *index, bl_err *err) BL_CHECKED;
/* For a layer's shape function. */
bl_status bl_net_add_param(bl_net *net, bl_net_node *node, const bl_param *param,
                           bl_err *err) BL_CHECKED;

/* Decides which nodes do the work of others, once the last one is there. Without it every node does
 * its own; the bits are the same. */
void bl_net_fuse(bl_net *net);

/* Takes the memory for `capacity` examples from the layout's arena (a dry one only counts). */
void bl_net_lay_out(bl_net *net, bl_net_layout *layout, size_t capacity);
/* Parameters and running statistics as functions of (seed, place in the table). */
void bl_net_reset(bl_net *net, uint64_t seed);

/* Passes from here on read these weights and running statistics, laid out as the net's own, which
 * bl_net_lay_out aims at: for an evaluation by others. */
void bl_net_aim(bl_net *net, float *weight, float *running);

void bl_net_forward(bl_net *net, const bl_pass *pass); /* training: dropout, batch statistics */
void bl_net_infer(bl_net *net, const bl_pass *pass);
/* After bl_net_forward with the same pass and the output's dy filled in: net->gradient, but for
 * what pass->update takes. */
void bl_net_backward(bl_net *net, const bl_pass *pass);
/* Once a batch of `batch` examples has gone forward in pieces of `piece`, and their gradients,
 * which include the sums of statistics, are added up: moves the running statistics. */
void bl_net_update_running_stats(bl_net *net, const bl_pass *pass, size_t batch, size_t piece);
/* Floats that a node keeps for each example: its output and gradient, where they are its own, and
 * what forward keeps for backward. */
size_t bl_net_node_floats(const bl_net_node *node);
/* The last node: its y is the prediction, (batch, width). */
bl_net_node *bl_net_output(const bl_net *net);
#endif
