#include "engine/cli/given_files.h"
#include "engine/base/gzip.h"
#include "engine/base/sha256.h"
#include "engine/config/value.h"
#include <string.h>

/* ---- the name ---- */

bl_status bl_given_name(char out[BL_NAME], const char *path, const char *given, bl_err *err) {
    const char *end = path + strlen(path); /* without the slashes behind a folder's name */
    while (end > path + 1 && end[-1] == '/') end--;
    const char *base = end;
    while (base > path && base[-1] != '/') base--;
    const char *from = given != NULL ? given : base;
    const size_t length =
        given != NULL ? strlen(given) : bl_size_min(strcspn(from, "."), (size_t)(end - base));
    size_t n = 0;
    for (size_t i = 0; i < length && n < BL_NAME - 1; i++) {
        const unsigned char c = (unsigned char)from[i];
        const bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
        if (letter || (c >= '0' && c <= '9'))
            out[n++] = (char)(letter ? c | 32 : c);
        else if (n > 0 && out[n - 1] != '_')
            out[n++] = '_';
    }
    while (n > 0 && out[n - 1] == '_') n--;
    out[n] = '\0';
    if (!bl_value_is_name(out) || strcmp(out, "none") == 0)
        BL_FAIL(err, BL_EINVAL,
                "'%.*s' makes no name for an experiment (a-z, 0-9 and _, not \"none\"): give one "
                "with --name",
                (int)bl_size_min(length, 80), from);
    return BL_OK;
}

/* ---- the files ---- */

typedef struct content {
    bl_map map;
    bl_buf text; /* unpacked */
} content;

/* Files that are no text, by their first bytes: what they are and what makes a table of them. */
static bl_status refuse_formats(const char *path, const bl_map *map, bl_err *err) {
    static const struct {
        const char *magic, *what;
    } formats[] = {
        {"PAR1",
         "a Parquet file; duckdb -c \"copy '%s' to 'table.csv' (header)\" makes a CSV file"     },
        {"PK\3\4",           "a spreadsheet or an archive (%s): save it as CSV; arrays are .npz"},
        {"SQLite f",         "a database (%s): export the table as CSV"                         },
        {"\x89HDF",          "an HDF5 file (%s): export the table as CSV"                       },
        {"\x93NUMPY",        "a NumPy array (%s): call it X.npy, and its target y.npy"          },
        {"\x28\xB5\x2F\xFD", "packed by zstd: unzstd %s"                                        },
        {"BZh",              "packed by bzip2: bunzip2 %s"                                      },
        {"\xFD"
         "7zXZ",    "packed by xz: unxz %s"                                            },
    };
    for (size_t i = 0; i < BL_COUNT(formats); i++) {
        const size_t n = strlen(formats[i].magic);
        if (map->size < n || memcmp(map->data, formats[i].magic, n) != 0) continue;
        bl_buf text = {0};
        for (const char *p = formats[i].what; *p != '\0'; p++) {
            const bool name = p[0] == '%' && p[1] == 's';
            bl_buf_add(&text, name ? path : p, name ? strlen(path) : 1);
            p += name;
        }
        (void)BL_ERR(err, BL_EFORMAT, "%s: this is %s", path, bl_buf_text(&text));
        bl_buf_free(&text);
        return BL_EFORMAT;
    }
    return BL_OK;
}

/* The content's digest, piece by piece. */
static void digest(const bl_infer_source *s, char out[65]) {
    enum { PIECE = 16 << 20 };
    bl_sha256 ctx;
    bl_sha256_init(&ctx);
    for (size_t at = 0, n; at < s->n; at += n) {
        n = bl_size_min(PIECE, s->n - at);
        bl_sha256_update(&ctx, s->text + at, n);
        if (s->mapped) bl_file_passed(s->text + at, n);
    }
    bl_sha256_hex(&ctx, out);
}

/* File i: mapped, unpacked where it is .gz, and its digest. Other packings and formats are
 * refused with what helps. */
static bl_status open_file(bl_given_files *t, size_t i, const char *path, bl_err *err) {
    content *c = (content *)t->owned + i;
    const char *slash = strrchr(path, '/');
    const size_t length = strlen(slash != NULL ? slash + 1 : path);
    char *name = bl_xstrdup(slash != NULL ? slash + 1 : path);
    t->file[i] = name;
    t->count = i + 1;
    BL_TRY(bl_file_map(&c->map, path, err));
    BL_TRY(refuse_formats(path, &c->map, err));
    const bool packed = c->map.size > 2 && c->map.data[0] == 0x1F && c->map.data[1] == 0x8B;
    if (packed && (length < 4 || strcmp(name + length - 3, ".gz") != 0))
        BL_FAIL(err, BL_EFORMAT, "%s: this is packed by gzip: call it %s.gz", path, path);
    if (packed) {
        name[length - 3] = '\0';
        BL_TRY(bl_gunzip(&c->text, c->map.data, c->map.size, path, err));
    }
    const char *plain = c->map.size > 0 ? (const char *)c->map.data : "";
    t->source[i] = (bl_infer_source){.path = path,
                                     .text = packed ? bl_buf_text(&c->text) : plain,
                                     .n = packed ? c->text.len : c->map.size,
                                     .mapped = !packed && c->map.size > 0};
    digest(&t->source[i], t->sha256[i]);
    return BL_OK;
}

