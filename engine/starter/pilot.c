/* Five rates, each trained over the same number of steps, by one thread each. Steps are bought
 * with a fixed sum of multiplications, so a large net gets fewer of them:
 *
 *     steps = 4e9 / (6 x weights x batch size), between 150 and 3000
 *             of convolutions their multiplications count, where they are more than the weights
 *
 * A step's forward and backward pass take about six multiplications and additions a weight and
 * example. */
#include "engine/starter/pilot.h"
#include "engine/base/mem.h"
#include "engine/base/pool.h"
#include "engine/train/train.h"
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>

/* Multiplications of one rate's run: a second or so of one core. */
static const double WORK = 4e9;
/* Between evaluations of pictures, and of large nets: each costs as much as some steps. */
static const double COSTLY_GROWTH = 1.2;
enum { LEAST_STEPS = 150, MOST_STEPS = 3000, LARGE = 100000 /* weights */ };

/* Multiplications of a step forward and back. Of a table's net the weights count, once an example.
 */
static double work_of(const bl_net *net, size_t batch_size) {
    double each = 0;
    for (size_t i = 0; i < net->nodes && net->shape.height > 1; i++)
        each += (double)net->node[i].multiplies;
    return 6.0 * fmax(each, (double)net->weights) * (double)batch_size;
}

/* Steps of a run, by the size of the net and of the batch, and how often it is evaluated. */
static int64_t steps_of(bl_config *config, const bl_dataset *data, bl_err *err) {
    bl_net net = {0};
    double each = 1e4;
    bool costly = data->height > 0;
    if (bl_train_net(&net, config, data, err) == BL_OK) {
        each = work_of(&net, (size_t)config->train.batch_size);
        costly = costly || net.weights > LARGE;
    }
    bl_net_free(&net);
    if (costly) config->eval.growth = fmax(config->eval.growth, COSTLY_GROWTH);
    return (int64_t)fmax(LEAST_STEPS, fmin(MOST_STEPS, WORK / fmax(each, 1)));
}

/* Ends early where the run diverges, or where no more evaluations fit. */
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

/* All rates, which threads take in turn. */
typedef struct rates {
    const bl_config *config;
    const bl_dataset *data;
    const bl_train_options *options;
    int64_t steps;
    bl_starter_run *run; /* (BL_STARTER_RATES), and what became of each */
    bl_status status[BL_STARTER_RATES];
    bl_err err[BL_STARTER_RATES];
    atomic_size_t next;
} rates;

/* One thread: takes rates until none is left. */
static void run_rates(void *ctx, size_t part, size_t parts) {
    static const double rate[BL_STARTER_RATES] = {0x1p-9, 0x1p-7, 0x1p-6, 0x1p-5, 0x1p-3};
    rates *r = ctx;
    (void)part;
    (void)parts;
    bl_config *c = bl_xalloc(sizeof *c);
    *c = *r->config;
    for (size_t i; (i = atomic_fetch_add(&r->next, 1)) < BL_STARTER_RATES;) {
        c->train.learning_rate = rate[i];
        r->status[i] = run_rate(&r->run[i], c, r->data, r->options, r->steps, &r->err[i]);
    }
    free(c);
}

bl_status bl_starter_pilot_run(bl_starter_pilot *out, const bl_config *config,
                               const bl_dataset *data, const bl_kernels *kernels, size_t threads,
                               bl_err *err) {
    const bl_train_options options = {.kernels = kernels, .run_id = "pilot", .threads = 1};
    bl_config *c = bl_xalloc(sizeof *c);
    rates *r = bl_xalloc(sizeof *r);
    bl_pool *pool = NULL;
    bl_status status = BL_OK;
    *c = *config;
    *out = (bl_starter_pilot){.batch_size = config->train.batch_size, .best = (double)NAN};
    out->steps = steps_of(c, data, err);
    *r = (rates){
        .config = c, .data = data, .options = &options, .steps = out->steps, .run = out->run};
    BL_GOTO(bl_pool_open(&pool, bl_size_min(threads, BL_STARTER_RATES), err));
    bl_pool_run(pool, run_rates, r);
    for (size_t i = 0; i < BL_STARTER_RATES; i++) {
        const bl_starter_run *run = &out->run[i];
        if (r->status[i] != BL_OK && err != NULL) *err = r->err[i];
        BL_GOTO(r->status[i]);
        const double value = run->evals > 0 ? run->best[run->evals - 1] : (double)NAN;
        if (isnan(value) || value >= out->best) continue;
        out->best = value;
        out->best_rate = run->learning_rate;
    }
done:
    bl_pool_close(pool);
    free(r);
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
