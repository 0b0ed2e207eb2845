/* A run: the same bytes however it is carried out, and it learns. */
#include "engine/base/mem.h"
#include "engine/data/sampler.h"
#include "engine/train/train.h"
#include "engine/train/workload.h"
#include "tests/check.h"
#include "tests/unit/tiny_run.h"
#include <math.h>

static void test_learns(void **state) {
    fixture *f = *state;
    bl_train *train = tiny_open(f, tiny_kernels(), 1);
    advance_to(train, 88);
    const double value = bl_train_now(train)->value;
    if (!(value < 0.25)) fail_msg("exp-RMSPE %g after 88 steps", value);
    assert_int_equal(bl_train_now(train)->step, 88);
    bl_train_close(train);
}

/* A fully connected net that tells three classes apart. */
static void use_classes(fixture *f) {
    tiny_data_free(&f->data);
    tiny_classes(&f->data, 3);
    (void)snprintf(f->config.model.kind, BL_NAME, "mlp");
    (void)snprintf(f->config.loss, BL_NAME, "cross_entropy");
    (void)snprintf(f->config.metric, BL_NAME, "error");
}

static void test_learns_classes(void **state) {
    fixture *f = *state;
    use_classes(f);
    bl_train *train = tiny_open(f, tiny_kernels(), 1);
    advance_to(train, 5);
    const double before = bl_train_now(train)->value;
    advance_to(train, 88);
    const double value = bl_train_now(train)->value;
    if (!(value < 0.1 && value < before))
        fail_msg("error %g after 5 steps, %g after 88", before, value);
    bl_train_close(train);
}

static void test_classes_log_is_the_same_everywhere(void **state) {
    fixture *f = *state;
    bl_buf first = {0};
    use_classes(f);
    f->config.label_smoothing = 0.1;
    tiny_log(f, bl_kernels_table[bl_kernels_count - 1], 1, 20, &first);
    for (size_t i = 0; i + 1 < bl_kernels_count; i++) {
        bl_buf again = {0};
        if (!bl_kernels_table[i]->usable()) continue;
        tiny_log(f, bl_kernels_table[i], i + 2, 20, &again);
        assert_string_equal(bl_buf_text(&first), bl_buf_text(&again));
        bl_buf_free(&again);
    }
    bl_buf_free(&first);
}

static void test_same_log_twice_and_at_any_thread_count(void **state) {
    static const size_t threads[] = {1, 2, 3, 7};
    bl_buf first = {0};
    tiny_log(*state, tiny_kernels(), 1, 20, &first);
    for (size_t i = 0; i < BL_COUNT(threads); i++) {
        bl_buf again = {0};
        tiny_log(*state, tiny_kernels(), threads[i], 20, &again);
        assert_string_equal(bl_buf_text(&first), bl_buf_text(&again));
        bl_buf_free(&again);
    }
    bl_buf_free(&first);
}

static void nobody_asks(void *ctx, size_t node, bool backward) {
    (void)ctx, (void)node, (void)backward;
}

/* By its next batch, of which the step is then not made. */
static bool is_updated_in_backward(bl_train *run) {
    assert_true(isfinite(run->workload->loss(run)));
    return run->updated;
}

/* Both runs, four steps: the one that is watched has gradients first, then the update. */
static void check_update(const fixture *f, const bl_kernels *kernels, size_t threads) {
    char got[BL_SHA256_HEX], expected[BL_SHA256_HEX];
    bl_train_watch watch = {.pass.done = nobody_asks};
    bl_train *in_turn = tiny_open(f, kernels, threads);
    bl_train *on_the_way = tiny_open(f, kernels, threads);
    size_t large = 0;
    for (size_t n = 0; n < in_turn->net.nodes; n++) large += bl_net_updates(&in_turn->net.node[n]);
    assert_int_equal(large, 1);
    in_turn->watch = &watch;
    for (int step = 0; step < 4; step++) {
        CHECK_OK(bl_train_steps(in_turn, 1, ERR));
        CHECK_OK(bl_train_steps(on_the_way, 1, ERR));
    }
    in_turn->watch = NULL;
    bl_train_params_digest(in_turn, expected);
    bl_train_params_digest(on_the_way, got);
    assert_string_equal(got, expected);
    for (size_t k = 0; k < in_turn->optim->states; k++)
        assert_memory_equal(on_the_way->state[k], in_turn->state[k],
                            in_turn->net.weights * sizeof(float));
    assert_true(is_updated_in_backward(on_the_way));
    bl_train_close(in_turn);
    bl_train_close(on_the_way);
}

