/* Care of the store: every flipped bit of every file is found, repair loses no result, and what is
 * removed is only what nothing needs. */
#include "engine/base/gzip.h"
#include "engine/base/mem.h"
#include "engine/store/fsck.h"
#include "engine/store/gc.h"
#include "tests/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>

static bl_store g_store;
static char g_id[BL_RUN_ID];

static bl_status put(const char *name, const char *bytes, size_t n) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, ERR, "%s/%s", g_store.dir, name));
    FILE *f = fopen(path, "wb");
    const bool good = f != NULL && fwrite(bytes, 1, n, f) == n;
    return f != NULL && fclose(f) == 0 && good ? BL_OK : BL_EIO;
}

static const char *in_run(const char *name) {
    static char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_id, name));
    return path;
}

/* One finished run with its kept checkpoint, and the files of a sweep around it. */
static int fresh_store(void **state) {
    (void)state;
    static const char identity[] = "{\"config\":{},\"dataset\":\"d\"}";
    char dir[] = "/tmp/bl-fsck-XXXXXX", digest[BL_SHA256_HEX];
    bl_buf log = {0}, part = {0}, bytes = {0};
    if (mkdtemp(dir) == NULL || bl_store_open(&g_store, dir, "x", true, NULL) != BL_OK) return 1;
    bl_sha256_of(identity, strlen(identity), digest);
    memcpy(g_id, digest, sizeof g_id - 1);
    bl_buf_printf(&log,
                  "{\"record\":\"header\",\"format\":1,\"run\":\"%s\"}\n"
                  "{\"record\":\"eval\",\"step\":1,\"value\":2,\"params\":\"p\"}\n",
                  g_id);
    const bl_publication what = {.id = g_id,
                                 .identity = identity,
                                 .log = log.data,
                                 .log_n = log.len,
                                 .outcome = "budget",
                                 .params = "p",
                                 .environment = "{\"impl\":\"ref\"}",
                                 .steps = 1,
                                 .examples = 8,
                                 .evals = 1};
    int slot = 0;
    char folder[BL_PATH];
    bl_claims *claims = bl_claims_open();
    bl_claim *claim;
    CHECK_OK(bl_path(folder, ERR, "%s/%s", g_store.dir, g_id));
    CHECK_OK(bl_claim_acquire(claims, folder, &claim, ERR));
    CHECK_OK(bl_store_publish(&g_store, claim, &what, ERR));
    bl_buf_str(&bytes, "state");
    for (int i = 0; i < 2; i++)
        CHECK_OK(bl_store_save_checkpoint(&g_store, claim, g_id, &slot, &bytes, ERR));
    bl_claims_close(claims);
    CHECK_OK(put("plan.jsonl", "{\"record\":\"plan\"}\n", 18));
    bl_buf_free(&log);
    bl_buf_free(&part);
    bl_buf_free(&bytes);
    return 0;
}

static bl_fsck check(bool repair) {
    bl_fsck fsck = {.repair = repair};
    CHECK_OK(bl_store_fsck(&g_store, &fsck, ERR));
    return fsck;
}

static void every_flipped_bit_is_found(void **state) {
    (void)state;
    static const char *const files[] = {"run.json", "result.json", "log.jsonl.gz", "checkpoint-A",
                                        "checkpoint-B"};
    assert_int_equal(check(false).damage, 0);
    for (size_t f = 0; f < BL_COUNT(files); f++) {
        char path[BL_PATH];
        bl_buf good = {0};
        CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, in_run(files[f])));
        CHECK_OK(bl_file_read(&good, path, 1 << 20, ERR));
        for (size_t bit = 0; bit < 8 * good.len; bit++) {
            good.data[bit / 8] = (char)(good.data[bit / 8] ^ (1 << (bit % 8)));
            CHECK_OK(put(in_run(files[f]), good.data, good.len));
            if (check(false).damage != 1) fail_msg("%s: bit %zu: not found", files[f], bit);
            good.data[bit / 8] = (char)(good.data[bit / 8] ^ (1 << (bit % 8)));
        }
        for (size_t n = 0; n < good.len; n++) {
            CHECK_OK(put(in_run(files[f]), good.data, n));
            if (check(false).damage != 1) fail_msg("%s: cut at %zu: not found", files[f], n);
        }
        CHECK_OK(put(in_run(files[f]), good.data, good.len));
        bl_buf_free(&good);
    }
    assert_int_equal(check(false).damage, 0);
}

