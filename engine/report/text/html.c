/* report.html: heading, sentences, table, figures and trials in one file without references. */
#include "engine/report/text/html.h"
#include "engine/base/file.h"
#include "engine/report/audit.h"
#include "engine/report/figures/figures.h"
#include "engine/report/text/cells.h"
#include "engine/report/text/html_page.h"
#include "engine/report/text/labels.h"
#include "engine/report/text/sentences.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { SVG_LIMIT = 16 << 20 };

/* Text as HTML shows it, also inside an attribute. */
static void escaped(bl_buf *out, const char *text) {
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '<')
            bl_buf_str(out, "&lt;");
        else if (*p == '>')
            bl_buf_str(out, "&gt;");
        else if (*p == '&')
            bl_buf_str(out, "&amp;");
        else if (*p == '"')
            bl_buf_str(out, "&quot;");
        else
            bl_buf_add(out, p, 1);
    }
}

/* `text` is escaped, `tag` is not. */
static void element(bl_buf *out, const char *tag, const char *text) {
    bl_buf_printf(out, "<%s>", tag);
    escaped(out, text);
    bl_buf_printf(out, "</%s>", tag);
}

/* The sweep said something that is not among the sentences. */
static bool has_notes(const bl_report_model *m) {
    return m->note_count > 0 && !bl_notes_are_the_answer(m);
}

/* Title, style, and one line on what was trained, until when, and where it was timed. */
static void head(bl_buf *out, const bl_report_model *m) {
    const char *title =
        m->plan.head.title[0] != '\0' ? m->plan.head.title : m->plan.head.experiment;
    bl_buf_str(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width\">\n");
    element(out, "title", title);
    bl_buf_str(out, "\n<style>\n");
    bl_report_html_style(out);
    bl_buf_str(out, "</style></head><body>\n");
    element(out, "h1", title);
    if (m->plan.head.dataset.synthetic)
        bl_buf_str(out, "\n<p class=\"synthetic\">" BL_SYNTHETIC_LABEL "</p>");
    bl_buf_str(out, "\n<p>");
    escaped(out, m->plan.head.experiment);
    if (m->plan.head.preset[0] != '\0') bl_buf_str(out, ", preset ");
    escaped(out, m->plan.head.preset);
    bl_buf words = {0};
    bl_label_data(&words, m);
    bl_buf_str(out, "; ");
    escaped(out, bl_buf_text(&words));
    if (!isnan(m->main.target)) {
        bl_buf_clear(&words);
        bl_label_target(&words, m);
        bl_buf_str(out, bl_label_is_imported(m) ? "; until " : "; trained until ");
        escaped(out, bl_buf_text(&words));
    }
    bl_buf_free(&words);
    if (m->timed && m->processor[0] != '\0') {
        bl_buf_str(out, "; timed on ");
        escaped(out, m->processor);
    }
    bl_buf_str(out, "</p>\n<nav aria-label=\"Contents\"><ul>"
                    "<li><a href=\"#answer\">Recommendation</a></li>"
                    "<li><a href=\"#figures\">Figures</a></li>");
    if (m->forecast_count > 0) bl_buf_str(out, "<li><a href=\"#forecasts\">Forecasts</a></li>");
    if (has_notes(m)) bl_buf_str(out, "<li><a href=\"#notes\">Notes of the sweep</a></li>");
    bl_buf_str(out, "<li><a href=\"#runs\">Runs</a></li></ul></nav>\n");
    /* For the script: the learning rate of each batch size. */
    bl_buf_str(out, "<main data-rates=\"");
    for (size_t i = 0; i < m->main.size_count; i++)
        bl_buf_printf(out, "%s%.9g:%.9g", i > 0 ? " " : "", m->main.sizes[i].batch_size,
                      m->main.sizes[i].learning_rate);
    bl_buf_str(out, "\">\n");
}

/* Is the line among those of `text`? */
static bool has_line(const char *text, const char *line) {
    const size_t n = strlen(line);
    for (const char *p = text; (p = strstr(p, line)) != NULL; p++)
        if ((p == text || p[-1] == '\n') && (p[n] == '\n' || p[n] == '\0')) return true;
    return false;
}

