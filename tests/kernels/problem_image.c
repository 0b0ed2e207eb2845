/* Problems of the families of kernel_image.h. */
#include "engine/base/mem.h"
#include "tests/kernels/problem.h"

/* height, width, channels, filters, kernel, stride, pad, groups */
static const struct {
    size_t height, width, channels, filters, kernel, stride, pad, groups;
} k_conv[] = {
    {4,  5,   1,   1,   1, 1, 0, 1  }, /* 0 */
    {5,  5,   1,   3,   3, 1, 1, 1  },
    {6,  7,   8,   16,  3, 1, 1, 1  },
    {8,  8,   16,  33,  3, 2, 1, 1  },
    {7,  9,   3,   20,  5, 1, 2, 1  },
    {6,  6,   32,  64,  5, 1, 2, 1  }, /* 5: four blocks of terms */
    {9,  8,   5,   49,  1, 2, 0, 1  }, /* positions that no tap sees */
    {7,  7,   6,   4,   3, 1, 1, 2  },
    {8,  7,   9,   9,   3, 2, 1, 9  }, /* depthwise */
    {6,  5,   12,  24,  5, 3, 4, 3  }, /* more border than image on a side */
    {5,  6,   24,  100, 3, 1, 0, 1  }, /* 10: valid */
    {11, 300, 160, 1,   3, 1, 1, 1  }, /* bands */
    {9,  300, 200, 1,   3, 2, 1, 1  },
    {3,  2,   2,   3,   3, 1, 1, 1  }, /* many examples */
    {2,  2,   2,   2,   4, 1, 1, 1  }, /* an even kernel */
    {1,  1,   40,  17,  3, 1, 1, 1  },
    {5,  6,   100, 100, 3, 1, 1, 100}, /* 16: depthwise, vectors */
    {7,  5,   19,  19,  5, 2, 2, 19 },
    {17, 18,  3,   27,  3, 1, 1, 1  }, /* bands of dy */
    {17, 18,  5,   32,  3, 1, 1, 1  },
    {4,  8,   37,  37,  3, 1, 1, 37 }, /* 20: depthwise, neighbours */
    {6,  10,  37,  37,  5, 1, 2, 37 },
};

static bl_conv conv_of(const shape *s) {
    const size_t i = s->n > 0 ? 13 : s->k; /* the halves of rule B ask with an n */
    const bl_conv v = {
        .batch = s->batch,
        .height = k_conv[i].height,
        .width = k_conv[i].width,
        .channels = k_conv[i].channels,
        .out_height =
            (k_conv[i].height + 2 * k_conv[i].pad - k_conv[i].kernel) / k_conv[i].stride + 1,
        .out_width =
            (k_conv[i].width + 2 * k_conv[i].pad - k_conv[i].kernel) / k_conv[i].stride + 1,
        .filters = k_conv[i].filters,
        .kernel = k_conv[i].kernel,
        .stride = k_conv[i].stride,
        .pad = k_conv[i].pad,
        .groups = k_conv[i].groups};
    return v;
}
static size_t x_size(const bl_conv *v) {
    return v->height * v->width * v->channels;
}
static size_t y_size(const bl_conv *v) {
    return v->out_height * v->out_width * v->filters;
}
static size_t rows_of(const bl_conv *v) {
    return v->kernel * v->kernel * v->channels / v->groups;
}

void build_conv2d_forward(problem *p, const shape *s) {
    bl_conv2d_forward *a = &p->args.conv2d_forward;
    const bl_conv v = conv_of(s);
    a->conv = v;
    a->y = problem_floats(p, "y", ROLE_OUT, PER_EXAMPLE, v.batch, y_size(&v));
    a->x = problem_floats(p, "x", ROLE_IN, PER_EXAMPLE, v.batch, x_size(&v));
    a->w = problem_floats(p, "w", ROLE_IN, 0, rows_of(&v), v.filters);
    a->bias = s->variant & 1 ? NULL : problem_floats(p, "bias", ROLE_IN, 0, 1, v.filters);
    if (s->variant & 2)
        a->epilogue.residual =
            problem_floats(p, "residual", ROLE_IN, PER_EXAMPLE, v.batch, y_size(&v));
    a->epilogue.relu = s->variant & 4;
}

