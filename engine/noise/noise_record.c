#include "engine/noise/noise_record.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const k_measure[BL_NOISE_MEASURES] = {
    [BL_NOISE_PLAIN] = "plain",
    [BL_NOISE_PRECONDITIONED] = "preconditioned",
    [BL_NOISE_HESSIAN] = "hessian",
};

/* ---- writing ---- */

void bl_noise_write_header(bl_buf *out, const char *run, const bl_noise_settings *settings) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", "header");
    bl_jw_i64(&w, "format", 1);
    bl_jw_str(&w, "run", run);
    bl_jw_f64(&w, "share", settings->share);
    bl_jw_i64(&w, "micro_batch", settings->batch);
    bl_jw_i64(&w, "batches", (int64_t)settings->batches);
    bl_jw_i64(&w, "rows", settings->rows);
    if (settings->hessian) bl_jw_bool(&w, "hessian", true);
    bl_jw_end(&w);
    bl_jw_line(&w);
}

static void write_list(bl_jw *w, const char *key, const double *value, size_t n) {
    bl_jw_array(w, key);
    for (size_t i = 0; i < n; i++) bl_jw_f64(w, NULL, value[i]);
    bl_jw_end(w);
}

static void write_norms(bl_jw *w, bl_noise_measure measure, const bl_noise_norms *n,
                        size_t levels) {
    bl_jw_object(w, k_measure[measure]);
    if (measure != BL_NOISE_HESSIAN) {
        write_list(w, "grad_sq", n->level, levels);
        write_list(w, "quarter_sq", n->quarter, BL_NOISE_QUARTERS);
    }
    bl_jw_array(w, "product");
    for (size_t i = 0; i < BL_NOISE_QUARTERS; i++)
        for (size_t j = i; j < BL_NOISE_QUARTERS; j++) bl_jw_f64(w, NULL, n->product[i][j]);
    bl_jw_end(w);
    bl_jw_end(w);
}

void bl_noise_write_probe(bl_buf *out, const bl_noise_probe *probe) {
    const size_t levels = bl_noise_levels(probe->batches);
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", "noise");
    bl_jw_i64(&w, "step", probe->step);
    bl_jw_array(&w, "batch");
    for (size_t l = 0; l < levels; l++) bl_jw_i64(&w, NULL, probe->batch << l);
    bl_jw_end(&w);
    for (size_t m = 0; m < BL_NOISE_MEASURES; m++)
        if (probe->norms[m].known) write_norms(&w, (bl_noise_measure)m, &probe->norms[m], levels);
    bl_jw_end(&w);
    bl_jw_line(&w);
}

void bl_noise_write_ways(bl_buf *out, const bl_noise_ways *ways) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", "ways");
    bl_jw_i64(&w, "step", ways->step);
    bl_jw_i64(&w, "batch", ways->batch);
    bl_jw_i64(&w, "window", ways->window);
    bl_jw_f64(&w, "average_sq", ways->average_sq);
    bl_jw_f64(&w, "average_variance", ways->average_variance);
    bl_jw_f64(&w, "small_sq", ways->small_sq);
    bl_jw_f64(&w, "big_sq", ways->big_sq);
    bl_jw_end(&w);
    bl_jw_line(&w);
}

/* ---- reading ---- */

/* A list of exactly n numbers, NaN where one is null; false: it is something else. */
static bool read_list(double *out, size_t n, const bl_json *object, const char *key) {
    const bl_json *list = bl_json_get(object, key);
    if (list == NULL || list->type != BL_JSON_ARRAY || list->count != n) return false;
    size_t i = 0;
    for (const bl_json *v = list->first; v != NULL; v = v->next)
        out[i++] = v->type == BL_JSON_NUMBER ? v->number : (double)NAN;
    return true;
}

static bool read_norms(bl_noise_norms *out, const bl_json *record, bl_noise_measure measure,
                       size_t levels) {
    enum { PRODUCTS = BL_NOISE_QUARTERS * (BL_NOISE_QUARTERS + 1) / 2 };
    const bl_json *object = bl_json_get(record, k_measure[measure]);
    const bool whole = measure != BL_NOISE_HESSIAN;
    double product[PRODUCTS];
    if (object == NULL) return true;
    out->known = true;
    size_t at = 0;
    if (!read_list(product, PRODUCTS, object, "product")) return false;
    if (whole && (!read_list(out->level, levels, object, "grad_sq") ||
                  !read_list(out->quarter, BL_NOISE_QUARTERS, object, "quarter_sq")))
        return false;
    for (size_t i = 0; i < BL_NOISE_QUARTERS; i++)
        for (size_t j = i; j < BL_NOISE_QUARTERS; j++)
            out->product[i][j] = out->product[j][i] = product[at++];
    if (!whole) bl_noise_fill_quarters(out, levels - 1);
    return true;
}

