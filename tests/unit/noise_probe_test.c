/* Probes inside a run: the run does not know of them, their bytes do not depend on how the run is
 * carried out, and what they say is what the gradients are. */
#include "engine/base/mem.h"
#include "engine/data/dataset_open.h"
#include "engine/train/workload.h"
#include "tests/check.h"
#include "tests/unit/tiny_run.h"
#include <math.h>

enum { STEPS = 60 };

static void probe_with(bl_config *c, double share, int64_t batch, int64_t batches) {
    c->noise.share = share;
    c->noise.micro_batch = batch;
    c->noise.batches = batches;
}

static int setup(void **state) {
    (void)tiny_setup(state);
    probe_with(&((fixture *)*state)->config, 0.5, 16, 8);
    return 0;
}

static bl_train *run_to(const fixture *f, int64_t limit) {
    bl_train *train = tiny_open(f, tiny_kernels(), 1);
    advance_to(train, limit);
    return train;
}

static bl_noise_log read_log(const bl_train *train) {
    const bl_buf *text = bl_train_noise(train);
    bl_noise_log log;
    CHECK_OK(bl_noise_read(&log, bl_buf_text(text), text->len, "noise", ERR));
    return log;
}

static void same_text(const bl_buf *a, const bl_buf *b) {
    assert_int_equal(a->len, b->len);
    assert_string_equal(bl_buf_text(a), bl_buf_text(b));
}

/* ---- the run does not know ---- */

/* Log, state and weights of a run with probes are those of the run without. */
static void check_unaware(fixture *f, size_t fewest) {
    bl_train *with = run_to(f, STEPS);
    f->config.noise.share = 0.0;
    bl_train *without = run_to(f, STEPS);
    f->config.noise.share = 0.5;
    same_text(bl_train_log(with), bl_train_log(without));
    assert_string_equal(bl_train_now(with)->params_sha256, bl_train_now(without)->params_sha256);
    assert_int_equal(bl_train_noise(without)->len, 0);
    bl_noise_log log = read_log(with);
    assert_in_range(log.probes, fewest, 20);
    for (size_t i = 0; i < log.probes; i++) assert_true(log.probe[i].norms[0].level[0] > 0.0);
    bl_noise_log_free(&log);
    bl_train_close(with);
    bl_train_close(without);
}

static void test_the_run_does_not_know(void **state) {
    fixture *f = *state;
    check_unaware(f, 3); /* dropout, batch norm, Adam, a cycled beta1 */
    f->config.train.micro_batch = 8;
    check_unaware(f, 3);
    f->config.train.micro_batch = 0;
    f->config.noise.window = 4;
    check_unaware(f, 3);
    f->config.noise.hessian = true; /* weights are moved, and come back */
    check_unaware(f, 2);
    f->config.noise.window = 0;
    f->config.noise.hessian = false;
    tiny_name(f->config.eval.average, "power"); /* evaluations look at other weights than probes */
    f->config.eval.average_width = 0.1;
    check_unaware(f, 3);
    tiny_name(f->config.eval.average, "none");
    f->config.noise.micro_batch = 4; /* smaller than anything else of the run */
    check_unaware(f, 3);
    static const char *const kinds[] = {"simple_cnn", "resnet8"};
    for (size_t i = 0; i < BL_COUNT(kinds); i++) { /* pictures, shifted and mirrored */
        tiny_data_free(&f->data);
        tiny_pictures(&f->data, 3);
        tiny_picture_config(&f->config, kinds[i]);
        f->config.model.filters = (bl_i64_list){
            .v = {4, 8, 8},
              .n = i == 0 ? 2 : 3
        };
        tiny_name(f->config.model.norm, i == 0 ? "none" : "batch");
        probe_with(&f->config, 0.5, 16, 8);
        check_unaware(f, 3);
        f->config.noise.hessian = true;
        check_unaware(f, 2);
        f->config.noise.hessian = false;
    }
}

