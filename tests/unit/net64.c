#include "tests/unit/net64.h"
#include "engine/base/philox.h"
#include "engine/model/layer.h"
#include <math.h>
#include <string.h>

/* What a layer computes from: x[i] (batch, in_width[i]), its parameters by place. */
typedef struct args64 {
    const bl_net_node *node;
    const bl_pass *pass;
    const uint16_t *codes;
    const double *x[BL_NODE_INPUTS], *param[BL_NODE_PARAMS];
    bool infers;
    double *y;
} args64;

static void embedding(const args64 *a) {
    const bl_net_node *node = a->node;
    for (size_t i = 0; i < a->pass->batch; i++)
        for (size_t c = 0; c < node->set.columns; c++) {
            const bl_embedding_column *column = &node->column[c];
            const size_t code = a->codes[i * node->set.columns + c];
            for (size_t j = 0; j < column->width; j++)
                a->y[i * node->width + column->offset + j] =
                    a->param[0][column->base + code * column->width + j];
        }
}

static void dropout(const args64 *a) {
    const size_t n = a->node->width;
    const double rate = a->node->set.rate;
    for (size_t i = 0; i < a->pass->batch; i++)
        for (size_t j = 0; j < n; j++) {
            const uint64_t index = (a->pass->position + i) * ((n + 3) / 4) + j / 4;
            const bl_u32x4 words =
                bl_random4(a->pass->seed, BL_STREAM_DROPOUT, (uint32_t)a->node->index, index);
            const bool keep = (double)words.v[j % 4] >= floor(rate * 0x1p+32);
            const double x = a->x[0][i * n + j];
            a->y[i * n + j] = a->infers ? x : keep ? x / (1.0 - rate) : 0.0;
        }
}

static void dense(const args64 *a) {
    const size_t k = a->node->in_width[0], n = a->node->width;
    for (size_t i = 0; i < a->pass->batch; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = a->param[1][j];
            for (size_t l = 0; l < k; l++) sum += a->x[0][i * k + l] * a->param[0][l * n + j];
            a->y[i * n + j] = sum;
        }
}

static void relu(const args64 *a) {
    for (size_t i = 0; i < a->pass->batch * a->node->width; i++)
        a->y[i] = a->x[0][i] > 0.0 ? a->x[0][i] : 0.0;
}

/* Rows [begin, end) of (rows, n) are normalised together, or by running statistics. */
static void normalise(const args64 *a, size_t n, size_t begin, size_t end) {
    const double eps = (double)bl_layer_eps(a->node);
    for (size_t j = 0; j < n; j++) {
        double mean = 0.0, var = 0.0;
        for (size_t i = begin; i < end; i++) mean += a->x[0][i * n + j] / (double)(end - begin);
        for (size_t i = begin; i < end; i++)
            var += pow(a->x[0][i * n + j] - mean, 2.0) / (double)(end - begin);
        if (a->infers) mean = a->param[2][j], var = a->param[3][j];
        for (size_t i = begin; i < end; i++)
            a->y[i * n + j] =
                (a->x[0][i * n + j] - mean) / sqrt(var + eps) * a->param[0][j] + a->param[1][j];
    }
}

static void batchnorm(const args64 *a) {
    normalise(a, a->node->width, 0, a->pass->batch);
}

static void concat(const args64 *a) {
    const size_t left = a->node->in_width[0], right = a->node->in_width[1];
    for (size_t i = 0; i < a->pass->batch; i++) {
        double *y = a->y + i * (left + right);
        memcpy(y, a->x[0] + i * left, left * sizeof *y);
        memcpy(y + left, a->x[1] + i * right, right * sizeof *y);
    }
}

static void sigmoid_range(const args64 *a) {
    const double low = (double)a->node->set.low, high = (double)a->node->set.high;
    for (size_t i = 0; i < a->pass->batch * a->node->width; i++)
        a->y[i] = low + (high - low) / (1.0 + exp(-a->x[0][i]));
}

