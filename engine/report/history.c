/* The runs' evaluations, read from their logs.
 *
 * A log may go farther than the plan asked, as another preset may have trained the run on. Only
 * evaluations up to the most steps of any trial are taken, so that equal plans give equal reports
 * whatever else the store holds. */
#include "engine/report/history.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/runlog/runlog.h"
#include <math.h>
#include <string.h>

/* What the plan says of the run is what its log says. */
static bl_status check_trials(const bl_plan_doc *plan, const bl_runlog *log, const char *run,
                              const char *run_dir, bl_err *err) {
    for (size_t i = bl_plan_first_trial(plan, run); i != SIZE_MAX; i = plan->trials[i].next)
        BL_TRY(bl_plan_check_trial(&plan->trials[i], log, run_dir, err));
    return BL_OK;
}

/* Evaluations up to step `asked`. A log that is not there leaves the run without any. */
static bl_status read_run(bl_report_run *run, const bl_plan_doc *plan, int64_t asked,
                          const char *run_dir, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_runlog log = {0};
    bl_status status = BL_OK;
    BL_TRY(bl_path(path, err, "%s/%s/log.jsonl.gz", run_dir, run->run));
    BL_GOTO(bl_runlog_read(&text, path, err));
    BL_GOTO(bl_runlog_parse(&log, bl_buf_text(&text), text.len, path, err));
    BL_GOTO(check_trials(plan, &log, run->run, run_dir, err));
    run->eval = bl_xalloc((log.evals + 1) * sizeof *run->eval);
    for (size_t i = 0; i < log.evals && log.eval[i].step <= asked; i++)
        run->eval[run->evals++] = (bl_report_eval){(double)log.eval[i].step, log.eval[i].value};
done:
    bl_runlog_free(&log);
    bl_buf_free(&text);
    return status == BL_EMISSING ? BL_OK : status; /* asked for, and not done yet */
}

/* Each log is read once, however many trials ask for its run. */
bl_status bl_history_read(bl_report_model *m, const char *run_dir, bl_err *err) {
    int64_t *asked = bl_xalloc((m->run_count + 1) * sizeof *asked);
    for (size_t i = 0; i < m->trial_count; i++) {
        int64_t *most = &asked[bl_report_find_run(m, m->trials[i].run) - m->runs];
        if (m->trials[i].steps > *most) *most = m->trials[i].steps;
    }
    bl_status status = BL_OK;
    for (size_t i = 0; i < m->run_count && status == BL_OK; i++)
        status = read_run(&m->runs[i], &m->plan, asked[i], run_dir, err);
    free(asked);
    return status;
}

/* The index of the first evaluation at or below the target; `evals` when there is none. NAN is
 * never at the target. */
size_t bl_history_hit(const bl_report_run *run, double target) {
    size_t i = 0;
    while (i < run->evals && !(run->eval[i].value <= target)) i++;
    return i;
}

double bl_history_value(const bl_report_run *run, double steps) {
    size_t i = run->evals;
    while (i > 0 && run->eval[i - 1].step > steps) i--;
    return i > 0 ? run->eval[i - 1].value : (double)NAN;
}
