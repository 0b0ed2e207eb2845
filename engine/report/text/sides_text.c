/* compare.txt and compare.json. The words of a comparison:
 *
 *     A  quadratic, preset sampled: no data, until expected_loss <= 0.03
 *     B  quadratic, preset fast: no data, until expected_loss <= 0.03
 *
 *     batch   rate A   steps A   rate B   steps B               B / A
 *         8    0.125     1,790     0.25       934   0.52 (0.44 to 0.61)
 *
 *     Critical batch sizes
 *       critical         A 46 (40 to 53), B 81 (70 to 95), B / A 1.8 (1.4 to 2.2)
 *
 *     Settled between them
 *       B takes fewer steps at batch size 8.
 *       Critical batch size: larger in B, 1.8 (1.4 to 2.2) times. */
#include "engine/report/text/sides_text.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/report/text/labels.h"
#include <math.h>
#include <string.h>

bl_sides_verdict bl_sides_judge(const bl_stats_value *ratio) {
    if (!bl_stats_has_interval(ratio)) return BL_SIDES_UNKNOWN;
    return ratio->high < 1 ? BL_SIDES_LESS : ratio->low > 1 ? BL_SIDES_MORE : BL_SIDES_OPEN;
}

/* ---- tables ---- */

typedef struct columns {
    const char *heading[6]; /* of `count` columns; cells are right-aligned below them */
    size_t count;
    void (*cell)(bl_buf *out, const bl_sides_row *row, size_t column);
} columns;

static void rate_cell(bl_buf *out, const bl_side_size *s) {
    if (isnan(s->batch_size))
        bl_buf_str(out, "-");
    else
        bl_format_rate(out, s->learning_rate);
    if (!s->bracketed) bl_buf_str(out, "*");
}

static void steps_cell(bl_buf *out, const bl_stats_value *v) {
    if (v->known && v->bound > 0) bl_buf_str(out, ">= ");
    bl_format_count(out, v->value);
}

static void seconds_cell(bl_buf *out, const bl_stats_value *v) {
    if (!v->known) {
        bl_buf_str(out, "-");
        return;
    }
    if (v->bound > 0) bl_buf_str(out, ">= ");
    bl_format_duration(out, v->value);
}

static void ratio_cell(bl_buf *out, const bl_stats_value *v) {
    if (v->known)
        bl_stats_value_text(out, v);
    else
        bl_buf_str(out, "-");
}

static void steps_table_cell(bl_buf *out, const bl_sides_row *r, size_t column) {
    if (column == 0) bl_format_count(out, r->batch_size);
    if (column == 1) rate_cell(out, &r->of[0]);
    if (column == 2) steps_cell(out, &r->of[0].steps);
    if (column == 3) rate_cell(out, &r->of[1]);
    if (column == 4) steps_cell(out, &r->of[1].steps);
    if (column == 5) ratio_cell(out, &r->steps);
}

static void times_table_cell(bl_buf *out, const bl_sides_row *r, size_t column) {
    if (column == 0) bl_format_count(out, r->batch_size);
    if (column == 1) seconds_cell(out, &r->of[0].seconds);
    if (column == 2) seconds_cell(out, &r->of[1].seconds);
    if (column == 3) ratio_cell(out, &r->seconds);
}

static void table(bl_buf *out, const bl_sides *sides, const columns *c) {
    size_t width[BL_COUNT(c->heading)];
    bl_buf cell = {0};
    for (size_t k = 0; k < c->count; k++) {
        width[k] = strlen(c->heading[k]);
        for (size_t i = 0; i < sides->row_count; i++) {
            bl_buf_clear(&cell);
            c->cell(&cell, &sides->rows[i], k);
            width[k] = bl_size_max(width[k], cell.len);
        }
    }
    for (size_t i = 0; i <= sides->row_count; i++) {
        for (size_t k = 0; k < c->count; k++) {
            bl_buf_clear(&cell);
            if (i == 0)
                bl_buf_str(&cell, c->heading[k]);
            else
                c->cell(&cell, &sides->rows[i - 1], k);
            bl_buf_printf(out, "%*s%*s", k > 0 ? 3 : 0, "", (int)width[k], bl_buf_text(&cell));
        }
        bl_buf_str(out, "\n");
    }
    bl_buf_free(&cell);
}