/* The bytes of all weights, the sign of a zero included, before and after a probe. */
static void test_weights_come_back(void **state) {
    fixture *f = *state;
    f->config.noise.hessian = true;
    bl_train *train = tiny_open(f, tiny_kernels(), 2);
    const size_t bytes = train->net.weights * sizeof(float);
    float *before = bl_xalloc(bytes);
    for (size_t i = 0; i < train->net.weights; i += 7) train->net.weight[i] = -0.0f;
    memcpy(before, train->net.weight, bytes);
    bl_train_probe(train);
    assert_memory_equal(train->net.weight, before, bytes);
    free(before);
    bl_train_close(train);
}

/* ---- the same bytes ---- */

static void test_threads_and_vector_units(void **state) {
    fixture *f = *state;
    f->config.model.hidden.v[0] = 700; /* gradients of several blocks */
    f->config.noise.window = 4;
    f->config.noise.hessian = true;
    bl_train *first = run_to(f, STEPS);
    for (size_t i = 0; i < bl_kernels_count; i++) {
        if (!bl_kernels_table[i]->usable()) continue;
        bl_train *again = tiny_open(f, bl_kernels_table[i], i + 2);
        advance_to(again, STEPS);
        same_text(bl_train_noise(first), bl_train_noise(again));
        bl_train_close(again);
    }
    bl_train_close(first);
}

static void test_restored_after_every_step(void **state) {
    fixture *f = *state;
    tiny_check_restored(f, 24);
    f->config.noise.window = 3;
    f->config.noise.hessian = true;
    tiny_check_restored(f, 24);
}

/* A state without these probes would leave a hole in the records; one with probes serves a run that
 * makes none. */
static void test_states_of_other_settings(void **state) {
    fixture *f = *state;
    bl_err err;
    bl_buf saved = {0};
    bl_train *train = run_to(f, 12);
    const bl_buf *log = bl_train_log(train);
    CHECK_OK(bl_train_save(train, &saved, ERR));
    f->config.noise.micro_batch = 8;
    bl_train *other = tiny_open(f, tiny_kernels(), 1);
    assert_int_equal(bl_train_restore(other, saved.data, saved.len, log->data, log->len, &err),
                     BL_EMISMATCH);
    assert_int_equal(bl_train_now(other)->step, 0);
    bl_train_close(other);
    f->config.noise.micro_batch = 16;
    f->config.noise.hessian = true;
    other = tiny_open(f, tiny_kernels(), 1);
    assert_int_equal(bl_train_restore(other, saved.data, saved.len, log->data, log->len, &err),
                     BL_EMISMATCH);
    bl_train_close(other);
    f->config.noise.hessian = false;
    f->config.noise.share = 0.0;
    other = tiny_open(f, tiny_kernels(), 1);
    CHECK_OK(bl_train_restore(other, saved.data, saved.len, log->data, log->len, ERR));
    bl_buf_clear(&saved);
    CHECK_OK(bl_train_save(other, &saved, ERR));
    bl_train_close(other);
    f->config.noise.share = 0.5;
    other = tiny_open(f, tiny_kernels(), 1);
    assert_int_equal(bl_train_restore(other, saved.data, saved.len, log->data, log->len, &err),
                     BL_EMISMATCH);
    bl_train_close(other);
    bl_train_close(train);
    bl_buf_free(&saved);
}

/* ---- when ---- */

/* The first evaluation, and then as the share allows; a shorter run has a prefix. A probe costs
 * `cost` examples. */