/* Large layers at a few examples have their update in backward, strip by strip: with the same bytes
 * on every backend but the reference, which takes seconds, with any number of threads, and where
 * averages are kept. */
static void test_update_in_backward(void **state) {
    fixture *f = *state;
    use_classes(f);
    f->config.model.hidden = (bl_i64_list){
        .v = {713, 737},
          .n = 2
    };
    f->config.model.dropout.n = 0;
    f->config.train.batch_size = 5;
    (void)snprintf(f->config.eval.average, BL_NAME, "power");
    for (size_t i = 0; i + 1 < bl_kernels_count; i++) {
        const bl_kernels *kernels = bl_kernels_table[i];
        if (!kernels->usable()) continue;
        (void)snprintf(f->config.optimizer.name, BL_NAME, "momentum");
        check_update(f, kernels, 1 + i);
        (void)snprintf(f->config.optimizer.name, BL_NAME, "adamw");
        if (i == 0) check_update(f, kernels, 3);
    }
    /* Whoever reads the gradient as a whole has it: pieces, and estimates of its noise. */
    f->config.train.micro_batch = 2;
    bl_train *run = tiny_open(f, bl_kernels_table[0], 1);
    assert_false(is_updated_in_backward(run));
    bl_train_close(run);
    f->config.train.micro_batch = 0;
    f->config.noise.window = 3;
    f->config.noise.share = 0.5;
    f->config.noise.micro_batch = 4;
    f->config.noise.batches = 4;
    run = tiny_open(f, bl_kernels_table[0], 1);
    assert_non_null(run->ways.array);
    assert_false(is_updated_in_backward(run));
    bl_train_close(run);
}

static void test_same_log_on_every_backend(void **state) {
    bl_buf first = {0};
    tiny_log(*state, bl_kernels_table[bl_kernels_count - 1], 1, 20, &first);
    for (size_t i = 0; i + 1 < bl_kernels_count; i++) {
        bl_buf again = {0};
        if (!bl_kernels_table[i]->usable()) continue;
        tiny_log(*state, bl_kernels_table[i], 1, 20, &again);
        assert_string_equal(bl_buf_text(&first), bl_buf_text(&again));
        bl_buf_free(&again);
    }
    bl_buf_free(&first);
}

static void test_seed_and_rate_change_the_log(void **state) {
    fixture *f = *state;
    bl_buf a = {0}, b = {0}, c = {0};
    tiny_log(f, tiny_kernels(), 1, 5, &a);
    f->config.train.seed = 2;
    tiny_log(f, tiny_kernels(), 1, 5, &b);
    f->config.train.seed = 1;
    f->config.train.learning_rate = 0.02;
    tiny_log(f, tiny_kernels(), 1, 5, &c);
    /* Beyond the header, which names them. */
    assert_string_not_equal(strchr(bl_buf_text(&a), '\n'), strchr(bl_buf_text(&b), '\n'));
    assert_string_not_equal(strchr(bl_buf_text(&a), '\n'), strchr(bl_buf_text(&c), '\n'));
    bl_buf_free(&a), bl_buf_free(&b), bl_buf_free(&c);
}

static void test_saved_and_restored_after_every_step(void **state) {
    tiny_check_restored(*state, 13);
}

