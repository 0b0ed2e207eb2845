/* batchlab ls [NAME]: the runs in the store, one a line. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/stores.h"
#include "engine/report/text/labels.h"
#include "engine/store/run_files.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { JSON, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [JSON] = {"--json", NULL, NULL, "one JSON object per run"},
};
// clang-format on

typedef struct row {
    const char *experiment, *run, *state, *outcome;
    int64_t batch_size, seed, steps;
    double learning_rate, value;
    const char *dataset, *variant;
    bool synthetic;
    bool external, imported; /* trained by a program; elsewhere */
    const bl_json *config;
    const bl_plan_differing *settings; /* in which the experiment's runs differ */
} row;

/* A run as one line of JSON; what is not known is null. */
static void show_json(const row *r) {
    bl_buf line = {0};
    bl_jw w = bl_jw_open(&line);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "experiment", r->experiment);
    bl_jw_str(&w, "run", r->run);
    bl_jw_str(&w, "state", r->state);
    bl_jw_i64(&w, "batch_size", r->batch_size);
    bl_jw_f64(&w, "learning_rate", r->learning_rate);
    bl_jw_i64(&w, "seed", r->seed);
    bl_jw_i64(&w, "steps", r->steps);
    bl_jw_str(&w, "outcome", r->outcome);
    bl_jw_f64(&w, "value", r->value);
    bl_jw_str(&w, "dataset", r->dataset);
    bl_jw_str(&w, "variant", r->variant);
    bl_jw_bool(&w, "synthetic", r->synthetic);
    if (r->imported) bl_jw_bool(&w, "imported", true);
    bl_jw_str(&w, "metric", bl_json_text(r->config, "metric", ""));
    bl_jw_object(&w, "settings");
    for (size_t i = 0; i < r->settings->count; i++) {
        const bl_json *value = bl_json_get(r->config, r->settings->v[i].key);
        if (value != NULL) bl_jw_value(&w, r->settings->v[i].key, value);
    }
    bl_jw_end(&w);
    bl_jw_end(&w);
    bl_jw_line(&w);
    (void)fwrite(line.data, 1, line.len, stdout);
    bl_buf_free(&line);
}

/* "  optimizer.name=adam optimizer.beta2=0.999" */
static void settings_text(bl_buf *out, const row *r) {
    for (size_t i = 0; i < r->settings->count; i++) {
        const char *key = r->settings->v[i].key;
        const bl_json *value = bl_json_get(r->config, key);
        if (value == NULL) continue;
        bl_buf_printf(out, "%s%s=", i == 0 ? "  " : " ", key);
        if (value->type == BL_JSON_STRING)
            bl_buf_str(out, value->string);
        else
            bl_json_show(out, value);
    }
}

static void show_text(const row *r) {
    bl_buf data = {0};
    if (r->external)
        bl_buf_str(&data, r->imported ? BL_IMPORTED_LABEL : BL_EXTERNAL_LABEL);
    else
        bl_label_dataset(&data, r->dataset, r->variant, r->synthetic);
    settings_text(&data, r);
    bl_cli_printf(
        stdout, "%-16s %s  %-11s %6" PRId64 " %12.6g %4" PRId64 " %9" PRId64 "  %-8s %10.6g  %s\n",
        r->experiment, r->run, r->state, r->batch_size, r->learning_rate, r->seed, r->steps,
        r->outcome, r->value, bl_buf_text(&data));
    bl_buf_free(&data);
}

/* A run whose files cannot be read is listed as damaged, so that the others are seen. */
static void show_run(const char *experiment, const char *id, const bl_run_files *run,
                     const bl_plan_differing *settings, bool json) {
    row r = {.experiment = experiment,
             .run = id,
             .state = run->state != NULL ? run->state : "damaged",
             .outcome = bl_json_text(run->result.root, "outcome", "-"),
             .learning_rate = (double)NAN,
             .value = (double)NAN,
             .settings = settings};
    const bl_json *config = bl_json_get(run->header.root, "config");
    r.config = config;
    r.batch_size = bl_json_int(config, "train.batch_size", 0);
    r.learning_rate = bl_json_number(config, "train.learning_rate", (double)NAN);
    r.seed = bl_json_int(config, "train.seed", 0);
    const bl_json *dataset = bl_json_get(run->header.root, "dataset");
    r.dataset = bl_json_text(dataset, "name", "");
    r.variant = bl_json_text(dataset, "variant", "");
    r.synthetic = bl_json_bool(dataset, "synthetic", false);
    r.external = bl_json_get(run->header.root, "protocol") != NULL;
    r.imported = bl_json_bool(run->header.root, "imported", false);
    if (run->parsed.evals > 0) {
        r.steps = run->parsed.eval[run->parsed.evals - 1].step;
        r.value = run->parsed.eval[run->parsed.evals - 1].value;
    }
    (json ? show_json : show_text)(&r);
}

/* The runs of one experiment, in the order of their ids. */
static bl_status list(const char *experiment, bool json, bl_err *err) {
    char dir[BL_PATH], path[BL_PATH];
    bl_names names;
    bl_plan_differing settings = {0};
    BL_TRY(bl_path(dir, err, "%s/%s", bl_cli_runs_dir(), experiment));
    bl_status status = bl_dir_list(&names, dir, err);
    if (status == BL_OK) status = bl_cli_differing(&settings, dir, &names, false, err);
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        if (!bl_store_is_run_id(names.name[i])) continue;
        bl_run_files run;
        bl_err unread = {0};
        status = bl_path(path, err, "%s/%s", dir, names.name[i]);
        if (status != BL_OK) break;
        /* A folder with neither log nor result is a run that has not got to its first files. */
        if (bl_run_files_read(&run, path, &unread) != BL_OK && unread.code == BL_EMISSING) continue;
        show_run(experiment, names.name[i], &run, &settings, json);
        bl_run_files_free(&run);
    }
    bl_names_free(&names);
    bl_plan_differing_free(&settings);
    return status;
}

static int list_runs(const bl_args *args) {
    bl_err err = {0};
    const bool json = bl_args_has(args, JSON);
    bl_names names = {0};
    bl_status status = bl_cli_find_stores(&names, args->operand, &err);
    if (status == BL_OK && !json)
        bl_cli_printf(stdout, "%-16s %-12s  %-11s %6s %12s %4s %9s  %-8s %10s\n", "experiment",
                      "run", "state", "batch", "rate", "seed", "steps", "outcome", "value");
    for (size_t i = 0; status == BL_OK && i < names.count; i++)
        status = list(names.name[i], json, &err);
    bl_names_free(&names);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}

const bl_command bl_cmd_ls = {
    .name = "ls",
    .does = "the runs in the store, one a line",
    .arguments = "[NAME] [--json]",
    .group = BL_GROUP_LOOK,
    .sentence = "Lists the runs in the store, one a line: state, batch size, learning rate, seed, "
                "steps, outcome, last value, data, and every setting in which the runs differ.",
    .example = "batchlab ls quadratic",
    .shows = "experiment       run           state        batch ...\n"
             "quadratic        r0041271e59b6  done            16 ...\n"
             "...\n",
    .operand = BL_OPERAND_ANY_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = list_runs,
};
