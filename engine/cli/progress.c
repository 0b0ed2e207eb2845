#include "engine/cli/progress.h"
#include "engine/base/buf.h"
#include "engine/base/clock.h"
#include "engine/base/json_writer.h"
#include "engine/cli/command.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { LIVE_WIDTH = 100 };
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
    *d = (bl_display){.started = bl_clock_seconds()};
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

static void clear_line(bl_display *d) {
    if (d->line_open) (void)fprintf(stderr, "\r%*s\r", LIVE_WIDTH, "");
    d->line_open = false;
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

void bl_display_progress(void *ctx, const bl_progress *p) {
    bl_display *d = ctx;
    const double now = bl_clock_seconds();
    if (d->mode == BL_DISPLAY_JSON) progress_event(p);
    if (d->mode != BL_DISPLAY_LIVE) return;
    if (now - d->last_shown < k_refresh_seconds && !p->run_done) return;
    d->last_shown = now;
    char elapsed[32], line[LIVE_WIDTH + 64];
    bl_clock_span(elapsed, now - d->started);
    (void)snprintf(line, sizeof line,
                   "%zu/%zu runs \302\267 batch %" PRId64 " lr %.3g \302\267 step %" PRId64
                   "/%" PRId64 " \302\267 metric %.4g \302\267 loss %.4g \302\267 %s",
                   p->runs_done, p->runs, p->batch_size, p->learning_rate, p->step, p->max_steps,
                   p->value, p->train_loss, elapsed);
    clear_line(d);
    (void)fprintf(stderr, "%s", line);
    (void)fflush(stderr);
    d->line_open = true;
}

void bl_display_round(void *ctx, const bl_round *round) {
    bl_display *d = ctx;
    d->round++;
    if (d->mode == BL_DISPLAY_JSON) event("round", round->title);
}

void bl_display_decision(void *ctx, const char *text) {
    bl_display *d = ctx;
    if (d->mode == BL_DISPLAY_JSON) event("decision", text);
    if (d->mode == BL_DISPLAY_JSON || d->mode == BL_DISPLAY_NONE) return;
    clear_line(d);
    char elapsed[32];
    bl_clock_span(elapsed, bl_clock_seconds() - d->started);
    (void)fprintf(stderr, "%7s  ", elapsed);
    bl_cli_print(stderr, text);
    (void)fputs("\n", stderr);
}

void bl_display_say(void *ctx, const char *text) {
    bl_display *d = ctx;
    if (d->mode == BL_DISPLAY_JSON) event("note", text);
    if (d->mode == BL_DISPLAY_JSON || d->mode == BL_DISPLAY_NONE) return;
    clear_line(d);
    bl_cli_print(stderr, text);
    (void)fputs("\n", stderr);
}

void bl_display_close(bl_display *d) {
    clear_line(d);
}
