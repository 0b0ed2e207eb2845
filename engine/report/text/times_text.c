/* The time of a step in words: a line through the medians of all sizes, and what does not lie on
 * it.
 *
 *     throughput   t(B) = 242 us + 4.449 us x B   (8 sizes, worst deviation 26.7 %)
 *                  a step costs as much fixed as 54 examples: half speed at 54,
 *
 * With t(B) = a + c B no batch passes the speed 1 / c. One of B runs at the share B / (B + a / c)
 * of it: a half at a / c examples, nine tenths at 9 a / c. */
#include "engine/report/text/times_text.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/stats/point.h"
#include <math.h>
#include <string.h>

static const char k_indent[] = "             "; /* as wide as a label */

/* A part of a line is given to four digits: its multiples are compared with the other part. */
static void short_time(bl_buf *out, double seconds, int digits) {
    static const struct {
        double factor;
        const char *name;
    } units[] = {
        {1e9, "ns"},
        {1e6, "us"},
        {1e3, "ms"},
        {1,   "s" }
    };
    size_t i = 0;
    while (i + 1 < BL_COUNT(units) && seconds * units[i].factor >= 999.5) i++;
    if (seconds < 1e-12) { /* the rounding of a fit */
        seconds = 0;
        i = 2;
    }
    bl_buf_printf(out, digits > 3 ? "%#.*g %s" : "%.*g %s", digits, seconds * units[i].factor,
                  units[i].name);
}

void bl_times_format(bl_buf *out, double seconds) {
    if (seconds < 100)
        short_time(out, seconds, 3);
    else
        bl_format_duration(out, seconds);
}

static void count_words(bl_buf *out, double n) {
    bl_format_count(out, floor(n + 0.5));
}

void bl_times_line(bl_buf *out, const bl_stats_step_line *line) {
    short_time(out, line->fixed.value, 3);
    if (line->flat) return;
    bl_buf_str(out, " + ");
    short_time(out, line->each.value, 4);
    bl_buf_str(out, " x B");
}

static void line_words(bl_buf *out, const char *label, const bl_stats_step_line *line,
                       const bl_stats_step_size *size, size_t n) {
    bl_buf_printf(out, "%-13st(B) = ", label);
    bl_times_line(out, line);
    bl_buf_printf(out, "   (%zu sizes", n);
    if (n > 2) bl_buf_printf(out, ", worst deviation %.1f %%", 100 * fabs(line->worst));
    bl_buf_str(out, ")\n");
    if (n > 2 && fabs(line->worst) > BL_STATS_LINE_FINDING) {
        bl_buf_printf(out, "%sno straight line: a batch of ", k_indent);
        bl_format_count(out, size[line->worst_index].batch_size);
        bl_buf_printf(out, " takes %.1f %% %s than it says\n", 100 * fabs(line->worst),
                      line->worst > 0 ? "longer" : "less");
    }
}

/*     a step costs as much fixed as 312 examples: half speed at 312,
 *     90 % from 2,808, 95 % from 5,928
 *
 * The first number is fixed / each, which is the batch size of half speed as well: 9 and 19 times
 * it are the others (step_line.h). */
static void knee_words(bl_buf *out, const bl_stats_step_line *line) {
    bl_buf_str(out, k_indent);
    if (line->flat) {
        bl_buf_str(out, "a step takes as long at every batch size: no saturation seen\n");
        return;
    }
    if (line->through_zero) {
        bl_buf_str(out, "the line begins at 0: a step has no fixed cost to be seen\n");
        return;
    }
    const double half = bl_stats_step_line_share(line, 0.5);
    bl_buf_str(out, "a step costs as much fixed as ");
    count_words(out, half);
    bl_buf_printf(out, " example%s: half speed at ", half >= 0.5 && half < 1.5 ? "" : "s");
    count_words(out, half);
    bl_buf_printf(out, ",\n%s90 %% from ", k_indent);
    count_words(out, bl_stats_step_line_share(line, 0.9));
    bl_buf_str(out, ", 95 % from ");
    count_words(out, bl_stats_step_line_share(line, 0.95));
    bl_buf_str(out, "\n");
}

