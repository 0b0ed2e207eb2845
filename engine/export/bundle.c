/* One tar file of everything that an answer rests on (bundle.h has its layout).
 *
 *     take_store      plan, finished runs        -> scratch/NAME/runs/NAME/...
 *     take_project    experiment, scripts, ...   -> scratch/NAME/experiments/NAME/...
 *     draw            the report, from the tree  -> scratch/NAME/reports/NAME/...
 *     pack            sorted, with SHA256SUMS    -> FILE
 *
 * The tree is built in a scratch folder first, and the experiment is read and the report drawn from
 * there. So a file that was forgotten fails here, and not at the reader's. Runs are linked, not
 * copied, where the file system allows it.
 *
 * Equal stores give equal bytes. Names are sorted, and tar headers hold no time or owner. What a
 * machine writes about itself (timings, "environment" in result.json) is left out unless it is
 * asked for. */
#include "engine/export/bundle.h"
#include "engine/base/gzip.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/seal.h"
#include "engine/base/sha256.h"
#include "engine/base/vec.h"
#include "engine/export/tar.h"
#include "engine/report/analyse.h"
#include "engine/report/report_folder.h"
#include "engine/report/write.h"
#include "engine/store/gc.h"
#include "engine/store/store.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_LIMIT = 1 << 30, MOST_BYTES = 1 << 30 };

typedef struct bundle {
    const bl_bundle_source *from;
    bl_bundle *out;
    char scratch[BL_PATH]; /* "" until it is there */
    char root[BL_PATH];    /* scratch/NAME: the tree */
} bundle;

/* ---- the tree ---- */

/* A link shares the file's bytes. That is safe, as no file of the store is ever changed in
 * place. */
static bl_status copy(const char *from, const char *to, bl_err *err) {
    bl_buf bytes = {0};
    if (link(from, to) == 0) return BL_OK; /* on one file system nothing has to be copied */
    bl_status status = bl_file_read(&bytes, from, FILE_LIMIT, err);
    if (status == BL_OK) status = bl_file_write(to, bl_buf_text(&bytes), bytes.len, err);
    bl_buf_free(&bytes);
    return status;
}

/* `from`, if it is there, as root/folder/name. */
static bl_status take(const bundle *b, const char *from, const char *folder, const char *name,
                      bl_err *err) {
    char to[BL_PATH];
    if (!bl_file_exists(from)) return BL_OK;
    BL_TRY(bl_path(to, err, "%s/%s", b->root, folder));
    BL_TRY(bl_make_dirs(to, err));
    BL_TRY(bl_path(to, err, "%s/%s/%s", b->root, folder, name));
    return copy(from, to, err);
}

/* The files of a folder, not those of folders in it, as root/AS/... */
static bl_status take_folder(const bundle *b, const char *folder, const char *as, bl_err *err) {
    bl_names names;
    BL_TRY(bl_dir_list(&names, folder, err));
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        char from[BL_PATH];
        status = bl_path(from, err, "%s/%s", folder, names.name[i]);
        if (status == BL_OK) status = take(b, from, as, names.name[i], err);
    }
    bl_names_free(&names);
    return status;
}

/* A result without what tells of the machine, sealed if it was. */
static void write_plain_result(bl_buf *out, const bl_json *result, bool sealed) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    for (const bl_json *m = result->first; m != NULL; m = m->next)
        if (strcmp(m->key, "environment") != 0 && strcmp(m->key, "sha256") != 0)
            bl_jw_value(&w, m->key, m);
    bl_jw_newline(&w, 1);
    bl_jw_object(&w, "environment");
    bl_jw_end(&w);
    if (sealed) {
        bl_seal(out);
    } else {
        bl_jw_end(&w);
        bl_jw_line(&w);
    }
}

/* The store has vouched for what the file means, not for how it is laid out. */
static bl_status take_plain_result(const bundle *b, const char *from, const char *folder,
                                   bl_err *err) {
    char to[BL_PATH];
    bl_buf text = {0}, plain = {0};
    bl_json_doc doc = {0};
    bl_status status = BL_OK;
    BL_TRY(bl_path(to, err, "%s/%s/result.json", b->root, folder));
    BL_GOTO(bl_file_read(&text, from, FILE_LIMIT, err));
    BL_GOTO(bl_json_parse(&doc, bl_buf_text(&text), text.len, from, 1, err));
    write_plain_result(&plain, doc.root, bl_seal_holds(text.data, text.len));
    status = bl_file_write(to, plain.data, plain.len, err);
done:
    bl_json_free(&doc);
    bl_buf_free(&text);
    bl_buf_free(&plain);
    return status;
}

/* Takes a finished run's files into the tree; one that is not done is left out. A damaged one fails
 * with BL_EFORMAT and b->out->damaged. */
