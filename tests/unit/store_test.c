/* Run logs and the store: what is published is found again, damage is found too, nothing shortens.
 */
#include "engine/base/gzip.h"
#include "engine/base/mem.h"
#include "engine/noise/noise_record.h"
#include "engine/store/noise_file.h"
#include "engine/store/store.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <stdlib.h>
#include <unistd.h>

static const char k_id[BL_RUN_ID] = "r0123456789ab";
static bl_store g_store;
static bl_claims *g_claims;
static bl_claim *g_claim;

static int fresh_store(void **state) {
    (void)state;
    char run[BL_PATH];
    if (bl_store_open(&g_store, scratch_folder("store"), "x", true, NULL) != BL_OK) return 1;
    g_claims = bl_claims_open();
    return bl_path(run, NULL, "%s/%s", g_store.dir, k_id) == BL_OK &&
                   bl_claim_acquire(g_claims, run, &g_claim, NULL) == BL_OK && g_claim != NULL
               ? 0
               : 1;
}

static int done_with_it(void **state) {
    (void)state;
    bl_claims_close(g_claims);
    return 0;
}

/* A log of `evals` evaluations at steps 1, 2, ...; `twist` changes one value. */
static void make_log(bl_buf *out, int evals, int twist) {
    bl_buf_printf(out, "{\"record\":\"header\",\"format\":1,\"run\":\"%s\"}\n", k_id);
    for (int i = 1; i <= evals; i++)
        bl_buf_printf(
            out,
            "{\"record\":\"step\",\"step\":%d,\"examples\":%d,\"mean_loss\":0.5,\"learning_rate\":"
            "0.1}\n"
            "{\"record\":\"eval\",\"step\":%d,\"examples\":%d,\"value\":%d,\"params\":\"p%d\"}\n",
            i, 8 * i, i, 8 * i, i == twist ? 77 : 10 - i, i);
}

static void make_noise(bl_buf *out, int probes) {
    const bl_noise_settings settings = {.share = 0.05, .batch = 2, .batches = 4, .rows = 100};
    bl_noise_probe probe = {.batch = 2, .batches = 4, .rows = 100};
    probe.norms[BL_NOISE_PLAIN].known = true;
    bl_noise_write_header(out, k_id, &settings);
    for (int i = 1; i <= probes; i++) {
        probe.step = i;
        probe.norms[BL_NOISE_PLAIN].level[0] = 1.0 / i;
        bl_noise_write_probe(out, &probe);
    }
}

/* With probes at every step up to `probes`; 0: none. */
static bl_status publish_noisy(int evals, int twist, int probes, bl_err *err) {
    bl_buf log = {0}, noise = {0};
    make_log(&log, evals, twist);
    if (probes > 0) make_noise(&noise, probes);
    const bl_publication what = {.id = k_id,
                                 .identity = "{}",
                                 .log = log.data,
                                 .log_n = log.len,
                                 .noise = noise.data,
                                 .noise_n = noise.len,
                                 .outcome = "budget",
                                 .params = "p",
                                 .environment = "{\"impl\":\"ref\"}",
                                 .steps = evals,
                                 .examples = 8 * evals,
                                 .evals = evals};
    const bl_status status = bl_store_publish(&g_store, g_claim, &what, err);
    bl_buf_free(&log);
    bl_buf_free(&noise);
    return status;
}

static bl_status publish(int evals, int twist, bl_err *err) {
    return publish_noisy(evals, twist, 0, err);
}

/* Writes without fsync: thousands of damaged files. */
static bl_status put(const char *path, const char *bytes, size_t n) {
    FILE *f = fopen(path, "wb");
    const bool good = f != NULL && fwrite(bytes, 1, n, f) == n;
    return f != NULL && fclose(f) == 0 && good ? BL_OK : BL_EIO;
}

static void a_prefix_grows_and_never_shrinks(void **state) {
    (void)state;
    bl_stored run;
    CHECK_OK(bl_store_load(&g_store, k_id, &run, ERR));
    assert_false(run.done);
    static const int lengths[] = {3, 5, 2, 5}, kept[] = {3, 5, 5, 5};
    for (int i = 0; i < 4; i++) {
        CHECK_OK(publish(lengths[i], 0, ERR));
        CHECK_OK(bl_store_load(&g_store, k_id, &run, ERR));
        assert_true(run.done);
        assert_int_equal(run.steps, kept[i]);
        assert_int_equal(run.parsed.evals, kept[i]);
        assert_true(run.parsed.eval[2].value == 7.0);
        bl_stored_free(&run);
    }
}

