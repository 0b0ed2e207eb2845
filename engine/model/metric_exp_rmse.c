/* Root mean square error, in the target's own unit, of numbers whose logarithms are learnt:
 * sqrt(mean((e^target - e^y)^2)). */
#include "engine/model/metric.h"
#include "kernels/shared/exact_math.h"

static double term(double y, double target) {
    const double e = bl_exp64(y) - bl_exp64(target);
    return e * e;
}

static double finish(double sum, double count) {
    return bl_sqrt64(sum / count);
}

const bl_metric bl_metric_exp_rmse = {
    .name = "exp_rmse", .needs_log_target = true, .of_number = term, .finish = finish};
