/* A step's ends: the batch is put together from the data set on the device, the loss is checked,
 * the weights are updated. Nothing here waits for the host, so that recorded steps follow each
 * other: what differs from step to step lies on the device, in bl_device_progress (position in the
 * stream of examples, number of the step) and in the array of the steps' numbers. A recorded step
 * therefore is the same graph every time.
 *
 * Order of a step: gather, forward and backward passes, check_loss, update. check_loss moves on to
 * the next step's numbers, so that update finds those of its own step before them. A loss that is
 * not finite sets `stopped`; from there on check_loss and update change nothing, so that the host,
 * which looks at losses a chunk later, finds the run as it was at that step. */
#include "kernels/cuda/launch.h"
#include "kernels/shared/average.h"
#include "kernels/shared/permutation.h"
#include "kernels/shared/shift.h"
#include "updates_list.h"

namespace {

/* The row of the data set that example i of the batch is: evaluation takes rows evenly spaced,
 * training the permutation. */
__device__ uint64_t row_of(const bl_device_gather &a, size_t i) {
    const uint64_t position = a.position + (a.from ? *a.from : 0) + i;
    if (a.eval_rows > 0) return a.eval_first + position * a.eval_available / a.eval_rows;
    return bl_permutation_row(a.seed, a.train_rows, position);
}

/* What stands at (y, x, c) of the example's picture after it was moved. */
__device__ float pixel(const bl_device_gather &a, const uint8_t *from, const bl_shift &shift,
                       int64_t y, int64_t x, size_t c) {
    const int64_t height = (int64_t)a.height, width = (int64_t)a.width;
    const int64_t row = y + shift.dy,
                  column = shift.mirrored ? width - 1 - x - shift.dx : x + shift.dx;
    if (row < 0 || row >= height || column < 0 || column >= width) return 0.0f;
    const uint8_t p = from[((size_t)row * a.width + (size_t)column) * a.channels + c];
    return ((float)p - a.pixel_mean[c]) * a.pixel_scale[c];
}

/* A block for each example. */
__global__ void gather(bl_device_gather a) {
    const size_t i = blockIdx.x;
    const uint64_t row = row_of(a, i);
    if (threadIdx.x == 0) a.target[i] = a.all_target[row];
    for (size_t c = threadIdx.x; c < a.categorical; c += blockDim.x)
        a.codes[i * a.categorical + c] = a.all_codes[row * a.categorical + c];
    if (!a.all_pixels) {
        for (size_t c = threadIdx.x; c < a.continuous; c += blockDim.x)
            a.values[i * a.continuous + c] = a.all_values[row * a.continuous + c];
        return;
    }
    const bl_augment augment = {a.seed, a.crop, a.flip};
    const uint64_t position = a.position + (a.from ? *a.from : 0) + i;
    bl_shift shift = {0, 0, false};
    if (a.eval_rows == 0 && (a.crop > 0 || a.flip)) shift = bl_shift_of(&augment, position);
    for (size_t e = threadIdx.x; e < a.continuous; e += blockDim.x) {
        const size_t c = e % a.channels, x = e / a.channels % a.width, y = e / a.channels / a.width;
        a.values[i * a.continuous + e] =
            pixel(a, a.all_pixels + row * a.continuous, shift, (int64_t)y, (int64_t)x, c);
    }
}

/* Gradient and loss of one more piece of the batch: left + right, as rule B's tree adds
 * neighbours. */
__global__ void add_left(float *gradient, const float *left, size_t count, double *sum,
                         const double *left_sum) {
    const size_t i = bl_thread();
    if (i < count) gradient[i] = left[i] + gradient[i];
    if (i == 0) *sum = *left_sum + *sum;
}

/* One block, so that all of it sees `stopped` before the loss may set it. */
__global__ void check_loss(bl_device_check a) {
    const bool go_on = !a.progress->stopped;
    for (size_t i = threadIdx.x; go_on && i < a.count; i += blockDim.x)
        a.snapshot[i] = a.running[i];
    __syncthreads();
    if (threadIdx.x > 0) return;
    const double loss = *a.sum / (double)a.total;
    a.losses[a.progress->index] = loss;
    if (!(loss - loss == 0.0)) a.progress->stopped = 1; /* infinite or NaN */
    a.progress->position += a.total;
    a.progress->index++;
}

enum { EACH = 4 };       /* parameters a thread */
enum { CHECKING = 512 }; /* threads that copy running statistics */

/* EACH running statistics from `begin` on move their average. */
__device__ void average_running(const bl_device_update &a, size_t begin, float weight) {
    for (size_t e = begin; e < begin + EACH && e < a.runnings; e++)
        a.average_running[e] = bl_power_average_of(a.average_running[e], a.running[e], weight);
}

/* Threads of an update: EACH parameters each, behind them EACH running statistics each where they
 * have an average. */
size_t update_threads(const bl_device_update &a) {
    return (a.count + EACH - 1) / EACH + (a.average ? (a.runnings + EACH - 1) / EACH : 0);
}

/* One kernel an optimizer. The step's numbers lie on the device, and not its pointers. */
#define UPDATE(name)                                                                               \
    __global__ void name##_update(bl_device_update a) {                                            \
        const size_t begin = bl_thread() * EACH;                                                   \
        const size_t parameters = (a.count + EACH - 1) / EACH * EACH;                              \
        if (a.progress->stopped) return;                                                           \
        const bl_update_step *step = &a.steps[a.progress->index - 1];                              \
        const float weight = (float)step->average;                                                 \
        if (begin >= parameters && a.average) average_running(a, begin - parameters, weight);      \
        if (begin >= a.count) return;                                                              \
        const bl_update_numbers n = bl_update_numbers_of(step);                                    \
        const size_t end = begin + EACH < a.count ? begin + EACH : a.count;                        \
        for (size_t e = begin; e < end; e++) {                                                     \
            const float p =                                                                        \
                bl_update_##name(&n, a.param[e], bl_flush_tiny(a.grad[e]),                         \
                                 bl_update_##name##_states > 0 ? &a.state[0][e] : nullptr,         \
                                 bl_update_##name##_states > 1 ? &a.state[1][e] : nullptr);        \
            a.param[e] = p;                                                                        \
            if (a.average) a.average[e] = bl_power_average_of(a.average[e], p, weight);            \
        }                                                                                          \
    }                                                                                              \
    void launch_##name(bl_queue *queue, const bl_device_update &a) {                               \
        BL_LAUNCH(name##_update, bl_blocks(update_threads(a)), BL_CUDA_THREADS, queue, a);         \
    }
