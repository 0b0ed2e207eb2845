/* Embeddings. Column descriptors travel with the call: the caller's lie on the host. */
#include "kernels/cuda/launch.h"

namespace {

enum { COLUMNS = 64 }; /* of one call; more take more calls */

struct columns {
    bl_embedding_column column[COLUMNS];
    size_t first, count; /* of the batch's columns */
};

__global__ void forward(bl_embedding_forward a, columns cs) {
    const size_t i = bl_thread(), b = i / cs.count, c = i % cs.count;
    if (b >= a.batch) return;
    const bl_embedding_column *col = &cs.column[c];
    const float *from = a.table + col->base + a.codes[b * a.columns + cs.first + c] * col->width;
    float *to = a.y + b * a.y_stride + col->offset;
    for (size_t d = 0; d < col->width; d++) to[d] = from[d];
}

/* A block for each row of each column's table: it looks through the batch's codes, 256 at a time,
 * and its threads add up what belongs to the row, one feature each. */
__global__ void backward(bl_embedding_backward a, columns cs) {
    __shared__ uint16_t code[BL_BLOCK];
    size_t row = blockIdx.x, c = 0;
    while (row >= cs.column[c].rows) row -= cs.column[c++].rows;
    const bl_embedding_column *col = &cs.column[c];
    for (size_t d0 = 0; d0 < col->width; d0 += blockDim.x) {
        const size_t d = d0 + threadIdx.x;
        bl_ref_tree tree;
        tree.blocks = 0;
        for (size_t begin = 0; begin < a.batch; begin += BL_BLOCK) {
            const size_t n = bl_ref_block_end(begin, a.batch) - begin;
            __syncthreads();
            for (size_t i = threadIdx.x; i < n; i += blockDim.x)
                code[i] = a.codes[(begin + i) * a.columns + cs.first + c];
            __syncthreads();
            float acc = 0;
            for (size_t i = 0; i < n; i++)
                if (code[i] == row && d < col->width)
                    acc = acc + a.dy[(begin + i) * a.dy_stride + col->offset + d];
            bl_ref_tree_push(&tree, acc);
        }
        if (d < col->width) a.dtable[col->base + row * col->width + d] = bl_ref_tree_sum(&tree);
    }
}

columns some_columns(const bl_embedding_column *column, size_t first, size_t all) {
    columns cs = {};
    cs.first = first;
    cs.count = all - first < COLUMNS ? all - first : (size_t)COLUMNS;
    for (size_t c = 0; c < cs.count; c++) cs.column[c] = column[first + c];
    return cs;
}

} // namespace

void bl_embedding_forward_cuda(const bl_embedding_forward *args, const bl_part *part) {
    const bl_embedding_forward a = *args;
    for (size_t first = 0; first < a.columns; first += COLUMNS) {
        const columns cs = some_columns(a.column, first, a.columns);
        if (a.batch > 0)
            BL_LAUNCH(forward, bl_blocks(a.batch * cs.count), BL_CUDA_THREADS, bl_queue_of(part), a,
                      cs);
    }
}

void bl_embedding_backward_cuda(const bl_embedding_backward *args, const bl_part *part) {
    const bl_embedding_backward a = *args;
    for (size_t first = 0; first < a.columns; first += COLUMNS) {
        const columns cs = some_columns(a.column, first, a.columns);
        size_t rows = 0;
        for (size_t c = 0; c < cs.count; c++) rows += cs.column[c].rows;
        if (rows > 0) BL_LAUNCH_TOGETHER(backward, (unsigned)rows, 64, bl_queue_of(part), a, cs);
    }
}
