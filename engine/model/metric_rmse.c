/* Root mean square error on the scale of the data set's transform: in the target's own unit where
 * that is "none", of logarithms where it is "log". */
#include "engine/model/metric.h"
#include "kernels/shared/exact_math.h"

static double term(double y, double target) {
    const double e = y - target;
    return e * e;
}

static double finish(double sum, double count) {
    return bl_sqrt64(sum / count);
}

const bl_metric bl_metric_rmse = {.name = "rmse", .of_number = term, .finish = finish};
