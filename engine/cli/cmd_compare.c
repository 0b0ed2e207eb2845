/* batchlab compare A B: two finished sweeps side by side, from their answers alone. An answer is
 * that of the last sweep, or what an earlier preset's sweep left in its report. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/stores.h"
#include "engine/report/analyse.h"
#include "engine/report/report_folder.h"
#include "engine/report/sides.h"
#include "engine/report/text/recommendation.h"
#include "engine/report/text/sides_text.h"
#include <stdio.h>
#include <string.h>

enum { PRESET, OUT, JSON, OPTION_COUNT };
enum { KEPT_LIMIT = 64 << 20, NAME_SIZE = 128 };
// clang-format off
static const bl_option k_options[] = {
    [PRESET] = {"--preset", NULL, "NAME", "of a sweep that is named without a preset"},
    [OUT]    = {"--out", "-o", "DIR", "where the figure goes (default: reports/compare/A-B)"},
    [JSON]   = {"--json", NULL, NULL, "one JSON object instead of words; null is unknown"},
};
// clang-format on

/* One sweep as the line names it: NAME or NAME:PRESET. */
typedef struct sweep_name {
    char name[NAME_SIZE];
    const char *preset; /* NULL: the last sweep's */
} sweep_name;

/* False: no experiment can have the name. */
static bool read_name(sweep_name *out, const char *word, const char *preset) {
    const size_t n = strcspn(word, ":");
    if (n == 0 || n >= sizeof out->name || word[0] == '.' || strchr(word, '/') != NULL ||
        strcmp(word + n, ":") == 0)
        return false;
    memcpy(out->name, word, n);
    out->name[n] = '\0';
    out->preset = word[n] == ':' ? word + n + 1 : preset;
    return true;
}

/* The last sweep's answer, if it is of the preset; *found says so. */
static bl_status read_last(bl_buf *json, bool *found, const sweep_name *w, bl_err *err) {
    char dir[BL_PATH];
    bl_report_model model;
    *found = false;
    BL_TRY(bl_cli_runs_folder(dir, w->name, err));
    BL_TRY(bl_report_analyse(&model, dir, err));
    *found = w->preset == NULL || strcmp(w->preset, model.plan.head.preset) == 0;
    if (*found) bl_recommendation_json(&model, json);
    bl_report_model_free(&model);
    return BL_OK;
}

/* Without runs of that name the report of a preset may still be there. */
static bl_status read_answer(bl_buf *json, const sweep_name *w, bl_err *err) {
    char dir[BL_PATH], path[BL_PATH];
    bool found, answered;
    const bl_status status = read_last(json, &found, w, err);
    if (found || (status != BL_OK && (status != BL_EMISSING || w->preset == NULL))) return status;
    BL_TRY(bl_report_kept(dir, &answered, bl_cli_reports_dir(), w->name, w->preset, err));
    BL_TRY(bl_path(path, err, "%s/recommendation.json", dir));
    return bl_file_read(json, path, KEPT_LIMIT, err);
}

static bl_status read_side(bl_sides *sides, int which, const sweep_name *w, const char *word,
                           bl_err *err) {
    bl_buf json = {0};
    bl_status status = read_answer(&json, w, err);
    if (status == BL_OK)
        status = bl_sides_read(sides, which, word, bl_buf_text(&json), json.len, err);
    bl_buf_free(&json);
    return status;
}

/* reports/compare/A-B, with a dot for the colon. */
static bl_status place_of(char out[BL_PATH], const bl_args *args, bl_err *err) {
    if (bl_args_has(args, OUT)) return bl_path(out, err, "%s", args->value[OUT]);
    BL_TRY(
        bl_path(out, err, "%s/compare/%s-%s", bl_cli_reports_dir(), args->operand, args->second));
    for (char *at = out + strlen(bl_cli_reports_dir()); *at != '\0'; at++)
        if (*at == ':') *at = '.';
    return BL_OK;
}

