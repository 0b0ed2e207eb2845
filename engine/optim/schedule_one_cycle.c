/* fastai's one-cycle policy (Smith 2018): half a cosine from peak / div_factor up to the peak, then
 * half a cosine down to that first rate / final_div_factor; momentum mirrored, high to low to high.
 * The end would be reached at the step after the last: step horizon - 1 is still above it, by about
 * the peak times (pi / (2 (horizon - rising)))^2, and keeps its rate for all later steps. */
#include "engine/optim/schedule.h"

static double between(double from, double to, double t) {
    return to + (from - to) * bl_half_cosine(t);
}

/* The mirrored momentum, or 0 for "as configured". */
static double momentum(const bl_schedule_plan *plan, bool rising, double t) {
    const double low = plan->momentum_low, high = plan->momentum_high;
    if (!plan->cycle_momentum) return 0.0;
    return rising ? between(high, low, t) : between(low, high, t);
}

static bl_schedule_value at(const bl_schedule_plan *plan, int64_t step) {
    const double start = plan->peak / plan->div_factor;
    const double end = plan->peak / (plan->div_factor * plan->final_div_factor);
    if (step < plan->rising) {
        const double t = (double)step / (double)plan->rising;
        return (bl_schedule_value){between(start, plan->peak, t), momentum(plan, true, t)};
    }
    const double t = bl_schedule_fallen(plan, step);
    return (bl_schedule_value){between(plan->peak, end, t), momentum(plan, false, t)};
}

const bl_schedule bl_schedule_one_cycle = {.name = "one_cycle", .at = at};
