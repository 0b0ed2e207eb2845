/* What `batchlab find` came to, as lines of at most 80 columns and as one JSON object. */
#include "engine/base/format.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/find/audited.h"
#include "engine/find/find.h"
#include "engine/stats/critical.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const k_measures[] = {
    [BL_NOISE_PLAIN] = "plain",
    [BL_NOISE_PRECONDITIONED] = "preconditioned",
    [BL_NOISE_HESSIAN] = "hessian",
};
_Static_assert(BL_COUNT(k_measures) == BL_NOISE_MEASURES, "a name for each");

static void head(bl_buf *out, const char *word) {
    bl_buf_printf(out, "%-13s ", word);
}

/* "212 (190 to 240)", "undetermined" */
static void scale_text(bl_buf *out, const bl_noise_value *v) {
    if (v->known)
        bl_format_interval(out, v->value, v->low, v->high);
    else
        bl_buf_str(out, "undetermined");
}

/* "pilot batch 64 at rate 0.07543, 3 seeds, 19,667 steps (19 epochs) each" */
static void pilot_text(bl_buf *out, const bl_find *f) {
    head(out, "pilot");
    bl_buf_printf(out, "batch %" PRId64 " at rate ", f->batch_size);
    bl_format_rate(out, f->learning_rate);
    bl_buf_printf(out, ", %zu seeds, ", f->seeds);
    bl_format_count(out, (double)f->steps);
    bl_buf_str(out, " steps (");
    if (f->epochs < 99.5)
        bl_buf_printf(out, "%.2g", f->epochs);
    else
        bl_format_count(out, round(f->epochs));
    bl_buf_str(out, " epochs) each\n");
}

static const char *const k_measure_words[BL_NOISE_MEASURES] = {
    [BL_NOISE_PLAIN] = "on the way to the target",
    [BL_NOISE_PRECONDITIONED] = "as a step of Adam sees it",
    [BL_NOISE_HESSIAN] = "along the curvature",
};

/* Two lines on one measure; none where no probe has it. */
static void noise_lines(bl_buf *out, const bl_find *f, bl_noise_measure measure, const char *word) {
    const bl_find_noise *n = &f->noise[measure];
    if (n->probes == 0) return;
    head(out, word);
    scale_text(out, &n->way);
    if (measure == BL_NOISE_PLAIN && n->way.known) bl_buf_str(out, " examples");
    bl_buf_printf(out, " %s\n", k_measure_words[measure]);
    head(out, "");
    bl_buf_str(out, "at first ");
    scale_text(out, &n->start);
    bl_buf_str(out, ", at last ");
    scale_text(out, &n->target);
    bl_buf_str(out, "\n");
}

/* "time a step takes 0.000936 ms + 3.29e-07 ms x batch, 5 sizes", and how straight that
 * line is. */
static void time_text(bl_buf *out, const bl_find *f) {
    if (!f->line.known) return;
    head(out, "time");
    bl_buf_str(out, "a step takes ");
    if (f->line.fixed.value > 1e-9) { /* else nothing beside the examples shows */
        bl_format_duration(out, f->line.fixed.value);
        bl_buf_str(out, f->line.each.value > 0.0 ? " + " : " ");
    }
    if (f->line.each.value > 0.0) {
        bl_format_duration(out, f->line.each.value);
        bl_buf_str(out, " x batch");
    } else {
        bl_buf_str(out, "at any batch");
    }
    bl_buf_printf(out, ", %zu sizes\n", f->size_count);
    head(out, "");
    bl_buf_printf(
        out, "worst deviation %+.0f %%%s\n", 100.0 * f->line.worst,
        fabs(f->line.worst) > BL_STATS_LINE_FINDING ? ": no straight line, or a busy machine" : "");
}

static void target_text(bl_buf *out, const bl_find_target *t) {
    bl_buf_printf(out, "%.4g after ", t->value);
    bl_format_count(out, round(t->steps));
    bl_buf_str(out, " steps");
}

/* Targets that are reached without a net. */
static void baseline_text(bl_buf *out, const bl_find *f) {
    if (!(f->baseline > 0.0) || f->target[0].value < f->baseline) return;
    head(out, "");
    bl_buf_printf(out, "%s no better than %.4g, which needs no net (sweep.baseline)\n",
                  f->target[1].value < f->baseline ? "the easier one is" : "both are", f->baseline);
}

