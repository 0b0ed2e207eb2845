/* Rounds of real, small runs: what they answer and what they leave on disk depends neither on the
 * number of threads nor on interruptions nor on what the store had before. */
#include "bl_build.h"
#include "engine/base/mem.h"
#include "engine/sweep/scheduler.h"
#include "engine/train/train.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include "tests/unit/tiny_data.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIALS = 4 };

typedef struct fixture {
    bl_dataset data;
    const bl_kernels *kernels;
    bl_config config[TRIALS]; /* the trials' bases */
    bl_trial trial[TRIALS];
    bl_round round;
    bl_trial_result result[TRIALS];
    size_t memory;                           /* as bl_scheduler's */
    const bl_train_device_data *device_data; /* NULL: on the processor */
} fixture;

/* What the progress calls of a round said, and after how many of them it is to be stopped. */
typedef struct watch {
    int64_t first_trained; /* step of the first trained evaluation; 0: none */
    int64_t last;          /* step of the last one */
    size_t evaluations, stop_after;
    size_t turns; /* of the runs, one after another */
    double rate;  /* of the last one */
    int stop;
} watch;

static void see(void *ctx, const bl_progress *now) {
    watch *w = ctx;
    if (!now->trained) return;
    if (w->first_trained == 0) w->first_trained = now->step;
    w->last = now->step;
    w->evaluations++;
    w->turns += now->learning_rate != w->rate;
    w->rate = now->learning_rate;
    if (w->evaluations == w->stop_after) __atomic_store_n(&w->stop, 1, __ATOMIC_RELAXED);
}

/* The evaluation step at or before `steps`: budgets lie on the grid. */
static int64_t on_grid(const fixture *f, int64_t steps) {
    const bl_config *config = f->trial[0].base;
    int64_t at = 0;
    for (;;) {
        const int64_t next = bl_train_next_eval(config, 700, at, INT64_MAX);
        if (next > steps) return at;
        at = next;
    }
}

static int setup(void **state) {
    static const double rates[TRIALS] = {0.0003, 0.02, 0.01, 0.001};
    fixture *f = bl_xalloc(sizeof *f);
    tiny_data(&f->data, 3, 2);
    CHECK_OK(bl_kernels_pick(&f->kernels, ERR));
    for (size_t i = 0; i < TRIALS; i++) {
        tiny_config(&f->config[i]);
        f->trial[i] = bl_trial_of(&f->config[i]);
        f->trial[i].learning_rate = rates[i];
    }
    for (size_t i = 0; i < TRIALS; i++) f->trial[i].max_steps = on_grid(f, 30);
    f->round = (bl_round){.title = "round", .trial = f->trial, .count = TRIALS, .slack = 1.25};
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    bl_round_results_free(f->result, TRIALS);
    tiny_data_free(&f->data);
    free(f);
    return 0;
}

static void fresh_store(bl_store *store) {
    CHECK_OK(bl_store_open(store, scratch_folder("scheduler"), "x", true, ERR));
}

static bl_status run(const fixture *f, const bl_store *store, size_t jobs, watch *w, bool lookup,
                     bl_trial_result *result, bl_err *err) {
    const bl_scheduler s = {.data = &f->data,
                            .store = store,
                            .kernels = f->kernels,
                            .device_data = f->device_data,
                            .jobs = jobs,
                            .memory = f->memory,
                            .checkpoint_seconds = 1e9,
                            .stop = &w->stop,
                            .lookup_only = lookup,
                            .progress = see,
                            .progress_ctx = w};
    bl_round_results_free(result, TRIALS);
    return bl_scheduler_run(&s, &f->round, result, err);
}

static void run_all(fixture *f, const bl_store *store, size_t jobs, watch *w) {
    *w = (watch){0};
    CHECK_OK(run(f, store, jobs, w, false, f->result, ERR));
}

static void same_results(const bl_trial_result *a, const bl_trial_result *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(a[i].run, b[i].run);
        assert_int_equal(a[i].outcome, b[i].outcome);
        assert_int_equal(a[i].steps, b[i].steps);
        assert_int_equal(a[i].target_step, b[i].target_step);
        assert_int_equal(a[i].previous_eval_step, b[i].previous_eval_step);
        assert_int_equal(a[i].evals, b[i].evals);
        for (size_t k = 0; k < a[i].evals; k++) { /* padding follows the last member */
            assert_memory_equal(&a[i].eval[k], &b[i].eval[k], offsetof(bl_eval, ends));
            assert_int_equal(a[i].eval[k].ends, b[i].eval[k].ends);
        }
    }
}

