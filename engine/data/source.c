/* Source files: where they lie, and whether they are what was declared.
 *
 * A file may lie there as FILE or as FILE.gz. Two hashes can be declared: `sha256` of the content,
 * which holds for both forms, and `stored_sha256` of FILE.gz as it is. Where the stored hash
 * matches, the content is not unpacked to be hashed: that is what keeps a cached start fast. */
#include "engine/data/source.h"
#include "engine/base/gzip.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include <stdio.h>
#include <string.h>

bool bl_source_own_folder(const char *folder) {
    return folder[0] == '/' || folder[0] == '.';
}

/* Anything of that name counts: what is no plain file is refused when it is opened, by its name. */
static bool is_there(char path[BL_PATH], const char *folder, const char *file, const char *suffix) {
    bl_file_stamp stamp;
    const int length = snprintf(path, BL_PATH, "%s/%s%s", folder, file, suffix);
    return length > 0 && length < BL_PATH && (bl_file_exists(path) || bl_file_stat(&stamp, path));
}

bool bl_source_find(char path[BL_PATH], const char *data_path, const char *folder,
                    const char *file) {
    if (bl_source_own_folder(folder))
        return is_there(path, folder, file, "") || is_there(path, folder, file, ".gz");
    for (const char *at = data_path; at != NULL;) {
        char below[BL_PATH];
        const size_t n = strcspn(at, ":");
        const int length = snprintf(below, sizeof below, "%.*s/%s", (int)n, at, folder);
        if (n > 0 && length > 0 && length < BL_PATH &&
            (is_there(path, below, file, ".gz") || is_there(path, below, file, "")))
            return true;
        at = at[n] != '\0' ? at + n + 1 : NULL;
    }
    return false;
}

/* Fails with both hashes and where the file can be had. `what` is how unpacking it went wrong, or
 * "". */
static bl_status fail_altered(const bl_source *s, const bl_manifest *m, const bl_source_decl *decl,
                              const char *expected, const char *found, const char *what,
                              bl_err *err) {
    bl_buf where = {0};
    if (bl_source_own_folder(m->folder))
        bl_buf_printf(&where, "if it was meant to change: batchlab init %s --name %s --update",
                      s->path, m->name);
    else
        bl_buf_printf(&where, "get it from %s", m->origin);
    (void)BL_ERR(err, BL_EFORMAT,
                 "%s: not the file that %s:%d declares%s\n"
                 "  expected SHA-256 %s%s\n"
                 "  found    SHA-256 %s\n"
                 "  %s",
                 s->path, decl->node->file, decl->node->line, what, expected,
                 s->gzip ? (expected == decl->sha256 ? " (uncompressed)" : " (as stored)") : "",
                 found, bl_buf_text(&where));
    bl_buf_free(&where);
    return BL_EFORMAT;
}

/* The content's hash: by the stored file's hash if that is the declared one, otherwise computed. */
static bl_status check_content(bl_source *s, const bl_manifest *m, const bl_source_decl *decl,
                               bl_err *err) {
    char stored[65], what[256];
    const char *text;
    size_t n;
    bl_sha256_of(s->map.data, s->map.size, stored);
    if (!s->gzip) {
        memcpy(s->content_sha256, stored, sizeof stored);
    } else if (decl->sha256 != NULL && decl->stored_sha256 != NULL &&
               strcmp(stored, decl->stored_sha256) == 0) {
        memcpy(s->content_sha256, decl->sha256, sizeof stored);
        return BL_OK;
    } else {
        bl_err reason = {0};
        if (bl_source_text(s, &text, &n, &reason) != BL_OK) {
            if (decl->stored_sha256 == NULL) {
                if (err != NULL) *err = reason;
                return reason.code;
            }
            snprintf(what, sizeof what, "%.*s", (int)sizeof what - 1,
                     reason.text + bl_size_min(strlen(s->path), strlen(reason.text)));
            return fail_altered(s, m, decl, decl->stored_sha256, stored, what, err);
        }
        bl_sha256_of(text, n, s->content_sha256);
    }
    if (decl->sha256 != NULL && strcmp(s->content_sha256, decl->sha256) != 0)
        return fail_altered(s, m, decl, decl->sha256, s->content_sha256, "", err);
    return BL_OK;
}

bl_status bl_source_open(bl_source *source, const char *path, const bl_manifest *manifest,
                         const bl_source_decl *decl, bl_err *err) {
    *source = (bl_source){0};
    const size_t n = strlen(path);
    BL_TRY(bl_path(source->path, err, "%s", path));
    source->gzip = n > 3 && strcmp(path + n - 3, ".gz") == 0;
    BL_TRY(bl_file_map(&source->map, path, err));
    const bl_status status = check_content(source, manifest, decl, err);
    if (status != BL_OK) bl_source_close(source);
    return status;
}

/* Unpacks a .gz at the first call. An empty file has no mapping, and its text is "". */
bl_status bl_source_text(bl_source *source, const char **text, size_t *n, bl_err *err) {
    if (source->gzip && source->text.len == 0)
        BL_TRY(bl_gunzip(&source->text, source->map.data, source->map.size, source->path, err));
    const char *plain = source->map.data != NULL ? (const char *)source->map.data : "";
    *text = source->gzip ? bl_buf_text(&source->text) : plain;
    *n = source->gzip ? source->text.len : source->map.size;
    return BL_OK;
}

/* May be called twice, and for a source that could not be opened. */
void bl_source_close(bl_source *source) {
    if (source->path[0] != '\0' && source->map.data != NULL) bl_file_unmap(&source->map);
    bl_buf_free(&source->text);
    *source = (bl_source){0};
}