static void test_refuses_a_state_that_does_not_belong(void **state) {
    fixture *f = *state;
    bl_err err;
    bl_buf saved = {0};
    bl_train *train = tiny_open(f, tiny_kernels(), 1);
    advance_to(train, 5);
    const bl_buf *log = bl_train_log(train);
    CHECK_OK(bl_train_save(train, &saved, ERR));
    for (size_t i = 0; i < saved.len; i += 997) {
        saved.data[i] ^= 1;
        assert_int_not_equal(
            bl_train_restore(train, saved.data, saved.len, log->data, log->len, &err), BL_OK);
        saved.data[i] ^= 1;
    }
    for (size_t n = 0; n < saved.len; n += 997)
        assert_int_not_equal(bl_train_restore(train, saved.data, n, log->data, log->len, &err),
                             BL_OK);
    assert_int_equal(bl_train_restore(train, saved.data, saved.len, log->data, log->len - 1, &err),
                     BL_EMISMATCH);
    f->config.train.seed = 9;
    bl_train *other = tiny_open(f, tiny_kernels(), 1);
    assert_int_equal(bl_train_restore(other, saved.data, saved.len, log->data, log->len, &err),
                     BL_EMISMATCH);
    bl_train_close(other);
    bl_train_close(train);
    bl_buf_free(&saved);
}

static void test_restored_says_what_was_said(void **state) {
    const fixture *f = *state;
    bl_buf saved = {0};
    bl_train *train = tiny_open(f, tiny_kernels(), 1), *other = tiny_open(f, tiny_kernels(), 1);
    advance_to(train, 7);
    CHECK_OK(bl_train_save(train, &saved, ERR));
    const bl_buf *log = bl_train_log(train);
    CHECK_OK(bl_train_restore(other, saved.data, saved.len, log->data, log->len, ERR));
    const bl_train_state *a = bl_train_now(train), *b = bl_train_now(other);
    assert_int_equal(b->step, 7);
    assert_true(a->value == b->value && a->train_loss == b->train_loss);
    assert_true(!b->diverged);
    assert_string_equal(a->params_sha256, b->params_sha256);
    bl_train_close(train);
    bl_train_close(other);
    bl_buf_free(&saved);
}

/* Instruction sets differ in the bits of a NaN; digests must not. */
static void test_digest_knows_one_nan(void **state) {
    char digest[3][BL_SHA256_HEX];
    bl_train *train = tiny_open(*state, tiny_kernels(), 1);
    static const uint32_t bits[3] = {0x7fc00000, 0xffc00001, 0x3f800000};
    for (size_t i = 0; i < 3; i++) {
        memcpy(&train->net.weight[3], &bits[i], sizeof bits[i]);
        bl_train_params_digest(train, digest[i]);
    }
    assert_string_equal(digest[0], digest[1]);
    assert_string_not_equal(digest[0], digest[2]);
    bl_train_close(train);
}

static void test_evaluation_steps(void **state) {
    const fixture *f = *state;
    assert_int_equal(bl_train_next_eval(&f->config, 700, 0, 100), 5);
    assert_int_equal(bl_train_next_eval(&f->config, 700, 0, 3), 3);
    assert_int_equal(bl_train_next_eval(&f->config, 700, 5, 100), 7);
    assert_int_equal(bl_train_next_eval(&f->config, 700, 1, 100), 2);
    assert_int_equal(bl_train_next_eval(&f->config, 700, 80, 100), 88);
    assert_int_equal(bl_train_next_eval(&f->config, 700, 88, 100), 100);
    assert_int_equal(bl_train_next_eval(&f->config, 700, 80, 85), 85);
    assert_int_equal(bl_train_next_eval(&f->config, 700, INT64_MAX - 1, INT64_MAX), INT64_MAX);
}

/* Batch size only cuts the stream: 4 steps of 16 see the rows of 2 steps of 32. */
static void test_batches_are_nested(void **state) {
    (void)state;
    bl_sampler small, large;
    uint32_t a[64], b[64];
    bl_sampler_init(&small, 1, 50);
    bl_sampler_init(&large, 1, 50);
    for (uint64_t i = 0; i < 4; i++) bl_sampler_rows(&small, i * 16, 16, a + i * 16);
    for (uint64_t i = 0; i < 2; i++) bl_sampler_rows(&large, i * 32, 32, b + i * 32);
    assert_memory_equal(a, b, sizeof a);
}