/* Names of the marked sizes: "512, 513 and 514". */
static void list(bl_buf *out, const bl_stats_step_size *size, const bool *marked, size_t n) {
    size_t left = 0;
    for (size_t i = 0; i < n; i++) left += marked[i] ? 1 : 0;
    for (size_t i = 0, said = 0; i < n; i++) {
        if (!marked[i]) continue;
        bl_buf_str(out, said == 0 ? "" : left == 1 ? " and " : ", ");
        bl_format_count(out, size[i].batch_size);
        left--;
        said++;
    }
}

/* Examples per second, up to 999,999 in full. */
static bool in_millions(double speed) {
    return speed >= 999999.5;
}

static void speed_digits(bl_buf *out, double speed, bool millions) {
    if (millions)
        bl_buf_printf(out, "%.3g", speed / 1e6);
    else
        bl_format_3_digits(out, speed);
}

/*     measured best: 4,810 examples/s at 512 (4,760 to 4,850)
 *     448 and 480 cannot be told apart from it
 *
 * All three numbers are in millions where the first is, so that they can be compared. */
static void best_words(bl_buf *out, const bl_stats_step_size *size, size_t n) {
    bool *tied = bl_xalloc(n * sizeof *tied);
    const size_t best = bl_stats_step_best(size, n, tied);
    const bl_stats_value speed = bl_stats_step_speed(&size[best]);
    size_t ties = 0;
    for (size_t i = 0; i < n; i++) ties += tied[i] ? 1 : 0;
    bl_buf_printf(out, "%smeasured best: ", k_indent);
    const bool millions = in_millions(speed.value);
    speed_digits(out, speed.value, millions);
    bl_buf_printf(out, "%s examples/s at ", millions ? " million" : "");
    bl_format_count(out, size[best].batch_size);
    if (bl_stats_has_interval(&speed)) {
        bl_buf_str(out, " (");
        speed_digits(out, speed.low, millions);
        bl_buf_str(out, " to ");
        speed_digits(out, speed.high, millions);
        bl_buf_str(out, millions ? " million)" : ")");
    } else {
        bl_buf_printf(out, "; %s each: not judged",
                      size[best].repeats == 1 ? "one run" : "fewer than 6 runs");
    }
    bl_buf_str(out, "\n");
    if (ties > 0) {
        bl_buf_str(out, k_indent);
        list(out, size, tied, n);
        bl_buf_str(out, " cannot be told apart from it\n");
    }
    free(tied);
}

/* Each size beside the next larger one: where an example then takes over 5 % longer. */
static void falls_words(bl_buf *out, const bl_stats_step_size *size, size_t n) {
    for (size_t i = 0; i + 1 < n; i++) {
        if (!bl_stats_step_falls(&size[i], &size[i + 1])) continue;
        const double times = bl_stats_median(size[i + 1].seconds, size[i + 1].repeats) /
                             bl_stats_median(size[i].seconds, size[i].repeats);
        bl_buf_str(out, k_indent);
        bl_format_count(out, size[i].batch_size);
        bl_buf_str(out, " to ");
        bl_format_count(out, size[i + 1].batch_size);
        bl_buf_printf(out, ": %.3g times the time for %.3g times the batch\n", times,
                      size[i + 1].batch_size / size[i].batch_size);
    }
}

static void off_words(bl_buf *out, double off) {
    if (off >= 1)
        bl_buf_printf(out, "%.2g times as long as on a quiet one", 1 + off);
    else
        bl_buf_printf(out, "%.0f %% too long", 100 * off);
}

void bl_times_busy_words(bl_buf *out, const bl_stats_step_size *size, size_t n,
                         const char *indent) {
    const bl_stats_disturbance d = bl_stats_step_disturbance(size, n);
    if (!(d.off > BL_STATS_DISTURBED)) return;
    bl_buf_printf(out, "%sthe machine was busy", indent);
    if (d.other >= 0.01) bl_buf_printf(out, ", %.0f %% of the time with other work", 100 * d.other);
    bl_buf_printf(out, ";\n%stimes by the clock may be up to ", indent);
    off_words(out, d.off);
    bl_buf_str(out, "\n");
    const bl_stats_step_line line = bl_stats_fit_processor_line(size, n);
    if (!line.known) return;
    bl_buf_printf(out, "%sby processor time t(B) = ", indent);
    bl_times_line(out, &line);
    if (!line.flat && !line.through_zero) {
        bl_buf_str(out, ", half speed at ");
        count_words(out, bl_stats_step_line_share(&line, 0.5));
    }
    bl_buf_str(out, "\n");
}

