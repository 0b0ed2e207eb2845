/* fastai's one-cycle policy (Smith 2018): half a cosine from peak / start_div up to the peak, then
 * half a cosine down to peak / end_div; momentum mirrored, high to low to high. */
#include "engine/optim/schedule.h"

static double between(double from, double to, double t) {
    return to + (from - to) * bl_half_cosine(t);
}

static bl_pace at(const bl_schedule_plan *plan, int64_t step) {
    const double start = plan->peak / plan->start_div, end = plan->peak / plan->end_div;
    const double low = plan->momentum_low, high = plan->momentum_high;
    if (step < plan->rising) {
        const double t = (double)step / (double)plan->rising;
        return (bl_pace){between(start, plan->peak, t), between(high, low, t)};
    }
    const double t = bl_schedule_fallen(plan, step);
    return (bl_pace){between(plan->peak, end, t), between(low, high, t)};
}

const bl_schedule bl_schedule_one_cycle = {.name = "one_cycle", .at = at};