static void check_schedule(fixture *f, double cost) {
    bl_train *train = run_to(f, 400), *shorter = run_to(f, 100);
    bl_noise_log log = read_log(train);
    size_t made = 0;
    for (int64_t step = 0; step < 400 && made < log.probes;) {
        step = bl_train_next_eval(&f->config, (int64_t)f->data.train_rows, step, INT64_MAX);
        const bool due = made == 0 || (double)(made + 1) * cost <= 0.5 * (double)step * 32.0;
        if (due) assert_int_equal(log.probe[made++].step, step);
    }
    assert_int_equal(made, log.probes);
    assert_int_equal(log.probe[0].step, 5);
    assert_true(log.probes > 6);
    const bl_buf *text = bl_train_noise(shorter);
    assert_memory_equal(text->data, bl_train_noise(train)->data, text->len);
    bl_noise_log part = read_log(shorter);
    assert_int_equal(bl_noise_prefix(&log, 100), text->len);
    assert_true(part.probes < log.probes);
    bl_noise_log_free(&log), bl_noise_log_free(&part);
    bl_train_close(train), bl_train_close(shorter);
}

static void test_schedule(void **state) {
    fixture *f = *state;
    check_schedule(f, 16 * 8);
    f->config.noise.hessian = true; /* four products at two gradients of a quarter each */
    check_schedule(f, 3 * 16 * 8);
}

/* ---- what it says ---- */

static void near(double found, double expected, double within) {
    if (!(fabs(found - expected) <= within * fabs(expected)))
        fail_msg("%.17g, expected %.17g", found, expected);
}