BL_UPDATES(UPDATE)

const struct {
    const char *name;
    void (*launch)(bl_queue *queue, const bl_device_update &a);
} optimizers[] = {
#define ROW(name) {#name, launch_##name},
    BL_UPDATES(ROW)
#undef ROW
};

} // namespace

void bl_cuda_gather(bl_queue *queue, const bl_device_gather *args) {
    const bl_device_gather a = *args;
    bl_cuda_use(queue->device);
    if (a.count > 0) BL_LAUNCH(gather, (unsigned)a.count, 64, queue, a);
}

void bl_cuda_merge(bl_queue *queue, float *gradient, const float *left, size_t count, double *sum,
                   const double *left_sum) {
    bl_cuda_use(queue->device);
    BL_LAUNCH(add_left, bl_blocks(count > 0 ? count : 1), BL_CUDA_THREADS, queue, gradient, left,
              count, sum, left_sum);
}

void bl_cuda_check_loss(bl_queue *queue, const bl_device_check *args) {
    const bl_device_check a = *args;
    bl_cuda_use(queue->device);
    BL_LAUNCH_TOGETHER(check_loss, 1, CHECKING, queue, a);
}

void bl_cuda_update(bl_queue *queue, const bl_device_update *args) {
    const bl_device_update a = *args;
    bl_cuda_use(queue->device);
    for (size_t i = 0; i < sizeof optimizers / sizeof optimizers[0]; i++)
        if (strcmp(optimizers[i].name, a.optimizer) == 0 && a.count > 0)
            optimizers[i].launch(queue, a);
}