/* ---- what they are ---- */

static void who(bl_buf *out, const char *letter, const bl_side *s) {
    bl_buf_printf(out, "%s  %s", letter, s->experiment);
    if (s->preset[0] != '\0') bl_buf_printf(out, ", preset %s", s->preset);
    if (s->series[0] != '\0') bl_buf_printf(out, ", series %s", s->series);
    bl_buf_str(out, ": ");
    bl_label_dataset(out, s->dataset, s->variant, s->synthetic);
    const double target = bl_json_number(s->doc.root, "target", (double)NAN);
    if (!isnan(target)) {
        bl_buf_printf(out, ", until %s <= ", s->metric);
        bl_format_rate(out, target);
    }
    bl_buf_str(out, "\n");
}

/* Why steps are not compared, or at which target they are where that is not each sweep's own. */
static void question(bl_buf *out, const bl_sides *sides) {
    if (!sides->comparable) {
        bl_buf_printf(out, "Each sweep has a %s of its own, so steps and times have no ratio.\n",
                      strcmp(sides->apart, "data") == 0 ? "data set" : sides->apart);
        return;
    }
    const bl_side *a = &sides->side[0];
    for (int i = 0; i < 2; i++) {
        const bl_json *root = sides->side[i].doc.root;
        if (bl_json_number(root, "target", (double)NAN) == a->target) continue;
        bl_buf_printf(out, "Steps and times are until %s <= ", a->metric);
        bl_format_rate(out, a->target);
        bl_buf_str(out, ", the hardest target of both.\n");
        return;
    }
}

static bool any_seconds(const bl_sides *sides) {
    for (size_t i = 0; i < sides->row_count; i++)
        if (sides->rows[i].of[0].seconds.known || sides->rows[i].of[1].seconds.known) return true;
    return false;
}

static bool any_edge(const bl_sides *sides) {
    for (size_t i = 0; i < sides->row_count; i++)
        if (!sides->rows[i].of[0].bracketed || !sides->rows[i].of[1].bracketed) return true;
    return false;
}

static void tables(bl_buf *out, const bl_sides *sides) {
    static const columns steps =
                             {
                                 {"batch", "rate A", "steps A", "rate B", "steps B", "B / A"},
                                 6,
                                 steps_table_cell
    },
                         times = {{"batch", "time A", "time B", "B / A"}, 4, times_table_cell};
    bl_buf_str(out, "\n");
    table(out, sides, &steps);
    if (any_edge(sides))
        bl_buf_str(out, "* at the edge of the rates tried: a better one may lie beyond\n");
    if (!any_seconds(sides)) return;
    bl_buf_str(out, "\n");
    table(out, sides, &times);
    bl_buf_str(out, "Each time is of its own sweep's timing pass, on the machine of that day.\n");
}

/* ---- critical batch sizes ---- */

static const char *const k_definitions[] = {[BL_STATS_B_CRIT] = "critical",
                                            [BL_STATS_EFFICIENCY_50] = "half efficiency",
                                            [BL_STATS_OVERHEAD_20] = "20 % more steps",
                                            [BL_STATS_PERFECT_END] = "10 % more steps",
                                            [BL_STATS_MAX_USEFUL] = "useful at most",
                                            [BL_STATS_OVERHEAD_20_FROM] = "20 %, Zhang"};
_Static_assert(BL_COUNT(k_definitions) == BL_STATS_DEFINITION_COUNT, "words for each");
enum { DEFINITION_INDENT = 19 };

