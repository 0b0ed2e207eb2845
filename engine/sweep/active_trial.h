/* A trial of a running round: its stored prefix, the run that extends it, and its evaluations. */
#ifndef BL_ENGINE_SWEEP_ACTIVE_TRIAL_H
#define BL_ENGINE_SWEEP_ACTIVE_TRIAL_H
#include "engine/sweep/scheduler.h"
#include "engine/train/train.h"

/* For threads that share a member, under their lock. They look at nothing else of a busy one. */
typedef enum bl_active_trial_state {
    BL_MEMBER_IDLE,
    BL_MEMBER_BUSY, /* a thread is at it */
    BL_MEMBER_HELD, /* waits for another process */
    BL_MEMBER_SETTLED
} bl_active_trial_state;

typedef struct bl_active_trial {
    bl_active_trial_state state;
    const bl_trial *trial;
    char id[BL_RUN_ID];
    bl_buf identity;
    bl_stored stored;
    bl_file_stamp result, part; /* of the files as they were when last read */
    bl_claim *claim;            /* NULL: not ours */
    bl_train *train;            /* NULL until more than the stored prefix is needed */
    size_t bytes;               /* that an open run takes; 0 where nothing bounds it */
    bl_eval *eval;              /* all that is known, whoever computed it */
    size_t evals;
    size_t shared; /* evaluations that were written for other processes to see */
    bool held;     /* another process had it at the last look */
    bool out_of_memory, trained, settled, shown;
    bool left_out;             /* not wanted here, and not known */
    bool saved;                /* there is a checkpoint of use */
    int slot;                  /* of the next checkpoint */
    double last_saved;         /* clock */
    double checkpoint_seconds; /* between checkpoints */
    const volatile int *stop;
    double seconds; /* spent training in this process */
    bl_buf timing;  /* lines of timing.jsonl.gz: what this process trained */
} bl_active_trial;

/* Identity and whatever the store has. */
bl_status bl_active_trial_init(bl_active_trial *member, const bl_scheduler *s,
                               const bl_trial *trial, bl_err *err) BL_CHECKED;
void bl_active_trial_free(bl_active_trial *member);
/* Of the last evaluation that is known; 0: none is. */
int64_t bl_active_trial_step(const bl_active_trial *member);
/* Reads what another process has published, or written for others to see, since the last look. */
bl_status bl_active_trial_refresh(bl_active_trial *member, const bl_scheduler *s,
                                  bl_err *err) BL_CHECKED;

/* Makes the member this process's own, or finds it held by another. Then looks at the store again:
 * the answer may have come meanwhile; what is damaged is set aside. */
bl_status bl_active_trial_claim(bl_active_trial *member, const bl_scheduler *s, bl_claims *claims,
                                bl_err *err) BL_CHECKED;
/* Gives it back; what is not written is lost. */
void bl_active_trial_release(bl_active_trial *member);

/* What follows is for members that are claimed. A claim that was lost to another process is no
 * fault: the member is then held, and what it knows stays known. */

/* Opens the run where it was left, which may be behind what is known of it. */
bl_status bl_active_trial_open(bl_active_trial *member, const bl_scheduler *s, size_t threads,
                               bl_err *err) BL_CHECKED;
/* To the next evaluation, or to what is known already. */
bl_status bl_active_trial_advance(bl_active_trial *member, const bl_scheduler *s, size_t threads,
                                  bl_err *err) BL_CHECKED;
/* Writes its evaluations for other processes to see. */
bl_status bl_active_trial_share(bl_active_trial *member, bl_err *err) BL_CHECKED;
bl_status bl_active_trial_checkpoint(bl_active_trial *member, const bl_scheduler *s,
                                     bl_err *err) BL_CHECKED;
/* Checkpoints the run and closes it; the member stays this process's. */
bl_status bl_active_trial_park(bl_active_trial *member, const bl_scheduler *s,
                               bl_err *err) BL_CHECKED;
/* Checkpoints it and gives it back, for another process to go on with. */
bl_status bl_active_trial_leave(bl_active_trial *member, const bl_scheduler *s, size_t threads,
                                bl_err *err) BL_CHECKED;
/* Publishes the prefix that ends at result->steps. */
bl_status bl_active_trial_publish(bl_active_trial *member, const bl_scheduler *s, size_t threads,
                                  const bl_trial_result *result, bl_err *err) BL_CHECKED;
#endif
