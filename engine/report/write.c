/* Everything under reports/NAME/: words, tables, data, scripts, drawings and the page that holds
 * them all.
 *
 *     write_words     recommendation.txt, .json; the tables       needs the model
 *     write_figure    NAME.dat, NAME.gp                           needs the templates
 *     draw_figures    NAME.svg, .linear.svg, .png, .pdf           needs gnuplot
 *     write_html      report.html, with the SVGs inside           needs the drawings
 *     the stamp       .drawn-from                                 last, when all is there
 *
 * All of it goes into a folder of its own first and takes its place whole (report_replace.h). Equal
 * inputs give equal bytes, drawings included, so two reports may be compared with cmp.
 *
 * A new figure is a file in figures/ and a row in bl_figures; its place in the row is its place in
 * report.html. */
#include "engine/report/write.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/report/figures/figures.h"
#include "engine/report/report_replace.h"
#include "engine/report/report_stamp.h"
#include "engine/report/text/html.h"
#include "engine/report/text/labels.h"
#include "engine/report/text/recommendation.h"
#include "engine/report/text/tables.h"
#include <string.h>

const bl_figure *const bl_figures[] = {
    &bl_figure_scaling,       &bl_figure_time,           &bl_figure_resources,
    &bl_figure_pareto,        &bl_figure_targets,        &bl_figure_series,
    &bl_figure_learning_rate, &bl_figure_lr_sensitivity, &bl_figure_lr_rules,
    &bl_figure_budgets,       &bl_figure_curves_steps,   &bl_figure_curves_examples,
    &bl_figure_curves_time,   &bl_figure_noise,          &bl_figure_finder,
    &bl_figure_throughput,    &bl_figure_step_time,      &bl_figure_memory,
    &bl_figure_rate_budget,   &bl_figure_quality};
const size_t bl_figure_count = BL_COUNT(bl_figures);

static bl_status write_text(const char *dir, const char *name, const char *ending,
                            const bl_buf *text, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s.%s", dir, name, ending));
    return bl_file_write(path, bl_buf_text(text), text->len, err);
}

/* ---- figures ---- */

/* NAME.dat and NAME.gp. */
static bl_status write_figure(const bl_figure *f, const bl_report_model *m, const char *dir,
                              const char *template_dir, bl_err *err) {
    if (!f->has_data(m)) return BL_OK;
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

/* ---- the folder ---- */

/* Is the file's name STEM.ENDING? */
static bool is_named(const char *file, const char *stem, const char *ending) {
    const size_t n = strlen(stem);
    return strncmp(file, stem, n) == 0 && file[n] == '.' && strcmp(file + n + 1, ending) == 0;
}

static bool is_figure(const char *file, const char *figure) {
    static const char *const endings[] = {"svg", "linear.svg", "png", "pdf", "dat", "gp"};
    for (size_t i = 0; i < BL_COUNT(endings); i++)
        if (is_named(file, figure, endings[i])) return true;
    return false;
}

/* The names of this report's files and those of earlier programs: beside the new ones these would
 * look current. */
static bool owns(const char *file) {
    static const char *const others[] = {BL_REPORT_NOTE, "recommendation.txt",
                                         "recommendation.json", "report.html"},
                             *const retired[] = {"basins"};
    for (size_t i = 0; i < BL_COUNT(others); i++)
        if (strcmp(file, others[i]) == 0) return true;
    for (size_t i = 0; i < bl_report_table_count; i++)
        if (is_named(file, bl_report_tables[i].name, bl_report_tables[i].ending)) return true;
    for (size_t i = 0; i < bl_figure_count; i++)
        if (is_figure(file, bl_figures[i]->name)) return true;
    for (size_t i = 0; i < BL_COUNT(retired); i++)
        if (is_figure(file, retired[i])) return true;
    return false;
}

/* Everything into `dir`, an empty folder. Without gnuplot there is no note either, so that the next
 * sweep tries to draw again. */
static bl_status draw_all(const bl_report_model *model, const char *dir, const char *template_dir,
                          const bl_buf *inputs, bl_err *err) {
    BL_TRY(write_words(model, dir, err));
    for (size_t i = 0; i < bl_figure_count; i++)
        BL_TRY(write_figure(bl_figures[i], model, dir, template_dir, err));
    const bl_status drawn = draw_figures(model, dir, err);
    if (drawn != BL_OK && drawn != BL_EUNSUPPORTED) return drawn;
    bl_err html_err;
    const bl_status html = write_html(model, dir, &html_err);
    if (html != BL_OK) *err = html_err;
    if (html != BL_OK || drawn != BL_OK) return html != BL_OK ? html : drawn;
    return inputs != NULL ? bl_report_stamp_write(dir, inputs, model->answered, err) : BL_OK;
}

/* BL_EUNSUPPORTED: gnuplot is not there. The report is then in place without drawings, and *err
 * says so. */
bl_status bl_report_write(const bl_report_model *model, const char *report_dir,
                          const char *template_dir, const bl_buf *inputs, bl_err *err) {
    char drawing[BL_PATH];
    BL_TRY(bl_report_begin(drawing, report_dir, err));
    const bl_status drawn = draw_all(model, drawing, template_dir, inputs, err);
    bl_err why;
    bl_status replaced = BL_OK;
    if (drawn == BL_OK || drawn == BL_EUNSUPPORTED)
        replaced = bl_report_replace(drawing, report_dir, owns, &why);
    if (replaced != BL_OK) *err = why;
    if (replaced != BL_OK || (drawn != BL_OK && drawn != BL_EUNSUPPORTED))
        (void)bl_remove_tree(drawing, NULL);
    return replaced != BL_OK ? replaced : drawn;
}

/* Straight into `dir`: nothing reads these figures while they are drawn. Without gnuplot the
 * data and scripts are there. */
bl_status bl_report_write_machine(const bl_report_model *model, const char *dir,
                                  const char *template_dir, bl_err *err) {
    static const bl_figure *const figures[] = {&bl_figure_throughput, &bl_figure_step_time,
                                               &bl_figure_memory};
    bl_status status = BL_OK;
    BL_TRY(bl_make_dirs(dir, err));
    for (size_t i = 0; i < BL_COUNT(figures); i++) {
        BL_TRY(write_figure(figures[i], model, dir, template_dir, err));
        if (figures[i]->has_data(model) && status == BL_OK)
            status = bl_figure_draw(dir, figures[i]->name, err);
    }
    return status;
}