/* The words and JSON beside the figure. */
static bl_status write_words(const bl_sides *sides, const char *dir, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_status status = BL_OK;
    BL_GOTO(bl_make_dirs(dir, err));
    BL_GOTO(bl_path(path, err, "%s/compare.txt", dir));
    bl_sides_words(&text, sides);
    BL_GOTO(bl_file_write(path, bl_buf_text(&text), text.len, err));
    bl_buf_clear(&text);
    BL_GOTO(bl_path(path, err, "%s/compare.json", dir));
    bl_sides_json(&text, sides);
    BL_GOTO(bl_file_write(path, bl_buf_text(&text), text.len, err));
done:
    bl_buf_free(&text);
    return status;
}

/* Without gnuplot the words are there all the same, and a note says what is not. */
static bl_status show(const bl_sides *sides, const bl_args *args, bl_err *err) {
    char dir[BL_PATH];
    bl_buf text = {0};
    BL_TRY(place_of(dir, args, err));
    BL_TRY(write_words(sides, dir, err));
    const bl_status drawn = bl_sides_write(sides, dir, bl_cli_templates_dir(), err);
    if (drawn != BL_OK && drawn != BL_EUNSUPPORTED) return drawn;
    if (bl_args_has(args, JSON))
        bl_sides_json(&text, sides);
    else
        bl_sides_words(&text, sides);
    bl_cli_print(stdout, bl_buf_text(&text));
    bl_buf_free(&text);
    if (drawn != BL_OK)
        bl_cli_printf(stderr, "note: %s\n", err->text);
    else
        bl_cli_printf(bl_args_has(args, JSON) ? stderr : stdout, "\nFigure: %s/compare.svg\n", dir);
    return BL_OK;
}

static bool has_answer(const bl_side *side) {
    return bl_json_bool(side->doc.root, "answered", false);
}

static int compare_sweeps(const bl_args *args) {
    const char *const word[2] = {args->operand, args->second};
    bl_sides sides = {0};
    bl_err err = {0};
    bl_status status = BL_OK;
    bool answered = false;
    for (int i = 0; i < 2; i++) {
        sweep_name name;
        if (!read_name(&name, word[i], args->value[PRESET])) {
            bl_sides_free(&sides);
            return bl_cli_usage(args, "'%s': expected NAME or NAME:PRESET", word[i]);
        }
        BL_GOTO(read_side(&sides, i, &name, word[i], &err));
    }
    BL_GOTO(bl_sides_join(&sides, &err));
    BL_GOTO(show(&sides, args, &err));
    answered = has_answer(&sides.side[0]) && has_answer(&sides.side[1]);
done:
    bl_sides_free(&sides);
    if (status != BL_OK) return bl_cli_fail(&err);
    return answered ? BL_EXIT_DONE : BL_EXIT_NO_ANSWER;
}

const bl_command bl_cmd_compare = {
    .name = "compare",
    .does = "two finished sweeps side by side, and what is settled",
    .arguments = "A B [--preset NAME] [-o DIR] [--json]",
    .group = BL_GROUP_ANSWER,
    .sentence = "Sets two finished sweeps side by side: rates, steps, times and critical batch "
                "sizes with intervals, their ratios, one figure, and what is settled between "
                "them. Nothing is trained.",
    .notes = "A and B are each NAME or NAME:PRESET. Without a preset it is the last sweep. An "
             "earlier preset's answer is read from the report that it left.\n"
             "Steps and times are compared where data, metric and target are the same. Where a "
             "sweep has several targets, the hardest of both counts.\n",
    .example = "batchlab compare quadratic:tiny quadratic:quick",
    .shows = "A  quadratic, preset tiny: no data, until expected_loss <= 0.1\n"
             "B  quadratic, preset quick: no data, until expected_loss <= 0.03\n"
             "Steps and times are until expected_loss <= 0.1, the hardest target of both.\n"
             "\n"
             "batch   rate A   steps A    rate B   steps B   B / A\n"
             "    1   0.0625     1,792   0.05488     1,724   0.962\n"
             "...\n"
             "Critical batch sizes\n"
             "  critical         A 45.8, B 56.6 (54.9 to 58.3), B / A 1.23\n"
             "...\n",
    .exits = {{BL_EXIT_DAMAGE, ""}, {BL_EXIT_NO_ANSWER, "a sweep has no answer"}},
    .operand = BL_OPERAND_TWO_SWEEPS,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = compare_sweeps,
};
