/* The lines of the noise figure: the gradient noise scale over training, by probes and by the
 * other ways.
 *
 * One run is drawn, that of the smallest batch size with probes. Its probes are cut into windows of
 * equal counts, BL_REPORT_NOISE_WINDOWS at most, and each window gives one point:
 *
 *     probes   |  0  1  2  3  |  4  5  6  7  |  8  9 10 11  |
 *     point    examples in the middle, S / |G|^2 over the window, with its interval
 *
 * Ways that do not stop the training have records at every step instead. A window takes those of
 * the same stretch of training, so that all lines stand at the same examples. */
#include "engine/report/noise_read.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/noise/noise_record.h"
#include "engine/runlog/runlog.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The records of a trial's run, up to what the plan asked of it; none: an empty log. */
static bl_status read_trial(bl_noise_log *log, const bl_report_trial *t, const char *run_dir,
                            bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    *log = (bl_noise_log){0};
    BL_TRY(bl_path(path, err, "%s/%s/noise.jsonl.gz", run_dir, t->run));
    if (!bl_file_exists(path)) return BL_OK;
    bl_status status = bl_runlog_read(&text, path, err);
    if (status == BL_OK) status = bl_noise_read(log, bl_buf_text(&text), text.len, path, err);
    bl_buf_free(&text);
    while (log->probes > 0 && log->probe[log->probes - 1].step > t->steps) log->probes--;
    while (log->way_count > 0 && log->ways[log->way_count - 1].step > t->steps) log->way_count--;
    return status;
}

/* The pointer holds until the next line is added. */
static bl_report_noise_line *add_line(bl_report_model *m, const char *name, const char *words) {
    bl_report_noise_line *line = BL_PUSH(m->noise, m->noise_count, "lines of noise");
    line->name = name;
    line->words = words;
    return line;
}

/* Index of the first probe of window w of n. */
static size_t window_begin(size_t w, size_t n, size_t probes) {
    return w * probes / n;
}

static size_t windows_of(const bl_noise_log *log) {
    return bl_size_min(log->probes, BL_REPORT_NOISE_WINDOWS);
}

/* The middle of a window in examples, on the figure's logarithmic axis. */
static double place(const bl_noise_log *log, double batch_size, size_t begin, size_t end) {
    return batch_size * sqrt((double)log->probe[begin].step * (double)log->probe[end - 1].step);
}

/* A measure that the first probe lacks (no Adam, no curvature) has no line. */
static void add_frozen(bl_report_model *m, const bl_noise_log *log, double batch_size,
                       bl_noise_measure measure, const char *name, const char *words) {
    const size_t n = windows_of(log);
    if (!log->probe[0].norms[measure].known) return;
    bl_report_noise_line *line = add_line(m, name, words);
    for (size_t w = 0; w < n; w++) {
        const size_t begin = window_begin(w, n, log->probes);
        const size_t end = window_begin(w + 1, n, log->probes);
        const bl_noise_estimate e = bl_noise_estimate_of(log->probe + begin, end - begin, measure);
        line->point[line->points++] =
            (bl_report_noise_point){place(log, batch_size, begin, end), e.scale.value, e.scale.low,
                                    e.scale.high, (double)e.probes};
    }
}

/* Records of the ways of steps in (after, to]. */
static size_t ways_within(const bl_noise_log *log, int64_t after, int64_t to, size_t *first) {
    size_t begin = 0, end;
    while (begin < log->way_count && log->ways[begin].step <= after) begin++;
    for (end = begin; end < log->way_count && log->ways[end].step <= to; end++) {
    }
    *first = begin;
    return end - begin;
}

/* For each record of `run` the one of the other training that saw as many examples, or the last one
 * before. */
