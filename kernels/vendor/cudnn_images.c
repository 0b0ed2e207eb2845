/* Convolutions and pools by cuDNN. A call looks its shape up among the queue's choices, or has
 * cudnn_engine.c choose an engine for it; then it gives the engine its arrays by number and runs
 * it. Without an engine the project's own kernel takes the call.
 *
 * What the library takes differently from this project's nets lies in the queue's workspace:
 *
 *     | w as (filters, kernel, kernel, channels) | x in 16 bits | y in 16 bits | the library's |
 *
 * The first is there for every convolution, the next two at precision bf16 and fp16. Kernels of
 * layout.cu bring arrays there and back. Bias, residual and relu that the engine did not fuse
 * follow as kernels of this project, as does the bias's gradient, in contract order. */
#include "kernels/vendor/cudnn_images.h"
#include "kernels/cuda/cuda_kernels.h"
#include "kernels/vendor/cudnn_operations.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CHOICES = 256, CHOICE_TEXT = 256, ALIGN = 256 };

typedef struct choice {
    bl_cudnn_shape shape;
    bool found; /* else the kernels of level `exact` */
    bl_graph graph;
    size_t selected; /* which selection named it; see bl_cudnn_select */
    char text[CHOICE_TEXT];
} choice;

struct bl_cudnn {
    cudnnHandle_t handle;
    cudnnDataType_t type;
    bl_width width; /* the same */
    bool tensor_cores;
    choice *choice[MOST_CHOICES]; /* shapes beyond these go to level `exact` */
    size_t choices;
    size_t selection;            /* the number of the run's selection */
    choice *named[MOST_CHOICES]; /* by it, in order */
    size_t names;
};

static const struct {
    const char *name;
    cudnnDataType_t type;
    bl_width width;
    bool tensor_cores;
} k_precisions[] = {
    {"fp32", CUDNN_DATA_FLOAT,    BL_FP32, false},
    {"tf32", CUDNN_DATA_FLOAT,    BL_FP32, true },
    {"bf16", CUDNN_DATA_BFLOAT16, BL_BF16, true },
    {"fp16", CUDNN_DATA_HALF,     BL_FP16, true },
};

bl_status bl_cudnn_library(size_t *version, bl_err *err) {
    return bl_graph_library(version, err);
}

bl_status bl_cudnn_open(bl_cudnn **out, bl_queue *queue, const char *precision, bl_err *err) {
    size_t i = 0;
    *out = NULL;
    while (i < sizeof k_precisions / sizeof *k_precisions &&
           strcmp(k_precisions[i].name, precision) != 0)
        i++;
    if (i == sizeof k_precisions / sizeof *k_precisions)
        BL_FAIL(err, BL_EINVAL, "precision = \"%s\": there is no such precision", precision);
    bl_cudnn *m = calloc(1, sizeof *m);
    if (m == NULL) BL_FAIL(err, BL_ENOMEM, "no memory");
    m->type = k_precisions[i].type;
    m->width = k_precisions[i].width;
    m->tensor_cores = k_precisions[i].tensor_cores;
    const bl_status status = bl_graph_handle(&m->handle, queue->stream, err);
    if (status != BL_OK) {
        free(m);
        return status;
    }
    *out = m;
    return BL_OK;
}

void bl_cudnn_close(bl_cudnn *images) {
    if (images == NULL) return;
    for (size_t i = 0; i < images->choices; i++) {
        bl_graph_end(&images->choice[i]->graph);
        free(images->choice[i]);
    }
    bl_graph_handle_close(images->handle);
    free(images);
}

const char *bl_cudnn_algorithm(const bl_cudnn *images, size_t i) {
    return images != NULL && i < images->names ? images->named[i]->text : NULL;
}

/* ---- choosing ---- */

static size_t x_count(const bl_conv *v) {
    return v->batch * v->height * v->width * v->channels;
}
static size_t y_count(const bl_conv *v) {
    return v->batch * v->out_height * v->out_width * v->filters;
}
static size_t w_rows(const bl_conv *v) {
    return v->kernel * v->kernel * (v->channels / v->groups);
}

/* What lies in the workspace before the library's own part of it. */
typedef struct room {
    size_t w, x, y; /* offsets: w transposed; x and y in 16 bits */
    size_t library;
} room;

static bool is_convolution(const bl_cudnn_shape *s) {
    return s->operation <= BL_CONV_WEIGHT;
}

