/* A sweep's plan as `batchlab plan` shows it: rounds, the runs each asked for, and the decisions
 * that followed. */
#ifndef BL_ENGINE_PLAN_PLAN_TREE_H
#define BL_ENGINE_PLAN_PLAN_TREE_H
#include "engine/base/buf.h"
#include "engine/plan/plan.h"

typedef enum bl_plan_tree_state {
    BL_PLAN_TREE_TO_DO,
    BL_PLAN_TREE_INTERRUPTED,
    BL_PLAN_TREE_DAMAGED,
    BL_PLAN_TREE_TO_EXTEND, /* published, but not as far as its trial asks */
    BL_PLAN_TREE_DONE,
    BL_PLAN_TREE_STATES
} bl_plan_tree_state;

typedef struct bl_plan_tree_run {
    char id[BL_RUN_ID];
    bl_plan_tree_state state;
    bl_outcome outcome; /* of a run that is done */
    int64_t steps;      /* that are published */
    int64_t batch_size, seed, max_steps;
    double learning_rate;
    double seconds_left; /* at most, in one process alone; NAN: nothing here tells */
    size_t memory_bytes; /* 0: not known */
    char reason[256];
} bl_plan_tree_run;

typedef struct bl_plan_tree_round {
    char title[128];
    bool race;
    double slack;
    bl_plan_tree_run *runs;
    size_t run_count;
    char **decisions; /* one line each */
    size_t decision_count;
} bl_plan_tree_round;

typedef struct bl_plan_tree {
    bl_plan_tree_round *rounds; /* the first may be without runs: decisions before any round */
    size_t count;
} bl_plan_tree;

bl_plan_tree_round *bl_plan_tree_add(bl_plan_tree *tree, const char *title, size_t runs);
void bl_plan_tree_decide(bl_plan_tree *tree, const char *text);
void bl_plan_tree_free(bl_plan_tree *tree);

/* Is the run answered as far as its trial asks? */
bool bl_plan_tree_is_done(const bl_plan_tree_run *run);
/* Trials answered and not, and the sum of seconds_left (NAN when one of them is). */
typedef struct bl_plan_tree_sum {
    size_t done, left;
    double seconds_left;
} bl_plan_tree_sum;
bl_plan_tree_sum bl_plan_tree_totals(const bl_plan_tree *tree);

void bl_plan_tree_text(const bl_plan_tree *tree, bl_buf *out);
/* One object a line: round, trial and decision records, in order. */
void bl_plan_tree_json(const bl_plan_tree *tree, bl_buf *out);
#endif
