/* Runs that are known, trained once more in a scratch store and compared with what is known of
 * them: `verify` against expected.lock, `run --force` against what is published. Nothing outside
 * the scratch folder is written. */
#ifndef BL_ENGINE_VERIFY_RERUN_H
#define BL_ENGINE_VERIFY_RERUN_H
#include "engine/sweep/scheduler.h"
#include "engine/verify/lock.h"

typedef struct bl_rerun {
    bl_scheduler how; /* data, kernels, device, jobs and progress; `store` is the experiment's */
    const char *runs_dir; /* the scratch folder is made there */
    const char *name;     /* the experiment's */
    char root[BL_PATH];   /* scratch folder, "" until it is there */
    bl_store scratch;
    bl_trial *trial;      /* (count) the runs to compare, up to the steps that are known */
    bl_lock_entry *entry; /* (count) what is known of them */
    size_t count;
    size_t equal, differ; /* of bl_rerun_compare; the others found no memory */
} bl_rerun;

/* `how`, runs_dir and name are the caller's to set before. */
bl_status bl_rerun_open(bl_rerun *r, bl_err *err) BL_CHECKED;
/* Removes the scratch folder. */
void bl_rerun_close(bl_rerun *r);
/* As `r` trains, on a store. */
bl_scheduler bl_rerun_scheduler(const bl_rerun *r, const bl_store *store, bool lookup_only);
/* A trial of the plan is to be compared with what is known of its run. The plan, whose texts the
 * trial points to, outlives bl_rerun_train. */
void bl_rerun_add(bl_rerun *r, const bl_trial *trial, const bl_lock_entry *known);
bl_status bl_rerun_train(bl_rerun *r, bl_err *err) BL_CHECKED;
/* Prints each run whose log has other bytes, and the first step at which it leaves the log in the
 * experiment's store; `against` is what is compared with, in words. */
bl_status bl_rerun_compare(bl_rerun *r, const char *against, bl_err *err) BL_CHECKED;
/* The same of a program that declares noise: prints where each run leaves what is published. A new
 * training is the first repeat, whichever one is published. */
bl_status bl_rerun_compare_noisy(bl_rerun *r, bl_err *err) BL_CHECKED;
#endif