void build_conv2d_backward_input(problem *p, const shape *s) {
    bl_conv2d_backward_input *a = &p->args.conv2d_backward_input;
    const bl_conv v = conv_of(s);
    a->conv = v;
    a->dx = problem_floats(p, "dx", ROLE_OUT, PER_EXAMPLE, v.batch, x_size(&v));
    a->dy = problem_floats(p, "dy", ROLE_IN, PER_EXAMPLE, v.batch, y_size(&v));
    a->w = problem_floats(p, "w", ROLE_IN, 0, rows_of(&v), v.filters);
    if (s->variant & 2)
        a->epilogue.residual =
            problem_floats(p, "residual", ROLE_IN, PER_EXAMPLE, v.batch, x_size(&v));
    if (s->variant & 4)
        a->epilogue.relu_gate =
            problem_floats(p, "relu_gate", ROLE_IN, PER_EXAMPLE, v.batch, x_size(&v));
}

void build_conv2d_backward_weight(problem *p, const shape *s) {
    bl_conv2d_backward_weight *a = &p->args.conv2d_backward_weight;
    const bl_conv v = conv_of(s);
    a->conv = v;
    a->dw = problem_floats(p, "dw", ROLE_OUT, RULE_B, rows_of(&v), v.filters);
    a->dbias = s->variant & 1 ? NULL : problem_floats(p, "dbias", ROLE_OUT, RULE_B, 1, v.filters);
    a->x = problem_floats(p, "x", ROLE_IN, PER_EXAMPLE, v.batch, x_size(&v));
    a->dy = problem_floats(p, "dy", ROLE_IN, PER_EXAMPLE, v.batch, y_size(&v));
}

/* height, width, channels, size, stride */
static const struct {
    size_t height, width, channels, size, stride;
} k_pool[] = {
    {4,  4,  3,  2,  2},
    {7,  6,  17, 2,  2}, /* lines beyond the last window */
    {8,  9,  16, 3,  2}, /* windows overlap */
    {9,  8,  33, 2,  3}, /* positions between windows */
    {20, 19, 2,  17, 1}, /* more than 256 terms */
    {2,  3,  4,  1,  1},
};
static bl_pool2d pool_of(const shape *s) {
    const bl_pool2d v = {
        .batch = s->batch,
        .height = k_pool[s->k].height,
        .width = k_pool[s->k].width,
        .channels = k_pool[s->k].channels,
        .out_height = (k_pool[s->k].height - k_pool[s->k].size) / k_pool[s->k].stride + 1,
        .out_width = (k_pool[s->k].width - k_pool[s->k].size) / k_pool[s->k].stride + 1,
        .size = k_pool[s->k].size,
        .stride = k_pool[s->k].stride};
    return v;
}
static float *pool_x(problem *p, const char *name, array_role role, const bl_pool2d *v) {
    return problem_floats(p, name, role, PER_EXAMPLE, v->batch, v->height * v->width * v->channels);
}
static float *pool_y(problem *p, const char *name, array_role role, const bl_pool2d *v) {
    return problem_floats(p, name, role, PER_EXAMPLE, v->batch,
                          v->out_height * v->out_width * v->channels);
}

void build_max_pool_forward(problem *p, const shape *s) {
    bl_max_pool_forward *a = &p->args.max_pool_forward;
    a->pool = pool_of(s);
    a->y = pool_y(p, "y", ROLE_OUT, &a->pool);
    a->index = pool_y(p, "index", ROLE_OUT, &a->pool);
    a->x = pool_x(p, "x", ROLE_IN, &a->pool);
}
void build_max_pool_backward(problem *p, const shape *s) {
    bl_max_pool_backward *a = &p->args.max_pool_backward;
    a->pool = pool_of(s);
    a->dx = pool_x(p, "dx", ROLE_OUT, &a->pool);
    a->dy = pool_y(p, "dy", ROLE_IN, &a->pool);
    float *index = pool_y(p, "index", ROLE_IN, &a->pool);
    const size_t each = a->pool.out_height * a->pool.out_width * a->pool.channels;
    const size_t taps = a->pool.size * a->pool.size;
    for (size_t i = 0; i < a->pool.batch * each; i++)
        index[i] = (float)((p->first * each + i) * 2654435761u % 65521 % taps);
    a->index = index;
}
void build_avg_pool_forward(problem *p, const shape *s) {
    bl_avg_pool_forward *a = &p->args.avg_pool_forward;
    a->pool = pool_of(s);
    a->y = pool_y(p, "y", ROLE_OUT, &a->pool);
    a->x = pool_x(p, "x", ROLE_IN, &a->pool);
}
void build_avg_pool_backward(problem *p, const shape *s) {
    bl_avg_pool_backward *a = &p->args.avg_pool_backward;
    a->pool = pool_of(s);
    a->dx = pool_x(p, "dx", ROLE_OUT, &a->pool);
    a->dy = pool_y(p, "dy", ROLE_IN, &a->pool);
}

