/* Ids, and the reading of what was published. The text of an identity, here of a net's run, is
 * that of run.json, shortened here:
 *
 *     {"config":{"data.eval_rows":1000,...},"dataset":"<sha256>","epoch":1,"level":"exact"}
 *
 * Its SHA-256 gives the id: r and the first 12 hex digits. At level `device` a member "device"
 * follows, what the run was computed by. A program's run has "protocol", "inputs" and, from the
 * second on, "repeat" instead, since neither data set nor kernels of batchlab take part in it.
 *
 * What loading holds against what, so that a flipped bit anywhere is found:
 *
 *     result.json                 its own seal (format 2), and the id of the folder
 *     log.jsonl.gz                its digest in the result; unpacked, it has to have a footer
 *     the log's text, up to       its digest in the result
 *     the result's steps
 *
 * A log may be longer than its result says, when a process ended between the two writes. The text
 * behind the result's steps is dropped then, and the packed digest is not asked for. */
#include "engine/store/store.h"
#include "engine/base/gzip.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/seal.h"
#include "engine/config/validate.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { RESULT_LIMIT = 1 << 20 };

bl_status bl_store_open(bl_store *store, const char *runs_dir, const char *experiment, bool create,
                        bl_err *err) {
    store->index = NULL;
    BL_TRY(bl_path(store->dir, err, "%s/%s", runs_dir, experiment));
    return create ? bl_make_dirs(store->dir, err) : BL_OK;
}

bool bl_store_is_run_id(const char *name) {
    return strlen(name) == BL_RUN_ID - 1 && name[0] == 'r' &&
           strspn(name + 1, "0123456789abcdef") == BL_RUN_ID - 2;
}

/* `old`: as releases with ids of 12 digits and no r wrote it. Every byte decides the id: a
 * member that is new must be absent at its default. */
static void write_identity(bl_buf *out, const bl_config *config, bool old,
                           const char *dataset_sha256) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    if (old)
        bl_config_old_identity(config, bl_jw_slot(&w, "config"));
    else
        bl_config_identity(config, bl_jw_slot(&w, "config"));
    if (bl_config_is_external(config)) {
        bl_jw_i64(&w, "protocol", BL_EXTERNAL_PROTOCOL);
        bl_jw_str(&w, "inputs", config->external.inputs_sha256);
        if (config->external.repeat > 0) bl_jw_i64(&w, "repeat", config->external.repeat);
        bl_jw_end(&w);
        bl_jw_done(&w);
        return;
    }
    bl_jw_str(&w, "dataset", dataset_sha256);
    bl_jw_i64(&w, "epoch", old ? bl_config_old_epoch(config) : bl_config_numerics_epoch(config));
    bl_jw_str(&w, "level", config->numerics);
    if (config->computed_by[0] != '\0') bl_jw_str(&w, "device", config->computed_by);
    bl_jw_end(&w);
    bl_jw_done(&w);
}

void bl_store_run_identity(const bl_config *config, const char *dataset_sha256, char id[BL_RUN_ID],
                           bl_buf *text) {
    bl_buf identity = {0};
    char digest[BL_SHA256_HEX];
    write_identity(&identity, config, false, dataset_sha256);
    bl_sha256_of(identity.data, identity.len, digest);
    (void)snprintf(id, BL_RUN_ID, "r%.12s", digest);
    if (text != NULL) bl_buf_add(text, identity.data, identity.len);
    bl_buf_free(&identity);
}

void bl_store_old_identity(const bl_config *config, const char *dataset_sha256,
                           char id[BL_RUN_ID]) {
    bl_buf identity = {0};
    char digest[BL_SHA256_HEX];
    write_identity(&identity, config, true, dataset_sha256);
    bl_sha256_of(identity.data, identity.len, digest);
    (void)snprintf(id, BL_RUN_ID, "%.12s", digest);
    bl_buf_free(&identity);
}

void bl_stored_free(bl_stored *run) {
    bl_buf_free(&run->log);
    bl_runlog_free(&run->parsed);
    *run = (bl_stored){0};
}

/* The log holds at least what the result speaks of: a crash between the two writes of a longer
 * prefix leaves a log that goes on beyond its result, and that is fine. Otherwise the packed file
 * is the one that was published, down to the bytes of gzip's own header. */
static bl_status check_against_log(const bl_json *result, const char *path, const char *packed,
                                   bl_stored *out, bl_err *err) {
    const int64_t steps = bl_json_int(result, "steps", -1);
    const bl_runlog *log = &out->parsed;
    size_t last = 0;
    while (last < log->evals && log->eval[last].step < steps) last++;
    if (last == log->evals || log->eval[last].step != steps)
        BL_FAIL(err, BL_EFORMAT, "%s: its log has no evaluation at step %" PRId64, path, steps);
    char digest[BL_SHA256_HEX];
    bl_sha256_of(out->log.data, log->eval[last].end, digest);
    if (strcmp(digest, bl_json_text(result, "log_sha256", "")) != 0)
        BL_FAIL(err, BL_EFORMAT, "%s: its digest is not that of the log", path);
    const char *published = bl_json_text(result, "log_gz_sha256", packed);
    out->log_ahead = last + 1 < log->evals;
    if (!out->log_ahead && strcmp(packed, published) != 0)
        BL_FAIL(err, BL_EFORMAT, "%s: the packed log is not the published file", path);
    bl_buf_truncate(&out->log, log->eval[last].end);
    out->parsed.evals = last + 1;
    out->steps = steps;
    out->done = true;
    return BL_OK;
}