/* "equal within 2 % (0.998 to 1.004)" */
static void verdict_words(bl_buf *out, bl_stats_equal verdict, const bl_stats_value *ratio) {
    bl_buf_str(out, bl_stats_equal_word(verdict));
    if (verdict == BL_STATS_EQUAL_SHOWN)
        bl_buf_printf(out, " within %.0f %%", 100 * BL_STATS_EQUAL_MARGIN);
    if (bl_stats_has_interval(ratio))
        bl_buf_printf(out, " (%.3f to %.3f)", ratio->low, ratio->high);
    bl_buf_str(out, "\n");
}

/* Sizes within 4 % of each other, which differ in nothing but a number: 127 and 128. */
static bool are_neighbours(const bl_stats_step_size *size, size_t i) {
    return size[i + 1].batch_size <= size[i].batch_size * BL_STATS_NEIGHBOURS;
}

/* Each size against its neighbour, and multiples of 8 against the rest where there are neighbours:
 * else the line's own deviations are all that would show. */
static void neighbours_words(bl_buf *out, const bl_stats_step_size *size, size_t n) {
    bl_stats_value ratio;
    size_t said = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        if (n < 3 || !are_neighbours(size, i)) continue;
        const bl_stats_equal verdict = bl_stats_step_equal(&ratio, size, n, i, i + 1);
        bl_buf_str(out, said++ == 0 ? "neighbours   " : k_indent);
        bl_format_count(out, size[i + 1].batch_size);
        bl_buf_str(out, " against ");
        bl_format_count(out, size[i].batch_size);
        bl_buf_str(out, ": ");
        verdict_words(out, verdict, &ratio);
    }
    if (said == 0) return;
    const bl_stats_equal verdict = bl_stats_step_multiples(&ratio, size, n, 8);
    if (!ratio.known) return;
    bl_buf_printf(out, "%smultiples of 8 against the others: ", k_indent);
    verdict_words(out, verdict, &ratio);
}

/* Appends `words` and frees them; what a measured number made too wide is folded. */
static void add_folded(bl_buf *out, bl_buf *words) {
    bl_format_folded(out, bl_buf_text(words), BL_FORMAT_COLUMNS, strlen(k_indent));
    bl_buf_free(words);
}

void bl_times_inference_words(bl_buf *out, const bl_stats_step_size *size, size_t n) {
    bl_stats_step_line line = bl_stats_fit_processor_line(size, n);
    if (!line.known) line = bl_stats_fit_step_line(size, n);
    if (!line.known) return;
    bl_buf words = {0};
    line_words(&words, "inference", &line, size, n);
    neighbours_words(&words, size, n);
    add_folded(out, &words);
}

void bl_times_words(bl_buf *out, const bl_stats_step_size *size, size_t n) {
    const bl_stats_step_line line = bl_stats_fit_step_line(size, n);
    bl_buf words = {0};
    if (line.known) {
        line_words(&words, "throughput", &line, size, n);
        knee_words(&words, &line);
    } else {
        bl_buf_str(&words, "throughput   one batch size: no line\n");
    }
    best_words(&words, size, n);
    falls_words(&words, size, n);
    neighbours_words(&words, size, n);
    bl_times_busy_words(&words, size, n, k_indent);
    add_folded(out, &words);
}

void bl_times_named_words(bl_buf *out, const bl_stats_step_size *size, size_t n,
                          const bool *named) {
    bl_stats_value ratio;
    bl_buf words = {0};
    const bl_stats_equal verdict = bl_stats_step_named(&ratio, size, n, named);
    bl_buf_str(&words, "named sizes  ");
    list(&words, size, named, n);
    bl_buf_str(&words, " against the others: ");
    verdict_words(&words, verdict, &ratio);
    add_folded(out, &words);
}

void bl_times_named_json(bl_jw *w, const bl_stats_step_size *size, size_t n, const bool *named) {
    bl_stats_value ratio;
    const bl_stats_equal verdict = bl_stats_step_named(&ratio, size, n, named);
    const bool judged = bl_stats_has_interval(&ratio);
    bl_jw_object(w, "named");
    bl_jw_array(w, "sizes");
    for (size_t i = 0; i < n; i++)
        if (named[i]) bl_jw_f64_rounded(w, NULL, size[i].batch_size);
    bl_jw_end(w);
    bl_jw_str(w, "verdict", bl_stats_equal_word(verdict));
    bl_jw_f64_rounded(w, "ratio_low", judged ? ratio.low : (double)NAN);
    bl_jw_f64_rounded(w, "ratio_high", judged ? ratio.high : (double)NAN);
    bl_jw_end(w);
}

