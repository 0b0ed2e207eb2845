/* batchlab show RUN: one run from its files: configuration, outcome, evaluations, environment. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/run_files.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char k_usage[] = "show RUN";
enum { LAST_EVALUATIONS = 12 };

/* Members of an object, one a line. */
static void members(bl_buf *out, const bl_json *object) {
    for (const bl_json *m = object != NULL ? object->first : NULL; m != NULL; m = m->next) {
        bl_buf_printf(out, "  %-26s ", m->key);
        bl_json_show(out, m);
        bl_buf_str(out, "\n");
    }
}

static void evaluations(bl_buf *out, const bl_runlog *log) {
    const size_t first = log->evals > LAST_EVALUATIONS ? log->evals - LAST_EVALUATIONS : 0;
    bl_buf_printf(out, "\nevaluations (%zu of %zu)\n  %10s %12s %12s %12s %12s\n",
                  log->evals - first, log->evals, "step", "examples", "value", "train loss",
                  "rate");
    for (size_t i = first; i < log->evals; i++) {
        const bl_runlog_eval *e = &log->eval[i];
        bl_buf_printf(out, "  %10" PRId64 " %12" PRId64 " %12.6g %12.6g %12.6g\n", e->step,
                      e->examples, e->value, e->train_loss, e->learning_rate);
    }
}

static void describe(bl_buf *out, const bl_run_files *run) {
    const bl_json *head = run->header.root, *result = run->result.root;
    const bl_runlog *log = &run->parsed;
    const bl_runlog_eval *last = log->evals > 0 ? &log->eval[log->evals - 1] : NULL;
    bl_buf_printf(out, "run        %s (%s)\n", log->run, run->dir);
    bl_buf_printf(out, "state      %s, outcome %s\n", run->state,
                  bl_json_text(result, "outcome", "-"));
    bl_buf_printf(out, "steps      %" PRId64 ", %" PRId64 " examples\n",
                  last != NULL ? last->step : 0, last != NULL ? last->examples : 0);
    bl_buf_printf(out, "log        sha256 %s\n", bl_json_text(result, "log_sha256", "-"));
    bl_buf_str(out, "data       ");
    bl_json_show(out, bl_json_get(head, "dataset"));
    bl_buf_printf(out, "\nnumerics   epoch %" PRId64 ", %s\n", bl_json_int(head, "epoch", 0),
                  bl_json_text(head, "level", "?"));
    bl_buf_str(out, "\nconfiguration\n");
    members(out, bl_json_get(head, "config"));
    evaluations(out, log);
    if (result == NULL) return;
    bl_buf_str(out, "\nenvironment\n");
    members(out, bl_json_get(result, "environment"));
}

int bl_cmd_show(int argc, char **argv) {
    bl_args args;
    const int rc = bl_args_read(&args, NULL, 0, k_usage, argc, argv);
    if (rc >= 0) return rc;
    if (args.operand == NULL) {
        (void)fprintf(stderr, "batchlab: which run?\nusage: batchlab %s\n", k_usage);
        return BL_EXIT_USAGE;
    }
    bl_err err = {0};
    char path[BL_PATH];
    bl_run_files run;
    if (bl_run_find(path, bl_runs_dir(), args.operand, &err) != BL_OK ||
        bl_run_files_read(&run, path, &err) != BL_OK)
        return bl_cli_fail(&err);
    bl_buf out = {0};
    describe(&out, &run);
    bl_run_files_free(&run);
    (void)fwrite(bl_buf_text(&out), 1, out.len, stdout);
    bl_buf_free(&out);
    return BL_EXIT_DONE;
}