static double dot(const double *a, const double *b, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* The norms of a probe from its micro-batches' gradients one by one, in fp64, with all kept. */
static void test_norms_are_those_of_the_gradients(void **state) {
    fixture *f = *state;
    enum { K = 16 };
    probe_with(&f->config, 0.5, 8, K);
    bl_train *train = run_to(f, 5);
    bl_noise_log log = read_log(train);
    const size_t n = train->net.weights;
    double *g = bl_xalloc(K * n * sizeof *g), *w = bl_xalloc(n * sizeof *w);
    const bl_u32x4 word = bl_random4(1, BL_STREAM_PROBE, 0, 5);
    for (size_t k = 0; k < K; k++) {
        float *gradient = NULL;
        assert_true(train->workload->probe(train, (uint64_t)word.v[0] << 32 | word.v[1], k * 8, 8,
                                           &gradient));
        for (size_t i = 0; i < n; i++) g[k * n + i] = (double)gradient[i];
    }
    for (size_t i = 0; i < n; i++)
        w[i] = 1.0 / (sqrt((double)train->state[1][i] / (1.0 - train->progress.product2)) + 1e-8);
    for (size_t m = 0; m <= BL_NOISE_PRECONDITIONED; m++) {
        const bl_noise_norms *norms = &log.probe[0].norms[m];
        double *sum = bl_xalloc(n * sizeof *sum), *quarter = bl_xalloc(4 * n * sizeof *quarter);
        assert_true(norms->known);
        for (size_t i = 0; m == 1 && i < K * n; i++) g[i] *= w[i % n];
        for (size_t l = 0; l < 5; l++) {
            double mean = 0.0;
            for (size_t first = 0; first < K; first += (size_t)1 << l) {
                memset(sum, 0, n * sizeof *sum);
                for (size_t k = first; k < first + ((size_t)1 << l); k++)
                    for (size_t i = 0; i < n; i++) sum[i] += ldexp(g[k * n + i], -(int)l);
                mean += dot(sum, sum, n) / (double)(K >> l);
            }
            near(norms->level[l], mean, 1e-5);
        }
        for (size_t k = 0; k < K; k++)
            for (size_t i = 0; i < n; i++) quarter[k / 4 * n + i] += g[k * n + i] / 4;
        for (size_t q = 0; q < 4; q++) {
            double mean = 0.0;
            for (size_t k = q * 4; k < q * 4 + 4; k++) mean += dot(g + k * n, g + k * n, n) / 4;
            near(norms->quarter[q], mean, 1e-5);
            for (size_t r = 0; r < 4; r++) {
                const double product = dot(quarter + q * n, quarter + r * n, n);
                assert_true(fabs(norms->product[q][r] - product) < 1e-5 * norms->level[0]);
            }
        }
        free(sum), free(quarter);
    }
    free(g), free(w);
    bl_noise_log_free(&log);
    bl_train_close(train);
}

/* ---- with the Hessian ---- */

/* Linear regression with few weights, whose Hessian is 2 E x x^T in every sample. */
enum { LINEAR = 64 }; /* weights at most, padding included */

static void linear(fixture *f) {
    bl_config *c = &f->config;
    tiny_data_free(&f->data);
    tiny_data(&f->data, 0, 2);
    float *values = (float *)f->data.values;
    for (size_t i = 0; i < 2 * f->data.train_rows; i += 2) values[i] *= 2.0f; /* not round */
    c->model.hidden.n = 0;
    c->model.dropout = (bl_f64_list){0};
    c->model.batch_norm = false;
    tiny_name(c->model.output, "linear");
    tiny_name(c->schedule.name, "constant");
    c->schedule.cycle_momentum = false;
    c->noise.hessian = true;
}

/* The mean gradient of `count` examples in fp64, and (may be NULL) sum += their 2 x x^T / all. A
 * linear net's gradient is 2 (y - target) x: x up to a factor, and 1 for the bias. */
static void examples(bl_train *train, uint64_t seed, uint64_t position, size_t count, double *mean,
                     double *sum, double all) {
    const size_t n = train->net.weights;
    memset(mean, 0, LINEAR * sizeof *mean);
    assert_true(n <= LINEAR);
    for (size_t k = 0; k < count; k++) {
        float *g = NULL;
        assert_true(train->workload->probe(train, seed, position + k, 1, &g));
        const bl_net_node *out = bl_net_output(&train->net);
        const double slope = (double)out->dy[0]; /* 2 (y - target) */
        for (size_t i = 0; i < n; i++) {
            mean[i] += (double)g[i] / (double)count;
            for (size_t j = 0; sum != NULL && j < n; j++)
                sum[i * LINEAR + j] += 2.0 * ((double)g[i] / slope) * ((double)g[j] / slope) / all;
        }
    }
}

static double form(const double *a, const double *h, const double *b, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += a[i] * dot(h + i * LINEAR, b, n);
    return sum;
}

/* Each product is the mean of <g_i, H_j g_j> and <g_j, H_i g_i>: gradients of the probe's quarters,
 * Hessians of the other draw's. */
static void test_products_are_those_of_the_hessian(void **state) {
    fixture *f = *state;
    enum { K = 16, B = 8, EACH = K * B / 4 };
    static double g[4][LINEAR], h[4][LINEAR * LINEAR], unused[LINEAR];
    linear(f);
    probe_with(&f->config, 0.5, B, K);
    bl_train *train = run_to(f, 5);
    bl_noise_log log = read_log(train);
    const bl_u32x4 word = bl_random4(1, BL_STREAM_PROBE, 0, 5);
    const uint64_t seed = (uint64_t)word.v[0] << 32 | word.v[1];
    const uint64_t other = (uint64_t)word.v[2] << 32 | word.v[3];
    for (size_t q = 0; q < 4; q++) {
        examples(train, seed, q * EACH, EACH, g[q], NULL, 0.0);
        examples(train, other, q * EACH, EACH, unused, h[q], EACH);
    }
    const bl_noise_norms *norms = &log.probe[0].norms[BL_NOISE_HESSIAN];
    assert_true(norms->known);
    assert_int_equal(norms->first, 2);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++) {
            const size_t n = train->net.weights;
            const double product = (form(g[i], h[j], g[j], n) + form(g[j], h[i], g[i], n)) / 2;
            const double most = form(g[i], h[i], g[i], n);
            assert_true(fabs(norms->product[i][j] - product) < 1e-4 * most);
        }
    bl_noise_log_free(&log);
    bl_train_close(train);
}

/* Least squares on 700 rows: G, Sigma and H are sums over all of them. The mean of many probes at
 * the same weights meets G^T H G and tr(H Sigma), and their intervals cover them. */