void bl_times_table(bl_buf *out, const bl_stats_step_size *size, size_t n) {
    const bl_stats_step_line line = bl_stats_fit_step_line(size, n);
    bl_buf_str(out, "  batch size   time per step   examples/s   off the line\n");
    for (size_t i = 0; i < n; i++) {
        const double off = line.known ? 100 * bl_stats_step_line_miss(&line, &size[i]) : 0;
        bl_buf b = {0}, t = {0}, v = {0};
        bl_format_count(&b, size[i].batch_size);
        short_time(&t, bl_stats_median(size[i].seconds, size[i].repeats), 4);
        bl_format_3_digits(&v, bl_stats_step_speed(&size[i]).value);
        bl_buf_printf(out, "  %10s   %13s   %10s", bl_buf_text(&b), bl_buf_text(&t),
                      bl_buf_text(&v));
        if (line.known) bl_buf_printf(out, "   %+10.1f %%", fabs(off) < 0.05 ? 0.0 : off);
        bl_buf_str(out, "\n");
        bl_buf_free(&b);
        bl_buf_free(&t);
        bl_buf_free(&v);
    }
}

/* A deviation as small as a double's rounding is 0, whatever compiled the program. */
static double deviation(double x) {
    return fabs(x) < 1e-9 ? 0 : x;
}

static void size_json(bl_jw *w, const bl_stats_step_line *line, const bl_stats_step_size *size) {
    const bl_stats_value t =
        bl_stats_median_interval(size->seconds, size->repeats, BL_STATS_LEVEL, NULL);
    const bool judged = bl_stats_step_judged(size);
    bl_jw_object(w, NULL);
    bl_jw_f64_rounded(w, "batch_size", size->batch_size);
    bl_jw_i64(w, "repeats", (int64_t)size->repeats);
    bl_jw_f64_rounded(w, "seconds_per_step", t.value);
    bl_jw_f64_rounded(w, "low", judged ? t.low : (double)NAN);
    bl_jw_f64_rounded(w, "high", judged ? t.high : (double)NAN);
    bl_jw_f64_rounded(w, "off_the_line",
                      line->known ? deviation(bl_stats_step_line_miss(line, size)) : (double)NAN);
    bl_jw_end(w);
}

/* The members of an object that is open. NaN becomes null: what is not known, and intervals that
 * too few repeats carry. */
void bl_times_json(bl_jw *w, const bl_stats_step_size *size, size_t n) {
    const bl_stats_step_line line = bl_stats_fit_step_line(size, n);
    bool *tied = bl_xalloc(n * sizeof *tied);
    const size_t best = bl_stats_step_best(size, n, tied);
    bl_jw_f64_rounded(w, "fixed_seconds", line.fixed.value);
    bl_jw_f64_rounded(w, "seconds_per_example", line.each.value);
    bl_jw_f64_rounded(w, "worst_deviation", line.known ? deviation(line.worst) : (double)NAN);
    bl_jw_f64_rounded(w, "half_speed", bl_stats_step_line_share(&line, 0.5));
    bl_jw_f64_rounded(w, "speed_90", bl_stats_step_line_share(&line, 0.9));
    bl_jw_f64_rounded(w, "speed_95", bl_stats_step_line_share(&line, 0.95));
    const bl_stats_disturbance d = bl_stats_step_disturbance(size, n);
    bl_jw_f64_rounded(w, "other_work", d.other);
    bl_jw_f64_rounded(w, "too_long_by", d.off);
    bl_jw_f64_rounded(w, "best", size[best].batch_size);
    bl_jw_array(w, "not_told_apart");
    for (size_t i = 0; i < n; i++)
        if (tied[i]) bl_jw_f64_rounded(w, NULL, size[i].batch_size);
    bl_jw_end(w);
    bl_jw_array(w, "sizes");
    for (size_t i = 0; i < n; i++) size_json(w, &line, &size[i]);
    bl_jw_end(w);
    free(tied);
}
