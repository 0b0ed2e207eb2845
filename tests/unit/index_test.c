/* index.csv: it answers as the logs do, believes in nothing that changed, and may be lost. */
#include "engine/base/mem.h"
#include "engine/store/index.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static bl_store g_store;
static const char *const k_ids[] = {"r0123456789ab", "r0123456789ac", "rffffffffffff"};

static void publish(const char *id, int evals) {
    bl_buf log = {0};
    char folder[BL_PATH];
    bl_claims *claims = bl_claims_open();
    bl_claim *claim;
    bl_buf_printf(&log, "{\"record\":\"header\",\"format\":1,\"run\":\"%s\"}\n", id);
    for (int i = 1; i <= evals; i++)
        bl_buf_printf(&log,
                      "{\"record\":\"step\",\"step\":%d,\"mean_loss\":0.1}\n"
                      "{\"record\":\"eval\",\"step\":%d,\"value\":%s,\"params\":\"p\"}\n",
                      i, i, i == 3 ? "null" : "0.3");
    const bl_publication what = {.id = id,
                                 .identity = "{}",
                                 .log = log.data,
                                 .log_n = log.len,
                                 .outcome = "budget",
                                 .params = "p",
                                 .environment = "{}",
                                 .steps = evals,
                                 .evals = evals};
    CHECK_OK(bl_path(folder, ERR, "%s/%s", g_store.dir, id));
    CHECK_OK(bl_claim_acquire(claims, folder, &claim, ERR));
    CHECK_OK(bl_store_publish(&g_store, claim, &what, ERR));
    bl_claims_close(claims);
    bl_buf_free(&log);
}

static int fresh_store(void **state) {
    (void)state;
    if (bl_store_open(&g_store, scratch_folder("index"), "x", true, NULL) != BL_OK) return 1;
    for (size_t i = 0; i < BL_COUNT(k_ids); i++) publish(k_ids[i], 2 + (int)i);
    return 0;
}

/* Loads every run through the index and compares with the logs; how many the index answered. */
static size_t load_all(void) {
    size_t answered = 0;
    for (size_t i = 0; i < BL_COUNT(k_ids); i++) {
        bl_stored a, b;
        CHECK_OK(bl_index_load(&g_store, k_ids[i], &a, ERR));
        CHECK_OK(bl_store_load(&g_store, k_ids[i], &b, ERR));
        assert_int_equal(a.done, b.done);
        assert_int_equal(a.steps, b.steps);
        assert_int_equal(a.log_ahead, b.log_ahead);
        assert_int_equal(a.parsed.evals, b.parsed.evals);
        for (size_t k = 0; k < a.parsed.evals; k++) {
            const bl_runlog_eval *x = &a.parsed.eval[k], *y = &b.parsed.eval[k];
            assert_int_equal(x->step, y->step);
            assert_true(x->value == y->value || (isnan(x->value) && isnan(y->value)));
            assert_true(x->train_loss == y->train_loss);
        }
        answered += a.done && a.log.data == NULL;
        bl_stored_free(&a);
        bl_stored_free(&b);
    }
    return answered;
}

static size_t session(bool keep) {
    g_store.index = bl_index_open(&g_store);
    const size_t answered = load_all();
    bl_index_close(g_store.index, keep);
    g_store.index = NULL;
    return answered;
}

static void it_answers_as_the_logs_do(void **state) {
    (void)state;
    assert_int_equal(load_all(), 0); /* without an index */
    assert_int_equal(session(false), 0);
    assert_int_equal(session(true), 0);
    char path[BL_PATH];
    bl_file_stamp stamp = {0};
    CHECK_OK(bl_path(path, ERR, "%s/index.csv", g_store.dir));
    (void)bl_file_changed(path, &stamp);
    assert_int_equal(session(true), 3);
    assert_false(bl_file_changed(path, &stamp)); /* nothing new, nothing written */
    publish(k_ids[1], 6);
    assert_int_equal(session(true), 2);
    assert_int_equal(session(true), 3);
}

