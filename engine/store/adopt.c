#include "engine/store/adopt.h"
#include "engine/base/json_writer.h"
#include "engine/base/numerics.h"
#include "engine/config/validate.h"
#include <string.h>

/* Runs whose numerics epoch has risen are other runs, and so are those on few rows, whose order of
 * examples has changed (engine/base/numerics.h). */
static bool has_same_bits(const bl_config *config, size_t train_rows) {
    return bl_config_numerics_epoch(config) == bl_config_old_epoch(config) &&
           (train_rows > BL_SHUFFLED_ROWS || strcmp(config->dataset, "none") == 0);
}

/* The header of a log with these two of its members. */
static void write_header(bl_buf *out, const bl_json *header, const char *id, const bl_buf *config) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    for (const bl_json *m = header->first; m != NULL; m = m->next) {
        if (strcmp(m->key, "run") == 0)
            bl_jw_str(&w, m->key, id);
        else if (strcmp(m->key, "config") == 0)
            bl_jw_raw(&w, m->key, bl_buf_text(config));
        else
            bl_jw_value(&w, m->key, m);
    }
    bl_jw_end(&w);
    bl_jw_line(&w);
}

/* The log with its first line as the run has it now. False where that line is not, byte for byte,
 * what the earlier release wrote for this run: then the log is left alone. */
static bool rewrite(bl_buf *out, const bl_buf *log, const char *old_id, const char *id,
                    const bl_config *config) {
    bl_json_doc doc;
    bl_err ignored;
    bl_buf was = {0}, old_config = {0}, now_config = {0};
    const char *stop = memchr(log->data, '\n', log->len);
    const size_t line = stop != NULL ? (size_t)(stop - log->data) + 1 : 0;
    if (line == 0 || bl_json_parse(&doc, log->data, line, "header", 1, &ignored) != BL_OK)
        return false;
    bl_config_old_identity(config, &old_config);
    bl_config_identity(config, &now_config);
    write_header(&was, doc.root, old_id, &old_config);
    const bool known = was.len == line && memcmp(was.data, log->data, line) == 0;
    if (known) {
        write_header(out, doc.root, id, &now_config);
        bl_buf_add(out, log->data + line, log->len - line);
    }
    bl_json_free(&doc);
    bl_buf_free(&was);
    bl_buf_free(&old_config);
    bl_buf_free(&now_config);
    return known;
}

/* Publishes the log with what the old result says of it. What the old result says of its
 * environment goes on as it was, and "adopted_from" is added to it. The old folder stays as it
 * is. */
static bl_status publish(const bl_store *store, bl_claim *claim, bl_publication *what,
                         const char *old_id, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0}, environment = {0};
    bl_json_doc doc = {0};
    bl_status status;
    BL_GOTO(bl_path(path, err, "%s/%s/result.json", store->dir, old_id));
    BL_GOTO(bl_store_read_result(&doc, &text, path, err));
    bl_jw w = bl_jw_open(&environment);
    bl_jw_object(&w, NULL);
    const bl_json *old = bl_json_get(doc.root, "environment");
    for (const bl_json *m = old != NULL ? old->first : NULL; m != NULL; m = m->next)
        bl_jw_value(&w, m->key, m);
    bl_jw_str(&w, "adopted_from", old_id);
    bl_jw_end(&w);
    bl_jw_done(&w);
    what->outcome = bl_json_text(doc.root, "outcome", "");
    what->params = bl_json_text(doc.root, "params", "");
    what->steps = bl_json_int(doc.root, "steps", 0);
    what->examples = bl_json_int(doc.root, "examples", 0);
    what->evals = bl_json_int(doc.root, "evals", 0);
    what->environment = bl_buf_text(&environment);
    status = bl_store_publish(store, claim, what, err);
done:
    bl_json_free(&doc);
    bl_buf_free(&text);
    bl_buf_free(&environment);
    return status;
}

/* Without an old run, or with one whose log is not understood, nothing is done and the run is
 * trained anew: adopting saves time and never decides a result. */
bl_status bl_store_adopt(const bl_store *store, bl_claim *claim, const char *id,
                         const char *identity, const bl_config *config, const char *dataset_sha256,
                         size_t train_rows, bl_err *err) {
    char old_id[BL_RUN_ID];
    bl_stored old;
    bl_buf log = {0};
    bl_status status = BL_OK;
    if (!has_same_bits(config, train_rows)) return BL_OK;
    bl_store_old_identity(config, dataset_sha256, old_id);
    BL_TRY(bl_store_load(store, old_id, &old, err));
    if (old.done && rewrite(&log, &old.log, old_id, id, config)) {
        bl_publication what = {.id = id, .identity = identity, .log = log.data, .log_n = log.len};
        status = publish(store, claim, &what, old_id, err);
    }
    bl_buf_free(&log);
    bl_stored_free(&old);
    return status;
}
