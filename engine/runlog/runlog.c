#include "engine/runlog/runlog.h"
#include "engine/base/file.h"
#include "engine/base/gzip.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bl_status bl_runlog_write(const char *path, const char *text, size_t n, bl_err *err) {
    bl_buf packed = {0};
    bl_status status = bl_gzip(&packed, text, n, err);
    if (status == BL_OK) status = bl_file_write(path, packed.data, packed.len, err);
    bl_buf_free(&packed);
    return status;
}

bl_status bl_runlog_read(bl_buf *text, const char *path, bl_err *err) {
    bl_map map;
    BL_TRY(bl_file_map(&map, path, err));
    const bl_status status = bl_gunzip_one(text, map.data, map.size, BL_RUNLOG_LIMIT, path, err);
    bl_file_unmap(&map);
    return status;
}

void bl_runlog_footer(bl_buf *text, const char *outcome, int64_t steps, const char *params_sha256) {
    char digest[BL_SHA256_HEX];
    bl_sha256_of(bl_buf_text(text), text->len, digest);
    bl_buf_printf(text,
                  "{\"record\":\"footer\",\"outcome\":\"%s\",\"steps\":%" PRId64
                  ",\"params\":\"%s\",\"log_sha256\":\"%s\"}\n",
                  outcome, steps, params_sha256, digest);
}

/* What the lines read so far have left to know. */
typedef struct reader {
    bl_runlog *log;
    size_t cap;
    double mean_loss, learning_rate;
    const char *name;
    size_t line;
    bl_err *err;
} reader;

static void copy_text(char *out, size_t size, const char *text) {
    (void)snprintf(out, size, "%s", text);
}

static bl_status take_eval(reader *r, const bl_json *record, size_t end) {
    bl_runlog *log = r->log;
    const int64_t step = bl_json_int(record, "step", 0);
    const int64_t last = log->evals > 0 ? log->eval[log->evals - 1].step : 0;
    if (step <= last)
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: step %" PRId64 " does not follow step %" PRId64,
                r->name, r->line, step, last);
    if (log->evals == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 64;
        log->eval = bl_xrealloc(log->eval, r->cap * sizeof *log->eval);
    }
    bl_runlog_eval *e = &log->eval[log->evals++];
    *e = (bl_runlog_eval){.step = step,
                          .examples = bl_json_int(record, "examples", 0),
                          .value = bl_json_number(record, "value", NAN),
                          .train_loss = r->mean_loss,
                          .learning_rate = r->learning_rate,
                          .end = end};
    copy_text(e->params, sizeof e->params, bl_json_text(record, "params", ""));
    return BL_OK;
}

static bl_status take_footer(reader *r, const bl_json *record, const char *text, size_t at) {
    char digest[BL_SHA256_HEX];
    bl_sha256_of(text, at, digest);
    if (strcmp(bl_json_text(record, "log_sha256", ""), digest) != 0)
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: the footer's digest is not that of the log", r->name,
                r->line);
    r->log->whole = true;
    return BL_OK;
}

static bl_status take_record(reader *r, const bl_json *record, const char *text, size_t at,
                             size_t end) {
    const char *kind = bl_json_text(record, "record", "");
    if (r->log->whole)
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: text after the footer", r->name, r->line);
    if ((r->line == 1) != (strcmp(kind, "header") == 0))
        BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: a log begins with its one header", r->name, r->line);
    if (r->line == 1) {
        if (bl_json_int(record, "format", 0) != 1)
            BL_FAIL(r->err, BL_EFORMAT, "%s: unknown log format", r->name);
        copy_text(r->log->run, sizeof r->log->run, bl_json_text(record, "run", ""));
        return BL_OK;
    }
    if (strcmp(kind, "step") == 0) {
        r->mean_loss = bl_json_number(record, "mean_loss", NAN);
        r->learning_rate = bl_json_number(record, "learning_rate", NAN);
        return BL_OK;
    }
    if (strcmp(kind, "eval") == 0) return take_eval(r, record, end);
    if (strcmp(kind, "footer") == 0) return take_footer(r, record, text, at);
    BL_FAIL(r->err, BL_EFORMAT, "%s:%zu: unknown record '%s'", r->name, r->line, kind);
}

bl_status bl_runlog_parse(bl_runlog *out, const char *text, size_t n, const char *name,
                          bl_err *err) {
    *out = (bl_runlog){0};
    reader r = {.log = out, .name = name, .err = err, .mean_loss = NAN, .learning_rate = NAN};
    bl_status status = BL_OK;
    for (size_t at = 0; at < n && status == BL_OK;) {
        r.line++;
        const char *stop = memchr(text + at, '\n', n - at);
        if (stop == NULL) {
            status = BL_ERR(err, BL_EFORMAT, "%s:%zu: the line is cut off", name, r.line);
            break;
        }
        const size_t end = (size_t)(stop - text) + 1;
        bl_json_doc doc;
        status = bl_json_parse(&doc, text + at, end - at, name, r.line, err);
        if (status != BL_OK) break;
        status = take_record(&r, doc.root, text, at, end);
        bl_json_free(&doc);
        at = end;
    }
    if (status == BL_OK && r.line == 0) status = BL_ERR(err, BL_EFORMAT, "%s: empty", name);
    if (status != BL_OK) bl_runlog_free(out);
    return status;
}

void bl_runlog_free(bl_runlog *log) {
    free(log->eval);
    *log = (bl_runlog){0};
}