static void targets_text(bl_buf *out, const bl_find *f, const char *metric) {
    head(out, "targets");
    bl_buf_printf(out, "%s ", metric);
    target_text(out, &f->target[0]);
    bl_buf_str(out, ", ");
    target_text(out, &f->target[1]);
    bl_buf_str(out, "\n");
    head(out, "");
    if (isfinite(f->target[1].scatter))
        bl_buf_printf(out, "seeds scatter by about %.0f %% there", 100.0 * f->target[1].scatter);
    else
        bl_buf_str(out, "seeds scatter more there than the pilot can say");
    bl_buf_str(out, f->settled ? "\n" : ": three are too few\n");
    baseline_text(out, f);
}

static void sizes_text(bl_buf *out, const bl_find *f) {
    const bl_find_proposal *p = &f->best;
    if (p->size_count == 0)
        bl_buf_printf(out,
                      "For a sweep: targets %.4g and %.4g. The rows are too few for four "
                      "batch sizes.\n",
                      f->target[0].value, f->target[1].value);
    if (p->size_count == 0) return;
    bl_buf_printf(out,
                  "For a sweep: batch sizes %" PRId64 " to %" PRId64 ", targets %.4g and %.4g.\n",
                  p->sizes[0], p->sizes[p->size_count - 1], f->target[0].value, f->target[1].value);
}

/* "7,900 (5,700 to 10,800)" or "7,900 (at least 5,700)", no more digits than that allows. */
static void steps_text(bl_buf *out, const bl_find_proposal *p) {
    const bool bounded = isfinite(p->steps_high);
    const double half = (bounded ? (p->steps_high - p->steps_low) / 2.0 : p->steps - p->steps_low);
    if (!isfinite(half)) {
        bl_format_count(out, p->steps);
        return;
    }
    bl_format_count(out, bl_stats_digits(p->steps, half));
    if (!bounded && p->steps_low <= 1.0) { /* "at least 1" */
        bl_buf_str(out, " (perhaps far more or fewer: the seeds scatter too much)");
        return;
    }
    bl_buf_str(out, bounded ? " (" : " (at least ");
    bl_format_count(out, bl_stats_digits(p->steps_low, half));
    if (bounded) {
        bl_buf_str(out, " to ");
        bl_format_count(out, bl_stats_digits(p->steps_high, half));
    }
    bl_buf_str(out, ")");
}

/* Why there is no batch size, and what helps. */
static void nothing_text(bl_buf *out, const bl_find *f) {
    if (f->noise[f->measure].probes == 0)
        bl_buf_str(out, "No batch size: the pilot's runs have no probes.\n");
    else if (f->few_rows)
        bl_buf_str(out, "No batch size: on the way to the target the noise scale is undetermined. "
                        "A probe takes a quarter of the rows already, and there are few of "
                        "them.\n");
    else
        bl_buf_str(out, "No batch size: on the way to the target the noise scale is undetermined. "
                        "A larger noise.batches helps.\n");
}

/* What became of the runs that tried the proposal. */
static void tried_text(bl_buf *out, const bl_find *f) {
    const bl_find_refusal *r = &f->refused;
    if (f->best.arrived > 0)
        bl_buf_printf(out, "%zu of %zu seeds were there with this size and rate.\n",
                      f->best.arrived, f->seeds);
    if (r->batch_size == 0) return;
    bl_buf_printf(out, "With batch %" PRId64 " at rate ", r->batch_size);
    bl_format_rate(out, r->learning_rate);
    bl_buf_printf(out, ", %zu of %zu seeds were there within ", r->arrived, f->seeds);
    bl_format_count(out, (double)r->steps);
    bl_buf_str(out, " steps.\n");
}

static void proposal_text(bl_buf *out, const bl_find *f) {
    const bl_find_proposal *p = &f->best;
    if (!p->known) {
        nothing_text(out, f);
        return;
    }
    bl_buf_printf(out, "Try batch %" PRId64, p->batch_size);
    if (p->low != p->high)
        bl_buf_printf(out, " (%" PRId64 " to %" PRId64 ")", p->low, p->high);
    else
        bl_buf_str(out, " (the only power of two in its interval)");
    bl_buf_str(out, " at rate ");
    bl_format_rate(out, p->learning_rate);
    bl_buf_str(out, ":\nabout ");
    steps_text(out, p);
    bl_buf_printf(out, " steps to %.4g", f->target[1].value);
    if (isfinite(p->seconds)) {
        bl_buf_str(out, ", ");
        bl_format_duration(out, p->seconds);
    }
    bl_buf_str(out, ".\n");
    tried_text(out, f);
    sizes_text(out, f);
}