static void test_batch_above_the_training_rows(void **state) {
    fixture *f = *state;
    f->config.train.batch_size = 2000;
    f->config.data.rows = 100;
    f->config.eval.first = 1;
    assert_int_equal(bl_train_epoch_rows(&f->config, &f->data), 100);
    bl_train *train = tiny_open(f, tiny_kernels(), 1);
    advance_to(train, 2);
    assert_true(isfinite(bl_train_now(train)->value));
    bl_train_close(train);
}

static void test_divergence_is_an_outcome(void **state) {
    fixture *f = *state;
    bl_buf first = {0}, ref = {0};
    (void)snprintf(f->config.optimizer.name, BL_NAME, "sgd");
    (void)snprintf(f->config.schedule.name, BL_NAME, "constant");
    (void)snprintf(f->config.model.output, BL_NAME, "linear");
    f->config.model.batch_norm = false;
    f->config.train.learning_rate = 1e6;
    bl_train *train = tiny_open(f, tiny_kernels(), 1);
    advance_to(train, 1000);
    assert_true(bl_train_now(train)->diverged);
    assert_true(isnan(bl_train_now(train)->value));
    assert_true(bl_train_now(train)->step < 1000);
    assert_non_null(strstr(bl_buf_text(bl_train_log(train)), "\"value\":null"));
    assert_non_null(strstr(bl_buf_text(bl_train_log(train)), "\"state\":\"nan\""));
    const size_t length = bl_train_log(train)->len;
    CHECK_OK(bl_train_advance(train, 1000, NULL, ERR)); /* says the same again */
    assert_int_equal(bl_train_log(train)->len, length);
    bl_train_close(train);
    tiny_log(f, tiny_kernels(), 1, 1000, &first);
    tiny_log(f, bl_kernels_table[bl_kernels_count - 1], 2, 1000, &ref);
    assert_string_equal(bl_buf_text(&first), bl_buf_text(&ref));
    bl_buf_free(&first), bl_buf_free(&ref);
}

static void test_memory_is_counted_and_its_lack_an_outcome(void **state) {
    fixture *f = *state;
    bl_err err;
    size_t small = 0, large = 0;
    bl_train *train = NULL;
    CHECK_OK(bl_train_memory(&f->config, &f->data, NULL, &small, ERR));
    f->config.train.batch_size = 4096;
    CHECK_OK(bl_train_memory(&f->config, &f->data, NULL, &large, ERR));
    assert_true(large > small && small > BL_KERNEL_SCRATCH);
    const bl_train_options options = {.kernels = tiny_kernels()};
    static const int64_t widths[] = {INT64_MAX, (int64_t)1 << 40, (int64_t)1 << 24};
    for (size_t i = 0; i < BL_COUNT(widths); i++) {
        f->config.model.hidden = (bl_i64_list){
            .v = {widths[i], widths[i]},
              .n = 2
        };
        assert_int_equal(bl_train_open(&train, &f->config, &f->data, &options, &err), BL_ENOMEM);
        assert_null(train);
    }
}

