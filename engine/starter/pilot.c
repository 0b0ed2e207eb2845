#include "engine/starter/pilot.h"
#include "engine/base/mem.h"
#include "engine/train/train.h"
#include <math.h>
#include <stdio.h>

/* Multiplications of one rate's run: a second or so of one core. */
static const double WORK = 4e9;
/* Pictures are looked at less often: an evaluation costs as much as some steps. */
static const double PICTURE_GROWTH = 1.2;
enum { LEAST_STEPS = 150, MOST_STEPS = 3000 };

/* Multiplications of a step forward and back. Of a table's net the weights count, once an example.
 */
static double work_of(const bl_net *net, size_t batch_size) {
    double each = 0;
    for (size_t i = 0; i < net->nodes && net->shape.height > 1; i++)
        each += (double)net->node[i].multiplies;
    return 6.0 * fmax(each, (double)net->weights) * (double)batch_size;
}

/* Steps of a run: by the size of the net and of the batch, between bounds. */
static int64_t steps_of(const bl_config *config, const bl_dataset *data, bl_err *err) {
    bl_net net = {0};
    double each = 1e4;
    if (bl_train_net(&net, config, data, err) == BL_OK)
        each = work_of(&net, (size_t)config->train.batch_size);
    bl_net_free(&net);
    return (int64_t)fmax(LEAST_STEPS, fmin(MOST_STEPS, WORK / fmax(each, 1)));
}

static bl_status run_rate(bl_starter_run *run, const bl_config *config, const bl_dataset *data,
                          const bl_train_options *options, int64_t steps, bl_err *err) {
    bl_train *train = NULL;
    bl_status status;
    double best = INFINITY;
    run->learning_rate = config->train.learning_rate;
    BL_GOTO(bl_train_open(&train, config, data, options, err));
    while (bl_train_now(train)->step < steps && !bl_train_now(train)->diverged &&
           run->evals < BL_STARTER_EVALS) {
        BL_GOTO(bl_train_advance(train, steps, NULL, err));
        const bl_train_state *now = bl_train_now(train);
        if (now->diverged || isnan(now->value)) break;
        best = fmin(best, now->value);
        run->step[run->evals] = now->step;
        run->best[run->evals++] = best;
    }
done:
    bl_train_close(train);
    return status;
}

bl_status bl_starter_pilot_run(bl_starter_pilot *out, const bl_config *config,
                               const bl_dataset *data, const bl_kernels *kernels, bl_err *err) {
    static const double rates[BL_STARTER_RATES] = {0x1p-9, 0x1p-7, 0x1p-6, 0x1p-5, 0x1p-3};
    const bl_train_options options = {.kernels = kernels, .run_id = "pilot", .threads = 1};
    bl_config *c = bl_xalloc(sizeof *c);
    bl_status status = BL_OK;
    *c = *config;
    if (data->height > 0) c->eval.growth = fmax(c->eval.growth, PICTURE_GROWTH);
    *out = (bl_starter_pilot){.batch_size = config->train.batch_size, .best = (double)NAN};
    out->steps = steps_of(config, data, err);
    for (size_t i = 0; i < BL_STARTER_RATES; i++) {
        bl_starter_run *run = &out->run[i];
        c->train.learning_rate = rates[i];
        BL_GOTO(run_rate(run, c, data, &options, out->steps, err));
        const double value = run->evals > 0 ? run->best[run->evals - 1] : (double)NAN;
        if (isnan(value) || value >= out->best) continue;
        out->best = value;
        out->best_rate = rates[i];
    }
done:
    free(c);
    return status;
}

int64_t bl_starter_pilot_steps(const bl_starter_pilot *pilot, double value) {
    int64_t fewest = 0;
    for (size_t r = 0; r < BL_STARTER_RATES; r++) {
        const bl_starter_run *run = &pilot->run[r];
        for (size_t i = 0; i < run->evals; i++) {
            if (!(run->best[i] <= value)) continue;
            if (fewest == 0 || run->step[i] < fewest) fewest = run->step[i];
            break;
        }
    }
    return fewest;
}
