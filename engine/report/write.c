/* Everything under reports/NAME/. */
#include "engine/report/write.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/text/html.h"
#include "engine/report/text/labels.h"
#include "engine/report/text/recommendation.h"
#include "engine/report/text/tables.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

const bl_figure *const bl_figures[] = {
    &bl_figure_scaling,    &bl_figure_time,    &bl_figure_resources,     &bl_figure_pareto,
    &bl_figure_targets,    &bl_figure_series,  &bl_figure_learning_rate, &bl_figure_lr_sensitivity,
    &bl_figure_lr_rules,   &bl_figure_budgets, &bl_figure_curves_steps,  &bl_figure_curves_examples,
    &bl_figure_curves_time};
const size_t bl_figure_count = BL_COUNT(bl_figures);

static bl_status write_text(const char *dir, const char *name, const char *ending,
                            const bl_buf *text, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s.%s", dir, name, ending));
    return bl_file_write(path, bl_buf_text(text), text->len, err);
}

/* ---- figures ---- */

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

static bl_status forget_figure(const char *dir, const char *name, bl_err *err) {
    BL_TRY(forget_drawings(dir, name, err));
    BL_TRY(forget(dir, name, "dat", err));
    return forget(dir, name, "gp", err);
}

/* Figures under names that they no longer have: beside the new ones they would look current. */
static bl_status forget_retired(const char *dir, bl_err *err) {
    static const char *const retired[] = {"basins"};
    for (size_t i = 0; i < BL_COUNT(retired); i++) BL_TRY(forget_figure(dir, retired[i], err));
    return BL_OK;
}

/* NAME.dat and NAME.gp, after older drawings of that name are gone. */
static bl_status write_figure(const bl_figure *f, const bl_report_model *m, const char *dir,
                              const char *template_dir, bl_err *err) {
    if (!f->has_data(m)) return forget_figure(dir, f->name, err);
    BL_TRY(forget_drawings(dir, f->name, err));
    bl_buf dat = {0}, gp = {0};
    bl_status status = BL_OK;
    bl_buf_str(&dat, "# ");
    bl_label_data(&dat, m);
    bl_buf_str(&dat, "\n");
    f->data(&dat, m);
    BL_GOTO(bl_figure_script(&gp, f, m, template_dir, err));
    BL_GOTO(write_text(dir, f->name, "dat", &dat, err));
    BL_GOTO(write_text(dir, f->name, "gp", &gp, err));
done:
    bl_buf_free(&dat);
    bl_buf_free(&gp);
    return status;
}

static bl_status draw_figures(const bl_report_model *m, const char *dir, bl_err *err) {
    for (size_t i = 0; i < bl_figure_count; i++)
        if (bl_figures[i]->has_data(m)) BL_TRY(bl_figure_draw(dir, bl_figures[i]->name, err));
    return BL_OK;
}

/* ---- all of it ---- */

/* recommendation.txt and .json, and the tables. */
static bl_status write_words(const bl_report_model *m, const char *dir, bl_err *err) {
    bl_buf text = {0};
    bl_status status = BL_OK;
    bl_recommendation_text(m, &text);
    BL_GOTO(write_text(dir, "recommendation", "txt", &text, err));
    bl_buf_clear(&text);
    bl_recommendation_json(m, &text);
    bl_buf_str(&text, "\n");
    BL_GOTO(write_text(dir, "recommendation", "json", &text, err));
    for (size_t i = 0; i < bl_report_table_count; i++) {
        bl_buf_clear(&text);
        bl_report_tables[i].write(&text, m);
        BL_GOTO(write_text(dir, bl_report_tables[i].name, bl_report_tables[i].ending, &text, err));
    }
done:
    bl_buf_free(&text);
    return status;
}

static bl_status write_html(const bl_report_model *m, const char *dir, bl_err *err) {
    bl_buf html = {0};
    bl_status status = bl_report_html(&html, m, dir, err);
    if (status == BL_OK) status = write_text(dir, "report", "html", &html, err);
    bl_buf_free(&html);
    return status;
}

bl_status bl_report_write(const bl_report_model *model, const char *report_dir,
                          const char *template_dir, bl_err *err) {
    BL_TRY(bl_make_dirs(report_dir, err));
    BL_TRY(write_words(model, report_dir, err));
    BL_TRY(forget_retired(report_dir, err));
    for (size_t i = 0; i < bl_figure_count; i++)
        BL_TRY(write_figure(bl_figures[i], model, report_dir, template_dir, err));
    const bl_status drawn = draw_figures(model, report_dir, err);
    if (drawn != BL_OK && drawn != BL_EUNSUPPORTED) return drawn;
    const bl_status status = write_html(model, report_dir, drawn == BL_OK ? err : NULL);
    return drawn != BL_OK ? drawn : status;
}