/* Each line of `text` in an element, but for those that `without` has. */
static void each_line(bl_buf *out, const char *tag, bl_buf *text, const char *without) {
    for (char *line = text->data; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL) *end = '\0';
        if (!has_line(without, line)) {
            element(out, tag, line);
            bl_buf_str(out, "\n");
        }
        line = end != NULL ? end + 1 : NULL;
    }
}

/* The three answers with their certainty and the critical batch size, then all other sentences. */
static void sentences(bl_buf *out, const bl_report_model *m) {
    bl_buf text = {0}, first = {0}, shown = {0};
    bl_sentences(&text, m);
    for (int goal = 0; goal < BL_STATS_GOAL_COUNT; goal++)
        bl_sentences_optimum(&first, m, (bl_stats_goal)goal);
    bl_sentences_critical(&first, m);
    bl_sentences_certainty(&first, m);
    if (first.len > 0) bl_sentences_no_intervals(&first, m);
    bl_buf_str(&shown, bl_buf_text(&first));
    bl_buf_str(out, "<h2 id=\"answer\">Recommendation</h2>\n");
    if (first.len > 0) bl_buf_str(out, "<div class=\"answer\">\n");
    each_line(out, "p", &first, "");
    bl_buf_str(out, shown.len > 0 ? "</div>\n<ul>\n" : "<ul>\n");
    each_line(out, "li", &text, bl_buf_text(&shown));
    bl_buf_str(out, "</ul>\n");
    bl_buf_free(&shown);
    bl_buf_free(&first);
    bl_buf_free(&text);
}

/* The table of batch sizes, one column for each of bl_cell_columns; row 0 is the head. */
static void table(bl_buf *out, const bl_report_model *m) {
    if (m->main.size_count == 0) return;
    if (m->main_series != BL_NO_SERIES) {
        bl_buf_str(out, "<p>Table and figures: series ");
        escaped(out, m->series[m->main_series].name);
        bl_buf_str(out, "</p>\n");
    }
    int columns[BL_CELL_COLUMNS];
    const size_t n = bl_cell_columns(m, true, columns);
    bl_buf cell = {0};
    bl_buf_str(out, "<div class=\"wide\" tabindex=\"0\"><table>\n");
    for (size_t row = 0; row <= m->main.size_count; row++) {
        bl_buf_str(out, row == 0 ? "<thead><tr>" : "<tr>");
        for (size_t c = 0; c < n; c++) {
            bl_buf_clear(&cell);
            bl_cell_text(&cell, m, row, columns[c]);
            bl_buf_str(out, row == 0 ? "<th scope=\"col\">" : "<td>");
            escaped(out, bl_buf_text(&cell));
            bl_buf_str(out, row == 0 ? "</th>" : "</td>");
        }
        bl_buf_str(out, row == 0 ? "</tr></thead>\n<tbody>\n" : "</tr>\n");
    }
    bl_buf_str(out, "</tbody></table></div>\n");
    bl_buf_free(&cell);
}

/* A forecast, and how many times what was measured it is. */
static void forecast_row(bl_buf *out, const bl_report_model *m, const bl_report_forecast *f) {
    static const bl_stats_definition shown[] = {BL_STATS_B_CRIT, BL_STATS_PERFECT_END,
                                                BL_STATS_MAX_USEFUL};
    bl_buf cell = {0};
    bl_buf_str(out, "<tr>");
    element(out, "td", f->words);
    bl_buf_printf(out, "<td>%.4g</td>", f->target);
    bl_stats_value_text(&cell, &f->value);
    element(out, "td", bl_buf_text(&cell));
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const bl_stats_value factor = bl_report_audit_factor(m, f, shown[i]);
        bl_buf_clear(&cell);
        bl_stats_value_text(&cell, &factor);
        element(out, "td", bl_buf_text(&cell));
    }
    bl_buf_str(out, "</tr>\n");
    bl_buf_free(&cell);
}

