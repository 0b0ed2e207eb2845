/* Group norm: every channel's chain over an example's positions side by side, then a group's sum
 * over its channels, one thread a group of an example; then every element. The workspace holds
 *
 *     forward    each (batch, n)
 *     input      s, t (batch, n); their means (batch, groups), twice
 *     weights    s, t (batch, n); the sums of blocks (blocks, n), twice
 *
 * and a call that does not fit runs the reference's text instead (reference.cu), slower, with the
 * same bits. */
#include "kernels/cuda/image.h"

namespace {

/* Where element i of a (batch, n) array lies; false past its end. */
struct channel {
    size_t b, j, group; /* group: of mean and rstd */
    template <class Args> __device__ bool at(const Args &a, size_t i) {
        b = i / a.n;
        j = i % a.n;
        group = b * a.groups + j / (a.n / a.groups);
        return b < a.batch;
    }
};

enum forward_sum { OF_X, OF_SQUARES };

/* each (batch, n): a channel's chain over the positions, of x or of its squared distance from the
 * mean. */
template <forward_sum OF>
BL_CHAIN_KERNEL forward_chains(bl_groupnorm_forward a, float *__restrict__ each) {
    const size_t i = bl_thread();
    channel c;
    if (!c.at(a, i)) return;
    const float *x = a.x + c.b * a.positions * a.n + c.j;
    const float mean = OF == OF_SQUARES ? a.mean[c.group] : 0.0f;
    each[i] = OF == OF_X ? bl_chain_sum(0, x, a.n, 0, a.positions)
                         : bl_chain(
                               0.0f, 0, a.positions, [=](size_t p) { return x[p * a.n] - mean; },
                               [](float acc, float d) { return fmaf(d, d, acc); });
}

/* Rule F over a group's channels: chains of acc + s, or of fmaf(gamma, s, acc). */
__device__ float channels_sum(const float *s, const float *gamma, size_t size) {
    float sum = 0;
    for (size_t begin = 0; begin < size; begin += BL_BLOCK) {
        const size_t end = bl_ref_block_end(begin, size);
        const float acc = gamma ? bl_chain_products(0, gamma, s, 1, begin, end)
                                : bl_chain_sum(0, s, 1, begin, end);
        sum = sum + acc;
    }
    return sum;
}

/* The same over group i of all examples' groups, divided by what it counts. */
template <class Args>
__device__ float group_mean(const Args &a, const float *each, const float *gamma, size_t i) {
    const size_t size = a.n / a.groups, first = i % a.groups * size;
    const float *s = each + i / a.groups * a.n + first;
    return channels_sum(s, gamma ? gamma + first : nullptr, size) / (float)(a.positions * size);
}

BL_CHAIN_KERNEL finish_means(bl_groupnorm_forward a, const float *each) {
    const size_t i = bl_thread();
    if (i < a.batch * a.groups) a.mean[i] = group_mean(a, each, nullptr, i);
}

BL_CHAIN_KERNEL finish_variances(bl_groupnorm_forward a, const float *each) {
    const size_t i = bl_thread();
    if (i < a.batch * a.groups) a.rstd[i] = 1.0f / sqrtf(group_mean(a, each, nullptr, i) + a.eps);
}

/* The channel of feature i of (batch, positions, n). */
template <class Args> __device__ bool feature(const Args &a, size_t i, channel *c) {
    return c->at(a, i / a.n / a.positions * a.n + i % a.n);
}

__global__ void normalise(bl_groupnorm_forward a) {
    const size_t i = bl_thread();
    channel c;
    if (feature(a, i, &c))
        a.y[i] = fmaf((a.x[i] - a.mean[c.group]) * a.rstd[c.group], a.gamma[c.j], a.beta[c.j]);
}

/* s, t (batch, n): S and T of the contract. */
template <class Args>
BL_CHAIN_KERNEL backward_chains(Args a, float *__restrict__ s, float *__restrict__ t) {
    const size_t i = bl_thread();
    channel c;
    if (!c.at(a, i)) return;
    const size_t first = c.b * a.positions * a.n + c.j;
    const bl_norm_sums sums = bl_norm_chains(a.x + first, a.dy + first, a.n, a.positions,
                                             a.mean[c.group], a.rstd[c.group]);
    s[i] = sums.dy;
    t[i] = sums.dy_xhat;
}

/* mean_s, mean_t (batch, groups): s and t of the contract. */
BL_CHAIN_KERNEL finish_groups(bl_groupnorm_backward_input a, const float *s, const float *t,
                              float *mean_s, float *mean_t) {
    const size_t i = bl_thread();
    if (i >= a.batch * a.groups) return;
    mean_s[i] = group_mean(a, s, a.gamma, i);
    mean_t[i] = group_mean(a, t, a.gamma, i);
}

__global__ void backward(bl_groupnorm_backward_input a, const float *mean_s, const float *mean_t) {
    const size_t i = bl_thread();
    channel c;
    if (!feature(a, i, &c)) return;
    const float rstd = a.rstd[c.group], xhat = (a.x[i] - a.mean[c.group]) * rstd;
    a.dx[i] = rstd * ((a.dy[i] * a.gamma[c.j] - mean_s[c.group]) - xhat * mean_t[c.group]);
}

/* The examples' terms of a rule-B sum. */
struct terms {
    const float *each;
    size_t n;
    __device__ float at(size_t b, size_t j) const { return each[b * n + j]; }
    __device__ float add(float acc, float term) const { return acc + term; }
};

__global__ void finish_weights(bl_groupnorm_backward_weight a, const float *betas,
                               const float *gammas, size_t blocks) {
    const size_t j = bl_thread();
    if (j >= a.n) return;
    a.dbeta[j] = bl_colsum_tree(betas, blocks, a.n, j);
    a.dgamma[j] = bl_colsum_tree(gammas, blocks, a.n, j);
}

bool fits(size_t floats) {
    return floats <= bl_workspace_floats();
}

} // namespace

