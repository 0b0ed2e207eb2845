/* A net: layers in the order they run, one block of parameters, one of their gradients, one of
 * running statistics. Built from a configuration, then given memory for a number of examples, then
 * run. The same planning code counts the bytes first (a dry arena) and hands them out later. */
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
                                      pad_channels: stride; groupnorm: groups */
    bool no_bias;                  /* conv2d */
    bool same;                     /* conv2d: pad by (kernel - 1) / 2 on every side; else by 0 */
    size_t ghost;                  /* ghostnorm: examples of a chunk, 0: the batch is one */
    float spread;        /* conv2d, dense: weights start normal with this deviation and biases at 0;
                            0: both start uniform, as PyTorch's layers do */
    float eps, momentum; /* of norms: 0 is 1e-5 and 0.1 */
    double rate;         /* dropout: probability of a zero, in [0, 1) */
    float low, high;     /* sigmoid_range */
    size_t columns;      /* embedding: columns of codes, ... */
    const uint32_t *cardinality;    /* ... codes of column c are below cardinality[c], ... */
    const char *const *column_name; /* ... for the parameters' names, may be NULL */
} bl_layer_settings;

typedef struct bl_net_node {
    const bl_layer *layer;
    bl_layer_settings set;
    size_t in[BL_NODE_INPUTS]; /* earlier nodes or BL_NET_VALUES */
    size_t in_width[BL_NODE_INPUTS];
    size_t width;                             /* features out */
    bl_shape in_shape[BL_NODE_INPUTS], shape; /* shapes of both; a product is the width */
    size_t multiplies;                        /* forward, per example: conv2d and dense */
    size_t index;                             /* in the net; also the sub-stream of a dropout */
    size_t first_param, params;               /* in the net's table */
    size_t saved, saved_each;    /* floats forward keeps for backward: in all, and per example */
    bl_embedding_column *column; /* embedding only; owned */
    size_t readers;              /* nodes that read it: at most one, of a layer that forks two */
    bool second[BL_NODE_INPUTS]; /* it is the second reader of that input */
    bool relu;                   /* takes_relu: a relu follows; of the relu: it is taken */
    bool added;                  /* of an add: the layer before it has done it, where y lies */
    bool dropped;                /* of a dropout: the layer before it does it */
    bool ended;                  /* of a relu or a fork: its reader's backward does its own */
    bool lends; /* its gradient, a fork's the second one, lies where a later add's does */
    /* memory; shapes with batch as first dimension */
    const float *x[BL_NODE_INPUTS]; /* (batch, in_width) */
    float *y;                       /* (batch, width) */
    float *dy;                      /* (batch, width): the loss's gradient by y */
    float *dx[BL_NODE_INPUTS];      /* (batch, in_width); NULL: nobody wants it */
    float *memory;                  /* saved + batch * saved_each */
    const float *plus; /* takes_add: (batch, width), the add's other input; NULL: no add follows */
    const float *dx_plus; /* ends_gradient: what a fork adds to dx[0]; NULL: nothing */
    const float *dx_relu; /* ... and the output of the relu before it; NULL: there is none */
    const struct bl_net_node *dropout; /* takes_dropout: the dropout that follows; NULL: none */
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

/* How one pass over the net is carried out. */
typedef struct bl_pass {
    const bl_kernels *kernels;
    bl_pool *pool;
    unsigned char *scratch; /* BL_KERNEL_SCRATCH bytes for each thread of the pool */
    size_t batch;           /* at most the net's capacity */
    const uint16_t *codes;  /* the net's; set by forward */
    uint64_t seed;          /* of dropout */
    uint64_t position;      /* of the batch's first example in the stream of examples */
    const uint64_t *from;   /* on a device: added to position when a call is made; else NULL */
    bl_queue *queue;        /* of a device, where the net's memory is; NULL: here */
} bl_pass;

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

/* Takes the memory for `capacity` examples from the layout's arena (a dry one only counts). */
void bl_net_lay_out(bl_net *net, bl_net_layout *layout, size_t capacity);
/* Parameters and running statistics as functions of (seed, place in the table). */
void bl_net_reset(bl_net *net, uint64_t seed);

void bl_net_forward(bl_net *net, const bl_pass *pass); /* training: dropout, batch statistics */
void bl_net_infer(bl_net *net, const bl_pass *pass);
/* After bl_net_forward with the same pass and the output's dy filled in: net->gradient. */
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
