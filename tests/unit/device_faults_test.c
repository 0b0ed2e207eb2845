/* What a device does when something is wrong: calls that fail, cards that are too old or that are
 * several, calls that a recording cannot hold, queues that are kept for the next run. Only the
 * emulated device can be told to fail (BL_EMULATED_FAIL, tests/cuda/runtime.cc); on another all of
 * this is skipped. */
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "tests/check.h"
#include "tests/unit/device_run.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS = 36 }; /* more than a chunk */

static bool is_emulated(void) {
    return strstr(getenv("BATCHLAB_CUDA"), "emulated") != NULL;
}

/* Cards that no test has used have no idle queues. */
static const bl_device *fresh_card(void) {
    static int next = 1;
    char name[16];
    const bl_device *device;
    (void)setenv("BL_EMULATED_DEVICES", "64", 1);
    (void)snprintf(name, sizeof name, "cuda:%d", next++);
    CHECK_OK(bl_device_open(&device, name, ERR));
    return device;
}

/* A whole run on a card: data set, steps in chunks, an evaluation, a saved state. `sha256` is of
 * its log and state. */
static bl_status job(const fixture *f, const bl_device *device, char sha256[BL_SHA256_HEX],
                     bl_err *err) {
    fixture there = *f;
    bl_train_options options = {.run_id = "0123456789ab", .device_data = &there.device_data};
    bl_train *train = NULL;
    bl_buf saved = {0};
    bl_sha256 sum;
    bl_status status;
    BL_GOTO(bl_kernels_pick(&options.kernels, err));
    BL_GOTO(bl_train_device_data_open(&there.device_data, device, &f->data, err));
    BL_GOTO(bl_train_open(&train, &f->config, &f->data, &options, err));
    while (bl_train_now(train)->step < STEPS) BL_GOTO(bl_train_advance(train, STEPS, NULL, err));
    BL_GOTO(bl_train_save(train, &saved, err));
    bl_sha256_init(&sum);
    bl_sha256_update(&sum, bl_train_log(train)->data, bl_train_log(train)->len);
    bl_sha256_update(&sum, saved.data, saved.len);
    bl_sha256_hex(&sum, sha256);
done:
    bl_train_close(train);
    bl_train_device_data_close(&there.device_data);
    bl_buf_free(&saved);
    return status;
}

/* What a failure's message has to hold. */
typedef struct failing {
    const char *name, *says;
    bool harmless; /* the run may go on: it frees, or has another way */
} failing;

static const failing k_exact[] = {
    {"cudaSetDevice",             "CUDA: ",                    true },
    {"cudaMalloc",                "cudaMalloc",                false},
    {"cudaFree",                  "",                          true },
    {"cudaMallocHost",            "",                          true },
    {"cudaFreeHost",              "",                          true },
    {"cudaStreamCreateWithFlags", "cudaStreamCreateWithFlags", false},
    {"cudaEventCreateWithFlags",  "cudaEventCreateWithFlags",  false},
    {"cudaEventRecord",           "a mark",                    false},
    {"cudaEventSynchronize",      "BATCHLAB_CUDA_CHECK=1",     false},
    {"cudaStreamSynchronize",     "",                          true },
    {"cudaMemcpyAsync",           "a copy of ",                false},
    {"cudaMemsetAsync",           "clearing ",                 false},
    {"cudaStreamBeginCapture",    "cudaStreamBeginCapture",    false},
    {"cudaStreamEndCapture",      "cudaStreamEndCapture",      false},
    {"cudaGraphInstantiate",      "cudaGraphInstantiate",      false},
    {"cudaGraphLaunch",           "a recorded step",           false},
    {"launch",                    "kernel ",                   false},
};
static const failing k_device[] = {
    {"cublasLtCreate",      "cuBLASLt does not start on this device: status 13 (as the emulated", false},
    {"cublasLtMatmul",      "status 13 (as the emulated cuBLASLt puts it), product ",             false},
    {"cudnnCreate",         "cuDNN does not start on this device: status 5000 (as the emulated",  false},
    {"cudnnSetStream",      "its last words",                                                     false},
    {"cudnnBackendExecute", "groups 1: cuDNN engine 3",                                           false},
};