/* Where position (row, column) of image i lies; channels follow. */
static size_t place(bl_shape image, size_t i, size_t row, size_t column) {
    return ((i * image.height + row) * image.width + column) * image.channels;
}

/* One output of a convolution: what lies outside the picture is 0. */
static double conv_output(const args64 *a, size_t i, size_t oy, size_t ox, size_t n) {
    const bl_layer_settings *set = &a->node->set;
    const bl_shape in = a->node->in_shape[0];
    const size_t stride = set->stride > 0 ? set->stride : 1, groups = set->groups ? set->groups : 1;
    const size_t pad = set->same ? (set->kernel - 1) / 2 : 0, each = in.channels / groups;
    const size_t group = n / (set->units / groups);
    double sum = set->no_bias ? 0.0 : a->param[1][n];
    for (size_t ky = 0; ky < set->kernel; ky++)
        for (size_t kx = 0; kx < set->kernel; kx++) {
            const size_t y = oy * stride + ky - pad, x = ox * stride + kx - pad;
            if (y >= in.height || x >= in.width) continue;
            for (size_t c = 0; c < each; c++)
                sum += a->x[0][place(in, i, y, x) + group * each + c] *
                       a->param[0][((ky * set->kernel + kx) * each + c) * set->units + n];
        }
    return sum;
}

/* One output of a pool: the largest value of a window, or their mean. */
static double pool_output(const args64 *a, size_t i, size_t oy, size_t ox, size_t c, bool largest) {
    const size_t size = a->node->set.kernel, stride = a->node->set.stride;
    double most = -INFINITY, sum = 0.0;
    for (size_t ky = 0; ky < size; ky++)
        for (size_t kx = 0; kx < size; kx++) {
            const double x =
                a->x[0][place(a->node->in_shape[0], i, oy * stride + ky, ox * stride + kx) + c];
            most = fmax(most, x);
            sum += x;
        }
    return largest ? most : sum / (double)(size * size);
}
static double max_output(const args64 *a, size_t i, size_t oy, size_t ox, size_t c) {
    return pool_output(a, i, oy, ox, c, true);
}
static double avg_output(const args64 *a, size_t i, size_t oy, size_t ox, size_t c) {
    return pool_output(a, i, oy, ox, c, false);
}

static void every_output(const args64 *a, double (*output)(const args64 *a, size_t i, size_t oy,
                                                           size_t ox, size_t c)) {
    const bl_shape out = a->node->shape;
    for (size_t i = 0; i < a->pass->batch; i++)
        for (size_t oy = 0; oy < out.height; oy++)
            for (size_t ox = 0; ox < out.width; ox++)
                for (size_t c = 0; c < out.channels; c++)
                    a->y[place(out, i, oy, ox) + c] = output(a, i, oy, ox, c);
}
static void conv2d(const args64 *a) {
    every_output(a, conv_output);
}
static void max_pool(const args64 *a) {
    every_output(a, max_output);
}
static void avg_pool(const args64 *a) {
    every_output(a, avg_output);
}

static void global_pool(const args64 *a) {
    const size_t n = a->node->width, positions = bl_shape_positions(a->node->in_shape[0]);
    for (size_t i = 0; i < a->pass->batch; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0.0;
            for (size_t p = 0; p < positions; p++) sum += a->x[0][(i * positions + p) * n + j];
            a->y[i * n + j] = sum / (double)positions;
        }
}

/* 19 examples in chunks of about 4: 4 4 4 4 3. */
static void batch_norm2d(const args64 *a) {
    const size_t positions = bl_shape_positions(a->node->shape), batch = a->pass->batch;
    const size_t size = a->node->set.ghost > 0 ? a->node->set.ghost : batch;
    for (size_t i = 0; i < batch; i += size)
        normalise(a, a->node->shape.channels, i * positions,
                  bl_size_min(i + size, batch) * positions);
}

