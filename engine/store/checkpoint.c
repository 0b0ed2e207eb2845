/* Checkpoint files. Layout: 8 bytes magic, 8 bytes serial number (little endian), the state's
 * bytes, 64 hex digits: SHA-256 of all before them. Writing alternates between two names, so that
 * the other one is whole whatever happens to this one. */
#include "engine/base/mem.h"
#include "engine/store/store.h"
#include <stdio.h>
#include <string.h>

enum { HEAD = 16, TRAILER = BL_SHA256_HEX - 1 };
static const char k_magic[8] = "blckpt1\n";
static const char *const k_slot[2] = {"checkpoint-A", "checkpoint-B"};
/* What a program of the user's own has saved; its checkpoint says what belongs to it. */
static const char *const k_state[2] = {"state-A", "state-B"};
static const char k_part[] = "log.jsonl.part";

static uint64_t get_u64(const unsigned char *p) {
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--) v = v << 8 | p[i];
    return v;
}

static void add_u64(bl_buf *out, uint64_t value) {
    for (int i = 0; i < 8; i++) {
        const unsigned char byte = (unsigned char)(value >> (8 * i));
        bl_buf_add(out, &byte, 1);
    }
}

static bl_status read_file(const char *path, uint64_t *serial, bl_buf *state, bl_err *err) {
    bl_map map;
    BL_TRY(bl_file_map(&map, path, err));
    char digest[BL_SHA256_HEX];
    bool whole = map.size >= HEAD + TRAILER && memcmp(map.data, k_magic, sizeof k_magic) == 0;
    if (whole) {
        bl_sha256_of(map.data, map.size - TRAILER, digest);
        whole = memcmp(digest, map.data + map.size - TRAILER, TRAILER) == 0;
    }
    if (whole) {
        *serial = get_u64(map.data + sizeof k_magic);
        bl_buf_clear(state);
        bl_buf_add(state, map.data + HEAD, map.size - HEAD - TRAILER);
    }
    bl_file_unmap(&map);
    if (!whole) BL_FAIL(err, BL_EFORMAT, "%s: damaged checkpoint", path);
    return BL_OK;
}

static bl_status read_slot(const bl_store *store, const char *id, int slot, uint64_t *serial,
                           bl_buf *state, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s/%s", store->dir, id, k_slot[slot]));
    return read_file(path, serial, state, err);
}

bl_status bl_store_check_checkpoint(const char *path, bl_err *err) {
    uint64_t serial;
    bl_buf state = {0};
    const bl_status status = read_file(path, &serial, &state, err);
    bl_buf_free(&state);
    return status;
}

bl_status bl_store_load_checkpoints(const bl_store *store, const char *id, int *slot,
                                    bl_buf state[2], bl_err *err) {
    uint64_t serial[2] = {0, 0};
    bool ok[2];
    bl_err ignored; /* a damaged or absent one of the two is what the other is for */
    for (int i = 0; i < 2; i++)
        ok[i] = read_slot(store, id, i, &serial[i], &state[i], &ignored) == BL_OK;
    if (!ok[0] && !ok[1]) BL_FAIL(err, BL_EMISSING, "run %s has no checkpoint", id);
    const int newest = ok[1] && (!ok[0] || serial[1] > serial[0]) ? 1 : 0;
    if (newest == 1) {
        const bl_buf held = state[0];
        state[0] = state[1];
        state[1] = held;
    }
    *slot = 1 - newest;
    return BL_OK;
}

bl_status bl_store_save_checkpoint(const bl_store *store, bl_claim *claim, const char *id,
                                   int *slot, const bl_buf *state, bl_err *err) {
    bl_buf other = {0}, file = {0};
    uint64_t serial = 0;
    bl_err ignored;
    if (read_slot(store, id, 1 - *slot, &serial, &other, &ignored) != BL_OK) serial = 0;
    bl_buf_free(&other);
    serial++;
    bl_buf_add(&file, k_magic, sizeof k_magic);
    add_u64(&file, serial);
    bl_buf_add(&file, state->data, state->len);
    char digest[BL_SHA256_HEX];
    bl_sha256_of(file.data, file.len, digest);
    bl_buf_add(&file, digest, TRAILER);
    const bl_status status = bl_claim_write(claim, k_slot[*slot], file.data, file.len, err);
    bl_buf_free(&file);
    if (status == BL_OK) *slot = 1 - *slot;
    return status;
}

/* The tail: the log's bytes, their number as 8 bytes, little endian, and this mark. */
static const char k_tail[8] = "bltail1\n";

void bl_store_add_tail(bl_buf *state, const char *log, size_t n) {
    bl_buf_add(state, log, n);
    add_u64(state, n);
    bl_buf_add(state, k_tail, sizeof k_tail);
}

bool bl_store_cut_tail(bl_buf *state, bl_buf *log) {
    enum { TAIL_HEAD = 8 + sizeof k_tail };
    if (state->len < TAIL_HEAD ||
        memcmp(state->data + state->len - sizeof k_tail, k_tail, sizeof k_tail) != 0)
        return false;
    const size_t before = state->len - TAIL_HEAD;
    const uint64_t n = get_u64((const unsigned char *)state->data + before);
    if (n > before) return false;
    bl_buf_add(log, state->data + before - n, (size_t)n);
    bl_buf_truncate(state, before - (size_t)n);
    return true;
}

void bl_store_drop_checkpoint(bl_claim *claim, int slot) {
    bl_claim_remove(claim, k_slot[slot]);
    bl_claim_remove(claim, k_state[slot]);
}

bl_status bl_store_save_part(bl_claim *claim, const bl_buf *log, int64_t steps, const char *params,
                             bl_err *err) {
    bl_buf part = {0};
    bl_buf_add(&part, bl_buf_text(log), log->len);
    bl_runlog_footer(&part, "unfinished", steps, params);
    const bl_status status = bl_claim_write(claim, k_part, part.data, part.len, err);
    bl_buf_free(&part);
    return status;
}

/* Takes the footer off a whole log of this run. */
static bl_status open_log(bl_buf *log, const char *id, const char *path, bl_err *err) {
    bl_runlog parsed;
    BL_TRY(bl_runlog_parse(&parsed, bl_buf_text(log), log->len, path, err));
    const bool whole = parsed.whole && strcmp(parsed.run, id) == 0;
    bl_runlog_free(&parsed);
    if (!whole) BL_FAIL(err, BL_EFORMAT, "%s: not a whole log of run %s", path, id);
    size_t end = log->len - 1; /* without its last line */
    while (end > 0 && log->data[end - 1] != '\n') end--;
    bl_buf_truncate(log, end);
    return BL_OK;
}

bl_status bl_store_load_part(const bl_store *store, const char *id, bl_buf *log, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s/%s", store->dir, id, k_part));
    BL_TRY(bl_file_read(log, path, BL_RUNLOG_LIMIT, err));
    return open_log(log, id, path, err);
}

bl_status bl_store_load_lone_log(const bl_store *store, const char *id, bl_buf *log, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s/log.jsonl.gz", store->dir, id));
    BL_TRY(bl_runlog_read(log, path, err));
    return open_log(log, id, path, err);
}

void bl_store_drop_part(bl_claim *claim) {
    bl_claim_remove(claim, k_part);
}