/* The N-th call of the name fails. False: there are not so many. */
static bool fails(const fixture *f, const bl_device *device, const failing *x, size_t n,
                  const char *wanted) {
    char text[64], sha256[BL_SHA256_HEX];
    bl_err err = {0};
    (void)snprintf(text, sizeof text, "%s:%zu", x->name, n);
    (void)unsetenv("BL_EMULATED_FAILED");
    (void)setenv("BL_EMULATED_FAIL", text, 1);
    const bl_status status = job(f, device, sha256, &err);
    const bool failed = getenv("BL_EMULATED_FAILED") != NULL;
    (void)unsetenv("BL_EMULATED_FAIL");
    if (status == BL_OK && strcmp(sha256, wanted) != 0) fail_msg("%s: other bits", text);
    if (failed && status == BL_OK && !x->harmless) fail_msg("%s: the run goes on", text);
    if (status != BL_OK && strstr(err.text, x->says) == NULL)
        fail_msg("%s says '%s', not '%s'", text, err.text, x->says);
    if (status != BL_OK && status != BL_EUNSUPPORTED)
        fail_msg("%s: %s", text, bl_status_name(status));
    /* The card is as good as before. */
    if (failed) {
        CHECK_OK(job(f, device, sha256, ERR));
        assert_string_equal(sha256, wanted);
    }
    return failed;
}

static void fail_each(const fixture *f, const failing *list, size_t count) {
    char wanted[BL_SHA256_HEX];
    CHECK_OK(job(f, fresh_card(), wanted, ERR));
    for (size_t i = 0; i < count; i++) {
        const bl_device *device = fresh_card();
        size_t n = 1;
        while (n < 200 && fails(f, device, &list[i], n, wanted)) n = 5 * n + 1;
        if (n == 1) fail_msg("%s is never called", list[i].name);
    }
}

static void test_every_call_fails(void **state) {
    if (!is_emulated()) skip();
    fail_each(*state, k_exact, BL_COUNT(k_exact));
}

static void test_every_library_call_fails(void **state) {
    fixture *f = *state;
    if (!is_emulated()) skip();
    uint8_t *pixels = make_convolutional(f, "simple_cnn", "none");
    strcpy(f->config.numerics, "device");
    strcpy(f->config.computed_by, "a device");
    strcpy(f->config.precision, "fp32");
    f->config.loss_scale = 1.0;
    f->config.train.batch_size = 2;
    fail_each(f, k_device, BL_COUNT(k_device));
    free(pixels);
}

/* Under BATCHLAB_CUDA_CHECK=1 every launch is waited for: the same bits. */
static void test_check(void **state) {
    fixture *f = *state;
    char plain[BL_SHA256_HEX], checked[BL_SHA256_HEX];
    if (!is_emulated()) skip();
    const bl_device *device = fresh_card();
    CHECK_OK(job(f, device, plain, ERR));
    (void)setenv("BATCHLAB_CUDA_CHECK", "1", 1);
    const bl_status status = job(f, device, checked, ERR);
    (void)unsetenv("BATCHLAB_CUDA_CHECK");
    assert_int_equal(status, BL_OK);
    assert_string_equal(plain, checked);
}

/* Two cards in one process: each run stays on its own, whichever was opened last and whichever
 * thread it is on. */