static void file_of(const bl_store *store, const char *id, const char *name, char path[BL_PATH]) {
    CHECK_OK(bl_path(path, ERR, "%s/%s/%s", store->dir, id, name));
}

static bool has(const bl_store *store, const char *id, const char *name) {
    char path[BL_PATH];
    file_of(store, id, name, path);
    return bl_file_exists(path);
}

static void same_files(const fixture *f, const bl_store *a, const bl_store *b) {
    static const char *const names[] = {"log.jsonl.gz", "run.json"};
    for (size_t i = 0; i < f->round.count; i++)
        for (size_t n = 0; n < BL_COUNT(names); n++) {
            bl_buf x = {0}, y = {0};
            char path[BL_PATH];
            file_of(a, f->result[i].run, names[n], path);
            CHECK_OK(bl_file_read(&x, path, 1 << 24, ERR));
            file_of(b, f->result[i].run, names[n], path);
            CHECK_OK(bl_file_read(&y, path, 1 << 24, ERR));
            assert_int_equal(x.len, y.len);
            assert_memory_equal(x.data, y.data, x.len);
            bl_buf_free(&x);
            bl_buf_free(&y);
        }
}

/* The round on a store of its own with 1, 2 and 3 threads: equal to the bit. */
static void same_at_any_number_of_threads(fixture *f) {
    bl_store one, other;
    bl_trial_result first[TRIALS] = {0};
    watch w = {0};
    fresh_store(&one);
    CHECK_OK(run(f, &one, 1, &w, false, first, ERR));
    for (size_t jobs = 2; jobs <= 3; jobs++) {
        fresh_store(&other);
        run_all(f, &other, jobs, &w);
        same_results(first, f->result, f->round.count);
        same_files(f, &one, &other);
    }
    bl_round_results_free(first, TRIALS);
}

static void test_a_round_at_any_number_of_threads(void **state) {
    fixture *f = *state;
    same_at_any_number_of_threads(f);
    for (size_t i = 0; i < TRIALS; i++) {
        assert_int_equal(f->result[i].outcome, BL_OUTCOME_BUDGET);
        assert_int_equal(f->result[i].steps, f->trial[i].max_steps);
    }
}

/* The losers end at the first evaluation at or after slack times the winner's steps. */
static void test_a_race_is_cut_by_its_winner(void **state) {
    fixture *f = *state;
    int64_t best = INT64_MAX;
    size_t cut = 0;
    f->round.race = true;
    for (size_t i = 0; i < TRIALS; i++) {
        f->trial[i].max_steps = on_grid(f, 100);
        f->trial[i].target = 0.6;
    }
    same_at_any_number_of_threads(f);
    for (size_t i = 0; i < TRIALS; i++)
        if (f->result[i].target_step > 0 && f->result[i].target_step < best)
            best = f->result[i].target_step;
    assert_true(best < on_grid(f, 100));
    const double bound = 1.25 * (double)best;
    for (size_t i = 0; i < TRIALS; i++) {
        const bl_trial_result *r = &f->result[i];
        if (r->outcome == BL_OUTCOME_TARGET) continue;
        assert_int_equal(r->outcome, BL_OUTCOME_RACE);
        assert_true((double)r->steps >= bound);
        assert_true((double)r->eval[r->evals - 2].step < bound);
        cut++;
    }
    assert_true(cut > 0);
}

static void test_looking_up_trains_nothing(void **state) {
    fixture *f = *state;
    bl_trial_result found[TRIALS] = {0};
    bl_store store;
    bl_err err;
    watch w = {0};
    fresh_store(&store);
    assert_int_equal(run(f, &store, 1, &w, true, found, &err), BL_EMISSING);
    run_all(f, &store, 1, &w);
    w = (watch){0};
    CHECK_OK(run(f, &store, 1, &w, true, found, ERR));
    same_results(f->result, found, TRIALS);
    assert_int_equal(w.evaluations, 0);
    run_all(f, &store, 2, &w);
    same_results(f->result, found, TRIALS);
    assert_int_equal(w.evaluations, 0);
    bl_round_results_free(found, TRIALS);
}