/* A log whose result was not written, or speaks of less, has only itself to be checked by. */
static void a_log_without_a_result_is_checked(void **state) {
    (void)state;
    char path[BL_PATH];
    bl_buf good = {0};
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, in_run("result.json")));
    assert_int_equal(remove(path), 0);
    assert_int_equal(check(false).damage, 0);
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, in_run("log.jsonl.gz")));
    CHECK_OK(bl_file_read(&good, path, 1 << 20, ERR));
    for (size_t bit = 0; bit < 8 * good.len; bit++) {
        good.data[bit / 8] = (char)(good.data[bit / 8] ^ (1 << (bit % 8)));
        CHECK_OK(put(in_run("log.jsonl.gz"), good.data, good.len));
        if (check(false).damage != 1) fail_msg("bit %zu: not found", bit);
        good.data[bit / 8] = (char)(good.data[bit / 8] ^ (1 << (bit % 8)));
    }
    bl_buf_free(&good);
}

static void a_log_ahead_of_its_result_is_checked_whole(void **state) {
    (void)state;
    char folder[BL_PATH], path[BL_PATH];
    bl_buf shorter = {0}, log = {0}, good = {0};
    bl_claims *claims = bl_claims_open();
    bl_claim *claim;
    bl_stored run;
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, in_run("result.json")));
    CHECK_OK(bl_file_read(&shorter, path, 1 << 20, ERR));
    CHECK_OK(bl_store_load(&g_store, g_id, &run, ERR));
    bl_buf_add(&log, run.log.data, run.log.len);
    bl_buf_str(&log, "{\"record\":\"eval\",\"step\":2,\"value\":1,\"params\":\"q\"}\n");
    bl_stored_free(&run);
    const bl_publication what = {.id = g_id,
                                 .identity = "{\"config\":{},\"dataset\":\"d\"}",
                                 .log = log.data,
                                 .log_n = log.len,
                                 .outcome = "budget",
                                 .params = "q",
                                 .environment = "{}",
                                 .steps = 2,
                                 .evals = 2};
    CHECK_OK(bl_path(folder, ERR, "%s/%s", g_store.dir, g_id));
    CHECK_OK(bl_claim_acquire(claims, folder, &claim, ERR));
    CHECK_OK(bl_store_publish(&g_store, claim, &what, ERR));
    bl_claims_close(claims);
    CHECK_OK(put(in_run("result.json"), shorter.data, shorter.len));
    assert_int_equal(check(false).damage, 0);
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, in_run("log.jsonl.gz")));
    CHECK_OK(bl_file_read(&good, path, 1 << 20, ERR));
    for (size_t bit = 0; bit < 8 * good.len; bit++) {
        good.data[bit / 8] = (char)(good.data[bit / 8] ^ (1 << (bit % 8)));
        CHECK_OK(put(in_run("log.jsonl.gz"), good.data, good.len));
        if (check(false).damage != 1) fail_msg("bit %zu: not found", bit);
        good.data[bit / 8] = (char)(good.data[bit / 8] ^ (1 << (bit % 8)));
    }
    bl_buf_free(&shorter);
    bl_buf_free(&log);
    bl_buf_free(&good);
}

/* A whole log of another run, and the run's own without its end. */
static void a_lone_log_is_this_run_s_and_whole(void **state) {
    (void)state;
    static const struct {
        const char *run;
        bool footer;
        size_t damage;
    } cases[] = {
        {g_id,           true,  0},
        {g_id,           false, 1},
        {"0123456789ab", true,  1}
    };
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, in_run("result.json")));
    assert_int_equal(remove(path), 0);
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        bl_buf log = {0}, packed = {0};
        bl_buf_printf(&log,
                      "{\"record\":\"header\",\"format\":1,\"run\":\"%s\"}\n"
                      "{\"record\":\"eval\",\"step\":1,\"value\":2,\"params\":\"p\"}\n",
                      cases[i].run);
        if (cases[i].footer) bl_runlog_footer(&log, "budget", 1, "p");
        CHECK_OK(bl_gzip(&packed, log.data, log.len, ERR));
        CHECK_OK(put(in_run("log.jsonl.gz"), packed.data, packed.len));
        if (check(false).damage != cases[i].damage) fail_msg("case %zu", i);
        bl_buf_free(&log);
        bl_buf_free(&packed);
    }
}

