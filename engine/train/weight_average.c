/* The average of a run's weights that evaluations look at when eval.average is "power".
 *
 *     average_t = average_(t-1) + (1 - (1 - 1/t)^(gamma + 1)) (weights_t - average_(t-1))
 *
 * after step t = 1, 2, ... That is the mean of all steps' weights in which step i counts in
 * proportion to i^gamma, nearly (Karras et al. 2024, arXiv 2312.02696, section 3.1). The profile is
 * the same share of the run at every t. So neither batch size nor the length of the run enters, and
 * a prefix of a run is what a shorter run would be.
 *
 * A user names the profile's width, its standard deviation over t:
 *
 *     sigma(gamma) = sqrt(gamma + 1) / ((gamma + 2) sqrt(gamma + 3))
 *
 * for example 0.1 for gamma = 6.94, 0.05 for 16.97. It falls from 0.2886... at gamma = 0, where all
 * steps count equally.
 *
 * Averaged are all weights and, in the same way, the running statistics of batch norm. Both are the
 * state of a run: they are in its checkpoints and in the digest of its parameters. The average of
 * weights is moved in step.c, in the update's pass over them. On a device the update does it. */
#include "engine/train/workload.h"
#include "kernels/part.h"
#include "kernels/shared/exact_math.h"

static double width_of(double gamma) {
    return bl_sqrt64(gamma + 1.0) / ((gamma + 2.0) * bl_sqrt64(gamma + 3.0));
}

/* By bisection: sigma falls with gamma, and sigma(gamma) < 1 / gamma. */
double bl_train_average_power(double width) {
    double low = 0.0, high = 1.0 / width;
    for (double middle = 0.5 * high; low < middle && middle < high;
         middle = low + 0.5 * (high - low))
        *(width_of(middle) > width ? &low : &high) = middle;
    return high + 1.0;
}

double bl_train_average_share(double power, int64_t step) {
    return 1.0 - bl_exp64(power * bl_log64(1.0 - 1.0 / (double)step));
}

void bl_train_average_memory(bl_train *train, bl_net_layout *layout) {
    if (train->average_power == 0.0) return;
    train->average = bl_net_layout_take(layout, train->net.weights, sizeof(float));
    train->average_running = bl_net_layout_take(layout, train->net.runnings, sizeof(float));
}

typedef struct average_job {
    const bl_kernels *kernels;
    bl_power_average args;
} average_job;

static void average_part(void *ctx, size_t p, size_t parts) {
    const average_job *job = ctx;
    const bl_part part = {.part = p, .parts = parts};
    job->kernels->power_average(&job->args, &part);
}

void bl_train_average_running(bl_train *train, double share) {
    average_job job = {
        train->kernels,
        {train->average_running, train->net.running, train->net.runnings, (float)share}
    };
    if (train->average != NULL && train->net.runnings > 0)
        bl_pool_run(train->pool, average_part, &job);
}

void bl_train_average_aim(bl_train *train) {
    if (train->average != NULL) bl_net_aim(&train->net, train->average, train->average_running);
}

void bl_train_average_aim_back(bl_train *train) {
    if (train->average != NULL) bl_net_aim(&train->net, train->net.weight, train->net.running);
}