/* A folder in its place goes aside: otherwise every command would read every log for ever. */
static void it_replaces_what_is_no_file(void **state) {
    (void)state;
    char path[BL_PATH], aside[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/index.csv", g_store.dir));
    CHECK_OK(bl_path(aside, ERR, "%s.corrupt-1", path));
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(session(true), 0);
    assert_int_equal(session(true), 3);
    assert_true(bl_dir_exists(aside));
}

/* Any flipped bit or lost byte of the index makes it none; any change of a run's files is seen. */
static void it_is_trusted_only_whole(void **state) {
    (void)state;
    char path[BL_PATH];
    bl_buf good = {0};
    bl_file_stamp stamp;
    (void)session(true);
    CHECK_OK(bl_path(path, ERR, "%s/index.csv", g_store.dir));
    CHECK_OK(bl_file_read(&good, path, 1 << 20, ERR));
    assert_int_equal(bl_index_check(good.data, good.len), 3);
    for (size_t bit = 0; bit < 8 * good.len; bit++) {
        good.data[bit / 8] = (char)(good.data[bit / 8] ^ (1 << (bit % 8)));
        assert_int_equal(bl_index_check(good.data, good.len), -1);
        good.data[bit / 8] = (char)(good.data[bit / 8] ^ (1 << (bit % 8)));
    }
    for (size_t n = 0; n < good.len; n++) assert_int_equal(bl_index_check(good.data, n), -1);
    bl_buf_free(&good);
    CHECK_OK(bl_path(path, ERR, "%s/%s/log.jsonl.gz", g_store.dir, k_ids[0]));
    assert_true(bl_file_stat(&stamp, path));
    CHECK_OK(bl_file_read(&good, path, 1 << 20, ERR));
    good.data[good.len / 2] = (char)(good.data[good.len / 2] ^ 1);
    CHECK_OK(bl_file_write(path, good.data, good.len, ERR));
    g_store.index = bl_index_open(&g_store);
    bl_stored run;
    CHECK_OK(bl_index_load(&g_store, k_ids[0], &run, ERR));
    assert_true(run.damaged);
    bl_stored_free(&run);
    bl_index_close(g_store.index, true);
    g_store.index = NULL;
    bl_buf_free(&good);
}

static void read_of(const char *id, const char *name, char path[BL_PATH], bl_buf *out) {
    CHECK_OK(bl_path(path, ERR, "%s/%s/%s", g_store.dir, id, name));
    CHECK_OK(bl_file_read(out, path, 1 << 20, ERR));
}

/* A crash between the two writes of a longer prefix: the log is ahead of its result. */
static void a_log_may_be_ahead(void **state) {
    (void)state;
    char path[BL_PATH];
    bl_buf shorter = {0};
    bl_stored run;
    read_of(k_ids[0], "result.json", path, &shorter);
    publish(k_ids[0], 5);
    CHECK_OK(bl_file_write(path, shorter.data, shorter.len, ERR));
    CHECK_OK(bl_store_load(&g_store, k_ids[0], &run, ERR));
    assert_true(run.log_ahead);
    bl_stored_free(&run);
    assert_int_equal(session(true), 0);
    assert_int_equal(session(true), 3);
    bl_buf_free(&shorter);
}

/* Of a run that is learnt twice there is one row; of one that is damaged none. */
static void rows_are_of_finished_runs_and_once_each(void **state) {
    (void)state;
    char path[BL_PATH];
    bl_buf text = {0};
    read_of(k_ids[2], "result.json", path, &text);
    CHECK_OK(bl_file_write(path, text.data, text.len - 1, ERR));
    bl_buf_clear(&text);
    g_store.index = bl_index_open(&g_store);
    (void)load_all();
    (void)load_all();
    bl_index_close(g_store.index, true);
    g_store.index = NULL;
    CHECK_OK(bl_path(path, ERR, "%s/index.csv", g_store.dir));
    CHECK_OK(bl_file_read(&text, path, 1 << 20, ERR));
    assert_int_equal(bl_index_check(text.data, text.len), 2);
    bl_buf_free(&text);
}

/* Another file of the same size with the clock set back. */
static void another_file_is_seen_by_its_number(void **state) {
    (void)state;
    char path[BL_PATH];
    bl_buf log = {0};
    bl_file_stamp before, after;
    bl_stored run;
    (void)session(true);
    read_of(k_ids[1], "log.jsonl.gz", path, &log);
    assert_true(bl_file_stat(&before, path));
    log.data[log.len / 2] = (char)(log.data[log.len / 2] ^ 1);
    CHECK_OK(bl_file_write(path, log.data, log.len, ERR));
    const struct timespec then[2] = {
        {before.mtime_ns / 1000000000, before.mtime_ns % 1000000000},
        {before.mtime_ns / 1000000000, before.mtime_ns % 1000000000}
    };
    assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
    assert_true(bl_file_stat(&after, path));
    assert_true(after.size == before.size && after.mtime_ns == before.mtime_ns);
    g_store.index = bl_index_open(&g_store);
    CHECK_OK(bl_index_load(&g_store, k_ids[1], &run, ERR));
    assert_true(run.damaged);
    bl_stored_free(&run);
    bl_index_close(g_store.index, false);
    g_store.index = NULL;
    bl_buf_free(&log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_answers_as_the_logs_do, fresh_store),
        cmocka_unit_test_setup(it_replaces_what_is_no_file, fresh_store),
        cmocka_unit_test_setup(it_is_trusted_only_whole, fresh_store),
        cmocka_unit_test_setup(a_log_may_be_ahead, fresh_store),
        cmocka_unit_test_setup(rows_are_of_finished_runs_and_once_each, fresh_store),
        cmocka_unit_test_setup(another_file_is_seen_by_its_number, fresh_store),
    };
    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