static float *per_example(problem *p, const char *name, array_role role, size_t batch,
                          size_t each) {
    return problem_floats(p, name, role, PER_EXAMPLE, batch, each);
}

void build_mean_positions_forward(problem *p, const shape *s) {
    p->args.mean_positions_forward = (bl_mean_positions_forward){
        .y = per_example(p, "y", ROLE_OUT, s->batch, s->n),
        .x = per_example(p, "x", ROLE_IN, s->batch, s->k * s->n),
        .batch = s->batch,
        .positions = s->k,
        .n = s->n,
    };
}
void build_mean_positions_backward(problem *p, const shape *s) {
    p->args.mean_positions_backward = (bl_mean_positions_backward){
        .dx = per_example(p, "dx", ROLE_OUT, s->batch, s->k * s->n),
        .dy = per_example(p, "dy", ROLE_IN, s->batch, s->n),
        .batch = s->batch,
        .positions = s->k,
        .n = s->n,
    };
}

void build_scale_forward(problem *p, const shape *s) {
    p->args.scale_forward = (bl_scale_forward){
        .y = per_example(p, "y", ROLE_OUT, s->batch, s->k * s->n),
        .x = per_example(p, "x", ROLE_IN, s->batch, s->k * s->n),
        .s = per_example(p, "s", ROLE_IN, s->batch, s->n),
        .batch = s->batch,
        .positions = s->k,
        .n = s->n,
    };
}
void build_scale_backward(problem *p, const shape *s) {
    bl_scale_backward *a = &p->args.scale_backward;
    const bool in_place = s->variant & 1;
    a->dy = per_example(p, "dy", in_place ? ROLE_INOUT : ROLE_IN, s->batch, s->k * s->n);
    a->dx = in_place ? (void *)p->arrays[0].data
                     : per_example(p, "dx", ROLE_OUT, s->batch, s->k * s->n);
    a->ds = per_example(p, "ds", ROLE_OUT, s->batch, s->n);
    a->x = per_example(p, "x", ROLE_IN, s->batch, s->k * s->n);
    a->s = per_example(p, "s", ROLE_IN, s->batch, s->n);
    a->batch = s->batch, a->positions = s->k, a->n = s->n;
}

void build_add(problem *p, const shape *s) {
    bl_add *a = &p->args.add;
    const bool in_place = s->variant & 1;
    a->count = s->batch;
    a->a = per_example(p, "a", in_place ? ROLE_INOUT : ROLE_IN, s->batch, 1);
    a->b = per_example(p, "b", ROLE_IN, s->batch, 1);
    a->y = in_place ? (void *)p->arrays[0].data : per_example(p, "y", ROLE_OUT, s->batch, 1);
}

/* Values on both sides of 3 and -3, also where the filling's are tiny. */
static float *wide(problem *p, const char *name, array_role role, size_t count) {
    float *x = per_example(p, name, role, count, 1);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)((p->first + i) * 2654435761u % 1021) / 64.0f - 8.0f + x[i] * 0x1p-8f;
    return x;
}
#define BUILD_FORWARD(family)                                                                      \
    void build_##family(problem *p, const shape *s) {                                              \
        bl_##family *a = &p->args.family;                                                          \
        const bool in_place = s->variant & 1;                                                      \
        a->count = s->batch;                                                                       \
        a->x = wide(p, "x", in_place ? ROLE_INOUT : ROLE_IN, s->batch);                            \
        a->y = in_place ? (void *)p->arrays[0].data : per_example(p, "y", ROLE_OUT, s->batch, 1);  \
    }
