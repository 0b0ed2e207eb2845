/* What a program says, and what that changes. A state that the program saves is the delicate
 * part:
 *
 *     {"saving":128}   its folder `state` is being replaced: what was spoken of is gone
 *     {"saved":128}    it is whole: `spoken` is this step and the log's length now
 *     keep_state       makes a second name of it, `kept.new`, then hears what was said meanwhile
 *                      nothing of a state: `kept.new` becomes `kept`
 *                      another "saving" or "saved": the copy may be torn, and is dropped
 *
 * So `kept` is always whole, without a lock between two programs. */
#include "engine/base/clock.h"
#include "engine/external/clone.h"
#include "engine/external/external_log.h"
#include "engine/external/external_p.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bool bl_external_is_scraped(const bl_external *x) {
    return x->config.external.scrape[0] != '\0';
}

/* The next step of the grid that an evaluation is due at. */
static int64_t next_due(const bl_external *x, int64_t limit) {
    return bl_train_next_eval(&x->config, x->config.external.epoch_rows, x->now.step, limit);
}

void bl_external_diverge(bl_external *x) {
    bl_external_log_eval(&x->log, &x->now, &x->config, next_due(x, x->limit), (double)NAN,
                         (double)NAN);
}

/* ---- what a line does ---- */

/* Evaluations that are not due are the program's own affair. One that is due and missing is not:
 * its log would depend on where it was started. */
static bl_status take_eval(bl_external *x, const bl_external_line *line, bl_err *err) {
    if (line->step <= x->heard)
        return bl_external_fail(x, err,
                                "it reports an evaluation at step %" PRId64
                                " after one at step %" PRId64
                                ": steps ascend, and one process of a group reports",
                                line->step, x->heard);
    x->heard = line->step;
    if (x->limit <= x->now.step) return BL_OK;   /* none is asked for */
    if (line->step <= x->now.step) return BL_OK; /* once more, after it was started again */
    const int64_t due = next_due(x, x->limit);
    if (!bl_external_is_scraped(x) && line->step < due) return BL_OK;
    if (!bl_external_is_scraped(x) && line->step > due)
        return bl_external_fail(x, err,
                                "it reports an evaluation at step %" PRId64
                                ", but none at step %" PRId64
                                ", which was due: it evaluates where due(step) is true",
                                line->step, due);
    bl_external_log_eval(&x->log, &x->now, &x->config, line->step, line->value, line->loss);
    return BL_OK;
}

/* One line of the report into the state. Two of its rules are not in the words themselves. A
 * start has to be at the step of the state that was handed over. A state counts only when no
 * evaluation before it is still owed. While a state is being written (SAVING) there is none to
 * go back to. */
static bl_status take_line(bl_external *x, const bl_external_line *line, bl_err *err) {
    if (!isnan(line->train_s) &&
        (line->word == BL_EXTERNAL_EVAL || line->word == BL_EXTERNAL_MARK)) {
        x->train_s = line->train_s;
        x->data_s = line->data_s;
        x->timed = line->step;
    }
    if (line->word == BL_EXTERNAL_EVAL || line->word == BL_EXTERNAL_MARK)
        x->peak_bytes = fmax(x->peak_bytes, line->peak_bytes);
    switch (line->word) {
    case BL_EXTERNAL_START:
        x->waits = line->waits;
        x->saves = line->saves;
        if (line->step != x->began)
            return bl_external_fail(
                x, err, "it begins at step %" PRId64 ", but its state is that of step %" PRId64,
                line->step, x->began);
        return BL_OK;
    case BL_EXTERNAL_EVAL:
        return take_eval(x, line, err);
    case BL_EXTERNAL_SAVING:
        x->spoken.step = -1;
        return BL_OK;
    case BL_EXTERNAL_SAVED:
        /* From a state ahead of an evaluation that was due, that one would never come. */
        if (line->step < next_due(x, INT64_MAX))
            x->spoken = (bl_external_state){line->step, x->log.len};
        return BL_OK;
    case BL_EXTERNAL_END:
        x->said_end = true;
        return BL_OK;
    case BL_EXTERNAL_ERROR:
        memcpy(x->error, line->why, sizeof x->error);
        return BL_OK;
    case BL_EXTERNAL_MARK:
    case BL_EXTERNAL_NOTHING:
        break;
    }
    return BL_OK;
}

/* ---- hearing ---- */

/* A line that cannot be read ends the run: bl_external_fail. */
static bl_status read_line(bl_external *x, const char *text, size_t n, bl_external_line *line,
                           bl_err *err) {
    bl_err why = {0};
    const bl_status status =
        bl_external_is_scraped(x)
            ? bl_external_scrape_line(&x->scrape, line, text, n, &why)
            : bl_external_line_read(line, text, n, "report.jsonl", x->follow.number, &why);
    return status == BL_OK ? BL_OK : bl_external_fail(x, err, "%s", why.text);
}

/* All lines that are there, or with `one` up to an evaluation for the log. */
static bl_status hear(bl_external *x, bool one, bl_err *err) {
    const int64_t from = x->now.step;
    for (;;) {
        bl_external_line line;
        const char *text;
        size_t n;
        if (!bl_external_follow_next(&x->follow, &text, &n)) return BL_OK;
        x->sign_of_life = bl_clock_seconds();
        BL_TRY(read_line(x, text, n, &line, err));
        BL_TRY(take_line(x, &line, err));
        if (x->now.diverged || (one && x->now.step > from)) return BL_OK;
    }
}

/* Takes a second name of the state that the program has spoken of. It holds if the program has not
 * begun to replace it meanwhile. */
static bl_status keep_state(bl_external *x, bool one, bl_err *err) {
    char state[BL_PATH], fresh[BL_PATH], kept[BL_PATH];
    bl_err ignored;
    const bl_external_state spoken = x->spoken;
    BL_TRY(bl_path(state, err, "%s/state", x->dir));
    BL_TRY(bl_path(fresh, err, "%s/kept.new", x->dir));
    BL_TRY(bl_path(kept, err, "%s/kept", x->dir));
    const bool cloned = bl_external_clone(state, fresh, &ignored) == BL_OK;
    BL_TRY(hear(x, one, err));
    const bool same = x->spoken.step == spoken.step && x->spoken.log_n == spoken.log_n;
    if (!same) return BL_OK;
    x->spoken.step = -1;
    if (!cloned || bl_remove_tree(kept, NULL) != BL_OK || rename(fresh, kept) != 0)
        return bl_external_fail(
            x, err, "it says that its state of step %" PRId64 " is whole, but %s is not there",
            spoken.step, state);
    x->kept = spoken;
    return BL_OK;
}

bl_status bl_external_listen(bl_external *x, bool one, bl_err *err) {
    BL_TRY(hear(x, one, err));
    while (x->spoken.step >= 0 && !x->now.diverged) BL_TRY(keep_state(x, one, err));
    return BL_OK;
}
