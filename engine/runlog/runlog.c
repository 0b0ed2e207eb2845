/* The writer's last line and the reader of a run log. The records between are written where they
 * arise, in engine/train and engine/external.
 *
 * A log is text, one JSON object a line, and nothing in it depends on a machine or a clock:
 *
 *     {"record":"header","format":1,"run":"r0041271e59b6",...,"config":{...}}        once, first
 *     {"record":"step","step":2,"examples":32,"loss":31.2,"mean_loss":31.2,...}      before each
 * eval
 *     {"record":"eval","step":2,"examples":32,"value":8.1,"params":"e6aa..."}        steps ascend
 *     {"record":"footer","outcome":"budget","steps":126,...,"log_sha256":"5181..."}  once, last
 *
 * A run that goes on only appends, so the log of a shorter run is a prefix of that of a longer one.
 * The footer closes one such prefix: its digest is of every byte before the footer's line. A text
 * without a footer is a valid log that is not whole.
 *
 * The reader serves every command that shows, checks or compares runs. It takes what they need and
 * passes over members that it does not know, but an unknown kind of record is an error. */
#include "engine/runlog/runlog.h"
#include "engine/base/file.h"
#include "engine/base/gzip.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/base/vec.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A file that is there stays whole until the new one takes its place (bl_file_write). */
bl_status bl_runlog_write(const char *path, const char *text, size_t n, bl_err *err) {
    bl_buf packed = {0};
    bl_status status = bl_gzip(&packed, text, n, err);
    if (status == BL_OK) status = bl_file_write(path, packed.data, packed.len, err);
    bl_buf_free(&packed);
    return status;
}

/* The text is appended to *text, which the caller frees. A file that unpacks to more than
 * BL_RUNLOG_LIMIT, has two gzip members or is cut off fails with the file's name. */
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
    bl_jw w = bl_jw_open(text);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", "footer");
    bl_jw_str(&w, "outcome", outcome);
    bl_jw_i64(&w, "steps", steps);
    bl_jw_str(&w, "params", params_sha256);
    bl_jw_str(&w, "log_sha256", digest);
    bl_jw_end(&w);
    bl_jw_line(&w);
}

/* What the lines read so far have left to know. */
typedef struct reader {
    bl_runlog *log;
    double mean_loss, learning_rate;
    const char *text; /* the whole log */
} reader;

static void copy_text(char *out, size_t size, const char *text) {
    (void)snprintf(out, size, "%s", text);
}

static bl_status take_eval(reader *r, const bl_jsonl_line *line, bl_err *err) {
    bl_runlog *log = r->log;
    const bl_json *record = line->value;
    const int64_t step = bl_json_int(record, "step", 0);
    const int64_t last = log->evals > 0 ? log->eval[log->evals - 1].step : 0;
    if (step <= last)
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: step %" PRId64 " does not follow step %" PRId64,
                line->name, line->number, step, last);
    bl_runlog_eval *e = BL_PUSH(log->eval, log->evals, "evaluations");
    *e = (bl_runlog_eval){.step = step,
                          .examples = bl_json_int(record, "examples", 0),
                          .value = bl_json_number(record, "value", NAN),
                          .batch_mean = bl_json_number(record, "batch_mean", NAN),
                          .train_loss = r->mean_loss,
                          .learning_rate = r->learning_rate,
                          .ends = bl_json_bool(record, "ends", false),
                          .end = line->end};
    copy_text(e->params, sizeof e->params, bl_json_text(record, "params", ""));
    return BL_OK;
}

static bl_status take_footer(reader *r, const bl_jsonl_line *line, bl_err *err) {
    char digest[BL_SHA256_HEX];
    bl_sha256_of(r->text, line->begin, digest);
    if (strcmp(bl_json_text(line->value, "log_sha256", ""), digest) != 0)
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: the footer's digest is not that of the log", line->name,
                line->number);
    r->log->whole = true;
    return BL_OK;
}

static bl_status take_header(reader *r, const bl_jsonl_line *line, bl_err *err) {
    if (bl_json_int(line->value, "format", 0) != 1)
        BL_FAIL(err, BL_EFORMAT, "%s: unknown log format", line->name);
    copy_text(r->log->run, sizeof r->log->run, bl_json_text(line->value, "run", ""));
    const bl_json *config = bl_json_get(line->value, "config");
    r->log->batch_size = bl_json_int(config, "train.batch_size", 0);
    r->log->learning_rate = bl_json_number(config, "train.learning_rate", NAN);
    r->log->seed = bl_json_int(config, "train.seed", 0);
    return BL_OK;
}

static bl_status take_record(void *ctx, const bl_jsonl_line *line, bl_err *err) {
    reader *r = ctx;
    const char *kind = bl_json_text(line->value, "record", "");
    if (r->log->whole)
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: text after the footer", line->name, line->number);
    if ((line->number == 1) != (strcmp(kind, "header") == 0))
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: a log begins with its one header", line->name,
                line->number);
    if (line->number == 1) return take_header(r, line, err);
    if (strcmp(kind, "step") == 0) {
        r->mean_loss = bl_json_number(line->value, "mean_loss", NAN);
        r->learning_rate = bl_json_number(line->value, "learning_rate", NAN);
        return BL_OK;
    }
    if (strcmp(kind, "eval") == 0) return take_eval(r, line, err);
    if (strcmp(kind, "footer") == 0) return take_footer(r, line, err);
    BL_FAIL(err, BL_EFORMAT, "%s:%zu: unknown record '%s'", line->name, line->number, kind);
}

bl_status bl_runlog_parse(bl_runlog *out, const char *text, size_t n, const char *name,
                          bl_err *err) {
    *out = (bl_runlog){0};
    reader r = {.log = out, .text = text, .mean_loss = NAN, .learning_rate = NAN};
    const bl_status status = bl_jsonl_each(text, n, name, take_record, &r, err);
    if (status != BL_OK) bl_runlog_free(out);
    return status;
}

void bl_runlog_free(bl_runlog *log) {
    free(log->eval);
    *log = (bl_runlog){0};
}