void bl_find_text(bl_buf *out, const bl_find *f, const bl_config *config) {
    enum { INDENT = 14 }; /* as head() makes it */
    bl_buf words = {0};
    pilot_text(&words, f);
    noise_lines(&words, f, BL_NOISE_PLAIN, "noise scale");
    noise_lines(&words, f, BL_NOISE_PRECONDITIONED, "");
    noise_lines(&words, f, BL_NOISE_HESSIAN, "");
    time_text(&words, f);
    if (f->why[0] == '\0') {
        targets_text(&words, f, config->metric);
        bl_buf_str(&words, "\n");
        proposal_text(&words, f);
    } else {
        bl_buf_printf(&words, "\nNo targets: %s.\n", f->why);
    }
    if (f->best.known) bl_find_audited_text(&words, config->optimizer.name);
    bl_format_folded(out, bl_buf_text(&words), BL_FORMAT_COLUMNS, INDENT);
    bl_buf_free(&words);
}

/* ---- JSON ---- */

static void value_json(bl_jw *w, const char *key, const bl_noise_value *v) {
    bl_jw_object(w, key);
    bl_jw_f64_rounded(w, "scale", v->value);
    bl_jw_f64_rounded(w, "low", v->low);
    bl_jw_f64_rounded(w, "high", v->high);
    bl_jw_end(w);
}

static void noise_json(bl_jw *w, const bl_find_noise *noise) {
    bl_jw_object(w, "noise");
    for (int m = 0; m < BL_NOISE_MEASURES; m++) {
        const bl_find_noise *n = &noise[m];
        if (n->probes == 0) continue;
        bl_jw_object(w, k_measures[m]);
        bl_jw_i64(w, "probes", (int64_t)n->probes);
        value_json(w, "start", &n->start);
        value_json(w, "way", &n->way);
        value_json(w, "target", &n->target);
        bl_jw_end(w);
    }
    bl_jw_end(w);
}

static void pilot_json(bl_jw *w, const bl_find *f) {
    bl_jw_object(w, "pilot");
    bl_jw_i64(w, "batch_size", f->batch_size);
    bl_jw_f64(w, "learning_rate", f->learning_rate);
    bl_jw_i64(w, "seeds", (int64_t)f->seeds);
    bl_jw_i64(w, "steps", f->steps);
    bl_jw_f64_rounded(w, "epochs", f->epochs);
    bl_jw_end(w);
}

static void times_json(bl_jw *w, const bl_find *f) {
    bl_jw_array(w, "times");
    for (size_t i = 0; i < f->size_count; i++) {
        bl_jw_object(w, NULL);
        bl_jw_i64(w, "batch_size", f->size[i]);
        bl_jw_f64(w, "seconds_per_step", f->seconds[i]);
        bl_jw_end(w);
    }
    bl_jw_end(w);
    if (!f->line.known) return;
    bl_jw_object(w, "step_line");
    bl_jw_f64_rounded(w, "fixed", f->line.fixed.value);
    bl_jw_f64_rounded(w, "each", f->line.each.value);
    bl_jw_f64_rounded(w, "worst", f->line.worst);
    bl_jw_end(w);
}

static void targets_json(bl_jw *w, const bl_find *f) {
    if (f->why[0] != '\0') bl_jw_str(w, "why", f->why);
    bl_jw_array(w, "targets");
    for (size_t i = 0; i < BL_FIND_TARGETS && f->why[0] == '\0'; i++) {
        bl_jw_object(w, NULL);
        bl_jw_f64(w, "value", f->target[i].value);
        bl_jw_f64_rounded(w, "steps", f->target[i].steps);
        bl_jw_f64_rounded(w, "scatter", f->target[i].scatter);
        bl_jw_end(w);
    }
    bl_jw_end(w);
    bl_jw_bool(w, "settled", f->settled);
    if (f->baseline > 0.0) bl_jw_f64(w, "baseline", f->baseline);
}

static void proposal_json(bl_jw *w, const bl_find_proposal *p) {
    if (!p->known) {
        bl_jw_null(w, "proposal");
        return;
    }
    bl_jw_object(w, "proposal");
    bl_jw_i64(w, "batch_size", p->batch_size);
    bl_jw_i64(w, "low", p->low);
    bl_jw_i64(w, "high", p->high);
    bl_jw_f64(w, "learning_rate", p->learning_rate);
    bl_jw_f64_rounded(w, "steps", p->steps);
    bl_jw_f64_rounded(w, "steps_low", p->steps_low);
    bl_jw_f64_rounded(w, "steps_high", p->steps_high);
    bl_jw_f64_rounded(w, "seconds", p->seconds);
    if (p->arrived > 0) bl_jw_i64(w, "arrived", (int64_t)p->arrived);
    bl_jw_array(w, "batch_sizes");
    for (size_t i = 0; i < p->size_count; i++) bl_jw_i64(w, NULL, p->sizes[i]);
    bl_jw_end(w);
    bl_jw_end(w);
}

