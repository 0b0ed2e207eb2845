/* Root mean square error on the scale the net predicts. */
#include "engine/model/metric.h"
#include "kernels/exact_math.h"

static double term(double y, double target) {
    const double e = y - target;
    return e * e;
}

static double finish(double sum, double count) {
    return bl_sqrt64(sum / count);
}

const bl_metric bl_metric_rmse = {.name = "rmse", .term = term, .finish = finish};