static void test_least_squares_with_exact_hessian(void **state) {
    fixture *f = *state;
    static double mean[LINEAR], each[LINEAR], h[LINEAR * LINEAR];
    enum { PROBES = 3200, WINDOW = 8 };
    linear(f);
    probe_with(&f->config, 1e9, 8, 16);
    f->config.train.learning_rate = 0.0;
    f->config.optimizer.weight_decay = 0.0;
    f->config.eval.growth = 1.0;
    bl_train *train = tiny_open(f, tiny_kernels(), 1);
    const size_t n = train->net.weights, rows = f->data.train_rows;
    examples(train, 7, 0, rows, mean, h, (double)rows);
    double trace = 0.0;
    for (size_t r = 0; r < rows; r++) {
        examples(train, 7, r, 1, each, NULL, 0.0);
        for (size_t i = 0; i < n; i++) each[i] -= mean[i];
        trace += form(each, h, each, n) / (double)rows;
    }
    const double along = form(mean, h, mean, n);
    advance_to(train, PROBES);
    bl_noise_log log = read_log(train);
    assert_in_range(log.probes, PROBES - 5, PROBES);
    int in[2] = {0, 0}, windows = 0;
    for (size_t i = 0; i + WINDOW <= log.probes; i += WINDOW, windows++) {
        const bl_noise_estimate e = bl_noise_estimate_of(&log.probe[i], WINDOW, BL_NOISE_HESSIAN);
        in[0] += e.grad_sq.low <= along && along <= e.grad_sq.high;
        in[1] += e.trace.low <= trace && trace <= e.trace.high;
    }
    const bl_noise_estimate e = bl_noise_estimate_of(log.probe, log.probes, BL_NOISE_HESSIAN);
    print_message("G^T H G %g of %g, in %d; tr(H Sigma) %g of %g, in %d; of %d\n", e.grad_sq.value,
                  along, in[0], e.trace.value, trace, in[1], windows);
    assert_true(e.grad_sq.low <= along && along <= e.grad_sq.high);
    assert_true(e.trace.low <= trace && trace <= e.trace.high);
    near(e.scale.value, trace / along, 0.1);
    /* 12,800 probes cover 96.9 and 91.1 %: rows are few, one direction is stiff, tails are heavy.
     */
    assert_in_range(in[0], windows * 90 / 100, windows);
    assert_in_range(in[1], windows * 88 / 100, windows);
    bl_noise_log_free(&log);
    bl_train_close(train);
}

/* A probe of all rows has the gradient that a step on all rows has: without dropout and batch norm
 * it is the same mean, whatever the order of rows. */
static void test_all_rows_are_the_full_gradient(void **state) {
    fixture *f = *state;
    f->config.model.dropout = (bl_f64_list){0};
    f->config.model.embedding_dropout = 0.0;
    f->config.model.batch_norm = false;
    tiny_name(f->config.schedule.name, "constant");
    f->config.data.rows = 512;
    f->config.train.batch_size = 512;
    probe_with(&f->config, 0.5, 32, 16);
    bl_train *train = run_to(f, 5);
    bl_noise_log log = read_log(train);
    CHECK_OK(bl_train_steps(train, 1, ERR)); /* its gradient is of the weights of step 5 */
    double square = 0.0;
    for (size_t i = 0; i < train->net.weights; i++)
        square += (double)train->net.gradient[i] * (double)train->net.gradient[i];
    near(log.probe[0].norms[0].level[4], square, 1e-4);
    /* So |G|^2 is known, and the correction finds it in spite of the noise. */
    const bl_noise_pair pair = bl_noise_probe_pair(&log.probe[0], BL_NOISE_PLAIN);
    near(pair.grad_sq, square, 1e-4);
    assert_true(pair.trace > 0.0);
    bl_noise_log_free(&log);
    bl_train_close(train);
}