/* Probes grow with their prefix, and go with a longer one that has none. */
static void probes_go_with_their_prefix(void **state) {
    (void)state;
    bl_buf text = {0}, expected = {0};
    bl_err err;
    char path[BL_PATH];
    static const int evals[] = {3, 5, 2}, kept[] = {3, 5, 5};
    for (int i = 0; i < 3; i++) {
        CHECK_OK(publish_noisy(evals[i], 0, evals[i], ERR));
        bl_buf_clear(&text), bl_buf_clear(&expected);
        CHECK_OK(bl_store_load_noise(&g_store, k_id, &text, ERR));
        make_noise(&expected, kept[i]);
        assert_string_equal(bl_buf_text(&text), bl_buf_text(&expected));
    }
    CHECK_OK(publish(6, 0, ERR));
    assert_int_equal(bl_store_load_noise(&g_store, k_id, &text, &err), BL_EMISSING);
    CHECK_OK(bl_path(path, ERR, "%s/%s/noise.jsonl.gz", g_store.dir, k_id));
    assert_false(bl_file_exists(path));
    bl_buf_free(&text), bl_buf_free(&expected);
}

static void two_different_results_of_one_run_are_a_mismatch(void **state) {
    (void)state;
    bl_err err;
    CHECK_OK(publish(4, 0, ERR));
    assert_int_equal(publish(4, 2, &err), BL_EMISMATCH);
    assert_int_equal(publish(6, 2, &err), BL_EMISMATCH);
    assert_int_equal(publish(2, 2, &err), BL_EMISMATCH);
    assert_non_null(strstr(err.text, k_id));
}

static void is_damaged(const char *what, size_t at) {
    bl_stored run;
    bl_err why = {0};
    CHECK_OK(bl_store_load(&g_store, k_id, &run, &why));
    if (run.done || !run.damaged) fail_msg("%s: byte %zu: not found", what, at);
    assert_string_not_equal(why.text, "");
    bl_stored_free(&run);
}

/* Every flipped bit and every truncation of result and log is found, and looking changes nothing:
 * the run is set aside only when it is about to be done again. */
static void damage_is_found(void **state) {
    (void)state;
    static const char *const files[] = {"result.json", "log.jsonl.gz"};
    CHECK_OK(publish(4, 0, ERR));
    for (size_t f = 0; f < BL_COUNT(files); f++) {
        char path[BL_PATH];
        bl_buf good = {0};
        CHECK_OK(bl_path(path, ERR, "%s/%s/%s", g_store.dir, k_id, files[f]));
        CHECK_OK(bl_file_read(&good, path, 1 << 20, ERR));
        for (size_t at = 0; at < good.len; at++) {
            const int bit = 1 << (at % 8);
            good.data[at] = (char)(good.data[at] ^ bit);
            CHECK_OK(put(path, good.data, good.len));
            is_damaged(files[f], at);
            good.data[at] = (char)(good.data[at] ^ bit);
            CHECK_OK(put(path, good.data, at));
            is_damaged(files[f], at);
        }
        CHECK_OK(put(path, good.data, good.len));
        bl_buf_free(&good);
    }
    bl_stored run;
    CHECK_OK(bl_store_load(&g_store, k_id, &run, ERR));
    assert_true(run.done);
    bl_stored_free(&run);
    CHECK_OK(bl_store_set_aside(&g_store, g_claim, k_id, ERR));
    CHECK_OK(bl_store_load(&g_store, k_id, &run, ERR));
    assert_false(run.done || run.damaged);
}

/* A result of format 1 has no seal; one of format 2 does not become one by losing it. */
static void results_of_format_1_are_read(void **state) {
    (void)state;
    char path[BL_PATH];
    bl_buf good = {0}, old = {0};
    bl_stored run;
    CHECK_OK(publish(4, 0, ERR));
    CHECK_OK(bl_path(path, ERR, "%s/%s/result.json", g_store.dir, k_id));
    CHECK_OK(bl_file_read(&good, path, 1 << 20, ERR));
    good.data[strlen("{\"format\":")] = '1';
    CHECK_OK(put(path, good.data, good.len));
    is_damaged("format 1 with a seal", 0);
    const char *seal = strstr(good.data, ",\n \"sha256\"");
    bl_buf_printf(&old, "%.*s}\n", (int)(seal - good.data), good.data);
    CHECK_OK(put(path, old.data, old.len));
    CHECK_OK(bl_store_load(&g_store, k_id, &run, ERR));
    assert_true(run.done);
    bl_stored_free(&run);
    old.data[strlen("{\"format\":")] = '2';
    CHECK_OK(put(path, old.data, old.len));
    is_damaged("format 2 without a seal", 0);
    bl_buf_free(&good);
    bl_buf_free(&old);
}

