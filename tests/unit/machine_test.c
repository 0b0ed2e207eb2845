/* What a machine can hold: limits, probes that really run, the search between them, and the clock
 * of phases, which changes no bit. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/machine/bound.h"
#include "engine/machine/limit.h"
#include "engine/machine/memory_probe.h"
#include "engine/machine/search.h"
#include "engine/train/run.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include "tests/unit/tiny_run.h"
#include <stdlib.h>
#include <unistd.h>

/* ---- limits ---- */

static void put(const char *root, const char *file, const char *text) {
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", root, file));
    *strrchr(path, '/') = '\0';
    CHECK_OK(bl_make_dirs(path, ERR));
    CHECK_OK(bl_path(path, ERR, "%s/%s", root, file));
    CHECK_OK(bl_file_write(path, text, strlen(text), ERR));
}

/* Nested groups of version 2, of which the outer one is tighter; version 1; none; one whose file
 * holds no number; more than what is free. */
static void limits(void **state) {
    (void)state;
    const char *root = scratch_folder("cgroup");
    char cgroup[BL_PATH], meminfo[BL_PATH];
    bl_machine_limit limit;
    bl_err err = {0};
    CHECK_OK(bl_path(cgroup, ERR, "%s/self", root));
    CHECK_OK(bl_path(meminfo, ERR, "%s/meminfo", root));
    const bl_machine_places places = {cgroup, root, meminfo};
    put(root, "meminfo", "MemTotal: 9000000 kB\nMemAvailable:     1000000 kB\n");
    put(root, "self", "0::/outer/inner\n");
    put(root, "outer/memory.max", "300000000\n");
    put(root, "outer/inner/memory.max", "500000000\n");
    CHECK_OK(bl_machine_find_limit(&limit, 0, 0.1, &places, ERR));
    assert_true(limit.bytes == 3e8 && limit.kept_free == 3e7);
    assert_string_equal(limit.source, "the control group's limit");
    assert_string_equal(limit.note, "");
    put(root, "outer/memory.max", "max\n");
    CHECK_OK(bl_machine_find_limit(&limit, 0, 0, &places, ERR));
    assert_true(limit.bytes == 5e8 && limit.kept_free == 0);
    put(root, "outer/inner/memory.max", "9223372036854771712\n"); /* version 1's "none" */
    CHECK_OK(bl_machine_find_limit(&limit, 0, 0, &places, ERR));
    assert_true(limit.bytes == 1024e6);
    assert_string_equal(limit.source, "what is free");
    put(root, "self", "5:cpu:/x\n4:memory:/box\n");
    put(root, "memory/box/memory.limit_in_bytes", "200000000\n");
    CHECK_OK(bl_machine_find_limit(&limit, 0, 0, &places, ERR));
    assert_true(limit.bytes == 2e8);
    put(root, "memory/box/memory.limit_in_bytes", "plenty\n");
    CHECK_OK(bl_machine_find_limit(&limit, 0, 0, &places, ERR));
    assert_true(limit.bytes == 1024e6);
    assert_non_null(strstr(limit.note, "the control group's limit cannot be read ("));
    assert_non_null(strstr(limit.note, "no number of bytes): what is free counts"));
    CHECK_OK(bl_machine_find_limit(&limit, 123, 0, &places, ERR));
    assert_true(limit.bytes == 123);
    assert_string_equal(limit.source, "as asked");
    /* More than the machine has, which is more than its control group allows. */
    put(root, "meminfo", "MemTotal: 9000000 kB\nMemAvailable: 1000000 kB\n");
    CHECK_OK(bl_machine_find_limit(&limit, 9216e6, 0, &places, ERR));
    assert_int_equal(bl_machine_find_limit(&limit, 9217e6, 0, &places, &err), BL_EINVAL);
    assert_string_equal(err.text, "a memory limit of 8.58 GiB: this machine has 8.58 GiB");
    put(root, "meminfo", "MemAvailable: 1000000 kB\n"); /* it does not say: nothing is refused */
    CHECK_OK(bl_machine_find_limit(&limit, 9217e6, 0, &places, ERR));
    put(root, "memory/box/memory.limit_in_bytes", "200000000\n");
    assert_int_equal(bl_machine_memory(&places), 200000000);
    put(root, "memory/box/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(bl_machine_memory(&places),
                     (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE));
    put(root, "meminfo", "MemTotal: 9 kB\n");
    assert_int_equal(bl_machine_find_limit(&limit, 0, 0, &places, &err), BL_EIO);
    assert_non_null(strstr(err.text, "does not say what is free"));
}

