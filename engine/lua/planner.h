/* Runs a sweep script: its rounds, decisions and questions are passed to a host, which answers
 * them.
 *
 * The script runs in a process of its own (planner.c says why and how); the host is called in this
 * one. The planner asks the host for nothing but what the script asks for, in the order in which it
 * asks, so a plan is a pure function of the configuration, of results and of recorded times.
 *
 *     bl_planner_host host = {.ctx = &mine, .run = run_round, .decide = write_decision, ...};
 *     BL_TRY(bl_planner_run("experiments/mnist/sweep.lua", "scripts/lua", config, &facts, &host,
 *                           NULL, err));
 */
#ifndef BL_ENGINE_LUA_PLANNER_H
#define BL_ENGINE_LUA_PLANNER_H
#include "engine/lua/limits.h"
#include "engine/lua/round.h"
#include "engine/plan/plan.h"

/* The host's side. Each may be called many times while a planner runs, never two at a time. Any
 * status but BL_OK ends the script at once and is what bl_planner_run returns.
 *
 * What a new host function owes: its request is bounded (script.h counts bytes and calls), it does
 * not depend on time, order or machine, and what it answers is bounded, too: the script's process
 * keeps the answer in memory that counts. */
typedef struct bl_planner_host {
    void *ctx;
    /* Carries a round out and fills results[round->count]. BL_EINTERRUPTED: stopped on request. */
    bl_status (*run)(void *ctx, const bl_round *round, bl_trial_result *results, bl_err *err);
    /* The script concluded something; its round is the host's to fill in. */
    bl_status (*decide)(void *ctx, const bl_plan_decision *decision, bl_err *err);
    /* seconds[count]: of one step at each batch size, NAN where it does not fit in memory. The same
     * numbers whenever it is asked for the same sizes: they are measured once and kept. */
    bl_status (*step_times)(void *ctx, const int64_t *batch_sizes, size_t count, double *seconds,
                            bl_err *err);
} bl_planner_host;

/* Runs the script against the host. `limits` may be NULL: the default ones. The library's modules
 * are in `library_dir`; a script can also require files from its own folder. Errors of the script
 * are BL_EINVAL and carry its file:line. */
bl_status bl_planner_run(const char *script_path, const char *library_dir, const bl_config *config,
                         const bl_planner_facts *facts, const bl_planner_host *host,
                         const bl_planner_limits *limits, bl_err *err) BL_CHECKED;
#endif