/* The ways that do not stop, against all gradients kept. */
static void test_ways_are_those_of_the_gradients(void **state) {
    fixture *f = *state;
    enum { N = 5, SEEN = 19 };
    f->config.noise.window = N;
    bl_train *train = tiny_open(f, tiny_kernels(), 2);
    const size_t n = train->net.weights;
    double *g = bl_xalloc(SEEN * n * sizeof *g), missing = 1.0;
    double *m = bl_xalloc(n * sizeof *m), *v = bl_xalloc(n * sizeof *v);
    for (size_t s = 0; s < SEEN; s++) {
        tiny_step(train, INT64_MAX);
        assert_int_equal(train->progress.made, s + 1);
    }
    bl_noise_log log = read_log(train);
    bl_train_close(train);
    f->config.noise.share = 0.0; /* the same run, whose gradients stay */
    f->config.noise.window = 0;
    train = tiny_open(f, tiny_kernels(), 1);
    size_t at = 0;
    for (size_t s = 0; s < SEEN; s++) {
        tiny_step(train, INT64_MAX);
        double average_sq = 0.0, average_variance = 0.0, small = 0.0, big = 0.0;
        missing *= 1.0 - 1.0 / N;
        for (size_t i = 0; i < n; i++) {
            const double x = (double)train->net.gradient[i], off = x - m[i];
            g[s * n + i] = x;
            v[i] += (off * off - v[i]) / N;
            m[i] += off / N;
            average_sq += m[i] * m[i] / (1.0 - missing) / (1.0 - missing);
            average_variance += v[i] / (1.0 - missing);
        }
        if (train->now.step != (int64_t)s + 1) continue;
        const bl_noise_ways *w = &log.ways[at++];
        const size_t end = (s + 1) / N * N;
        for (size_t i = 0; end >= N && i < n; i++) {
            double sum = 0.0;
            for (size_t k = end - N; k < end; k++) {
                sum += g[k * n + i] / N;
                small += g[k * n + i] * g[k * n + i] / N;
            }
            big += sum * sum;
        }
        assert_true(w->step == train->now.step && w->batch == 32 && w->window == N);
        near(w->average_sq, average_sq, 1e-4);
        near(w->average_variance, average_variance, 1e-4);
        near(w->small_sq, small, 1e-4);
        near(w->big_sq, big, 1e-4);
    }
    assert_int_equal(at, log.way_count);
    assert_true(at > 3);
    free(g), free(m), free(v);
    bl_noise_log_free(&log);
    bl_train_close(train);
}

/* Another step is another permutation, and another seed, too. */
static void test_draws_are_fresh(void **state) {
    fixture *f = *state;
    f->config.train.learning_rate = 0.0;
    f->config.optimizer.weight_decay = 0.0;
    bl_train *train = run_to(f, STEPS);
    bl_noise_log log = read_log(train);
    assert_true(log.probes > 2);
    for (size_t i = 1; i < log.probes; i++)
        assert_true(log.probe[i].norms[0].level[0] != log.probe[i - 1].norms[0].level[0]);
    bl_noise_log_free(&log);
    bl_train_close(train);
}

/* ---- memory, and what cannot be ---- */

/* log2(K) + 1 gradients, one scale for Adam, three for products with the Hessian, and the blocks'
 * sums. */
