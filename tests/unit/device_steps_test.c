/* Steps of a device that are on their way while the host looks at others: an emulated device
 * carries its calls out as late as may be, so that whoever does not wait for them sees nothing of
 * them. */
#include "engine/base/mem.h"
#include "engine/data/sampler.h"
#include "kernels/device.h"
#include "tests/check.h"
#include "tests/unit/device_run.h"
#include "tests/unit/tiny_data.h"
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool emulated(void) {
    return strstr(getenv("BATCHLAB_CUDA"), "emulated") != NULL;
}

/* ---- a device that keeps the order of calls ---- */

static const bl_device *real;
static bl_device watched;
static char calls[256];
static size_t faulty; /* number of the wait that fails; 0: none */
static size_t replays;

static void keep_call(char what, size_t mark) {
    const size_t n = strlen(calls);
    if (n + 3 < sizeof calls) (void)snprintf(calls + n, 4, "%c%zu ", what, mark);
}

static void keep_mark(bl_queue *queue, size_t mark) {
    keep_call('m', mark);
    real->mark(queue, mark);
}

static bl_status keep_wait(bl_queue *queue, size_t mark, bl_err *err) {
    keep_call('w', mark);
    if (faulty > 0 && --faulty == 0) BL_FAIL(err, BL_EUNSUPPORTED, "the device is broken");
    return real->wait_for(queue, mark, err);
}

static void count_replay(bl_queue *queue, bl_recording *recording) {
    replays++;
    real->replay(queue, recording);
}

static void watch(fixture *f) {
    real = f->device_data.device;
    watched = *real;
    watched.replay = count_replay;
    replays = 0;
    watched.mark = keep_mark;
    watched.wait_for = keep_wait;
    f->device_data.device = &watched;
    calls[0] = '\0';
}

/* No evaluation before the end of 150 steps: five chunks. */
static void one_interval(fixture *f) {
    f->config.train.batch_size = 4;
    f->config.eval.first = 150;
}

/* ---- cases ---- */

static void test_a_chunk_ahead(void **state) {
    fixture *f = *state;
    watch(f);
    one_interval(f);
    check_run(f, 150);
    assert_string_equal(calls, "m0 m1 w0 m0 w1 m1 w0 m0 w1 w0 ");
}

/* A replay makes eight steps where so many are left in the chunk, and one where a step is made of
 * pieces. 150 steps are chunks of 32 and one of 22; the first step is made without a recording. */
static void test_steps_of_a_replay(void **state) {
    fixture *f = *state;
    watch(f);
    one_interval(f);
    check_run(f, 150);
    assert_int_equal(replays, (3 + 7) + 3 * 4 + (2 + 6));
    replays = 0;
    f->config.train.micro_batch = 2;
    check_run(f, 150);
    assert_int_equal(replays, 149);
}

static void test_without_pinned_memory(void **state) {
    fixture *f = *state;
    if (!emulated()) skip();
    watch(f);
    one_interval(f);
    (void)setenv("BL_EMULATED_PINNED", "0", 1);
    check_run(f, 150);
    (void)unsetenv("BL_EMULATED_PINNED");
    assert_string_equal(calls, "m0 w0 m1 w1 m0 w0 m1 w1 m0 w0 ");
}

/* What is not done late is done at once: the host may not count on either. */
static void test_at_once(void **state) {
    fixture *f = *state;
    (void)setenv("BL_EMULATED_STREAMS", "eager", 1);
    check_run(f, 150);
    one_interval(f);
    check_run(f, 150);
    (void)unsetenv("BL_EMULATED_STREAMS");
}

/* Probes between the steps: of Adam, of momentum alone, and of pictures. */
static void test_probes(void **state) {
    fixture *f = *state;
    f->config.noise.share = 0.5;
    f->config.noise.micro_batch = 8;
    f->config.noise.batches = 8;
    f->config.noise.hessian = true;
    bl_train *there = open_run(f, true);
    advance_to(there, 150);
    assert_non_null(strstr(bl_buf_text(bl_train_noise(there)), "\"preconditioned\""));
    assert_non_null(strstr(bl_buf_text(bl_train_noise(there)), "\"hessian\":{"));
    bl_train_close(there);
    check_run(f, 150);
    f->config.train.micro_batch = 8;
    check_run(f, 60);
    strcpy(f->config.optimizer.name, "momentum");
    check_run(f, 60);
    f->config.train.micro_batch = 0;
    uint8_t *pixels = make_convolutional(f, "resnet8", "batch");
    f->config.data.crop = 1;
    f->config.data.flip = true;
    check_run(f, 20);
    free(pixels);
}

/* Few rows are shuffled by another rule: the device follows it, over many epochs. */
static void test_few_rows(void **state) {
    fixture *f = *state;
    static const int64_t rows[] = {5, 37, 64, 65};
    for (size_t i = 0; i < BL_COUNT(rows); i++) {
        f->config.data.rows = rows[i];
        check_run(f, 60);
    }
    f->config.data.rows = 0;
}

