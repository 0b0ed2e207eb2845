/* Pooling: one thread an output, or a position that gets a gradient. */
#include "kernels/cuda/launch.h"
#include "kernels/ref/pool2d.c"

namespace {

/* Element i of a (batch, height, width, channels) array; false past its end. */
struct place {
    size_t b, row, column, c;
    __device__ bool at(size_t i, size_t batch, size_t height, size_t width, size_t channels) {
        c = i % channels;
        column = i / channels % width;
        row = i / channels / width % height;
        b = i / channels / width / height;
        return b < batch;
    }
};

__global__ void max_forward(bl_max_pool_forward a) {
    const bl_pool2d p = a.pool;
    const size_t i = bl_thread();
    place o;
    if (o.at(i, p.batch, p.out_height, p.out_width, p.channels))
        largest(&a, o.b, o.row, o.column, o.c, i);
}

__global__ void avg_forward(bl_avg_pool_forward a) {
    const bl_pool2d p = a.pool;
    const size_t i = bl_thread();
    place o;
    if (o.at(i, p.batch, p.out_height, p.out_width, p.channels))
        a.y[i] = mean(&a, o.b, o.row, o.column, o.c);
}

/* The first window that reaches position i, and the end of those that begin at it or before.
 * Size 3, stride 2: windows begin at 0, 2, 4, ..., so position 4 is in windows 1 and 2. */
__device__ size_t first_window(const bl_pool2d &p, size_t i) {
    return i < p.size ? 0 : (i - p.size) / p.stride + 1;
}
__device__ size_t end_of_windows(const bl_pool2d &p, size_t i, size_t windows) {
    return i / p.stride + 1 < windows ? i / p.stride + 1 : windows;
}

/* As gather() of the reference, which looks at every window; those that do not reach x add
 * nothing there either. `index`: of a maximum, the place in the window that it came from; NULL
 * for a mean. */
__device__ float gather_near(const bl_pool2d &p, const float *dy, const float *index,
                             const place &x) {
    const size_t end_y = end_of_windows(p, x.row, p.out_height),
                 end_x = end_of_windows(p, x.column, p.out_width);
    float acc = 0;
    for (size_t oy = first_window(p, x.row); oy < end_y; oy++)
        for (size_t ox = first_window(p, x.column); ox < end_x; ox++) {
            const size_t t = (x.row - oy * p.stride) * p.size + (x.column - ox * p.stride);
            const size_t at = ((x.b * p.out_height + oy) * p.out_width + ox) * p.channels + x.c;
            if (!index || index[at] == (float)t) acc = acc + dy[at];
        }
    return acc;
}

__global__ void max_backward(bl_max_pool_backward a) {
    const bl_pool2d p = a.pool;
    const size_t i = bl_thread();
    place x;
    if (x.at(i, p.batch, p.height, p.width, p.channels)) a.dx[i] = gather_near(p, a.dy, a.index, x);
}

__global__ void avg_backward(bl_avg_pool_backward a) {
    const bl_pool2d p = a.pool;
    const size_t i = bl_thread();
    place x;
    if (x.at(i, p.batch, p.height, p.width, p.channels))
        a.dx[i] = gather_near(p, a.dy, nullptr, x) / (float)(p.size * p.size);
}

size_t outputs(const bl_pool2d &p) {
    return p.batch * p.out_height * p.out_width * p.channels;
}
size_t inputs(const bl_pool2d &p) {
    return p.batch * p.height * p.width * p.channels;
}

} // namespace

#define DEFINE(family, kernel, threads)                                                            \
    void bl_##family##_cuda(const bl_##family *args, const bl_part *part) {                        \
        const bl_##family a = *args;                                                               \
        const size_t count = threads(a.pool);                                                      \
        if (count > 0) BL_LAUNCH(kernel, bl_blocks(count), BL_CUDA_THREADS, bl_queue_of(part), a); \
    }
DEFINE(max_pool_forward, max_forward, outputs)
DEFINE(max_pool_backward, max_backward, inputs)
DEFINE(avg_pool_forward, avg_forward, outputs)
DEFINE(avg_pool_backward, avg_backward, inputs)