static bl_status take_header(bl_noise_log *log, const bl_jsonl_line *line, bl_err *err) {
    const bl_json *v = line->value;
    const int64_t batches = bl_json_int(v, "batches", 0);
    log->settings = (bl_noise_settings){.share = bl_json_number(v, "share", 0.0),
                                        .batch = bl_json_int(v, "micro_batch", 0),
                                        .batches = (size_t)batches,
                                        .rows = bl_json_int(v, "rows", 0),
                                        .hessian = bl_json_bool(v, "hessian", false)};
    log->header_end = line->end;
    const bool whole = batches >= BL_NOISE_QUARTERS && batches < (int64_t)1 << BL_NOISE_LEVELS &&
                       (batches & (batches - 1)) == 0 && log->settings.batch > 0 &&
                       log->settings.batch < (int64_t)1 << 32 && log->settings.rows >= 0;
    if (bl_json_int(v, "format", 0) != 1 || !whole)
        BL_FAIL(err, BL_EFORMAT, "%s: unknown format of probe records", line->name);
    return BL_OK;
}

static bl_status take_probe(bl_noise_log *log, const bl_jsonl_line *line, bl_err *err) {
    const bl_noise_settings *s = &log->settings;
    const size_t levels = bl_noise_levels(s->batches);
    double batch[BL_NOISE_LEVELS];
    bl_noise_probe *p = BL_PUSH(log->probe, log->probes, "probes");
    p->step = bl_json_int(line->value, "step", -1);
    p->batch = s->batch;
    p->batches = s->batches;
    p->rows = s->rows;
    bool whole = read_list(batch, levels, line->value, "batch");
    for (size_t m = 0; m < BL_NOISE_MEASURES; m++)
        whole = whole && read_norms(&p->norms[m], line->value, (bl_noise_measure)m, levels);
    if (!whole || !p->norms[BL_NOISE_PLAIN].known)
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: not the record of a probe", line->name, line->number);
    return BL_OK;
}

static bl_status take_ways(bl_noise_log *log, const bl_jsonl_line *line, bl_err *err) {
    const bl_json *v = line->value;
    bl_noise_ways *w = BL_PUSH(log->ways, log->way_count, "records of ways");
    *w = (bl_noise_ways){.step = bl_json_int(v, "step", -1),
                         .batch = bl_json_int(v, "batch", 0),
                         .window = bl_json_int(v, "window", 0),
                         .average_sq = bl_json_number(v, "average_sq", (double)NAN),
                         .average_variance = bl_json_number(v, "average_variance", (double)NAN),
                         .small_sq = bl_json_number(v, "small_sq", (double)NAN),
                         .big_sq = bl_json_number(v, "big_sq", (double)NAN)};
    if (w->batch < 1 || w->window < 2)
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: not a record of ways", line->name, line->number);
    return BL_OK;
}

/* Steps grow, but for the ways of a step behind its probe. */
static bl_status take_record(bl_noise_log *log, const bl_jsonl_line *line, const char *kind,
                             bl_err *err) {
    const bool ways = strcmp(kind, "ways") == 0;
    const int64_t step = bl_json_int(line->value, "step", -1);
    const int64_t last = log->records > 0 ? log->end[log->records - 1].step : -1;
    const bool behind_probe = ways && log->probes > 0 && log->probe[log->probes - 1].step == step &&
                              (log->way_count == 0 || log->ways[log->way_count - 1].step < step);
    if (step < last || (step == last && !behind_probe))
        BL_FAIL(err, BL_EFORMAT, "%s:%zu: step %" PRId64 " does not follow step %" PRId64,
                line->name, line->number, step, last);
    *BL_PUSH(log->end, log->records, "records of noise") = (struct bl_noise_end){step, line->end};
    return ways ? take_ways(log, line, err) : take_probe(log, line, err);
}

static bl_status take_line(void *ctx, const bl_jsonl_line *line, bl_err *err) {
    const char *kind = bl_json_text(line->value, "record", "");
    if ((line->number == 1) == (strcmp(kind, "header") == 0)) {
        if (line->number == 1) return take_header(ctx, line, err);
        if (strcmp(kind, "noise") == 0 || strcmp(kind, "ways") == 0)
            return take_record(ctx, line, kind, err);
    }
    BL_FAIL(err, BL_EFORMAT, "%s:%zu: record '%s' has no place here", line->name, line->number,
            kind);
}

bl_status bl_noise_read(bl_noise_log *out, const char *text, size_t n, const char *name,
                        bl_err *err) {
    *out = (bl_noise_log){0};
    const bl_status status = bl_jsonl_each(text, n, name, take_line, out, err);
    if (status != BL_OK) bl_noise_log_free(out);
    return status;
}

void bl_noise_log_free(bl_noise_log *log) {
    free(log->probe);
    free(log->ways);
    free(log->end);
    *log = (bl_noise_log){0};
}

size_t bl_noise_prefix(const bl_noise_log *log, int64_t steps) {
    size_t end = log->header_end;
    for (size_t i = 0; i < log->records && log->end[i].step <= steps; i++) end = log->end[i].at;
    return end;
}
