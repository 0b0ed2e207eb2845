/* The learning-rate finder's runs, for its figure: the curve from the run's log, the suggestions
 * from the plan.
 *
 * The loss is smoothed as scripts/lua/finder.lua does it, an exponential average without the bias
 * of its start:
 *
 *     a_0 = 0,  a_t = 0.98 a_(t-1) + 0.02 loss_t,  smoothed_t = a_t / (1 - 0.98^t)
 *
 * So the figure shows the numbers that the suggestions were made from. */
#include "engine/report/finder_read.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/runlog/runlog.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Fills f->point, which the caller frees, up to the first loss that is not finite. A run without
 * a log leaves it empty. */
static bl_status read_course(bl_report_finder *f, const char *run, const char *run_dir,
                             bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_runlog log = {0};
    bl_status status = BL_OK;
    double average = 0.0, weight = 1.0;
    BL_TRY(bl_path(path, err, "%s/%s/log.jsonl.gz", run_dir, run));
    BL_GOTO(bl_runlog_read(&text, path, err));
    BL_GOTO(bl_runlog_parse(&log, bl_buf_text(&text), text.len, path, err));
    f->point = bl_xalloc((log.evals + 1) * sizeof *f->point);
    for (size_t i = 0; i < log.evals && isfinite(log.eval[i].train_loss); i++) {
        average = 0.98 * average + (1.0 - 0.98) * log.eval[i].train_loss;
        weight *= 0.98;
        f->point[f->points++] =
            (bl_report_finder_point){log.eval[i].learning_rate, average / (1.0 - weight)};
    }
done:
    bl_runlog_free(&log);
    bl_buf_free(&text);
    return status == BL_EMISSING ? BL_OK : status;
}

/* [{"name":"steepest","learning_rate":0.1,"regret":1.2,"at_least":false},...]; more than the
 * model holds are left out. */
static void read_suggestions(bl_report_finder *f, const bl_json *list) {
    enum { MOST = BL_REPORT_SUGGESTIONS };
    for (const bl_json *s = list != NULL ? list->first : NULL; s != NULL; s = s->next) {
        if (f->suggestions == MOST) break;
        bl_report_suggestion *out = &f->suggestion[f->suggestions++];
        (void)snprintf(out->name, sizeof out->name, "%s", bl_json_text(s, "name", ""));
        out->learning_rate = bl_json_number(s, "learning_rate", (double)NAN);
        out->regret = bl_json_number(s, "regret", (double)NAN);
        out->at_least = bl_json_bool(s, "at_least", false);
    }
}

/* The data of one decision. Another script's own decision is not the finder's. */
static bl_status read_decision(bl_report_model *m, const bl_json *data, const char *run_dir,
                               bl_err *err) {
    const char *run = bl_json_text(data, "run", "");
    if (strcmp(bl_json_text(data, "finder", ""), "learning_rate") != 0 || run[0] == '\0')
        return BL_OK;
    bl_report_finder found = {.batch_size = bl_json_number(data, "batch_size", (double)NAN),
                              .tuned = bl_json_number(data, "tuned", (double)NAN)};
    read_suggestions(&found, bl_json_get(data, "suggestions"));
    const bl_status status = read_course(&found, run, run_dir, err);
    if (status == BL_OK && found.points > 0)
        *BL_PUSH(m->finders, m->finder_count, "finders") = found;
    else
        free(found.point);
    return status;
}

bl_status bl_report_finder_read(bl_report_model *m, const char *run_dir, bl_err *err) {
    bl_status status = BL_OK;
    for (size_t i = 0; i < m->plan.decision_count && status == BL_OK; i++) {
        const bl_plan_decision *d = &m->plan.decisions[i];
        bl_json_doc doc;
        if (d->kind != BL_PLAN_CUSTOM || d->data == NULL) continue;
        BL_TRY(bl_json_parse(&doc, d->data, strlen(d->data), "data", 1, err));
        status = read_decision(m, doc.root, run_dir, err);
        bl_json_free(&doc);
    }
    return status;
}