static void test_refuses_what_cannot_be(void **state) {
    fixture *f = *state;
    const fixture good = *f;
    const bl_train_options options = {.kernels = tiny_kernels()};
    bl_train *train = NULL;
    bl_err err;
#define REFUSES(change, word)                                                                      \
    do {                                                                                           \
        *f = good;                                                                                 \
        change;                                                                                    \
        assert_int_equal(bl_train_open(&train, &f->config, &f->data, &options, &err), BL_EINVAL);  \
        if (strstr(err.text, word) == NULL) fail_msg("\"%s\" lacks \"%s\"", err.text, word);       \
    } while (0)
    REFUSES(f->config.train.batch_size = 0, "train.batch_size");
    REFUSES(f->config.train.batch_size = 1 << 20, "to 1048536");
    REFUSES(f->config.loss[0] = 'x', "xse");
    REFUSES(f->config.metric[0] = 'x', "xxp_rmspe");
    REFUSES(f->config.optimizer.name[0] = 'x', "xdamw");
    REFUSES(f->config.schedule.name[0] = 'x', "xne_cycle");
    REFUSES(f->config.schedule.horizon_epochs = 0, "schedule.horizon_epochs");
    REFUSES(f->config.model.kind[0] = 'x', "xabular");
    REFUSES(f->config.model.output[0] = 'x', "xigmoid_range");
    REFUSES(f->config.model.dropout.n = 3, "3 rates for 2 hidden layers");
    REFUSES(f->config.model.embedding_dropout = 1.0, "dropout is 1");
    REFUSES(f->config.model.hidden.v[1] = 0, "model.hidden[1]");
    REFUSES(f->data.target_transform[0] = 'n', "logarithms");
    REFUSES(f->data.target_max = 0.1, "range");
    REFUSES(f->data.valid_rows = 0, "0 validation rows");
    REFUSES(strcpy(f->config.data.split, "test"), "0 test rows");
    REFUSES(f->config.data.crop = 2, "for pictures");
    REFUSES(f->config.data.flip = true, "for pictures");
    REFUSES(f->data.classes = 2,
            "loss mse is for numbers, but the target of data set tiny is a class");
    REFUSES(memcpy(f->config.loss, "cross_entropy", 14), "cross_entropy is for classes");
    REFUSES(memcpy(f->config.metric, "error", 6), "metric error is for classes");
#undef REFUSES
    *f = good;
}

/* One dense layer under full-batch gradient descent ends where the normal equations say. */
static void test_least_squares_is_solved(void **state) {
    fixture *f = *state;
    tiny_data_free(&f->data);
    tiny_data(&f->data, 0, 2);
    f->config.model.hidden.n = 0;
    f->config.model.dropout.n = 0;
    f->config.model.batch_norm = false;
    (void)snprintf(f->config.model.output, BL_NAME, "linear");
    (void)snprintf(f->config.optimizer.name, BL_NAME, "sgd");
    (void)snprintf(f->config.schedule.name, BL_NAME, "constant");
    f->config.optimizer.weight_decay = 0.0;
    f->config.train.learning_rate = 0.3;
    f->config.train.batch_size = (int64_t)f->data.train_rows;
    bl_train *train = tiny_open(f, tiny_kernels(), 1);
    advance_to(train, 100);

    /* At the minimum the residuals are orthogonal to every column and to the constant. */
    const float *w = train->net.weight + train->net.param[0].offset;
    const float bias = train->net.weight[train->net.param[1].offset];
    double sums[3] = {0.0, 0.0, 0.0};
    for (size_t i = 0; i < f->data.train_rows; i++) {
        const float *x = f->data.values + 2 * i;
        const double residual = (double)bias + (double)x[0] * (double)w[0] +
                                (double)x[1] * (double)w[1] - (double)f->data.target[i];
        sums[0] += residual;
        sums[1] += residual * (double)x[0];
        sums[2] += residual * (double)x[1];
    }
    for (size_t i = 0; i < 3; i++)
        if (!(fabs(sums[i]) < 1e-5 * (double)f->data.train_rows))
            fail_msg("normal equation %zu is off by %g", i, sums[i]);
    bl_train_close(train);
}

static void test_one_batch_is_learnt_by_heart(void **state) {
    fixture *f = *state;
    f->config.data.rows = f->config.train.batch_size = 32;
    f->config.model.embedding_dropout = 0.0;
    f->config.model.dropout.n = 0;
    f->config.optimizer.weight_decay = 0.0;
    (void)snprintf(f->config.schedule.name, BL_NAME, "constant");
    bl_train *train = tiny_open(f, tiny_kernels(), 1);
    advance_to(train, 200);
    if (!(bl_train_now(train)->train_loss < 1e-3))
        fail_msg("loss %g after 200 steps", bl_train_now(train)->train_loss);
    bl_train_close(train);
}

/* Pictures are shifted by their place in the stream, never for an evaluation, whose rows are those
 * of the split. */