/* Channels first, ..., first + size - 1 of example i are normalised together. */
static void normalise_group(const args64 *a, size_t i, size_t first, size_t size) {
    const size_t n = a->node->shape.channels, positions = bl_shape_positions(a->node->shape);
    const double count = (double)(positions * size), eps = (double)bl_layer_eps(a->node);
    const double *x = a->x[0] + i * positions * n;
    double mean = 0.0, var = 0.0;
    for (size_t p = 0; p < positions; p++)
        for (size_t j = first; j < first + size; j++) mean += x[p * n + j] / count;
    for (size_t p = 0; p < positions; p++)
        for (size_t j = first; j < first + size; j++) var += pow(x[p * n + j] - mean, 2.0) / count;
    for (size_t p = 0; p < positions; p++)
        for (size_t j = first; j < first + size; j++)
            a->y[(i * positions + p) * n + j] =
                (x[p * n + j] - mean) / sqrt(var + eps) * a->param[0][j] + a->param[1][j];
}
static void normalise_examples(const args64 *a, size_t groups) {
    const size_t size = a->node->shape.channels / groups;
    for (size_t i = 0; i < a->pass->batch; i++)
        for (size_t g = 0; g < groups; g++) normalise_group(a, i, g * size, size);
}
static void groupnorm(const args64 *a) {
    normalise_examples(a, a->node->set.groups);
}
static void layernorm(const args64 *a) {
    normalise_examples(a, 1);
}

static double padded(const args64 *a, size_t i, size_t oy, size_t ox, size_t c) {
    const bl_shape in = a->node->in_shape[0];
    const size_t stride = a->node->set.stride;
    return c < in.channels ? a->x[0][place(in, i, oy * stride, ox * stride) + c] : 0.0;
}
static void pad_channels(const args64 *a) {
    every_output(a, padded);
}

static void fork64(const args64 *a) {
    memcpy(a->y, a->x[0], a->pass->batch * a->node->width * sizeof *a->y);
}

static void add(const args64 *a) {
    for (size_t i = 0; i < a->pass->batch * a->node->width; i++) a->y[i] = a->x[0][i] + a->x[1][i];
}

static void scale(const args64 *a) {
    const size_t n = a->node->shape.channels;
    for (size_t i = 0; i < a->pass->batch * a->node->width; i++)
        a->y[i] = a->x[0][i] * a->x[1][i / a->node->width * n + i % n];
}

static double hard(double x) {
    return fmin(fmax(x + 3.0, 0.0), 6.0) / 6.0;
}
static void hard_sigmoid(const args64 *a) {
    for (size_t i = 0; i < a->pass->batch * a->node->width; i++) a->y[i] = hard(a->x[0][i]);
}
static void hard_swish(const args64 *a) {
    for (size_t i = 0; i < a->pass->batch * a->node->width; i++)
        a->y[i] = a->x[0][i] * hard(a->x[0][i]);
}

static const struct {
    const char *name;
    void (*run)(const args64 *args);
} k_layers[] = {
    {"embedding",     embedding    },
    {"dropout",       dropout      },
    {"dense",         dense        },
    {"relu",          relu         },
    {"concat",        concat       },
    {"sigmoid_range", sigmoid_range},
    {"batch_norm",    batchnorm    },
    {"conv2d",        conv2d       },
    {"max_pool",      max_pool     },
    {"avg_pool",      avg_pool     },
    {"global_pool",   global_pool  },
    {"batch_norm2d",  batch_norm2d },
    {"ghost_norm",    batch_norm2d },
    {"group_norm",    groupnorm    },
    {"layer_norm",    layernorm    },
    {"pad_channels",  pad_channels },
    {"fork",          fork64       },
    {"add",           add          },
    {"scale",         scale        },
    {"hard_sigmoid",  hard_sigmoid },
    {"hard_swish",    hard_swish   },
};

