/* The probes' file has no seal of its own: result.json holds the digests of its text up to the
 * result's steps and of its packed bytes. What is held against what:
 *
 *     text up to steps    always, where the result speaks of probes
 *     packed bytes        where the text ends at those steps
 *     packing anew        by fsck, where nothing vouches for the packed bytes
 */
#include "engine/store/noise_file.h"
#include "engine/base/gzip.h"
#include "engine/noise/noise_record.h"
#include <stdio.h>
#include <string.h>

/* What a result says of probes; both digests "" where it says nothing, or is not there. */
typedef struct claimed {
    char text[BL_SHA256_HEX], packed[BL_SHA256_HEX];
    int64_t steps;
} claimed;

static bool speaks(const claimed *result) {
    return result->text[0] != '\0';
}

static bl_status read_result(claimed *out, const bl_store *store, const char *id, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_json_doc doc = {0};
    *out = (claimed){0};
    BL_TRY(bl_path(path, err, "%s/%s/result.json", store->dir, id));
    const bl_status status = bl_store_read_result(&doc, &text, path, err);
    if (status == BL_OK) {
        out->steps = bl_json_int(doc.root, "steps", 0);
        (void)snprintf(out->text, BL_SHA256_HEX, "%s", bl_json_text(doc.root, "noise_sha256", ""));
        (void)snprintf(out->packed, BL_SHA256_HEX, "%s",
                       bl_json_text(doc.root, "noise_gz_sha256", ""));
    }
    bl_json_free(&doc);
    bl_buf_free(&text);
    return status == BL_EMISSING ? BL_OK : status;
}

typedef struct noise_file {
    char path[BL_PATH];
    bl_buf text;
    bl_noise_log log;
    char packed[BL_SHA256_HEX]; /* the digest of the file's bytes */
} noise_file;

static void close_file(noise_file *f) {
    bl_buf_free(&f->text);
    bl_noise_log_free(&f->log);
}

/* To be closed in any case. BL_EMISSING: it is not there, and the result does not speak of it. */
static bl_status open_file(noise_file *f, const bl_store *store, const char *id,
                           const claimed *result, bl_err *err) {
    bl_map map;
    *f = (noise_file){0};
    BL_TRY(bl_path(f->path, err, "%s/%s/%s", store->dir, id, BL_STORE_NOISE_FILE));
    bl_status status = bl_store_or_damage(bl_file_map(&map, f->path, err), f->path);
    if (status == BL_EMISSING && speaks(result))
        BL_FAIL(err, BL_EFORMAT, "%s is gone, and the result speaks of it", f->path);
    BL_TRY(status);
    bl_sha256_of(map.data, map.size, f->packed);
    status = bl_gunzip_one(&f->text, map.data, map.size, BL_RUNLOG_LIMIT, f->path, err);
    bl_file_unmap(&map);
    if (status == BL_OK)
        status = bl_noise_read(&f->log, bl_buf_text(&f->text), f->text.len, f->path, err);
    return status;
}

/* *n: bytes of the text up to the result's steps, which are held to the result's digests. */
static bl_status hold(const noise_file *f, const claimed *result, size_t *n, bl_err *err) {
    char digest[BL_SHA256_HEX];
    *n = bl_noise_prefix(&f->log, result->steps);
    bl_sha256_of(bl_buf_text(&f->text), *n, digest);
    if (strcmp(digest, result->text) != 0 ||
        (*n == f->text.len && strcmp(f->packed, result->packed) != 0))
        BL_FAIL(err, BL_EFORMAT, "%s: these are not the probes that the result speaks of", f->path);
    return BL_OK;
}

bl_status bl_store_load_noise(const bl_store *store, const char *id, bl_buf *text, bl_err *err) {
    claimed result;
    noise_file file;
    size_t n;
    BL_TRY(read_result(&result, store, id, err));
    if (!speaks(&result))
        BL_FAIL(err, BL_EMISSING, "run %s has no probes of the gradient noise", id);
    bl_status status = open_file(&file, store, id, &result, err);
    if (status == BL_OK) status = hold(&file, &result, &n, err);
    if (status == BL_OK) bl_buf_add(text, bl_buf_text(&file.text), n);
    close_file(&file);
    return status;
}

/* Nobody vouches for the packed bytes: the same text packs to them with the zlib that wrote it. */
static bl_status check_packing(const noise_file *f, bl_err *err) {
    bl_buf packed = {0};
    char digest[BL_SHA256_HEX];
    bl_status status = bl_gzip(&packed, bl_buf_text(&f->text), f->text.len, err);
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
    size_t held = 0;
    BL_TRY(read_result(&result, store, id, err));
    bl_status status = open_file(&file, store, id, &result, err);
    if (status == BL_OK && speaks(&result)) status = hold(&file, &result, &held, err);
    if (status == BL_OK && (!speaks(&result) || held < file.text.len))
        status = check_packing(&file, err);
    close_file(&file);
    return status == BL_EMISSING ? BL_OK : status;
}
