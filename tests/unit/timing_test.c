/* Files of measured times: what makes two measurements the same, what is kept and what is measured
 * again, and which number decisions rest on. */
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/sweep/sweep.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include "tests/unit/tiny_data.h"
#include <dirent.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct fixture {
    bl_dataset data;
    bl_config *config;
    bl_store store;
    bl_timing_options options;
    size_t said;
} fixture;

static const int64_t k_sizes[] = {16, 64};

static void say(void *ctx, const char *text) {
    if (strstr(text, "2 batch sizes, interleaved") != NULL) ++*(size_t *)ctx;
}

static void set_up(fixture *f) {
    *f = (fixture){0};
    f->config = bl_xalloc(sizeof *f->config);
    tiny_data(&f->data, 3, 2);
    tiny_config(f->config);
    f->config->timing.repeats = 3;
    f->config->timing.seconds = 1e-4;
    CHECK_OK(bl_store_open(&f->store, scratch_folder("timing"), "x", true, ERR));
    f->options = (bl_timing_options){.config = f->config,
                                     .data = &f->data,
                                     .store = &f->store,
                                     .batch_sizes = k_sizes,
                                     .count = 2,
                                     .say = say,
                                     .say_ctx = &f->said};
    CHECK_OK(bl_kernels_pick(&f->options.kernels, ERR));
}

static void tear_down(fixture *f) {
    free(f->config);
    tiny_data_free(&f->data);
}

/* The one step_times file of the store; how many there are. */
static size_t find_times(const fixture *f, char path[BL_PATH]) {
    size_t n = 0;
    DIR *d = opendir(f->store.dir);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        if (strncmp(e->d_name, "step_times-", 11) == 0) {
            CHECK_OK(bl_path(path, ERR, "%s/%s", f->store.dir, e->d_name));
            n++;
        }
    (void)closedir(d);
    return n;
}

static void put(const char *path, const char *text) {
    CHECK_OK(bl_file_write(path, text, strlen(text), ERR));
}

/* Measured once; from then on the file says. The middle of three, the lower of two in the middle;
 * no number for a size that the file leaves out. */
static void recorded_times_are_kept(void **state) {
    (void)state;
    fixture f;
    double s[2] = {0};
    char path[BL_PATH];
    set_up(&f);
    assert_int_equal(bl_timing_steps(&f.options, true, s, NULL), BL_EMISSING);
    assert_int_equal(find_times(&f, path), 0);
    CHECK_OK(bl_timing_steps(&f.options, false, s, ERR));
    assert_int_equal(f.said, 1);
    assert_true(s[0] > 0 && s[1] > 0);
    assert_int_equal(find_times(&f, path), 1);
    put(path, "{\"format\":1,\"points\":[{\"batch_size\":64,\"seconds_per_step\":[9,1,2]},"
              "{\"batch_size\":16,\"seconds_per_step\":[0.4,0.1,null,0.3,0.2]}]}");
    CHECK_OK(bl_timing_steps(&f.options, true, s, ERR));
    assert_true(s[0] == 0.2 && s[1] == 2);
    put(path, "{\"format\":1,\"points\":[{\"batch_size\":16,\"seconds_per_step\":[-1,0]}]}");
    CHECK_OK(bl_timing_steps(&f.options, false, s, ERR));
    assert_true(isnan(s[0]) && isnan(s[1]));
    assert_int_equal(f.said, 1);
    /* Decisions rest on these numbers: a file that was changed is refused, never replaced. */
    bl_err err;
    put(path,
        "{\"format\":2,\"points\":[{\"batch_size\":16,\"seconds_per_step\":[1]}],"
        "\n \"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\"}\n");
    assert_int_equal(bl_timing_steps(&f.options, false, s, &err), BL_EDAMAGED);
    assert_non_null(strstr(err.text, "its seal does not hold"));
    tear_down(&f);
}

/* A rate, a seed and this machine's repetitions change nothing; the net, the sizes and pieces do.
 */
static void what_is_measured_names_the_file(void **state) {
    (void)state;
    static const int64_t others[] = {16, 32};
    fixture f;
    double s[2];
    char path[BL_PATH];
    set_up(&f);
    CHECK_OK(bl_timing_steps(&f.options, false, s, ERR));
    f.config->train.learning_rate = 0.5;
    f.config->train.seed = 77;
    f.config->train.batch_size = 8;
    f.config->timing.repeats = 2;
    CHECK_OK(bl_timing_steps(&f.options, true, s, ERR));
    f.config->train.micro_batch = 8;
    assert_int_equal(bl_timing_steps(&f.options, true, s, NULL), BL_EMISSING);
    f.config->train.micro_batch = 0;
    f.config->model.hidden.v[0] = 9;
    assert_int_equal(bl_timing_steps(&f.options, true, s, NULL), BL_EMISSING);
    f.config->model.hidden.v[0] = 24;
    f.options.batch_sizes = others;
    assert_int_equal(bl_timing_steps(&f.options, true, s, NULL), BL_EMISSING);
    CHECK_OK(bl_timing_steps(&f.options, false, s, ERR));
    assert_int_equal(find_times(&f, path), 2);
    tear_down(&f);
}

/* The timing pass: each size `repeats` times; kept for this machine, net and these sizes, else
 * anew. */
