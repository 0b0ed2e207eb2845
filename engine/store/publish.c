/* Publishing a run, by the holder of its claim (docs/store.md).
 *
 *     run.json  ->  log.jsonl.gz, noise.jsonl.gz  ->  before_result()  ->  result.json
 *
 * The result makes a run done, so it comes last: at any moment, and after a kill between any two of
 * these, the log beside a result goes at least as far as the result says, and what a done run keeps
 * besides is there. A reader takes the result first and the log after it.
 *
 * The first result is made with link(), which replaces nothing. If one appeared meanwhile, both are
 * compared as far as both go: equal runs have equal logs, and a difference is BL_EMISMATCH, which
 * changes nothing in the store. A longer prefix replaces a shorter one; a shorter one is dropped.
 *
 * A run whose result or log is damaged is set aside whole, to ID.corrupt-N, before it is published
 * again: its result first, since without that the run is to be done again, whatever else was moved.
 */
#include "engine/base/gzip.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/seal.h"
#include "engine/store/noise_file.h"
#include "engine/store/store.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { SHOWN = 400 }; /* bytes of a differing line that a message shows */

static bl_status new_corrupt_folder(char path[BL_PATH], const char *dir, bl_err *err) {
    for (int n = 1;; n++) {
        BL_TRY(bl_path(path, err, "%s.corrupt-%d", dir, n));
        if (mkdir(path, 0777) == 0) return BL_OK;
        if (errno != EEXIST)
            BL_FAIL(err, BL_EIO, "cannot make the folder %s: %s", path, strerror(errno));
    }
}

/* The result moves first: after a kill in between, the run counts as not done. */
bl_status bl_store_set_aside(const bl_store *store, bl_claim *claim, const char *id, bl_err *err) {
    char dir[BL_PATH], corrupt[BL_PATH], to[BL_PATH];
    static const char result[] = "result.json";
    bl_names names;
    BL_TRY(bl_path(dir, err, "%s/%s", store->dir, id));
    BL_TRY(new_corrupt_folder(corrupt, dir, err));
    /* Without its result the run is to be done again, whatever of the rest is moved by then. */
    BL_TRY(bl_path(to, err, "%s/%s", dir, result));
    if (bl_file_exists(to) || bl_file_is_other(to)) {
        BL_TRY(bl_path(to, err, "%s/%s", corrupt, result));
        BL_TRY(bl_claim_move(claim, result, to, err));
    }
    BL_TRY(bl_dir_list(&names, dir, err));
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        if (strncmp(names.name[i], "claim.d", 7) == 0) continue;
        status = bl_path(to, err, "%s/%s", corrupt, names.name[i]);
        if (status == BL_OK) status = bl_claim_move(claim, names.name[i], to, err);
    }
    bl_names_free(&names);
    return status;
}

static size_t line_at(const char *text, size_t at) {
    while (at > 0 && text[at - 1] != '\n') at--;
    return at;
}

static int line_length(const char *text, size_t n, size_t at) {
    const char *end = memchr(text + at, '\n', n - at);
    const size_t length = (end != NULL ? (size_t)(end - text) : n) - at;
    return (int)bl_size_min(length, SHOWN);
}

/* The step whose records differ first, with both lines. */
static bl_status differ(const bl_publication *what, const bl_stored *there, size_t at,
                        bl_err *err) {
    const bl_runlog *log = &there->parsed;
    const char *old = there->log.data;
    const size_t line = line_at(old, at);
    size_t i = 0;
    while (i + 1 < log->evals && log->eval[i].end <= at) i++;
    BL_FAIL(err, BL_EMISMATCH,
            "run %s was done twice with different logs: this machine or program is not "
            "deterministic.\nThe first difference is in the records of step %" PRId64
            "; what was published stays:\n  published: %.*s\n  now:       %.*s",
            what->id, log->eval[i].step, line_length(old, there->log.len, line), old + line,
            line_length(what->log, what->log_n, line), what->log + line);
}

/* Two computations of one run agree as far as both go. *there: a result is published, *longer: it
 * says at least as much as `what`. */
