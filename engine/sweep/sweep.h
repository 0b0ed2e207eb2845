/* A whole sweep: the planner's rounds carried out by the scheduler, every trial and decision
 * written to runs/NAME/plan.jsonl as it is made, and the timing pass after it. */
#ifndef BL_ENGINE_SWEEP_SWEEP_H
#define BL_ENGINE_SWEEP_SWEEP_H
#include "engine/lua/planner.h"
#include "engine/sweep/scheduler.h"

typedef struct bl_sweep_options {
    const char *script;      /* experiments/NAME/sweep.lua */
    const char *library_dir; /* scripts/lua */
    bool write_plan;
    bool fail_fast; /* a run that found no memory or failed ends it: BL_ENOMEM, BL_EPROGRAM */
    bl_plan_references references; /* for the plan: the answer as it is known; {0}: none */
    /* A new round, and a line for each decision; may be NULL. */
    void (*round)(void *ctx, const bl_round *round);
    void (*decision)(void *ctx, const char *text);
    void *ctx;
} bl_sweep_options;

/* Totals of a sweep, also when it fails half-way. */
typedef struct bl_sweep_totals {
    size_t rounds, trials, failed; /* failed: or out of memory, not diverged */
    size_t reached;                /* trials that reached their target */
} bl_sweep_totals;

bl_status bl_sweep_run(const bl_config *config, const bl_scheduler *scheduler,
                       const bl_sweep_options *options, bl_sweep_totals *totals,
                       bl_err *err) BL_CHECKED;

/* Only the first round is expanded and nothing is run: what `check` does. */
bl_status bl_sweep_check(const bl_config *config, int64_t epoch_rows,
                         const bl_sweep_options *options, size_t *trials, bl_err *err) BL_CHECKED;

/* The timing pass: seconds per step of the given batch sizes, those left out that this machine
 * cannot hold, quiet and interleaved, into runs/NAME/timing.json. What is there already for this
 * processor, configuration and these batch sizes is kept, anything else replaced. */
typedef struct bl_timing_options {
    const bl_config *config;
    const bl_dataset *data;
    const bl_store *store;
    const bl_kernels *kernels;
    const bl_train_device_data *device_data; /* as in bl_scheduler */
    bl_external_devices *devices;            /* as there */
    size_t memory;                           /* as there */
    const int64_t *batch_sizes;
    size_t count;
    const char *file; /* in the store's folder; NULL: timing.json */
    bool inference;   /* time forward passes alone, too */
    bool again;       /* measure although the file holds the same measurement */
    const volatile int *stop;
    void (*say)(void *ctx, const char *text); /* progress, may be NULL */
    void *say_ctx;
} bl_timing_options;
bl_status bl_timing_run(const bl_timing_options *options, bl_err *err) BL_CHECKED;

/* This processor's model name; "unknown". */
void bl_timing_processor(char out[128]);

/* Times that decisions rest on: seconds[count], the median step of each batch size, NAN where it
 * does not fit. Measured once as above, into a step_times-*.json that is part of the store from
 * then on, whichever machine or process goes on with the sweep. Where it is not there yet and
 * `lookup_only`: BL_EMISSING. */
bl_status bl_timing_steps(const bl_timing_options *options, bool lookup_only, double *seconds,
                          bl_err *err) BL_CHECKED;
#endif
