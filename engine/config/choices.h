/* The names that enumerated keys may have, and the keys that each choice reads. A new optimizer,
 * schedule, loss, metric or model is entered in one list here. The schema takes its choices from
 * here, and the tables of the rooms above take their rows. For example X(one_cycle, "...") in
 * BL_CHOICES_SCHEDULE is the row of bl_schedule_one_cycle, in schedule_one_cycle.c. The update of
 * the optimizer X(adam, "...") is kernels/shared/update_adam.h.
 *
 * X(name, reads): `reads` are paths of configuration keys, separated by blanks, that mean something
 * only under a choice that names them. A key that no row of any list names always means something.
 * The identity of a run follows from this: it holds a key exactly when
 *     1. the key's row in the schema says .identity, and
 *     2. it means something: a choice in force reads it, and its row's .when holds (applies.h), and
 *     3. its value is not left out: one that is absent is, and so is a default in a row that says
 *        .omit_default_from_id.
 * Example: beta2 is named by adam and adamw, so it is part of the id of their runs and of no
 * others. An optimizer of your own that uses it says so here, and needs nothing else in this room.
 * The engine hands a step only the numbers that its optimizer's row names (engine/train/step.c),
 * and tests/unit/identity_test.c holds every row to what it says. */
#ifndef BL_ENGINE_CONFIG_CHOICES_H
#define BL_ENGINE_CONFIG_CHOICES_H

// clang-format off
#define BL_CHOICES_NUMERICS(X) \
    X(exact,  "") \
    X(device, "precision")

#define BL_CHOICES_PRECISION(X) \
    X(fp32, "") \
    X(tf32, "") \
    X(bf16, "") \
    X(fp16, "loss_scale")

#define BL_CHOICES_SPLIT(X) \
    X(valid, "") \
    X(test,  "") \
    X(train, "")

/* What every net reads; a problem has neither rows to evaluate on nor a loss to choose. */
#define BL_READS_NET "data.eval_rows data.split data.crop data.flip eval.batch_mean loss train.micro_batch "

#define BL_CHOICES_MODEL(X) \
    X(tabular,    BL_READS_NET "model.hidden model.dropout model.embedding_dropout model.batch_norm model.linear model.output") \
    X(mlp,        BL_READS_NET "model.hidden model.dropout") \
    X(simple_cnn, BL_READS_NET "model.hidden model.dropout model.filters") \
    X(resnet8,    BL_READS_NET "model.filters model.norm model.shortcut") \
    X(mobilenet_v3_large, BL_READS_NET "model.width") \
    X(layers,     BL_READS_NET "model.layers")

/* Problems that are no net on data: engine/train/workload_NAME.c, with measures of their own. */
#define BL_CHOICES_PROBLEM(X) \
    X(quadratic, "quadratic.expectation quadratic.dimensions quadratic.noise quadratic.start")

#define BL_CHOICES_PROBLEM_METRIC(X) \
    X(expected_loss, "")

#define BL_CHOICES_QUADRATIC(X) \
    X(exact,   "") \
    X(sampled, "quadratic.replicas")

#define BL_CHOICES_OUTPUT(X) \
    X(linear,        "") \
    X(sigmoid_range, "")

#define BL_CHOICES_NORM(X) \
    X(none,  "") \
    X(batch, "") \
    X(ghost, "model.ghost_size")

#define BL_CHOICES_SHORTCUT(X) \
    X(projection, "") \
    X(pad,        "")

#define BL_CHOICES_LOSS(X) \
    X(mse,           "") \
    X(cross_entropy, "label_smoothing")

#define BL_CHOICES_METRIC(X) \
    X(exp_rmspe,     "") \
    X(exp_rmse,      "") \
    X(rmse,          "") \
    X(error,         "") \
    X(auc_error,     "") \
    X(cross_entropy, "")

#define BL_CHOICES_OPTIMIZER(X) \
    X(sgd,      "optimizer.weight_decay") \
    X(momentum, "optimizer.weight_decay optimizer.momentum") \
    X(nesterov, "optimizer.weight_decay optimizer.momentum") \
    X(adam,     "optimizer.weight_decay optimizer.beta1 optimizer.beta2 optimizer.eps") \
    X(adamw,    "optimizer.weight_decay optimizer.beta1 optimizer.beta2 optimizer.eps")

#define BL_READS_DECAYING "schedule.horizon_epochs schedule.warmup "

#define BL_CHOICES_SCHEDULE(X) \
    X(constant,  "") \
    X(linear,    BL_READS_DECAYING) \
    X(cosine,    BL_READS_DECAYING) \
    X(exponential, "schedule.horizon_epochs schedule.div_factor") \
    X(one_cycle, BL_READS_DECAYING "schedule.div_factor schedule.final_div_factor schedule.cycle_momentum " \
                 "schedule.momentum_low schedule.momentum_high")

/* Which weights evaluations look at: the last step's or an average (engine/train/weight_average.c). */
#define BL_CHOICES_AVERAGE(X) \
    X(none,  "") \
    X(power, "eval.average_width")

/* What two computations of one external run have in common. */
#define BL_CHOICES_REPEATS(X) \
    X(noisy, "") \
    X(exact, "")

#define BL_CHOICES_LR_RULE(X) \
    X(keep,   "") \
    X(sqrt,   "") \
    X(linear, "")

#define BL_CHOICES_LR_SEARCH(X) \
    X(local,      "") \
    X(exhaustive, "")

/* The sizes that get fresh seeds (scripts/lua/fresh.lua). */
#define BL_CHOICES_CONFIRM(X) \
    X(fewest, "") \
    X(all,    "")

/* The learning rate of those fresh seeds. */
#define BL_CHOICES_CONFIRM_RATE(X) \
    X(grid,    "") \
    X(between, "")

/* What critical sizes are read from (engine/stats/critical.h). */
#define BL_CHOICES_SCALING(X) \
    X(auto,     "") \
    X(curve,    "") \
    X(segments, "")
// clang-format on

/* Elements of arrays: static const char *const names[] = {BL_CHOICES_LOSS(BL_CHOICE_NAME)}; */
#define BL_CHOICE_NAME(name, reads)  #name,
#define BL_CHOICE_READS(name, reads) reads,
#endif
