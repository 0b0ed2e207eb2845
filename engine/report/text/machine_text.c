/* What `batchlab machine` found, as it stands in docs/machine.md:
 *
 *     where it goes at 4,096: forward 27 %, backward 39 %, optimizer 2 %, gather 32 %
 *                   15 % of this processor's multiply-adds, 31 % of its bandwidth,
 *                   bound by neither compute nor memory
 *     memory       M(B) = 103 MiB + 4.97 KiB x B, at least 123 MiB
 *                  largest that ran: 262,144, with 1,376 MiB
 *                  of 22.0 GiB (what is free), 1,124 MiB of it kept free
 *
 * "At least" is what an evaluation takes, whatever the batch of a step. */
#include "engine/report/text/machine_text.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/report/text/times_text.h"
#include "engine/report/timing_read.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char k_indent[] = "             "; /* as wide as a label */

/* ---- where it goes ---- */

enum { LAYERS_AT_FIRST = 2 }; /* on the first line, which has words before them */

static int percent(double share) {
    return (int)floor(100 * share + 0.5);
}

/* Whole steps, the same batch again and again, gathering alone. */
static void loops_words(bl_buf *out, const bl_report_phases *p) {
    if (!(p->whole > 0)) return;
    const int fresh = percent(fmax(0, 1 - p->same_batch / p->whole));
    bl_buf_printf(out, "%s a whole step takes ", k_indent);
    bl_times_format(out, p->whole);
    bl_buf_str(out, ", the same batch again ");
    bl_times_format(out, p->same_batch);
    bl_buf_printf(out, ",\n%s gathering alone ", k_indent);
    bl_times_format(out, p->gather);
    bl_buf_printf(out, ": fresh data cost %d %%\n", fresh);
}

/* Of a program only what it says itself is known. */
static void program_words(bl_buf *out, const bl_report_phases *p) {
    bl_buf_printf(out, " %d %% of a step waits for data%s%s\n", percent(p->waits_for_data),
                  p->bound[0] != '\0' ? ", " : "", p->bound);
}

static void phases_words(bl_buf *out, const bl_report_phases *p, bool first) {
    bl_buf_str(out, first ? "where it goes" : k_indent);
    bl_buf_str(out, " at ");
    bl_format_count(out, p->batch_size);
    bl_buf_str(out, ":");
    if (!isnan(p->waits_for_data)) {
        program_words(out, p);
        return;
    }
    static const int order[] = {1, 2, 3, 0}; /* forward, backward, optimizer, gather */
    for (size_t i = 0; i < BL_COUNT(order); i++)
        bl_buf_printf(out, "%s %s %d %%", i > 0 ? "," : "", bl_report_phase_names[order[i]],
                      percent(p->phase[order[i]] / p->step));
    bl_buf_printf(out, "\n%s %d %% of this processor's multiply-adds, %d %% of its bandwidth,\n",
                  k_indent, percent(fmin(1, p->of_multiply_adds)), percent(fmin(1, p->of_bytes)));
    bl_buf_printf(out, "%s %s\n", k_indent, p->bound);
    loops_words(out, p);
}

/* The dearest layers of the largest batch, with their shares of its step. */
static void layers_words(bl_buf *out, const bl_report_phases *p) {
    bl_buf_printf(out, "%s dearest layers at ", k_indent);
    bl_format_count(out, p->batch_size);
    bl_buf_str(out, ":");
    for (size_t i = 0; i < p->layers; i++) {
        bl_buf_str(out, i > 0 ? "," : "");
        if (i == LAYERS_AT_FIRST) bl_buf_printf(out, "\n%s", k_indent);
        bl_buf_printf(out, " %s %d %%", p->layer[i].name, percent(p->layer[i].seconds / p->step));
    }
    bl_buf_printf(out, "\n%s an evaluation takes ", k_indent);
    bl_times_format(out, p->evaluation);
    bl_buf_str(out, "\n");
}

/* ---- memory ---- */

/* Bytes. A process maps whole blocks of files, such as its program, and which ones depends on what
 * the system has read before: two processes that do the same differ by this much. */
static const double k_page_noise = 512 << 10;

/* *n: sizes that the line rests on. Bytes take the place of seconds in a bl_stats_step_size, one
 * repeat each. Measured ones alone where `batchlab machine` has been here; else those planned. */
bl_stats_floor_line bl_report_memory_line(const bl_report_model *m, size_t *n) {
    const size_t most = m->machine.probes + m->timing_count;
    double *bytes = bl_xalloc((most + 1) * sizeof *bytes);
    bl_stats_step_size *size = bl_xalloc((most + 1) * sizeof *size);
    *n = 0;
    for (size_t i = 0; i < m->machine.probes; i++) {
        const bl_report_probe *p = &m->machine.probe[i];
        if (!p->ran || !(p->bytes > 0)) continue;
        bytes[*n] = p->bytes;
        size[*n] = (bl_stats_step_size){p->batch_size, &bytes[*n], 1, NULL};
        ++*n;
    }
    for (size_t i = 0; !m->machine.known && i < m->timing_count; i++) {
        bytes[*n] = m->timing[i].memory_bytes;
        if (!(bytes[*n] > 0)) continue;
        size[*n] = (bl_stats_step_size){m->timing[i].batch_size, &bytes[*n], 1, NULL};
        ++*n;
    }
    const bl_stats_floor_line fit =
        bl_stats_fit_floor_line(size, *n, m->machine.known ? k_page_noise : 0);
    free(size);
    free(bytes);
    return fit;
}