static void test_memory_is_planned(void **state) {
    fixture *f = *state;
    size_t bytes[3];
    f->config.model.hidden.v[0] = 4096; /* large beside all roundings */
    probe_with(&f->config, 0.0, 16, 32);
    bl_train *train = tiny_open(f, tiny_kernels(), 1);
    const double gradient = (double)train->net.weights * sizeof(float);
    bl_train_close(train);
    CHECK_OK(bl_train_memory(&f->config, &f->data, NULL, &bytes[0], ERR));
    f->config.noise.share = 0.05;
    CHECK_OK(bl_train_memory(&f->config, &f->data, NULL, &bytes[1], ERR));
    f->config.noise.hessian = true;
    CHECK_OK(bl_train_memory(&f->config, &f->data, NULL, &bytes[2], ERR));
    near((double)(bytes[2] - bytes[1]) / gradient, 3, 0.02);
    f->config.noise.hessian = false;
    tiny_name(f->config.optimizer.name, "sgd");
    f->config.schedule.cycle_momentum = false;
    CHECK_OK(bl_train_memory(&f->config, &f->data, NULL, &bytes[2], ERR));
    near((double)(bytes[1] - bytes[0]) / gradient, 5 + 1 + 1, 0.02);
    f->config.noise.share = 0.0;
    CHECK_OK(bl_train_memory(&f->config, &f->data, NULL, &bytes[0], ERR));
    near((double)(bytes[2] - bytes[0]) / gradient, 5 + 1, 0.02);
}

static void test_refuses_more_rows_than_there_are(void **state) {
    fixture *f = *state;
    bl_err err;
    bl_train *train = NULL;
    const bl_train_options options = {.kernels = tiny_kernels()};
    probe_with(&f->config, 0.05, 64, 16); /* 1,024 of 700 */
    assert_int_equal(bl_train_open(&train, &f->config, &f->data, &options, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "1024"));
    f->config.noise.share = 0.0;
    CHECK_OK(bl_train_open(&train, &f->config, &f->data, &options, ERR));
    bl_train_close(train);
}

/* ---- a problem whose answer is known ---- */

static void quadratic(fixture *f, const char *optimizer, const char *expectation) {
    bl_config *c = &f->config;
    tiny_data_free(&f->data);
    bl_dataset_none(&f->data);
    tiny_quadratic_config(c, optimizer, expectation);
    c->quadratic.dimensions = 12;
    c->quadratic.replicas = 64;
    c->quadratic.noise = 3.0;
    c->quadratic.start = 2.0;
    c->train.batch_size = 8;
    c->train.learning_rate = 0.3;
    probe_with(c, 1.0, 2, 4);
    c->noise.hessian = true;
}

/* SGD on h_i = 1/i: E[theta_i^2] after t steps is a^(2t) (start - m) + m, a = 1 - rate h, m = rate
 * noise / (B (2 - rate h)). A probe of every step has |G|^2 = sum h^2 E[theta^2] and S = noise sum
 * h of it, to the last few bits; G^T H G and tr(H Sigma) have one h more. */
static void test_quadratic_in_closed_form(void **state) {
    fixture *f = *state;
    quadratic(f, "sgd", "exact");
    probe_with(&f->config, 1e9, 2, 4);
    bl_train *train = run_to(f, 40);
    bl_noise_log log = read_log(train);
    assert_int_equal(log.probes, 40);
    for (size_t t = 0; t < log.probes; t++) {
        const bl_noise_estimate e = bl_noise_estimate_of(&log.probe[t], 1, BL_NOISE_PLAIN);
        const bl_noise_estimate curved = bl_noise_estimate_of(&log.probe[t], 1, BL_NOISE_HESSIAN);
        double grad_sq = 0.0, trace = 0.0, along = 0.0, trace_along = 0.0;
        for (int i = 1; i <= 12; i++) {
            const double h = 1.0 / i, a = 1.0 - 0.3 * h, m = 0.3 * 3.0 / (8.0 * (2.0 - 0.3 * h));
            grad_sq += h * h * (pow(a, 2.0 * (double)(t + 1)) * (2.0 - m) + m);
            trace += 3.0 * h;
            along += h * h * h * (pow(a, 2.0 * (double)(t + 1)) * (2.0 - m) + m);
            trace_along += 3.0 * h * h;
        }
        near(curved.grad_sq.value, along, 1e-12);
        near(curved.trace.value, trace_along, 1e-12);
        near(curved.scale.value, trace_along / along, 1e-12);
        assert_true(bl_noise_probe_deviation(&log.probe[t], BL_NOISE_HESSIAN) < 1e-14);
        assert_int_equal(log.probe[t].step, t + 1);
        near(e.grad_sq.value, grad_sq, 1e-12);
        near(e.trace.value, trace, 1e-12);
        near(e.scale.value, trace / grad_sq, 1e-12);
        near(e.scale.high, trace / grad_sq, 1e-6);
        assert_true(bl_noise_probe_deviation(&log.probe[t], BL_NOISE_PLAIN) < 1e-14);
    }
    bl_noise_log_free(&log);
    bl_train_close(train);
}

