/* A host for planner tests whose runs are a closed form:
 *     S(B, lr) = s_min (1 + b_crit / B) 2^(curvature d^2) n(seed),   d = log2(lr / lr_opt(B)),
 * times 2^(decay_curvature e^2), e = log2(weight_decay / decay_opt), with weight decay;
 * where lr_opt(B) = lr_opt sqrt(B / 64) and n(seed) scatters by +-`noise`. The metric falls as
 * target sqrt(S / step); runs with d > diverge_above leave the finite numbers at once. Keeps every
 * trial and decision as text. */
#ifndef BL_TESTS_UNIT_FAKE_HOST_H
#define BL_TESTS_UNIT_FAKE_HOST_H
#include "engine/base/buf.h"
#include "engine/lua/planner.h"

typedef struct fake_host {
    double s_min, b_crit, lr_opt, curvature, noise, target, diverge_above;
    double decay_opt, decay_curvature;
    int64_t memory_above; /* batch sizes above do not fit; 0: all do */
    bool backwards;       /* computes the trials of a round in reverse order */
    bl_status fail;       /* returned by every round */
    double busy;          /* seconds of processor time that a round takes */
    bl_buf text;          /* "R title" "T batch lr seed max_steps outcome steps" "D json" */
    size_t rounds, trials, decisions;
    int64_t steps; /* new ones: a run that is asked for twice is continued */
    struct {
        int64_t batch_size, seed, steps;
        double learning_rate, weight_decay;
    } done[4096];
    size_t done_count;
} fake_host;

/* Steps to target, before rounding up to an evaluation. */
double fake_steps(const fake_host *fake, double batch_size, double learning_rate, int64_t seed);
bl_planner_host fake_host_of(fake_host *fake);
/* A small experiment: batch sizes 32 to 1024, target 0.2, 100000 epoch rows with fake_facts. */
void fake_config(bl_config *config, const char *const *sets, size_t n_sets);
extern const bl_planner_facts fake_facts;
/* Runs a script given as text against the fake. */
bl_status fake_plan(const char *script, const bl_config *config, fake_host *fake,
                    const bl_planner_limits *limits, bl_err *err);
#endif