static void every_other_file_is_read(void **state) {
    (void)state;
    static const struct {
        const char *name;
        bool of_run;
        const char *text;
    } bad[] = {
        {"timing.jsonl.gz", true,  "{}\n"              },
        {"log.jsonl.part",  true,  "{\"record\":\"x\"}"},
        {"timing.json",     false, "{"                 },
        {"plan.jsonl",      false, ""                  },
        {"plan.jsonl",      false, "{}"                },
        {"plan.jsonl",      false, "{}\n{\n"           },
    };
    for (size_t i = 0; i < BL_COUNT(bad); i++) {
        const char *name = bad[i].of_run ? in_run(bad[i].name) : bad[i].name;
        CHECK_OK(put(name, bad[i].text, strlen(bad[i].text)));
        if (check(false).damage != 1) fail_msg("%s: '%s': not found", name, bad[i].text);
        if (check(true).mended != 1) fail_msg("%s: not set aside", name);
        assert_int_equal(check(false).damage, 0);
    }
    assert_int_equal(check(false).aside, BL_COUNT(bad)); /* none took another's place */
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, in_run("run.json")));
    assert_int_equal(remove(path), 0);
    assert_int_equal(check(false).damage, 1);
}

static void repair_sets_aside_and_keeps(void **state) {
    (void)state;
    bl_stored run;
    CHECK_OK(put(in_run("checkpoint-B"), "blckpt1\n", 8));
    CHECK_OK(put("plan.jsonl", "{\"record\":", 10));
    bl_fsck fsck = check(true);
    assert_int_equal(fsck.damage, 2);
    assert_int_equal(fsck.mended, 2);
    fsck = check(false);
    assert_int_equal(fsck.damage, 0);
    assert_int_equal(fsck.aside, 2);
    CHECK_OK(bl_store_load(&g_store, g_id, &run, ERR));
    assert_true(run.done); /* a damaged checkpoint costs no result */
    bl_stored_free(&run);
    CHECK_OK(put(in_run("result.json"), "{}", 2));
    fsck = check(true);
    assert_int_equal(fsck.damage, 1);
    assert_int_equal(fsck.mended, 1);
    fsck = check(false);
    assert_int_equal(fsck.runs, 0);
    assert_int_equal(fsck.damage, 0);
}

static void age(const char *name) {
    char path[BL_PATH];
    const struct timeval long_ago[2] = {
        {1000000000, 0},
        {1000000000, 0}
    };
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, name));
    assert_int_equal(utimes(path, long_ago), 0);
}

static void a_young_temporary_file_has_a_writer(void **state) {
    (void)state;
    CHECK_OK(put("plan.jsonl.tmp-AbC123", "x", 1));
    CHECK_OK(put(in_run("result.json.tmp-AbC123"), "x", 1));
    assert_int_equal(check(true).leftovers, 0);
    age("plan.jsonl.tmp-AbC123");
    age(in_run("result.json.tmp-AbC123"));
    assert_int_equal(check(false).leftovers, 2);
    assert_int_equal(check(true).leftovers, 2);
    assert_int_equal(check(true).leftovers, 0);
}

static void nobody_touches_a_run_that_is_claimed(void **state) {
    (void)state;
    char folder[BL_PATH];
    bl_gc gc = {0};
    bl_claims *claims = bl_claims_open();
    bl_claim *claim;
    CHECK_OK(bl_path(folder, ERR, "%s/%s", g_store.dir, g_id));
    CHECK_OK(bl_claim_acquire(claims, folder, &claim, ERR));
    assert_non_null(claim);
    CHECK_OK(put(in_run("result.json.tmp-AbC123"), "x", 1));
    age(in_run("result.json.tmp-AbC123"));
    CHECK_OK(put(in_run("checkpoint-B"), "blckpt1\n", 8));
    const bl_fsck fsck = check(true);
    assert_int_equal(fsck.damage, 1);
    assert_int_equal(fsck.mended, 0);
    assert_int_equal(fsck.leftovers, 0);
    CHECK_OK(bl_store_gc(&g_store, &gc, ERR));
    for (size_t i = 0; i < BL_GC_KINDS; i++) assert_int_equal(gc.kind[i].count, 0);
    bl_claims_close(claims);
    assert_int_equal(check(true).mended, 1);
}