static void the_newest_whole_checkpoint_comes_first(void **state) {
    (void)state;
    bl_buf a = {0}, back[2] = {{0}, {0}};
    int slot = 0;
    bl_err err;
    assert_int_equal(bl_store_load_checkpoints(&g_store, k_id, &slot, back, &err), BL_EMISSING);
    for (int i = 0; i < 3; i++) {
        bl_buf_clear(&a);
        bl_buf_printf(&a, "state %d", i);
        CHECK_OK(bl_store_save_checkpoint(&g_store, g_claim, k_id, &slot, &a, ERR));
    }
    CHECK_OK(bl_store_load_checkpoints(&g_store, k_id, &slot, back, ERR));
    assert_string_equal(back[0].data, "state 2");
    assert_string_equal(back[1].data, "state 1");
    assert_int_equal(slot, 1);
    /* Slots went A, B, A: the damaged newest is A. */
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s/checkpoint-A", g_store.dir, k_id));
    CHECK_OK(bl_file_write(path, "blckpt1\n", 8, ERR));
    for (int i = 0; i < 2; i++) bl_buf_clear(&back[i]);
    CHECK_OK(bl_store_load_checkpoints(&g_store, k_id, &slot, back, ERR));
    assert_string_equal(back[0].data, "state 1");
    assert_int_equal(back[1].len, 0);
    assert_int_equal(slot, 0);
    bl_store_drop_checkpoint(g_claim, 1);
    bl_buf_clear(&back[0]);
    assert_int_equal(bl_store_load_checkpoints(&g_store, k_id, &slot, back, &err), BL_EMISSING);
    bl_buf_free(&a);
    for (int i = 0; i < 2; i++) bl_buf_free(&back[i]);
}

/* What other processes see of a run that is not published proves itself. */
static void a_part_is_whole_or_nothing(void **state) {
    (void)state;
    char path[BL_PATH];
    bl_buf log = {0}, back = {0}, file = {0};
    bl_err err;
    make_log(&log, 3, 0);
    assert_int_equal(bl_store_load_part(&g_store, k_id, &back, &err), BL_EMISSING);
    CHECK_OK(bl_store_save_part(g_claim, &log, 3, "p3", ERR));
    CHECK_OK(bl_store_load_part(&g_store, k_id, &back, ERR));
    assert_string_equal(back.data, log.data);
    CHECK_OK(bl_path(path, ERR, "%s/%s/log.jsonl.part", g_store.dir, k_id));
    CHECK_OK(bl_file_read(&file, path, 1 << 20, ERR));
    for (size_t at = 0; at < log.len; at++) {
        file.data[at] ^= 1;
        CHECK_OK(put(path, file.data, file.len));
        bl_buf_clear(&back);
        assert_int_equal(bl_store_load_part(&g_store, k_id, &back, &err), BL_EFORMAT);
        file.data[at] ^= 1;
        CHECK_OK(put(path, file.data, at));
        bl_buf_clear(&back);
        assert_int_equal(bl_store_load_part(&g_store, k_id, &back, &err), BL_EFORMAT);
    }
    bl_store_drop_part(g_claim);
    assert_int_equal(bl_store_load_part(&g_store, k_id, &back, &err), BL_EMISSING);
    bl_buf_free(&log);
    bl_buf_free(&back);
    bl_buf_free(&file);
}

/* The message names the step and shows both lines; what was published stays as it was. */
static void a_mismatch_names_the_first_step(void **state) {
    (void)state;
    bl_err err;
    bl_stored run;
    CHECK_OK(publish(6, 0, ERR));
    assert_int_equal(publish(8, 4, &err), BL_EMISMATCH);
    assert_non_null(strstr(err.text, "in the records of step 4;"));
    assert_non_null(strstr(err.text, "published: {\"record\":\"eval\",\"step\":4,\"examples\":32,"
                                     "\"value\":6,"));
    assert_non_null(strstr(err.text, "now:       {\"record\":\"eval\",\"step\":4,\"examples\":32,"
                                     "\"value\":77,"));
    CHECK_OK(bl_store_load(&g_store, k_id, &run, ERR));
    assert_int_equal(run.steps, 6);
    assert_true(run.parsed.eval[3].value == 6.0);
    bl_stored_free(&run);
}

