/* Care of the store: every flipped bit of every file is found, repair loses no result, and what is
 * removed is only what nothing needs. */
#include "engine/base/gzip.h"
#include "engine/base/mem.h"
#include "engine/base/process.h"
#include "engine/store/fsck.h"
#include "engine/store/gc.h"
#include "engine/store/noise_file.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* A header and a probe at step 1. */
static const char probes[] =
    "{\"record\":\"header\",\"format\":1,\"run\":\"x\",\"share\":1,\"micro_batch\":2,\"batches\":4,"
    "\"rows\":9}\n"
    "{\"record\":\"noise\",\"step\":1,\"batch\":[2,4,8],\"plain\":{\"grad_sq\":[3,2,1],"
    "\"quarter_sq\":[1,2,3,4],\"product\":[1,2,3,4,5,6,7,8,9,10]}}\n";

/* One finished run with its kept checkpoint, and the files of a sweep around it. */
static int fresh_store(void **state) {
    (void)state;
    static const char identity[] = "{\"config\":{},\"dataset\":\"d\"}";
    char digest[BL_SHA256_HEX];
    bl_buf log = {0}, part = {0}, bytes = {0}, noise = {0};
    if (bl_store_open(&g_store, scratch_folder("fsck"), "x", true, NULL) != BL_OK) return 1;
    bl_sha256_of(identity, strlen(identity), digest);
    (void)snprintf(g_id, sizeof g_id, "r%.12s", digest);
    bl_buf_printf(&log,
                  "{\"record\":\"header\",\"format\":1,\"run\":\"%s\"}\n"
                  "{\"record\":\"eval\",\"step\":1,\"value\":2,\"params\":\"p\"}\n",
                  g_id);
    bl_buf_str(&noise, probes);
    const bl_publication what = {.id = g_id,
                                 .identity = identity,
                                 .log = log.data,
                                 .log_n = log.len,
                                 .noise = noise.data,
                                 .noise_n = noise.len,
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
    bl_buf_free(&noise);
    return 0;
}

static bl_fsck check(bool repair) {
    bl_fsck fsck = {.repair = repair};
    CHECK_OK(bl_store_fsck(&g_store, &fsck, ERR));
    return fsck;
}

static void every_flipped_bit_is_found(void **state) {
    (void)state;
    static const char *const files[] = {"run.json",       "result.json",  "log.jsonl.gz",
                                        "noise.jsonl.gz", "checkpoint-A", "checkpoint-B"};
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

static void make_folder(const char *name) {
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, name));
    CHECK_OK(bl_make_dirs(path, ERR));
}

/* Puts a folder, a FIFO or a link to nothing in a file's place. */
static void put_other(const char *name, int kind) {
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, name));
    (void)remove(path);
    if (kind == 0) make_folder(name);
    if (kind == 1) assert_int_equal(mkfifo(path, 0666), 0);
    if (kind == 2) assert_int_equal(symlink("nowhere", path), 0);
}

/* Probes that the result speaks of have to be there; what goes on beyond it is fine; a file that no
 * result speaks of is checked by itself. */
static void probes_go_with_their_result(void **state) {
    (void)state;
    char path[BL_PATH];
    bl_buf text = {0}, longer = {0}, packed = {0}, good = {0};
    bl_err err;
    CHECK_OK(bl_store_load_noise(&g_store, g_id, &text, ERR));
    assert_string_equal(bl_buf_text(&text), probes);
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, in_run("noise.jsonl.gz")));
    CHECK_OK(bl_file_read(&good, path, 1 << 20, ERR));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(check(false).damage, 1);
    assert_int_equal(bl_store_load_noise(&g_store, g_id, &text, &err), BL_EFORMAT);
    bl_buf_str(&longer, probes);
    bl_buf_str(&longer, strchr(probes, '\n') + 1);
    strstr(longer.data + strlen(probes), "\"step\":1")[7] = '2';
    CHECK_OK(bl_gzip(&packed, longer.data, longer.len, ERR));
    CHECK_OK(put(in_run("noise.jsonl.gz"), packed.data, packed.len));
    assert_int_equal(check(false).damage, 0);
    bl_buf_clear(&text);
    CHECK_OK(bl_store_load_noise(&g_store, g_id, &text, ERR));
    assert_string_equal(bl_buf_text(&text), probes);
    for (size_t bit = 0; bit < 8 * packed.len; bit++) {
        packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ (1 << (bit % 8)));
        CHECK_OK(put(in_run("noise.jsonl.gz"), packed.data, packed.len));
        if (check(false).damage != 1) fail_msg("bit %zu: not found", bit);
        packed.data[bit / 8] = (char)(packed.data[bit / 8] ^ (1 << (bit % 8)));
    }
    CHECK_OK(put(in_run("noise.jsonl.gz"), good.data, good.len));
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, in_run("result.json")));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(check(false).damage, 0);
    good.data[4] ^= 1; /* in gzip's own header */
    CHECK_OK(put(in_run("noise.jsonl.gz"), good.data, good.len));
    assert_int_equal(check(false).damage, 1);
    assert_int_equal(bl_store_load_noise(&g_store, g_id, &text, &err), BL_EMISSING);
    put_other(in_run("noise.jsonl.gz"), 2);
    assert_int_equal(check(false).damage, 1);
    bl_buf_free(&text), bl_buf_free(&longer), bl_buf_free(&packed), bl_buf_free(&good);
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
                                 .noise = probes,
                                 .noise_n = strlen(probes),
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
        {g_id,            true,  0},
        {g_id,            false, 1},
        {"r0123456789ab", true,  1}
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