static void definitions(bl_buf *out, const bl_sides *sides) {
    bl_buf line = {0};
    bl_buf_str(out, "\nCritical batch sizes\n");
    for (int d = 0; d < BL_STATS_DEFINITION_COUNT; d++) {
        const bl_stats_value *a = &sides->side[0].critical[d], *b = &sides->side[1].critical[d];
        if (!a->known && !b->known) continue;
        bl_buf_clear(&line);
        bl_buf_printf(&line, "  %-17sA ", k_definitions[d]);
        bl_stats_value_text(&line, a);
        bl_buf_str(&line, ", B ");
        bl_stats_value_text(&line, b);
        if (sides->critical[d].known) {
            bl_buf_str(&line, ", B / A ");
            bl_stats_value_text(&line, &sides->critical[d]);
        }
        bl_buf_str(&line, "\n");
        bl_format_folded(out, bl_buf_text(&line), BL_FORMAT_COLUMNS, DEFINITION_INDENT);
    }
    if (line.len == 0) bl_buf_str(out, "  neither sweep found one\n");
    bl_buf_free(&line);
}

/* ---- what is settled ---- */

static bl_sides_verdict of_row(const bl_sides_row *r, bool time) {
    return bl_sides_judge(time ? &r->seconds : &r->steps);
}

static size_t count_of(const bl_sides *sides, bool time, bl_sides_verdict verdict) {
    size_t n = 0;
    for (size_t i = 0; i < sides->row_count; i++) n += of_row(&sides->rows[i], time) == verdict;
    return n;
}

/* "  WORDS at batch sizes 8, 16 and 32." Nothing where no row has the verdict. */
static void say_rows(bl_buf *out, const bl_sides *sides, bool time, bl_sides_verdict verdict,
                     const char *words) {
    const size_t n = count_of(sides, time, verdict);
    size_t said = 0;
    if (n == 0) return;
    bl_buf_printf(out, "  %s at batch size%s", words, n == 1 ? "" : "s");
    for (size_t i = 0; i < sides->row_count; i++) {
        if (of_row(&sides->rows[i], time) != verdict) continue;
        bl_buf_str(out, said == 0 ? " " : said + 1 == n ? " and " : ", ");
        bl_format_count(out, sides->rows[i].batch_size);
        said++;
    }
    bl_buf_str(out, ".\n");
}

static void rows_words(bl_buf *out, const bl_sides *sides, bool time) {
    static const char *const words[2][3] = {
        {"B takes fewer steps", "Steps cannot be told apart", "B takes more steps"},
        {"B is faster",         "Times cannot be told apart", "B is slower"       }
    };
    const size_t before = out->len;
    for (int v = BL_SIDES_LESS; v <= BL_SIDES_MORE; v++)
        say_rows(out, sides, time, (bl_sides_verdict)v, words[time][v]);
    if (out->len == before && sides->comparable && !time)
        bl_buf_str(out, "  Steps: nothing. An interval needs several seeds at a batch size of both "
                        "sweeps.\n");
}

static void critical_words(bl_buf *out, const bl_sides *sides) {
    const bl_stats_value *v = &sides->critical[BL_STATS_B_CRIT];
    bl_buf_str(out, "  Critical batch size: ");
    switch (bl_sides_judge(v)) {
    case BL_SIDES_LESS:
        bl_buf_str(out, "smaller in B, ");
        break;
    case BL_SIDES_OPEN:
        bl_buf_str(out, "it cannot be told apart, ");
        break;
    case BL_SIDES_MORE:
        bl_buf_str(out, "larger in B, ");
        break;
    case BL_SIDES_UNKNOWN:
        bl_buf_str(out, "nothing, the ratio has no interval.\n");
        return;
    }
    bl_stats_value_text(out, v);
    bl_buf_str(out, " times A's.\n");
}