static void sizes_in_words(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double bytes;
    } good[] = {
        {"1000",    1000           },
        {"2K",      2048           },
        {"1.5G",    1.5 * (1 << 30)},
        {"300 MiB", 300 << 20      },
        {"7B",      7              },
        {"1t",      0x1p40         }
    };
    static const char *const bad[] = {"", "G", "-1", "0", "5X", "5GB5", "inf", "1 G G"};
    double bytes;
    for (size_t i = 0; i < BL_COUNT(good); i++) {
        assert_true(bl_machine_read_bytes(good[i].text, &bytes));
        assert_true(bytes == good[i].bytes);
    }
    for (size_t i = 0; i < BL_COUNT(bad); i++)
        if (bl_machine_read_bytes(bad[i], &bytes)) fail_msg("'%s' is read as %g", bad[i], bytes);
}

/* ---- the search ---- */

/* A machine on which sizes up to `fits` run, each in `seconds`; sizes above `in_time` (0: none)
 * take too long. */
typedef struct pretended {
    int64_t fits, in_time;
    double seconds;
} pretended;

static bl_status pretend(void *ctx, int64_t batch_size, bl_probe_result *result, bl_err *err) {
    const pretended *p = ctx;
    (void)err;
    const bool slow = p->in_time > 0 && batch_size > p->in_time;
    *result = (bl_probe_result){slow                    ? BL_PROBE_TOO_SLOW
                                : batch_size <= p->fits ? BL_PROBE_RAN
                                                        : BL_PROBE_KILLED,
                                (double)batch_size, p->seconds, (double)NAN};
    return BL_OK;
}

static double as_long(void *ctx, int64_t batch_size) {
    return batch_size > 100 ? 1e9 : ((const pretended *)ctx)->seconds;
}

static bl_machine_search searching(pretended *p, int64_t most) {
    return (bl_machine_search){
        .probe = pretend, .ctx = p, .most = most, .seconds = 100, .gap = 0.02};
}

/* Whatever fits, what is named ran, what failed is named, and they are close. */
static void search_ends_close(void **state) {
    (void)state;
    static const int64_t sizes[] = {1, 16, 64};
    static const int64_t guesses[] = {0, 1, 50, 611, 612, 640, 5000};
    for (int64_t fits = 1; fits < 3000; fits += fits / 7 + 1)
        for (size_t g = 0; g < BL_COUNT(guesses); g++) {
            pretended p = {.fits = fits};
            bl_machine_search s = searching(&p, 1000);
            CHECK_OK(bl_machine_try_sizes(&s, sizes, BL_COUNT(sizes), ERR));
            CHECK_OK(bl_machine_search_on(&s, guesses[g], ERR));
            assert_true(s.largest <= fits && s.largest >= 1 && s.bytes == (double)s.largest);
            if (fits >= 1000) {
                assert_true(s.largest == 1000 && s.failed == 0);
            } else {
                assert_true(s.failed > fits && s.how == BL_PROBE_KILLED);
                assert_true((double)(s.failed - s.largest) <= fmax(1, 0.02 * (double)s.largest));
            }
            assert_true(s.count < 30);
            bl_machine_search_free(&s);
        }
}