/* The run's log with so many evaluations, and a footer. */
static void whole_log(bl_buf *out, int evals) {
    bl_buf_printf(out, "{\"record\":\"header\",\"format\":1,\"run\":\"%s\"}\n", g_id);
    for (int i = 1; i <= evals; i++)
        bl_buf_printf(out, "{\"record\":\"eval\",\"step\":%d,\"value\":2,\"params\":\"p\"}\n", i);
    bl_runlog_footer(out, "unfinished", evals, "p");
}

static bool is_there(const char *name) {
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_store.dir, name));
    return bl_file_exists(path) || bl_file_is_other(path);
}

/* The token of a process of this machine that has ended. */
static const char *dead_token(const char *before, const char *after) {
    static char name[256];
    char token[BL_PROCESS_TOKEN];
    int state;
    const pid_t child = fork();
    if (child == 0) _exit(0);
    assert_int_equal(waitpid(child, &state, 0), child);
    bl_process_token(token, sizeof token);
    (void)snprintf(name, sizeof name, "%s%.8s-%ld-1-0123456789abcdef%s", before, token, (long)child,
                   after);
    return name;
}

static void an_empty_claim_is_a_leftover(void **state) {
    (void)state;
    make_folder(in_run("claim.d"));
    assert_int_equal(check(false).leftovers, 1);
    assert_int_equal(check(true).leftovers, 1);
    assert_false(is_there(in_run("claim.d")));
}

static void a_dead_writer_s_file_is_a_leftover_at_once(void **state) {
    (void)state;
    char mine[BL_PROCESS_TOKEN], alive[256];
    bl_process_token(mine, sizeof mine);
    (void)snprintf(alive, sizeof alive, "plan.jsonl.tmp-%s", mine);
    CHECK_OK(put(alive, "x", 1));
    CHECK_OK(put(dead_token("plan.jsonl.tmp-", ""), "x", 1));
    CHECK_OK(put(in_run(dead_token("log.jsonl.gz.tmp-", "")), "x", 1));
    make_folder(in_run(dead_token("claim.d.tmp-", ".gone/inside")));
    assert_int_equal(check(false).leftovers, 3);
    assert_int_equal(check(true).leftovers, 3);
    assert_true(is_there(alive));
}

/* A run that was published by a process which was killed before it had tidied up, and files that
 * such processes leave beside: afterwards only what an undisturbed store has. */
static void the_next_run_tidies_up(void **state) {
    (void)state;
    bl_buf log = {0};
    bl_names names;
    whole_log(&log, 1);
    CHECK_OK(put(in_run("log.jsonl.part"), log.data, log.len));
    CHECK_OK(put(dead_token("plan.jsonl.tmp-", ""), "x", 1));
    CHECK_OK(put(in_run(dead_token("result.json.tmp-", "")), "x", 1));
    make_folder(in_run(dead_token("claim.d/", "")));
    make_folder(in_run(dead_token("claim.d.tmp-", "")));
    make_folder("measuring/claim.d");
    make_folder("r0123456789ab"); /* killed before its first file */
    CHECK_OK(bl_store_tidy(&g_store, ERR));
    CHECK_OK(bl_dir_list(&names, g_store.dir, ERR));
    assert_int_equal(names.count, 2);
    assert_string_equal(names.name[0], "plan.jsonl");
    assert_string_equal(names.name[1], g_id);
    bl_names_free(&names);
    static const char *const kept[] = {"checkpoint-A", "log.jsonl.gz", "noise.jsonl.gz",
                                       "result.json", "run.json"};
    char dir[BL_PATH];
    CHECK_OK(bl_path(dir, ERR, "%s/%s", g_store.dir, g_id));
    CHECK_OK(bl_dir_list(&names, dir, ERR));
    assert_int_equal(names.count, BL_COUNT(kept));
    for (size_t i = 0; i < BL_COUNT(kept); i++) assert_string_equal(names.name[i], kept[i]);
    bl_names_free(&names);
    bl_buf_free(&log);
}

