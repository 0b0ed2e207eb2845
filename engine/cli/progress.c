#include "engine/cli/progress.h"
#include "engine/base/buf.h"
#include "engine/base/clock.h"
#include "engine/base/format.h"
#include "engine/base/json_writer.h"
#include "engine/cli/command.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_UNKNOWN = 80, BAR = 8, INDENT = 9 };
static const double k_refresh_seconds = 0.1;

/* "auto" or NULL: a line that is rewritten on a terminal, plain lines elsewhere. */
bool bl_display_init(bl_display *d, const char *mode) {
    static const struct {
        const char *name;
        bl_display_mode mode;
    } modes[] = {
        {"plain", BL_DISPLAY_PLAIN},
        {"json",  BL_DISPLAY_JSON },
        {"none",  BL_DISPLAY_NONE }
    };
    *d = (bl_display){.started = bl_clock_seconds(), .round_started = bl_clock_seconds()};
    if (mode == NULL || strcmp(mode, "auto") == 0) {
        d->mode = isatty(STDERR_FILENO) ? BL_DISPLAY_LIVE : BL_DISPLAY_PLAIN;
        return true;
    }
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(mode, modes[i].name) == 0) {
            d->mode = modes[i].mode;
            return true;
        }
    return false;
}

/* Of the terminal as it is at this moment: a window may change its size at any time. */
static size_t columns_of_terminal(void) {
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return COLUMNS_UNKNOWN;
    return size.ws_col;
}

/* A terminal without control sequences gets blanks. */
static void clear_line(bl_display *d) {
    const char *kind = getenv("TERM");
    const bool dumb = kind == NULL || strcmp(kind, "dumb") == 0;
    if (d->line_open && dumb)
        (void)fprintf(stderr, "\r%*s\r", (int)columns_of_terminal() - 1, "");
    else if (d->line_open)
        (void)fputs("\r\033[K", stderr);
    d->line_open = false;
}

/* ---- the live line ---- */

/* Appends a part behind two blanks; false: the line has no room for the whole of it. */
static bool add_part(bl_buf *line, const bl_buf *part, size_t columns) {
    const size_t gap = line->len > 0 ? 2 : 0;
    if (line->len + gap + part->len >= columns) return false;
    bl_buf_printf(line, "%*s%s", (int)gap, "", bl_buf_text(part));
    return true;
}

/* The share of the round's runs that are done, a running one counted by its step. */
static void add_bar(bl_buf *part, const bl_progress *p) {
    if (p->runs == 0) return;
    double done = (double)p->runs_done;
    if (!p->run_done && p->max_steps > 0) done += (double)p->step / (double)p->max_steps;
    const int full = (int)fmin(BAR * done / (double)p->runs, BAR);
    bl_buf_printf(part, "[%.*s%.*s]", full, "########", BAR - full, "--------");
}

/* The i-th part; nothing for one that has nothing to say yet. */
static bool add_words(bl_buf *part, size_t i, const bl_display *d, const bl_progress *p,
                      double seconds) {
    char span[32];
    const double left = (seconds - d->round_started) * (double)(p->runs - p->runs_done) /
                        (double)(d->trained > 0 ? d->trained : 1);
    switch (i) {
    case 0:
        bl_buf_printf(part, "batch %" PRId64 " lr %.3g", p->batch_size, p->learning_rate);
        return true;
    case 1:
        add_bar(part, p);
        return true;
    case 2:
        bl_buf_printf(part, "%zu/%zu runs", p->runs_done, p->runs);
        return true;
    case 3:
        bl_clock_span(span, left);
        if (d->trained > 0 && left >= 1) bl_buf_printf(part, "at least %s more", span);
        return true;
    case 4:
        bl_buf_str(part, "step ");
        bl_format_count(part, (double)(p->step < p->max_steps ? p->step : p->max_steps));
        bl_buf_str(part, "/");
        bl_format_count(part, (double)p->max_steps);
        return true;
    case 5:
        if (isfinite(p->train_loss)) bl_buf_printf(part, "loss %.4g", p->train_loss);
        return true;
    case 6:
        bl_clock_span(span, seconds - d->started);
        bl_buf_str(part, span);
        return true;
    default:
        return false;
    }
}

void bl_display_line(char out[BL_DISPLAY_LINE], const bl_display *display, const bl_progress *now,
                     double seconds, size_t columns) {
    bl_buf line = {0}, part = {0};
    if (columns > BL_DISPLAY_LINE) columns = BL_DISPLAY_LINE;
    for (size_t i = 0; add_words(&part, i, display, now, seconds); i++) {
        if (part.len > 0 && !add_part(&line, &part, columns)) break;
        bl_buf_clear(&part);
    }
    (void)snprintf(out, BL_DISPLAY_LINE, "%s", bl_buf_text(&line));
    bl_buf_free(&line);
    bl_buf_free(&part);
}

/* One object on a line of standard error. */
static void write_event(bl_jw *w, bl_buf *line) {
    bl_jw_end(w);
    bl_jw_line(w);
    (void)fputs(line->data, stderr);
    bl_buf_free(line);
}

static void event(const char *kind, const char *text) {
    bl_buf line = {0};
    bl_jw w = bl_jw_open(&line);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "event", kind);
    bl_jw_str(&w, "text", text);
    write_event(&w, &line);
}

