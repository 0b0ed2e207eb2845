/* From peak / div_factor to the peak by equal factors, one a step: what a learning-rate finder
 * runs. The first step has the lowest rate, step horizon - 1 the peak. */
#include "engine/optim/schedule.h"
#include "kernels/shared/exact_math.h"

static bl_schedule_value at(const bl_schedule_plan *plan, int64_t step) {
    const int64_t last = plan->horizon - 1;
    const double left = last > 0 ? (double)(last - step) / (double)last : 0.0;
    return (bl_schedule_value){.rate = plan->peak * bl_exp64(-left * bl_log64(plan->div_factor))};
}

const bl_schedule bl_schedule_exponential = {.name = "exponential", .at = at};
