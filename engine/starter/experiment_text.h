/* The text of a new experiment: experiment.cfg, sweep.lua and README.md of a table. */
#ifndef BL_ENGINE_STARTER_EXPERIMENT_TEXT_H
#define BL_ENGINE_STARTER_EXPERIMENT_TEXT_H
#include "engine/base/buf.h"
#include "engine/starter/baseline.h"
#include "engine/starter/pilot.h"
#include <stdint.h>

/* What the text is made from. */
typedef struct bl_starter_plan {
    const char *name, *target, *metric; /* metric: rmse, exp_rmse, error, cross_entropy */
    size_t train_rows, valid_rows, classes;
    bool pictures;             /* the inputs are pictures, */
    size_t smallest_side;      /* of so many pixels */
    int64_t smallest, largest; /* batch sizes of preset quick */
    double targets[2];         /* easiest first */
    double max_epochs, lr_start;
    int64_t steps;   /* that the harder target took in the pilot; 0: not known */
    int64_t settled; /* after which the pilot was within 2 % of its best; 0: not known */
    double best;     /* of the pilot; NAN: none was run */
    bl_starter_baseline baseline;
} bl_starter_plan;

/* Batch sizes that fit the training rows, and first targets and budgets without a pilot. */
void bl_starter_sizes(bl_starter_plan *plan);
/* Targets, budget and first rate by what the pilot reached. False: it learnt nothing that shows. */
bool bl_starter_targets(bl_starter_plan *plan, const bl_starter_pilot *pilot);

void bl_starter_config(const bl_starter_plan *plan, bl_buf *out);
void bl_starter_script(const bl_starter_plan *plan, bl_buf *out);
#endif
