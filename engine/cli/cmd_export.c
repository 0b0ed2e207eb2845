/* batchlab export NAME: every evaluation of every finished run, for pandas, R and DuckDB, or for
 * TensorBoard; or what the answer is fitted to. */
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/cli/command.h"
#include "engine/cli/stores.h"
#include "engine/export/evals.h"
#include "engine/export/fit_rows.h"
#include "engine/plan/series.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CSV, JSONL, TFEVENTS, STEPS, OUTPUT, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [CSV]      = {"--csv",      NULL, NULL,  "a header and comma-separated values (default); empty: no number"},
    [JSONL]    = {"--jsonl",    NULL, NULL,  "one JSON object a line; null: no number"},
    [TFEVENTS] = {"--tfevents", NULL, NULL,  "a folder for TensorBoard, with one in it for each run"},
    [STEPS]    = {"--steps",    NULL, NULL,  "steps to the target at each best rate: a table for `batchlab fit`"},
    [OUTPUT]   = {"--output",   "-o", "DIR", "with --tfevents: where (default NAME.tfevents)"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

/* What becomes of the runs. */
typedef struct export_options {
    int form;                   /* CSV, JSONL, TFEVENTS, STEPS */
    char dir[512];              /* of TFEVENTS */
    bl_plan_differing settings; /* in which the runs differ */
    bl_plan_doc plan;           /* of the last sweep; no trials where there is none */
    const char **series;        /* of its trials */
    size_t runs;
} export_options;

static bl_status print_rows(const bl_run_files *run, const export_options *w, bl_err *err) {
    bl_buf out = {0};
    const size_t trial = bl_plan_first_trial(&w->plan, run->parsed.run);
    (w->form == JSONL ? bl_export_jsonl : bl_export_csv)(&out, run, &w->settings,
                                                         trial != SIZE_MAX ? w->series[trial] : "");
    const bool written = fwrite(bl_buf_text(&out), 1, out.len, stdout) == out.len;
    bl_buf_free(&out);
    if (!written) BL_FAIL(err, BL_EIO, "cannot write to standard output");
    return BL_OK;
}

/* In which settings do these runs differ? And the table's header, which names them. */
static bl_status begin_table(const char *dir, const bl_names *names, export_options *w,
                             bl_err *err) {
    bl_buf header = {0};
    bl_err no_plan; /* runs are exported without one, too: they then have no series */
    if (bl_plan_read(&w->plan, dir, &no_plan) != BL_OK) w->plan = (bl_plan_doc){0};
    w->series = bl_xalloc((w->plan.trial_count + 1) * sizeof *w->series);
    bl_plan_series(w->series, &w->plan);
    BL_TRY(bl_cli_differing(&w->settings, dir, names, true, err));
    if (w->form != CSV) return BL_OK;
    bl_export_header(&header, &w->settings);
    (void)fputs(bl_buf_text(&header), stdout);
    bl_buf_free(&header);
    return BL_OK;
}

/* Runs that are not finished are left out. */
static bl_status export_run(const char *dir, const char *id, export_options *w, bl_err *err) {
    char path[BL_PATH];
    bl_run_files run;
    BL_TRY(bl_path(path, err, "%s/%s/result.json", dir, id));
    if (!bl_store_is_run_id(id) || !bl_file_exists(path)) return BL_OK;
    path[strlen(path) - strlen("/result.json")] = '\0';
    BL_TRY(bl_run_files_read(&run, path, err));
    const bl_status status = w->form == TFEVENTS
                                 ? bl_export_tfevents(&run, &w->settings, w->dir, err)
                                 : print_rows(&run, w, err);
    bl_run_files_free(&run);
    w->runs++;
    return status;
}

/* Every finished run of the experiment, in the order of their ids, to stdout or into w->dir. */
static bl_status export(const char *name, export_options *w, bl_err *err) {
    char dir[BL_PATH];
    bl_names names;
    BL_TRY(bl_cli_runs_folder(dir, name, err));
    BL_TRY(bl_dir_list(&names, dir, err));
    bl_status status = begin_table(dir, &names, w, err);
    for (size_t i = 0; status == BL_OK && i < names.count; i++)
        status = export_run(dir, names.name[i], w, err);
    bl_names_free(&names);
    bl_plan_differing_free(&w->settings);
    bl_plan_free(&w->plan);
    free(w->series);
    if (status == BL_OK && w->form == TFEVENTS) {
        bl_buf dir_word = {0};
        bl_text_shell_word(&dir_word, w->dir);
        bl_cli_printf(stdout, "%s: %zu runs (tensorboard --logdir %s)\n", w->dir, w->runs,
                      bl_buf_text(&dir_word));
        bl_buf_free(&dir_word);
    }
    if (status == BL_OK && (fflush(stdout) != 0 || ferror(stdout)))
        BL_FAIL(err, BL_EIO, "cannot write to standard output");
    return status;
}

/* The table of `batchlab fit`, from the plan of the last sweep. */
static bl_status print_steps(const char *name, bl_err *err) {
    char dir[BL_PATH];
    bl_plan_doc plan;
    bl_buf out = {0};
    BL_TRY(bl_cli_runs_folder(dir, name, err));
    BL_TRY(bl_plan_read(&plan, dir, err));
    bl_status status = bl_export_fit_rows(&out, &plan, err);
    if (status == BL_OK && (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0))
        status = BL_ERR(err, BL_EIO, "cannot write to standard output");
    bl_buf_free(&out);
    bl_plan_free(&plan);
    return status;
}

/* NULL, or what is wrong with the options. */
static const char *read_options(const bl_args *args, export_options *w) {
    int forms = 0;
    w->form = CSV;
    for (int form = CSV; form <= STEPS; form++) {
        if (!bl_args_has(args, (size_t)form)) continue;
        w->form = form;
        forms++;
    }
    if (forms > 1) return "one of --csv, --jsonl, --tfevents and --steps";
    const char *dir = args->value[OUTPUT];
    if (dir != NULL && w->form != TFEVENTS) return "--output goes with --tfevents";
    const int n = dir != NULL ? snprintf(w->dir, sizeof w->dir, "%s", dir)
                              : snprintf(w->dir, sizeof w->dir, "%s.tfevents", args->operand);
    return n > 0 && n < (int)sizeof w->dir ? NULL : "the folder's name is empty or too long";
}

static int export_runs(const bl_args *args) {
    bl_err err = {0};
    export_options w = {0};
    const char *problem = read_options(args, &w);
    if (problem != NULL) return bl_cli_usage(args, "%s", problem);
    const bl_status status =
        w.form == STEPS ? print_steps(args->operand, &err) : export(args->operand, &w, &err);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}

const bl_command bl_cmd_export = {
    .name = "export",
    .does = "every evaluation, as a table or for TensorBoard",
    .arguments = "NAME [--csv | --jsonl | --tfevents [-o DIR] | --steps]",
    .group = BL_GROUP_ANSWER,
    .sentence =
        "Writes every evaluation of every finished run as a table, or as a folder for TensorBoard.",
    .example = "batchlab export quadratic --steps",
    .shows = "batch_size,steps,seed,censored,steps_prev,target\n"
             "1,1792,1,0,1706,0.1\n"
             "...\n",
    .exits = {{BL_EXIT_DAMAGE, ""}},
    .operand = BL_OPERAND_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = export_runs,
};
