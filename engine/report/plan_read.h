/* plan.jsonl and timing.json as arrays. Used inside this room only. */
#ifndef BL_ENGINE_REPORT_PLAN_READ_H
#define BL_ENGINE_REPORT_PLAN_READ_H
#include "engine/report/report.h"

/* A decision of kind "best". */
typedef struct bl_plan_best {
    double batch_size, learning_rate, target, steps;
    bool censored, bracketed;
    int series;      /* into answer->series; BL_NO_SERIES */
    char (*run)[13]; /* (runs): all seeds at this learning rate */
    size_t runs;
} bl_plan_best;

typedef struct bl_plan_bests {
    bl_plan_best *best;
    size_t count;
} bl_plan_bests;

/* Fills the plan's header, trials and budgets of *answer. */
bl_status bl_plan_read(bl_answer *answer, bl_plan_bests *bests, const char *run_dir,
                       bl_err *err) BL_CHECKED;
void bl_plan_bests_free(bl_plan_bests *bests);

/* Fills answer->timing; a missing file leaves it empty. */
bl_status bl_timing_read(bl_answer *answer, const char *run_dir, bl_err *err) BL_CHECKED;
#endif