/* Stopped after every single step, and after some evaluations, until it is done. */
static void test_interrupted_and_continued(void **state) {
    fixture *f = *state;
    bl_store whole, pieces;
    bl_trial_result first[TRIALS] = {0};
    watch w = {0};
    for (size_t i = 0; i < TRIALS; i++) f->trial[i].max_steps = on_grid(f, 9);
    fresh_store(&whole);
    CHECK_OK(run(f, &whole, 1, &w, false, first, ERR));
    for (size_t after = 0; after < 3; after++) {
        size_t stops = 0;
        bl_status status;
        fresh_store(&pieces);
        do {
            bl_err err = {0};
            w = (watch){.stop = after == 0, .stop_after = after};
            status = run(f, &pieces, 2, &w, false, f->result, &err);
            if (status != BL_OK) assert_int_equal(status, BL_EINTERRUPTED);
            assert_true(stops++ < 100);
        } while (status != BL_OK);
        assert_true(stops > 2);
        same_results(first, f->result, TRIALS);
        same_files(f, &whole, &pieces);
        assert_false(has(&pieces, first[0].run, "log.jsonl.part"));
    }
    bl_round_results_free(first, TRIALS);
}

static void drop_checkpoints(const bl_store *store, const char *id) {
    char path[BL_PATH];
    file_of(store, id, "checkpoint-A", path);
    (void)unlink(path);
    file_of(store, id, "checkpoint-B", path);
    (void)unlink(path);
}

static void test_a_published_prefix_is_extended(void **state) {
    fixture *f = *state;
    const int64_t little = on_grid(f, 12), much = on_grid(f, 48);
    bl_store whole, grown;
    watch w;
    f->round.count = 1;
    f->trial[0].max_steps = much;
    fresh_store(&whole);
    run_all(f, &whole, 1, &w);
    for (int kept = 0; kept < 2; kept++) {
        fresh_store(&grown);
        f->trial[0].max_steps = little;
        run_all(f, &grown, 1, &w);
        assert_int_equal(f->result[0].steps, little);
        if (!kept) drop_checkpoints(&grown, f->result[0].run);
        f->trial[0].max_steps = much;
        run_all(f, &grown, 1, &w);
        assert_true(kept ? w.first_trained > little : w.first_trained == 5);
        same_files(f, &whole, &grown);
    }
}

/* The checkpoint of an interrupted extension is ahead of the published log. */
static void test_an_interrupted_extension_goes_on_where_it_was(void **state) {
    fixture *f = *state;
    const int64_t little = on_grid(f, 12), much = on_grid(f, 48);
    bl_store whole, grown;
    bl_err err;
    watch w;
    f->round.count = 1;
    f->trial[0].max_steps = much;
    fresh_store(&whole);
    run_all(f, &whole, 1, &w);
    fresh_store(&grown);
    f->trial[0].max_steps = little;
    run_all(f, &grown, 1, &w);
    f->trial[0].max_steps = much;
    w = (watch){.stop_after = 3};
    assert_int_equal(run(f, &grown, 1, &w, false, f->result, &err), BL_EINTERRUPTED);
    const int64_t reached = w.last;
    assert_true(reached > little && reached < much);
    run_all(f, &grown, 1, &w);
    assert_true(w.first_trained > reached);
    same_files(f, &whole, &grown);
}

static void test_a_longer_prefix_answers_a_shorter_question(void **state) {
    fixture *f = *state;
    const int64_t little = on_grid(f, 12);
    bl_store store;
    watch w;
    fresh_store(&store);
    run_all(f, &store, 1, &w);
    for (size_t i = 0; i < TRIALS; i++) f->trial[i].max_steps = little;
    run_all(f, &store, 1, &w);
    assert_int_equal(w.evaluations, 0);
    for (size_t i = 0; i < TRIALS; i++) {
        bl_stored stored;
        assert_int_equal(f->result[i].steps, little);
        assert_int_equal(f->result[i].eval[f->result[i].evals - 1].step, little);
        CHECK_OK(bl_store_load(&store, f->result[i].run, &stored, ERR));
        assert_int_equal(stored.steps, on_grid(f, 30));
        bl_stored_free(&stored);
    }
}

/* A run that was interrupted beyond what is asked now: only what was asked is published. What was
 * computed beyond it is kept for later, in the one file that every finished run has. */