/* Format 1 had no seal. */
static bl_status check_result(const bl_buf *text, const bl_json *result, const char *id,
                              const char *path, bl_err *err) {
    const int64_t format = bl_json_int(result, "format", 0);
    const bool sealed = bl_json_get(result, "sha256") != NULL;
    if (format == 2 ? !bl_seal_holds(text->data, text->len) : format != 1 || sealed)
        BL_FAIL(err, BL_EFORMAT, "%s: its bytes are not those that were written", path);
    if (strcmp(bl_json_text(result, "run", ""), id) != 0)
        BL_FAIL(err, BL_EFORMAT, "%s: not the result of run %s", path, id);
    return BL_OK;
}

/* A folder in the place of a file cannot be read either, yet no disk is at fault: that is
 * damage, which is set aside, and not an error that ends the command. */
bl_status bl_store_or_damage(bl_status status, const char *path) {
    const bool unread = status == BL_EIO || status == BL_EMISSING;
    return unread && bl_file_is_other(path) ? BL_EFORMAT : status;
}

/* `text` keeps the bytes, which a seal is checked by; `out` is what they say. Both are the
 * caller's. */
bl_status bl_store_read_result(bl_json_doc *out, bl_buf *text, const char *path, bl_err *err) {
    *out = (bl_json_doc){0};
    BL_TRY(bl_store_or_damage(bl_file_read(text, path, RESULT_LIMIT, err), path));
    return bl_json_parse(out, bl_buf_text(text), text->len, path, 1, err);
}

/* Fills out->log and out->parsed. `packed`: the digest of the file's bytes as they lie. */
static bl_status read_log(bl_stored *out, const char *path, char packed[BL_SHA256_HEX],
                          bl_err *err) {
    bl_map map;
    BL_TRY(bl_store_or_damage(bl_file_map(&map, path, err), path));
    bl_sha256_of(map.data, map.size, packed);
    bl_status status = bl_gunzip_one(&out->log, map.data, map.size, BL_RUNLOG_LIMIT, path, err);
    bl_file_unmap(&map);
    if (status == BL_OK)
        status = bl_runlog_parse(&out->parsed, bl_buf_text(&out->log), out->log.len, path, err);
    if (status == BL_OK && !out->parsed.whole)
        status = BL_ERR(err, BL_EFORMAT, "%s: it has no footer", path);
    return status;
}

/* Its result is `result`, made from `text`, which was read from `path`. */
static bl_status load(const bl_store *store, const char *id, const bl_buf *text,
                      const bl_json *result, const char *path, bl_stored *out, bl_err *err) {
    char log_path[BL_PATH], packed[BL_SHA256_HEX];
    BL_TRY(bl_path(log_path, err, "%s/%s/log.jsonl.gz", store->dir, id));
    BL_TRY(check_result(text, result, id, path, err));
    BL_TRY(read_log(out, log_path, packed, err));
    return check_against_log(result, path, packed, out, err);
}

/* The quick look: the result and that a log is there. The log is not unpacked. */
bl_status bl_store_check_result(const bl_store *store, const char *id, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_json_doc doc = {0};
    bl_status status;
    BL_GOTO(bl_path(path, err, "%s/%s/result.json", store->dir, id));
    BL_GOTO(bl_store_read_result(&doc, &text, path, err));
    BL_GOTO(check_result(&text, doc.root, id, path, err));
    BL_GOTO(bl_path(path, err, "%s/%s/log.jsonl.gz", store->dir, id));
    if (!bl_file_exists(path)) status = BL_ERR(err, BL_EFORMAT, "%s is gone", path);
done:
    bl_json_free(&doc);
    bl_buf_free(&text);
    return status;
}

/* A look that fails (stat) finds a file; reading then says that there is none, which is no damage.
 */
bl_status bl_store_load(const bl_store *store, const char *id, bl_stored *out, bl_err *err) {
    *out = (bl_stored){0};
    char path[BL_PATH];
    bl_buf text = {0};
    bl_json_doc doc;
    BL_TRY(bl_path(path, err, "%s/%s/result.json", store->dir, id));
    if (!bl_file_exists(path) && !bl_file_is_other(path)) return BL_OK;
    bl_status status = bl_store_read_result(&doc, &text, path, err);
    const bool there = status != BL_EMISSING;
    if (status == BL_OK) status = load(store, id, &text, doc.root, path, out, err);
    bl_json_free(&doc);
    bl_buf_free(&text);
    if (status == BL_OK || !there) return BL_OK;
    bl_stored_free(out);
    /* A result without its log, or bytes that are not what they claim. */
    if (status != BL_EFORMAT && status != BL_EMISSING) return status;
    out->damaged = true;
    return BL_OK;
}

/* What is in the way and no file is set aside first: a rename cannot replace a folder. */
bl_status bl_store_write(const char *path, const void *bytes, size_t n, bl_err *err) {
    if (bl_file_is_other(path)) BL_TRY(bl_file_set_aside(path, err));
    return bl_file_write(path, bytes, n, err);
}
