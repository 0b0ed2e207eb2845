#include "engine/optim/schedule.h"
#include "kernels/shared/exact_math.h"

/* The horizon is in steps of this batch size, rounded, at least 1; of these the first `warmup`
 * share is rising. */
bl_status bl_schedule_resolve(bl_schedule_plan *plan, const bl_config *config, int64_t epoch_rows,
                              bl_err *err) {
    const double epochs = config->schedule.horizon_epochs;
    *plan = (bl_schedule_plan){.schedule = bl_schedule_find(config->schedule.name),
                               .peak = config->train.learning_rate,
                               .div_factor = config->schedule.div_factor,
                               .final_div_factor = config->schedule.final_div_factor,
                               .cycle_momentum = config->schedule.cycle_momentum,
                               .momentum_low = config->schedule.momentum_low,
                               .momentum_high = config->schedule.momentum_high};
    if (plan->schedule == NULL)
        BL_FAIL(err, BL_EINVAL, "schedule.name: there is no schedule \"%s\"",
                config->schedule.name);
    if (plan->schedule == &bl_schedule_constant) return BL_OK;
    const double steps =
        epochs * (double)epoch_rows / (double)config->train.batch_size + 0.5; /* rounds */
    if (!(epochs > 0.0 && steps < 0x1p+62))
        BL_FAIL(err, BL_EINVAL,
                "schedule.horizon_epochs is %g; schedule \"%s\" needs a length above 0", epochs,
                config->schedule.name);
    plan->horizon = steps < 1.0 ? 1 : (int64_t)steps;
    plan->rising = (int64_t)((double)plan->horizon * config->schedule.warmup);
    return BL_OK;
}

bl_schedule_value bl_schedule_at(const bl_schedule_plan *plan, int64_t step) {
    const int64_t last = plan->horizon - 1;
    return plan->schedule->at(plan, plan->horizon > 0 && step > last ? last : step);
}

/* (1 + cos(pi t)) / 2 = sin^2(pi (1 - t) / 2): no difference of near numbers where it is small. */
double bl_half_cosine(double t) {
    const double s = (double)bl_sin_turn((float)(0.25 * (1.0 - t)));
    return s * s;
}

double bl_schedule_fallen(const bl_schedule_plan *plan, int64_t step) {
    return (double)(step - plan->rising) / (double)(plan->horizon - plan->rising);
}
