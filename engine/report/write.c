/* Everything under reports/NAME/. */
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/report/figures.h"
#include "engine/report/html.h"
#include "engine/report/words.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

const bl_figure *const bl_figures[] = {
    &bl_figure_scaling,         &bl_figure_time,       &bl_figure_resources,
    &bl_figure_pareto,          &bl_figure_targets,    &bl_figure_learning_rate,
    &bl_figure_basins,          &bl_figure_budgets,    &bl_figure_curves_steps,
    &bl_figure_curves_examples, &bl_figure_curves_time};
const size_t bl_figure_count = BL_COUNT(bl_figures);

static bl_status write_text(const char *dir, const char *name, const char *ending,
                            const bl_buf *text, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s.%s", dir, name, ending));
    return bl_file_write(path, bl_buf_text(text), text->len, err);
}

/* ---- runs.csv ---------------------------------------------------------------------------------
 */

static void csv_text(bl_buf *out, const char *text) {
    bl_buf_str(out, "\"");
    for (const char *p = text; *p != '\0'; p++) bl_buf_printf(out, *p == '"' ? "\"\"" : "%c", *p);
    bl_buf_str(out, "\"");
}

static void csv_number(bl_buf *out, double value) {
    char text[32];
    if (isnan(value)) return;
    bl_f64_text(text, value);
    bl_buf_str(out, text);
}

static void runs_csv(bl_buf *out, const bl_answer *a) {
    bl_buf_str(out, "round,run,batch_size,learning_rate,seed,target,max_steps,outcome,steps,"
                    "examples,hit,before,reason,data\n");
    for (size_t i = 0; i < a->trial_count; i++) {
        const bl_report_trial *t = &a->trials[i];
        bl_buf_printf(out, "%" PRId64 ",%s,", t->round, t->run);
        csv_number(out, t->batch_size);
        bl_buf_str(out, ",");
        csv_number(out, t->learning_rate);
        bl_buf_printf(out, ",%" PRId64 ",", t->seed);
        csv_number(out, t->target);
        bl_buf_printf(out, ",%" PRId64 ",%s,%" PRId64 ",", t->max_steps, t->outcome, t->steps);
        csv_number(out, (double)t->steps * t->batch_size);
        bl_buf_printf(out, ",%" PRId64 ",%" PRId64 ",", t->hit, t->before);
        csv_text(out, t->reason);
        bl_buf_printf(out, ",%s\n", a->synthetic ? BL_SYNTHETIC_LABEL : "real");
    }
}

/* ---- figures ----------------------------------------------------------------------------------
 */

static bl_status forget(const char *dir, const char *name, const char *ending, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s.%s", dir, name, ending));
    if (unlink(path) != 0 && errno != ENOENT)
        BL_FAIL(err, BL_EIO, "%s: cannot remove an old figure: %s", path, strerror(errno));
    return BL_OK;
}

/* A figure that cannot be drawn now must not survive from an earlier report. */
static bl_status forget_drawings(const char *dir, const char *name, bl_err *err) {
    static const char *const endings[] = {"svg", "png", "pdf"};
    for (size_t i = 0; i < BL_COUNT(endings); i++) BL_TRY(forget(dir, name, endings[i], err));
    return BL_OK;
}

static bl_status write_figure(const bl_figure *f, const bl_answer *a, const char *dir,
                              const char *template_dir, bl_err *err) {
    BL_TRY(forget_drawings(dir, f->name, err));
    if (!f->has_data(a)) {
        BL_TRY(forget(dir, f->name, "dat", err));
        return forget(dir, f->name, "gp", err);
    }
    bl_buf dat = {0}, gp = {0};
    bl_status status = BL_OK;
    if (a->synthetic) bl_buf_str(&dat, "# " BL_SYNTHETIC_LABEL "\n");
    f->data(&dat, a);
    BL_GOTO(bl_figure_script(&gp, f, a, template_dir, err));
    BL_GOTO(write_text(dir, f->name, "dat", &dat, err));
    BL_GOTO(write_text(dir, f->name, "gp", &gp, err));
done:
    bl_buf_free(&dat);
    bl_buf_free(&gp);
    return status;
}

static bl_status draw_figures(const bl_answer *a, const char *dir, bl_err *err) {
    for (size_t i = 0; i < bl_figure_count; i++)
        if (bl_figures[i]->has_data(a)) BL_TRY(bl_figure_draw(dir, bl_figures[i]->name, err));
    return BL_OK;
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static bl_status write_words(const bl_answer *a, const char *dir, bl_err *err) {
    bl_buf text = {0};
    bl_status status = BL_OK;
    bl_report_recommendation_text(a, &text);
    BL_GOTO(write_text(dir, "recommendation", "txt", &text, err));
    bl_buf_clear(&text);
    bl_report_recommendation_json(a, &text);
    bl_buf_str(&text, "\n");
    BL_GOTO(write_text(dir, "recommendation", "json", &text, err));
    bl_buf_clear(&text);
    runs_csv(&text, a);
    BL_GOTO(write_text(dir, "runs", "csv", &text, err));
done:
    bl_buf_free(&text);
    return status;
}

static bl_status write_html(const bl_answer *a, const char *dir, bl_err *err) {
    bl_buf html = {0};
    bl_status status = bl_report_html(&html, a, dir, err);
    if (status == BL_OK) status = write_text(dir, "report", "html", &html, err);
    bl_buf_free(&html);
    return status;
}

bl_status bl_report_write(const bl_answer *answer, const char *report_dir, const char *template_dir,
                          bl_err *err) {
    BL_TRY(bl_make_dirs(report_dir, err));
    BL_TRY(write_words(answer, report_dir, err));
    for (size_t i = 0; i < bl_figure_count; i++)
        BL_TRY(write_figure(bl_figures[i], answer, report_dir, template_dir, err));
    const bl_status drawn = draw_figures(answer, report_dir, err);
    if (drawn != BL_OK && drawn != BL_EUNSUPPORTED) return drawn;
    const bl_status status = write_html(answer, report_dir, drawn == BL_OK ? err : NULL);
    return drawn != BL_OK ? drawn : status;
}
