/* Mean of -log of the probability that softmax gives to the example's class, in nats; never with
 * label smoothing. */
#include "engine/model/metric.h"
#include "kernels/shared/exact_math.h"

static double term(const float *y, size_t width, double target) {
    double largest = (double)y[0], sum = 0.0;
    for (size_t j = 1; j < width; j++)
        if ((double)y[j] > largest) largest = (double)y[j];
    for (size_t j = 0; j < width; j++) sum = sum + bl_exp64((double)y[j] - largest);
    return bl_log64(sum) - ((double)y[(size_t)target] - largest);
}

static double finish(double sum, double count) {
    return sum / count;
}

const bl_metric bl_metric_cross_entropy = {
    .name = "cross_entropy", .classes = true, .of_class = term, .finish = finish};
