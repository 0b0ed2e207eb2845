#include "engine/report/text/quality_text.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/report/quality.h"
#include "engine/stats/critical.h"
#include <math.h>

static const char *const k_headings[BL_REPORT_PART_COUNT] = {
    [BL_REPORT_PART_ALL] = "Everything retuned",
    [BL_REPORT_PART_RATE] = "The rate alone retuned",
    [BL_REPORT_PART_NONE] = "Nothing retuned",
    [BL_REPORT_PART_HALF] = "Half of the steps, against all of them"};

static bool has_part(const bl_report_model *m, bl_report_part part) {
    for (size_t i = 0; i < m->quality_count; i++)
        if (m->quality[i].part == part) return true;
    return false;
}

/* The number with its interval, or alone. */
static void number(bl_buf *out, const bl_stats_value *v) {
    if (!v->known)
        bl_buf_str(out, "no result");
    else if (bl_stats_has_interval(v) && isfinite(v->value))
        bl_format_interval(out, v->value, v->low, v->high);
    else if (isfinite(v->value))
        bl_format_3_digits(out, v->value);
    else
        bl_buf_str(out, "diverged");
}

/* `text` in a column so wide. */
static void column(bl_buf *out, bl_buf *text, int width) {
    bl_buf_printf(out, "%*s", width, bl_buf_text(text));
    bl_buf_clear(text);
}

/* Batch size, median, ratio to the base, verdict:
 *      1,024   0.147 (0.145 to 0.150)     1.01 (0.991 to 1.02)     undecided */
static void row(bl_buf *out, const bl_report_model *m, size_t i) {
    const bl_report_quality *q = &m->quality[i];
    bl_buf cell = {0};
    bl_format_count(&cell, q->batch_size);
    column(out, &cell, 10);
    bl_buf_str(out, "   ");
    number(&cell, &q->median);
    column(out, &cell, -24);
    if (bl_report_quality_base(m, i) != NULL) {
        bl_buf_str(out, "   ");
        number(&cell, &q->ratio);
        column(out, &cell, -22);
        bl_buf_printf(out, "   %s", bl_stats_equal_word(q->verdict));
    }
    while (out->len > 0 && out->data[out->len - 1] == ' ') bl_buf_truncate(out, out->len - 1);
    bl_buf_str(out, "\n");
    bl_buf_free(&cell);
}

/* The rows of a part below its heading. */
static void table(bl_buf *out, const bl_report_model *m, bl_report_part part) {
    bl_buf_printf(out, "%s:\n     batch   %-24s   %s\n", k_headings[part], m->plan.head.metric,
                  part == BL_REPORT_PART_HALF ? "times all steps'" : "times the smallest's");
    for (size_t i = 0; i < m->quality_count; i++)
        if (m->quality[i].part == part) row(out, m, i);
}

/* The batch sizes of a part with that verdict; says how many there are. */
static size_t sizes_with(bl_buf *out, const bl_report_model *m, bl_report_part part,
                         bl_stats_equal verdict) {
    size_t n = 0;
    for (size_t i = 0; i < m->quality_count; i++) {
        const bl_report_quality *q = &m->quality[i];
        if (q->part != part || q->verdict != verdict || bl_report_quality_base(m, i) == NULL)
            continue;
        bl_buf_str(out, n++ > 0 ? ", " : "");
        bl_format_count(out, q->batch_size);
    }
    return n;
}

/* "Nothing retuned: 64 equal; 256, 1,024 different." */
static void part_sentence(bl_buf *out, const bl_report_model *m, bl_report_part part) {
    static const bl_stats_equal order[] = {BL_STATS_EQUAL_SHOWN, BL_STATS_EQUAL_REFUTED,
                                           BL_STATS_EQUAL_UNDECIDED, BL_STATS_EQUAL_UNJUDGED};
    bl_buf sizes = {0};
    bl_buf_printf(out, "%s:", k_headings[part]);
    const char *between = " ";
    for (size_t v = 0; v < BL_COUNT(order); v++) {
        bl_buf_clear(&sizes);
        if (sizes_with(&sizes, m, part, order[v]) == 0) continue;
        bl_buf_printf(out, "%s%s %s", between, bl_buf_text(&sizes), bl_stats_equal_word(order[v]));
        between = "; ";
    }
    bl_buf_str(out, ".\n");
    bl_buf_free(&sizes);
}

void bl_quality_sentences(bl_buf *out, const bl_report_model *m) {
    if (m->quality_count == 0) return;
    const bl_report_quality *first = &m->quality[0];
    bl_buf_printf(
        out, "Best validation %s of %zu fresh seed%s. Equal: within %.3g %% of batch size ",
        m->plan.head.metric, first->seeds, first->seeds == 1 ? "" : "s", 100 * first->margin);
    bl_format_count(out, first->batch_size);
    bl_buf_str(out, ", by two one-sided tests.\n");
    for (int part = 0; part < BL_REPORT_PART_COUNT; part++)
        if (has_part(m, (bl_report_part)part)) part_sentence(out, m, (bl_report_part)part);
}

void bl_quality_words(bl_buf *out, const bl_report_model *m) {
    const char *between = "";
    for (int part = 0; part < BL_REPORT_PART_COUNT; part++) {
        if (!has_part(m, (bl_report_part)part)) continue;
        bl_buf_str(out, between);
        table(out, m, (bl_report_part)part);
        between = "\n";
    }
}

static void entry_json(bl_jw *w, const bl_report_quality *q) {
    bl_jw_object(w, NULL);
    bl_jw_str(w, "part", bl_report_part_names[q->part]);
    bl_jw_f64(w, "batch_size", q->batch_size);
    bl_jw_f64(w, "learning_rate", q->learning_rate);
    bl_jw_raw(w, "settings", q->settings);
    bl_jw_f64(w, "steps", q->steps);
    bl_jw_bool(w, "bracketed", q->bracketed);
    bl_jw_i64(w, "seeds", (int64_t)q->valued);
    bl_stats_value_json(w, "value", &q->median);
    bl_stats_value_json(w, "ratio", &q->ratio);
    bl_jw_str(w, "verdict", q->ratio.known ? bl_stats_equal_word(q->verdict) : "base");
    bl_jw_end(w);
}

void bl_quality_json(bl_jw *w, const bl_report_model *m) {
    if (m->quality_count == 0) return;
    bl_jw_object(w, "quality");
    bl_jw_f64(w, "margin", m->quality[0].margin);
    bl_jw_array(w, "sizes");
    for (size_t i = 0; i < m->quality_count; i++) entry_json(w, &m->quality[i]);
    bl_jw_end(w);
    bl_jw_end(w);
}
