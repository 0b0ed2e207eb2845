/* batchlab recommend, plot and report NAME: the answer, from the files of the last sweep. The plan
 * is that of the last sweep alone; what another preset's sweep found is in the report that it left.
 */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/stores.h"
#include "engine/report/analyse.h"
#include "engine/report/report_folder.h"
#include "engine/report/report_stamp.h"
#include "engine/report/text/recommendation.h"
#include "engine/report/write.h"
#include <stdio.h>
#include <string.h>

/* The plan tells of a run even when its log is gone. Then it is believed, and that is said. */
static void note_missing_logs(const bl_report_model *m, const char *name) {
    size_t gone = 0;
    for (size_t i = 0; i < m->run_count; i++) {
        const bl_report_run *r = &m->runs[i];
        gone += r->evals == 0 && r->trial->steps > 0 &&
                r->trial->outcome != BL_OUTCOME_MEMORY; /* one that failed has no steps */
    }
    if (gone > 0)
        bl_cli_printf(
            stderr,
            "note: the logs of %zu of %zu runs are gone; what the plan says of them is not "
            "checked. `batchlab run %s` trains them again\n",
            gone, m->run_count, name);
}

/* The model of the last sweep's answer, with notes on standard error of what it rests on. */
static bl_status read_answer(bl_report_model *out, const char *name, bl_err *err) {
    char dir[BL_PATH];
    BL_TRY(bl_cli_runs_folder(dir, name, err));
    BL_TRY(bl_report_analyse(out, dir, err));
    if (!out->plan.sealed || !out->timing_sealed)
        bl_cli_printf(stderr,
                      "note: %s/%s was written before files had seals; `batchlab run` renews it\n",
                      dir, out->plan.sealed ? "timing.json" : "plan.jsonl");
    note_missing_logs(out, name);
    return BL_OK;
}

enum { PRESET, JSON, OPTION_COUNT };
enum { KEPT_LIMIT = 64 << 20 };
// clang-format off
static const bl_option k_options[] = {
    [PRESET] = {"--preset", NULL, "NAME", "of this preset's sweep (default: of the last sweep)"},
    [JSON]   = {"--json", NULL, NULL, "one JSON object instead of words; null is unknown"},
};
// clang-format on

/* Is the last sweep another preset's than the one asked for? */
static bool is_of_another(const bl_args *args, const bl_report_model *answer) {
    const char *preset = args->value[PRESET];
    return preset != NULL && strcmp(preset, answer->plan.head.preset) != 0;
}

/* The report that the preset's sweep left, with a note. */
static bl_status find_kept(char dir[BL_PATH], bool *answered, const bl_args *args,
                           const bl_report_model *answer, bl_err *err) {
    BL_TRY(bl_report_kept(dir, answered, bl_cli_reports_dir(), args->operand, args->value[PRESET],
                          err));
    bl_cli_printf(stderr, "note: the last sweep is of preset '%s'; this report was kept in %s/\n",
                  answer->plan.head.preset, dir);
    return BL_OK;
}

static bl_status recommend_kept(bl_buf *out, bool *answered, const bl_args *args,
                                const bl_report_model *answer, bl_err *err) {
    char dir[BL_PATH], path[BL_PATH];
    BL_TRY(find_kept(dir, answered, args, answer, err));
    BL_TRY(
        bl_path(path, err, "%s/recommendation.%s", dir, bl_args_has(args, JSON) ? "json" : "txt"));
    return bl_file_read(out, path, KEPT_LIMIT, err);
}

static bl_status recommendation(bl_buf *out, bool *answered, const bl_args *args, bl_err *err) {
    bl_report_model answer;
    bl_status status = BL_OK;
    BL_TRY(read_answer(&answer, args->operand, err));
    *answered = answer.answered;
    if (is_of_another(args, &answer)) {
        status = recommend_kept(out, answered, args, &answer, err);
    } else if (bl_args_has(args, JSON)) {
        bl_recommendation_json(&answer, out);
        bl_buf_str(out, "\n");
    } else {
        bl_recommendation_text(&answer, out);
    }
    bl_report_model_free(&answer);
    return status;
}

/* The answer to stdout. It is read from files: nothing is trained or drawn. */
static int recommend(const bl_args *args) {
    bl_err err = {0};
    bl_buf out = {0};
    bool answered = false;
    const bl_status status = recommendation(&out, &answered, args, &err);
    if (status == BL_OK) bl_cli_print(stdout, bl_buf_text(&out));
    bl_buf_free(&out);
    if (status != BL_OK) return bl_cli_fail(&err);
    return answered ? BL_EXIT_DONE : BL_EXIT_NO_ANSWER;
}

