/* Shortcuts that are strided and filled up with zeros: one thread a number that is written. */
#include "kernels/cuda/launch.h"

namespace {

/* Thread i writes element i of y; the other way, element i of dx. So no two threads write one
 * place. */
__global__ void forward(bl_pad_channels_forward a) {
    const bl_pad_channels p = a.pad;
    const size_t i = bl_thread(), c = i % p.out_channels, at = i / p.out_channels;
    const size_t ox = at % p.out_width, oy = at / p.out_width % p.out_height;
    const size_t b = at / p.out_width / p.out_height;
    if (b >= p.batch) return;
    const size_t from = (b * p.height + oy * p.stride) * p.width + ox * p.stride;
    a.y[i] = c < p.channels ? a.x[from * p.channels + c] : 0.0f;
}

__global__ void backward(bl_pad_channels_backward a) {
    const bl_pad_channels p = a.pad;
    const size_t i = bl_thread(), c = i % p.channels, at = i / p.channels;
    const size_t ix = at % p.width, iy = at / p.width % p.height, b = at / p.width / p.height;
    if (b >= p.batch) return;
    const size_t row = b * p.out_height + iy / p.stride;
    const size_t to = (row * p.out_width + ix / p.stride) * p.out_channels + c;
    a.dx[i] = iy % p.stride == 0 && ix % p.stride == 0 ? a.dy[to] : 0.0f;
}

} // namespace

void bl_pad_channels_forward_cuda(const bl_pad_channels_forward *args, const bl_part *part) {
    const bl_pad_channels_forward a = *args;
    const bl_pad_channels p = a.pad;
    const size_t count = p.batch * p.out_height * p.out_width * p.out_channels;
    if (count > 0) BL_LAUNCH(forward, bl_blocks(count), BL_CUDA_THREADS, bl_queue_of(part), a);
}

void bl_pad_channels_backward_cuda(const bl_pad_channels_backward *args, const bl_part *part) {
    const bl_pad_channels_backward a = *args;
    const bl_pad_channels p = a.pad;
    const size_t count = p.batch * p.height * p.width * p.channels;
    if (count > 0) BL_LAUNCH(backward, bl_blocks(count), BL_CUDA_THREADS, bl_queue_of(part), a);
}
