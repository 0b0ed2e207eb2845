/* The timing pass: seconds, memory and joules of one step at each batch size. timing.json has
 * for each
 *
 *     {"batch_size":64,"seconds_per_step":[4.8e-06,...],"processor_seconds_per_step":[...],
 *      "memory_bytes":2464,"joules_per_step":null}
 *
 * with one number for each repeat. Repeat r of every batch size ran in the same spell, so that
 * ratios of sizes are taken within a repeat, and a machine that was busy for a while does not tilt
 * them. */
#include "engine/report/timing_read.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/seal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TIMING_LIMIT = 16 << 20 };

static double number(const bl_json *object, const char *key) {
    return bl_json_number(object, key, (double)NAN);
}

/* The repeats of one batch size, and their median with its interval. */
static void read_seconds(bl_report_timing *t, const bl_json *array) {
    t->step_seconds = bl_stats_unknown();
    if (array == NULL || array->count == 0) return;
    t->seconds = bl_xalloc(array->count * sizeof *t->seconds);
    for (const bl_json *v = array->first; v != NULL; v = v->next)
        if (v->type == BL_JSON_NUMBER && v->number > 0) t->seconds[t->repeats++] = v->number;
    if (t->repeats > 0)
        t->step_seconds = bl_stats_median_interval(t->seconds, t->repeats, BL_STATS_LEVEL, NULL);
}

/* As many numbers above 0 as there are repeats, in the same order; NULL where the file has others:
 * none, or null on a device. The caller's to free. */
static double *read_repeats(const bl_json *array, size_t repeats) {
    size_t n = 0;
    if (array == NULL || array->count != repeats || repeats == 0) return NULL;
    double *seconds = bl_xalloc(repeats * sizeof *seconds);
    for (const bl_json *v = array->first; v != NULL; v = v->next)
        if (v->type == BL_JSON_NUMBER && v->number > 0) seconds[n++] = v->number;
    if (n == repeats) return seconds;
    free(seconds);
    return NULL;
}

/* Views into the model, for the fits of times; room for timing_count is the caller's. */
size_t bl_report_step_sizes(const bl_report_model *model, bl_stats_step_size *out) {
    size_t n = 0;
    for (size_t i = 0; i < model->timing_count; i++) {
        const bl_report_timing *t = &model->timing[i];
        if (t->repeats == 0) continue;
        out[n++] = (bl_stats_step_size){t->batch_size, t->seconds, t->repeats, t->processor};
    }
    return n;
}

size_t bl_report_inference_sizes(const bl_report_model *model, bl_stats_step_size *out) {
    size_t n = 0;
    for (size_t i = 0; i < model->timing_count; i++) {
        const bl_report_timing *t = &model->timing[i];
        if (t->inference == NULL) continue;
        out[n++] =
            (bl_stats_step_size){t->batch_size, t->inference, t->repeats, t->inference_processor};
    }
    return n;
}

static void read_points(bl_report_model *m, const bl_json *points) {
    if (points == NULL || points->count == 0) return;
    m->timing = bl_xalloc(points->count * sizeof *m->timing);
    for (const bl_json *p = points->first; p != NULL; p = p->next) {
        bl_report_timing *t = &m->timing[m->timing_count++];
        *t = (bl_report_timing){.batch_size = number(p, "batch_size"),
                                .memory_bytes = number(p, "memory_bytes"),
                                .joules_per_step = number(p, "joules_per_step")};
        read_seconds(t, bl_json_get(p, "seconds_per_step"));
        t->processor = read_repeats(bl_json_get(p, "processor_seconds_per_step"), t->repeats);
        t->inference = read_repeats(bl_json_get(p, "inference_seconds"), t->repeats);
        t->inference_processor =
            read_repeats(bl_json_get(p, "inference_processor_seconds"), t->repeats);
    }
}

static bl_status refuse(const char *path, bl_err *err) {
    BL_FAIL(err, BL_EDAMAGED,
            "%s: its seal does not hold: something changed the file after it was written; "
            "`batchlab run` measures again",
            path);
}

/* Format 1 had no seal and named no experiment. */
static bl_status check(bl_report_model *m, const bl_json *timing, const bl_buf *text,
                       const char *path, bl_err *err) {
    const int64_t format = bl_json_int(timing, "format", 0);
    const bool sealed = bl_json_get(timing, "sha256") != NULL;
    m->timing_sealed = format == 2;
    if (format == 2 ? !bl_seal_holds(text->data, text->len) : sealed || format != 1)
        return refuse(path, err);
    const char *experiment = bl_json_text(timing, "experiment", m->plan.head.experiment);
    if (strcmp(experiment, m->plan.head.experiment) != 0)
        BL_FAIL(err, BL_EDAMAGED, "%s: the times of experiment '%s'; `batchlab run` measures again",
                path, experiment);
    return BL_OK;
}

bl_status bl_report_timing_read(bl_report_model *model, const char *run_dir, const char *file,
                                bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s", run_dir, file));
    bl_buf text = {0};
    bl_json_doc doc = {0};
    bl_status status = BL_OK;
    model->timing_sealed = true;
    BL_GOTO(bl_file_read(&text, path, TIMING_LIMIT, err));
    if (bl_json_parse(&doc, bl_buf_text(&text), text.len, path, 1, err) != BL_OK)
        BL_GOTO(refuse(path, err));
    BL_GOTO(check(model, doc.root, &text, path, err));
    if (model->timing_sealed &&
        strcmp(bl_json_text(doc.root, "preset", ""), model->plan.head.preset) != 0)
        goto done; /* another preset's */
    model->threads = bl_json_int(doc.root, "threads", 1);
    (void)snprintf(model->processor, sizeof model->processor, "%s",
                   bl_json_text(bl_json_get(doc.root, "host"), "processor", ""));
    read_points(model, bl_json_get(doc.root, "points"));
done:
    bl_json_free(&doc);
    bl_buf_free(&text);
    return status == BL_EMISSING ? BL_OK : status; /* not measured here */
}
