#include "engine/store/noise_file.h"
#include "engine/base/gzip.h"
#include "engine/noise/noise_record.h"
#include <stdio.h>
#include <string.h>

bl_status bl_store_write_noise(bl_claim *claim, const char *text, size_t n, bl_store_noise *out,
                               bl_err *err) {
    bl_buf packed = {0};
    bl_status status = bl_gzip(&packed, text, n, err);
    if (status == BL_OK)
        status = bl_claim_write(claim, BL_STORE_NOISE_FILE, packed.data, packed.len, err);
    bl_sha256_of(text, n, out->text);
    bl_sha256_of(bl_buf_text(&packed), packed.len, out->packed);
    bl_buf_free(&packed);
    return status;
}

/* What the result says; both digests "" where it does not speak of probes, or is not there. */
typedef struct claimed {
    bl_store_noise digest;
    int64_t steps;
    bool done;
} claimed;

/* What a run's result.json says of its probes; a run without one is not done, which is no error. */
static bl_status read_result(claimed *out, const bl_store *store, const char *id, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_json_doc doc = {0};
    *out = (claimed){0};
    BL_TRY(bl_path(path, err, "%s/%s/result.json", store->dir, id));
    const bl_status status = bl_store_read_result(&doc, &text, path, err);
    if (status == BL_OK) {
        out->done = true;
        out->steps = bl_json_int(doc.root, "steps", 0);
        (void)snprintf(out->digest.text, BL_SHA256_HEX, "%s",
                       bl_json_text(doc.root, "noise_sha256", ""));
        (void)snprintf(out->digest.packed, BL_SHA256_HEX, "%s",
                       bl_json_text(doc.root, "noise_gz_sha256", ""));
    }
    bl_json_free(&doc);
    bl_buf_free(&text);
    return status == BL_EMISSING ? BL_OK : status;
}

/* The file's text, and whether its own text packs to its bytes. */
typedef struct noise_file {
    char path[BL_PATH];
    bl_buf text;
    bl_noise_log log;
    char packed[BL_SHA256_HEX];
} noise_file;

static void close_file(noise_file *f) {
    bl_buf_free(&f->text);
    bl_noise_log_free(&f->log);
}

static bl_status open_file(noise_file *f, const bl_store *store, const char *id, bl_err *err) {
    bl_map map;
    *f = (noise_file){0};
    BL_TRY(bl_path(f->path, err, "%s/%s/" BL_STORE_NOISE_FILE, store->dir, id));
    const bl_status mapped = bl_file_map(&map, f->path, err);
    if (mapped == BL_EIO && bl_file_is_other(f->path)) return BL_EFORMAT;
    BL_TRY(mapped);
    bl_sha256_of(map.data, map.size, f->packed);
    bl_status status = bl_gunzip_one(&f->text, map.data, map.size, BL_RUNLOG_LIMIT, f->path, err);
    bl_file_unmap(&map);
    if (status == BL_OK)
        status = bl_noise_read(&f->log, bl_buf_text(&f->text), f->text.len, f->path, err);
    return status;
}

/* Cuts the text to the result's steps and holds it to the result's digests. *ahead: it went on. */
static bl_status hold(noise_file *f, const claimed *result, bool *ahead, bl_err *err) {
    char digest[BL_SHA256_HEX];
    const size_t n = bl_noise_prefix(&f->log, result->steps);
    *ahead = n < f->text.len;
    bl_sha256_of(bl_buf_text(&f->text), n, digest);
    if (strcmp(digest, result->digest.text) != 0 ||
        (!*ahead && strcmp(f->packed, result->digest.packed) != 0))
        BL_FAIL(err, BL_EFORMAT, "%s: these are not the probes that the result speaks of", f->path);
    bl_buf_truncate(&f->text, n);
    return BL_OK;
}

bl_status bl_store_load_noise(const bl_store *store, const char *id, bl_buf *text, bl_err *err) {
    claimed result;
    noise_file file;
    bool ahead;
    BL_TRY(read_result(&result, store, id, err));
    if (result.digest.text[0] == '\0')
        BL_FAIL(err, BL_EMISSING, "run %s has no probes of the gradient noise", id);
    bl_status status = open_file(&file, store, id, err);
    if (status == BL_EMISSING)
        status = BL_ERR(err, BL_EFORMAT, "%s is gone, and the result speaks of it", file.path);
    if (status == BL_OK) status = hold(&file, &result, &ahead, err);
    if (status == BL_OK) bl_buf_add(text, bl_buf_text(&file.text), file.text.len);
    close_file(&file);
    return status;
}

/* Nobody vouches for the packed bytes: the same text packs to them with the zlib that wrote it. */
static bl_status check_packing(const noise_file *f, const bl_buf *text, bl_err *err) {
    bl_buf packed = {0};
    char digest[BL_SHA256_HEX];
    bl_status status = bl_gzip(&packed, bl_buf_text(text), text->len, err);
    bl_sha256_of(bl_buf_text(&packed), packed.len, digest);
    bl_buf_free(&packed);
    if (status == BL_OK && strcmp(digest, f->packed) != 0)
        status = BL_ERR(err, BL_EFORMAT, "%s: its text is whole, but packs to other bytes here",
                        f->path);
    return status;
}

bl_status bl_store_check_noise(const bl_store *store, const char *id, bl_err *err) {
    claimed result;
    noise_file file;
    bl_buf whole = {0};
    bool ahead = false;
    BL_TRY(read_result(&result, store, id, err));
    const bool spoken_of = result.digest.text[0] != '\0';
    bl_status status = open_file(&file, store, id, err);
    if (status == BL_EMISSING) {
        close_file(&file);
        if (!spoken_of) return BL_OK;
        BL_FAIL(err, BL_EFORMAT, "%s is gone, and the result speaks of it", file.path);
    }
    if (status == BL_OK) {
        bl_buf_add(&whole, bl_buf_text(&file.text), file.text.len);
        if (spoken_of) status = hold(&file, &result, &ahead, err);
        if (status == BL_OK && (!spoken_of || ahead)) status = check_packing(&file, &whole, err);
    }
    bl_buf_free(&whole);
    close_file(&file);
    return status;
}