/* The batch of step k alone holds a target that is no number, here and on the device. */
static void poison(fixture *f, uint64_t k) {
    const bl_device *device = f->device_data.device;
    bl_sampler sampler;
    bl_sampler_init(&sampler, (uint64_t)f->config.train.seed, f->data.train_rows);
    ((float *)f->data.target)[bl_sampler_row(&sampler, k * 4 + 1)] = NAN;
    bl_train_device_data_close(&f->device_data);
    CHECK_OK(bl_train_device_data_open(&f->device_data, device, &f->data, ERR));
}

/* At the ends of chunks and between: steps of the same chunk and of the one behind it, which are on
 * their way, change nothing. */
static void test_divergence_in_every_chunk(void **state) {
    fixture *f = *state;
    static const uint64_t at[] = {149, 127, 100, 64, 50, 32, 31, 0}; /* each before the last */
    one_interval(f);
    for (size_t i = 0; i < BL_COUNT(at); i++) {
        poison(f, at[i]);
        check_run(f, 150);
        bl_train *here = open_run(f, false);
        advance_to(here, 150);
        assert_int_equal(bl_train_now(here)->step, at[i] + 1);
        bl_train_close(here);
    }
}

/* Whatever a run had is replaced, also that it has diverged. */
static void test_restored_behind_divergence(void **state) {
    fixture *f = *state;
    bl_buf saved = {0}, log = {0};
    one_interval(f);
    poison(f, 40);
    bl_train *whole = open_run(f, false), *train = open_run(f, true);
    CHECK_OK(bl_train_save(train, &saved, ERR));
    bl_buf_add(&log, bl_train_log(train)->data, bl_train_log(train)->len);
    advance_to(whole, 150);
    advance_to(train, 150);
    assert_true(bl_train_now(train)->diverged);
    CHECK_OK(bl_train_restore(train, saved.data, saved.len, (char *)log.data, log.len, ERR));
    advance_to(train, 150);
    check_same(whole, train);
    bl_train_close(whole);
    bl_train_close(train);
    bl_buf_free(&saved);
    bl_buf_free(&log);
}

static bool always(void *ctx) {
    (void)ctx;
    return true;
}

/* Saved wherever it pauses, restored into another run: the log of a run that was left alone. */
static void test_paused(void **state) {
    fixture *f = *state;
    const bl_train_pause pause = {.due = always};
    size_t pauses = 0;
    f->config.train.batch_size = 4;
    f->config.eval.first = 70;
    f->config.eval.growth = 2.5;
    bl_train *whole = open_run(f, false), *train = open_run(f, true);
    advance_to(whole, 175);
    while (bl_train_now(train)->step < 175) {
        bl_buf saved = {0};
        bl_err err = {0};
        const bl_status status = bl_train_advance(train, 175, &pause, &err);
        if (status != BL_OK) assert_int_equal(status, BL_EINTERRUPTED);
        pauses += status != BL_OK;
        CHECK_OK(bl_train_save(train, &saved, ERR));
        bl_train *other = open_run(f, true);
        const bl_buf *log = bl_train_log(train);
        CHECK_OK(
            bl_train_restore(other, saved.data, saved.len, (const char *)log->data, log->len, ERR));
        bl_buf_free(&saved);
        bl_train_close(train);
        train = other;
    }
    assert_true(pauses >= 2);
    check_same(whole, train);
    bl_train_close(whole);
    bl_train_close(train);
}

/* A device that fails with a chunk on its way: the run ends with the fault, and nothing of it is
 * saved as if it were a state of the run. */
static void test_fault(void **state) {
    fixture *f = *state;
    bl_buf saved = {0};
    bl_err err = {0};
    watch(f);
    one_interval(f);
    bl_train *train = open_run(f, true);
    faulty = 2;
    assert_int_equal(bl_train_advance(train, 150, NULL, &err), BL_EUNSUPPORTED);
    assert_string_equal(err.text, "the device is broken");
    assert_int_equal(bl_train_save(train, &saved, &err), BL_EUNSUPPORTED);
    assert_string_equal(err.text, "the device is broken");
    bl_train_close(train);
    bl_buf_free(&saved);
}

/* Why a layer that forgets that its memory is a device's, and loops over it, does not pass
 * device_test. */
static void test_the_host_cannot_touch_it(void **state) {
    fixture *f = *state;
    if (!emulated()) skip();
    for (int writes = 0; writes < 2; writes++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            volatile float *at = f->device_data.target;
            (void)signal(SIGSEGV, SIG_DFL);
            (void)close(STDERR_FILENO);
            if (writes) at[0] = 1.0f;
            _exit(!writes && isnan(at[0])); /* which it is not */
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(status != 0);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, device_setup, device_teardown)

/* device_steps_test [PATTERN]: only cases whose names match. */
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        CASE(test_a_chunk_ahead),
        CASE(test_steps_of_a_replay),
        CASE(test_without_pinned_memory),
        CASE(test_at_once),
        CASE(test_probes),
        CASE(test_few_rows),
        CASE(test_divergence_in_every_chunk),
        CASE(test_restored_behind_divergence),
        CASE(test_paused),
        CASE(test_fault),
        CASE(test_the_host_cannot_touch_it),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("device steps", tests, NULL, NULL);
}