static void test_a_run_ahead_of_the_question_is_cut(void **state) {
    static const char *const more[] = {"log.jsonl.part", "checkpoint-B"};
    fixture *f = *state;
    bl_store whole, cut;
    bl_err err;
    watch w = {.stop_after = 6};
    f->round.count = 1;
    f->trial[0].max_steps = on_grid(f, 48);
    fresh_store(&cut);
    assert_int_equal(run(f, &cut, 1, &w, false, f->result, &err), BL_EINTERRUPTED);
    f->trial[0].max_steps = on_grid(f, 12);
    const int64_t reached = w.last;
    assert_true(reached > f->trial[0].max_steps);
    fresh_store(&whole);
    run_all(f, &whole, 1, &w);
    run_all(f, &cut, 1, &w);
    assert_int_equal(w.evaluations, 0);
    assert_int_equal(f->result[0].steps, f->trial[0].max_steps);
    same_files(f, &whole, &cut);
    for (size_t i = 0; i < BL_COUNT(more); i++) {
        assert_false(has(&cut, f->result[0].run, more[i]));
        assert_false(has(&whole, f->result[0].run, more[i]));
    }
    f->trial[0].max_steps = on_grid(f, 48);
    run_all(f, &cut, 1, &w);
    assert_true(w.first_trained > reached);
    run_all(f, &whole, 1, &w);
    same_files(f, &whole, &cut);
}

static void test_what_does_not_fit_in_memory_is_an_outcome(void **state) {
    fixture *f = *state;
    bl_store store;
    watch w;
    f->trial[0].batch_size = 1 << 19;
    f->config[0].model.hidden.v[0] = 1 << 24;
    for (int race = 0; race < 2; race++) {
        f->round.race = race;
        fresh_store(&store);
        run_all(f, &store, 2, &w);
        assert_int_equal(f->result[0].outcome, BL_OUTCOME_MEMORY);
        assert_int_equal(f->result[0].evals, 0);
        assert_false(has(&store, f->result[0].run, "result.json"));
        for (size_t i = 1; i < TRIALS; i++)
            assert_int_equal(f->result[i].outcome, BL_OUTCOME_BUDGET);
    }
}

/* Of an open run. */
static size_t bytes_of(const fixture *f, const bl_trial *trial) {
    size_t bytes = 0;
    bl_config config;
    bl_trial_resolve(trial, &config);
    CHECK_OK(bl_train_memory(&config, &f->data, f->device_data, &bytes, ERR));
    return bytes + (f->device_data != NULL ? f->device_data->device->queue_bytes : 0);
}

static void ask_for_a_race(fixture *f) {
    f->round.race = true;
    for (size_t i = 0; i < TRIALS; i++) {
        f->trial[i].max_steps = on_grid(f, 60);
        f->trial[i].target = 0.6;
    }
}

/* Runs that wait for room, as checkpoints: the answers of those that had all the memory. */
static void test_runs_take_turns_in_memory(void **state) {
    fixture *f = *state;
    for (int race = 0; race < 2; race++) {
        bl_store all, some;
        bl_trial_result first[TRIALS] = {0};
        watch w = {0};
        if (race == 1) ask_for_a_race(f);
        f->memory = 0;
        fresh_store(&all);
        CHECK_OK(run(f, &all, 2, &w, false, first, ERR));
        for (size_t fit = 1; fit <= 3; fit++)
            for (size_t jobs = 1; jobs <= 3; jobs++) {
                f->memory = fit * bytes_of(f, &f->trial[0]);
                fresh_store(&some);
                run_all(f, &some, jobs, &w);
                same_results(first, f->result, TRIALS);
                same_files(f, &all, &some);
            }
        bl_round_results_free(first, TRIALS);
    }
}

/* The data set on the emulated device, which has memory for `fit` runs of trial 0 beside it. */
static void open_device(fixture *f, bl_train_device_data *device_data, size_t fit) {
    char bytes[32];
    const bl_device *device = NULL;
    (void)setenv("BATCHLAB_CUDA", BL_BUILD_DIR "/libbatchlab_cuda_emulated.so", 0);
    if (strstr(getenv("BATCHLAB_CUDA"), "emulated") == NULL) skip();
    (void)unsetenv("BL_EMULATED_MEMORY");
    CHECK_OK(bl_device_open(&device, "cuda", ERR));
    CHECK_OK(bl_train_device_data_open(device_data, device, &f->data, ERR));
    f->device_data = device_data;
    f->memory = fit * bytes_of(f, &f->trial[0]);
    (void)snprintf(bytes, sizeof bytes, "%zu",
                   device->memory - device->available(device) + f->memory);
    (void)setenv("BL_EMULATED_MEMORY", bytes, 1);
}

