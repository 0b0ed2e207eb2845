/* The average of weights that is evaluated (eval.average = "power"): its numbers in closed form,
 * its place in a run, and the same bytes however the run is carried out. */
#include "engine/base/mem.h"
#include "engine/train/workload.h"
#include "tests/check.h"
#include "tests/unit/net64.h"
#include "tests/unit/tiny_run.h"
#include <math.h>

static int setup(void **state) {
    (void)tiny_setup(state);
    fixture *f = *state;
    tiny_name(f->config.eval.average, "power");
    f->config.eval.first = 1;
    return 0;
}

/* ---- its numbers ---- */

/* sigma = sqrt(gamma + 1) / ((gamma + 2) sqrt(gamma + 3)); 0.1 is 6.94 and 0.05 is 16.97 in Karras
 * et al. 2024. */
static void test_power_of_a_width(void **state) {
    (void)state;
    for (int gamma = 0; gamma <= 60; gamma++) {
        const double width = sqrt(gamma + 1.0) / ((gamma + 2.0) * sqrt(gamma + 3.0));
        const double power = bl_train_average_power(width);
        if (!(fabs(power / (gamma + 1.0) - 1.0) < 1e-7)) fail_msg("gamma %d: %.17g", gamma, power);
    }
    assert_true(fabs(bl_train_average_power(0.1) - 7.94) < 0.005);
    assert_true(fabs(bl_train_average_power(0.05) - 17.97) < 0.005);
    assert_true(bl_train_average_power(0.288) > 1.0 && bl_train_average_power(0.288) < 1.02);
    assert_true(fabs(bl_train_average_power(1e-9) * 1e-9 - 1.0) < 1e-6);
}

/* With a whole gamma + 1 the share is 1 - ((t - 1) / t)^(gamma + 1) by multiplication. */
static void test_share_of_a_step(void **state) {
    (void)state;
    for (int power = 1; power <= 20; power++)
        for (int64_t t = 1; t <= 3000; t = t * 5 / 4 + 1) {
            double rest = 1.0;
            for (int i = 0; i < power; i++) rest *= (double)(t - 1) / (double)t;
            const double share = bl_train_average_share(power, t);
            if (!(fabs(share / (1.0 - rest) - 1.0) < 1e-11))
                fail_msg("power %d, step %lld: %.17g", power, (long long)t, share);
        }
    assert_true(bl_train_average_share(7.94, 1) == 1.0);
    assert_true(bl_train_average_share(7.94, (int64_t)1 << 40) > 0.0);
}

/* Weights that move linearly, w_i = i: with a whole power k the average after T steps is
 * sum_i i (i^k - (i - 1)^k) / T^k: (T + 1) / 2 for k = 1, (T + 1)(4 T - 1) / (6 T) for k = 2, and
 * T - sum_(i < T) i^k / T^k in general. */
static void test_weights_that_move_linearly(void **state) {
    (void)state;
    enum { T = 500, N = 37 };
    for (size_t k = 0; k < bl_kernels_count; k++) {
        if (!bl_kernels_table[k]->usable()) continue;
        for (int power = 1; power <= 9; power++) {
            float average[N], weight[N];
            double below = 0.0;
            for (size_t i = 0; i < N; i++) average[i] = -3.0f; /* step 1 replaces it */
            for (int t = 1; t <= T; t++) {
                for (size_t i = 0; i < N; i++) weight[i] = (float)t * (float)(i + 1) * 0x1p-4f;
                const bl_power_average args = {average, weight, N,
                                               (float)bl_train_average_share(power, t)};
                bl_kernels_table[k]->power_average(&args, &(bl_part){.parts = 1});
                if (t < T) below += pow((double)t / T, power);
            }
            const double expected = T - below;
            /* A rounding a step, of which those of step t count (t/T)^power. */
            const double bound = 0x1p-24 * (T / (power + 1.0) + 8);
            if (power == 1) assert_true(fabs(expected - (T + 1) / 2.0) < 1e-9);
            if (power == 2)
                assert_true(fabs(expected - (T + 1) * (4.0 * T - 1) / (6.0 * T)) < 1e-9);
            for (size_t i = 0; i < N; i++) {
                const double want = expected * (double)(i + 1) * 0x1p-4;
                if (!(fabs((double)average[i] / want - 1.0) < bound))
                    fail_msg("%s, power %d: %.9g, expected %.9g", bl_kernels_table[k]->name, power,
                             (double)average[i], want);
            }
        }
    }
}