/* The sampled version knows |G|^2 at its own weights, and S: the interval covers both. */
static void test_quadratic_samples(void **state) {
    fixture *f = *state;
    int in[4] = {0, 0, 0, 0}, probes = 0;
    quadratic(f, "adam", "sampled");
    f->config.train.learning_rate = 0.01;
    probe_with(&f->config, 1e9, 2, 32); /* each evaluation */
    bl_train *train = tiny_open(f, tiny_kernels(), 2);
    for (int64_t step = 1; step <= 200; step++) {
        double grad_sq = 0.0, trace = 0.0, along = 0.0, trace_along = 0.0;
        advance_to(train, step);
        for (size_t j = 0; j < train->net.weights; j++) {
            const double g = (double)train->net.weight[j] / (double)(j / 64 + 1);
            grad_sq += g * g / 64;
            along += g * g / (double)(j / 64 + 1) / 64;
        }
        for (int i = 1; i <= 12; i++) trace += 3.0 / i, trace_along += 3.0 / i / i;
        bl_noise_log log = read_log(train);
        const bl_noise_estimate e =
            bl_noise_estimate_of(&log.probe[log.probes - 1], 1, BL_NOISE_PLAIN);
        assert_int_equal(log.probes, step);
        assert_true(log.probe[0].norms[BL_NOISE_PRECONDITIONED].known);
        in[0] += e.grad_sq.low <= grad_sq && grad_sq <= e.grad_sq.high;
        in[1] += e.trace.low <= trace && trace <= e.trace.high;
        const bl_noise_estimate curved =
            bl_noise_estimate_of(&log.probe[log.probes - 1], 1, BL_NOISE_HESSIAN);
        in[2] += curved.grad_sq.low <= along && along <= curved.grad_sq.high;
        in[3] += curved.trace.low <= trace_along && trace_along <= curved.trace.high;
        probes++;
        bl_noise_log_free(&log);
    }
    print_message("covered: |G|^2 %d, S %d, with the Hessian %d and %d of %d\n", in[0], in[1],
                  in[2], in[3], probes);
    assert_in_range(in[0], probes * 90 / 100, probes);
    assert_in_range(in[1], probes * 90 / 100, probes);
    assert_in_range(in[2], probes * 90 / 100, probes);
    assert_in_range(in[3], probes * 90 / 100, probes);
    bl_train_close(train);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, tiny_teardown)
    const struct CMUnitTest tests[] = {CASE(test_the_run_does_not_know),
                                       CASE(test_threads_and_vector_units),
                                       CASE(test_restored_after_every_step),
                                       CASE(test_states_of_other_settings),
                                       CASE(test_schedule),
                                       CASE(test_norms_are_those_of_the_gradients),
                                       CASE(test_weights_come_back),
                                       CASE(test_products_are_those_of_the_hessian),
                                       CASE(test_least_squares_with_exact_hessian),
                                       CASE(test_all_rows_are_the_full_gradient),
                                       CASE(test_ways_are_those_of_the_gradients),
                                       CASE(test_draws_are_fresh),
                                       CASE(test_memory_is_planned),
                                       CASE(test_refuses_more_rows_than_there_are),
                                       CASE(test_quadratic_in_closed_form),
                                       CASE(test_quadratic_samples)};
    return cmocka_run_group_tests_name("noise_probe", tests, NULL, NULL);
}
