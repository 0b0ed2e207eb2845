/* The digest of the files that decide what a program computes. It is the SHA-256 of, for each
 * file in order,
 *
 *     NAME \0 SHA-256 of the file in hexadecimal \0
 *
 * with names relative to the experiment's folder, so that a project may move. The cache has a line
 * for each file,
 *
 *     size  time of change in ns  inode  SHA-256
 *
 * and a file with the same first three is not read again. */
#include "engine/external/inputs.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/base/vec.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEEPEST = 32, CACHE_LIMIT = 64 << 20 };

/* A file's digest, known by what changes when its bytes do. */
typedef struct known {
    bl_file_stamp stamp;
    char sha256[BL_SHA256_HEX];
} known;

typedef struct inputs {
    const char *folder;
    known *was, *now; /* the cache as read, and the files of this time */
    size_t was_count, now_count;
    bl_sha256 digest;
} inputs;

/* Lines that do not fit are passed over: what the cache lacks is hashed again. */
static void read_cache(inputs *in, const char *path) {
    bl_buf text = {0};
    bl_err ignored;
    if (path == NULL || bl_file_read(&text, path, CACHE_LIMIT, &ignored) != BL_OK) return;
    for (char *line = text.data; line != NULL && *line != '\0';) {
        known k;
        char *stop = strchr(line, '\n');
        if (sscanf(line, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %64[0-9a-f]", &k.stamp.size,
                   &k.stamp.mtime_ns, &k.stamp.inode, k.sha256) == 4)
            *BL_PUSH(in->was, in->was_count, "inputs") = k;
        line = stop != NULL ? stop + 1 : NULL;
    }
    bl_buf_free(&text);
}

static bool same(const bl_file_stamp *a, const bl_file_stamp *b) {
    return a->size == b->size && a->mtime_ns == b->mtime_ns && a->inode == b->inode;
}

/* Does the cache lack any of today's files, or have more? */
static bool has_changed(const inputs *in) {
    bool differs = in->was_count != in->now_count;
    for (size_t i = 0; i < in->now_count && !differs; i++)
        differs = !same(&in->was[i].stamp, &in->now[i].stamp);
    return differs;
}

/* What is not kept is hashed again. */
static void write_cache(const inputs *in, const char *path) {
    bl_buf text = {0};
    bl_err ignored;
    if (path == NULL || !has_changed(in)) return;
    for (size_t i = 0; i < in->now_count; i++) {
        const known *k = &in->now[i];
        bl_buf_printf(&text, "%" PRId64 " %" PRId64 " %" PRId64 " %s\n", k->stamp.size,
                      k->stamp.mtime_ns, k->stamp.inode, k->sha256);
    }
    const bl_status status = bl_file_write(path, text.data, text.len, &ignored);
    (void)status;
    bl_buf_free(&text);
}

static bl_status hash_file(char sha256[BL_SHA256_HEX], const char *path, bl_err *err) {
    bl_map map;
    BL_TRY(bl_file_map(&map, path, err));
    bl_sha256_of(map.data, map.size, sha256);
    bl_file_unmap(&map);
    return BL_OK;
}

/* `name` is as the digest has it: relative to the folder. */
static bl_status add_file(inputs *in, const char *name, const char *path, bl_err *err) {
    known k = {0};
    if (!bl_file_stat(&k.stamp, path))
        BL_FAIL(err, BL_EMISSING, "external.inputs: %s is not there", path);
    for (size_t i = 0; i < in->was_count && k.sha256[0] == '\0'; i++)
        if (same(&in->was[i].stamp, &k.stamp)) memcpy(k.sha256, in->was[i].sha256, sizeof k.sha256);
    if (k.sha256[0] == '\0') BL_TRY(hash_file(k.sha256, path, err));
    *BL_PUSH(in->now, in->now_count, "inputs") = k;
    bl_sha256_update(&in->digest, name, strlen(name) + 1);
    bl_sha256_update(&in->digest, k.sha256, BL_SHA256_HEX);
    return BL_OK;
}

/* What a program leaves beside its source. */
static bool is_left_out(const char *name) {
    const size_t n = strlen(name);
    return strcmp(name, "__pycache__") == 0 || (n > 4 && strcmp(name + n - 4, ".pyc") == 0);
}

/* A file, or all files below a folder in the order of their names. `name` begins with / where it
 * is no path below the experiment's folder. */
static bl_status add_path(inputs *in, const char *name, int depth, bl_err *err) {
    char path[BL_PATH], below[BL_PATH];
    struct stat st;
    bl_names names;
    BL_TRY(bl_path(path, err, name[0] == '/' ? "%.0s%s" : "%s/%s", in->folder, name));
    if (stat(path, &st) != 0) BL_FAIL(err, BL_EMISSING, "external.inputs: %s is not there", path);
    if (S_ISREG(st.st_mode)) return add_file(in, name, path, err);
    if (!S_ISDIR(st.st_mode) || depth == DEEPEST)
        BL_FAIL(err, BL_EINVAL, "external.inputs: %s is neither a file nor a folder to be read",
                path);
    BL_TRY(bl_dir_list(&names, path, err));
    bl_status status = BL_OK;
    for (size_t i = 0; i < names.count && status == BL_OK; i++) {
        if (is_left_out(names.name[i])) continue;
        status = bl_path(below, err, "%s/%s", name, names.name[i]);
        if (status == BL_OK) status = add_path(in, below, depth + 1, err);
    }
    bl_names_free(&names);
    return status;
}

static bl_status add_all(inputs *in, const char *list, bl_err *err) {
    bl_json_doc doc;
    bl_status status = BL_OK;
    if (list[0] == '\0') return BL_OK;
    BL_TRY(bl_json_parse(&doc, list, strlen(list), "external.inputs", 1, err));
    for (const bl_json *item = doc.root->first; item != NULL && status == BL_OK; item = item->next)
        status = add_path(in, item->string, 0, err);
    bl_json_free(&doc);
    return status;
}

bl_status bl_external_identify(bl_config *config, const char *folder, const char *cache, bool keep,
                               bl_err *err) {
    inputs in = {.folder = folder};
    if (!bl_config_is_external(config)) return BL_OK;
    BL_TRY(bl_path(config->external.folder, err, "%s", folder));
    read_cache(&in, cache);
    bl_sha256_init(&in.digest);
    bl_status status = add_all(&in, config->external.inputs, err);
    if (status == BL_OK && bl_config_is_imported(config))
        status = add_path(&in, config->external.imported, 0, err);
    if (status == BL_OK) {
        bl_sha256_hex(&in.digest, config->external.inputs_sha256);
        if (keep) write_cache(&in, cache);
    }
    free(in.was);
    free(in.now);
    return status;
}
