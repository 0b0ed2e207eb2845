#include "tests/kernels/problem.h"
#include "engine/base/mem.h"
#include "tests/check.h"
#include <math.h>

enum {
    GUARD = 192,
    GUARD_BYTE = 0xA5,
    SKEW = 4
}; /* SKEW: floats get no more than their alignment */

const bl_device *problem_device;

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014): cheap, as there are many elements. */
static uint64_t mix(uint64_t x) {
    x = (x + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static float value(filling how, uint64_t stream, uint64_t index) {
    static const float special[] = {0.0f, -0.0f, 0x1p-149f, -0x1p-140f, INFINITY, -INFINITY, NAN};
    static const float scale[] = {0x1p-30f, 0x1p-28f, 0x1p-26f, 0x1p-24f,
                                  0x1p-23f, 0x1p-22f, 0x1p-21f, 0x1p-20f};
    static const float faint[] = {0.0f, -0.0f, 0x1p-80f, -0x1p-80f};
    const uint64_t r = mix(stream << 48 | index);
    if (how == FILL_FAINT) return (r >> 8) % 600 == 0 ? INFINITY : faint[r % 4];
    if (how == FILL_EXACT) return (float)(r % 7) - 3.0f;
    if (how == FILL_SPECIAL && (r >> 40) % 3 == 0) return special[(r >> 44) % 7];
    return (float)((int32_t)(r & 0x1ffffff) - 0x1000000) * scale[(r >> 32) % 8];
}

static void *array_add(problem *p, const char *name, array_role role, unsigned flags, size_t rows,
                       size_t row_bytes) {
    assert_true(p->count < MAX_ARRAYS);
    array *a = &p->arrays[p->count++];
    *a = (array){.name = name, .role = role, .flags = flags, .bytes = rows * row_bytes};
    a->row_bytes = row_bytes;
    a->block = bl_alloc(a->bytes + 2 * GUARD);
    assert_non_null(a->block);
    memset(a->block, GUARD_BYTE, a->bytes + 2 * GUARD);
    a->data = a->block + GUARD - GUARD % 64 + (flags & DOUBLES ? 2 * SKEW : SKEW);
    memset(a->data, 0xFF, a->bytes); /* a NaN */
    return a->data;
}

float *problem_floats(problem *p, const char *name, array_role role, unsigned flags, size_t rows,
                      size_t cols) {
    float *x = array_add(p, name, role, flags, rows, cols * sizeof *x);
    const size_t offset = flags & PER_EXAMPLE ? p->first * cols : 0;
    if (role != ROLE_OUT)
        for (size_t i = 0; i < rows * cols; i++) x[i] = value(p->fill, p->count, offset + i);
    return x;
}

/* As floats, for standard deviations and variances. */
float *problem_positives(problem *p, const char *name, array_role role, size_t n) {
    float *x = problem_floats(p, name, role, 0, 1, n);
    for (size_t i = 0; i < n; i++) x[i] = fabsf(x[i]) + 0.25f;
    return x;
}

static void build_dense_forward(problem *p, const shape *s) {
    p->args.dense_forward = (bl_dense_forward){
        .y = problem_floats(p, "y", ROLE_OUT, PER_EXAMPLE, s->batch, s->n),
        .x = problem_floats(p, "x", ROLE_IN, PER_EXAMPLE, s->batch, s->k),
        .w = problem_floats(p, "w", ROLE_IN, 0, s->k, s->n),
        .bias = s->variant & 2 ? NULL : problem_floats(p, "bias", ROLE_IN, 0, 1, s->n),
        .batch = s->batch,
        .k = s->k,
        .n = s->n,
        .epilogue = {.relu = s->variant & 1},
    };
    if (s->variant & 4)
        p->args.dense_forward.epilogue.residual =
            problem_floats(p, "residual", ROLE_IN, PER_EXAMPLE, s->batch, s->n);
}

static void build_dense_backward_input(problem *p, const shape *s) {
    p->args.dense_backward_input = (bl_dense_backward_input){
        .dx = problem_floats(p, "dx", ROLE_OUT, PER_EXAMPLE, s->batch, s->k),
        .dy = problem_floats(p, "dy", ROLE_IN, PER_EXAMPLE, s->batch, s->n),
        .w = problem_floats(p, "w", ROLE_IN, 0, s->k, s->n),
        .batch = s->batch,
        .k = s->k,
        .n = s->n,
    };
    bl_dense_backward_input *a = &p->args.dense_backward_input;
    if (s->variant & 1)
        a->epilogue.relu_gate =
            problem_floats(p, "relu_gate", ROLE_IN, PER_EXAMPLE, s->batch, s->k);
    if (s->variant & 2)
        a->epilogue.residual = problem_floats(p, "residual", ROLE_IN, PER_EXAMPLE, s->batch, s->k);
}

static void build_dense_backward_weight(problem *p, const shape *s) {
    p->args.dense_backward_weight = (bl_dense_backward_weight){
        .dw = problem_floats(p, "dw", ROLE_OUT, RULE_B, s->k, s->n),
        .dbias = s->variant & 2 ? NULL : problem_floats(p, "dbias", ROLE_OUT, RULE_B, 1, s->n),
        .x = problem_floats(p, "x", ROLE_IN, PER_EXAMPLE, s->batch, s->k),
        .dy = problem_floats(p, "dy", ROLE_IN, PER_EXAMPLE, s->batch, s->n),
        .batch = s->batch,
        .k = s->k,
        .n = s->n,
    };
}

/* x is some features of rows that have others beside them. */
static void build_dense_weight_of_wider_rows(problem *p, const shape *s) {
    enum { BESIDE = 5 };
    build_dense_backward_weight(p, s);
    bl_dense_backward_weight *a = &p->args.dense_backward_weight;
    a->x_stride = s->k + BESIDE;
    a->x = problem_floats(p, "x and beside", ROLE_IN, PER_EXAMPLE, s->batch, a->x_stride);
}

static void build_relu_forward(problem *p, const shape *s) {
    bl_relu_forward *a = &p->args.relu_forward;
    const bool in_place = s->variant & 1;
    a->count = s->batch;
    a->x = problem_floats(p, "x", in_place ? ROLE_INOUT : ROLE_IN, PER_EXAMPLE, s->batch, 1);
    a->y = in_place ? (void *)p->arrays[0].data
                    : problem_floats(p, "y", ROLE_OUT, PER_EXAMPLE, s->batch, 1);
}

static void build_relu_backward(problem *p, const shape *s) {
    bl_relu_backward *a = &p->args.relu_backward;
    const bool in_place = s->variant & 1;
    a->count = s->batch;
    a->dy = problem_floats(p, "dy", in_place ? ROLE_INOUT : ROLE_IN, PER_EXAMPLE, s->batch, 1);
    a->y = problem_floats(p, "y", ROLE_IN, PER_EXAMPLE, s->batch, 1);
    a->dx = in_place ? (void *)p->arrays[0].data
                     : problem_floats(p, "dx", ROLE_OUT, PER_EXAMPLE, s->batch, 1);
}

/* A dropout's mask: as an output, or for backward with bits at random. */
static unsigned char *dropout_mask(problem *p, array_role role, const shape *s) {
    const size_t bytes = bl_dropout_mask_bytes(s->n);
    unsigned char *mask = array_add(p, "mask", role, PER_EXAMPLE, s->batch, bytes);
    for (size_t i = 0; i < s->batch * bytes && role != ROLE_OUT; i++)
        mask[i] = (unsigned char)(mix(p->first * bytes + i) & 15);
    return mask;
}

static bl_dropout dropout_of(problem *p, const shape *s) {
    const bool all = s->variant & 4;
    return (bl_dropout){
        .mask = dropout_mask(p, ROLE_OUT, s),
        .batch = s->batch,
        .n = s->n,
        .seed = 0x123456789abcdef0u,
        .layer = 5,
        /* the upper half of the counter is used too */
        .position = (s->variant & 2 ? ((uint64_t)1 << 32) - 3 : 1000) + p->first,
        .threshold = all ? 0 : 0x40000000u,
        .scale = all ? 1.0f : 1.0f / 0.75f,
    };
}

static void build_dropout(problem *p, const shape *s) {
    const bool in_place = s->variant & 1;
    float *const x =
        problem_floats(p, "x", in_place ? ROLE_INOUT : ROLE_IN, PER_EXAMPLE, s->batch, s->n);
    float *const y = in_place ? x : problem_floats(p, "y", ROLE_OUT, PER_EXAMPLE, s->batch, s->n);
    p->args.dropout = dropout_of(p, s);
    p->args.dropout.x = x;
    p->args.dropout.y = y;
}

static void build_dropout_backward(problem *p, const shape *s) {
    bl_dropout_backward *a = &p->args.dropout_backward;
    const bool in_place = s->variant & 1;
    *a = (bl_dropout_backward){.batch = s->batch, .n = s->n, .scale = 1.0f / 0.75f};
    a->dy = problem_floats(p, "dy", in_place ? ROLE_INOUT : ROLE_IN, PER_EXAMPLE, s->batch, s->n);
    a->dx = in_place ? (void *)p->arrays[0].data
                     : problem_floats(p, "dx", ROLE_OUT, PER_EXAMPLE, s->batch, s->n);
    a->mask = dropout_mask(p, ROLE_IN, s);
}

static void build_batchnorm_forward(problem *p, const shape *s) {
    p->args.batchnorm_forward = (bl_batchnorm_forward){
        .y = problem_floats(p, "y", ROLE_OUT, PER_EXAMPLE, s->batch, s->n),
        .mean = problem_floats(p, "mean", ROLE_OUT, 0, 1, s->n),
        .rstd = problem_floats(p, "rstd", ROLE_OUT, 0, 1, s->n),
        .sum_mean = problem_floats(p, "sum_mean", ROLE_OUT, 0, 1, s->n),
        .sum_var = problem_floats(p, "sum_var", ROLE_OUT, 0, 1, s->n),
        .x = problem_floats(p, "x", ROLE_IN, PER_EXAMPLE, s->batch, s->n),
        .gamma = problem_floats(p, "gamma", ROLE_IN, 0, 1, s->n),
        .beta = problem_floats(p, "beta", ROLE_IN, 0, 1, s->n),
        .batch = s->batch,
        .n = s->n,
        .eps = 1e-5f,
    };
    bl_batchnorm_forward *a = &p->args.batchnorm_forward;
    if (!(s->variant & 2)) return;
    a->dropout = dropout_of(p, s);
    a->dropout.y = a->y;
    a->dropout.x = a->y;
}

static void build_running_average(problem *p, const shape *s) {
    p->args.running_average = (bl_running_average){
        .running = problem_floats(p, "running", ROLE_INOUT, 0, s->batch, 1),
        .sum = problem_floats(p, "sum", ROLE_IN, 0, s->batch, 1),
        .count = s->batch,
        .chunks = 1 + s->batch % 7,
        .momentum = 0.1f,
    };
}

static void build_power_average(problem *p, const shape *s) {
    p->args.power_average = (bl_power_average){
        .average = problem_floats(p, "average", ROLE_INOUT, PER_EXAMPLE, s->batch, 1),
        .value = problem_floats(p, "value", ROLE_IN, PER_EXAMPLE, s->batch, 1),
        .count = s->batch,
        .weight = s->variant & 1 ? 1.0f : 7.9375f / 1000.0f,
    };
}

static void build_batchnorm_inference(problem *p, const shape *s) {
    bl_batchnorm_inference *a = &p->args.batchnorm_inference;
    const bool in_place = s->variant & 1;
    a->batch = s->batch;
    a->n = s->n;
    a->eps = 1e-5f;
    a->x = problem_floats(p, "x", in_place ? ROLE_INOUT : ROLE_IN, PER_EXAMPLE, s->batch, s->n);
    a->y = in_place ? (void *)p->arrays[0].data
                    : problem_floats(p, "y", ROLE_OUT, PER_EXAMPLE, s->batch, s->n);
    a->running_mean = problem_floats(p, "running_mean", ROLE_IN, 0, 1, s->n);
    a->running_var = problem_positives(p, "running_var", ROLE_IN, s->n);
    a->gamma = problem_floats(p, "gamma", ROLE_IN, 0, 1, s->n);
    a->beta = problem_floats(p, "beta", ROLE_IN, 0, 1, s->n);
    a->epilogue.relu = s->variant & 4;
    if (s->variant & 8)
        a->epilogue.residual = problem_floats(p, "residual", ROLE_IN, PER_EXAMPLE, s->batch, s->n);
}

static void build_batchnorm_backward(problem *p, const shape *s) {
    bl_batchnorm_backward *a = &p->args.batchnorm_backward;
    const bool in_place = s->variant & 1;
    a->batch = s->batch;
    a->n = s->n;
    a->dy = problem_floats(p, "dy", in_place ? ROLE_INOUT : ROLE_IN, PER_EXAMPLE, s->batch, s->n);
    a->dx = in_place ? (void *)p->arrays[0].data
                     : problem_floats(p, "dx", ROLE_OUT, PER_EXAMPLE, s->batch, s->n);
    a->dgamma = problem_floats(p, "dgamma", ROLE_OUT, RULE_B, 1, s->n);
    a->dbeta = problem_floats(p, "dbeta", ROLE_OUT, RULE_B, 1, s->n);
    a->x = problem_floats(p, "x", ROLE_IN, PER_EXAMPLE, s->batch, s->n);
    a->mean = problem_floats(p, "mean", ROLE_IN, 0, 1, s->n);
    a->rstd = problem_positives(p, "rstd", ROLE_IN, s->n);
    a->gamma = problem_floats(p, "gamma", ROLE_IN, 0, 1, s->n);
    if (s->variant & 2) a->mask = dropout_mask(p, ROLE_IN, s);
    a->mask_scale = 1.0f / 0.75f;
    if (s->variant & 4)
        a->epilogue.relu_gate =
            problem_floats(p, "relu_gate", ROLE_IN, PER_EXAMPLE, s->batch, s->n);
    if (s->variant & 8)
        a->epilogue.residual = problem_floats(p, "residual", ROLE_IN, PER_EXAMPLE, s->batch, s->n);
}

/* Three columns: k rows of n floats, 3 rows of 1 float, 700 rows (most unused) of 20. Returns the
 * floats of the three tables. */
static size_t columns(problem *p, const shape *s) {
    const size_t rows[3] = {s->k, 3, 700}, width[3] = {s->n, 1, 20};
    size_t base = 0, offset = 0;
    for (int c = 0; c < 3; c++) {
        p->column[c] = (bl_embedding_column){
            .base = base, .rows = rows[c], .width = width[c], .offset = offset};
        base += rows[c] * width[c];
        offset += width[c];
    }
    return base;
}

static const uint16_t *codes(problem *p, size_t batch) {
    uint16_t *code = array_add(p, "codes", ROLE_IN, PER_EXAMPLE, batch, 3 * sizeof *code);
    for (size_t i = 0; i < 3 * batch; i++) {
        const uint32_t word = (uint32_t)mix(3 * p->first + i);
        code[i] = (uint16_t)(word % p->column[i % 3].rows);
    }
    return code;
}

static void build_embedding_forward(problem *p, const shape *s) {
    bl_embedding_forward *a = &p->args.embedding_forward;
    const size_t table = columns(p, s), features = s->n + 21;
    a->columns = 3;
    a->column = p->column;
    a->batch = s->batch;
    a->y_stride = features + 4; /* room for the continuous features, which keep what they hold */
    a->codes = codes(p, s->batch);
    a->table = problem_floats(p, "table", ROLE_IN, 0, 1, table);
    a->y = problem_floats(p, "y", ROLE_INOUT, PER_EXAMPLE, s->batch, a->y_stride);
}

static void build_embedding_backward(problem *p, const shape *s) {
    bl_embedding_backward *a = &p->args.embedding_backward;
    const size_t table = columns(p, s), features = s->n + 21;
    a->columns = 3;
    a->column = p->column;
    a->batch = s->batch;
    a->dy_stride = features + 4;
    a->codes = codes(p, s->batch);
    a->dtable = problem_floats(p, "dtable", ROLE_OUT, RULE_B, 1, table);
    a->dy = problem_floats(p, "dy", ROLE_IN, PER_EXAMPLE, s->batch, a->dy_stride);
}

static void build_sigmoid_range_forward(problem *p, const shape *s) {
    p->args.sigmoid_range_forward = (bl_sigmoid_range_forward){
        .y = problem_floats(p, "y", ROLE_OUT, PER_EXAMPLE, s->batch, 1),
        .s = problem_floats(p, "s", ROLE_OUT, PER_EXAMPLE, s->batch, 1),
        .x = problem_floats(p, "x", ROLE_IN, PER_EXAMPLE, s->batch, 1),
        .count = s->batch,
        .low = -0.7f,
        .high = 12.3f,
    };
}

static void build_sigmoid_range_backward(problem *p, const shape *s) {
    p->args.sigmoid_range_backward = (bl_sigmoid_range_backward){
        .dx = problem_floats(p, "dx", ROLE_OUT, PER_EXAMPLE, s->batch, 1),
        .dy = problem_floats(p, "dy", ROLE_IN, PER_EXAMPLE, s->batch, 1),
        .s = problem_floats(p, "s", ROLE_IN, PER_EXAMPLE, s->batch, 1),
        .count = s->batch,
        .low = -0.7f,
        .high = 12.3f,
    };
}

/* Rows are 3 floats apart more than they are long; what lies between keeps its bytes. */
static void build_copy_columns(problem *p, const shape *s) {
    p->args.copy_columns = (bl_copy_columns){
        .y = problem_floats(p, "y", ROLE_INOUT, PER_EXAMPLE, s->batch, s->n + 3),
        .x = problem_floats(p, "x", ROLE_IN, PER_EXAMPLE, s->batch, s->n + 1),
        .batch = s->batch,
        .n = s->n,
        .y_stride = s->n + 3,
        .x_stride = s->n + 1,
    };
}

static void build_mse(problem *p, const shape *s) {
    p->args.mse = (bl_mse){
        .sum = array_add(p, "sum", ROLE_OUT, DOUBLES | RULE_B, 1, sizeof(double)),
        .dy = s->variant & 1 ? NULL : problem_floats(p, "dy", ROLE_OUT, 0, s->batch, 1),
        .y = problem_floats(p, "y", ROLE_IN, PER_EXAMPLE, s->batch, 1),
        .target = problem_floats(p, "target", ROLE_IN, PER_EXAMPLE, s->batch, 1),
        .count = s->batch,
        .total = s->variant & 2 ? 3000 : s->batch,
    };
}

static void build_softmax_cross_entropy(problem *p, const shape *s) {
    float *target = array_add(p, "target", ROLE_IN, PER_EXAMPLE, s->batch, sizeof *target);
    for (size_t i = 0; i < s->batch; i++) target[i] = (float)(mix(p->first + i) % s->n);
    p->args.softmax_cross_entropy = (bl_softmax_cross_entropy){
        .sum = array_add(p, "sum", ROLE_OUT, DOUBLES | RULE_B, 1, sizeof(double)),
        .dy =
            s->variant & 1 ? NULL : problem_floats(p, "dy", ROLE_OUT, PER_EXAMPLE, s->batch, s->n),
        .y = problem_floats(p, "y", ROLE_IN, PER_EXAMPLE, s->batch, s->n),
        .target = target,
        .batch = s->batch,
        .classes = s->n,
        .total = 3000, /* so that an example's gradient is the same in any batch */
        .smoothing = s->variant & 2 ? 0.1 : 0.0,
    };
}

/* Edges of tiles (4, 8 rows; 12, 24, 48 columns), vectors (4, 8, 16), blocks (256, and 512 of
 * them), macro tiles and the packed depth (4096), primes, and nothing at all. {batch, k, n,
 * variant} */
static const shape dense_shapes[] = {
    {0,      3,    5,    0},
    {3,      0,    5,    5},
    {3,      5,    0,    3},
    {3,      0,    5,    2},
    {1,      1,    1,    0},
    {2,      3,    1,    0},
    {7,      10,   50,   1},
    {8,      48,   48,   0},
    {9,      49,   47,   3},
    {16,     233,  96,   1},
    {13,     256,  97,   1},
    {5,      257,  144,  5},
    {4,      513,  50,   7},
    {1,      1000, 33,   0},
    {64,     50,   2,    4},
    {65,     100,  1,    1},
    {63,     7,    255,  0},
    {255,    20,   24,   0},
    {256,    17,   49,   1},
    {257,    31,   50,   4},
    {512,    9,    48,   0},
    {513,    8,    16,   2},
    {1000,   13,   40,   0},
    {1000,   50,   1,    0},
    {130,    300,  201,  1},
    {130,    400,  300,  0},
    {258,    260,  196,  0},
    {9,      4200, 50,   1},
    {9,      50,   4200, 0},
    {140,    5,    513,  0},
    {300,    70,   1030, 0},
    {257,    4100, 25,   1},
    {257,    25,   4100, 3},
    {131500, 2,    3,    0},
};
static const shape strip_shapes[] = {
    {2,   3,   1,   0},
    {65,  100, 1,   0},
    {9,   49,  47,  0},
    {16,  48,  300, 2},
    {5,   257, 144, 0},
    {64,  50,  2,   2},
    {257, 31,  50,  0},
    {513, 8,   16,  2},
};
static const shape column_shapes[] = {
    {0,    0, 5,    0},
    {3,    0, 0,    0},
    {1,    0, 1,    0},
    {2,    0, 17,   1},
    {7,    0, 250,  0},
    {64,   0, 48,   1},
    {255,  0, 3,    0},
    {256,  0, 5,    1},
    {257,  0, 9,    0},
    {512,  0, 33,   0},
    {513,  0, 4,    1},
    {1000, 0, 31,   0},
    {2817, 0, 2,    0},
    {5,    0, 2049, 0},
    {300,  0, 4100, 1},
};
/* variant: 1 in place, 2 dropout (of forward and backward), 4 relu, 8 residual */
static const shape norm_shapes[] = {
    {0,    0, 5,    2 },
    {3,    0, 0,    2 },
    {1,    0, 1,    0 },
    {2,    0, 17,   1 },
    {7,    0, 250,  2 },
    {64,   0, 48,   7 },
    {255,  0, 3,    4 },
    {256,  0, 5,    15},
    {257,  0, 9,    8 },
    {512,  0, 33,   6 },
    {513,  0, 4,    13},
    {130,  0, 100,  6 },
    {1000, 0, 31,   2 },
    {2817, 0, 2,    14},
    {5,    0, 2049, 6 },
    {300,  0, 4100, 3 },
};
static const shape count_shapes[] = {
    {0,    0, 0, 0},
    {1,    0, 0, 0},
    {3,    0, 0, 1},
    {4,    0, 0, 0},
    {15,   0, 0, 1},
    {16,   0, 0, 0},
    {17,   0, 0, 1},
    {255,  0, 0, 0},
    {256,  0, 0, 1},
    {257,  0, 0, 0},
    {512,  0, 0, 0},
    {513,  0, 0, 1},
    {1000, 0, 0, 0},
    {2817, 0, 0, 0},
};
static const shape mse_shapes[] = {
    {0,    0, 0, 0},
    {1,    0, 0, 0},
    {3,    0, 0, 1},
    {17,   0, 0, 2},
    {255,  0, 0, 0},
    {256,  0, 0, 3},
    {257,  0, 0, 2},
    {512,  0, 0, 0},
    {513,  0, 0, 1},
    {2817, 0, 0, 0},
};
static const shape softmax_shapes[] = {
    {0,   0, 3,   0},
    {1,   0, 1,   0},
    {1,   0, 2,   2},
    {7,   0, 10,  0},
    {64,  0, 10,  2},
    {64,  0, 10,  1},
    {255, 0, 3,   3},
    {256, 0, 2,   0},
    {257, 0, 5,   2},
    {513, 0, 10,  0},
    {10,  0, 255, 2},
    {10,  0, 256, 2},
    {10,  0, 257, 2},
    {9,   0, 700, 0},
    {999, 0, 17,  2},
};
static const shape dropout_shapes[] = {
    {0,  0, 5,   0},
    {3,  0, 0,   0},
    {1,  0, 1,   0},
    {2,  0, 3,   1},
    {3,  0, 4,   2},
    {5,  0, 7,   0},
    {4,  0, 15,  1},
    {4,  0, 16,  2},
    {4,  0, 17,  3},
    {6,  0, 31,  0},
    {6,  0, 32,  4},
    {6,  0, 33,  2},
    {9,  0, 233, 0},
    {64, 0, 500, 1},
};
static const shape embedding_shapes[] = {
    {0,    5,    3,  0},
    {1,    1,    1,  0},
    {64,   1115, 10, 0},
    {256,  7,    4,  0},
    {257,  7,    4,  0},
    {300,  2000, 1,  0},
    {512,  366,  50, 0},
    {513,  12,   16, 0},
    {1000, 31,   17, 0},
    {1100, 4,    33, 0},
    {2817, 400,  8,  0},
};

/* k: the geometry (problem_image.c). Blocks of terms and of examples, bands of lines, every
 * remainder of a stride, groups. */
/* variant: 1 no bias, 2 residual, 4 relu */
static const shape conv_shapes[] = {
    {0,   0,  0, 0},
    {2,   0,  0, 0},
    {3,   1,  0, 3},
    {5,   2,  0, 4},
    {4,   3,  0, 6},
    {3,   4,  0, 0},
    {2,   5,  0, 6},
    {3,   6,  0, 1},
    {3,   6,  0, 6},
    {4,   7,  0, 2},
    {2,   8,  0, 7},
    {2,   9,  0, 4},
    {9,   10, 0, 6},
    {1,   11, 0, 0},
    {1,   12, 0, 0},
    {257, 13, 0, 0},
    {600, 13, 0, 1},
    {2,   14, 0, 0},
    {2,   15, 0, 1},
    {2,   16, 0, 0},
    {2,   16, 0, 6},
    {300, 17, 0, 4},
    {3,   18, 0, 0},
    {2,   19, 0, 0},
    {2,   20, 0, 1},
    {2,   21, 0, 0},
};
static const shape pool_shapes[] = {
    {0, 0, 0, 0},
    {3, 0, 0, 0},
    {2, 1, 0, 0},
    {3, 2, 0, 0},
    {2, 3, 0, 0},
    {2, 4, 0, 0},
    {5, 5, 0, 0},
};
/* k: positions; variant: in place, and how many chunks a batch is cut into */
static const shape position_shapes[] = {
    {0,   4,   5,    0},
    {3,   4,   0,    0},
    {1,   1,   1,    0},
    {2,   9,   17,   1},
    {7,   49,  33,   2},
    {64,  3,   48,   1},
    {20,  300, 3,    0},
    {257, 2,   9,    0},
    {513, 1,   16,   3},
    {6,   5,   1100, 4},
    {3,   2,   1100, 3}, /* a group of several blocks of channels */
};
/* k: positions; variant: how many chunks, 8 relu, 16 residual */
static const shape batchnorm2d_shapes[] = {
    {0,   4,   5,    24},
    {3,   4,   0,    24},
    {1,   1,   1,    8 },
    {2,   9,   17,   1 },
    {7,   49,  33,   18},
    {64,  3,   48,   25},
    {20,  300, 3,    16},
    {257, 2,   9,    24},
    {513, 1,   16,   11},
    {6,   5,   1100, 28},
    {3,   2,   1100, 11},
    {9,   25,  64,   26},
};

/* k: a row of k_pad (problem_image.c) */
static const shape pad_shapes[] = {
    {0,  0, 0, 0},
    {3,  0, 0, 0},
    {2,  1, 0, 0},
    {70, 2, 0, 0},
    {2,  3, 0, 0},
};

#define RUN(family)                                                                                \
    static void run_##family(const bl_kernels *k, const problem *p, const bl_part *part) {         \
        k->family(&p->args.family, part);                                                          \
    }
BL_FAMILIES(RUN)
/* A family without a row here makes a test fail. */
#define FAMILY(family, list, invariant, golden)                                                    \
    { #family, list, BL_COUNT(list), invariant, golden, build_##family, run_##family }
const family families[] = {
    FAMILY(dense_forward, dense_shapes, true, "af3a25014ed40a50"),
    FAMILY(dense_backward_input, dense_shapes, true, "3e7311cc527c0b5e"),
    FAMILY(dense_backward_weight, dense_shapes, false, "61bec89f19000637"),
    {"dense_backward_weight_strip", strip_shapes, BL_COUNT(strip_shapes), false, "0ac70f0efec83d2a",
                                                                      build_dense_weight_of_wider_rows, run_dense_backward_weight},
    FAMILY(relu_forward, count_shapes, true, "a1ae816e6402f155"),
    FAMILY(relu_backward, count_shapes, true, "6f8489203326fe2f"),
    FAMILY(dropout, dropout_shapes, true, "49ff81feae8eaf13"),
    FAMILY(dropout_backward, dropout_shapes, true, "36c76f639174b8cd"),
    FAMILY(batchnorm_forward, norm_shapes, false, "2b5c45af264de741"),
    FAMILY(batchnorm_inference, norm_shapes, true, "0a8d63db998614a0"),
    FAMILY(batchnorm_backward, norm_shapes, false, "f3738a5782c5af10"),
    FAMILY(running_average, count_shapes, false, "e34249988be2987e"),
    FAMILY(power_average, count_shapes, true, "895119f03ba8cd6d"),
    FAMILY(embedding_forward, embedding_shapes, true, "667d2e55f23f0481"),
    FAMILY(embedding_backward, embedding_shapes, false, "ad01ee4ae4ff1500"),
    FAMILY(sigmoid_range_forward, count_shapes, true, "2f1dfbc6b22862c0"),
    FAMILY(sigmoid_range_backward, count_shapes, true, "8fc090aef4b836db"),
    FAMILY(copy_columns, column_shapes, true, "1776aef481a0a174"),
    FAMILY(mse, mse_shapes, false, "63d57178e783e8b1"),
    FAMILY(softmax_cross_entropy, softmax_shapes, true, "bac7d00bd346d306"),
    FAMILY(conv2d_forward, conv_shapes, true, "9aab99d7d8e943cf"),
    FAMILY(conv2d_backward_input, conv_shapes, true, "a8ec269b13a11aea"),
    FAMILY(conv2d_backward_weight, conv_shapes, false, "1612c69fd646cfd5"),
    FAMILY(max_pool_forward, pool_shapes, true, "0618809ffb0900e0"),
    FAMILY(max_pool_backward, pool_shapes, true, "438b3843d46cd09b"),
    FAMILY(avg_pool_forward, pool_shapes, true, "af7f406922fd83a9"),
    FAMILY(avg_pool_backward, pool_shapes, true, "75ca9d38e59f0482"),
    FAMILY(mean_positions_forward, position_shapes, true, "4f5115a3577cf6fc"),
    FAMILY(mean_positions_backward, position_shapes, true, "e26400d7086c110f"),
    FAMILY(add, count_shapes, true, "d0561945908a76d8"),
    FAMILY(scale_forward, position_shapes, true, "9023f31ec254d04e"),
    FAMILY(scale_backward, position_shapes, true, "55d8d7d347d15738"),
    FAMILY(hard_sigmoid_forward, count_shapes, true, "b8e5a24b06a0367d"),
    FAMILY(hard_sigmoid_backward, count_shapes, true, "216cf40c85a39df5"),
    FAMILY(hard_swish_forward, count_shapes, true, "e669034c613748ad"),
    FAMILY(hard_swish_backward, count_shapes, true, "3f3d3939fb22f9e7"),
    FAMILY(batchnorm2d_forward, batchnorm2d_shapes, false, "90d3554a1d84c18e"),
    FAMILY(batchnorm2d_backward, position_shapes, false, "882b60cac8b82d71"),
    FAMILY(groupnorm_forward, position_shapes, true, "452bdc6ae7b10fdc"),
    FAMILY(groupnorm_backward_input, position_shapes, true, "42df1eb81fe3d7b3"),
    FAMILY(groupnorm_backward_weight, position_shapes, false, "5196d17f01c98999"),
    FAMILY(pad_channels_forward, pad_shapes, true, "a10cb9e71ae972b5"),
    FAMILY(pad_channels_backward, pad_shapes, true, "f43292ab4f0d5bec"),
};
const size_t family_count = BL_COUNT(families);

void problem_build(problem *p, const family *f, const shape *s, filling fill, size_t first) {
    memset(p, 0, sizeof *p);
    p->fill = fill;
    p->first = first;
    f->build(p, s);
}

void problem_free(problem *p) {
    for (size_t i = 0; i < p->count; i++) free(p->arrays[i].block);
    p->count = 0;
}

static void check_guards(const problem *p, const char *kernels) {
    for (size_t i = 0; i < p->count; i++) {
        const array *a = &p->arrays[i];
        for (const unsigned char *c = a->block; c < a->block + a->bytes + 2 * GUARD; c++) {
            if (c == a->data) c += a->bytes;
            if (*c != GUARD_BYTE)
                fail_msg("%s wrote %td bytes from the start of %s's %zu", kernels, c - a->data,
                         a->name, a->bytes);
        }
    }
}

/* ---- on a device ---- */

/* Every word of there's arguments that points to `from`, of `bytes`, points to `to` afterwards.
 * Sizes and counts are far below any address. */
static void redirect(problem *there, const void *from, size_t bytes, const void *to) {
    unsigned char *args = (unsigned char *)&there->args;
    for (size_t at = 0; at + sizeof(uintptr_t) <= sizeof there->args; at += sizeof(uintptr_t)) {
        uintptr_t word;
        memcpy(&word, args + at, sizeof word);
        if (word < (uintptr_t)from || word > (uintptr_t)from + bytes) continue;
        word = (uintptr_t)to + (word - (uintptr_t)from);
        memcpy(args + at, &word, sizeof word);
    }
}

typedef struct extent {
    unsigned char *from;
    size_t bytes;
} extent;

/* What of the array goes to the device. With its guard bands: a write beside the array comes back
 * in them, from a real card too. Tight, up to the array's end: compute-sanitizer sees the first
 * byte that is read or written behind it, the emulated device the first that is written. Either way
 * the array is no better aligned than on the host. */
static extent travels(const array *a, bool tight) {
    const size_t skew = a->flags & DOUBLES ? 2 * SKEW : SKEW;
    return tight ? (extent){.from = a->data - skew, .bytes = skew + a->bytes}
                 : (extent){.from = a->block, .bytes = a->bytes + 2 * GUARD};
}

/* The problem with its arrays on the device: their `block` and `data` are the device's. */
static void send(problem *there, const problem *p, bool tight, bl_queue *queue) {
    *there = *p;
    for (size_t i = 0; i < p->count; i++) {
        const array *own = &p->arrays[i];
        const extent e = travels(own, tight);
        void *block;
        CHECK_OK(problem_device->alloc(problem_device, &block, e.bytes, ERR));
        there->arrays[i].block = block;
        there->arrays[i].data = there->arrays[i].block + (own->data - e.from);
        problem_device->put(queue, block, e.from, e.bytes);
        redirect(there, own->data, own->bytes, there->arrays[i].data);
    }
    redirect(there, p->column, sizeof p->column, there->column);
}

/* A device is one part by itself. Every second call is tight: cases run more than once. */
static void run_on_device(const problem *p, const family *f) {
    static bl_queue *queue;
    static bool tight = true;
    problem there;
    tight = !tight;
    if (!queue) CHECK_OK(problem_device->queue_open(problem_device, &queue, ERR));
    send(&there, p, tight, queue);
    f->run(problem_device->kernels, &there, &(bl_part){.part = 0, .parts = 1, .queue = queue});
    for (size_t i = 0; i < p->count; i++) {
        const extent e = travels(&p->arrays[i], tight);
        problem_device->get(queue, e.from, there.arrays[i].block, e.bytes);
    }
    CHECK_OK(problem_device->wait(queue, ERR));
    for (size_t i = 0; i < p->count; i++)
        problem_device->release(problem_device, there.arrays[i].block);
}

void problem_run(const problem *p, const family *f, const bl_kernels *k, size_t parts) {
    if (problem_device && k == problem_device->kernels) {
        run_on_device(p, f);
        check_guards(p, k->name);
        return;
    }
    static _Alignas(64) unsigned char scratch[BL_KERNEL_SCRATCH + GUARD];
    for (size_t part = parts; part-- > 0;) {
        memset(scratch, 0xFF, 1 << 16);
        memset(scratch + BL_KERNEL_SCRATCH, GUARD_BYTE, GUARD);
        f->run(k, p, &(bl_part){.part = part, .parts = parts, .scratch = scratch});
        for (size_t i = 0; i < GUARD; i++)
            if (scratch[BL_KERNEL_SCRATCH + i] != GUARD_BYTE)
                fail_msg("%s wrote behind its scratch", k->name);
    }
    check_guards(p, k->name);
}

/* Are these `size` bytes, a float or a double, a NaN? */
static bool is_nan(const unsigned char *bytes, size_t size) {
    float f;
    double d;
    if (size == sizeof f) {
        memcpy(&f, bytes, sizeof f);
        return f != f;
    }
    memcpy(&d, bytes, sizeof d);
    return d != d;
}

/* The bits of a NaN are no promise (docs/numerics.md). */
static bool equal_but_for_nans(const array *g, const array *w) {
    const size_t size = g->flags & DOUBLES ? sizeof(double) : sizeof(float);
    if (g->bytes % size != 0) return false;
    for (size_t i = 0; i < g->bytes; i += size)
        if (memcmp(g->data + i, w->data + i, size) != 0 &&
            !(is_nan(g->data + i, size) && is_nan(w->data + i, size)))
            return false;
    return true;
}

void problem_digest(const problem *p, bl_sha256 *sum) {
    for (size_t i = 0; i < p->count; i++) {
        const array *a = &p->arrays[i];
        const size_t size = a->flags & DOUBLES ? sizeof(double) : sizeof(float);
        size_t from = 0; /* what is not in the sum yet */
        if (a->role == ROLE_IN) continue;
        for (size_t at = 0; at + size <= a->bytes; at += size) {
            if (!is_nan(a->data + at, size)) continue;
            bl_sha256_update(sum, a->data + from, at - from);
            bl_sha256_update(sum, "nan", 3);
            from = at + size;
        }
        bl_sha256_update(sum, a->data + from, a->bytes - from);
    }
}

void problem_check_equal(const problem *got, const problem *want) {
    assert_int_equal(got->count, want->count);
    for (size_t i = 0; i < got->count; i++) {
        const array *g = &got->arrays[i], *w = &want->arrays[i];
        assert_int_equal(g->bytes, w->bytes);
        if (memcmp(g->data, w->data, g->bytes) == 0 || equal_but_for_nans(g, w)) continue;
        size_t at = 0;
        while (g->data[at] == w->data[at]) at++;
        if (g->flags & DOUBLES || strcmp(g->name, "codes") == 0)
            fail_msg("%s differs at byte %zu", g->name, at);
        const float *gf = (const float *)(const void *)g->data,
                    *wf = (const float *)(const void *)w->data;
        fail_msg("%s differs first at element %zu: %a instead of %a", g->name, at / 4,
                 (double)gf[at / 4], (double)wf[at / 4]);
    }
}
