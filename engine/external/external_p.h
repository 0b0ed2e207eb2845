/* private to the room: what a run consists of (run_process.c), and how what it says is heard
 * (listen.c) and what went wrong is told (failure.c). */
#ifndef BL_ENGINE_EXTERNAL_EXTERNAL_P_H
#define BL_ENGINE_EXTERNAL_EXTERNAL_P_H
#include "engine/base/run_id.h"
#include "engine/external/child.h"
#include "engine/external/exchange.h"
#include "engine/external/external.h"
#include "engine/external/follow.h"
#include "engine/external/scrape.h"

/* A state of the program that batchlab keeps, and the log as it was then. */
typedef struct bl_external_state {
    int64_t step; /* -1: none */
    size_t log_n;
} bl_external_state;

struct bl_external {
    bl_config config;
    char run_id[BL_RUN_ID], dir[BL_PATH], beat[BL_PATH], keep[BL_PATH];
    double stale, save_seconds;
    bl_external_devices *devices;
    const char *device; /* that it holds; NULL: none */
    bl_train_state now;
    bl_buf log;
    size_t header_n; /* of the log, its first line */
    bool ends;       /* the log's last line says that the program has no more */

    /* of the process that runs, or ran last */
    bl_external_child child;
    bl_external_follow follow;
    bl_external_scrape scrape;
    bool started, held;   /* held: SIGSTOP, as it does not wait by itself */
    bool waits, saves;    /* as its start line says */
    bool retried;         /* it was started once more after a failure */
    int64_t began;        /* the step it was started at */
    int64_t heard;        /* the step of its last evaluation line */
    int64_t until, limit; /* what goal.json says; where evaluations end */
    double train_s;       /* as last reported, NAN: not */
    double data_s;        /* of it, waiting for data; NAN: not reported */
    double data_share;    /* of the time that was measured last; NAN: not known */
    int64_t timed;        /* at this step */
    bool said_end;
    char error[BL_EXTERNAL_WHY]; /* "" : it reported none */
    double sign_of_life;         /* the clock when it last wrote something */
    int64_t written;             /* bytes of its output then */

    bl_external_state spoken; /* the program has said that it is whole, and it is not kept yet */
    bl_external_state kept;   /* in dir/kept */
    double peak_bytes;
};

/* goal.json, with the grid after the last evaluation. */
bl_status bl_external_write_goal(const bl_external *x, bool park, bl_err *err) BL_CHECKED;
/* Is what it says read from its own files, as it knows nothing of report.jsonl? */
bool bl_external_is_scraped(const bl_external *x);
/* Hears what the program has said since: `one` stops at an evaluation that enters the log. */
bl_status bl_external_listen(bl_external *x, bool one, bl_err *err) BL_CHECKED;
/* Enters an evaluation that is not finite, at the next point of the grid. */
void bl_external_diverge(bl_external *x);
/* Ends the program and returns BL_EPROGRAM with `what` happened, its last lines, the parameters and
 * the line that starts it by hand. Its folder is moved to where it is kept. */
BL_PRINTF(3, 4)
bl_status bl_external_fail(bl_external *x, bl_err *err, const char *what, ...) BL_CHECKED;
/* The last lines of out.log in `dir`, for people: of at most 20 those that fit into `room` bytes.
 */
void bl_external_last_words(bl_buf *out, const char *dir, size_t room);
/* Does what the program wrote last say that memory ran out? */
bool bl_external_says_memory(const bl_external *x);
#endif
