/* A short trial run: what error is within reach, and after how many steps. `batchlab init` sets the
 * targets of a new experiment by it. */
#ifndef BL_ENGINE_STARTER_PILOT_H
#define BL_ENGINE_STARTER_PILOT_H
#include "engine/base/status.h"
#include "engine/config/config.h"
#include "engine/data/dataset.h"
#include "kernels/kernel.h"

enum { BL_STARTER_RATES = 5, BL_STARTER_EVALS = 256 };

/* The best value so far at each evaluation of one rate's run. */
typedef struct bl_starter_run {
    double learning_rate;
    int64_t step[BL_STARTER_EVALS];
    double best[BL_STARTER_EVALS];
    size_t evals;
} bl_starter_run;

typedef struct bl_starter_pilot {
    int64_t batch_size, steps;
    bl_starter_run run[BL_STARTER_RATES];
    double best; /* lowest value of any run; NAN: all diverged */
    double best_rate;
} bl_starter_pilot;

/* Trains `config` at several rates, as many steps each as a few seconds of one core allow. That
 * number depends on the sizes alone, not on the clock or on `threads`, which run a rate each: the
 * same table gives the same targets. */
bl_status bl_starter_pilot_run(bl_starter_pilot *out, const bl_config *config,
                               const bl_dataset *data, const bl_kernels *kernels, size_t threads,
                               bl_err *err) BL_CHECKED;
/* Fewest steps after which any run had this value; 0: none had. */
int64_t bl_starter_pilot_steps(const bl_starter_pilot *pilot, double value);
#endif
