/* The noisy quadratic model: the workload's recursion against the known answer, which is computed
 * in another way; samples against the recursion; the committed tables against the known answer. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/data/dataset_open.h"
#include "engine/stats/nqm.h"
#include "engine/train/run.h"
#include "tests/check.h"
#include "tests/unit/tiny_data.h"
#include <math.h>

static bl_config quadratic_config(const char *optimizer, const char *expectation) {
    bl_config c;
    tiny_quadratic_config(&c, optimizer, expectation);
    return c;
}

static bl_train *open_run(const bl_config *config, size_t threads) {
    static bl_dataset none;
    bl_dataset_none(&none);
    const bl_kernels *kernels = NULL;
    bl_train *train = NULL;
    CHECK_OK(bl_kernels_pick(&kernels, ERR));
    const bl_train_options options = {.kernels = kernels, .run_id = "0", .threads = threads};
    CHECK_OK(bl_train_open(&train, config, &none, &options, ERR));
    return train;
}

/* The step after which the target is reached; every step is an evaluation. */
static int64_t steps_to(const bl_config *config, double target) {
    bl_train *train = open_run(config, 1);
    while (!bl_train_now(train)->diverged && bl_train_now(train)->step < 1000) {
        CHECK_OK(bl_train_advance(train, INT64_MAX, NULL, ERR));
        if (bl_train_now(train)->value <= target) break;
    }
    const bl_train_state now = *bl_train_now(train);
    bl_train_close(train);
    return now.value <= target ? now.step : 0;
}

/* One coordinate under SGD has a closed form: E[theta_t^2] = a^(2t) (start - m) + m with
 * a = 1 - eps h and m = eps c / (B h (2 - eps h)). */
static void test_known_answer_has_the_closed_form(void **state) {
    (void)state;
    const bl_nqm model = {.dimensions = 1, .noise = 3.0, .start = 2.0};
    for (int k = 1; k < 29; k++) {
        const double rate = 0.05 * k, floor_at = rate * 3.0 / (4.0 * (2.0 - rate));
        const double target = 0.5 * (floor_at + 0.25 * (2.0 - floor_at));
        const double t = log(0.25) / (2.0 * log(fabs(1.0 - rate)));
        /* On the step itself rounding decides. */
        const int64_t found = bl_nqm_steps(&model, 4.0, rate, target * (1 + 1e-9), 100000);
        const int64_t expected = isfinite(t) && t > 1.0 ? (int64_t)ceil(t * (1 - 1e-8)) : 1;
        if (found != expected) fail_msg("rate %g: %lld", rate, (long long)found);
    }
}

static void test_recursion_gives_the_known_steps(void **state) {
    (void)state;
    static const char *const optimizers[] = {"sgd", "momentum", "nesterov"};
    static const double rates[] = {0.001, 0.02, 0.3, 1.5, 2.5, 5.0};
    size_t reached = 0;
    for (size_t o = 0; o < BL_COUNT(optimizers); o++)
        for (size_t r = 0; r < BL_COUNT(rates); r++)
            for (int64_t batch = 1; batch <= 1024; batch *= 32) {
                bl_config c = quadratic_config(optimizers[o], "exact");
                c.train.batch_size = batch;
                c.train.learning_rate = rates[r];
                const bl_nqm model = {.dimensions = 100,
                                      .noise = 1.0,
                                      .start = 1.0,
                                      .momentum = o > 0 ? 0.9 : 0.0,
                                      .nesterov = o == 2};
                const int64_t known = bl_nqm_steps(&model, (double)batch, rates[r], 0.03, 1000);
                const int64_t measured = steps_to(&c, 0.03);
                reached += known > 0;
                if (known != measured)
                    fail_msg("%s, batch %lld, rate %g: %lld steps, known are %lld", optimizers[o],
                             (long long)batch, rates[r], (long long)measured, (long long)known);
            }
    assert_in_range(reached, 10, 40); /* some diverge, some stay above the target */
}

/* The mean over 4,096 replicas, after 30 steps, at the scale of its own scatter: of thetas, or of
 * their average of relative width `average`. */