const bl_command bl_cmd_recommend = {
    .name = "recommend",
    .does = "which batch size, at which learning rate, at what cost",
    .arguments = "NAME [--preset NAME] [--json]",
    .group = BL_GROUP_ANSWER,
    .sentence = "Says which batch size to train with, at which learning rate and at what cost, "
                "from the finished runs. Nothing is trained.",
    .example = "batchlab recommend quadratic",
    .shows = "quadratic, preset tiny, no data: training until expected_loss <= 0.1\n"
             "\n"
             "batch   best lr   steps   examples ...\n"
             "    1    0.0625   1,792      1,792 ...\n"
             "...\n",
    .exits = {{BL_EXIT_DAMAGE, ""}, {BL_EXIT_NO_ANSWER, ""}},
    .operand = BL_OPERAND_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = recommend,
};

/* Everything into the preset's folder, and the links to it. */
static bl_status write_files(const bl_report_model *answer, const char *name, char dir[BL_PATH],
                             const bl_buf *inputs, bl_err *err) {
    const char *reports = bl_cli_reports_dir();
    BL_TRY(bl_report_place(dir, reports, name, answer->plan.head.preset, answer->answered, err));
    const bl_status status = bl_report_write(answer, dir, bl_cli_templates_dir(), inputs, err);
    if (status != BL_OK && status != BL_EUNSUPPORTED) return status;
    const bl_status linked =
        bl_report_make_current(reports, name, dir, answer->answered, status == BL_OK ? err : NULL);
    return status != BL_OK ? status : linked;
}

/* Writes everything under the preset's folder in reports/NAME/ and names what `file` says. The
 * stamp is older than the answer: a plan that changes in between is drawn again by the sweep. */
static int write_report(const bl_args *args, const char *file) {
    bl_report_model answer;
    bl_err err = {0};
    char dir[BL_PATH];
    bl_buf inputs = {0};
    bool answered = false;
    bl_status status = BL_OK;
    BL_GOTO(bl_path(dir, &err, "%s/%s", bl_cli_runs_dir(), args->operand));
    BL_GOTO(bl_report_stamp_make(&inputs, dir, bl_cli_templates_dir(), &err));
    BL_GOTO(read_answer(&answer, args->operand, &err));
    answered = answer.answered;
    status = is_of_another(args, &answer) ? find_kept(dir, &answered, args, &answer, &err)
                                          : write_files(&answer, args->operand, dir, &inputs, &err);
    bl_report_model_free(&answer);
done:
    bl_buf_free(&inputs);
    if (status != BL_OK) return bl_cli_fail(&err);
    bl_cli_printf(stdout, "%s/%s\n", dir, file);
    return answered ? BL_EXIT_DONE : BL_EXIT_NO_ANSWER;
}

static int plot(const bl_args *args) {
    return write_report(args, "");
}

const bl_command bl_cmd_plot = {
    .name = "plot",
    .does = "draw the figures from logs alone",
    .arguments = "NAME [--preset NAME]",
    .group = BL_GROUP_ANSWER,
    .sentence =
        "Draws the figures from logs alone and prints the folder they are in. Nothing is trained.",
    .example = "batchlab plot quadratic",
    .shows = "reports/quadratic/tiny/\n",
    .exits = {{BL_EXIT_DAMAGE, ""},
              {BL_EXIT_NO_ANSWER, ""},
              {BL_EXIT_UNAVAILABLE, "gnuplot is not installed"}},
    .operand = BL_OPERAND_EXPERIMENT,
    .options = k_options,
    .option_count = JSON,
    .run = plot,
};

static int report(const bl_args *args) {
    return write_report(args, "report.html");
}

const bl_command bl_cmd_report = {
    .name = "report",
    .does = "figures, tables and a single-file HTML report",
    .arguments = "NAME [--preset NAME]",
    .group = BL_GROUP_ANSWER,
    .sentence = "Writes figures, tables and the report as one HTML file, and prints its path. "
                "Nothing is trained.",
    .example = "batchlab report quadratic",
    .shows = "reports/quadratic/tiny/report.html\n",
    .exits = {{BL_EXIT_DAMAGE, ""},
              {BL_EXIT_NO_ANSWER, ""},
              {BL_EXIT_UNAVAILABLE, "gnuplot is not installed"}},
    .operand = BL_OPERAND_EXPERIMENT,
    .options = k_options,
    .option_count = JSON,
    .run = report,
};
