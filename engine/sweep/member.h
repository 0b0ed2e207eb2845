/* A trial of a running round: its stored prefix, the run that extends it, and its evaluations. */
#ifndef BL_ENGINE_SWEEP_MEMBER_H
#define BL_ENGINE_SWEEP_MEMBER_H
#include "engine/sweep/scheduler.h"
#include "engine/train/train.h"

typedef struct bl_member {
    const bl_trial *trial;
    char id[BL_RUN_ID];
    bl_buf identity;
    bl_stored stored;
    bl_train *train; /* NULL until more than the stored prefix is needed */
    bl_eval *eval;
    size_t evals, cap;
    bool busy, out_of_memory, trained;
    int slot;          /* of the next checkpoint */
    double last_saved; /* clock */
    double seconds;    /* spent training in this process */
    bl_buf timing;     /* lines of timing.jsonl.gz: what this process trained */
} bl_member;

/* Identity and whatever the store has. */
bl_status bl_member_init(bl_member *member, const bl_scheduler *s, const bl_trial *trial,
                         bl_err *err) BL_CHECKED;
void bl_member_free(bl_member *member);
/* To the next evaluation; opens (and resumes) the run when needed. */
bl_status bl_member_advance(bl_member *member, const bl_scheduler *s, size_t threads,
                            bl_err *err) BL_CHECKED;
bl_status bl_member_checkpoint(bl_member *member, const bl_scheduler *s, bl_err *err) BL_CHECKED;
/* Publishes the prefix that ends at result->steps. */
bl_status bl_member_publish(bl_member *member, const bl_scheduler *s, size_t threads,
                            const bl_trial_result *result, bl_err *err) BL_CHECKED;
#endif