void bl_groupnorm_forward_cuda(const bl_groupnorm_forward *args, const bl_part *part) {
    const bl_groupnorm_forward a = *args;
    bl_queue *queue = bl_queue_of(part);
    float *each = (float *)queue->workspace;
    const unsigned chains = bl_blocks(a.batch * a.n), groups = bl_blocks(a.batch * a.groups);
    if (a.batch * a.n == 0) return;
    if (!fits(a.batch * a.n)) {
        bl_groupnorm_forward_reference(args, part);
        return;
    }
    BL_LAUNCH(forward_chains<OF_X>, chains, BL_CUDA_THREADS, queue, a, each);
    BL_LAUNCH(finish_means, groups, BL_CUDA_THREADS, queue, a, each);
    BL_LAUNCH(forward_chains<OF_SQUARES>, chains, BL_CUDA_THREADS, queue, a, each);
    BL_LAUNCH(finish_variances, groups, BL_CUDA_THREADS, queue, a, each);
    if (a.positions > 0)
        BL_LAUNCH(normalise, bl_blocks(a.batch * a.positions * a.n), BL_CUDA_THREADS, queue, a);
}

void bl_groupnorm_backward_input_cuda(const bl_groupnorm_backward_input *args,
                                      const bl_part *part) {
    const bl_groupnorm_backward_input a = *args;
    bl_queue *queue = bl_queue_of(part);
    const size_t channels = a.batch * a.n, groups = a.batch * a.groups;
    float *s = (float *)queue->workspace, *t = s + channels;
    float *mean_s = t + channels, *mean_t = mean_s + groups;
    if (channels * a.positions == 0) return;
    if (!fits(2 * (channels + groups))) {
        bl_groupnorm_backward_input_reference(args, part);
        return;
    }
    BL_LAUNCH(backward_chains, bl_blocks(channels), BL_CUDA_THREADS, queue, a, s, t);
    BL_LAUNCH(finish_groups, bl_blocks(groups), BL_CUDA_THREADS, queue, a, s, t, mean_s, mean_t);
    BL_LAUNCH(backward, bl_blocks(channels * a.positions), BL_CUDA_THREADS, queue, a, mean_s,
              mean_t);
}

void bl_groupnorm_backward_weight_cuda(const bl_groupnorm_backward_weight *args,
                                       const bl_part *part) {
    const bl_groupnorm_backward_weight a = *args;
    bl_queue *queue = bl_queue_of(part);
    const size_t channels = a.batch * a.n, blocks = bl_batch_blocks(a.batch);
    float *s = (float *)queue->workspace, *t = s + channels;
    float *betas = t + channels, *gammas = betas + blocks * a.n;
    if (a.n == 0) return;
    if (!fits(2 * (channels + blocks * a.n)) || blocks > 65535) {
        bl_groupnorm_backward_weight_reference(args, part);
        return;
    }
    if (channels > 0)
        BL_LAUNCH(backward_chains, bl_blocks(channels), BL_CUDA_THREADS, queue, a, s, t);
    bl_launch_columns(terms{s, a.n}, betas, a.batch, a.n, queue);
    bl_launch_columns(terms{t, a.n}, gammas, a.batch, a.n, queue);
    BL_LAUNCH(finish_weights, bl_blocks(a.n), BL_CUDA_THREADS, queue, a, betas, gammas, blocks);
}