#define BUILD_BACKWARD(family)                                                                     \
    void build_##family(problem *p, const shape *s) {                                              \
        bl_##family *a = &p->args.family;                                                          \
        const bool in_place = s->variant & 1;                                                      \
        a->count = s->batch;                                                                       \
        a->dy = per_example(p, "dy", in_place ? ROLE_INOUT : ROLE_IN, s->batch, 1);                \
        a->x = wide(p, "x", ROLE_IN, s->batch);                                                    \
        a->dx =                                                                                    \
            in_place ? (void *)p->arrays[0].data : per_example(p, "dx", ROLE_OUT, s->batch, 1);    \
    }
BUILD_FORWARD(hard_sigmoid_forward)
BUILD_FORWARD(hard_swish_forward)
BUILD_BACKWARD(hard_sigmoid_backward)
BUILD_BACKWARD(hard_swish_backward)

/* From one chunk to as many as leave no chunk of one; a half of a batch has half as many. */
static size_t chunks_of(const shape *s) {
    static const size_t most[] = {1, 2, 3, 7, 5};
    if (s->k == 19 && s->batch >= 256) return s->batch / 64;
    return bl_size_max(bl_size_min(most[s->variant % 5], s->batch / 2), 1);
}

void build_batchnorm2d_forward(problem *p, const shape *s) {
    bl_batchnorm2d_forward *a = &p->args.batchnorm2d_forward;
    const size_t chunks = chunks_of(s);
    a->y = problem_floats(p, "y", ROLE_OUT, 0, s->batch, s->k * s->n);
    a->mean = problem_floats(p, "mean", ROLE_OUT, 0, chunks, s->n);
    a->rstd = problem_floats(p, "rstd", ROLE_OUT, 0, chunks, s->n);
    a->sum_mean = problem_floats(p, "sum_mean", ROLE_OUT, RULE_B, 1, s->n);
    a->sum_var = problem_floats(p, "sum_var", ROLE_OUT, RULE_B, 1, s->n);
    a->x = problem_floats(p, "x", ROLE_IN, PER_EXAMPLE, s->batch, s->k * s->n);
    a->gamma = problem_floats(p, "gamma", ROLE_IN, 0, 1, s->n);
    a->beta = problem_floats(p, "beta", ROLE_IN, 0, 1, s->n);
    if (s->variant & 16)
        a->epilogue.residual =
            problem_floats(p, "residual", ROLE_IN, PER_EXAMPLE, s->batch, s->k * s->n);
    a->epilogue.relu = s->variant & 8;
    a->batch = s->batch, a->positions = s->k, a->n = s->n, a->chunks = chunks;
    a->eps = 1e-5f;
}
void build_batchnorm2d_backward(problem *p, const shape *s) {
    bl_batchnorm2d_backward *a = &p->args.batchnorm2d_backward;
    const bool in_place = s->variant & 1;
    const size_t chunks = chunks_of(s);
    a->dy = problem_floats(p, "dy", in_place ? ROLE_INOUT : ROLE_IN, PER_EXAMPLE, s->batch,
                           s->k * s->n);
    a->dx = in_place ? (void *)p->arrays[0].data
                     : problem_floats(p, "dx", ROLE_OUT, 0, s->batch, s->k * s->n);
    a->dgamma = problem_floats(p, "dgamma", ROLE_OUT, RULE_B, 1, s->n);
    a->dbeta = problem_floats(p, "dbeta", ROLE_OUT, RULE_B, 1, s->n);
    a->x = problem_floats(p, "x", ROLE_IN, PER_EXAMPLE, s->batch, s->k * s->n);
    /* equal statistics of all chunks, so that the halves of a batch have them too */
    float *mean = problem_floats(p, "mean", ROLE_IN, 0, chunks, s->n);
    float *rstd = problem_floats(p, "rstd", ROLE_IN, 0, chunks, s->n);
    for (size_t i = 0; i < chunks * s->n; i++) {
        mean[i] = i < s->n ? mean[i] : mean[i - s->n];
        rstd[i] = i < s->n ? rstd[i] * rstd[i] + 0.25f : rstd[i - s->n];
    }
    a->mean = mean, a->rstd = rstd;
    a->gamma = problem_floats(p, "gamma", ROLE_IN, 0, 1, s->n);
    a->batch = s->batch, a->positions = s->k, a->n = s->n, a->chunks = chunks;
}

