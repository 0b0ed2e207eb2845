/* Forecasts of the critical batch size, held against what the sweep then measured.
 *
 * find.json holds what `batchlab find` said before a sweep, for each of the targets it chose:
 *
 *     {"preset":"quick","optimizer":"adam","trains":"<digest of data, model and settings>",...,
 *      "forecasts":[{"target":0.08,"noise":{"plain":{"start":{"scale":61.5,"low":40,"high":110},
 *                                                    "way":{...},"target":{...}},...}},...],
 *      "other_pilots":[{"optimizer":"sgd","forecasts":[...]},...]}
 *
 * To these come two rules of thumb: fill the memory, and 512. A forecast counts only for an answer
 * to the same target and preset, of runs with the same data, model and settings. `said / measured`
 * is then a ratio of two numbers with intervals.
 */
#include "engine/report/audit.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/seal.h"
#include "engine/base/vec.h"
#include "engine/plan/settings.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIND_LIMIT = 1 << 20 };
/* The rules of thumb: the article's batch size, and bytes of a common accelerator. */
static const double k_article = 512.0, k_memory = 16.0 * 1024 * 1024 * 1024;

/* ---- what was said ---- */

/* In find.json: "noise", the measure, the place. */
static const struct {
    const char *name, *words, *measure, *place;
} k_noise[] = {
    {"noise_start",           "noise scale at the start",           "plain",          "start" },
    {"noise_way",             "noise scale on the way",             "plain",          "way"   },
    {"noise_target",          "noise scale at the target",          "plain",          "target"},
    {"preconditioned_start",  "as Adam sees it, at the start",      "preconditioned", "start" },
    {"preconditioned_way",    "as Adam sees it, on the way",        "preconditioned", "way"   },
    {"preconditioned_target", "as Adam sees it, at the target",     "preconditioned", "target"},
    {"hessian_start",         "along the curvature, at the start",  "hessian",        "start" },
    {"hessian_way",           "along the curvature, on the way",    "hessian",        "way"   },
    {"hessian_target",        "along the curvature, at the target", "hessian",        "target"},
};

/* The texts are constants of this file; the model borrows them. */
static void add(bl_report_model *m, const char *name, const char *words, double target, int series,
                bl_stats_value value) {
    *BL_PUSH(m->forecasts, m->forecast_count, "forecasts") =
        (bl_report_forecast){name, words, target, series, value};
}

/* Not known: no such measure, or undetermined. */
static bl_stats_value read_value(const bl_json *v) {
    bl_stats_value out = bl_stats_exact(bl_json_number(v, "scale", (double)NAN));
    if (!(out.value > 0)) return bl_stats_unknown();
    out.low = bl_json_number(v, "low", (double)NAN);
    out.high = bl_json_number(v, "high", (double)NAN);
    return out;
}

/* `forecast` is one entry of "forecasts". A measure that find.json lacks adds nothing. */
static void read_noise(bl_report_model *m, const bl_json *forecast, double target, int series) {
    const bl_json *noise = bl_json_get(forecast, "noise");
    for (size_t i = 0; noise != NULL && i < BL_COUNT(k_noise); i++) {
        const bl_json *measure = bl_json_get(noise, k_noise[i].measure);
        const bl_json *place = measure != NULL ? bl_json_get(measure, k_noise[i].place) : NULL;
        if (place != NULL)
            add(m, k_noise[i].name, k_noise[i].words, target, series, read_value(place));
    }
}

/* The largest size that `batchlab machine` ran; without it, what 16 GiB hold by the memory that the
 * timing pass planned: a line through its largest size and the largest one that takes less. Small
 * sizes all take what an evaluation takes. Not known where one example takes more than that. */
static bl_stats_value filling_memory(const bl_report_model *m) {
    const bl_report_timing *low = NULL, *high = NULL;
    if (m->machine.known && m->machine.largest > 0) return bl_stats_exact(m->machine.largest);
    for (size_t i = 0; i < m->timing_count; i++)
        if (high == NULL || m->timing[i].batch_size > high->batch_size) high = &m->timing[i];
    for (size_t i = 0; i < m->timing_count; i++) {
        const bl_report_timing *t = &m->timing[i];
        if (t->memory_bytes > 0 && t->memory_bytes < high->memory_bytes &&
            (low == NULL || t->batch_size > low->batch_size))
            low = t;
    }
    if (low == NULL) return bl_stats_unknown();
    const double each =
        (high->memory_bytes - low->memory_bytes) / (high->batch_size - low->batch_size);
    const double most = high->batch_size + (k_memory - high->memory_bytes) / each;
    return most >= 1 ? bl_stats_exact(most) : bl_stats_unknown();
}

/* ---- of which answer ---- */

/* The series that the optimizer names, else `otherwise`. */
static int series_of(const bl_report_model *m, const char *optimizer, int otherwise) {
    for (size_t i = 0; i < m->series_count; i++)
        if (strcmp(m->series[i].name, optimizer) == 0) return (int)i;
    return otherwise;
}

/* A copy that shares the model's arrays. A target that no sweep answered gives the main one,
 * whose target then differs. */
static bl_report_target answer_of(const bl_report_model *m, double target, int series) {
    if (series != BL_NO_SERIES) return m->series[series].main;
    for (size_t i = 0; i < m->easier_count; i++)
        if (m->easier[i].target == target) return m->easier[i];
    return m->main;
}

