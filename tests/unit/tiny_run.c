#include "tests/unit/tiny_run.h"
#include "engine/base/mem.h"
#include "tests/check.h"
#include <stdlib.h>

int tiny_setup(void **state) {
    fixture *f = bl_xalloc(sizeof *f);
    tiny_data(&f->data, 3, 2);
    tiny_config(&f->config);
    *state = f;
    return 0;
}

int tiny_teardown(void **state) {
    fixture *f = *state;
    tiny_data_free(&f->data);
    free(f);
    return 0;
}

const bl_kernels *tiny_kernels(void) {
    const bl_kernels *kernels = NULL;
    CHECK_OK(bl_kernels_pick(&kernels, ERR));
    return kernels;
}

bl_train *tiny_open(const fixture *f, const bl_kernels *kernels, size_t threads) {
    const bl_train_options options = {
        .kernels = kernels, .run_id = "0123456789ab", .threads = threads};
    bl_train *train = NULL;
    CHECK_OK(bl_train_open(&train, &f->config, &f->data, &options, ERR));
    return train;
}

void advance_to(bl_train *train, int64_t limit) {
    while (bl_train_now(train)->step < limit && !bl_train_now(train)->diverged)
        CHECK_OK(bl_train_advance(train, limit, NULL, ERR));
}

static bool always(void *ctx) {
    (void)ctx;
    return true;
}

/* With a pause that is always due, advance returns after one step, unless that reaches the
 * evaluation. */
void tiny_step(bl_train *train, int64_t limit) {
    const bl_train_pause pause = {.due = always};
    bl_err err;
    const bl_status status = bl_train_advance(train, limit, &pause, &err);
    if (status != BL_OK) assert_int_equal(status, BL_EINTERRUPTED);
}

void tiny_log(const fixture *f, const bl_kernels *kernels, size_t threads, int64_t limit,
              bl_buf *out) {
    bl_train *train = tiny_open(f, kernels, threads);
    advance_to(train, limit);
    bl_buf_clear(out);
    bl_buf_add(out, bl_train_log(train)->data, bl_train_log(train)->len);
    bl_train_close(train);
}

void tiny_check_restored(const fixture *f, int64_t limit) {
    bl_train *whole = tiny_open(f, tiny_kernels(), 1), *train = tiny_open(f, tiny_kernels(), 1);
    advance_to(whole, limit);
    for (size_t steps = 1; bl_train_now(train)->step < limit; steps++) {
        bl_buf saved = {0}, log = {0};
        tiny_step(train, limit);
        CHECK_OK(bl_train_save(train, &saved, ERR));
        bl_buf_add(&log, bl_train_log(train)->data, bl_train_log(train)->len);
        bl_buf_str(&log, "{\"record\":\"step\"}\n"); /* written after the state was saved */
        bl_train_close(train);
        train = tiny_open(f, tiny_kernels(), 1 + steps % 3);
        advance_to(train, 5); /* whatever it had is replaced */
        CHECK_OK(bl_train_restore(train, saved.data, saved.len, log.data, log.len, ERR));
        bl_buf_free(&saved), bl_buf_free(&log);
    }
    assert_string_equal(bl_buf_text(bl_train_log(whole)), bl_buf_text(bl_train_log(train)));
    assert_string_equal(bl_buf_text(bl_train_noise(whole)), bl_buf_text(bl_train_noise(train)));
    bl_train_close(whole);
    bl_train_close(train);
}
