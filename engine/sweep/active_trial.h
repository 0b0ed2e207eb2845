/* A trial of a running round: what is known of it, and the run that extends that.
 *
 *     init                          identity, and the prefix that the store has
 *     claim                         this process's own, or held by another one
 *     open -> advance ... advance   trains from one evaluation to the next
 *          share | checkpoint       others see what is known; a kill loses nothing before it
 *          park                     checkpoint and close: memory for another run
 *     publish                       the prefix that answers the trial
 *     leave | release               gives the claim back, with a checkpoint or without
 *
 * Who may call what: a thread owns a trial while its state is BL_ACTIVE_BUSY, and calls these
 * functions without the scheduler's lock. Other threads then read only `state`. */
#ifndef BL_ENGINE_SWEEP_ACTIVE_TRIAL_H
#define BL_ENGINE_SWEEP_ACTIVE_TRIAL_H
#include "engine/sweep/scheduler_settings.h"
#include "engine/sweep/trainer.h"

/* Changed under the scheduler's lock. */
typedef enum bl_active_trial_state {
    BL_ACTIVE_IDLE,
    BL_ACTIVE_BUSY,    /* a thread owns it */
    BL_ACTIVE_HELD,    /* another process has claimed it */
    BL_ACTIVE_ANSWERED /* nothing is left to do */
} bl_active_trial_state;

typedef struct bl_active_trial {
    bl_active_trial_state state;
    const bl_trial *trial;
    char id[BL_RUN_ID];
    bl_buf identity;
    bl_stored stored;           /* what is published */
    bl_file_stamp result, part; /* of the files as they were when last read */
    bl_claim *claim;            /* NULL: not ours */
    bl_trainer *train;          /* the open run; NULL: none */
    size_t bytes;               /* that an open run takes; 0 where nothing bounds it */
    bl_eval *eval;              /* all that is known, whichever process computed it */
    size_t evals;
    size_t shared;      /* evaluations that were written for other processes to see */
    bool held;          /* another process had it when last asked */
    bool out_of_memory; /* its run does not fit into memory: an answer */
    char *error;        /* its program failed, one line says how: an answer; NULL: it did not */
    bool trained;       /* by this process */
    bool answered;      /* its result stands, and is published */
    bool shown;         /* the progress display knows that it is done */
    bool skipped;       /* not wanted here, and the store has no answer */
    bool saved;         /* there is a checkpoint of use */
    int slot;           /* of the next checkpoint */
    double last_saved;  /* clock */
    int repeat;         /* of a noisy program: how often it was begun anew */
    double checkpoint_seconds; /* between checkpoints */
    const volatile int *stop;
    double seconds; /* spent training in this process */
    bl_buf timing;  /* lines of timing.jsonl.gz: what this process trained */
} bl_active_trial;

/* Identity and whatever the store has. */
bl_status bl_active_trial_init(bl_active_trial *active, const bl_scheduler *s,
                               const bl_trial *trial, bl_err *err) BL_CHECKED;
/* The id alone: of a noisy program's run, that of its last repeat in the store. */
bl_status bl_active_trial_run(char id[BL_RUN_ID], const bl_scheduler *s, const bl_trial *trial,
                              bl_err *err) BL_CHECKED;
void bl_active_trial_free(bl_active_trial *active);
/* Of the last evaluation that is known; 0: none is. */
int64_t bl_active_trial_step(const bl_active_trial *active);
/* Reads what another process has published, or shared, since the last call. */
bl_status bl_active_trial_refresh(bl_active_trial *active, const bl_scheduler *s,
                                  bl_err *err) BL_CHECKED;

/* Makes the trial this process's own, or finds it held by another. Then reads the store again: the
 * answer may have come meanwhile; what is damaged is set aside. */
bl_status bl_active_trial_claim(bl_active_trial *active, const bl_scheduler *s, bl_claims *claims,
                                bl_err *err) BL_CHECKED;
/* Gives it back; what is not written is lost. */
void bl_active_trial_release(bl_active_trial *active);

/* Ends a run whose program failed, `text` is the whole message of it, and gives the claim back.
 * What was stored of it stays, for another try. */
void bl_active_trial_fail(bl_active_trial *active, const char *text);

/* What follows is for trials that are claimed. A claim that was lost to another process is not an
 * error: the trial is then held, and what is known of it stays known. */

/* Opens the run where it was left, which may be behind what is known of it. */
bl_status bl_active_trial_open(bl_active_trial *active, const bl_scheduler *s, size_t threads,
                               bl_err *err) BL_CHECKED;
/* To the next evaluation, or to what is known already. */
bl_status bl_active_trial_advance(bl_active_trial *active, const bl_scheduler *s, size_t threads,
                                  bl_err *err) BL_CHECKED;
/* Writes its evaluations for other processes to see. */
bl_status bl_active_trial_share(bl_active_trial *active, bl_err *err) BL_CHECKED;
/* Saves the run's state, if it is open. */
bl_status bl_active_trial_checkpoint(bl_active_trial *active, const bl_scheduler *s,
                                     bl_err *err) BL_CHECKED;
/* Checkpoints the run and closes it; the trial stays claimed. */
bl_status bl_active_trial_park(bl_active_trial *active, const bl_scheduler *s,
                               bl_err *err) BL_CHECKED;
/* Checkpoints the run and gives the trial back, for another process to continue. */
bl_status bl_active_trial_leave(bl_active_trial *active, const bl_scheduler *s, size_t threads,
                                bl_err *err) BL_CHECKED;
/* Publishes the prefix that ends at result->steps. */
bl_status bl_active_trial_publish(bl_active_trial *active, const bl_scheduler *s, size_t threads,
                                  const bl_trial_result *result, bl_err *err) BL_CHECKED;
#endif