/* A part that goes further than the result, and the checkpoint it belongs to, are work. */
static void tidying_up_keeps_work_in_progress(void **state) {
    (void)state;
    bl_buf log = {0};
    whole_log(&log, 2);
    CHECK_OK(put(in_run("log.jsonl.part"), log.data, log.len));
    CHECK_OK(bl_store_tidy(&g_store, ERR));
    assert_true(is_there(in_run("log.jsonl.part")));
    assert_true(is_there(in_run("checkpoint-A")) && is_there(in_run("checkpoint-B")));
    bl_buf_free(&log);
}

/* Unless the checkpoint has what the part says. */
static void a_part_beside_a_checkpoint_with_a_tail_is_a_leftover(void **state) {
    (void)state;
    bl_buf log = {0}, bytes = {0};
    bl_claims *claims = bl_claims_open();
    bl_claim *claim;
    char folder[BL_PATH];
    int slot = 0;
    CHECK_OK(bl_path(folder, ERR, "%s/%s", g_store.dir, g_id));
    CHECK_OK(bl_claim_acquire(claims, folder, &claim, ERR));
    bl_buf_str(&bytes, "state");
    bl_store_add_tail(&bytes, "tail", 4);
    CHECK_OK(bl_store_save_checkpoint(&g_store, claim, g_id, &slot, &bytes, ERR));
    bl_claims_close(claims);
    assert_true(bl_store_cut_tail(&bytes, &log));
    assert_string_equal(bytes.data, "state");
    assert_string_equal(log.data, "tail");
    assert_false(bl_store_cut_tail(&bytes, &log));
    bl_buf_clear(&log);
    whole_log(&log, 2);
    CHECK_OK(put(in_run("log.jsonl.part"), log.data, log.len));
    CHECK_OK(bl_store_tidy(&g_store, ERR));
    assert_false(is_there(in_run("log.jsonl.part")));
    assert_true(is_there(in_run("checkpoint-A")));
    assert_false(is_there(in_run("checkpoint-B")));
    bl_buf_free(&bytes);
    bl_buf_free(&log);
}

/* Nobody tidies up what another process works on. */
static void tidying_up_respects_claims(void **state) {
    (void)state;
    char folder[BL_PATH];
    bl_claim *claim;
    bl_claims *claims = bl_claims_open();
    CHECK_OK(bl_path(folder, ERR, "%s/%s", g_store.dir, g_id));
    CHECK_OK(bl_claim_acquire(claims, folder, &claim, ERR));
    CHECK_OK(put(in_run("log.jsonl.part"), "x", 1));
    CHECK_OK(bl_store_tidy(&g_store, ERR));
    assert_true(is_there(in_run("log.jsonl.part")) && is_there(in_run("checkpoint-B")));
    bl_claims_close(claims);
}

/* Whatever lies where a file of the store has to be and is none: damage, and repaired. */
static void what_is_no_file_is_damage(void **state) {
    (void)state;
    enum { KINDS = 3 };
    static const char *const of_run[] = {"result.json",   "log.jsonl.gz",   "run.json",
                                         "checkpoint-A",  "log.jsonl.part", "timing.jsonl.gz",
                                         "noise.jsonl.gz"};
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i <= BL_COUNT(of_run); i++) {
            bl_stored stored = {0};
            (void)fresh_store(NULL);
            const char *name = i < BL_COUNT(of_run) ? in_run(of_run[i]) : "timing.json";
            put_other(name, kind);
            if (check(false).damage < 1) fail_msg("%s, %d: not found", name, kind);
            CHECK_OK(bl_store_load(&g_store, g_id, &stored, ERR));
            if (i < 2 && !stored.damaged) fail_msg("%s, %d: not done again", name, kind);
            bl_stored_free(&stored);
            (void)check(true);
            if (check(false).damage != 0) fail_msg("%s, %d: not mended", name, kind);
        }
    }
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
        cmocka_unit_test_setup(probes_go_with_their_result, fresh_store),
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
        cmocka_unit_test_setup(an_empty_claim_is_a_leftover, fresh_store),
        cmocka_unit_test_setup(a_dead_writer_s_file_is_a_leftover_at_once, fresh_store),
        cmocka_unit_test_setup(the_next_run_tidies_up, fresh_store),
        cmocka_unit_test_setup(tidying_up_keeps_work_in_progress, fresh_store),
        cmocka_unit_test_setup(a_part_beside_a_checkpoint_with_a_tail_is_a_leftover, fresh_store),
        cmocka_unit_test_setup(tidying_up_respects_claims, fresh_store),
        cmocka_unit_test(what_is_no_file_is_damage),
    };
    return cmocka_run_group_tests_name("fsck", tests, NULL, NULL);
}