/* ---- a run's ---- */

static void check_near(const char *what, const float *got, const double *want, size_t n) {
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(want[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) <= 2e-6 * largest))
            fail_msg("%s: element %zu is %.9g, expected %.9g", what, i, (double)got[i], want[i]);
}

/* The averages of a run are the means of its steps' weights and running statistics in which step i
 * has (i/T)^k - ((i - 1)/T)^k, k = gamma + 1. */
static void check_mean_of_steps(fixture *f, double width) {
    enum { T = 60 };
    f->config.eval.average_width = width;
    f->config.eval.growth = 1.0;
    bl_train *train = tiny_open(f, tiny_kernels(), 2);
    const double k = bl_train_average_power(width);
    double *weight = bl_xalloc(train->net.weights * sizeof *weight);
    double *running = bl_xalloc(train->net.runnings * sizeof *running);
    for (int64_t i = 1; i <= T; i++) {
        const double share = pow((double)i / T, k) - pow((double)(i - 1) / T, k);
        advance_to(train, i);
        for (size_t j = 0; j < train->net.weights; j++)
            weight[j] += share * (double)train->net.weight[j];
        for (size_t j = 0; j < train->net.runnings; j++)
            running[j] += share * (double)train->net.running[j];
    }
    assert_true(train->net.runnings > 0);
    check_near("weights", train->average, weight, train->net.weights);
    check_near("running statistics", train->average_running, running, train->net.runnings);
    free(weight), free(running);
    bl_train_close(train);
}

static void test_mean_of_steps(void **state) {
    check_mean_of_steps(*state, 0.1);
    check_mean_of_steps(*state, 0.28);
    check_mean_of_steps(*state, 0.01);
}

/* The net as an evaluation by others sees it. */
static bl_net with(const bl_net *net, float *weight, float *running) {
    bl_net other = *net;
    other.weight = weight;
    other.running = running;
    return other;
}

/* Batch norm and dropout are in the net: what an evaluation predicts is, in fp64, the inference by
 * averaged weights and averaged running statistics, and that of no other pairing. */
static void test_inference(void **state) {
    fixture *f = *state;
    bl_train *train = tiny_open(f, tiny_kernels(), 1);
    advance_to(train, 40);
    bl_net *net = &train->net;
    const bl_pass pass = {.batch = (size_t)train->eval_rows};
    const bl_net_node *out = bl_net_output(net);
    assert_true(train->eval_chunk >= pass.batch); /* one pass: all predictions are still there */
    float *const weight[] = {train->average, net->weight, train->average, net->weight};
    float *const running[] = {train->average_running, train->average_running, net->running,
                              net->running};
    for (size_t i = 0; i < BL_COUNT(weight); i++) {
        const bl_net other = with(net, weight[i], running[i]);
        double *y = net64_infer(&other, &pass), off = 0.0;
        for (size_t b = 0; b < pass.batch; b++)
            off = fmax(off, fabs((double)out->y[b * out->width] - y[b]));
        if ((off < 1e-5) != (i == 0)) fail_msg("pairing %zu is %g off", i, off);
        free(y);
    }
    bl_train_close(train);
}

/* The losses of the steps are those of a run that keeps no average; what is evaluated differs. */
static void test_training_does_not_see_it(void **state) {
    fixture *f = *state;
    bl_train *averaged = tiny_open(f, tiny_kernels(), 1);
    tiny_name(f->config.eval.average, "none");
    bl_train *plain = tiny_open(f, tiny_kernels(), 1);
    for (int64_t step = 1; step <= 30; step++) {
        advance_to(averaged, step);
        advance_to(plain, step);
        assert_true(averaged->progress.hash == plain->progress.hash);
        assert_memory_equal(averaged->net.weight, plain->net.weight,
                            plain->net.weights * sizeof(float));
        if (step > 3) assert_true(averaged->now.value != plain->now.value);
        assert_string_not_equal(averaged->now.params_sha256, plain->now.params_sha256);
    }
    bl_train_close(averaged), bl_train_close(plain);
}