static void refused_json(bl_jw *w, const bl_find_refusal *r) {
    if (r->batch_size == 0) return;
    bl_jw_object(w, "refused");
    bl_jw_i64(w, "batch_size", r->batch_size);
    bl_jw_f64(w, "learning_rate", r->learning_rate);
    bl_jw_i64(w, "steps", r->steps);
    bl_jw_i64(w, "arrived", (int64_t)r->arrived);
    bl_jw_end(w);
}

static void forecasts_json(bl_jw *w, const bl_find *f) {
    bl_jw_newline(w, 1);
    bl_jw_array(w, "forecasts");
    for (size_t i = 0; i < f->forecasts; i++) {
        const bl_find_forecast *c = &f->forecast[i];
        bl_jw_newline(w, 2);
        bl_jw_object(w, NULL);
        bl_jw_f64(w, "target", c->target);
        bl_jw_f64_rounded(w, "steps", c->steps);
        if (isfinite(c->steps)) noise_json(w, c->noise);
        bl_jw_end(w);
    }
    bl_jw_end(w);
}

enum { OTHERS = 32 };

/* Which pilot it is: one of another optimizer, data set or model is another one. */
static const char *const k_pilot[] = {"preset", "optimizer", "trains"};

/* The place of an earlier pilot in `list`. */
static int by_name(const void *a, const void *b) {
    const bl_json *x = *(const bl_json *const *)a, *y = *(const bl_json *const *)b;
    int order = 0;
    for (size_t i = 0; i < BL_COUNT(k_pilot) && order == 0; i++)
        order = strcmp(bl_json_text(x, k_pilot[i], ""), bl_json_text(y, k_pilot[i], ""));
    return order;
}

/* What `before` knows of other pilots than this one, in order. Those of a release that did not
 * write what they train are none. */
static size_t list_others(const bl_json *list[OTHERS], const bl_json *before, const bl_find *f,
                          const bl_config *config) {
    const char *const own[] = {config->preset, config->optimizer.name, f->trains};
    const bl_json *others = bl_json_get(before, "other_pilots");
    const bl_json *p = before;
    size_t n = 0;
    while (p != NULL && n < OTHERS) {
        bool same = true;
        for (size_t i = 0; i < BL_COUNT(k_pilot); i++)
            same = same && strcmp(bl_json_text(p, k_pilot[i], ""), own[i]) == 0;
        if (!same && bl_json_get(p, "trains") != NULL && bl_json_get(p, "forecasts") != NULL)
            list[n++] = p;
        p = p == before ? (others != NULL ? others->first : NULL) : p->next;
    }
    qsort(list, n, sizeof *list, by_name);
    return n;
}

/* Only what the audit reads of them: names and forecasts. */
static void others_json(bl_jw *w, const bl_json *before, const bl_find *f,
                        const bl_config *config) {
    static const char *const kept[] = {"preset", "optimizer", "trains", "forecasts"};
    const bl_json *list[OTHERS];
    const size_t n = list_others(list, before, f, config);
    if (n == 0) return;
    bl_jw_newline(w, 1);
    bl_jw_array(w, "other_pilots");
    for (size_t i = 0; i < n; i++) {
        bl_jw_newline(w, 2);
        bl_jw_object(w, NULL);
        for (size_t k = 0; k < BL_COUNT(kept); k++)
            bl_jw_value(w, kept[k], bl_json_get(list[i], kept[k]));
        bl_jw_end(w);
    }
    bl_jw_end(w);
}

void bl_find_json(bl_buf *out, const bl_find *f, const bl_config *config, const bl_json *before) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_i64(&w, "format", 1);
    bl_jw_str(&w, "experiment", config->name);
    bl_jw_str(&w, "preset", config->preset);
    bl_jw_str(&w, "metric", config->metric);
    bl_jw_str(&w, "optimizer", config->optimizer.name);
    bl_jw_newline(&w, 1);
    bl_jw_str(&w, "trains", f->trains);
    bl_jw_bool(&w, "synthetic", f->synthetic);
    bl_jw_newline(&w, 1);
    pilot_json(&w, f);
    noise_json(&w, f->noise);
    bl_jw_newline(&w, 1);
    times_json(&w, f);
    bl_jw_newline(&w, 1);
    targets_json(&w, f);
    proposal_json(&w, &f->best);
    refused_json(&w, &f->refused);
    forecasts_json(&w, f);
    others_json(&w, before, f, config);
}