/* To what arrays in the workspace are aligned to. */
static size_t rounded(size_t bytes) {
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* Pools have no room: they take fp32 as it lies, and no weights. */
static room room_of(const bl_cudnn_shape *s) {
    const bl_conv *v = &s->conv;
    const bool narrow = s->type != CUDNN_DATA_FLOAT;
    const size_t each = narrow ? 2 : 4;
    room r = {0};
    if (!is_convolution(s)) return r;
    r.x = r.w + rounded(w_rows(v) * v->filters * each);
    r.y = r.x + (narrow ? rounded(x_count(v) * each) : 0);
    r.library = r.y + (narrow ? rounded(y_count(v) * each) : 0);
    return r;
}

/* For the run's log, such as
 *
 *     conv2d_forward 64 x 32 x 32 x 3 to 32, kernel 3, stride 1, pad 1, groups 1: cuDNN ...
 *
 * Behind the colon stands the engine as cudnn_engine.c names it, or "exact". */
static void write_text(choice *c) {
    static const char *const names[] = {
#define NAME(operation, name) name,
        BL_CUDNN_OPERATIONS(NAME)
#undef NAME
    };
    const bl_conv *v = &c->shape.conv;
    (void)snprintf(c->text, sizeof c->text,
                   "%s%s %zu x %zu x %zu x %zu to %zu, kernel %zu, stride %zu, pad %zu, groups "
                   "%zu: %s%s",
                   names[c->shape.operation], c->shape.bias ? " and bias" : "", v->batch, v->height,
                   v->width, v->channels, v->filters, v->kernel, v->stride, v->pad, v->groups,
                   c->found ? "cuDNN " : "exact", c->found ? c->graph.text : "");
}

/* c->found says whether the library has an admissible engine that the workspace suffices for. */
static void choose(bl_cudnn *m, choice *c) {
    const room r = room_of(&c->shape);
    const bl_engine_limits limits = {.tensor_cores = m->tensor_cores,
                                     .workspace = BL_CUDA_WORKSPACE - r.library,
                                     .handle = m->handle};
    bl_graph_begin(&c->graph);
    if (r.library > BL_CUDA_WORKSPACE) return;
    bl_cudnn_describe(&c->graph, &c->shape);
    c->found = c->graph.ok && bl_graph_choose(&c->graph, &limits);
}

/* The type is not compared: all choices of a queue are of its precision. */
static bool is_same(const bl_cudnn_shape *a, const bl_cudnn_shape *b) {
    const bl_conv *v = &a->conv, *w = &b->conv;
    return a->operation == b->operation && a->bias == b->bias && v->batch == w->batch &&
           v->height == w->height && v->width == w->width && v->channels == w->channels &&
           v->out_height == w->out_height && v->out_width == w->out_width &&
           v->filters == w->filters && v->kernel == w->kernel && v->stride == w->stride &&
           v->pad == w->pad && v->groups == w->groups;
}

/* Asks the library, for a shape that is new; NULL where there is no room for more. */
static choice *add_choice(bl_cudnn *m, const bl_cudnn_shape *s) {
    choice *c = m->choices < MOST_CHOICES ? calloc(1, sizeof *c) : NULL;
    if (c == NULL) return NULL;
    c->shape = *s;
    choose(m, c);
    write_text(c);
    m->choice[m->choices++] = c;
    return c;
}

/* NULL: left to level `exact`. */
static choice *chosen(bl_cudnn *m, bl_cudnn_operation operation, const bl_conv *conv, bool bias) {
    bl_cudnn_shape s = {.operation = operation, .conv = *conv, .bias = bias};
    s.type = is_convolution(&s) ? m->type : CUDNN_DATA_FLOAT;
    if (x_count(conv) == 0 || y_count(conv) == 0) return NULL;
    size_t i = 0;
    while (i < m->choices && !is_same(&m->choice[i]->shape, &s)) i++;
    choice *c = i < m->choices ? m->choice[i] : add_choice(m, &s);
    if (c == NULL) return NULL;
    if (c->selected != m->selection) m->named[m->names++] = c;
    c->selected = m->selection;
    return c->found ? c : NULL;
}

void bl_cudnn_select(bl_cudnn *images) {
    if (images == NULL) return;
    images->selection++;
    images->names = 0;
}

/* ---- running ---- */

enum { MOST_ARRAYS = 16 };

typedef struct call {
    const choice *c;
    bl_queue *queue;
    int count;
    int64_t id[MOST_ARRAYS];
    void *pointer[MOST_ARRAYS];
} call;

/* The library's interface takes pointers to what it only reads without const. */
static void give(call *c, int64_t id, const void *pointer) {
    memcpy(&c->pointer[c->count], &pointer, sizeof pointer);
    c->id[c->count++] = id;
}

static unsigned char *at(const call *c, size_t offset) {
    return (unsigned char *)c->queue->workspace + offset;
}

/* Carries out what was given; a refusal is the queue's fault to tell. */
static void run(call *c) {
    const room r = room_of(&c->c->shape);
    char why[BL_GRAPH_WHY];
    if (!bl_graph_run(&c->c->graph, c->queue->images->handle, c->count, c->id, c->pointer,
                      at(c, r.library), why))
        bl_queue_fault(c->queue, BL_EUNSUPPORTED,
                       "cuDNN did not carry out what it had a plan for: %s, %s", why, c->c->text);
}

/* x or y of a convolution, rounded to the precision's width if that is not fp32. */
static void give_narrow(call *c, int64_t id, const float *array, size_t count, size_t offset) {
    const bl_width width = c->queue->images->width;
    if (width == BL_FP32) {
        give(c, id, array);
        return;
    }
    bl_cuda_transpose(c->queue, at(c, offset), width, array, BL_FP32, 1, count);
    give(c, id, at(c, offset));
}

/* Where the result goes, and from there, once it is there. */
static void give_result(call *c, int64_t id, float *array, size_t offset) {
    give(c, id, c->queue->images->width == BL_FP32 ? (void *)array : at(c, offset));
}
static void take_result(call *c, float *array, size_t count, size_t offset) {
    const bl_width width = c->queue->images->width;
    if (width != BL_FP32)
        bl_cuda_transpose(c->queue, array, BL_FP32, at(c, offset), width, 1, count);
}

/* w as (filters, taps and channels). */
static void give_weights(call *c, const float *w) {
    const bl_conv *v = &c->c->shape.conv;
    const room r = room_of(&c->c->shape);
    bl_cuda_transpose(c->queue, at(c, r.w), c->queue->images->width, w, BL_FP32, w_rows(v),
                      v->filters);
    give(c, BL_ID_W, at(c, r.w));
}

static bl_queue *queue_of(const bl_part *part) {
    bl_queue *queue = part->queue;
    bl_cuda_use(queue->device);
    return queue;
}

/* First with the bias inside; where no engine fuses both, the bias follows as a kernel. While
 * the queue selects, choices are made and named, and nothing is computed. */
void bl_conv2d_forward_library(const bl_conv2d_forward *a, const bl_part *part) {
    call c = {.queue = queue_of(part)};
    bl_cudnn *m = c.queue->images;
    const choice *fused = a->bias != NULL ? chosen(m, BL_CONV_FORWARD, &a->conv, true) : NULL;
    c.c = fused != NULL ? fused : chosen(m, BL_CONV_FORWARD, &a->conv, false);
    if (c.queue->selecting) return;
    if (c.c == NULL) {
        bl_conv2d_forward_cuda(a, part);
        return;
    }
    const room r = room_of(&c.c->shape);
    give_weights(&c, a->w);
    give_narrow(&c, BL_ID_X, a->x, x_count(&a->conv), r.x);
    if (fused != NULL) give(&c, BL_ID_BIAS, a->bias);
    give_result(&c, BL_ID_Y, a->y, r.y);
    run(&c);
    take_result(&c, a->y, y_count(&a->conv), r.y);
    if (fused == NULL && a->bias != NULL)
        bl_cuda_add_bias(c.queue, a->y, a->bias, y_count(&a->conv), a->conv.filters);
    bl_cuda_epilogue(c.queue, &a->epilogue, a->y, y_count(&a->conv));
}

/* dx comes out of dy and w; the epilogue is the one of the layer below. */
void bl_conv2d_backward_input_library(const bl_conv2d_backward_input *a, const bl_part *part) {
    call c = {.queue = queue_of(part)};
    c.c = chosen(c.queue->images, BL_CONV_INPUT, &a->conv, false);
    if (c.queue->selecting) return;
    if (c.c == NULL) {
        bl_conv2d_backward_input_cuda(a, part);
        return;
    }
    const room r = room_of(&c.c->shape);
    give_weights(&c, a->w);
    give_narrow(&c, BL_ID_Y, a->dy, y_count(&a->conv), r.y);
    give_result(&c, BL_ID_X, a->dx, r.x);
    run(&c);
    take_result(&c, a->dx, x_count(&a->conv), r.x);
    bl_cuda_epilogue(c.queue, &a->epilogue, a->dx, x_count(&a->conv));
}

/* The bias's gradient is summed in contract order. */
void bl_conv2d_backward_weight_library(const bl_conv2d_backward_weight *a, const bl_part *part) {
    call c = {.queue = queue_of(part)};
    const bl_conv *v = &a->conv;
    c.c = chosen(c.queue->images, BL_CONV_WEIGHT, v, false);
    if (c.queue->selecting) return;
    if (c.c == NULL) {
        bl_conv2d_backward_weight_cuda(a, part);
        return;
    }
    const room r = room_of(&c.c->shape);
    give_narrow(&c, BL_ID_X, a->x, x_count(v), r.x);
    give_narrow(&c, BL_ID_Y, a->dy, y_count(v), r.y);
    give(&c, BL_ID_W, at(&c, r.w));
    run(&c);
    bl_cuda_transpose(c.queue, a->dw, BL_FP32, at(&c, r.w), c.queue->images->width, v->filters,
                      w_rows(v));
    if (a->dbias != NULL) bl_conv_bias_sums(a->dbias, a->dy, v, c.queue);
}

/* ---- pools ---- */

static bl_conv conv_of(const bl_pool2d *p) {
    return (bl_conv){.batch = p->batch,
                     .height = p->height,
                     .width = p->width,
                     .channels = p->channels,
                     .out_height = p->out_height,
                     .out_width = p->out_width,
                     .filters = p->channels,
                     .kernel = p->size,
                     .stride = p->stride,
                     .groups = 1};
}

/* An index fits a byte, and positions behind the last window would need one of their own. */
static choice *pool_choice(bl_queue *queue, bl_cudnn_operation operation, const bl_pool2d *p) {
    const bl_conv v = conv_of(p);
    if (p->size > 11 || (p->height - p->size) % p->stride || (p->width - p->size) % p->stride)
        return NULL;
    return chosen(queue->images, operation, &v, false);
}

/* Both ways or neither: only the library can read its index. */
static choice *max_choice(bl_queue *queue, bl_cudnn_operation operation, const bl_pool2d *p) {
    choice *forward = pool_choice(queue, BL_MAX_FORWARD, p);
    choice *backward = pool_choice(queue, BL_MAX_BACKWARD, p);
    if (forward == NULL || backward == NULL) return NULL;
    return operation == BL_MAX_FORWARD ? forward : backward;
}

void bl_max_pool_forward_library(const bl_max_pool_forward *a, const bl_part *part) {
    call c = {.queue = queue_of(part)};
    c.c = max_choice(c.queue, BL_MAX_FORWARD, &a->pool);
    if (c.queue->selecting) return;
    if (c.c == NULL) {
        bl_max_pool_forward_cuda(a, part);
        return;
    }
    give(&c, BL_ID_X, a->x);
    give(&c, BL_ID_Y, a->y);
    give(&c, BL_ID_INDEX, a->index);
    run(&c);
}

void bl_max_pool_backward_library(const bl_max_pool_backward *a, const bl_part *part) {
    call c = {.queue = queue_of(part)};
    c.c = max_choice(c.queue, BL_MAX_BACKWARD, &a->pool);
    if (c.queue->selecting) return;
    if (c.c == NULL) {
        bl_max_pool_backward_cuda(a, part);
        return;
    }
    give(&c, BL_ID_X, a->dx);
    give(&c, BL_ID_Y, a->dy);
    give(&c, BL_ID_INDEX, a->index);
    run(&c);
}

void bl_avg_pool_forward_library(const bl_avg_pool_forward *a, const bl_part *part) {
    call c = {.queue = queue_of(part)};
    c.c = pool_choice(c.queue, BL_AVG_FORWARD, &a->pool);
    if (c.queue->selecting) return;
    if (c.c == NULL) {
        bl_avg_pool_forward_cuda(a, part);
        return;
    }
    give(&c, BL_ID_X, a->x);
    give(&c, BL_ID_Y, a->y);
    run(&c);
}

void bl_avg_pool_backward_library(const bl_avg_pool_backward *a, const bl_part *part) {
    call c = {.queue = queue_of(part)};
    c.c = pool_choice(c.queue, BL_AVG_BACKWARD, &a->pool);
    if (c.queue->selecting) return;
    if (c.c == NULL) {
        bl_avg_pool_backward_cuda(a, part);
        return;
    }
    give(&c, BL_ID_X, a->dx);
    give(&c, BL_ID_Y, a->dy);
    run(&c);
}
