/* Rules that carry a learning rate from one batch size to another, and what following one costs.
 * Regret is S(rule) / S(retuned): 1 means the rule found the tuned optimum. */
#ifndef BL_ENGINE_STATS_LR_RULES_H
#define BL_ENGINE_STATS_LR_RULES_H
#include "engine/stats/summary.h"

typedef enum bl_lr_rule {
    BL_LR_KEEP,       /* lr */
    BL_LR_LINEAR,     /* lr k, k = B / B0 */
    BL_LR_SQRT,       /* lr sqrt(k): Malladi's rule, too, once betas and epsilon follow it */
    BL_LR_SATURATING, /* lr ((1 + B_star / B0) / (1 + B_star / B))^alpha   (McCandlish 2018) */
    BL_LR_SURGE,      /* lr f(B) / f(B0), f = 1 / (sqrt(B_n / B) + sqrt(B / B_n))   (Li 2024) */
    BL_LR_RULE_COUNT
} bl_lr_rule;

const char *bl_lr_rule_name(bl_lr_rule rule); /* "keep", "linear", ... */

/* The rule's learning rate at batch size b from lr0 at b0. b_star is the saturating rule's
 * B_star and Surge's B_n; alpha is the saturating rule's. All arguments > 0. */
double bl_lr_rule_predict(bl_lr_rule rule, double lr0, double b0, double b, double b_star,
                          double alpha);

/* Malladi 2022 for Adam: k times the batch wants lr sqrt(k), 1 - beta times k, epsilon / sqrt(k).
 * A beta that would fall below 0 has left the rule's domain: `valid` is false. */
typedef struct bl_malladi {
    double lr, beta1, beta2, epsilon;
    bool valid;
} bl_malladi;
bl_malladi bl_lr_malladi(const bl_malladi *base, double k);

/* A decay whose half-life in examples stays the same when a step takes k times the examples
 * (Marek et al. 2025): beta^k. To first order in 1 - beta this is Malladi's, and it has no domain
 * to leave. */
double bl_lr_half_life(double beta, double k);
/* The weight decay that keeps the decoupled decay's time in epochs, B / (lr decay rows) (Wang and
 * Aitchison 2024), when batch and rate change: decay k lr0 / lr. */
double bl_lr_weight_decay(double decay, double k, double lr0, double lr);

/* One learning rate tried at a batch size: median steps-to-target, INFINITY when the target was not
 * reached (diverged, stopped, out of budget). */
typedef struct bl_lr_trial {
    double lr, steps;
} bl_lr_trial;

/* S(lr) / min S over the rates tried, linear in log S against log lr between trials. Trials
 * ascending in lr. S is taken to grow away from the best trial: next to an infinite trial and
 * beyond the grid the nearest finite trial towards the best is a lower bound (bound == +1); beyond
 * the best trial at the grid's own end, or without any finite trial, nothing is known. No interval.
 */
bl_stats_value bl_lr_regret(const bl_lr_trial *trials, size_t n, double lr);
#endif