static void test_two_cards(void **state) {
    fixture *f = *state;
    if (!is_emulated()) skip();
    const bl_device *first = fresh_card(), *second = fresh_card(), *again;
    char sha256[2][BL_SHA256_HEX];
    bl_queue *queue[2];
    void *memory[2];
    bl_err err = {0};
    assert_ptr_not_equal(first, second);
    assert_string_not_equal(first->pci_address, second->pci_address);
    const size_t before[] = {first->available(first), second->available(second)};
    CHECK_OK(first->queue_open(first, &queue[0], ERR));
    CHECK_OK(second->queue_open(second, &queue[1], ERR));
    CHECK_OK(first->alloc(first, &memory[0], 1000, ERR));
    CHECK_OK(second->alloc(second, &memory[1], 3000, ERR));
    assert_int_equal(before[0] - first->available(first), first->queue_bytes + 1000);
    assert_int_equal(before[1] - second->available(second), second->queue_bytes + 3000);
    /* A kernel on each in turn: on another card than its stream's it would fail. */
    for (size_t i = 0; i < 4; i++) {
        const bl_part part = {.parts = 1, .queue = queue[i % 2]};
        const bl_relu_forward relu = {.y = memory[i % 2], .x = memory[i % 2], .count = 250};
        first->kernels->relu_forward(&relu, &part);
    }
    CHECK_OK(first->wait(queue[0], ERR));
    CHECK_OK(second->wait(queue[1], ERR));
    for (size_t i = 0; i < 2; i++) {
        const bl_device *d = i == 0 ? first : second;
        d->release(d, memory[i]);
        d->queue_close(queue[i]);
        CHECK_OK(job(f, d, sha256[i], ERR));
    }
    assert_string_equal(sha256[0], sha256[1]);
    CHECK_OK(bl_device_open(&again, "cuda:0", ERR));
    assert_ptr_equal(again, f->device_data.device);
    assert_int_equal(bl_device_open(&again, "cuda:64", &err), BL_EUNSUPPORTED);
}

static void test_old_card(void **state) {
    (void)state;
    const bl_device *device;
    bl_err err = {0};
    if (!is_emulated()) skip();
    (void)setenv("BL_EMULATED_DEVICES", "64", 1);
    (void)setenv("BL_EMULATED_CAPABILITY", "75", 1);
    const bl_status status = bl_device_open(&device, "cuda:63", &err);
    (void)unsetenv("BL_EMULATED_CAPABILITY");
    assert_int_equal(status, BL_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "compute capability 7.5"));
    CHECK_OK(bl_device_open(&device, "cuda:63", ERR));
}

/* A closed queue serves the next run and counts as free memory; where memory is short it goes. */
static void test_idle_queues(void **state) {
    (void)state;
    if (!is_emulated()) skip();
    const bl_device *d = fresh_card();
    const size_t all = d->available(d);
    bl_queue *first, *second;
    void *memory;
    bl_err err = {0};
    CHECK_OK(d->queue_open(d, &first, ERR));
    d->queue_close(first);
    assert_int_equal(d->available(d), all);
    CHECK_OK(d->queue_open(d, &second, ERR));
    assert_ptr_equal(first, second);
    assert_int_equal(d->available(d), all - d->queue_bytes);
    d->queue_close(second);
    CHECK_OK(d->alloc(d, &memory, all - 1000, ERR)); /* gives the idle queue up */
    assert_int_equal(d->alloc(d, &memory, all, &err), BL_ENOMEM);
}

/* A second run of the same shapes brings its plans along, and names the same algorithms. */
static void test_plans_are_kept(void **state) {
    fixture *f = *state;
    char first[BL_SHA256_HEX], second[BL_SHA256_HEX];
    if (!is_emulated()) skip();
    const bl_device *device = fresh_card();
    strcpy(f->config.numerics, "device");
    strcpy(f->config.computed_by, "a device");
    strcpy(f->config.precision, "fp32");
    f->config.loss_scale = 1.0;
    CHECK_OK(job(f, device, first, ERR));
    f->config.train.batch_size *= 2; /* other shapes in between */
    CHECK_OK(job(f, device, second, ERR));
    assert_string_not_equal(first, second);
    f->config.train.batch_size /= 2;
    (void)unsetenv("BL_EMULATED_FAILED");
    (void)setenv("BL_EMULATED_FAIL", "cublasLtMatmulAlgoGetHeuristic:1", 1);
    CHECK_OK(job(f, device, second, ERR));
    (void)unsetenv("BL_EMULATED_FAIL");
    assert_null(getenv("BL_EMULATED_FAILED")); /* nothing was asked for anew */
    assert_string_equal(first, second);
}

