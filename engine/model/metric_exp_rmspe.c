/* Root mean square percentage error of the numbers whose logarithms are compared:
 * sqrt(mean(((e^target - e^y) / e^target)^2)), the measure of the Rossmann competition. */
#include "engine/model/metric.h"
#include "kernels/shared/exact_math.h"

static double term(const float *y, size_t width, double target) {
    (void)width;
    const double e = 1.0 - bl_exp64((double)y[0] - target);
    return e * e;
}

static double finish(double sum, double count) {
    return bl_sqrt64(sum / count);
}

const bl_metric bl_metric_exp_rmspe = {
    .name = "exp_rmspe", .needs_log_target = true, .term = term, .finish = finish};