static void test_pictures(void **state) {
    fixture *f = *state;
    enum { N = 6, FIRST = 690, COUNT = 5 };
    uint8_t *pixels = bl_xalloc(f->data.rows * N);
    for (size_t i = 0; i < f->data.rows * N; i++) pixels[i] = (uint8_t)(i * 31 >> 3);
    f->data.pixels = pixels;
    f->data.height = 2, f->data.width = 3, f->data.channels = 1, f->data.continuous = N;
    f->data.pixel_mean[0] = 100, f->data.pixel_scale[0] = 0.25f;
    f->data.valid_rows = 200, f->data.test_rows = 100;
    f->config.data.crop = 1;
    static const struct {
        const char *split;
        size_t first;
    } splits[] = {
        {"valid", 700},
        {"test",  900},
        {"train", 0  }
    };
    for (size_t s = 0; s < BL_COUNT(splits); s++) {
        strcpy(f->config.data.split, splits[s].split);
        bl_train *train = tiny_open(f, tiny_kernels(), 2);
        const bl_augment augment = {.seed = (uint64_t)f->config.train.seed, .crop = 1};
        bl_train_gather(train, BL_TRAIN_GATHER_STREAM, FIRST, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            float expected[N];
            const uint32_t row = bl_sampler_row(&train->sampler, FIRST + i);
            bl_picture_values(expected, &f->data, row, &augment, FIRST + i);
            assert_memory_equal(train->net.values + i * N, expected, sizeof expected);
        }
        bl_train_gather(train, BL_TRAIN_GATHER_EVAL, 3, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            float expected[N];
            bl_picture_values(expected, &f->data, splits[s].first + 3 + i, NULL, 0);
            assert_memory_equal(train->net.values + i * N, expected, sizeof expected);
        }
        bl_train_close(train);
    }
    free(pixels);
}