static void a_dead_claim_is_a_leftover(void **state) {
    (void)state;
    static const char *const folders[] = {"claim.d", "claim.d/elsewhere-1-1-abcd"};
    for (size_t i = 0; i < BL_COUNT(folders); i++) {
        char path[BL_PATH];
        CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, in_run(folders[i])));
        assert_int_equal(mkdir(path, 0777), 0);
    }
    CHECK_OK(put(in_run("claim.d/elsewhere-1-1-abcd/beat"), "", 0));
    assert_int_equal(check(true).leftovers, 0);
    age(in_run("claim.d/elsewhere-1-1-abcd/beat"));
    assert_int_equal(check(false).leftovers, 1);
    assert_int_equal(check(true).leftovers, 1);
    assert_int_equal(check(true).leftovers, 0);
}

static bool nothing(void *ctx, const char *run) {
    (void)ctx, (void)run;
    return false;
}

static void gc_removes_what_nothing_needs(void **state) {
    (void)state;
    bl_stored run;
    CHECK_OK(put("plan.jsonl.tmp-AbC123", "xyz", 3));
    age("plan.jsonl.tmp-AbC123");
    CHECK_OK(put(in_run("timing.jsonl.gz.corrupt-1"), "xy", 2));
    for (int dry = 1; dry >= 0; dry--) {
        bl_gc gc = {.dry = dry};
        CHECK_OK(bl_store_gc(&g_store, &gc, ERR));
        assert_int_equal(gc.kind[BL_GC_TEMPORARY].bytes, 3);
        assert_int_equal(gc.kind[BL_GC_ASIDE].bytes, 2);
        assert_int_equal(gc.kind[BL_GC_CHECKPOINTS].count, 2);
        assert_int_equal(gc.kind[BL_GC_UNWANTED].count, 0);
    }
    bl_gc gc = {0};
    CHECK_OK(bl_store_gc(&g_store, &gc, ERR));
    for (size_t i = 0; i < BL_GC_KINDS; i++) assert_int_equal(gc.kind[i].count, 0);
    CHECK_OK(bl_store_load(&g_store, g_id, &run, ERR));
    assert_true(run.done);
    bl_stored_free(&run);
    gc.wanted = nothing;
    CHECK_OK(bl_store_gc(&g_store, &gc, ERR));
    assert_int_equal(gc.kind[BL_GC_UNWANTED].count, 1);
    CHECK_OK(bl_store_load(&g_store, g_id, &run, ERR));
    assert_false(run.done);
}

/* A run that is on its way keeps its checkpoints, also when a shorter prefix of it is done. */
static void gc_leaves_work_in_progress(void **state) {
    (void)state;
    bl_gc gc = {0};
    CHECK_OK(put(in_run("log.jsonl.part"), "{}\n", 3));
    CHECK_OK(bl_store_gc(&g_store, &gc, ERR));
    assert_int_equal(gc.kind[BL_GC_CHECKPOINTS].count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_flipped_bit_is_found, fresh_store),
        cmocka_unit_test_setup(a_log_without_a_result_is_checked, fresh_store),
        cmocka_unit_test_setup(a_log_ahead_of_its_result_is_checked_whole, fresh_store),
        cmocka_unit_test_setup(a_lone_log_is_this_run_s_and_whole, fresh_store),
        cmocka_unit_test_setup(every_other_file_is_read, fresh_store),
        cmocka_unit_test_setup(nobody_touches_a_run_that_is_claimed, fresh_store),
        cmocka_unit_test_setup(a_dead_claim_is_a_leftover, fresh_store),
        cmocka_unit_test_setup(repair_sets_aside_and_keeps, fresh_store),
        cmocka_unit_test_setup(a_young_temporary_file_has_a_writer, fresh_store),
        cmocka_unit_test_setup(gc_removes_what_nothing_needs, fresh_store),
        cmocka_unit_test_setup(gc_leaves_work_in_progress, fresh_store),
    };
    return cmocka_run_group_tests_name("fsck", tests, NULL, NULL);
}