bool net64_knows(const char *layer) {
    for (size_t i = 0; i < BL_COUNT(k_layers); i++)
        if (strcmp(k_layers[i].name, layer) == 0) return true;
    return false;
}

static double *widen(const float *values, size_t count) {
    double *out = bl_xalloc(count * sizeof *out);
    for (size_t i = 0; i < count; i++) out[i] = (double)values[i];
    return out;
}

static void run_node(const bl_net *net, const bl_net_node *node, args64 *args, const double *weight,
                     const double *running) {
    for (size_t i = 0; i < bl_size_min(node->params, BL_NODE_PARAMS); i++) {
        const bl_param *p = &net->param[node->first_param + i];
        args->param[i] = (p->running ? running : weight) + p->offset;
    }
    for (size_t i = 0; i < BL_COUNT(k_layers); i++)
        if (strcmp(k_layers[i].name, node->layer->name) == 0) k_layers[i].run(args);
}

static double *forward(const bl_net *net, const bl_pass *pass, const double *weight, bool infers) {
    double **y = bl_xalloc(net->nodes * sizeof *y);
    double *running = widen(net->running, net->runnings);
    double *values = widen(net->values, pass->batch * net->continuous);
    for (size_t n = 0; n < net->nodes; n++) {
        const bl_net_node *node = &net->node[n];
        args64 args = {.node = node, .pass = pass, .codes = net->codes, .infers = infers};
        y[n] = bl_xalloc(pass->batch * node->width * sizeof **y);
        args.y = y[n];
        for (size_t i = 0; i < node->layer->inputs; i++)
            args.x[i] = node->in[i] == BL_NET_VALUES ? values : y[node->in[i]];
        run_node(net, node, &args, weight, running);
    }
    double *out = y[net->nodes - 1];
    for (size_t n = 0; n + 1 < net->nodes; n++) free(y[n]);
    free(running);
    free(values);
    free(y);
    return out;
}

double *net64_forward(const bl_net *net, const bl_pass *pass, const double *weight) {
    return forward(net, pass, weight, false);
}

double *net64_infer(const bl_net *net, const bl_pass *pass) {
    double *weight = widen(net->weight, net->weights);
    double *y = forward(net, pass, weight, true);
    free(weight);
    return y;
}

static double loss_at(const bl_net *net, const bl_pass *pass, const double *weight,
                      net64_loss loss) {
    double *y = net64_forward(net, pass, weight);
    const double value = loss(y, bl_net_output(net)->width, net->target, pass->batch);
    free(y);
    return value;
}

double *net64_gradient(const bl_net *net, const bl_pass *pass, net64_loss loss) {
    const double h = 1e-6;
    double *weight = widen(net->weight, net->weights);
    double *gradient = bl_xalloc(net->weights * sizeof *gradient);
    for (size_t i = 0; i < net->weights; i++) {
        const double middle = weight[i];
        weight[i] = middle + h;
        const double above = loss_at(net, pass, weight, loss);
        weight[i] = middle - h;
        const double below = loss_at(net, pass, weight, loss);
        weight[i] = middle;
        gradient[i] = (above - below) / (2.0 * h);
    }
    free(weight);
    return gradient;
}

double net64_mse(const double *y, size_t width, const float *target, size_t count) {
    (void)width;
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) sum += pow(y[i] - (double)target[i], 2.0);
    return sum / (double)count;
}

double net64_cross_entropy(const double *y, size_t width, const float *target, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        double all = 0.0;
        for (size_t j = 0; j < width; j++) all += exp(y[i * width + j]);
        for (size_t j = 0; j < width; j++) {
            const double own = j == (size_t)target[i] ? 1.0 - NET64_SMOOTHING : 0.0;
            const double share = own + NET64_SMOOTHING / (double)width;
            sum -= share * log(exp(y[i * width + j]) / all);
        }
    }
    return sum / (double)count;
}