/* "103 MiB + 4.97 KiB x B, at least 123 MiB" */
static void memory_formula(bl_buf *out, const bl_stats_floor_line *fit) {
    bl_format_bytes(out, fit->line.fixed.value);
    if (fit->line.flat) {
        bl_buf_str(out, " at every size");
        return;
    }
    bl_buf_str(out, " + ");
    if (fit->line.each.value < 1024)
        bl_buf_printf(out, "%.3g bytes", fit->line.each.value);
    else
        bl_format_bytes(out, fit->line.each.value);
    bl_buf_str(out, " x B");
    if (fit->least < 1.01 * fit->line.fixed.value) return;
    bl_buf_str(out, ", at least ");
    bl_format_bytes(out, fit->least);
}

/* The formula, and the size that misses it by more than the finding's 5 %. */
static void memory_line_words(bl_buf *out, const bl_report_model *m) {
    size_t n;
    const bl_stats_floor_line fit = bl_report_memory_line(m, &n);
    bl_buf_str(out, "memory       ");
    if (!fit.line.known) {
        bl_buf_str(out, "too few sizes for a line\n");
        return;
    }
    bl_buf_str(out, "M(B) = ");
    memory_formula(out, &fit);
    bl_buf_printf(out, "\n%s(%zu sizes, %s", k_indent, n,
                  m->machine.known ? "evaluation included" : "as planned");
    if (n > 2) bl_buf_printf(out, ", worst deviation %.1f %%", 100 * fabs(fit.worst));
    bl_buf_str(out, ")\n");
    if (fabs(fit.worst) <= BL_STATS_LINE_FINDING) return;
    bl_buf_printf(out, "%sno straight line: a batch of ", k_indent);
    bl_format_count(out, fit.worst_size);
    bl_buf_printf(out, " takes %.1f %% %s than it says\n", 100 * fabs(fit.worst),
                  fit.worst > 0 ? "more" : "less");
}

/* "15.0 GiB (what is free), 768 MiB of it kept free" */
static void limit_words(bl_buf *out, const bl_report_machine *k) {
    bl_format_bytes(out, k->limit);
    bl_buf_printf(out, " (%s)", k->source);
    if (!(k->kept_free > 0)) return;
    bl_buf_str(out, ", ");
    bl_format_bytes(out, k->kept_free);
    bl_buf_str(out, " of it kept free");
}

static void range_words(bl_buf *out, double from, double to) {
    bl_format_count(out, from);
    if (to > from) {
        bl_buf_str(out, " to ");
        bl_format_count(out, to);
    }
}

/* What lies above the largest that ran. */
static void beyond_words(bl_buf *out, const bl_report_machine *k) {
    bl_buf_str(out, k_indent);
    if (k->failed > 0) {
        if (k->failed > k->largest + 1) {
            range_words(out, k->largest + 1, k->failed - 1);
            bl_buf_printf(out, " %s not tried; ", k->failed > k->largest + 2 ? "were" : "was");
        }
        bl_format_count(out, k->failed);
        bl_buf_printf(out, " %s\n", k->because);
    } else if (k->largest >= k->most) {
        bl_buf_str(out, "that is every training row at once: no limit is in sight\n");
    } else {
        bl_buf_str(out, "larger ones were not tried");
        bl_buf_str(out, k->out_of_time ? ": --seconds gives them more time\n" : "\n");
    }
}

static void largest_words(bl_buf *out, const bl_report_machine *k) {
    bl_buf_printf(out, "%slargest that ran: ", k_indent);
    bl_format_count(out, k->largest);
    if (k->largest_bytes > 0) {
        bl_buf_str(out, ", with ");
        bl_format_bytes(out, k->largest_bytes);
    }
    bl_buf_printf(out, "\n%sof ", k_indent);
    limit_words(out, k);
    bl_buf_str(out, "\n");
    beyond_words(out, k);
    if (k->note[0] != '\0') bl_buf_printf(out, "%s%s\n", k_indent, k->note);
}

/* What a popular formula says: as many examples as the parameters' own size goes into the memory.
 * NAN: not known. It leaves out layers' values, gradients and the optimizer's state. */
static double largest_by_formula(const bl_report_machine *k) {
    return k->parameters > 0 && k->limit > 0 ? floor(k->limit / (4 * k->parameters)) : (double)NAN;
}

static void formula_words(bl_buf *out, const bl_report_machine *k) {
    const double most = largest_by_formula(k);
    if (isnan(most)) return;
    bl_buf_printf(out, "%sthe formula parameters x 4 bytes x batch would say ", k_indent);
    bl_format_count(out, most);
    bl_buf_str(out, "\n");
}