/* A log that was replaced by a longer one, its result not yet: killed between the two. */
static void a_log_may_go_beyond_its_result(void **state) {
    (void)state;
    char path[BL_PATH];
    bl_buf result = {0};
    bl_stored run;
    CHECK_OK(publish(4, 0, ERR));
    CHECK_OK(bl_path(path, ERR, "%s/%s/result.json", g_store.dir, k_id));
    CHECK_OK(bl_file_read(&result, path, 1 << 20, ERR));
    CHECK_OK(publish(7, 0, ERR));
    CHECK_OK(put(path, result.data, result.len));
    CHECK_OK(bl_store_load(&g_store, k_id, &run, ERR));
    assert_true(run.done);
    assert_int_equal(run.steps, 4);
    bl_stored_free(&run);
    CHECK_OK(publish(7, 0, ERR));
    CHECK_OK(bl_store_load(&g_store, k_id, &run, ERR));
    assert_int_equal(run.steps, 7);
    bl_stored_free(&run);
    bl_buf_free(&result);
}

static void gzip_is_strict_and_has_no_clock(void **state) {
    (void)state;
    bl_buf packed = {0}, text = {0};
    bl_err err;
    CHECK_OK(bl_gzip(&packed, "hello hello", 11, ERR));
    for (int i = 4; i < 8; i++) assert_int_equal(packed.data[i], 0); /* MTIME of RFC 1952 */
    for (size_t n = 0; n < packed.len; n++)
        assert_int_equal(bl_gunzip_one(&text, packed.data, n, 100, "x", &err), BL_EFORMAT);
    bl_buf_clear(&text);
    CHECK_OK(bl_gunzip_one(&text, packed.data, packed.len, 100, "x", ERR));
    assert_string_equal(text.data, "hello hello");
    assert_int_equal(bl_gunzip_one(&text, packed.data, packed.len, 10, "x", &err), BL_EFORMAT);
    bl_buf_add(&packed, "\0", 1);
    assert_int_equal(bl_gunzip_one(&text, packed.data, packed.len, 100, "x", &err), BL_EFORMAT);
    bl_buf_free(&packed);
    bl_buf_free(&text);
}

static void logs_are_checked_line_by_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"",                                                                                     "x: empty"                             },
        {"{\"record\":\"eval\",\"step\":1}\n",                                                   "x:1: a log begins with its one header"},
        {"{\"record\":\"header\",\"format\":1}\n{\"record\":\"header\",\"format\":1}\n",
         "x:2: a log begins with its one header"                                                                                        },
        {"{\"record\":\"header\",\"format\":2}\n",                                               "x: unknown log format"                },
        {"{\"record\":\"header\",\"format\":1}\n{\"record\":\"wat\"}\n",
         "x:2: unknown record 'wat'"                                                                                                    },
        {"{\"record\":\"header\",\"format\":1}\n{\"record\":\"eval\",\"step\":2}\n{\"record\":"
         "\"eval\",\"step\":2}\n",                                                      "x:3: step 2 does not follow step 2"   },
        {"{\"record\":\"header\",\"format\":1}\n{\"record\":",                                   "x:2: the line is cut off"             },
        {"{\"record\":\"header\",\"format\":1}\n{\"record\":\"footer\",\"log_sha256\":\"0\"}\n",
         "x:2: the footer's digest is not that of the log"                                                                              },
    };
    for (size_t i = 0; i < BL_COUNT(bad); i++) {
        bl_runlog log;
        bl_err err;
        assert_int_equal(bl_runlog_parse(&log, bad[i].text, strlen(bad[i].text), "x", &err),
                         BL_EFORMAT);
        assert_string_equal(err.text, bad[i].message);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_prefix_grows_and_never_shrinks, fresh_store,
                                        done_with_it),
        cmocka_unit_test_setup_teardown(probes_go_with_their_prefix, fresh_store, done_with_it),
        cmocka_unit_test_setup_teardown(two_different_results_of_one_run_are_a_mismatch,
                                        fresh_store, done_with_it),
        cmocka_unit_test_setup_teardown(damage_is_found, fresh_store, done_with_it),
        cmocka_unit_test_setup_teardown(results_of_format_1_are_read, fresh_store, done_with_it),
        cmocka_unit_test_setup_teardown(the_newest_whole_checkpoint_comes_first, fresh_store,
                                        done_with_it),
        cmocka_unit_test_setup_teardown(a_part_is_whole_or_nothing, fresh_store, done_with_it),
        cmocka_unit_test_setup_teardown(a_mismatch_names_the_first_step, fresh_store, done_with_it),
        cmocka_unit_test_setup_teardown(a_log_may_go_beyond_its_result, fresh_store, done_with_it),
        cmocka_unit_test(gzip_is_strict_and_has_no_clock),
        cmocka_unit_test(logs_are_checked_line_by_line),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
