/* Rules for the learning rate: their formulas, and what following one costs. Sources: square root
 * and linear as in Krizhevsky 2014 (arXiv 1404.5997) and Goyal et al. 2017 (arXiv 1706.02677),
 * saturating in McCandlish et al. 2018 (arXiv 1812.06162), Adam's square root with its betas and
 * epsilon in Malladi et al. 2022 (arXiv 2205.10287), Surge in Li et al. 2024 (arXiv 2405.14578),
 * half-lives in Marek et al. 2025 (arXiv 2507.07101), the decay's time in Wang and Aitchison 2024
 * (arXiv 2405.13698). */
#include "engine/stats/lr_rules.h"
#include "engine/base/mem.h"
#include "engine/base/status.h"
#include <math.h>

const char *bl_lr_rule_name(bl_lr_rule rule) {
    static const char *const names[] = {[BL_LR_KEEP] = "keep",
                                        [BL_LR_LINEAR] = "linear",
                                        [BL_LR_SQRT] = "square_root",
                                        [BL_LR_SATURATING] = "saturating",
                                        [BL_LR_SURGE] = "surge"};
    _Static_assert(BL_COUNT(names) == BL_LR_RULE_COUNT, "a name for each");
    return names[rule];
}

/* With k = b / b0: linear lr0 k; square root lr0 sqrt(k); saturating
 * lr0 ((1 + b_star / b0) / (1 + b_star / b))^alpha, which is linear far below b_star and flat
 * above; Surge lr0 f(b) / f(b0), which is square root far below b_star and falls like one above. */
double bl_lr_rule_predict(bl_lr_rule rule, double lr0, double b0, double b, double b_star,
                          double alpha) {
    BL_ASSERT(rule >= 0 && rule < BL_LR_RULE_COUNT);
    switch (rule) {
    case BL_LR_LINEAR:
        return lr0 * (b / b0);
    case BL_LR_SQRT:
        return lr0 * sqrt(b / b0);
    case BL_LR_SATURATING:
        return lr0 * pow((1 + b_star / b0) / (1 + b_star / b), alpha);
    case BL_LR_SURGE:
        return lr0 * (sqrt(b_star / b0) + sqrt(b0 / b_star)) /
               (sqrt(b_star / b) + sqrt(b / b_star));
    default:
        return lr0;
    }
}

/* k times the batch: lr sqrt(k), 1 - beta times k, epsilon / sqrt(k) (Malladi et al. 2022). */
bl_malladi bl_lr_malladi(const bl_malladi *base, double k) {
    bl_malladi scaled = {.lr = base->lr * sqrt(k),
                         .beta1 = 1 - k * (1 - base->beta1),
                         .beta2 = 1 - k * (1 - base->beta2),
                         .epsilon = base->epsilon / sqrt(k)};
    scaled.valid = scaled.beta1 >= 0 && scaled.beta2 >= 0;
    return scaled;
}

double bl_lr_half_life(double beta, double k) {
    return pow(beta, k);
}

double bl_lr_weight_decay(double decay, double k, double lr0, double lr) {
    return decay * k * lr0 / lr;
}

/* Where nothing can be interpolated: S grows away from the best trial, so the nearest trial that
 * arrived, on the way to the best one, is a lower bound. `next` is the first trial at or above lr.
 */
static bl_stats_value bounded(const bl_lr_trial *trials, size_t n, size_t next, size_t best) {
    if ((next == n && best == n - 1) || (next == 0 && best == 0)) return bl_stats_unknown();
    size_t j = next > best ? next - 1 : next;
    while (isinf(trials[j].steps)) j = next > best ? j - 1 : j + 1;
    bl_stats_value v = bl_stats_exact(trials[j].steps / trials[best].steps);
    v.bound = 1;
    return v;
}

bl_stats_value bl_lr_regret(const bl_lr_trial *trials, size_t n, double lr) {
    size_t best = 0, next = 0;
    for (size_t i = 0; i < n; i++)
        if (trials[i].steps < trials[best].steps) best = i;
    if (n == 0 || isinf(trials[best].steps)) return bl_stats_unknown();
    while (next < n && trials[next].lr < lr) next++;
    /* A prediction that hits a trial up to rounding is that trial. */
    for (size_t i = next > 0 ? next - 1 : 0; i <= next && i < n; i++)
        if (fabs(trials[i].lr - lr) <= 1e-9 * lr && !isinf(trials[i].steps))
            return bl_stats_exact(trials[i].steps / trials[best].steps);
    if (next == 0 || next == n || isinf(trials[next - 1].steps) || isinf(trials[next].steps))
        return bounded(trials, n, next, best);
    const bl_lr_trial *a = &trials[next - 1], *b = &trials[next];
    const double part = log(lr / a->lr) / log(b->lr / a->lr);
    return bl_stats_exact(a->steps * pow(b->steps / a->steps, part) / trials[best].steps);
}
