/* Root mean square percentage error of the numbers whose logarithms are compared:
 * sqrt(mean(((e^target - e^y) / e^target)^2)), the measure of the Rossmann competition. */
#include "engine/model/metric.h"
#include "kernels/shared/exact_math.h"

static double term(double y, double target) {
    const double e = 1.0 - bl_exp64(y - target);
    return e * e;
}

static double finish(double sum, double count) {
    return bl_sqrt64(sum / count);
}

const bl_metric bl_metric_exp_rmspe = {
    .name = "exp_rmspe", .needs_log_target = true, .of_number = term, .finish = finish};