static void check_samples(double average) {
    static const char *const optimizers[] = {"sgd", "momentum", "nesterov"};
    for (size_t o = 0; o < BL_COUNT(optimizers); o++) {
        double value[2];
        for (size_t v = 0; v < 2; v++) {
            bl_config c = quadratic_config(optimizers[o], v == 0 ? "exact" : "sampled");
            c.quadratic.replicas = 4096;
            c.quadratic.noise = 4.0;
            c.optimizer.momentum = 0.7;
            c.optimizer.weight_decay = 0.01;
            c.train.batch_size = 8;
            c.train.learning_rate = 0.2;
            tiny_name(c.eval.average, average > 0 ? "power" : "none");
            c.eval.average_width = average;
            bl_train *train = open_run(&c, 2);
            while (bl_train_now(train)->step < 30) CHECK_OK(bl_train_advance(train, 30, NULL, ERR));
            value[v] = bl_train_now(train)->value;
            bl_train_close(train);
        }
        if (!(fabs(value[1] / value[0] - 1.0) < 0.01))
            fail_msg("%s, width %g: %g sampled, %g expected", optimizers[o], average, value[1],
                     value[0]);
    }
}

static void test_samples_scatter_around_the_recursion(void **state) {
    (void)state;
    check_samples(0);
}

static void test_averages_of_samples_do_too(void **state) {
    (void)state;
    check_samples(0.05);
    check_samples(0.1);
    check_samples(0.25);
}

/* One coordinate under SGD from theta_0 = 0, gamma = 0, that is the plain mean of theta_1 to
 * theta_T: E[mean^2] = 1/T^2 sum_ij E[theta_i theta_j], where with a = 1 - rate and s the variance
 * of a gradient E[theta_i theta_j] = a^|i-j| rate^2 s (1 - a^(2 min(i,j))) / (1 - a^2). */
static void test_average_has_the_closed_form(void **state) {
    (void)state;
    enum { T = 40 };
    const double rate = 0.3, a = 1.0 - rate, s = 2.0 / 4.0;
    double sum = 0.0;
    for (int i = 1; i <= T; i++)
        for (int j = 1; j <= T; j++)
            sum += pow(a, abs(i - j)) * rate * rate * s * (1.0 - pow(a, 2.0 * (i < j ? i : j))) /
                   (1.0 - a * a);
    bl_config c = quadratic_config("sgd", "exact");
    c.quadratic.dimensions = 1;
    c.quadratic.noise = 2.0;
    c.quadratic.start = 1e-300;
    c.train.batch_size = 4;
    c.train.learning_rate = rate;
    tiny_name(c.eval.average, "power");
    c.eval.average_width = sqrt(1.0 / 12.0); /* of equal shares */
    bl_train *train = open_run(&c, 1);
    while (bl_train_now(train)->step < T) CHECK_OK(bl_train_advance(train, T, NULL, ERR));
    const double expected = 0.5 * sum / (T * T), value = bl_train_now(train)->value;
    if (!(fabs(value / expected - 1.0) < 1e-6)) fail_msg("%.12g, expected %.12g", value, expected);
    bl_train_close(train);
}

/* Where nothing moves, the gradients of one coordinate's replicas are the noise alone: standard
 * normal, and another value for every replica and step. */
static void test_noise_is_fresh(void **state) {
    (void)state;
    enum { REPLICAS = 503, STEPS = 4, COUNT = REPLICAS * STEPS };
    static float noise[COUNT];
    bl_config c = quadratic_config("sgd", "sampled");
    c.quadratic.dimensions = 1;
    c.quadratic.replicas = REPLICAS;
    c.quadratic.start = 1e-12;
    c.train.batch_size = 1;
    c.train.learning_rate = 1e-20;
    bl_train *train = open_run(&c, 2);
    for (int64_t step = 0; step < STEPS; step++) {
        CHECK_OK(bl_train_advance(train, step + 1, NULL, ERR));
        memcpy(noise + step * REPLICAS, train->net.gradient, REPLICAS * sizeof *noise);
    }
    bl_train_close(train);
    double sum = 0.0, squares = 0.0;
    size_t equal = 0;
    for (size_t i = 0; i < COUNT; i++) {
        sum += (double)noise[i];
        squares += (double)noise[i] * (double)noise[i];
        for (size_t j = 0; j < i; j++) equal += noise[i] == noise[j];
    }
    assert_true(fabs(sum / COUNT) < 5.0 / sqrt(COUNT));
    assert_true(fabs(squares / COUNT - 1.0) < 5.0 * sqrt(2.0 / COUNT));
    assert_true(equal < 5); /* floats: two in two million pairs by chance */
}