static void close_device(bl_train_device_data *device_data) {
    bl_train_device_data_close(device_data);
    (void)unsetenv("BL_EMULATED_MEMORY");
}

/* A turn is long beside its checkpoint: until a run is more than twice as far as one that waits. */
static void test_turns_are_long(void **state) {
    fixture *f = *state;
    bl_store store;
    watch w = {0};
    ask_for_a_race(f);
    for (size_t i = 0; i < TRIALS; i++) f->trial[i].target = 1e-9; /* nobody gets there */
    f->memory = bytes_of(f, &f->trial[0]);
    fresh_store(&store);
    run_all(f, &store, 1, &w);
    if (w.turns * 2 > w.evaluations) fail_msg("%zu turns, %zu evaluations", w.turns, w.evaluations);
}

/* Four runs on a device that holds two: the processor's files, and no run out of memory. */
static void test_a_race_on_a_small_device(void **state) {
    fixture *f = *state;
    bl_store here, there;
    bl_trial_result first[TRIALS] = {0};
    bl_train_device_data device_data;
    watch w = {0};
    ask_for_a_race(f);
    fresh_store(&here);
    CHECK_OK(run(f, &here, 2, &w, false, first, ERR));
    open_device(f, &device_data, 2);
    for (size_t jobs = 1; jobs <= 4; jobs += 3) {
        fresh_store(&there);
        run_all(f, &there, jobs, &w);
        same_results(first, f->result, TRIALS);
        same_files(f, &here, &there);
    }
    close_device(&device_data);
    bl_round_results_free(first, TRIALS);
}

/* What no turn makes room for is an outcome of that run; the others go on. */
static void test_a_device_too_small_for_one(void **state) {
    fixture *f = *state;
    bl_store store;
    bl_train_device_data device_data;
    watch w;
    open_device(f, &device_data, 2);
    f->trial[1].batch_size = 1 << 19;
    for (int race = 0; race < 2; race++) {
        f->round.race = race;
        fresh_store(&store);
        run_all(f, &store, 3, &w);
        for (size_t i = 0; i < TRIALS; i++)
            assert_int_equal(f->result[i].outcome, i == 1 ? BL_OUTCOME_MEMORY : BL_OUTCOME_BUDGET);
        assert_false(has(&store, f->result[1].run, "result.json"));
    }
    close_device(&device_data);
}

static void test_a_run_is_asked_once_a_round(void **state) {
    fixture *f = *state;
    bl_store store;
    bl_err err = {0};
    fresh_store(&store);
    f->trial[3] = f->trial[1];
    f->trial[3].max_steps = f->trial[1].max_steps / 2;
    const bl_scheduler s = {.data = &f->data, .store = &store, .kernels = f->kernels, .jobs = 2};
    assert_int_equal(bl_scheduler_run(&s, &f->round, f->result, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "round 'round' asks the run "));
    assert_non_null(strstr(err.text, " twice"));
}

/* A fault ends the round; what others computed is checkpointed, and the next round goes on there.
 */
static void test_a_fault_loses_no_one_elses_work(void **state) {
    fixture *f = *state;
    bl_store store;
    bl_err err;
    watch w = {0};
    fresh_store(&store);
    f->round.race = true;
    f->trial[TRIALS - 1].batch_size = 0;
    assert_int_equal(run(f, &store, 1, &w, false, f->result, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "train.batch_size"));
    assert_int_equal(w.evaluations, TRIALS - 1);
    f->round.count = TRIALS - 1;
    run_all(f, &store, 1, &w);
    assert_true(w.first_trained > 5);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_a_round_at_any_number_of_threads),
        CASE(test_a_race_is_cut_by_its_winner),
        CASE(test_looking_up_trains_nothing),
        CASE(test_interrupted_and_continued),
        CASE(test_a_published_prefix_is_extended),
        CASE(test_an_interrupted_extension_goes_on_where_it_was),
        CASE(test_a_longer_prefix_answers_a_shorter_question),
        CASE(test_a_run_ahead_of_the_question_is_cut),
        CASE(test_what_does_not_fit_in_memory_is_an_outcome),
        CASE(test_runs_take_turns_in_memory),
        CASE(test_turns_are_long),
        CASE(test_a_race_on_a_small_device),
        CASE(test_a_device_too_small_for_one),
        CASE(test_a_run_is_asked_once_a_round),
        CASE(test_a_fault_loses_no_one_elses_work),
    };
    return cmocka_run_group_tests_name("scheduler", tests, NULL, NULL);
}
