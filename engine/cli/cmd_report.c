/* batchlab recommend, plot and report NAME: the answer, from the files of the last sweep. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/report/analyse.h"
#include "engine/report/text/recommendation.h"
#include "engine/report/write.h"
#include <stdio.h>
#include <string.h>

static bl_status read_answer(bl_report_model *out, const char *name, bl_err *err) {
    char dir[BL_PATH];
    BL_TRY(bl_path(dir, err, "%s/%s", bl_cli_runs_dir(), name));
    if (!bl_dir_exists(dir))
        BL_FAIL(err, BL_EMISSING, "there are no runs of '%s' in %s/; `batchlab run %s` makes them",
                name, bl_cli_runs_dir(), name);
    return bl_report_analyse(out, dir, err);
}

/* -1 to go on, else the exit status. */
static int read_name(bl_args *args, const bl_option *options, size_t count, const char *usage,
                     int argc, char **argv) {
    const int rc = bl_args_read(args, options, count, usage, argc, argv);
    if (rc >= 0) return rc;
    if (args->operand != NULL && strchr(args->operand, '/') == NULL) return -1;
    (void)fprintf(stderr, "batchlab: %s\nusage: batchlab %s\n",
                  args->operand == NULL ? "which experiment?"
                                        : "the name of an experiment, not a path",
                  usage);
    return BL_EXIT_USAGE;
}

int bl_cmd_recommend(int argc, char **argv) {
    static const bl_option options[] = {
        {"--json", NULL, NULL, "one JSON object instead of words; null is unknown"}
    };
    bl_args args;
    bl_report_model answer;
    bl_err err = {0};
    const int rc =
        read_name(&args, options, BL_COUNT(options), "recommend NAME [--json]", argc, argv);
    if (rc >= 0) return rc;
    if (read_answer(&answer, args.operand, &err) != BL_OK) return bl_cli_fail(&err);
    bl_buf out = {0};
    if (bl_args_has(&args, 0)) {
        bl_recommendation_json(&answer, &out);
        bl_buf_str(&out, "\n");
    } else {
        bl_recommendation_text(&answer, &out);
    }
    (void)fwrite(bl_buf_text(&out), 1, out.len, stdout);
    const bool answered = answer.answered;
    bl_buf_free(&out);
    bl_report_model_free(&answer);
    return answered ? BL_EXIT_DONE : BL_EXIT_NO_ANSWER;
}

/* Writes everything under reports/NAME/ and names what `file` says. */
static int write_report(const char *usage, const char *file, int argc, char **argv) {
    bl_args args;
    bl_report_model answer;
    bl_err err = {0};
    char dir[BL_PATH];
    const int rc = read_name(&args, NULL, 0, usage, argc, argv);
    if (rc >= 0) return rc;
    if (bl_path(dir, &err, "%s/%s", bl_cli_reports_dir(), args.operand) != BL_OK ||
        read_answer(&answer, args.operand, &err) != BL_OK)
        return bl_cli_fail(&err);
    const bl_status status = bl_report_write(&answer, dir, bl_cli_templates_dir, &err);
    const bool answered = answer.answered;
    bl_report_model_free(&answer);
    if (status != BL_OK) return bl_cli_fail(&err);
    (void)printf("%s/%s\n", dir, file);
    return answered ? BL_EXIT_DONE : BL_EXIT_NO_ANSWER;
}

int bl_cmd_plot(int argc, char **argv) {
    return write_report("plot NAME", "", argc, argv);
}

int bl_cmd_report(int argc, char **argv) {
    return write_report("report NAME", "report.html", argc, argv);
}
