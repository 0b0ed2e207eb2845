/* Up in a straight line during the warm-up, (step + 1) / (rising + 1) of the peak, then down in a
 * straight line that reaches 0 at the horizon. */
#include "engine/optim/schedule.h"

static bl_schedule_value at(const bl_schedule_plan *plan, int64_t step) {
    if (step < plan->rising)
        return (bl_schedule_value){.rate = plan->peak * (double)(step + 1) /
                                           (double)(plan->rising + 1)};
    return (bl_schedule_value){.rate = plan->peak * (1.0 - bl_schedule_fallen(plan, step))};
}

const bl_schedule bl_schedule_linear = {.name = "linear", .at = at};