static void forecasts(bl_buf *out, const bl_report_model *m) {
    if (m->forecast_count == 0) return;
    bl_buf_str(out, "<h2 id=\"forecasts\">Forecasts</h2>\n<p>What was said before the sweep, and "
                    "how many times the "
                    "measured size it is: 1 is right, 0.1 ten times too small.</p>\n"
                    "<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr><th "
                    "scope=\"col\">forecast</th><th scope=\"col\">target</th>"
                    "<th scope=\"col\">examples</th><th scope=\"col\">/ critical size</th><th "
                    "scope=\"col\">/ end of perfect scaling</th>"
                    "<th scope=\"col\">/ largest useful size</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < m->forecast_count; i++) forecast_row(out, m, &m->forecasts[i]);
    bl_buf_str(out, "</tbody></table></div>\n");
}

/* What the sweep said besides, as far as it is not among the sentences. */
static void notes(bl_buf *out, const bl_report_model *m) {
    if (!has_notes(m)) return;
    bl_buf_str(out, "<h2 id=\"notes\">Notes of the sweep</h2>\n<ul>\n");
    for (size_t i = 0; i < m->note_count; i++) {
        element(out, "li", m->notes[i]);
        bl_buf_str(out, "\n");
    }
    bl_buf_str(out, "</ul>\n");
}

/* What the figure is, then what it shows. */
static void caption(bl_buf *out, const bl_figure *f, const bl_report_model *m) {
    bl_buf words = {0};
    bl_buf_printf(&words, "%s\n", f->caption);
    if (f->found != NULL) f->found(&words, m);
    for (size_t i = 0; i < words.len; i++)
        if (words.data[i] == '\n') words.data[i] = ' ';
    bl_buf_truncate(&words, words.len - 1);
    element(out, "figcaption", bl_buf_text(&words));
    bl_buf_free(&words);
}

/* An SVG from its root element on, named by the figure's caption for those who do not see it.
 * gnuplot's own titles, which show as "gnuplot_plot_1" under the mouse, are left out. */
static void add_svg(bl_buf *out, const bl_figure *f, const char *svg, bool linear) {
    static const char open[] = "<title>", close[] = "</title>";
    bl_buf_str(out, "<svg role=\"img\" aria-label=\"");
    escaped(out, f->caption);
    bl_buf_str(out, linear ? " Linear axes.\" class=\"other\"" : "\"");
    svg += strlen("<svg");
    for (const char *title; (title = strstr(svg, open)) != NULL;) {
        const char *end = strstr(title, close);
        if (end == NULL) break;
        bl_buf_add(out, svg, (size_t)(title - svg));
        svg = end + sizeof close - 1;
    }
    bl_buf_str(out, svg);
}

/* A file of the figure; empty where there is none. */
static bl_status read_part(bl_buf *text, const char *dir, const bl_figure *f, const char *ending,
                           bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s.%s", dir, f->name, ending));
    const bl_status status = bl_file_read(text, path, SVG_LIMIT, err);
    return status == BL_EMISSING ? BL_OK : status;
}

/* The range that the script sets for an axis, "1:64", as an attribute; nothing where gnuplot chose
 * it. */
static void range(bl_buf *out, const char *attribute, const char *gp, const char *setting) {
    const char *from = strstr(gp, setting);
    if (from == NULL) return;
    from += strlen(setting);
    bl_buf_printf(out, " %s=\"%.*s\"", attribute, (int)strcspn(from, "]\n"), from);
}

static void ranges(bl_buf *out, const char *gp) {
    if (strstr(gp, "\nset yrange [") == NULL || strstr(gp, "x_linear = \"set xrange [") == NULL)
        return;
    range(out, "data-x", gp, "\nset xrange [");
    range(out, "data-y", gp, "\nset yrange [");
    range(out, "data-x-linear", gp, "x_linear = \"set xrange [");
    range(out, "data-y-linear", gp, "y_linear = \"set yrange [");
}

/* How to make the figure again, and its files. */
static void made_by(bl_buf *out, const bl_figure *f, const bl_report_model *m) {
    bl_buf command = {0};
    bl_buf_printf(&command, "batchlab plot %s", m->plan.head.experiment);
    if (m->plan.head.preset[0] != '\0')
        bl_buf_printf(&command, " --preset %s", m->plan.head.preset);
    bl_buf_printf(out,
                  "<p class=\"made\"><a href=\"%s.dat\">Data</a>, <a href=\"%s.gp\">script</a> "
                  "(<code>gnuplot %s.gp</code>), <a href=\"%s.pdf\">PDF</a>. Draw again: ",
                  f->name, f->name, f->name, f->name);
    element(out, "code", bl_buf_text(&command));
    bl_buf_str(out, "</p>\n");
    bl_buf_free(&command);
}

/* The figure's SVGs in place, with the numbers that its points stand for. */
static bl_status figure(bl_buf *out, const bl_figure *f, const bl_report_model *m, const char *dir,
                        bl_err *err) {
    bl_buf svg = {0}, linear = {0}, gp = {0}, dat = {0};
    bl_status status = BL_OK;
    BL_GOTO(read_part(&svg, dir, f, "svg", err));
    BL_GOTO(read_part(&linear, dir, f, "linear.svg", err));
    BL_GOTO(read_part(&gp, dir, f, "gp", err));
    BL_GOTO(read_part(&dat, dir, f, "dat", err));
    const char *start = strstr(bl_buf_text(&svg), "<svg"),
               *other = strstr(bl_buf_text(&linear), "<svg");
    if (start == NULL) goto done; /* not drawn here */
    bl_buf_printf(out, "<figure id=\"figure-%s\"", f->name);
    ranges(out, bl_buf_text(&gp));
    bl_buf_str(out, ">\n");
    add_svg(out, f, start, false);
    if (other != NULL) add_svg(out, f, other, true);
    bl_buf_str(out, "<p class=\"tip\" aria-live=\"polite\" hidden></p>\n");
    caption(out, f, m);
    made_by(out, f, m);
    bl_buf_str(out, "<pre class=\"data\">");
    escaped(out, bl_buf_text(&dat));
    bl_buf_str(out, "</pre>\n</figure>\n");
done:
    bl_buf_free(&dat);
    bl_buf_free(&gp);
    bl_buf_free(&linear);
    bl_buf_free(&svg);
    return status;
}

/* Every trial of the plan, folded. */
static void runs(bl_buf *out, const bl_report_model *m) {
    bl_buf_printf(
        out,
        "<details id=\"trials\"><summary>All %zu trials</summary><div class=\"wide\" "
        "tabindex=\"0\"><table>\n"
        "<thead><tr><th scope=\"col\">run</th><th scope=\"col\">batch</th><th "
        "scope=\"col\">lr</th><th scope=\"col\">seed</th><th scope=\"col\">outcome</th>"
        "<th scope=\"col\">steps</th><th scope=\"col\">reason</th></tr></thead>\n<tbody>\n",
        m->trial_count);
    for (size_t i = 0; i < m->trial_count; i++) {
        const bl_report_trial *t = &m->trials[i];
        bl_buf_str(out, "<tr>");
        element(out, "td", t->run);
        bl_buf_printf(out, "<td>%.9g</td><td>%.4g</td><td>%" PRId64 "</td>", t->batch_size,
                      t->learning_rate, t->seed);
        element(out, "td", bl_outcome_name(t->outcome));
        bl_buf_printf(out, "<td>%" PRId64 "</td>", t->steps);
        element(out, "td", t->error != NULL ? t->error : t->reason);
        bl_buf_str(out, "</tr>\n");
    }
    bl_buf_str(out, "</tbody></table></div></details>\n");
}

bl_status bl_report_html(bl_buf *out, const bl_report_model *model, const char *report_dir,
                         bl_err *err) {
    head(out, model);
    sentences(out, model);
    table(out, model);
    bl_buf_str(out, "<h2 id=\"figures\">Figures</h2>\n<div class=\"figures\">\n");
    for (size_t i = 0; i < bl_figure_count; i++)
        BL_TRY(figure(out, bl_figures[i], model, report_dir, err));
    bl_buf_str(out, "</div>\n");
    forecasts(out, model);
    notes(out, model);
    bl_buf_str(out, "<h2 id=\"runs\">Runs</h2>\n");
    runs(out, model);
    bl_buf_str(out, "</main>\n<script>\n");
    bl_report_html_script(out);
    bl_buf_str(out, "</script></body></html>\n");
    return BL_OK;
}