static void search_keeps_to_its_time(void **state) {
    (void)state;
    static const int64_t sizes[] = {16, 64};
    pretended p = {.fits = 1 << 20, .seconds = 1};
    bl_machine_search s = searching(&p, 1 << 20);
    CHECK_OK(bl_machine_try_sizes(&s, sizes, BL_COUNT(sizes), ERR));
    s.seconds = s.spent + 3.5;
    s.expected = as_long;
    CHECK_OK(bl_machine_search_on(&s, 1 << 19, ERR));
    assert_true(s.out_of_time && s.largest == 64 && s.failed == 0 && s.count == 2);
    bl_machine_search_free(&s);
    /* The first size that is asked for does not run: nothing above is tried. */
    p.fits = 8;
    s = searching(&p, 100);
    CHECK_OK(bl_machine_try_sizes(&s, sizes, BL_COUNT(sizes), ERR));
    assert_true(s.largest == 0 && s.failed == 16 && s.count == 1);
    bl_machine_search_free(&s);
}

/* These sizes were tried in this order, and no others. Frees the search. */
static void expect_tries(bl_machine_search *s, const int64_t *sizes, size_t n) {
    assert_int_equal(s->count, n);
    for (size_t i = 0; i < n; i++) assert_int_equal(s->tried[i].batch_size, sizes[i]);
    bl_machine_search_free(s);
}
#define EXPECT_TRIES(s, ...)                                                                       \
    expect_tries((s), (const int64_t[]){__VA_ARGS__},                                              \
                 sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static double one_second(void *ctx, int64_t batch_size) {
    (void)ctx;
    (void)batch_size;
    return 1;
}

/* A guess that is just too large is followed by one 1.5 % below it, which ends the search; without
 * a guess sizes double up to the most, then the middle of a ratio is taken. */
static void search_takes_few_tries(void **state) {
    (void)state;
    static const int64_t first[] = {64};
    pretended p = {.fits = 611};
    bl_machine_search s = searching(&p, 1000);
    CHECK_OK(bl_machine_try_sizes(&s, first, 1, ERR));
    CHECK_OK(bl_machine_search_on(&s, 612, ERR));
    assert_true(s.largest == 603 && s.failed == 612);
    EXPECT_TRIES(&s, 64, 612, 603);
    p.fits = 1000;
    s = searching(&p, 1000);
    CHECK_OK(bl_machine_try_sizes(&s, first, 1, ERR));
    CHECK_OK(bl_machine_search_on(&s, 0, ERR));
    EXPECT_TRIES(&s, 64, 128, 256, 512, 1000);
    s = searching(&p, 1000);
    CHECK_OK(bl_machine_try_sizes(&s, first, 1, ERR));
    CHECK_OK(bl_machine_search_on(&s, 990, ERR)); /* so near the most that the most is tried */
    EXPECT_TRIES(&s, 64, 990, 1000);
    p.fits = 70;
    s = searching(&p, 1000);
    CHECK_OK(bl_machine_try_sizes(&s, first, 1, ERR));
    CHECK_OK(bl_machine_search_on(&s, 0, ERR));
    EXPECT_TRIES(&s, 64, 128, 90, 75, 69, 71, 70);
}

/* A guess may take a quarter of the time that is left, any other size all of it; a size that took
 * too long ends the search and is none that failed. */
static void search_spends_its_time(void **state) {
    (void)state;
    static const int64_t first[] = {64};
    pretended p = {.fits = 1 << 20, .seconds = 1};
    bl_machine_search s = searching(&p, 1 << 20);
    s.expected = one_second;
    s.seconds = 4.5; /* one is spent at first */
    CHECK_OK(bl_machine_try_sizes(&s, first, 1, ERR));
    CHECK_OK(bl_machine_search_on(&s, 5000, ERR));
    assert_true(s.out_of_time && s.spent == 4);
    EXPECT_TRIES(&s, 64, 128, 256, 512);
    s = searching(&p, 1 << 20);
    s.expected = one_second;
    s.seconds = 5;
    CHECK_OK(bl_machine_try_sizes(&s, first, 1, ERR));
    CHECK_OK(bl_machine_search_on(&s, 5000, ERR));
    EXPECT_TRIES(&s, 64, 5000, 10000, 20000, 40000);
    p.in_time = 200;
    s = searching(&p, 1 << 20);
    CHECK_OK(bl_machine_try_sizes(&s, first, 1, ERR));
    CHECK_OK(bl_machine_search_on(&s, 0, ERR));
    assert_true(s.out_of_time && s.largest == 128 && s.bytes == 128 && s.failed == 0);
    EXPECT_TRIES(&s, 64, 128, 256);
}

/* ---- probes ---- */

static bl_machine_place place_of(const fixture *f) {
    return (bl_machine_place){.config = &f->config,
                              .data = &f->data,
                              .kernels = tiny_kernels(),
                              .bytes = (double)INFINITY};
}

/* A process of its own runs, is refused memory, is ended; this one goes on. */
static void probes(void **state) {
    fixture *f = *state;
    bl_machine_place place = place_of(f);
    bl_probe_result r;
    CHECK_OK(bl_probe_run(&r, &place, 32, ERR));
    assert_int_equal(r.ending, BL_PROBE_RAN);
    assert_true(r.bytes > 100000 && r.seconds > 0);
    const double small = r.bytes;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK_OK(bl_probe_run(&r, &place, 200000, ERR)); /* some hundred MiB */
    assert_int_equal(r.ending, BL_PROBE_RAN);
    assert_true(r.bytes > 10 * small && r.bytes > 5e7);
    place.bytes = 6e7;
    CHECK_OK(bl_probe_run(&r, &place, 200000, ERR));
    assert_int_equal(r.ending, BL_PROBE_REFUSED);
    assert_string_equal(bl_probe_ending_words(r.ending), "was refused the memory");
#endif
    (void)small;
}

/* A run that cannot be opened fails for another reason than memory. */
static void probes_that_fail(void **state) {
    fixture *f = *state;
    bl_machine_place place = place_of(f);
    bl_probe_result r;
    tiny_name(f->config.optimizer.name, "no_such");
    CHECK_OK(bl_probe_run(&r, &place, 32, ERR));
    assert_int_equal(r.ending, BL_PROBE_FAILED);
}

/* ---- phases ---- */

/* Four steps with the clock of phases, and without: one state, byte for byte. */
static void the_clock_changes_no_bit(void **state) {
    fixture *f = *state;
    bl_train_times times;
    bl_buf with = {0}, without = {0};
    f->config.train.micro_batch = 8;
    bl_train *a = tiny_open(f, tiny_kernels(), 1), *b = tiny_open(f, tiny_kernels(), 1);
    CHECK_OK(bl_train_time_phases(a, 0, &times, ERR));
    for (int i = 0; i < 4; i++) CHECK_OK(bl_train_steps(b, 1, ERR));
    CHECK_OK(bl_train_save(a, &with, ERR));
    CHECK_OK(bl_train_save(b, &without, ERR));
    assert_int_equal(with.len, without.len);
    assert_memory_equal(with.data, without.data, with.len);
    assert_null(a->watch);
    double sum = 0, layers = 0;
    for (size_t i = 0; i < BL_TRAIN_PHASE_COUNT; i++) {
        assert_true(times.phase[i] > 0);
        sum += times.phase[i];
    }
    check_close(sum, times.step, 1e-9);
    for (size_t i = 0; i < times.layers; i++)
        layers += times.layer[i].forward + times.layer[i].backward;
    assert_true(times.layers > 3 && layers > 0);
    assert_true(layers <= times.phase[BL_TRAIN_FORWARD] + times.phase[BL_TRAIN_BACKWARD]);
    assert_true(bl_train_time_evaluation(a) > 0);
    assert_true(times.multiply_adds > 0 && times.bytes > 0);
    for (size_t i = 1; i < times.layers; i++)
        assert_true(times.layer[i - 1].forward + times.layer[i - 1].backward >=
                    times.layer[i].forward + times.layer[i].backward);
    bl_train_times_free(&times);
    bl_train_close(a);
    bl_train_close(b);
    bl_buf_free(&with);
    bl_buf_free(&without);
}

/* Targets of the examples in the net's input: which batch it is. */
static void take_targets(const bl_train *t, float *out) {
    memcpy(out, t->net.target, t->batch * sizeof *out);
}

/* Whole steps and the same batch again are steps; the latter leaves the batch alone. Gathering goes
 * from batch to batch and makes no step. */
static void three_loops(void **state) {
    enum { BATCH = 32, STEPS = 4 }; /* one that warms up, and the least of a loop */
    fixture *f = *state;
    float before[BATCH], after[BATCH];
    double seconds = 0;
    f->config.train.batch_size = BATCH;
    bl_train *t = tiny_open(f, tiny_kernels(), 1);
    bl_train *first = tiny_open(f, tiny_kernels(), 1);
    CHECK_OK(bl_train_steps(first, 1, ERR));
    take_targets(first, before);
    CHECK_OK(bl_train_time_loop(t, BL_TRAIN_LOOP_SAME_BATCH, 0, &seconds, ERR));
    take_targets(t, after);
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(t->progress.made, STEPS);
    assert_true(seconds > 0 && !t->held);
    CHECK_OK(bl_train_time_loop(t, BL_TRAIN_LOOP_WHOLE, 0, &seconds, ERR));
    take_targets(t, after);
    assert_memory_not_equal(before, after, sizeof before);
    assert_int_equal(t->progress.made, 2 * STEPS);
    CHECK_OK(bl_train_time_loop(t, BL_TRAIN_LOOP_GATHER, 0, &seconds, ERR));
    take_targets(t, after);
    assert_int_equal(t->progress.made, 2 * STEPS + 1);
    for (int i = 1; i < 3 * STEPS; i++) CHECK_OK(bl_train_steps(first, 1, ERR));
    take_targets(first, before); /* three batches beyond the steps made: 9 + 3 */
    assert_memory_equal(before, after, sizeof before);
    bl_train_close(first);
    bl_train_close(t);
}

static void a_problem_has_no_phases(void **state) {
    fixture *f = *state;
    bl_train_times times;
    bl_err err;
    tiny_quadratic_config(&f->config, "sgd", "sampled");
    bl_train *t = tiny_open(f, tiny_kernels(), 1);
    assert_int_equal(bl_train_time_phases(t, 0, &times, &err), BL_EUNSUPPORTED);
    assert_int_equal(bl_train_time_loop(t, BL_TRAIN_LOOP_WHOLE, 0, &(double){0}, &err),
                     BL_EUNSUPPORTED);
    bl_train_close(t);
}

static void what_holds_a_step_back(void **state) {
    (void)state;
    assert_int_equal(bl_machine_bound_of(0.7, 0.6, 0.1, 0.1), BL_MACHINE_BY_COMPUTE);
    assert_int_equal(bl_machine_bound_of(0.7, 0.8, (double)NAN, (double)NAN), BL_MACHINE_BY_MEMORY);
    assert_int_equal(bl_machine_bound_of(0.9, 0.9, 0.5, 0.4), BL_MACHINE_BY_FIXED);
    assert_int_equal(bl_machine_bound_of(0.9, 0.9, 0.9, 0.5), BL_MACHINE_BY_DATA);
    assert_int_equal(bl_machine_bound_of(0.4, 0.4, 0.4, 0.4), BL_MACHINE_BY_NEITHER);
    assert_true(bl_machine_multiply_adds(tiny_kernels()) > 1e8);
    assert_true(bl_machine_bandwidth(1e6) > 1e8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits),
        cmocka_unit_test(sizes_in_words),
        cmocka_unit_test(search_ends_close),
        cmocka_unit_test(search_keeps_to_its_time),
        cmocka_unit_test(search_takes_few_tries),
        cmocka_unit_test(search_spends_its_time),
        cmocka_unit_test_setup_teardown(probes, tiny_setup, tiny_teardown),
        cmocka_unit_test_setup_teardown(probes_that_fail, tiny_setup, tiny_teardown),
        cmocka_unit_test_setup_teardown(the_clock_changes_no_bit, tiny_setup, tiny_teardown),
        cmocka_unit_test_setup_teardown(three_loops, tiny_setup, tiny_teardown),
        cmocka_unit_test_setup_teardown(a_problem_has_no_phases, tiny_setup, tiny_teardown),
        cmocka_unit_test(what_holds_a_step_back),
    };
    return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