/* A number of groups that divides n: one, all, and what lies between. */
static size_t groups_of(const shape *s) {
    static const size_t wanted[] = {1, 4, 3, 8, 100};
    const size_t groups = wanted[(s->variant + s->k) % 5];
    return s->n % groups == 0 ? groups : s->variant & 1 ? bl_size_max(s->n, 1) : 1;
}

void build_groupnorm_forward(problem *p, const shape *s) {
    const size_t groups = groups_of(s);
    p->args.groupnorm_forward = (bl_groupnorm_forward){
        .y = per_example(p, "y", ROLE_OUT, s->batch, s->k * s->n),
        .mean = per_example(p, "mean", ROLE_OUT, s->batch, s->n > 0 ? groups : 0),
        .rstd = per_example(p, "rstd", ROLE_OUT, s->batch, s->n > 0 ? groups : 0),
        .x = per_example(p, "x", ROLE_IN, s->batch, s->k * s->n),
        .gamma = problem_floats(p, "gamma", ROLE_IN, 0, 1, s->n),
        .beta = problem_floats(p, "beta", ROLE_IN, 0, 1, s->n),
        .batch = s->batch,
        .positions = s->k,
        .n = s->n,
        .groups = groups,
        .eps = 1e-5f,
    };
}
void build_groupnorm_backward_input(problem *p, const shape *s) {
    const size_t groups = groups_of(s);
    p->args.groupnorm_backward_input = (bl_groupnorm_backward_input){
        .dx = per_example(p, "dx", ROLE_OUT, s->batch, s->k * s->n),
        .dy = per_example(p, "dy", ROLE_IN, s->batch, s->k * s->n),
        .x = per_example(p, "x", ROLE_IN, s->batch, s->k * s->n),
        .mean = per_example(p, "mean", ROLE_IN, s->batch, groups),
        .rstd = per_example(p, "rstd", ROLE_IN, s->batch, groups),
        .gamma = problem_floats(p, "gamma", ROLE_IN, 0, 1, s->n),
        .batch = s->batch,
        .positions = s->k,
        .n = s->n,
        .groups = groups,
    };
}
void build_groupnorm_backward_weight(problem *p, const shape *s) {
    const size_t groups = groups_of(s);
    p->args.groupnorm_backward_weight = (bl_groupnorm_backward_weight){
        .dgamma = problem_floats(p, "dgamma", ROLE_OUT, RULE_B, 1, s->n),
        .dbeta = problem_floats(p, "dbeta", ROLE_OUT, RULE_B, 1, s->n),
        .dy = per_example(p, "dy", ROLE_IN, s->batch, s->k * s->n),
        .x = per_example(p, "x", ROLE_IN, s->batch, s->k * s->n),
        .mean = per_example(p, "mean", ROLE_IN, s->batch, groups),
        .rstd = per_example(p, "rstd", ROLE_IN, s->batch, groups),
        .batch = s->batch,
        .positions = s->k,
        .n = s->n,
        .groups = groups,
    };
}

static const bl_pad_channels k_pad[] = {
    {0, 4, 4, 3,  2, 2, 6,  2},
    {0, 5, 7, 2,  5, 7, 2,  1},
    {0, 3, 4, 16, 2, 2, 32, 2},
    {0, 7, 5, 1,  3, 2, 9,  3},
};
static bl_pad_channels pad_of(const shape *s) {
    bl_pad_channels v = k_pad[s->k];
    v.batch = s->batch;
    return v;
}
void build_pad_channels_forward(problem *p, const shape *s) {
    const bl_pad_channels v = pad_of(s);
    bl_pad_channels_forward *a = &p->args.pad_channels_forward;
    a->pad = v;
    a->y = per_example(p, "y", ROLE_OUT, v.batch, v.out_height * v.out_width * v.out_channels);
    a->x = per_example(p, "x", ROLE_IN, v.batch, v.height * v.width * v.channels);
}
void build_pad_channels_backward(problem *p, const shape *s) {
    const bl_pad_channels v = pad_of(s);
    bl_pad_channels_backward *a = &p->args.pad_channels_backward;
    a->pad = v;
    a->dx = per_example(p, "dx", ROLE_OUT, v.batch, v.height * v.width * v.channels);
    a->dy = per_example(p, "dy", ROLE_IN, v.batch, v.out_height * v.out_width * v.out_channels);
}