/* ---- of which runs ---- */

typedef char digest[BL_SHA256_HEX];
/* What the sweep's runs train: bl_plan_settings_digest, each once. */
typedef struct trained {
    digest *v;
    size_t count;
} trained;

static bool trains(const trained *t, const char *what) {
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->v[i], what) == 0) return true;
    return false;
}

/* A run that is not there, or not as it was written, says nothing. */
static void add_run(trained *t, const char *run_dir, const char *run) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_json_doc doc = {0};
    digest one;
    if (bl_path(path, NULL, "%s/%s/run.json", run_dir, run) == BL_OK &&
        bl_file_read(&text, path, FIND_LIMIT, NULL) == BL_OK &&
        bl_json_parse(&doc, text.data, text.len, path, 1, NULL) == BL_OK) {
        bl_plan_settings_digest(doc.root, one);
        if (!trains(t, one)) memcpy(*BL_PUSH(t->v, t->count, "what is trained"), one, sizeof one);
    }
    bl_json_free(&doc);
    bl_buf_free(&text);
}

/* Trials with equal settings train the same: one run of each is read. */
static trained of_sweep(const bl_report_model *m, const char *run_dir) {
    trained t = {0};
    for (size_t i = 0; i < m->trial_count; i++) {
        size_t k = 0;
        while (strcmp(m->trials[k].settings, m->trials[i].settings) != 0) k++;
        if (k == i) add_run(&t, run_dir, m->trials[i].run);
    }
    return t;
}

/* Of one pilot, held against `series`; those of another preset, data set or model are none, which
 * is false. */
static bool read_forecasts(bl_report_model *m, const trained *sweep, const bl_json *find,
                           int series) {
    const bl_json *list = bl_json_get(find, "forecasts");
    if (strcmp(bl_json_text(find, "preset", ""), m->plan.head.preset) != 0) return false;
    if (!trains(sweep, bl_json_text(find, "trains", ""))) return false;
    for (const bl_json *f = list != NULL ? list->first : NULL; f != NULL; f = f->next) {
        const double target = bl_json_number(f, "target", (double)NAN);
        const bl_report_target answer = answer_of(m, target, series);
        if (answer.target != target || answer.size_count == 0) continue;
        read_noise(m, f, target, series);
        add(m, "memory", "fill the memory", target, series, filling_memory(m));
        add(m, "article", "the article's 512", target, series, bl_stats_exact(k_article));
    }
    return true;
}

/* The newest pilot is held against the answer, unless its optimizer names a series. An earlier one
 * needs a series, or stands in for a newest one that trains something else. */
static void read_all(bl_report_model *m, const trained *sweep, const bl_json *find) {
    const bl_json *others = bl_json_get(find, "other_pilots");
    bool read = read_forecasts(m, sweep, find,
                               series_of(m, bl_json_text(find, "optimizer", ""), m->main_series));
    for (const bl_json *p = others != NULL ? others->first : NULL; p != NULL; p = p->next) {
        const int otherwise = read ? BL_NO_SERIES : m->main_series;
        const int series = series_of(m, bl_json_text(p, "optimizer", ""), otherwise);
        if (series != BL_NO_SERIES || !read) read = read_forecasts(m, sweep, p, series) || read;
    }
}

/* Without a find.json there are no forecasts; that is no error. */
bl_status bl_report_audit_read(bl_report_model *m, const char *run_dir, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_json_doc doc = {0};
    bl_status status;
    BL_GOTO(bl_path(path, err, "%s/find.json", run_dir));
    BL_GOTO(bl_file_read(&text, path, FIND_LIMIT, err));
    if (!bl_seal_holds(bl_buf_text(&text), text.len) ||
        bl_json_parse(&doc, bl_buf_text(&text), text.len, path, 1, err) != BL_OK)
        BL_GOTO(BL_ERR(err, BL_EDAMAGED,
                       "%s: its seal does not hold: something changed the file after it was "
                       "written; `batchlab find` writes it again",
                       path));
    const trained sweep = of_sweep(m, run_dir);
    read_all(m, &sweep, doc.root);
    free(sweep.v);
done:
    bl_json_free(&doc);
    bl_buf_free(&text);
    return status == BL_EMISSING ? BL_OK : status;
}

/* ---- against what was measured ---- */

const bl_stats_critical *bl_report_audit_measured(const bl_report_model *m,
                                                  const bl_report_forecast *f) {
    if (f->series != BL_NO_SERIES) return &m->series[f->series].main.critical;
    for (size_t i = 0; i < m->easier_count; i++)
        if (m->easier[i].target == f->target) return &m->easier[i].critical;
    return &m->main.critical;
}

bl_stats_value bl_report_audit_factor(const bl_report_model *m, const bl_report_forecast *f,
                                      bl_stats_definition definition) {
    bl_stats_value said = f->value;
    const bl_stats_value *measured = &bl_report_audit_measured(m, f)->of[definition];
    /* A rule of thumb is exact: the interval is that of what was measured. */
    if (said.known && !bl_stats_has_interval(&said)) said.low = said.high = said.value;
    return bl_stats_ratio_of(measured, &said, 2);
}
