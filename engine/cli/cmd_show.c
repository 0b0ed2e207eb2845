/* batchlab show RUN: one run from its files: configuration, outcome, evaluations, environment.
 * show NAME --model: the net that an experiment trains. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/experiment.h"
#include "engine/cli/show_model.h"
#include "engine/store/run_files.h"
#include "engine/train/train.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MODEL, FUSED, JSON, PRESET, SET, SYNTHETIC, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [MODEL]     = {"--model",     NULL, NULL,        "NAME is an experiment: its net, layer by layer"},
    [FUSED]     = {"--fused",     NULL, NULL,        "with --model: also which layers are carried out as one"},
    [JSON]      = {"--json",      NULL, NULL,        "with --model: one JSON object"},
    [PRESET]    = {"--preset",    NULL, "NAME",      "with --model: of this preset"},
    [SET]       = {"--set",       NULL, "KEY=VALUE", "with --model: change one key; may be repeated", .repeats = true},
    [SYNTHETIC] = {"--synthetic", NULL, NULL,        "with --model: for the generated data set"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");
enum { LAST_EVALUATIONS = 12 };

/* Members of an object, one a line. */
static void members(bl_buf *out, const bl_json *object) {
    for (const bl_json *m = object != NULL ? object->first : NULL; m != NULL; m = m->next) {
        bl_buf_printf(out, "  %-26s ", m->key);
        bl_json_show(out, m);
        bl_buf_str(out, "\n");
    }
}

/* A column more where the run has means over batches. `average`: of which weights the values are,
 * as eval.average says. */
static void evaluations(bl_buf *out, const bl_runlog *log, const char *average, bool batch_mean) {
    const size_t first = log->evals > LAST_EVALUATIONS ? log->evals - LAST_EVALUATIONS : 0;
    bl_buf_printf(out, "\nevaluations (%zu of %zu)%s\n  %10s %12s %12s %12s %12s%s\n",
                  log->evals - first, log->evals,
                  strcmp(average, "none") != 0 ? ", by averaged weights" : "", "step", "examples",
                  "value", "train loss", "rate", batch_mean ? "   batch mean" : "");
    for (size_t i = first; i < log->evals; i++) {
        const bl_runlog_eval *e = &log->eval[i];
        bl_buf_printf(out, "  %10" PRId64 " %12" PRId64 " %12.6g %12.6g %12.6g", e->step,
                      e->examples, e->value, e->train_loss, e->learning_rate);
        if (batch_mean) bl_buf_printf(out, " %12.6g", e->batch_mean);
        bl_buf_str(out, "\n");
    }
}

/* What trained it, beside its configuration: data and numerics, or a program. */
static void origin(bl_buf *out, const bl_json *head) {
    const int64_t protocol = bl_json_int(head, "protocol", 0),
                  repeat = bl_json_int(head, "repeat", 0);
    if (protocol == 0) {
        bl_buf_str(out, "data       ");
        bl_json_show(out, bl_json_get(head, "dataset"));
        bl_buf_printf(out, "\nnumerics   epoch %" PRId64 ", %s\n", bl_json_int(head, "epoch", 0),
                      bl_json_text(head, "level", "?"));
        return;
    }
    if (bl_json_bool(head, "imported", false))
        bl_buf_str(out, "imported   trained elsewhere, read by `batchlab import`");
    else
        bl_buf_printf(out, "program    protocol %" PRId64, protocol);
    if (repeat > 0) bl_buf_printf(out, ", repeat %" PRId64, repeat);
    bl_buf_printf(out, "\ninputs     sha256 %s\n", bl_json_text(head, "inputs", "-"));
}

/* Identity, state, outcome, configuration, evaluations and environment of a run. */
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
    origin(out, head);
    bl_buf_str(out, "\nconfiguration\n");
    const bl_json *config = bl_json_get(head, "config");
    members(out, config);
    evaluations(out, log, bl_json_text(config, "eval.average", "none"),
                bl_json_bool(config, "eval.batch_mean", false));
    if (result == NULL) return;
    bl_buf_str(out, "\nenvironment\n");
    members(out, bl_json_get(result, "environment"));
}

