/* report.html: heading, sentences, table, figures and trials in one file without references. */
#include "engine/report/text/html.h"
#include "engine/base/file.h"
#include "engine/report/audit.h"
#include "engine/report/figures/figures.h"
#include "engine/report/text/cells.h"
#include "engine/report/text/labels.h"
#include "engine/report/text/sentences.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { SVG_LIMIT = 16 << 20 };

/* Figures keep a white ground in the dark style: their colours are chosen for it. */
static const char style[] =
    ":root{color-scheme:light "
    "dark;--ink:#222;--ground:#fff;--line:#ccc;--quiet:#555;--link:#00508f}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--ground:#16181b;--line:#444;"
    "--quiet:#b0b0b0;--link:#8cc4ff}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;"
    "color:var(--ink);background:var(--ground)}\n"
    "a{color:var(--link)}nav ul{display:flex;flex-wrap:wrap;gap:.2rem "
    "1.2rem;list-style:none;padding:0}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:right;padding:.2rem .8rem;border-bottom:1px solid var(--line);"
    "white-space:nowrap}\n"
    "th{border-bottom:2px solid var(--ink)}\n"
    "th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer}\n"
    "th[aria-sort=ascending] button::after{content:' \\2191'}\n"
    "th[aria-sort=descending] button::after{content:' \\2193'}\n"
    ".wide{overflow-x:auto}\n"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(22rem,100%),1fr));"
    "gap:1.5rem}\n"
    "figure{margin:0;min-width:0}figcaption{font-size:.9rem;color:var(--quiet)}\n"
    "svg{width:100%;height:auto;background:#fff}\n"
    ".synthetic{color:#b30000;background:#fff;font-weight:bold}\n"
    "details table{font-size:.85rem}\n"
    "@media print{body{max-width:none;margin:0;color:#000;background:#fff}nav,details{display:none}"
    "figure,tr{break-inside:avoid}.figures{grid-template-columns:1fr 1fr}}\n";

/* A table's heads become buttons, by mouse and keyboard: a second press turns the order. Numbers
 * are compared as numbers, without the commas between their thousands. Without a script the tables
 * are as they were. */
static const char script[] =
    "for(const table of document.querySelectorAll('table')){\n"
    "  const heads=[...table.rows[0].cells],body=table.tBodies[0];\n"
    "  heads.forEach((head,column)=>{\n"
    "    const button=document.createElement('button');\n"
    "    button.append(...head.childNodes);head.append(button);\n"
    "    button.onclick=()=>{\n"
    "      const up=head.getAttribute('aria-sort')!=='ascending';\n"
    "      heads.forEach(other=>other.removeAttribute('aria-sort'));\n"
    "      head.setAttribute('aria-sort',up?'ascending':'descending');\n"
    "      const key=row=>{const text=row.cells[column].textContent.replace(/,/g,'');\n"
    "        const number=parseFloat(text.replace(/^[<>=\\s]+/,''));\n"
    "        return Number.isNaN(number)||/^r[0-9a-f]{12}$/.test(text)?text:number};\n"
    "      const order=(a,b)=>{const x=key(a),y=key(b);\n"
    "        if(typeof x!==typeof y)return typeof x==='number'?-1:1;\n"
    "        return x<y?-1:x>y?1:0};\n"
    "      body.append(...[...body.rows].sort((a,b)=>up?order(a,b):order(b,a)));\n"
    "    };\n"
    "  });\n"
    "}\n";

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
    bl_buf_printf(out, "\n<style>\n%s</style></head><body>\n", style);
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
    bl_buf_str(out, "<li><a href=\"#runs\">Runs</a></li></ul></nav>\n<main>\n");
}

/* bl_sentences, a list item a line. */
static void sentences(bl_buf *out, const bl_report_model *m) {
    bl_buf text = {0};
    bl_sentences(&text, m);
    bl_buf_str(out, "<h2 id=\"answer\">Recommendation</h2>\n<ul>\n");
    for (char *line = text.data; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL) *end = '\0';
        element(out, "li", line);
        bl_buf_str(out, "\n");
        line = end != NULL ? end + 1 : NULL;
    }
    bl_buf_str(out, "</ul>\n");
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
static void add_svg(bl_buf *out, const bl_figure *f, const char *svg) {
    static const char open[] = "<title>", close[] = "</title>";
    bl_buf_str(out, "<svg role=\"img\" aria-label=\"");
    escaped(out, f->caption);
    bl_buf_str(out, "\"");
    svg += strlen("<svg");
    for (const char *title; (title = strstr(svg, open)) != NULL;) {
        const char *end = strstr(title, close);
        if (end == NULL) break;
        bl_buf_add(out, svg, (size_t)(title - svg));
        svg = end + sizeof close - 1;
    }
    bl_buf_str(out, svg);
}

/* The figure's SVG in place. */
static bl_status figure(bl_buf *out, const bl_figure *f, const bl_report_model *m, const char *dir,
                        bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s.svg", dir, f->name));
    bl_buf svg = {0};
    bl_status status = bl_file_read(&svg, path, SVG_LIMIT, err);
    const char *start = strstr(bl_buf_text(&svg), "<svg");
    if (status == BL_OK && start != NULL) {
        bl_buf_printf(out, "<figure id=\"figure-%s\">\n", f->name);
        add_svg(out, f, start);
        caption(out, f, m);
        bl_buf_str(out, "</figure>\n");
    }
    bl_buf_free(&svg);
    return status == BL_EMISSING ? BL_OK : status; /* not drawn here */
}

/* Every trial of the plan, folded. */
static void runs(bl_buf *out, const bl_report_model *m) {
    bl_buf_printf(
        out,
        "<details><summary>All %zu trials</summary><div class=\"wide\" tabindex=\"0\"><table>\n"
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
    bl_buf_str(out, script);
    bl_buf_str(out, "</script></body></html>\n");
    return BL_OK;
}