/* Threads, and being stopped after every step, leave no trace. */
static void check_same_log(const char *optimizer, const char *version, const char *average) {
    bl_config c = quadratic_config(optimizer, version);
    tiny_name(c.eval.average, average);
    bl_train *whole = open_run(&c, 1), *train = open_run(&c, 3);
    while (bl_train_now(whole)->step < 9) CHECK_OK(bl_train_advance(whole, 9, NULL, ERR));
    for (int64_t step = 1; step <= 9; step++) {
        bl_buf saved = {0}, log = {0};
        CHECK_OK(bl_train_advance(train, step, NULL, ERR));
        CHECK_OK(bl_train_save(train, &saved, ERR));
        bl_buf_add(&log, bl_train_log(train)->data, bl_train_log(train)->len);
        bl_train_close(train);
        train = open_run(&c, step % 4);
        CHECK_OK(bl_train_restore(train, saved.data, saved.len, log.data, log.len, ERR));
        bl_buf_free(&saved), bl_buf_free(&log);
    }
    assert_string_equal(bl_buf_text(bl_train_log(whole)), bl_buf_text(bl_train_log(train)));
    bl_train_close(whole), bl_train_close(train);
}

static void test_same_log_restored_at_any_step(void **state) {
    (void)state;
    check_same_log("nesterov", "exact", "none");
    check_same_log("nesterov", "exact", "power");
    check_same_log("momentum", "sampled", "none");
    check_same_log("momentum", "sampled", "power");
    check_same_log("adamw", "sampled", "none");
    check_same_log("adamw", "sampled", "power");
}

static void test_divergence_is_an_outcome(void **state) {
    (void)state;
    static const char *const versions[] = {"exact", "sampled"};
    for (size_t v = 0; v < BL_COUNT(versions); v++) {
        bl_config c = quadratic_config("sgd", versions[v]);
        c.train.learning_rate = 1e6;
        assert_int_equal(steps_to(&c, 0.1), 0);
    }
}

static void test_exact_needs_a_linear_optimizer(void **state) {
    (void)state;
    const bl_config c = quadratic_config("adamw", "exact");
    bl_dataset none;
    bl_train *train = NULL;
    bl_err err;
    bl_dataset_none(&none);
    const bl_train_options options = {.threads = 1};
    assert_int_equal(bl_train_open(&train, &c, &none, &options, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "none for adamw"));
}

/* experiments/quadratic/known_*.csv, which the experiment is compared with: every row's rate gives
 * its steps, and from batch 16 on (which is quick) no rate gives fewer. */
static void check_table(const char *path, double momentum) {
    const bl_nqm model = {.dimensions = 100, .noise = 1.0, .start = 1.0, .momentum = momentum};
    bl_buf text = {0};
    CHECK_OK(bl_file_read(&text, path, 4096, ERR));
    size_t rows = 0;
    for (const char *line = strchr(bl_buf_text(&text), '\n'); line[1];
         line = strchr(line + 1, '\n')) {
        char *end = NULL;
        const double batch = strtod(line + 1, &end), steps = strtod(end + 1, &end);
        const int64_t fewest = (int64_t)steps;
        const double rate = strtod(end + 1, NULL);
        if (bl_nqm_steps(&model, batch, rate, 0.03, 20000) != fewest)
            fail_msg("%s: not the steps of batch %g", path, batch);
        if (batch >= 16.0 && bl_nqm_best_rate(&model, batch, 0.03, 20000).steps != fewest)
            fail_msg("%s: not the fewest steps of batch %g", path, batch);
        rows++;
    }
    assert_int_equal(rows, 11);
    bl_buf_free(&text);
}

static void test_committed_tables(void **state) {
    (void)state;
    check_table("experiments/quadratic/known_sgd.csv", 0.0);
    check_table("experiments/quadratic/known_momentum.csv", 0.9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answer_has_the_closed_form),
        cmocka_unit_test(test_recursion_gives_the_known_steps),
        cmocka_unit_test(test_samples_scatter_around_the_recursion),
        cmocka_unit_test(test_averages_of_samples_do_too),
        cmocka_unit_test(test_average_has_the_closed_form),
        cmocka_unit_test(test_noise_is_fresh),
        cmocka_unit_test(test_same_log_restored_at_any_step),
        cmocka_unit_test(test_divergence_is_an_outcome),
        cmocka_unit_test(test_exact_needs_a_linear_optimizer),
        cmocka_unit_test(test_committed_tables),
    };
    return cmocka_run_group_tests_name("quadratic", tests, NULL, NULL);
}
