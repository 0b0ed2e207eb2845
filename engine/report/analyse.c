/* From a sweep's files to its answer, in the order in which one part needs another:
 *
 *     plan.jsonl -> trials, decisions           plan_read.c
 *     logs -> evaluations of runs               history.c
 *     timing.json -> seconds of a step          timing_read.c
 *     machine.json -> what fits                 machine_read.c
 *     budgets, comparisons                      budgets.c, compare.c
 *     targets: points, fits, costs              targets.c (recut.c for targets nobody searched for)
 *     probes of the gradient noise              noise_read.c
 *     learning-rate finder                      finder_read.c
 *     best rates by budget                      rate_budget.c
 *     best validation values                    quality.c
 *     find.json -> forecasts, to be audited     audit.c
 *     learning rates and rules                  lr_sensitivity.c, lr_regret.c
 *     reference step counts: their fit          fit_reference, over the batch sizes measured here
 *
 * Everything is a function of these files: no clock, no host, no random number without a fixed
 * seed. */
#include "engine/report/analyse.h"
#include "engine/base/mem.h"
#include "engine/report/audit.h"
#include "engine/report/budgets.h"
#include "engine/report/compare.h"
#include "engine/report/finder_read.h"
#include "engine/report/history.h"
#include "engine/report/lr_regret.h"
#include "engine/report/lr_sensitivity.h"
#include "engine/report/machine_read.h"
#include "engine/report/noise_read.h"
#include "engine/report/plan_read.h"
#include "engine/report/quality.h"
#include "engine/report/rate_budget.h"
#include "engine/report/targets.h"
#include "engine/report/timing_read.h"
#include <math.h>

/* A sweep may have targets in its configuration and use none of them. */
static bool asked_for_target(const bl_report_model *m, const bl_report_bests *bests) {
    bool asked = bests->count > 0 || m->trial_count == 0;
    for (size_t i = 0; i < m->trial_count && !asked; i++) asked = !isnan(m->trials[i].target);
    return asked;
}

/* From the same range of batch sizes as the measured ones: the estimators depend on it. */
static bl_status fit_reference(bl_report_model *m, bl_err *err) {
    bl_stats_point *in = bl_xalloc((m->reference_count + 1) * sizeof *in);
    size_t n = 0;
    for (size_t i = 0; i < m->reference_count && m->main.size_count > 0; i++)
        if (m->reference_steps[i].batch_size >= m->main.sizes[0].batch_size &&
            m->reference_steps[i].batch_size <= m->main.sizes[m->main.size_count - 1].batch_size)
            in[n++] = m->reference_steps[i];
    const bl_status status =
        bl_stats_critical_fit(&m->reference_critical, in, n, &(bl_stats_options){0}, err);
    free(in);
    return status;
}

/* The order matters: logs need the trials' index, costs need timing, and the answer needs all of
 * them. On failure *m is empty. */
bl_status bl_report_analyse(bl_report_model *m, const char *run_dir, bl_err *err) {
    *m = (bl_report_model){.main.target = (double)NAN, .main_series = BL_NO_SERIES, .threads = 1};
    bl_report_bests bests = {0};
    bl_status status = BL_OK;
    BL_GOTO(bl_report_plan_read(m, &bests, run_dir, err));
    if (!asked_for_target(m, &bests)) {
        m->main.target = (double)NAN;
        m->target_count = 0;
    }
    bl_report_index(m);
    BL_GOTO(bl_history_read(m, run_dir, err));
    BL_GOTO(bl_report_timing_read(m, run_dir, "timing.json", err));
    BL_GOTO(bl_report_machine_read(m, run_dir, err));
    bl_report_judge_budgets(m);
    bl_compare_mark(m);
    bl_compare_judge(m);
    BL_GOTO(bl_report_solve_targets(m, &bests, err));
    bl_sensitivity_measure(m);
    BL_GOTO(bl_report_noise_read(m, run_dir, err));
    BL_GOTO(bl_report_finder_read(m, run_dir, err));
    BL_GOTO(bl_report_audit_read(m, run_dir, err));
    BL_GOTO(bl_report_rate_budget_read(m, err));
    BL_GOTO(bl_report_quality_read(m, err));
    bl_regret_judge(m);
    BL_GOTO(fit_reference(m, err));
    m->answered = m->main.best[BL_STATS_FEWEST_STEPS].known || isnan(m->main.target);
done:
    bl_report_bests_free(&bests);
    if (status != BL_OK) bl_report_model_free(m);
    return status;
}
