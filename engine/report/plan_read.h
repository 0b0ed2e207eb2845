/* plan.jsonl as the arrays of a model. */
#ifndef BL_ENGINE_REPORT_PLAN_READ_H
#define BL_ENGINE_REPORT_PLAN_READ_H
#include "engine/base/run_id.h"
#include "engine/report/report_model.h"

/* A decision of kind "best". */
typedef struct bl_report_best {
    double batch_size, learning_rate, target, steps;
    double fresh_seeds; /* that its runs are; NAN: they chose the rate */
    bool censored, bracketed;
    int series;             /* into answer->series; BL_NO_SERIES */
    char (*run)[BL_RUN_ID]; /* (runs): all seeds at this learning rate */
    size_t runs;
} bl_report_best;

typedef struct bl_report_bests {
    bl_report_best *best;
    size_t count;
} bl_report_bests;

/* Fills the plan's header, trials and budgets of *answer. */
bl_status bl_report_plan_read(bl_report_model *answer, bl_report_bests *bests, const char *run_dir,
                              bl_err *err) BL_CHECKED;
void bl_report_bests_free(bl_report_bests *bests);

#endif