void bl_sides_words(bl_buf *out, const bl_sides *sides) {
    static const char *const letters[] = {"A", "B"};
    bl_buf text = {0};
    for (int i = 0; i < 2; i++) who(&text, letters[i], &sides->side[i]);
    question(&text, sides);
    bl_format_folded(out, bl_buf_text(&text), BL_FORMAT_COLUMNS, 3);
    tables(out, sides);
    definitions(out, sides);
    bl_buf_clear(&text);
    rows_words(&text, sides, false);
    rows_words(&text, sides, true);
    critical_words(&text, sides);
    bl_buf_str(out, "\nSettled between them, at 95 % for all batch sizes taken together\n");
    bl_format_folded(out, bl_buf_text(&text), BL_FORMAT_COLUMNS, 4);
    bl_buf_free(&text);
}

/* ---- JSON ---- */

static void side_json(bl_jw *w, const char *key, const bl_side *s) {
    bl_jw_object(w, key);
    bl_jw_str(w, "experiment", s->experiment);
    bl_jw_str(w, "preset", s->preset);
    bl_jw_str(w, "series", s->series);
    bl_jw_str(w, "dataset", s->dataset);
    bl_jw_str(w, "variant", s->variant);
    bl_jw_bool(w, "synthetic", s->synthetic);
    bl_jw_str(w, "metric", s->metric);
    bl_jw_f64(w, "target", s->target);
    bl_jw_end(w);
}

static void size_json(bl_jw *w, const char *key, const bl_side_size *s) {
    if (isnan(s->batch_size)) {
        bl_jw_null(w, key);
        return;
    }
    bl_jw_object(w, key);
    bl_jw_f64(w, "learning_rate", s->learning_rate);
    bl_jw_bool(w, "bracketed", s->bracketed);
    bl_stats_value_json(w, "steps", &s->steps);
    bl_stats_value_json(w, "seconds", &s->seconds);
    bl_jw_end(w);
}

/* A ratio and what its interval settles. */
static void ratio_json(bl_jw *w, const char *key, const char *verdict_key,
                       const bl_stats_value *v) {
    static const char *const words[] = {[BL_SIDES_LESS] = "less",
                                        [BL_SIDES_OPEN] = "not told apart",
                                        [BL_SIDES_MORE] = "more",
                                        [BL_SIDES_UNKNOWN] = "unknown"};
    bl_stats_value_json(w, key, v);
    bl_jw_str(w, verdict_key, words[bl_sides_judge(v)]);
}

static void row_json(bl_jw *w, const bl_sides_row *r) {
    bl_jw_object(w, NULL);
    bl_jw_f64(w, "batch_size", r->batch_size);
    size_json(w, "a", &r->of[0]);
    size_json(w, "b", &r->of[1]);
    ratio_json(w, "steps_ratio", "steps_verdict", &r->steps);
    ratio_json(w, "seconds_ratio", "seconds_verdict", &r->seconds);
    bl_jw_end(w);
}

void bl_sides_json(bl_buf *out, const bl_sides *sides) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    side_json(&w, "a", &sides->side[0]);
    side_json(&w, "b", &sides->side[1]);
    bl_jw_bool(&w, "comparable", sides->comparable);
    if (sides->apart != NULL) bl_jw_str(&w, "apart", sides->apart);
    bl_jw_array(&w, "batch_sizes");
    for (size_t i = 0; i < sides->row_count; i++) row_json(&w, &sides->rows[i]);
    bl_jw_end(&w);
    bl_jw_object(&w, "critical");
    for (int d = 0; d < BL_STATS_DEFINITION_COUNT; d++) {
        bl_jw_object(&w, bl_stats_definition_name((bl_stats_definition)d));
        bl_stats_value_json(&w, "a", &sides->side[0].critical[d]);
        bl_stats_value_json(&w, "b", &sides->side[1].critical[d]);
        ratio_json(&w, "ratio", "verdict", &sides->critical[d]);
        bl_jw_end(&w);
    }
    bl_jw_end(&w);
    bl_jw_end(&w);
    bl_jw_line(&w);
}