/* Probes of the noise scale measure gradients at the last step's weights. */
static void test_probes_do_not_see_it(void **state) {
    fixture *f = *state;
    f->config.noise.share = 0.5;
    f->config.noise.micro_batch = 16;
    f->config.noise.batches = 8;
    bl_train *averaged = tiny_open(f, tiny_kernels(), 1);
    tiny_name(f->config.eval.average, "none");
    bl_train *plain = tiny_open(f, tiny_kernels(), 1);
    advance_to(averaged, 40);
    advance_to(plain, 40);
    assert_true(bl_train_noise(plain)->len > 500);
    assert_string_equal(bl_buf_text(bl_train_noise(averaged)), bl_buf_text(bl_train_noise(plain)));
    bl_train_close(averaged), bl_train_close(plain);
}

static void test_digest_covers_it(void **state) {
    char before[BL_SHA256_HEX], after[BL_SHA256_HEX];
    bl_train *train = tiny_open(*state, tiny_kernels(), 1);
    float *const where[] = {train->average, train->average_running};
    advance_to(train, 2);
    for (size_t i = 0; i < BL_COUNT(where); i++) {
        bl_train_params_digest(train, before);
        where[i][1] += 1.0f;
        bl_train_params_digest(train, after);
        assert_string_not_equal(before, after);
    }
    bl_train_close(train);
}

static void test_memory_is_counted(void **state) {
    fixture *f = *state;
    size_t averaged = 0, plain = 0;
    bl_train *train = tiny_open(f, tiny_kernels(), 1);
    CHECK_OK(bl_train_memory(&f->config, &f->data, NULL, &averaged, ERR));
    tiny_name(f->config.eval.average, "none");
    CHECK_OK(bl_train_memory(&f->config, &f->data, NULL, &plain, ERR));
    const size_t floats = train->net.weights + train->net.runnings;
    assert_true(averaged >= plain + floats * sizeof(float));
    assert_true(averaged <= plain + floats * sizeof(float) + 1024); /* alignment, guards */
    bl_train_close(train);
}

/* ---- the same bytes ---- */

static void test_threads_and_backends(void **state) {
    static const size_t threads[] = {1, 2, 3, 7};
    bl_buf first = {0}, again = {0};
    tiny_log(*state, bl_kernels_table[bl_kernels_count - 1], 1, 20, &first);
    for (size_t k = 0; k + 1 < bl_kernels_count; k++)
        for (size_t i = 0; i < BL_COUNT(threads) && bl_kernels_table[k]->usable(); i++) {
            tiny_log(*state, bl_kernels_table[k], threads[i], 20, &again);
            assert_string_equal(bl_buf_text(&first), bl_buf_text(&again));
        }
    bl_buf_free(&first), bl_buf_free(&again);
}

/* Pieces of 256 * 2^k are the whole batch, where no norm sees which examples are together. */
static void test_pieces(void **state) {
    fixture *f = *state;
    bl_buf whole = {0}, pieces = {0};
    f->config.model.batch_norm = false;
    f->config.train.batch_size = 1100;
    tiny_log(f, tiny_kernels(), 1, 5, &whole);
    f->config.train.micro_batch = 256;
    tiny_log(f, tiny_kernels(), 3, 5, &pieces);
    assert_string_equal(bl_buf_text(&whole), bl_buf_text(&pieces));
    bl_buf_free(&whole), bl_buf_free(&pieces);
}

static void test_restored(void **state) {
    fixture *f = *state;
    f->config.eval.first = 5;
    tiny_check_restored(f, 13);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, tiny_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_of_a_width),
        cmocka_unit_test(test_share_of_a_step),
        cmocka_unit_test(test_weights_that_move_linearly),
        CASE(test_mean_of_steps),
        CASE(test_inference),
        CASE(test_training_does_not_see_it),
        CASE(test_probes_do_not_see_it),
        CASE(test_digest_covers_it),
        CASE(test_memory_is_counted),
        CASE(test_threads_and_backends),
        CASE(test_pieces),
        CASE(test_restored),
    };
    return cmocka_run_group_tests_name("weight_average", tests, NULL, NULL);
}
