/* The names that enumerated keys may have: the one list a new optimizer, schedule, loss, metric or
 * model is entered in. The schema takes its choices from here, and the tables of the rooms above
 * take their rows: X(one_cycle) in BL_CHOICES_SCHEDULE is the row of bl_schedule_one_cycle, in
 * schedule_one_cycle.c. Of an optimizer X(adam) the update is kernels/shared/update_adam.h. */
#ifndef BL_ENGINE_CONFIG_CHOICES_H
#define BL_ENGINE_CONFIG_CHOICES_H

// clang-format off
#define BL_CHOICES_NUMERICS(X) \
    X(exact) \
    X(device)

#define BL_CHOICES_PRECISION(X) \
    X(fp32) \
    X(tf32) \
    X(bf16) \
    X(fp16)

#define BL_CHOICES_SPLIT(X) \
    X(valid) \
    X(test)

#define BL_CHOICES_MODEL(X) \
    X(tabular) \
    X(mlp) \
    X(simple_cnn) \
    X(resnet8) \
    X(mobilenet_v3_large) \
    X(layers)

/* Problems that are no net on data: engine/train/workload_NAME.c, with measures of their own. */
#define BL_CHOICES_PROBLEM(X) \
    X(quadratic)

#define BL_CHOICES_PROBLEM_METRIC(X) \
    X(expected_loss)

#define BL_CHOICES_QUADRATIC(X) \
    X(exact) \
    X(sampled)

#define BL_CHOICES_OUTPUT(X) \
    X(linear) \
    X(sigmoid_range)

#define BL_CHOICES_NORM(X) \
    X(none) \
    X(batch) \
    X(ghost)

#define BL_CHOICES_SHORTCUT(X) \
    X(projection) \
    X(pad)

#define BL_CHOICES_LOSS(X) \
    X(mse) \
    X(cross_entropy)

#define BL_CHOICES_METRIC(X) \
    X(exp_rmspe) \
    X(rmse) \
    X(error) \
    X(cross_entropy)

#define BL_CHOICES_OPTIMIZER(X) \
    X(sgd) \
    X(momentum) \
    X(nesterov) \
    X(adam) \
    X(adamw)

#define BL_CHOICES_SCHEDULE(X) \
    X(constant) \
    X(linear) \
    X(cosine) \
    X(one_cycle)

#define BL_CHOICES_LR_RULE(X) \
    X(keep) \
    X(sqrt) \
    X(linear)

#define BL_CHOICES_LR_SEARCH(X) \
    X(local) \
    X(exhaustive)
// clang-format on

/* An array's elements: static const char *const names[] = {BL_CHOICES_LOSS(BL_CHOICE_NAME)}; */
#define BL_CHOICE_NAME(name) #name,
#endif
