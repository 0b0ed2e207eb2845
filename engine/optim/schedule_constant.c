/* The peak rate for ever. */
#include "engine/optim/schedule.h"

static bl_schedule_value at(const bl_schedule_plan *plan, int64_t step) {
    (void)step;
    return (bl_schedule_value){.rate = plan->peak};
}

const bl_schedule bl_schedule_constant = {.name = "constant", .at = at};
