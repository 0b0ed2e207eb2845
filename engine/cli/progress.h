/* What a sweep shows while it runs, on stderr: one live line on a terminal, a line per decision
 * otherwise, or JSON lines for programs. The engine knows none of this: it calls functions that it
 * was given (bl_scheduler.progress, bl_sweep_options.round and .decision), one call at a time, and
 * these are functions of the display that fit them. Standard output stays free for the answer. */
#ifndef BL_ENGINE_CLI_PROGRESS_H
#define BL_ENGINE_CLI_PROGRESS_H
#include "engine/sweep/sweep.h"
#include <stdbool.h>
#include <stdio.h>

typedef enum bl_display_mode {
    BL_DISPLAY_LIVE,
    BL_DISPLAY_PLAIN,
    BL_DISPLAY_JSON,
    BL_DISPLAY_NONE
} bl_display_mode;

typedef struct bl_display {
    bl_display_mode mode;
    double started, last_shown, round_started;
    size_t round, trained; /* rounds so far; runs that were trained to their end in this one */
    bool line_open;        /* a live line is on the screen */
} bl_display;

/* "auto", "plain", "json" or "none"; false: unknown. */
bool bl_display_init(bl_display *display, const char *mode);
/* The live line, of at most `columns` - 1 columns, so that it never reaches the last one and the
 * terminal never breaks it. What is trained comes first; the rest follows while it fits: a bar over
 * the round's runs, their count, the least time that the sweep still takes, the step, the loss, the
 * time so far. "At least", since the rounds that follow are not known: it is the time of a run of
 * this round, times the runs that are left in it. For example, at 80 columns:
 *
 *     batch 64 lr 0.25  [#####---]  5/8 runs  at least 12s more  step 1,800/2,400
 */
enum { BL_DISPLAY_LINE = 256 };
void bl_display_line(char out[BL_DISPLAY_LINE], const bl_display *display, const bl_progress *now,
                     double seconds, size_t columns);
/* These fit bl_scheduler.progress and bl_sweep_options.round/decision; ctx is the display. */
void bl_display_progress(void *ctx, const bl_progress *now);
void bl_display_round(void *ctx, const bl_round *round);
void bl_display_decision(void *ctx, const char *text);
/* A line of narration, also between rounds. */
void bl_display_say(void *ctx, const char *text);
/* A program failed: its message, in every mode. */
void bl_display_failure(void *ctx, const char *text);
/* The last line of `plain`: where the processor time of the whole command went. `sweep` and
 * `timing` are seconds of the process up to the end of the sweep and of the timing pass, `began` up
 * to the beginning of the sweep. */
typedef struct bl_display_spent {
    bl_scheduler_spent rounds;
    double began, sweep, timing;
} bl_display_spent;
void bl_display_times(bl_display *display, const bl_display_spent *spent);
void bl_display_close(bl_display *display);
#endif
