/* A batch in pieces (train.micro_batch): the bytes of the whole batch where nothing can tell the
 * difference, the same numbers to rounding elsewhere, and a run's id that knows which. */
#include "engine/base/mem.h"
#include "engine/config/ghost.h"
#include "engine/train/run.h"
#include "engine/train/train.h"
#include "kernels/kernel.h"
#include "tests/check.h"
#include "tests/unit/tiny_run.h"
#include <math.h>

static int setup_pictures(void **state) {
    fixture *f = bl_xalloc(sizeof *f);
    tiny_pictures(&f->data, 3);
    tiny_picture_config(&f->config, "simple_cnn");
    *state = f;
    return 0;
}

static void set(fixture *f, const char *key, const char *value) {
    CHECK_OK(bl_config_set(&f->config, key, value, ERR));
}

enum { STEPS = 3 };

/* The log after STEPS steps and the mean of their losses. */
static double log_of(fixture *f, int64_t batch, int64_t micro, size_t threads, bl_buf *log) {
    bl_train_options options = {.run_id = "0123456789ab", .threads = threads};
    bl_train *train = NULL;
    f->config.train.batch_size = batch;
    f->config.train.micro_batch = micro;
    f->config.eval.first = 1;
    CHECK_OK(bl_kernels_pick(&options.kernels, ERR));
    CHECK_OK(bl_train_open(&train, &f->config, &f->data, &options, ERR));
    double loss = 0.0;
    while (bl_train_now(train)->step < STEPS) {
        CHECK_OK(bl_train_advance(train, STEPS, NULL, ERR));
        loss += bl_train_now(train)->train_loss;
    }
    bl_buf_add(log, bl_train_log(train)->data, bl_train_log(train)->len);
    bl_train_close(train);
    return loss;
}

static bool names_pieces(const bl_buf *log) {
    return strstr(bl_buf_text(log), "\"train.micro_batch\"") != NULL;
}

/* Byte for byte the whole batch's log, header included. */
static void check_same(fixture *f, int64_t batch, int64_t micro, size_t threads) {
    bl_buf whole = {0}, pieces = {0};
    (void)log_of(f, batch, 0, 1, &whole);
    (void)log_of(f, batch, micro, threads, &pieces);
    if (strcmp(bl_buf_text(&whole), bl_buf_text(&pieces)) != 0)
        fail_msg("%s, norm %s: %lld in pieces of %lld", f->config.model.kind, f->config.model.norm,
                 (long long)batch, (long long)micro);
    assert_false(names_pieces(&pieces));
    bl_buf_free(&whole), bl_buf_free(&pieces);
}

/* Another run, whose losses agree to `tolerance`. */
static void check_other(fixture *f, int64_t batch, int64_t micro, double tolerance) {
    bl_buf whole = {0}, pieces = {0};
    const double a = log_of(f, batch, 0, 1, &whole), b = log_of(f, batch, micro, 1, &pieces);
    if (!(fabs(a / b - 1.0) <= tolerance))
        fail_msg("%s, norm %s: %lld in pieces of %lld: %.9g and %.9g", f->config.model.kind,
                 f->config.model.norm, (long long)batch, (long long)micro, a, b);
    assert_string_not_equal(bl_buf_text(&whole), bl_buf_text(&pieces));
    assert_true(names_pieces(&pieces));
    bl_buf_free(&whole), bl_buf_free(&pieces);
}

/* Convolutions, pooling, residual blocks, dropout, crops and flips; last pieces that are short. */
static void test_whole_blocks(void **state) {
    fixture *f = *state;
    static const char *const kinds[] = {"simple_cnn", "resnet8"};
    for (size_t k = 0; k < BL_COUNT(kinds); k++) {
        set(f, "model.kind", kinds[k]);
        check_same(f, 1100, 256, 2);
        check_same(f, 1100, 512, 1);
        check_same(f, 1100, 1024, 3);
    }
}

static void test_other_sizes(void **state) {
    fixture *f = *state;
    static const char *const kinds[] = {"simple_cnn", "resnet8"};
    for (size_t k = 0; k < BL_COUNT(kinds); k++) {
        set(f, "model.kind", kinds[k]);
        check_other(f, 600, 100, 1e-5);
        check_other(f, 600, 300, 1e-5);
        check_other(f, 600, 257, 1e-5);
    }
}

static void test_ghost_norm(void **state) {
    fixture *f = *state;
    static const struct {
        int64_t batch, micro;
        const char *ghost;
    } same[] = {
        {1024, 256, "64" },
        {1024, 512, "128"},
        {768,  256, "32" }, /* the last subtree is a half */
        {1408, 512, "64" }, /* the last piece is short */
        {512,  256, "70" }, /* 8 chunks of 64 either way */
        {512,  256, "256"},
        {512,  256, "300"}, /* 2 chunks of 256 */
    };
    set(f, "model.kind", "resnet8");
    set(f, "model.norm", "ghost");
    for (size_t i = 0; i < BL_COUNT(same); i++) {
        set(f, "model.ghost_size", same[i].ghost);
        check_same(f, same[i].batch, same[i].micro, 1 + i % 3);
    }
}