/* Where the file lies: an absolute folder, or one below this one as "./...". */
static bl_status folder_of(char out[BL_PATH], const char *path, bl_err *err) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return bl_path(out, err, ".");
    const char *lead = path[0] == '/' || path[0] == '.' ? "" : "./";
    return bl_path(out, err, "%s%.*s", lead, slash == path ? 1 : (int)(slash - path), path);
}

/* Of many files the names in the declaration are without folders, hence one folder for all. A
 * file that is given twice would train its rows twice. */
bl_status bl_given_files_open(bl_given_files *out, const bl_args *args, bl_err *err) {
    const size_t count = args->mores + 1;
    *out = (bl_given_files){0};
    out->source = bl_xalloc(count * sizeof *out->source);
    out->file = bl_xalloc(count * sizeof *out->file);
    out->sha256 = bl_xalloc(count * sizeof *out->sha256);
    out->owned = bl_xalloc(count * sizeof(content));
    for (size_t i = 0; i < count; i++) {
        const char *path = i == 0 ? args->operand : args->more[i - 1];
        char folder[BL_PATH];
        BL_TRY(folder_of(folder, path, err));
        if (i == 0) memcpy(out->folder, folder, sizeof folder);
        if (strcmp(folder, out->folder) != 0)
            BL_FAIL(err, BL_EINVAL, "%s and %s: the files of one table lie in one folder",
                    args->operand, path);
        BL_TRY(open_file(out, i, path, err));
        for (size_t k = 0; k < i; k++)
            if (strcmp(out->file[k], out->file[i]) == 0)
                BL_FAIL(err, BL_EINVAL, "%s and %s are one file: give it once", out->source[k].path,
                        path);
    }
    return BL_OK;
}

void bl_given_files_close(bl_given_files *t) {
    content *c = t->owned;
    for (size_t i = 0; i < t->count; i++) {
        if (c[i].map.data != NULL) bl_file_unmap(&c[i].map);
        bl_buf_free(&c[i].text);
        free((void *)(uintptr_t)t->file[i]);
    }
    free(t->source);
    free(t->file);
    free(t->sha256);
    free(t->owned);
    *t = (bl_given_files){0};
}

/* ---- --update ---- */

/* The digest that stands behind this file's name in the declaration becomes `sha256`; false: there
 * is none. */
static bool replace_digest(bl_buf *text, const char *file, const char *sha256) {
    bl_buf name = {0};
    bl_buf_printf(&name, "file = \"%s\"; sha256 = \"", file);
    const char *at = strstr(bl_buf_text(text), bl_buf_text(&name));
    const size_t digest = at != NULL ? (size_t)(at - text->data) + name.len : 0;
    const bool found = at != NULL && strcspn(text->data + digest, "\"") == 64;
    if (found) memcpy(text->data + digest, sha256, 64);
    bl_buf_free(&name);
    return found;
}

/* *before gets the declaration as it was. BL_EINVAL: it does not name a file, and nothing is
 * written. */
static bl_status write_digests(const bl_given_files *files, const char *path, bl_buf *before,
                               bl_err *err) {
    bl_buf text = {0};
    bl_status status = BL_OK;
    BL_GOTO(bl_file_read(before, path, 1 << 20, err));
    bl_buf_add(&text, bl_buf_text(before), before->len);
    for (size_t i = 0; i < files->count; i++)
        if (!replace_digest(&text, files->file[i], files->sha256[i])) {
            status =
                BL_ERR(err, BL_EINVAL, "%s does not name %s with a sha256", path, files->file[i]);
            goto done;
        }
    BL_GOTO(bl_file_write(path, bl_buf_text(&text), text.len, err));
done:
    bl_buf_free(&text);
    return status;
}

/* The declaration is written, then tried: opening the data set reads it from the file as every
 * command will. Where that fails, the old text is put back and the first error is told. */
bl_status bl_given_update(const char *name, const bl_args *args, bl_err *err) {
    const bl_dataset_options options = bl_cli_dataset_options(false);
    char path[BL_PATH];
    bl_buf before = {0};
    bl_given_files files = {0};
    bl_dataset data = {0};
    bl_status status;
    BL_GOTO(bl_path(path, err, "%s/%s.cfg", options.manifest_dir, name));
    if (!bl_file_exists(path))
        BL_GOTO(BL_ERR(err, BL_EINVAL, "there is no %s to update: init without --update writes it",
                       path));
    BL_GOTO(bl_given_files_open(&files, args, err));
    BL_GOTO(write_digests(&files, path, &before, err));
    status = bl_dataset_open(&data, name, &options, err);
    if (status != BL_OK) {
        bl_err first = err != NULL ? *err : (bl_err){0};
        const bl_status back = bl_file_write(path, bl_buf_text(&before), before.len, err);
        if (back == BL_OK && err != NULL) *err = first;
        goto done;
    }
    bl_cli_printf(stdout, "%s\n", path);
    bl_cli_printf(stderr,
                  "%zu rows for training, %zu held out. Runs of the table as it was keep their "
                  "ids.\n",
                  data.train_rows, data.valid_rows);
done:
    bl_dataset_free(&data);
    bl_given_files_close(&files);
    bl_buf_free(&before);
    return status;
}