static void pieces_words(bl_buf *out, const bl_report_machine *k) {
    if (!(k->piece > 0)) return;
    bl_buf_printf(out, "%sin pieces of ", k_indent);
    bl_format_count(out, k->piece);
    bl_buf_str(out, " any batch fits, at ");
    const double more = 100 * (k->in_pieces.value - 1);
    bl_buf_printf(out, "%.1f %% %s time per example\n", fabs(more), more >= 0 ? "more" : "less");
}

static void machine_words(bl_buf *out, const bl_report_model *m) {
    const bl_report_machine *k = &m->machine;
    bl_buf words = {0};
    for (size_t i = 0; i < k->phase_count; i++) phases_words(&words, &k->phases[i], i == 0);
    if (k->phase_count > 0 && k->phases[0].layers > 0) layers_words(&words, &k->phases[0]);
    memory_line_words(&words, m);
    largest_words(&words, k);
    formula_words(&words, k);
    pieces_words(&words, k);
    bl_format_folded(out, bl_buf_text(&words), BL_FORMAT_COLUMNS, strlen(k_indent));
    bl_buf_free(&words);
}

void bl_report_machine_words(bl_buf *out, const bl_report_model *m) {
    bl_stats_step_size *size = bl_xalloc((m->timing_count + 1) * sizeof *size);
    const size_t n = bl_report_step_sizes(m, size);
    if (n > 1 || (n > 0 && m->machine.known)) bl_times_words(out, size, n);
    bl_times_inference_words(out, size, bl_report_inference_sizes(m, size));
    free(size);
    if (m->machine.known) machine_words(out, m);
}

/* ---- as data ---- */

static void phases_json(bl_jw *w, const bl_report_phases *p) {
    bl_jw_object(w, NULL);
    bl_jw_f64_rounded(w, "batch_size", p->batch_size);
    for (size_t i = 0; i < BL_REPORT_PHASE_KINDS; i++)
        bl_jw_f64_rounded(w, bl_report_phase_names[i], p->phase[i]);
    bl_jw_f64_rounded(w, "evaluation", p->evaluation);
    bl_jw_f64_rounded(w, "whole_step", p->whole);
    bl_jw_f64_rounded(w, "same_batch", p->same_batch);
    bl_jw_f64_rounded(w, "gather_alone", p->gather);
    bl_jw_f64_rounded(w, "of_peak_multiply_adds", p->of_multiply_adds);
    bl_jw_f64_rounded(w, "of_peak_bytes", p->of_bytes);
    bl_jw_f64_rounded(w, "waits_for_data", p->waits_for_data);
    bl_jw_str(w, "bound", p->bound);
    bl_jw_end(w);
}

static void memory_json(bl_jw *w, const bl_report_model *m) {
    const bl_report_machine *k = &m->machine;
    size_t n;
    const bl_stats_floor_line fit = bl_report_memory_line(m, &n);
    bl_jw_f64_rounded(w, "memory_fixed", fit.line.fixed.value);
    bl_jw_f64_rounded(w, "memory_per_example", fit.line.each.value);
    bl_jw_f64_rounded(w, "memory_least", fit.least > 0 ? fit.least : (double)NAN);
    bl_jw_f64_rounded(w, "limit", k->limit);
    bl_jw_f64_rounded(w, "kept_free", k->kept_free);
    bl_jw_str(w, "limit_source", k->source);
    bl_jw_f64_rounded(w, "largest", k->largest);
    bl_jw_f64_rounded(w, "largest_bytes", k->largest_bytes);
    bl_jw_f64_rounded(w, "failed", k->failed > 0 ? k->failed : (double)NAN);
    bl_jw_f64_rounded(w, "largest_by_formula", largest_by_formula(k));
    bl_jw_f64_rounded(w, "piece", k->piece > 0 ? k->piece : (double)NAN);
    bl_jw_f64_rounded(w, "time_in_pieces", k->in_pieces.known ? k->in_pieces.value : (double)NAN);
}

/* Two members of an object that is open, "times" and "inference", where two sizes were timed;
 * "machine" where there is a machine.json of this experiment. */
void bl_report_machine_json(bl_jw *w, const bl_report_model *m) {
    bl_stats_step_size *size = bl_xalloc((m->timing_count + 1) * sizeof *size);
    const size_t n = bl_report_step_sizes(m, size);
    if (n > 1 || (n > 0 && m->machine.known)) {
        bl_jw_object(w, "times");
        bl_times_json(w, size, n);
        bl_jw_end(w);
    }
    const size_t forward = bl_report_inference_sizes(m, size);
    if (forward > 1) {
        bl_jw_object(w, "inference");
        bl_times_json(w, size, forward);
        bl_jw_end(w);
    }
    free(size);
    if (!m->machine.known) return;
    bl_jw_object(w, "machine");
    memory_json(w, m);
    bl_jw_array(w, "phases");
    for (size_t i = 0; i < m->machine.phase_count; i++) phases_json(w, &m->machine.phases[i]);
    bl_jw_end(w);
    bl_jw_end(w);
}
