/* The timing pass: the only file of this room that reads a clock, and nothing it reads is logged.
 */
#include "engine/base/clock.h"
#include "engine/train/run.h"

enum { LEAST_STEPS = 3 };

bl_status bl_train_time(bl_train *train, double seconds, double *seconds_per_step, bl_err *err) {
    const double start = bl_clock_seconds();
    double now = start;
    int64_t steps = 0;
    while (steps < LEAST_STEPS || now - start < seconds) {
        const int64_t before = train->progress.made;
        BL_TRY(bl_train_steps(train, INT64_MAX, err));
        if (train->progress.diverged)
            BL_FAIL(err, BL_EDIVERGED, "the run diverged while it was timed: batch %zu, rate %g",
                    train->batch, train->config.train.learning_rate);
        steps += train->progress.made - before;
        now = bl_clock_seconds();
    }
    BL_TRY(bl_train_steps_finish(train, err)); /* of the next measurement's time */
    *seconds_per_step = (now - start) / (double)steps;
    return BL_OK;
}
