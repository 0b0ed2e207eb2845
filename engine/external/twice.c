/* A program is trained three times over the same few steps:
 *
 *     first      0 ------------------------> 9
 *     second     0 ------------------------> 9     the same values?
 *     resumed    0 ------> 4   4 ----------> 9     as if it had not been paused?
 *
 * Differences are told with the first step that has one, as that is where to look. */
#include "engine/external/twice.h"
#include "engine/base/file.h"
#include "engine/external/external.h"
#include "engine/runlog/runlog.h"
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where it pauses, and where it ends: evaluations of any grid. */
enum { PAUSE = 4, END = 9 };

/* Touches it, so that the program's helper takes batchlab for alive. */
static bl_status make_beat(const char *path, bl_err *err) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) BL_FAIL(err, BL_EIO, "cannot make %s", path);
    (void)futimens(fd, NULL);
    (void)close(fd);
    return BL_OK;
}

static bl_status open_in(bl_external **out, const bl_config *config, const char *dir,
                         const char *name, bl_err *err) {
    static const double an_hour = 3600.0;
    char run[BL_PATH], beat[BL_PATH], keep[BL_PATH];
    BL_TRY(bl_path(run, err, "%s/%s", dir, name));
    BL_TRY(bl_path(keep, err, "%s/failed", dir));
    BL_TRY(bl_path(beat, err, "%s/beat", dir));
    BL_TRY(make_beat(beat, err));
    const bl_external_options options = {.config = config,
                                         .run_id = "r000000000000",
                                         .dir = run,
                                         .beat = beat,
                                         .stale = an_hour,
                                         .save_seconds = (double)INFINITY,
                                         .keep = keep};
    return bl_external_open(out, &options, err);
}

static bl_status go_to(bl_external *x, int64_t step, const bl_train_pause *pause, bl_err *err) {
    const bl_train_state *now = bl_external_now(x);
    while (now->step < step && !now->diverged && !now->ended)
        BL_TRY(bl_external_advance(x, step, pause, err));
    return BL_OK;
}

static bl_status train_through(bl_buf *log, const bl_config *config, const char *dir,
                               const char *name, const bl_train_pause *pause, bl_err *err) {
    bl_external *x = NULL;
    bl_status status = open_in(&x, config, dir, name, err);
    if (status == BL_OK) status = go_to(x, END, pause, err);
    if (status == BL_OK) bl_buf_add(log, bl_external_log(x)->data, bl_external_log(x)->len);
    bl_external_close(x);
    return status;
}

/* Ends it in the middle with its state in dir/state. */
static bl_status pause_in(bl_external_twice *out, bl_buf *state, bl_buf *log,
                          const bl_config *config, const char *dir, const char *place,
                          const bl_train_pause *pause, bl_err *err) {
    bl_external *x = NULL;
    bl_status status = open_in(&x, config, dir, "paused", err);
    if (status == BL_OK) status = go_to(x, PAUSE, pause, err);
    if (status == BL_OK) status = bl_external_save(x, true, -1, place, state, &out->saves, err);
    if (status == BL_OK) bl_buf_add(log, bl_external_log(x)->data, bl_external_log(x)->len);
    if (status == BL_OK) out->paused_at = bl_external_kept_step(x);
    bl_external_close(x);
    return status;
}

static bl_status train_resumed(bl_external_twice *out, bl_buf *log, const bl_config *config,
                               const char *dir, const bl_train_pause *pause, bl_err *err) {
    char place[BL_PATH];
    bl_buf state = {0}, half = {0};
    bl_external *x = NULL;
    bl_status status = bl_path(place, err, "%s/state", dir);
    if (status == BL_OK) status = pause_in(out, &state, &half, config, dir, place, pause, err);
    if (status == BL_OK && out->saves) {
        status = open_in(&x, config, dir, "resumed", err);
        if (status == BL_OK)
            status = bl_external_restore(x, place, state.data, state.len, half.data, half.len, err);
        if (status == BL_OK) status = go_to(x, END, pause, err);
        if (status == BL_OK) bl_buf_add(log, bl_external_log(x)->data, bl_external_log(x)->len);
    }
    bl_external_close(x);
    bl_buf_free(&state);
    bl_buf_free(&half);
    return status;
}

/* How far two numbers lie apart, over the larger of them. Two that are not numbers are alike. */
static double apart(double a, double b) {
    if (a == b || (isnan(a) && isnan(b))) return 0.0;
    const double size = fmax(fabs(a), fabs(b));
    return isfinite(a - b) && size > 0.0 ? fabs(a - b) / size : (double)INFINITY;
}

/* A series that ends early differs from there on, by infinity. */
static bl_status compare(bl_external_difference *out, const bl_buf *a, const bl_buf *b,
                         bl_err *err) {
    bl_runlog x, y;
    BL_TRY(bl_runlog_parse(&x, a->data, a->len, "first", err));
    const bl_status status = bl_runlog_parse(&y, b->data, b->len, "second", err);
    for (size_t i = 0; status == BL_OK && i < x.evals && i < y.evals; i++) {
        const double by = fmax(apart(x.eval[i].value, y.eval[i].value),
                               apart(x.eval[i].train_loss, y.eval[i].train_loss));
        if (by > 0.0 && out->from == 0) out->from = x.eval[i].step;
        out->by = fmax(out->by, by);
    }
    if (status == BL_OK && x.evals != y.evals) {
        const bl_runlog *longer = x.evals > y.evals ? &x : &y;
        if (out->from == 0) out->from = longer->eval[x.evals < y.evals ? x.evals : y.evals].step;
        out->by = (double)INFINITY;
    }
    bl_runlog_free(&x);
    if (status == BL_OK) bl_runlog_free(&y);
    return status;
}

bl_status bl_external_check_twice(bl_external_twice *out, const bl_config *config, const char *dir,
                                  const bl_train_pause *pause, bl_err *err) {
    bl_buf first = {0}, second = {0}, resumed = {0};
    *out = (bl_external_twice){.steps = END};
    bl_status status = train_through(&first, config, dir, "first", pause, err);
    if (status == BL_OK) status = train_through(&second, config, dir, "second", pause, err);
    if (status == BL_OK) status = compare(&out->again, &first, &second, err);
    if (status == BL_OK && config->external.checkpoint)
        status = train_resumed(out, &resumed, config, dir, pause, err);
    if (status == BL_OK && out->saves) status = compare(&out->resumed, &first, &resumed, err);
    bl_buf_free(&first);
    bl_buf_free(&second);
    bl_buf_free(&resumed);
    return status;
}