static bl_status compare_published(const bl_store *store, bl_claim *claim,
                                   const bl_publication *what, bool *there, bool *longer,
                                   bl_err *err) {
    bl_stored found;
    BL_TRY(bl_store_load(store, what->id, &found, err));
    bl_status status = found.damaged ? bl_store_set_aside(store, claim, what->id, err) : BL_OK;
    *there = found.done;
    *longer = found.done && found.steps >= what->steps;
    if (found.done) {
        const size_t both = bl_size_min(found.log.len, what->log_n);
        size_t at = 0;
        while (at < both && found.log.data[at] == what->log[at]) at++;
        if (at < both) status = differ(what, &found, at, err);
    }
    bl_stored_free(&found);
    return status;
}

/* `sum` is of the packed bytes. */
static bl_status write_packed(bl_claim *claim, const char *file, const char *text, size_t n,
                              char sum[BL_SHA256_HEX], bl_err *err) {
    bl_buf packed = {0};
    bl_status status = bl_gzip(&packed, text, n, err);
    if (status == BL_OK) status = bl_claim_write(claim, file, packed.data, packed.len, err);
    bl_sha256_of(bl_buf_text(&packed), packed.len, sum);
    bl_buf_free(&packed);
    return status;
}

static bl_status write_log(bl_claim *claim, const bl_publication *what, char sum[BL_SHA256_HEX],
                           bl_err *err) {
    bl_buf log = {0};
    bl_buf_add(&log, what->log, what->log_n);
    bl_runlog_footer(&log, what->outcome, what->steps, what->params);
    const bl_status status = write_packed(claim, "log.jsonl.gz", log.data, log.len, sum, err);
    bl_buf_free(&log);
    return status;
}

/* The digests of a text and of its packed file. */
static void add_digests(bl_jw *w, const char *key, const char *text, size_t n, const char *key_gz,
                        const char *packed) {
    char digest[BL_SHA256_HEX];
    bl_sha256_of(text, n, digest);
    bl_jw_str(w, key, digest);
    bl_jw_str(w, key_gz, packed);
}

/* *won is false when another result appeared where there was none. */
static bl_status write_result(bl_claim *claim, const bl_publication *what, const char *packed,
                              const char *packed_noise, bool there, bool *won, bl_err *err) {
    bl_buf result = {0};
    bl_jw w = bl_jw_open(&result);
    bl_jw_object(&w, NULL);
    bl_jw_i64(&w, "format", 2);
    bl_jw_str(&w, "run", what->id);
    bl_jw_str(&w, "outcome", what->outcome);
    bl_jw_i64(&w, "steps", what->steps);
    bl_jw_i64(&w, "examples", what->examples);
    bl_jw_i64(&w, "evals", what->evals);
    bl_jw_str(&w, "params", what->params);
    add_digests(&w, "log_sha256", what->log, what->log_n, "log_gz_sha256", packed);
    if (what->noise_n > 0)
        add_digests(&w, "noise_sha256", what->noise, what->noise_n, "noise_gz_sha256",
                    packed_noise);
    bl_jw_newline(&w, 1);
    bl_jw_raw(&w, "environment", what->environment);
    bl_seal(&result);
    *won = true;
    const bl_status status =
        there ? bl_claim_write(claim, "result.json", result.data, result.len, err)
              : bl_claim_publish(claim, "result.json", result.data, result.len, won, err);
    bl_buf_free(&result);
    return status;
}

bl_status bl_store_publish(const bl_store *store, bl_claim *claim, const bl_publication *what,
                           bl_err *err) {
    enum { MOST_ATTEMPTS = 8 };
    for (int i = 0; i < MOST_ATTEMPTS; i++) {
        char packed[BL_SHA256_HEX], packed_noise[BL_SHA256_HEX];
        bool there, longer, won;
        BL_TRY(compare_published(store, claim, what, &there, &longer, err));
        if (longer) return BL_OK;
        BL_TRY(bl_claim_write(claim, "run.json", what->identity, strlen(what->identity), err));
        BL_TRY(write_log(claim, what, packed, err));
        if (what->noise_n > 0)
            BL_TRY(write_packed(claim, BL_STORE_NOISE_FILE, what->noise, what->noise_n,
                                packed_noise, err));
        if (what->before_result != NULL) BL_TRY(what->before_result(what->ctx, err));
        BL_TRY(write_result(claim, what, packed, packed_noise, there, &won, err));
        /* Probes of a shorter prefix, which the new result does not speak of. */
        if (won && what->noise_n == 0) bl_claim_remove(claim, BL_STORE_NOISE_FILE);
        if (won) return BL_OK;
    }
    BL_FAIL(err, BL_EIO, "%s/%s/result.json exists and cannot be read", store->dir, what->id);
}
