/* Every optimizer: its formula in fp64, golden bits, any cut into ranges, snapping, a minimum. */
#include "engine/base/mem.h"
#include "engine/config/schema.h"
#include "engine/optim/optim.h"
#include "kernels/shared/exact_math.h"
#include "tests/check.h"

enum { COUNT = 133, STEPS = 3 };

/* One parameter in fp64. */
typedef struct scalar {
    double p, s0, s1;
} scalar;

static void sgd64(const bl_update_step *a, scalar *x, double g) {
    x->p -= a->rate * (g + a->weight_decay * x->p);
}
static void momentum64(const bl_update_step *a, scalar *x, double g) {
    x->s0 = a->momentum * x->s0 + g + a->weight_decay * x->p;
    x->p -= a->rate * x->s0;
}
static void nesterov64(const bl_update_step *a, scalar *x, double g) {
    const double full = g + a->weight_decay * x->p;
    x->s0 = a->momentum * x->s0 + full;
    x->p -= a->rate * (full + a->momentum * x->s0);
}
static void moments64(const bl_update_step *a, scalar *x, double g) {
    x->s0 = a->momentum * x->s0 + (1.0 - a->momentum) * g;
    x->s1 = a->beta2 * x->s1 + (1.0 - a->beta2) * g * g;
    x->p -= a->rate * (x->s0 / a->weight1) / (sqrt(x->s1 / a->weight2) + a->eps);
}
static void adam64(const bl_update_step *a, scalar *x, double g) {
    moments64(a, x, g + a->weight_decay * x->p);
}
static void adamw64(const bl_update_step *a, scalar *x, double g) {
    x->p *= 1.0 - a->rate * a->weight_decay;
    moments64(a, x, g);
}

static const struct {
    const char *name;
    size_t states;
    void (*step)(const bl_update_step *args, scalar *x, double g);
    uint32_t golden[STEPS]; /* bits of parameter 5 after each step */
} k_cases[] = {
    {"sgd",      0, sgd64,      {0x3e3f5b43, 0x3e1fd27c, 0x3e1acd54}},
    {"momentum", 1, momentum64, {0x3e3f5b43, 0x3e2e3f11, 0x3e17f544}},
    {"nesterov", 1, nesterov64, {0x3e4ba658, 0x3e1ceb7e, 0x3e04caf4}},
    {"adam",     2, adam64,     {0x3e64e535, 0x3e493ff7, 0x3e2c5290}},
    {"adamw",    2, adamw64,    {0x3e6401c9, 0x3e4984a2, 0x3e2ed46c}},
};

typedef struct block {
    float p[COUNT], g[COUNT], s0[COUNT], s1[COUNT];
} block;

static float start(size_t i) {
    return bl_uniform(bl_random_u32(1, BL_STREAM_SYNTH, 0, i), -1.0f, 1.0f);
}
static float gradient(size_t step, size_t i) {
    return bl_uniform(bl_random_u32(1, BL_STREAM_SYNTH, 1 + (uint32_t)step, i), -0.5f, 0.7f);
}

static bl_update_step args_of(block *b, size_t step) {
    bl_update_step args = {
        .param = b->p,
        .grad = b->g,
        .state = {b->s0, b->s1},
        .rate = 0.05 + 0.01 * (double)step,
        .momentum = 0.9 - 0.02 * (double)step,
        .beta2 = 0.99,
        .eps = 1e-5,
        .weight_decay = 0.1
    };
    double product1 = 1.0, product2 = 1.0;
    for (size_t s = 0; s <= step; s++) {
        product1 *= 0.9 - 0.02 * (double)s;
        product2 *= 0.99;
    }
    args.weight1 = 1.0 - product1;
    args.weight2 = 1.0 - product2;
    return args;
}

/* One step on all, cut into ranges of `width`. */
static void step_block(const bl_optim *optim, block *b, size_t step, size_t width) {
    const bl_update_step args = args_of(b, step);
    for (size_t i = 0; i < COUNT; i++) b->g[i] = gradient(step, i);
    for (size_t i = 0; i < COUNT; i += width) optim->step(&args, i, bl_size_min(i + width, COUNT));
}

static size_t case_of(const char *name) {
    for (size_t c = 0; c < BL_COUNT(k_cases); c++)
        if (strcmp(k_cases[c].name, name) == 0) return c;
    fail_msg("optimizer %s has no case here", name);
    return 0;
}

static void check_trace(const bl_optim *optim) {
    const size_t c = case_of(optim->name);
    block b = {0};
    scalar x[COUNT] = {0};
    for (size_t i = 0; i < COUNT; i++) {
        b.p[i] = start(i);
        x[i].p = (double)b.p[i];
    }
    assert_int_equal(optim->states, k_cases[c].states);
    for (size_t s = 0; s < STEPS; s++) {
        step_block(optim, &b, s, COUNT);
        const bl_update_step args = args_of(&b, s);
        for (size_t i = 0; i < COUNT; i++) {
            k_cases[c].step(&args, &x[i], (double)gradient(s, i));
            if (!(fabs((double)b.p[i] - x[i].p) < 1e-6))
                fail_msg("%s, step %zu, parameter %zu: %.9g, in fp64 %.9g", optim->name, s, i,
                         (double)b.p[i], x[i].p);
        }
        if (bl_bits32(b.p[5]) != k_cases[c].golden[s])
            fail_msg("%s, step %zu: 0x%08x, golden 0x%08x", optim->name, s, bl_bits32(b.p[5]),
                     k_cases[c].golden[s]);
    }
}

