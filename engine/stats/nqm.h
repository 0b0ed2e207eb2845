/* The noisy quadratic model (Zhang et al. 2019, arXiv 1907.04164): d coordinates of curvature h_i
 * and loss 1/2 sum_i h_i theta_i^2; a gradient over B examples is h_i theta_i plus noise of
 * variance c_i / B. Here h_i = 1/i, c_i = noise h_i, theta_i^2 = start at step 0. Its expected loss
 * is known exactly, so that steps to a target at the best learning rate are a known answer for a
 * sweep.
 *
 * This is the second opinion on the workload engine/train/workload_quadratic.c, which carries the
 * second moments of parameter and velocity from step to step. Here they are not formed: a
 * coordinate is the sum of its undisturbed course and the response to each step's noise, both
 * solutions of theta_(t+1) = (1 + mu - eps a h) theta_t - (mu + eps b h) theta_(t-1) - eps (a n_t +
 * b n_(t-1)) with a = 1, b = 0 for SGD (mu = 0) and momentum, a = 1 + mu, b = -mu for Nesterov, so
 *   E[theta_t^2] = start m_t^2 + (c / B) sum_k g_k^2. */
#ifndef BL_ENGINE_STATS_NQM_H
#define BL_ENGINE_STATS_NQM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BL_NQM_DIMENSIONS = 1024 }; /* at most */

typedef struct bl_nqm {
    size_t dimensions;
    double noise, start;
    double momentum; /* 0: SGD */
    bool nesterov;
} bl_nqm;

/* The first step after which the expected loss is at or below the target, every step looked at; 0
 * when that takes more than `most` or the run diverges. */
int64_t bl_nqm_steps(const bl_nqm *model, double batch_size, double rate, double target,
                     int64_t most);

typedef struct bl_nqm_best {
    int64_t steps; /* 0: no rate reaches the target within `most` */
    double rate;   /* the lowest that takes so few steps */
} bl_nqm_best;

/* The fewest steps over all learning rates from 2^-20 to 2^4, searched to a 64th of a doubling. */
bl_nqm_best bl_nqm_best_rate(const bl_nqm *model, double batch_size, double target, int64_t most);
#endif