static bl_status describe_model(bl_buf *out, bl_experiment *e, const bl_args *args, bl_err *err) {
    const bool json = bl_args_has(args, JSON), fused = bl_args_has(args, FUSED);
    char words[512];
    bl_net net = {0};
    const bl_status status = bl_train_net(&net, &e->config, &e->data, err);
    (void)snprintf(words, sizeof words, "%s: model %s on data set %s", e->config.name,
                   e->config.model.kind, e->data.name);
    if (status == BL_OK && json)
        bl_cli_model_json(out, &net, e->config.name, e->config.model.kind, fused);
    else if (status == BL_OK)
        bl_cli_model_text(out, &net, words, fused);
    bl_net_free(&net);
    return status;
}

/* The data set is opened, since the widths of embeddings are in its rows. */
static int show_model(const bl_args *args) {
    bl_err err = {0};
    bl_buf out = {0};
    bl_experiment *e = bl_xalloc(sizeof *e);
    bl_status status = bl_experiment_config(e, args->operand, args->value[PRESET], args, &err);
    if (status == BL_OK && bl_config_is_imported(&e->config))
        status = BL_ERR(&err, BL_EINVAL, "%s holds imported runs: batchlab knows no layers of them",
                        args->operand);
    else if (status == BL_OK && bl_config_is_external(&e->config))
        status = BL_ERR(&err, BL_EINVAL,
                        "%s is trained by a program of your own: batchlab knows no layers of it",
                        args->operand);
    else if (status == BL_OK && strcmp(e->config.dataset, "none") == 0)
        status = BL_ERR(&err, BL_EINVAL, "model %s is no net of layers", e->config.model.kind);
    const bl_dataset_options options = bl_cli_dataset_options(bl_args_has(args, SYNTHETIC));
    if (status == BL_OK) status = bl_dataset_open(&e->data, e->config.dataset, &options, &err);
    if (status == BL_OK) status = bl_experiment_layers(e, &e->data, &err);
    if (status == BL_OK) status = describe_model(&out, e, args, &err);
    bl_experiment_close(e);
    free(e);
    bl_cli_print(stdout, bl_buf_text(&out));
    bl_buf_free(&out);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}

static int show_run(const bl_args *args) {
    if (bl_args_has(args, MODEL)) return show_model(args);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (bl_args_has(args, i))
            return bl_cli_usage(args, "%s goes with --model", k_options[i].name);
    bl_err err = {0};
    char path[BL_PATH];
    bl_run_files run;
    if (bl_run_find(path, bl_cli_runs_dir(), args->operand, &err) != BL_OK ||
        bl_run_files_read(&run, path, &err) != BL_OK)
        return bl_cli_fail(&err);
    bl_buf out = {0};
    describe(&out, &run);
    bl_run_files_free(&run);
    bl_cli_print(stdout, bl_buf_text(&out));
    bl_buf_free(&out);
    return BL_EXIT_DONE;
}

const bl_command bl_cmd_show = {
    .name = "show",
    .does = "one run; or the net of an experiment",
    .arguments = "RUN | show NAME --model",
    .group = BL_GROUP_LOOK,
    .sentence = "Shows one run with its settings and its last values, or with --model the net of "
                "an experiment, layer by layer. A run is named by at least four characters of its "
                "id, or by its log.",
    .example = "batchlab show r75647",
    .shows = "run        r75647fb9dd04 (runs/quadratic/r75647fb9dd04)\n"
             "state      done, outcome budget\n"
             "...\n",
    .exits = {{BL_EXIT_DAMAGE, ""}, {BL_EXIT_UNAVAILABLE, ""}},
    .operand = BL_OPERAND_RUN,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = show_run,
};