/* Chunks that are cut elsewhere: the statistics of other examples, and another run. */
static void test_ghost_norm_elsewhere(void **state) {
    fixture *f = *state;
    static const struct {
        int64_t batch, micro;
        const char *ghost;
    } other[] = {
        {1000, 256, "64" }, /* chunks of 63 and 62 examples */
        {512,  256, "48" },
        {512,  256, "600"}, /* a chunk larger than the pieces */
        {512,  128, "64" }, /* the same chunks, but pieces that are no blocks */
    };
    set(f, "model.kind", "resnet8");
    set(f, "model.norm", "ghost");
    for (size_t i = 0; i < BL_COUNT(other); i++) {
        set(f, "model.ghost_size", other[i].ghost);
        check_other(f, other[i].batch, other[i].micro, 0.2);
    }
}

/* Batch norm in pieces is ghost batch norm with the pieces for chunks, running statistics and all.
 */
static void test_batch_norm(void **state) {
    fixture *f = *state;
    bl_buf pieces = {0}, ghost = {0};
    set(f, "model.kind", "resnet8");
    set(f, "model.norm", "batch");
    (void)log_of(f, 1024, 256, 2, &pieces);
    assert_true(names_pieces(&pieces));
    set(f, "model.norm", "ghost");
    set(f, "model.ghost_size", "256");
    (void)log_of(f, 1024, 0, 1, &ghost);
    assert_string_equal(strchr(bl_buf_text(&pieces), '\n'), strchr(bl_buf_text(&ghost), '\n'));
    bl_buf_free(&pieces), bl_buf_free(&ghost);
}

/* The first step's running mean of an input is a tenth of its mean over all pieces, not more. */
static void test_one_average_a_step(void **state) {
    fixture *f = *state;
    enum { BATCH = 600, MICRO = 200 };
    bl_train_options options = {.run_id = "0123456789ab"};
    bl_train *train = NULL;
    f->config.train.batch_size = BATCH;
    f->config.train.micro_batch = MICRO;
    f->config.eval.first = 1;
    CHECK_OK(bl_kernels_pick(&options.kernels, ERR));
    CHECK_OK(bl_train_open(&train, &f->config, &f->data, &options, ERR));
    CHECK_OK(bl_train_advance(train, 1, NULL, ERR));
    double mean = 0.0;
    uint32_t row[BATCH];
    bl_sampler_rows(&train->sampler, 0, BATCH, row);
    for (size_t i = 0; i < BATCH; i++)
        mean += (double)f->data.values[row[i] * f->data.continuous] / BATCH;
    for (size_t i = 0; i < train->net.params; i++) {
        const bl_param *p = &train->net.param[i];
        if (strstr(p->name, "running_mean") == NULL || p->cols != f->data.continuous) continue;
        const double running = (double)train->net.running[p->offset];
        if (!(fabs(running - 0.1 * mean) < 1e-6)) fail_msg("%g, a tenth of %g", running, mean);
        bl_train_close(train);
        return;
    }
    fail_msg("no running mean of the inputs");
}

/* bl_ghost_same_chunks against the chunks themselves. */
static void test_same_chunks(void **state) {
    (void)state;
    enum { MOST = 48 };
    for (size_t batch = 2; batch <= MOST; batch++)
        for (size_t piece = 1; piece < batch; piece++)
            for (size_t size = 2; size <= MOST; size++) {
                const size_t chunks = bl_ghost_chunks(batch, size);
                size_t c = 0;
                bool same = true;
                for (size_t at = 0; at < batch; at += piece) {
                    const size_t count = bl_size_min(piece, batch - at);
                    const size_t own = bl_ghost_chunks(count, size);
                    for (size_t i = 0; i < own; i++, c++)
                        same =
                            same && c < chunks &&
                            at + bl_chunk_begin(count, own, i) == bl_chunk_begin(batch, chunks, c);
                }
                same = same && c == chunks;
                const bool said = bl_ghost_same_chunks(batch, piece, size);
                if (said && !same)
                    fail_msg("%zu in pieces of %zu by %zu: other chunks", batch, piece, size);
                if (same && !said && batch % chunks == 0)
                    fail_msg("%zu in pieces of %zu by %zu: the same chunks", batch, piece, size);
            }
}

#define PICTURES(name) cmocka_unit_test_setup_teardown(name, setup_pictures, tiny_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        PICTURES(test_whole_blocks),
        PICTURES(test_other_sizes),
        PICTURES(test_ghost_norm),
        PICTURES(test_ghost_norm_elsewhere),
        PICTURES(test_batch_norm),
        cmocka_unit_test_setup_teardown(test_one_average_a_step, tiny_setup, tiny_teardown),
        cmocka_unit_test(test_same_chunks),
    };
    return cmocka_run_group_tests_name("pieces", tests, NULL, NULL);
}
