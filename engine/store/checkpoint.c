/* Checkpoint files. Layout: 8 bytes magic, 8 bytes serial number (little endian), the state's
 * bytes, 64 hex digits: SHA-256 of all before them. Writing alternates between two names, so that
 * the other one is whole whatever happens to this one. */
#include "engine/base/mem.h"
#include "engine/store/store.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 16, TRAILER = BL_SHA256_HEX - 1 };
static const char k_magic[8] = "blckpt1\n";
static const char *const k_slot[2] = {"checkpoint-A", "checkpoint-B"};

static uint64_t get_u64(const unsigned char *p) {
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--) v = v << 8 | p[i];
    return v;
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

bl_status bl_checkpoint_check(const char *path, bl_err *err) {
    uint64_t serial;
    bl_buf state = {0};
    const bl_status status = read_file(path, &serial, &state, err);
    bl_buf_free(&state);
    return status;
}

bl_status bl_store_load_checkpoint(const bl_store *store, const char *id, int *slot, bl_buf *state,
                                   bl_err *err) {
    bl_buf bytes[2] = {{0}, {0}};
    uint64_t serial[2] = {0, 0};
    bool ok[2];
    bl_err ignored; /* a damaged or absent one of the two is what the other is for */
    for (int i = 0; i < 2; i++)
        ok[i] = read_slot(store, id, i, &serial[i], &bytes[i], &ignored) == BL_OK;
    const int best = ok[1] && (!ok[0] || serial[1] > serial[0]) ? 1 : 0;
    if (ok[best]) bl_buf_add(state, bytes[best].data, bytes[best].len);
    for (int i = 0; i < 2; i++) bl_buf_free(&bytes[i]);
    if (!ok[best]) BL_FAIL(err, BL_EMISSING, "run %s has no checkpoint", id);
    *slot = 1 - best;
    return BL_OK;
}

bl_status bl_store_save_checkpoint(const bl_store *store, const char *id, int *slot,
                                   const bl_buf *state, const bl_buf *log, bl_err *err) {
    char dir[BL_PATH], path[BL_PATH];
    BL_TRY(bl_path(dir, err, "%s/%s", store->dir, id));
    BL_TRY(bl_make_dirs(dir, err));
    /* The log first: a checkpoint speaks of a log of at least its own length. */
    BL_TRY(bl_path(path, err, "%s/log.jsonl.part", dir));
    BL_TRY(bl_file_write(path, bl_buf_text(log), log->len, err));

    bl_buf other = {0}, file = {0};
    uint64_t serial = 0;
    bl_err ignored;
    if (read_slot(store, id, 1 - *slot, &serial, &other, &ignored) != BL_OK) serial = 0;
    bl_buf_free(&other);
    serial++;
    bl_buf_add(&file, k_magic, sizeof k_magic);
    for (int i = 0; i < 8; i++) {
        const unsigned char byte = (unsigned char)(serial >> (8 * i));
        bl_buf_add(&file, &byte, 1);
    }
    bl_buf_add(&file, state->data, state->len);
    char digest[BL_SHA256_HEX];
    bl_sha256_of(file.data, file.len, digest);
    bl_buf_add(&file, digest, TRAILER);
    bl_status status = bl_path(path, err, "%s/%s", dir, k_slot[*slot]);
    if (status == BL_OK) status = bl_file_write(path, file.data, file.len, err);
    bl_buf_free(&file);
    if (status == BL_OK) *slot = 1 - *slot;
    return status;
}

bl_status bl_store_load_part(const bl_store *store, const char *id, bl_buf *log, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s/log.jsonl.part", store->dir, id));
    return bl_file_read(log, path, BL_RUNLOG_LIMIT, err);
}

void bl_store_drop_part(const bl_store *store, const char *id) {
    char path[BL_PATH];
    if (bl_path(path, NULL, "%s/%s/log.jsonl.part", store->dir, id) == BL_OK) (void)unlink(path);
}