static bl_status take_run(bundle *b, const bl_store *store, const char *id, bl_err *err) {
    static const char *const as_is[] = {"run.json", "log.jsonl.gz", "noise.jsonl.gz"};
    char from[BL_PATH], folder[BL_PATH];
    bl_stored run;
    BL_TRY(bl_store_load(store, id, &run, err));
    const bool done = run.done;
    b->out->damaged = run.damaged;
    bl_stored_free(&run);
    if (b->out->damaged) return BL_EFORMAT;
    if (!done) return BL_OK;
    b->out->runs++;
    BL_TRY(bl_path(folder, err, "runs/%s/%s", b->from->name, id));
    for (size_t i = 0; i < BL_COUNT(as_is); i++) {
        BL_TRY(bl_path(from, err, "%s/%s/%s", store->dir, id, as_is[i]));
        BL_TRY(take(b, from, folder, as_is[i], err));
    }
    BL_TRY(bl_path(from, err, "%s/%s/result.json", store->dir, id));
    if (!b->from->with_timing) return take_plain_result(b, from, folder, err);
    BL_TRY(take(b, from, folder, "result.json", err));
    BL_TRY(bl_path(from, err, "%s/%s/timing.jsonl.gz", store->dir, id));
    return take(b, from, folder, "timing.jsonl.gz", err);
}

/* Takes the plan and every finished run. BL_EMISSING: none is finished. */
static bl_status take_store(bundle *b, bl_err *err) {
    bl_store store;
    bl_names names;
    char from[BL_PATH], folder[BL_PATH];
    BL_TRY(bl_store_open(&store, b->from->runs_dir, b->from->name, false, err));
    BL_TRY(bl_path(folder, err, "runs/%s", b->from->name));
    BL_TRY(bl_path(from, err, "%s/plan.jsonl", store.dir));
    BL_TRY(take(b, from, folder, "plan.jsonl", err));
    BL_TRY(bl_path(from, err, "%s/timing.json", store.dir));
    if (b->from->with_timing) BL_TRY(take(b, from, folder, "timing.json", err));
    BL_TRY(bl_path(from, err, "%s/find.json", store.dir));
    if (b->from->with_timing) BL_TRY(take(b, from, folder, "find.json", err));
    BL_TRY(bl_dir_list(&names, store.dir, err));
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < names.count; i++)
        if (bl_store_is_run_id(names.name[i])) status = take_run(b, &store, names.name[i], err);
    bl_names_free(&names);
    BL_TRY(status);
    if (b->out->runs == 0)
        BL_FAIL(err, BL_EMISSING, "no run of %s is done; `batchlab run %s` makes them",
                b->from->name, b->from->name);
    return BL_OK;
}

/* The experiment, the sweep library, the templates and the data set's declaration. The experiment
 * is then read from the tree: a file that it includes from elsewhere is missed here, not at the
 * bundle's reader. */
static bl_status take_project(const bundle *b, bl_err *err) {
    const bl_bundle_source *source = b->from;
    char from[BL_PATH], name[BL_PATH];
    bl_config *config = bl_xalloc(sizeof *config);
    bl_status status = BL_OK;
    BL_GOTO(bl_config_read(config, source->experiments_dir, source->name, NULL, NULL, 0, err));
    BL_GOTO(bl_path(from, err, "%s/%s", source->experiments_dir, source->name));
    BL_GOTO(bl_path(name, err, "experiments/%s", source->name));
    BL_GOTO(take_folder(b, from, name, err));
    if (bl_config_is_imported(config) && config->external.imported[0] != '/')
        BL_GOTO(take_folder(b, config->external.imported, config->external.imported, err));
    BL_GOTO(take_folder(b, source->library_dir, "scripts/lua", err));
    BL_GOTO(take_folder(b, source->templates_dir, "reports/templates", err));
    BL_GOTO(bl_path(name, err, "%s.cfg", config->dataset));
    BL_GOTO(bl_path(from, err, "%s/%s", source->manifest_dir, name));
    if (!bl_file_exists(from) && source->more_manifests != NULL)
        BL_GOTO(bl_path(from, err, "%s/%s", source->more_manifests, name));
    BL_GOTO(take(b, from, "datasets", name, err));
    BL_GOTO(bl_path(from, err, "%s/experiments", b->root));
    BL_GOTO(bl_config_read(config, from, source->name, NULL, NULL, 0, err));
done:
    free(config);
    return status;
}

/* Without gnuplot there are the tables, and no drawings; out->undrawn says why. */
static bl_status draw(const bundle *b, bl_err *err) {
    char runs[BL_PATH], reports[BL_PATH], place[BL_PATH];
    bl_report_model answer;
    BL_TRY(bl_path(runs, err, "%s/runs/%s", b->root, b->from->name));
    BL_TRY(bl_path(reports, err, "%s/reports", b->root));
    BL_TRY(bl_report_analyse(&answer, runs, err));
    bl_status status = bl_report_place(place, reports, b->from->name, answer.plan.head.preset,
                                       answer.answered, err);
    if (status == BL_OK)
        status = bl_report_write(&answer, place, b->from->templates_dir, NULL, err);
    bl_report_model_free(&answer);
    if (status == BL_EUNSUPPORTED) b->out->undrawn = *err;
    return status == BL_EUNSUPPORTED ? BL_OK : status;
}

