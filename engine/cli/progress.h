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
    double started, last_shown;
    size_t round;
    bool line_open; /* a live line is on the screen */
} bl_display;

/* "auto", "plain", "json" or "none"; false: unknown. */
bool bl_display_init(bl_display *display, const char *mode);
/* These fit bl_scheduler.progress and bl_sweep_options.round/decision; ctx is the display. */
void bl_display_progress(void *ctx, const bl_progress *now);
void bl_display_round(void *ctx, const bl_round *round);
void bl_display_decision(void *ctx, const char *text);
/* A line of narration, also between rounds. */
void bl_display_say(void *ctx, const char *text);
void bl_display_close(bl_display *display);
#endif
