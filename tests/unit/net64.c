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
            a->y[i * n + j] = keep ? a->x[0][i * n + j] / (1.0 - rate) : 0.0;
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

static void batchnorm(const args64 *a) {
    const size_t batch = a->pass->batch, n = a->node->width;
    for (size_t j = 0; j < n; j++) {
        double mean = 0.0, var = 0.0;
        for (size_t i = 0; i < batch; i++) mean += a->x[0][i * n + j] / (double)batch;
        for (size_t i = 0; i < batch; i++)
            var += pow(a->x[0][i * n + j] - mean, 2.0) / (double)batch;
        for (size_t i = 0; i < batch; i++)
            a->y[i * n + j] =
                (a->x[0][i * n + j] - mean) / sqrt(var + 1e-5) * a->param[0][j] + a->param[1][j];
    }
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
    {"batchnorm",     batchnorm    },
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

static void run_node(const bl_net *net, const bl_net_node *node, args64 *args,
                     const double *weight) {
    for (size_t i = 0; i < bl_min_size(node->params, BL_NODE_PARAMS); i++) {
        const bl_param *p = &net->param[node->first_param + i];
        args->param[i] = p->running ? NULL : weight + p->offset;
    }
    for (size_t i = 0; i < BL_COUNT(k_layers); i++)
        if (strcmp(k_layers[i].name, node->layer->name) == 0) k_layers[i].run(args);
}

double *net64_forward(const bl_net *net, const bl_pass *pass, const double *weight) {
    double **y = bl_xalloc(net->nodes * sizeof *y);
    double *values = widen(net->values, pass->batch * net->continuous);
    for (size_t n = 0; n < net->nodes; n++) {
        const bl_net_node *node = &net->node[n];
        args64 args = {.node = node, .pass = pass, .codes = net->codes};
        y[n] = bl_xalloc(pass->batch * node->width * sizeof **y);
        args.y = y[n];
        for (size_t i = 0; i < node->layer->inputs; i++)
            args.x[i] = node->in[i] == BL_NET_VALUES ? values : y[node->in[i]];
        run_node(net, node, &args, weight);
    }
    double *out = y[net->nodes - 1];
    for (size_t n = 0; n + 1 < net->nodes; n++) free(y[n]);
    free(values);
    free(y);
    return out;
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