static void progress_event(const bl_progress *p) {
    bl_buf line = {0};
    bl_jw w = bl_jw_open(&line);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "event", "progress");
    bl_jw_i64(&w, "runs_done", (int64_t)p->runs_done);
    bl_jw_i64(&w, "runs", (int64_t)p->runs);
    bl_jw_i64(&w, "batch_size", p->batch_size);
    bl_jw_f64(&w, "learning_rate", p->learning_rate);
    bl_jw_i64(&w, "step", p->step);
    bl_jw_i64(&w, "max_steps", p->max_steps);
    bl_jw_f64(&w, "value", p->value);
    bl_jw_f64(&w, "train_loss", p->train_loss);
    write_event(&w, &line);
}

/* Runs that were only looked up do not count for the time that is left. */
void bl_display_progress(void *ctx, const bl_progress *p) {
    bl_display *d = ctx;
    const double now = bl_clock_seconds();
    if (d->mode == BL_DISPLAY_JSON) progress_event(p);
    if (p->run_done && p->trained) d->trained++;
    if (d->mode != BL_DISPLAY_LIVE) return;
    if (now - d->last_shown < k_refresh_seconds && !p->run_done) return;
    d->last_shown = now;
    char line[BL_DISPLAY_LINE];
    bl_display_line(line, d, p, now, columns_of_terminal());
    clear_line(d);
    (void)fputs(line, stderr);
    (void)fflush(stderr);
    d->line_open = true;
}

void bl_display_round(void *ctx, const bl_round *round) {
    bl_display *d = ctx;
    d->round++;
    d->trained = 0;
    d->round_started = bl_clock_seconds();
    if (d->mode == BL_DISPLAY_JSON) event("round", round->title);
}

/* A terminal's lines are cut at blanks; a file's stay whole, for programs that search them. */
static void print_folded(const bl_display *d, const char *text, size_t indent) {
    const size_t columns = columns_of_terminal();
    bl_buf folded = {0};
    if (d->mode == BL_DISPLAY_LIVE && columns > 2 * indent)
        bl_format_folded(&folded, text, columns - 1, indent);
    else
        bl_buf_str(&folded, text);
    bl_cli_print(stderr, bl_buf_text(&folded));
    bl_buf_free(&folded);
}

/* The time so far, then the text: "0s  batch 4: best lr 0.177 (bracketed), 474 steps". */
void bl_display_decision(void *ctx, const char *text) {
    bl_display *d = ctx;
    if (d->mode == BL_DISPLAY_JSON) event("decision", text);
    if (d->mode == BL_DISPLAY_JSON || d->mode == BL_DISPLAY_NONE) return;
    clear_line(d);
    char elapsed[32];
    bl_clock_span(elapsed, bl_clock_seconds() - d->started);
    bl_buf line = {0};
    bl_buf_printf(&line, "%7s  %s\n", elapsed, text);
    print_folded(d, bl_buf_text(&line), INDENT);
    bl_buf_free(&line);
}

void bl_display_failure(void *ctx, const char *text) {
    bl_display *d = ctx;
    if (d->mode == BL_DISPLAY_JSON) {
        event("failure", text);
        return;
    }
    if (d->mode != BL_DISPLAY_NONE) clear_line(d);
    bl_cli_printf(stderr, "batchlab: %s\n", text);
}

void bl_display_say(void *ctx, const char *text) {
    bl_display *d = ctx;
    if (d->mode == BL_DISPLAY_JSON) event("note", text);
    if (d->mode == BL_DISPLAY_JSON || d->mode == BL_DISPLAY_NONE) return;
    clear_line(d);
    print_folded(d, text, 2);
    (void)fputs("\n", stderr);
}

/* ", training 51.2 s (91 %)", or nothing where it was too little to say. */
static void part_of_time(bl_buf *out, const char *what, double seconds, double total) {
    if (seconds < 0.005 * total) return;
    bl_buf_printf(out, ", %s %.*f s (%.0f %%)", what, total < 10 ? 2 : 1, seconds,
                  100 * seconds / total);
}

/* What is left of the whole is named, too: planning is the sweep less its training and its
 * store. */
void bl_display_times(bl_display *d, const bl_display_spent *s) {
    if (d->mode != BL_DISPLAY_PLAIN && d->mode != BL_DISPLAY_JSON) return;
    const double total = bl_clock_process_seconds();
    const double rounds = s->rounds.training + s->rounds.store;
    bl_buf text = {0}, folded = {0};
    bl_buf_printf(&text, "processor time %.*f s", total < 10 ? 2 : 1, total);
    part_of_time(&text, "start and data", s->began, total);
    part_of_time(&text, "training", s->rounds.training, total);
    part_of_time(&text, "logs and store", s->rounds.store, total);
    part_of_time(&text, "planning", s->sweep - s->began - rounds, total);
    part_of_time(&text, "timing pass", s->timing - s->sweep, total);
    part_of_time(&text, "figures", total - s->timing, total);
    bl_format_folded(&folded, bl_buf_text(&text), BL_FORMAT_COLUMNS, 2);
    if (d->mode == BL_DISPLAY_JSON)
        event("times", bl_buf_text(&text));
    else
        bl_cli_printf(stderr, "%s\n", bl_buf_text(&folded));
    bl_buf_free(&text);
    bl_buf_free(&folded);
}

void bl_display_close(bl_display *d) {
    clear_line(d);
}