/* ---- the archive ---- */

typedef struct paths {
    char **name; /* (count) relative to the tree's root */
    size_t count;
} paths;

/* All files below root/folder, with their paths from root. On failure the names so far stay in
 * *out. */
static bl_status list_tree(paths *out, const char *root, const char *folder, bl_err *err) {
    char path[BL_PATH], inner[BL_PATH];
    bl_names names;
    BL_TRY(bl_path(path, err, "%s/%s", root, folder));
    BL_TRY(bl_dir_list(&names, path, err));
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        status = bl_path(inner, err, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", names.name[i]);
        if (status == BL_OK) status = bl_path(path, err, "%s/%s", root, inner);
        if (status != BL_OK) break;
        if (bl_dir_exists(path)) {
            status = list_tree(out, root, inner, err);
            continue;
        }
        *BL_PUSH(out->name, out->count, "files of a bundle") = bl_xstrdup(inner);
    }
    bl_names_free(&names);
    return status;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Appends the file to the archive, and its line to the sums as sha256sum writes it. */
static bl_status add_file(const bundle *b, bl_buf *tar, bl_buf *sums, const char *name,
                          bl_err *err) {
    char path[BL_PATH], inside[BL_PATH], digest[BL_SHA256_HEX];
    bl_buf bytes = {0};
    BL_TRY(bl_path(path, err, "%s/%s", b->root, name));
    BL_TRY(bl_path(inside, err, "%s/%s", b->from->name, name));
    bl_status status = bl_file_read(&bytes, path, FILE_LIMIT, err);
    if (status == BL_OK) {
        bl_sha256_of(bl_buf_text(&bytes), bytes.len, digest);
        bl_buf_printf(sums, "%s  %s\n", digest, name);
        status = bl_tar_add(tar, inside, bl_buf_text(&bytes), bytes.len, err);
    }
    bl_buf_free(&bytes);
    if (status == BL_OK && tar->len > MOST_BYTES)
        status =
            BL_ERR(err, BL_EUNSUPPORTED,
                   "the bundle would be larger than 1 GiB; pack runs/%s with tar", b->from->name);
    return status;
}

/* Writes the tree as one tar file, sorted, with SHA256SUMS last; packed unless the name ends in
 * .tar. */
static bl_status pack(const bundle *b, const char *file, bl_err *err) {
    paths all = {0};
    bl_buf tar = {0}, sums = {0}, packed = {0};
    char inside[BL_PATH];
    bl_status status = list_tree(&all, b->root, "", err);
    if (status == BL_OK) qsort(all.name, all.count, sizeof *all.name, by_name);
    for (size_t i = 0; status == BL_OK && i < all.count; i++)
        status = add_file(b, &tar, &sums, all.name[i], err);
    if (status == BL_OK) status = bl_path(inside, err, "%s/SHA256SUMS", b->from->name);
    if (status == BL_OK) status = bl_tar_add(&tar, inside, sums.data, sums.len, err);
    bl_tar_end(&tar);
    const size_t n = strlen(file);
    const bool plain = n > 4 && strcmp(file + n - 4, ".tar") == 0;
    if (status == BL_OK && !plain) status = bl_gzip(&packed, tar.data, tar.len, err);
    const bl_buf *out = plain ? &tar : &packed;
    if (status == BL_OK) status = bl_file_output(file, out->data, out->len, err);
    b->out->files = all.count + 1;
    b->out->bytes = out->len;
    for (size_t i = 0; i < all.count; i++) free(all.name[i]);
    free(all.name);
    bl_buf_free(&tar);
    bl_buf_free(&sums);
    bl_buf_free(&packed);
    return status;
}

static bl_status make(bundle *b, const char *file, bl_err *err) {
    BL_TRY(bl_scratch_make(b->scratch, b->from->runs_dir, "bundle", err));
    BL_TRY(bl_path(b->root, err, "%s/%s", b->scratch, b->from->name));
    BL_TRY(take_store(b, err));
    BL_TRY(take_project(b, err));
    BL_TRY(draw(b, err));
    return pack(b, file, err);
}

/* The scratch folder goes in any case; the file is only there when everything went well. */
bl_status bl_bundle_write(bl_bundle *out, const bl_bundle_source *source, const char *file,
                          bl_err *err) {
    *out = (bl_bundle){0};
    bundle b = {.from = source, .out = out};
    const bl_status status = make(&b, file, err);
    if (b.scratch[0] != '\0') (void)bl_remove_tree(b.scratch, NULL);
    return status;
}