/* What a recording cannot hold spoils it, and the message is of the call, not of the recording. */
static void test_recording(void **state) {
    (void)state;
    if (!is_emulated()) skip();
    const bl_device *d = fresh_card();
    bl_queue *queue;
    bl_recording *recording;
    void *memory, *other;
    float here[4] = {0};
    bl_err err = {0};
    CHECK_OK(d->queue_open(d, &queue, ERR));
    CHECK_OK(d->alloc(d, &memory, sizeof here, ERR));
    CHECK_OK(d->record_begin(queue, ERR));
    assert_int_not_equal(d->alloc(d, &other, 16, &err), BL_OK);
    assert_int_equal(d->record_end(queue, &recording, &err), BL_EUNSUPPORTED);
    assert_null(recording);
    assert_non_null(strstr(err.text, "previous error during capture"));
    d->queue_close(queue);
    CHECK_OK(d->queue_open(d, &queue, ERR));
    CHECK_OK(d->record_begin(queue, ERR));
    d->put(queue, memory, here, sizeof here); /* not pinned */
    assert_int_equal(d->record_end(queue, &recording, &err), BL_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "a copy of 16 bytes to the device"));
    d->queue_close(queue);
    d->release(d, memory);
}

/* A grid that no card takes: the kernel is named. */
static void test_grid(void **state) {
    (void)state;
    if (!is_emulated()) skip();
    const bl_device *d = fresh_card();
    bl_queue *queue;
    bl_err err = {0};
    CHECK_OK(d->queue_open(d, &queue, ERR));
    const bl_part part = {.parts = 1, .queue = queue};
    const bl_relu_forward relu = {.count = (size_t)1 << 40}; /* 2^32 blocks: none */
    d->kernels->relu_forward(&relu, &part);
    assert_int_equal(d->wait(queue, &err), BL_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "kernel relu_forward, grid 0 x 1 x 1 of 256 threads"));
    assert_non_null(strstr(err.text, "invalid configuration"));
    d->queue_close(queue);
}

/* A kernel that reads behind its array ends the program at once, rather than to hang in it. */
static void test_kernel_beside_its_array(void **state) {
    (void)state;
    if (!is_emulated()) skip();
    const bl_device *d = fresh_card();
    int status = 0;
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        bl_queue *queue;
        void *memory;
        (void)alarm(60);
        (void)freopen("/dev/null", "w", stderr);
        if (d->queue_open(d, &queue, NULL) != BL_OK || d->alloc(d, &memory, 1024, NULL) != BL_OK)
            _exit(2);
        const bl_part part = {.parts = 1, .queue = queue};
        const bl_relu_forward relu = {.y = memory, .x = memory, .count = 4096};
        d->kernels->relu_forward(&relu, &part);
        (void)d->wait(queue, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
#ifdef __SANITIZE_ADDRESS__ /* the fault is the sanitizer's: it reports, and exits with 1 */
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
#else
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
#endif
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, device_setup, device_teardown)

/* device_faults_test [PATTERN]: only cases whose names match. */
int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        CASE(test_every_call_fails),
        CASE(test_every_library_call_fails),
        CASE(test_check),
        CASE(test_two_cards),
        CASE(test_old_card),
        CASE(test_idle_queues),
        CASE(test_plans_are_kept),
        CASE(test_recording),
        CASE(test_grid),
        CASE(test_kernel_beside_its_array),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("device faults", tests, NULL, NULL);
}
