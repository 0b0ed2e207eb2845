/* batchlab machine NAME: what fits here, how long a step takes, and where the time goes. */
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/base/process.h"
#include "engine/cli/command.h"
#include "engine/cli/experiment.h"
#include "engine/cli/program_place.h"
#include "engine/cli/progress.h"
#include "engine/cli/signals.h"
#include "engine/machine/survey.h"
#include "engine/report/machine_read.h"
#include "engine/report/text/machine_text.h"
#include "engine/report/timing_read.h"
#include "engine/report/write.h"
#include "engine/sweep/sweep.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char k_notes[] =
    "Measures the batch sizes of the preset (--set sweep.batch_sizes=[100,127,128] for others): "
    "throughput and its knee, where the time of a step goes, memory, and the largest size that "
    "really ran within the limit. Each size is tried in a process of its own; one that runs out "
    "of memory is a result. Times by processor and clock tell a busy machine from a slow one.\n";

enum { PRESET, SET, SYNTHETIC, DEVICE, MEMORY, MARGIN, SECONDS, PROGRESS, JSON, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [PRESET]    = {"--preset",    NULL, "NAME",      "tiny, quick (default) or paper, as the experiment declares"},
    [SET]       = {"--set",       NULL, "KEY=VALUE", "change one key; may be repeated", .repeats = true},
    [SYNTHETIC] = {"--synthetic", NULL, NULL,        "use generated data although the real data are there"},
    [DEVICE]    = {"--device",    NULL, "cpu",       "where to compute: cpu, cuda, cuda:1"},
    [MEMORY]    = {"--memory",    NULL, "SIZE",      "the limit, such as 8G (default: the control group's, else what is free)"},
    [MARGIN]    = {"--margin",    NULL, "PERCENT",   "part of the limit that is kept free (default: 5)"},
    [SECONDS]   = {"--seconds",   NULL, "N",         "that the search for the largest size may take (default: 20)"},
    [PROGRESS]  = {"--progress",  NULL, "MODE",      "auto, plain, json or none"},
    [JSON]      = {"--json",      NULL, NULL,        "one JSON object instead of words; null is unknown"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

typedef struct wishes {
    double memory, margin, seconds; /* memory 0: look */
} wishes;

/* A number from `least` to `most`. */
static bool read_number(const char *text, double least, double most, double *out) {
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= least && *out <= most;
}

/* -1 to go on. */
static int read_wishes(const bl_args *args, wishes *w, bl_display *display) {
    *w = (wishes){.margin = 0.05, .seconds = 20};
    const char *memory = args->value[MEMORY], *margin = args->value[MARGIN],
               *seconds = args->value[SECONDS];
    if (memory != NULL && !bl_machine_read_bytes(memory, &w->memory))
        return bl_cli_usage(args, "--memory %s: expected a size such as 8G or 512M", memory);
    if (margin != NULL) {
        if (!read_number(margin, 0, 90, &w->margin))
            return bl_cli_usage(args, "--margin %s: expected a percentage from 0 to 90", margin);
        w->margin /= 100;
    }
    if (seconds != NULL && !read_number(seconds, 0, 86400, &w->seconds))
        return bl_cli_usage(args, "--seconds %s: expected a number from 0 to 86400", seconds);
    if (!bl_display_init(display, args->value[PROGRESS]))
        return bl_cli_usage(args, "--progress %s: expected auto, plain, json or none",
                            args->value[PROGRESS]);
    return -1;
}

/* No size is larger than an epoch: such a batch would hold examples twice. */
static bl_status check_sizes(const bl_experiment *e, bl_err *err) {
    const bl_i64_list *sizes = &e->config.sweep.batch_sizes;
    const int64_t rows = bl_train_epoch_rows(&e->config, &e->data);
    if (sizes->n == 0)
        BL_FAIL(err, BL_EINVAL, "no batch size to measure: sweep.batch_sizes is empty");
    if (sizes->v[sizes->n - 1] <= rows) return BL_OK;
    if (bl_config_is_external(&e->config))
        BL_FAIL(err, BL_EINVAL, "batch size %" PRId64 " is larger than an epoch (%" PRId64 " rows)",
                sizes->v[sizes->n - 1], rows);
    BL_FAIL(err, BL_EINVAL,
            "batch size %" PRId64 " is larger than the data set (%" PRId64 " training rows)",
            sizes->v[sizes->n - 1], rows);
}

/* On a device: of what it has free. */
static bl_status find_device_limit(bl_machine_limit *limit, const bl_device *device,
                                   const wishes *w, bl_err *err) {
    char wanted[BL_FORMAT_SIZE], has[BL_FORMAT_SIZE];
    const double free_bytes = (double)device->available(device);
    if (w->memory > free_bytes)
        BL_FAIL(err, BL_EINVAL, "a memory limit of %s: the device has %s free",
                bl_format_size(wanted, w->memory), bl_format_size(has, free_bytes));
    limit->bytes = w->memory > 0 ? w->memory : free_bytes;
    limit->kept_free = w->margin * limit->bytes;
    (void)snprintf(limit->source, sizeof limit->source, "%s",
                   w->memory > 0 ? "as asked" : "free on the device");
    return BL_OK;
}

static bl_status find_limit(bl_survey *s, const bl_experiment *e, const wishes *w, bl_err *err) {
    return e->device_data != NULL
               ? find_device_limit(&s->limit, e->device_data->device, w, err)
               : bl_machine_find_limit(&s->limit, w->memory, w->margin, &bl_machine_here, err);
}

/* Times the sizes that ran, and reads the result back. */
static bl_status measure_times(bl_survey *s, bl_experiment *e, const bl_plan_head *head,
                               bl_err *err) {
    const bl_timing_options timing = {.config = &e->config,
                                      .data = &e->data,
                                      .store = &e->store,
                                      .kernels = e->kernels,
                                      .device_data = e->device_data,
                                      .devices = e->devices,
                                      .memory = bl_experiment_memory(e),
                                      .batch_sizes = s->ran,
                                      .count = s->ran_count,
                                      .file = BL_REPORT_MACHINE_TIMES,
                                      .inference = true,
                                      .again = true,
                                      .stop = s->stop,
                                      .say = s->say,
                                      .say_ctx = s->say_ctx};
    bl_report_model m = {.plan.head = *head};
    BL_TRY(bl_timing_run(&timing, err));
    bl_status status = bl_report_timing_read(&m, e->store.dir, BL_REPORT_MACHINE_TIMES, err);
    bl_stats_step_size *size = bl_xalloc((m.timing_count + 1) * sizeof *size);
    bl_survey_times(s, size, bl_report_step_sizes(&m, size));
    free(size);
    bl_report_model_free(&m);
    return status;
}

/* Probes of a program have a folder while they run. The timing pass between them takes it too. */
static bl_status take_place(bl_cli_program_place *place, bl_survey *s, const bl_experiment *e,
                            bl_err *err) {
    *place = (bl_cli_program_place){0};
    if (!bl_config_is_external(&e->config)) return BL_OK;
    s->place.program = &place->options;
    return bl_cli_program_place_take(place, e, s->stop, err);
}

static bl_status try_sizes(bl_survey *s, const bl_experiment *e, bl_err *err) {
    const bl_i64_list *sizes = &e->config.sweep.batch_sizes;
    bl_cli_program_place place;
    BL_TRY(take_place(&place, s, e, err));
    const bl_status status = bl_survey_memory(s, sizes->v, sizes->n, err);
    bl_cli_program_place_leave(&place);
    return status;
}

static bl_status try_larger(bl_survey *s, const bl_experiment *e, bl_err *err) {
    bl_cli_program_place place;
    BL_TRY(take_place(&place, s, e, err));
    const bl_status status = bl_survey_largest(s, err);
    bl_cli_program_place_leave(&place);
    return status;
}

/* All measurements, into machine.json. First which of the sizes run at all; these are timed;
 * only then come larger ones, which take the machine to its limit and would disturb what is
 * timed. */
static bl_status survey(bl_survey *s, bl_experiment *e, const bl_plan_head *head, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    BL_TRY(try_sizes(s, e, err));
    BL_TRY(measure_times(s, e, head, err));
    BL_TRY(try_larger(s, e, err));
    BL_TRY(bl_survey_phases(s, err));
    bl_survey_write(s, &text);
    bl_status status = bl_path(path, err, "%s/machine.json", e->store.dir);
    if (status == BL_OK) status = bl_store_write(path, text.data, text.len, err);
    bl_buf_free(&text);
    return status;
}

/* Words or JSON to stdout, figures into reports/NAME/machine/. */
static bl_status answer(const bl_experiment *e, const bl_plan_head *head, bool json, bl_err *err) {
    bl_report_model m;
    bl_buf out = {0};
    char dir[BL_PATH];
    bl_status status = BL_OK;
    BL_TRY(bl_report_machine_model(&m, e->store.dir, head, err));
    if (json) {
        bl_jw w = bl_jw_open(&out);
        bl_jw_object(&w, NULL);
        bl_jw_str(&w, "experiment", e->config.name);
        bl_jw_str(&w, "preset", e->config.preset);
        bl_report_machine_json(&w, &m);
        bl_jw_end(&w);
        bl_jw_line(&w);
    } else {
        bl_report_machine_words(&out, &m);
    }
    bl_cli_print(stdout, bl_buf_text(&out));
    BL_GOTO(bl_path(dir, err, "%s/%s/machine", bl_cli_reports_dir(), e->config.name));
    BL_GOTO(bl_report_write_machine(&m, dir, bl_cli_templates_dir(), err));
    if (!json) bl_cli_printf(stdout, "\nFigures: %s/\n", dir);
done:
    bl_buf_free(&out);
    bl_report_model_free(&m);
    return status;
}

/* The limit is looked for when the data are in memory: what they take is no longer free. */
static bl_status measure_and_say(const bl_args *args, bl_experiment *e, bl_survey *s,
                                 const wishes *w, bl_err *err) {
    size_t jobs = 1;
    BL_TRY(bl_experiment_config(e, args->operand, args->value[PRESET], args, err));
    if (bl_config_is_imported(&e->config))
        BL_FAIL(err, BL_EINVAL,
                "%s holds imported runs: machine trains steps of its own, and nothing here can "
                "train",
                args->operand);
    BL_TRY(bl_experiment_level(e, args->value[DEVICE], err));
    BL_TRY(bl_experiment_open(e, bl_args_has(args, SYNTHETIC), true, err));
    BL_TRY(bl_experiment_device(e, args->value[DEVICE], &jobs, err));
    BL_TRY(check_sizes(e, err));
    s->place = (bl_machine_place){.config = &e->config,
                                  .data = &e->data,
                                  .kernels = e->kernels,
                                  .device_data = e->device_data};
    const bl_plan_head head = {
        .experiment = e->config.name,
        .preset = e->config.preset,
        .title = e->config.title,
        .metric = e->config.metric,
        .optimizer = e->config.optimizer.name,
        .baseline = (double)NAN,
        .dataset = {
                    .name = e->data.name, .variant = e->data.variant, .synthetic = e->data.synthetic}
    };
    BL_TRY(find_limit(s, e, w, err));
    BL_TRY(survey(s, e, &head, err));
    bl_display_close(s->say_ctx);
    return answer(e, &head, bl_args_has(args, JSON), err);
}

static int machine(const bl_args *args) {
    bl_display display;
    bl_err err = {0};
    wishes w;
    const int rc = read_wishes(args, &w, &display);
    if (rc >= 0) return rc;
    bl_experiment *e = bl_xalloc(sizeof *e);
    bl_survey *s = bl_xalloc(sizeof *s);
    s->seconds = w.seconds;
    s->stop = &bl_cli_interrupted;
    s->say = bl_display_say;
    s->say_ctx = &display;
    bl_cli_catch_signals();
    const bl_status status = measure_and_say(args, e, s, &w, &err);
    bl_display_close(&display);
    bl_survey_free(s);
    bl_experiment_close(e);
    free(s);
    free(e);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}

const bl_command bl_cmd_machine = {
    .name = "machine",
    .does = "what fits here, how fast it is, where the time goes",
    .arguments = "NAME [options]",
    .group = BL_GROUP_SWEEP,
    .sentence = "Measures what fits into the memory of this machine, how fast each batch size is, "
                "and where the time of a step goes.",
    .notes = k_notes,
    .example = "batchlab machine quadratic --preset tiny --progress none",
    .shows = "throughput   t(B) = ...\n"
             "...\n"
             "memory       M(B) = ...\n"
             "...\n",
    .exits = {{BL_EXIT_SOME_FAILED, "a program of your own failed"},
              {BL_EXIT_USAGE, "no size fits, or wrong usage or configuration"},
              {BL_EXIT_UNAVAILABLE, ""},
              {BL_EXIT_INTERRUPTED, ""}},
    .operand = BL_OPERAND_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = machine,
};