/* With 3 validation rows wanted out of 300, rows 0, 100 and 200 of them are taken. */
static void test_evaluation_rows_are_evenly_spaced(void **state) {
    fixture *f = *state;
    f->config.data.eval_rows = 3;
    bl_train *train = tiny_open(f, tiny_kernels(), 2);
    bl_train_gather(train, BL_TRAIN_GATHER_EVAL, 0, 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(train->rows[i], f->data.train_rows + 100 * i);
    for (size_t i = 0; i < 3; i++)
        assert_true(train->net.target[i] == f->data.target[f->data.train_rows + 100 * i]);
    assert_memory_equal(train->net.codes + 3, f->data.codes + 3 * (f->data.train_rows + 100),
                        3 * sizeof(uint16_t));
    bl_train_close(train);
}

static void no_batchnorm(fixture *f) {
    f->config.model.batch_norm = false;
    f->config.train.learning_rate = 0.002;
}

/* Micro-batches of 256 * 2^k give the whole batch's bytes: logs, digests, saved states, dropout
 * included; of another size they give the same numbers to rounding. */
static void test_pieces_are_the_whole_batch(void **state) {
    fixture *f = *state;
    static const int64_t aligned[] = {256, 512, 1024, 2048};
    bl_buf whole = {0};
    no_batchnorm(f);
    f->config.train.batch_size = 1900; /* the last piece is short, and not a block */
    tiny_log(f, tiny_kernels(), 1, 6, &whole);
    for (size_t i = 0; i < BL_COUNT(aligned); i++) {
        bl_buf pieces = {0};
        f->config.train.micro_batch = aligned[i];
        tiny_log(f, tiny_kernels(), 1 + i, 6, &pieces);
        assert_string_equal(bl_buf_text(&whole), bl_buf_text(&pieces));
        bl_buf_free(&pieces);
    }
    use_classes(f); /* another loss, another net */
    bl_buf classes = {0}, pieces = {0};
    f->config.train.micro_batch = 0;
    tiny_log(f, tiny_kernels(), 1, 6, &classes);
    f->config.train.micro_batch = 256;
    tiny_log(f, tiny_kernels(), 2, 6, &pieces);
    assert_string_equal(bl_buf_text(&classes), bl_buf_text(&pieces));
    bl_buf_free(&whole), bl_buf_free(&classes), bl_buf_free(&pieces);
}

static double loss_in_pieces(fixture *f, int64_t micro, bl_buf *log) {
    f->config.train.micro_batch = micro;
    bl_train *train = tiny_open(f, tiny_kernels(), 1);
    advance_to(train, 6);
    const double loss = bl_train_now(train)->train_loss;
    bl_buf_add(log, bl_train_log(train)->data, bl_train_log(train)->len);
    bl_train_close(train);
    return loss;
}

static void test_other_pieces_agree_to_rounding(void **state) {
    fixture *f = *state;
    bl_buf whole = {0}, pieces = {0};
    no_batchnorm(f);
    f->config.train.batch_size = 500;
    const double a = loss_in_pieces(f, 0, &whole), b = loss_in_pieces(f, 77, &pieces);
    assert_true(fabs(a / b - 1.0) < 1e-5);
    /* It is another run: its header says so. */
    assert_null(strstr(bl_buf_text(&whole), "micro_batch"));
    assert_non_null(strstr(bl_buf_text(&pieces), "\"train.micro_batch\":77"));
    bl_buf_free(&whole), bl_buf_free(&pieces);
}

/* Batch norm sees a piece at a time: another run, whatever the size of the pieces. */
static void test_pieces_under_batch_norm_are_another_run(void **state) {
    fixture *f = *state;
    bl_buf whole = {0}, pieces = {0};
    f->config.train.batch_size = 512;
    const double a = loss_in_pieces(f, 0, &whole), b = loss_in_pieces(f, 256, &pieces);
    assert_true(a != b);
    assert_non_null(strstr(bl_buf_text(&pieces), "\"train.micro_batch\":256"));
    bl_buf_free(&whole), bl_buf_free(&pieces);
}

static void test_pieces_take_less_memory(void **state) {
    fixture *f = *state;
    size_t whole = 0, pieces = 0;
    no_batchnorm(f);
    f->config.train.batch_size = 1 << 17;
    CHECK_OK(bl_train_memory(&f->config, &f->data, NULL, &whole, ERR));
    f->config.train.micro_batch = 256;
    CHECK_OK(bl_train_memory(&f->config, &f->data, NULL, &pieces, ERR));
    assert_true(pieces < whole / 8);
}

static void test_timing(void **state) {
    double seconds = 0.0;
    bl_train *train = tiny_open(*state, tiny_kernels(), 1);
    CHECK_OK(bl_train_time(train, 0.0, &seconds, ERR));
    assert_true(seconds > 0.0);
    bl_train_close(train);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, tiny_setup, tiny_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_learns),
        CASE(test_learns_classes),
        CASE(test_classes_log_is_the_same_everywhere),
        CASE(test_same_log_twice_and_at_any_thread_count),
        CASE(test_same_log_on_every_backend),
        CASE(test_update_in_backward),
        CASE(test_seed_and_rate_change_the_log),
        CASE(test_saved_and_restored_after_every_step),
        CASE(test_refuses_a_state_that_does_not_belong),
        CASE(test_restored_says_what_was_said),
        CASE(test_digest_knows_one_nan),
        CASE(test_evaluation_steps),
        CASE(test_batches_are_nested),
        CASE(test_batch_above_the_training_rows),
        CASE(test_divergence_is_an_outcome),
        CASE(test_memory_is_counted_and_its_lack_an_outcome),
        CASE(test_refuses_what_cannot_be),
        CASE(test_least_squares_is_solved),
        CASE(test_one_batch_is_learnt_by_heart),
        CASE(test_pictures),
        CASE(test_evaluation_rows_are_evenly_spaced),
        CASE(test_pieces_are_the_whole_batch),
        CASE(test_other_pieces_agree_to_rounding),
        CASE(test_pieces_under_batch_norm_are_another_run),
        CASE(test_pieces_take_less_memory),
        CASE(test_timing),
    };
    return cmocka_run_group_tests_name("train", tests, NULL, NULL);
}