static void the_timing_pass_is_kept(void **state) {
    (void)state;
    fixture f;
    char path[BL_PATH];
    bl_buf text = {0}, again = {0};
    bl_json_doc doc;
    set_up(&f);
    CHECK_OK(bl_path(path, ERR, "%s/timing.json", f.store.dir));
    CHECK_OK(bl_timing_run(&f.options, ERR));
    CHECK_OK(bl_file_read(&text, path, 1 << 20, ERR));
    CHECK_OK(bl_json_parse(&doc, bl_buf_text(&text), text.len, path, 1, ERR));
    size_t points = 0, numbers = 0;
    for (const bl_json *p = bl_json_get(doc.root, "points")->first; p != NULL; p = p->next) {
        assert_int_equal(bl_json_int(p, "batch_size", 0), k_sizes[points++]);
        assert_true(bl_json_int(p, "memory_bytes", 0) > 1000);
        for (const bl_json *v = bl_json_get(p, "seconds_per_step")->first; v != NULL; v = v->next) {
            assert_true(v->number > 0);
            numbers++;
        }
    }
    assert_int_equal(points, 2);
    assert_int_equal(numbers, 6);
    bl_json_free(&doc);
    CHECK_OK(bl_timing_run(&f.options, ERR));
    CHECK_OK(bl_file_read(&again, path, 1 << 20, ERR));
    assert_int_equal(f.said, 1);
    assert_string_equal(bl_buf_text(&text), bl_buf_text(&again));
    f.config->timing.repeats = 2; /* another measurement */
    CHECK_OK(bl_timing_run(&f.options, ERR));
    assert_int_equal(f.said, 2);
    put(path, "half a fi");
    CHECK_OK(bl_timing_run(&f.options, ERR));
    assert_int_equal(f.said, 3);
    (void)strcpy(f.config->preset, "other"); /* the same steps, but the report of another preset */
    CHECK_OK(bl_timing_run(&f.options, ERR));
    assert_int_equal(f.said, 4);
    f.options.count = 0; /* nothing asked for, nothing touched */
    CHECK_OK(bl_timing_run(&f.options, ERR));
    assert_int_equal(f.said, 4);
    bl_buf_free(&text);
    bl_buf_free(&again);
    tear_down(&f);
}

static void a_stop_ends_the_pass(void **state) {
    (void)state;
    fixture f;
    double s[2];
    char path[BL_PATH];
    const volatile int stop = 1;
    set_up(&f);
    f.options.stop = &stop;
    assert_int_equal(bl_timing_steps(&f.options, false, s, NULL), BL_EINTERRUPTED);
    assert_int_equal(find_times(&f, path), 0);
    CHECK_OK(bl_path(path, ERR, "%s/measuring", f.store.dir));
    assert_false(bl_file_exists(path)); /* the turn is over */
    tear_down(&f);
}

/* Three others on the one core that the test may use: steps have a quarter of the clock. */
static void start_others(pid_t other[3]) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    for (int i = 0; i < 3; i++) {
        other[i] = fork();
        if (other[i] != 0) continue;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (volatile unsigned n = 0;; n++) {
        }
    }
}

static void hear_busy(void *ctx, const char *text) {
    if (strstr(text, "the machine was busy, times may be up to") != NULL) *(bool *)ctx = true;
}

/* A busy machine is noticed: processor times beside the clock's, and words. */
static void a_busy_machine_is_said(void **state) {
    (void)state;
    fixture f;
    char path[BL_PATH];
    bl_buf text = {0};
    bl_json_doc doc;
    pid_t other[3];
    cpu_set_t before;
    bool said = false;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    set_up(&f);
    f.config->timing.seconds = 0.02;
    f.options.say = hear_busy;
    f.options.say_ctx = &said;
    start_others(other);
    CHECK_OK(bl_timing_run(&f.options, ERR));
    for (int i = 0; i < 3; i++) {
        (void)kill(other[i], SIGKILL);
        (void)waitpid(other[i], NULL, 0);
    }
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    assert_true(said);
    CHECK_OK(bl_path(path, ERR, "%s/timing.json", f.store.dir));
    CHECK_OK(bl_file_read(&text, path, 1 << 20, ERR));
    CHECK_OK(bl_json_parse(&doc, bl_buf_text(&text), text.len, path, 1, ERR));
    const bl_json *stolen = bl_json_get(bl_json_get(doc.root, "host"), "stolen");
    assert_non_null(stolen); /* null: a short pass, or a machine that does not say */
    assert_true(stolen->type == BL_JSON_NULL || (stolen->number >= 0 && stolen->number <= 1));
    const bl_json *p = bl_json_get(doc.root, "points")->first;
    const bl_json *clock = bl_json_get(p, "seconds_per_step"),
                  *processor = bl_json_get(p, "processor_seconds_per_step");
    assert_int_equal(clock->count, processor->count);
    double by_clock = 0, by_processor = 0;
    for (const bl_json *v = clock->first; v != NULL; v = v->next) by_clock += v->number;
    for (const bl_json *v = processor->first; v != NULL; v = v->next) by_processor += v->number;
    assert_true(by_processor > 0 && by_clock > 1.5 * by_processor);
    bl_json_free(&doc);
    bl_buf_free(&text);
    tear_down(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_times_are_kept),
        cmocka_unit_test(what_is_measured_names_the_file),
        cmocka_unit_test(the_timing_pass_is_kept),
        cmocka_unit_test(a_stop_ends_the_pass),
        cmocka_unit_test(a_busy_machine_is_said),
    };
    return cmocka_run_group_tests_name("timing", tests, NULL, NULL);
}