static void test_traces(void **state) {
    (void)state;
    for (size_t i = 0; i < bl_optim_count; i++) check_trace(bl_optim_table[i]);
}

static void test_any_cut_gives_the_same_bits(void **state) {
    (void)state;
    static const size_t widths[] = {1, 3, 16, 31, 64};
    for (size_t i = 0; i < bl_optim_count; i++) {
        block whole = {0};
        for (size_t j = 0; j < COUNT; j++) whole.p[j] = start(j);
        block first = whole;
        for (size_t s = 0; s < STEPS; s++) step_block(bl_optim_table[i], &whole, s, COUNT);
        for (size_t w = 0; w < BL_COUNT(widths); w++) {
            block cut = first;
            for (size_t s = 0; s < STEPS; s++) step_block(bl_optim_table[i], &cut, s, widths[w]);
            assert_memory_equal(&cut, &whole, sizeof cut);
        }
    }
}

/* At the least eps, where v is flushed to 0 before m is: gradients of any size move a parameter as
 * in fp64, to within 1e-5 of the learning rate. */
static void test_adam_at_the_least_eps(void **state) {
    (void)state;
    const double least = bl_key_find("optimizer.eps", strlen("optimizer.eps"))->min;
    static const double beta2[] = {0.9, 0.99, 0.999, 0.9999};
    for (size_t c = 0; c < 2 * BL_COUNT(beta2); c++) {
        const bl_optim *optim = bl_optim_find(c % 2 ? "adam" : "adamw");
        const size_t formula = case_of(optim->name);
        block b = {0};
        scalar x[COUNT] = {0};
        double product1 = 1.0, product2 = 1.0;
        for (int s = 0; s < 20; s++) {
            bl_update_step args = args_of(&b, 0);
            args.beta2 = beta2[c / 2];
            args.eps = least;
            args.weight_decay = 0.0;
            args.weight1 = 1.0 - (product1 *= args.momentum);
            args.weight2 = 1.0 - (product2 *= args.beta2);
            for (size_t i = 0; i < COUNT; i++) b.g[i] = (float)pow(10.0, -0.25 * (double)i);
            optim->step(&args, 0, COUNT);
            for (size_t i = 0; i < COUNT; i++) {
                k_cases[formula].step(&args, &x[i], (double)b.g[i]);
                if (!(fabs((double)b.p[i] - x[i].p) < 1e-5 * args.rate * (s + 1)))
                    fail_msg("%s, beta2 %g, gradient %g, step %d: %.9g, in fp64 %.9g", optim->name,
                             args.beta2, (double)b.g[i], s, (double)b.p[i], x[i].p);
            }
        }
    }
}

/* Below 2^-100 a gradient counts as none, and a fading state ends at +0. */
static void test_snap(void **state) {
    (void)state;
    for (size_t i = 0; i < bl_optim_count; i++) {
        block b = {
            .p = {1.0f,      1.0f,       1.0f      },
            .g = {0x1p-101f, -0x1p-140f, 0.0f      },
            .s0 = {0.0f,      0.0f,       -0x1p-100f},
            .s1 = {0.0f,      0.0f,       0x1p-100f }
        };
        bl_update_step args = args_of(&b, 0);
        args.weight_decay = 0.0;
        bl_optim_table[i]->step(&args, 0, 3);
        for (size_t j = 0; j < 2; j++) assert_int_equal(bl_bits32(b.p[j]), bl_bits32(1.0f));
        for (size_t j = 0; j < 3; j++) {
            if (bl_optim_table[i]->states > 0) assert_int_equal(bl_bits32(b.s0[j]), 0);
            if (bl_optim_table[i]->states > 1) assert_int_equal(bl_bits32(b.s1[j]), 0);
        }
    }
    assert_int_equal(bl_bits32(bl_flush_tiny(-0.0f)), 0);
    assert_int_equal(bl_bits32(bl_flush_tiny(-0x1p-100f)), bl_bits32(-0x1p-100f));
    assert_true(isnan(bl_flush_tiny(NAN)));
}

/* A quadratic of curvatures 1 to 10: every optimizer ends at its minimum. */
static void test_quadratic(void **state) {
    (void)state;
    for (size_t i = 0; i < bl_optim_count; i++) {
        block b = {0};
        double product1 = 1.0, product2 = 1.0;
        for (size_t j = 0; j < 10; j++) b.p[j] = start(j);
        for (int s = 0; s < 600; s++) {
            bl_update_step args = args_of(&b, 0);
            args.rate = s < 300 ? 0.02 : 0.002;
            args.weight_decay = 0.0;
            args.weight1 = 1.0 - (product1 *= args.momentum);
            args.weight2 = 1.0 - (product2 *= args.beta2);
            for (size_t j = 0; j < 10; j++) b.g[j] = (float)(j + 1) * (b.p[j] - 0.25f);
            bl_optim_table[i]->step(&args, 0, 10);
        }
        for (size_t j = 0; j < 10; j++)
            if (!(fabsf(b.p[j] - 0.25f) < 5e-3f))
                fail_msg("%s ends at %g", bl_optim_table[i]->name, (double)b.p[j]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traces),    cmocka_unit_test(test_any_cut_gives_the_same_bits),
        cmocka_unit_test(test_snap),      cmocka_unit_test(test_adam_at_the_least_eps),
        cmocka_unit_test(test_quadratic),
    };
    return cmocka_run_group_tests_name("optim", tests, NULL, NULL);
}