static bl_noise_ways *at_same_examples(const bl_noise_ways *run, size_t count,
                                       const bl_noise_log *twice) {
    bl_noise_ways *out = bl_xalloc((count + 1) * sizeof *out);
    for (size_t i = 0, at = 0; i < count; i++) {
        const int64_t examples = run[i].step * run[i].batch;
        while (at + 1 < twice->way_count &&
               twice->ways[at + 1].step * twice->ways[at + 1].batch <= examples)
            at++;
        if (twice->way_count > 0 && twice->ways[at].step * twice->ways[at].batch <= examples)
            out[i] = twice->ways[at];
    }
    return out;
}

static void add_way(bl_report_model *m, const bl_noise_log *log, const bl_noise_log *twice,
                    double batch_size, const bl_noise_way *way) {
    const size_t n = windows_of(log);
    if (way->needs_twice && twice->way_count == 0) return;
    bl_report_noise_line *line = add_line(m, way->name, way->does);
    for (size_t w = 0; w < n; w++) {
        const size_t begin = window_begin(w, n, log->probes);
        const size_t end = window_begin(w + 1, n, log->probes);
        size_t first;
        const size_t count = ways_within(log, begin > 0 ? log->probe[begin - 1].step : 0,
                                         log->probe[end - 1].step, &first);
        bl_noise_ways *other = at_same_examples(log->ways + first, count, twice);
        const double scale = bl_noise_way_scale(way, log->ways + first, other, count);
        line->point[line->points++] = (bl_report_noise_point){
            place(log, batch_size, begin, end), scale, (double)NAN, (double)NAN, (double)count};
        free(other);
    }
}

static bool is_twice(const bl_report_trial *a, const bl_report_trial *b) {
    return b->batch_size == 2.0 * a->batch_size && b->seed == a->seed &&
           strcmp(a->settings, b->settings) == 0;
}

/* The trial of twice the batch size, if it has records. */
static bl_status read_twice(bl_noise_log *log, const bl_report_model *m, const bl_report_trial *t,
                            const char *run_dir, bl_err *err) {
    for (size_t i = 0; i < m->trial_count; i++)
        if (is_twice(t, &m->trials[i]) && m->trials[i].learning_rate == t->learning_rate)
            return read_trial(log, &m->trials[i], run_dir, err);
    return BL_OK;
}

/* The trial with the smallest batch size that has probes, with its records; NULL: none has. */
static bl_status find_trial(const bl_report_trial **out, bl_noise_log *log,
                            const bl_report_model *m, const char *run_dir, bl_err *err) {
    *out = NULL;
    for (size_t i = 0; i < m->trial_count; i++) {
        const bl_report_trial *t = &m->trials[i];
        bl_noise_log found;
        if (*out != NULL && t->batch_size >= (*out)->batch_size) continue;
        BL_TRY(read_trial(&found, t, run_dir, err));
        if (found.probes == 0) {
            bl_noise_log_free(&found);
            continue;
        }
        bl_noise_log_free(log);
        *log = found;
        *out = t;
    }
    return BL_OK;
}

bl_status bl_report_noise_read(bl_report_model *m, const char *run_dir, bl_err *err) {
    const bl_report_trial *t;
    bl_noise_log log = {0}, twice = {0};
    bl_status status;
    BL_GOTO(find_trial(&t, &log, m, run_dir, err));
    if (t == NULL) goto done;
    BL_GOTO(read_twice(&twice, m, t, run_dir, err));
    m->noise_batch_size = t->batch_size;
    add_frozen(m, &log, t->batch_size, BL_NOISE_PLAIN, "frozen", "probes at frozen weights");
    add_frozen(m, &log, t->batch_size, BL_NOISE_PRECONDITIONED, "preconditioned",
               "probes, as Adam sees it");
    add_frozen(m, &log, t->batch_size, BL_NOISE_HESSIAN, "hessian", "probes, along the curvature");
    for (size_t i = 0; i < bl_noise_way_count && log.way_count > 0; i++)
        add_way(m, &log, &twice, t->batch_size, &bl_noise_way_table[i]);
done:
    bl_noise_log_free(&log);
    bl_noise_log_free(&twice);
    return status;
}
