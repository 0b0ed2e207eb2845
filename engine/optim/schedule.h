/* Schedules: learning rate and momentum as functions of the step alone. One file schedule_NAME.c
 * and one row of engine/config/choices.h each. */
#ifndef BL_ENGINE_OPTIM_SCHEDULE_H
#define BL_ENGINE_OPTIM_SCHEDULE_H
#include "engine/config/choices.h"
#include "engine/config/config.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct bl_schedule bl_schedule;

/* A schedule of one run, resolved to steps. */
typedef struct bl_schedule_plan {
    const bl_schedule *schedule;
    int64_t horizon;                     /* steps; past it the last rate stays. 0: no end */
    int64_t rising;                      /* of them, the steps of the warm-up */
    double peak;                         /* train.learning_rate */
    double div_factor, final_div_factor; /* one_cycle: peak over first rate, first over last */
    bool cycle_momentum;                 /* one_cycle: else the momentum stays as configured */
    double momentum_low, momentum_high;
} bl_schedule_plan;

typedef struct bl_schedule_value {
    double rate;
    double momentum; /* 0: as configured */
} bl_schedule_value;

struct bl_schedule {
    const char *name;
    /* 0 <= step, below the horizon where there is one. */
    bl_schedule_value (*at)(const bl_schedule_plan *plan, int64_t step);
};

#define DECLARE(name, reads) extern const bl_schedule bl_schedule_##name;
BL_CHOICES_SCHEDULE(DECLARE)
#undef DECLARE

extern const bl_schedule *const bl_schedule_table[];
extern const size_t bl_schedule_count;
const bl_schedule *bl_schedule_find(const char *name); /* NULL: there is none */

/* Horizon: round(schedule.horizon_epochs x epoch_rows / batch size), at least 1; warm-up: the
 * fraction schedule.warmup of it, rounded down. Fails on a name without a row and on a decaying
 * schedule without a horizon. */
bl_status bl_schedule_resolve(bl_schedule_plan *plan, const bl_config *config, int64_t epoch_rows,
                              bl_err *err) BL_CHECKED;
/* The pace of the update that follows `step` updates. */
bl_schedule_value bl_schedule_at(const bl_schedule_plan *plan, int64_t step);

/* Half a cosine from 1 at 0 to 0 at 1, its remainder near 1 exact to a few ulp. */
double bl_half_cosine(double t);
/* Share of the falling part that is over at `step`, in [0, 1); below 0 while it rises. */
double bl_schedule_fallen(const bl_schedule_plan *plan, int64_t step);
#endif
