/* batchlab find NAME: a short run, and from it a batch size, a rate and targets for a sweep. */
#include "engine/base/mem.h"
#include "engine/base/seal.h"
#include "engine/cli/experiment.h"
#include "engine/cli/jobs.h"
#include "engine/cli/progress.h"
#include "engine/cli/signals.h"
#include "engine/config/edit.h"
#include "engine/config/key.h"
#include "engine/config/schema.h"
#include "engine/config/set_notes.h"
#include "engine/find/find.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { JOBS, PRESET, SET, SYNTHETIC, DEVICE, PROGRESS, JSON, WRITE, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [JOBS]      = {"--jobs",      "-j", "N",         "runs at once (default: the machine's cores)"},
    [PRESET]    = {"--preset",    NULL, "NAME",      "tiny, quick (default) or paper, as the experiment declares"},
    [SET]       = {"--set",       NULL, "KEY=VALUE", "change one key; may be repeated", .repeats = true},
    [SYNTHETIC] = {"--synthetic", NULL, NULL,        "use generated data although the real data are there"},
    [DEVICE]    = {"--device",    NULL, "cpu",       "where to compute: cpu, cuda, cuda:1"},
    [PROGRESS]  = {"--progress",  NULL, "MODE",      "auto, plain, json or none"},
    [JSON]      = {"--json",      NULL, NULL,        "one JSON object"},
    [WRITE]     = {"--write",     NULL, NULL,        "put targets, batch sizes and first rate into experiment.cfg"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

/* Does a sweep of the file without --set still ask what was found with it? Batch size, rate and
 * seed are the pilot's own, and evaluations at other steps find the same targets. */
static bool stays_true(const char *path) {
    static const char *const own[] = {"train.batch_size", "train.learning_rate", "train.seed",
                                      "eval.first", "eval.growth"};
    for (size_t i = 0; i < BL_COUNT(own); i++)
        if (strcmp(path, own[i]) == 0) return true;
    return false;
}

/* Refuses to write what was found with another model or other data than those of the file. */
static bl_status check_writable(const bl_experiment *e, const bl_args *args, bl_err *err) {
    bl_config *file = bl_xalloc(sizeof *file);
    const char *differs = NULL;
    const bl_status status = bl_config_read(file, bl_cli_experiments_of(args->operand),
                                            args->operand, args->value[PRESET], NULL, 0, err);
    for (size_t i = 0; i < bl_schema_count && status == BL_OK; i++) {
        const bl_key *key = &bl_schema[i];
        const bl_config_value a = bl_value_of(key, file), b = bl_value_of(key, &e->config);
        if (key->identity && !stays_true(key->path) && !bl_value_equal(&a, &b)) differs = key->path;
    }
    free(file);
    BL_TRY(status);
    if (differs != NULL)
        BL_FAIL(err, BL_EINVAL,
                "find --write: the targets would be those of --set %s, and experiment.cfg has "
                "another value; write that into the file first, or leave --write out",
                differs);
    return BL_OK;
}

/* As for a sweep; but the pilot runs with train.batch_size, and has its own share of probes. */
static void say_notes(const bl_experiment *e, const bl_args *args, bl_display *display) {
    static const char size[] = "train.batch_size=", share[] = "noise.share=";
    for (size_t i = 0; i < args->sets; i++) {
        if (strncmp(args->set[i], size, sizeof size - 1) == 0) continue;
        if (strncmp(args->set[i], share, sizeof share - 1) == 0 && e->config.noise.share < 0.25)
            bl_display_say(display, "note: --set noise.share has no effect below 0.25: the pilot's "
                                    "probes take a quarter of the examples");
        bl_config_set_notes(&e->config, &args->set[i], 1, bl_display_say, display);
    }
}

/* Everything that may be refused is refused here, before the pilot is trained. */
static bl_status open_all(bl_experiment *e, const bl_args *args, size_t *jobs, bl_display *display,
                          bl_err *err) {
    const char *device = args->value[DEVICE];
    BL_TRY(bl_experiment_config(e, args->operand, args->value[PRESET], args, err));
    if (bl_args_has(args, WRITE))
        BL_TRY(bl_cli_writable_experiment(args->operand, "find --write", err));
    if (bl_args_has(args, WRITE)) BL_TRY(check_writable(e, args, err));
    if (bl_config_is_imported(&e->config))
        BL_FAIL(err, BL_EINVAL,
                "%s holds imported runs: find trains runs of its own, and nothing here can train",
                args->operand);
    if (bl_config_is_external(&e->config))
        BL_FAIL(err, BL_EINVAL,
                "find probes the gradients of nets that batchlab trains itself; for a program of "
                "your own, set sweep.targets, sweep.batch_sizes and sweep.lr_start and start "
                "`batchlab run %s`",
                args->operand);
    say_notes(e, args, display);
    BL_TRY(bl_experiment_level(e, device, err));
    BL_TRY(bl_experiment_open(e, bl_args_has(args, SYNTHETIC), true, err));
    if (bl_args_has(args, WRITE) && e->data.synthetic)
        BL_FAIL(err, BL_EINVAL,
                "find --write: the data are generated, and their targets say nothing of the real "
                "ones; leave --write out");
    return bl_experiment_device(e, device, jobs, err);
}

/* *json: the whole answer as one object, sealed like the other files of a store. */
static bl_status run_pilot(bl_find *found, bl_buf *json, bl_experiment *e, size_t jobs,
                           bl_display *display, bl_err *err) {
    char script[BL_PATH];
    BL_TRY(bl_path(script, err, "%s/pilot.lua", bl_cli_lua_dir()));
    const bl_scheduler scheduler = bl_experiment_scheduler(e, jobs, display);
    const bl_find_options options = {.script = script,
                                     .library_dir = bl_cli_lua_dir(),
                                     .decision = bl_display_decision,
                                     .ctx = display};
    const bl_status status = bl_find_run(found, json, &e->config, &scheduler, &options, err);
    bl_display_close(display);
    return status;
}

static void print(const bl_find *found, const bl_experiment *e) {
    bl_buf out = {0};
    const char *preset = e->config.preset;
    bl_buf_printf(&out, "%s%s%s, on ", e->config.name, preset[0] != '\0' ? ", preset " : "",
                  preset);
    bl_experiment_data_words(&out, e);
    bl_buf_str(&out, "\n\n");
    bl_find_text(&out, found, &e->config);
    bl_cli_print(stdout, bl_buf_text(&out));
    bl_buf_free(&out);
}

/* The key's value in experiment.cfg as it is for this preset, and as it will be. */
static bool say_change(const bl_config *config, const bl_config_change *c) {
    bl_buf was = {0};
    const bl_key *key = bl_key_find(c->path, strlen(c->path));
    const bl_config_value value = bl_value_of(key, config);
    if (value.absent)
        bl_buf_str(&was, "unset");
    else
        bl_key_write(&value, BL_FORM_LIBCONFIG, &was);
    const bool changed = strcmp(bl_buf_text(&was), c->value) != 0;
    if (changed) bl_cli_printf(stderr, "  %s: %s -> %s\n", c->path, bl_buf_text(&was), c->value);
    bl_buf_free(&was);
    return changed;
}

/* Settings of the command line that the pilot ran with and that the file does not get. */
static void say_sets(const bl_args *args) {
    for (size_t i = 0; i < args->sets; i++)
        bl_cli_printf(stderr, "  found with --set %s, which is not written\n", args->set[i]);
}

/* The file as it is without --set. */
static bl_status write_settings(const bl_find *found, const bl_experiment *e, const bl_args *args,
                                bl_err *err) {
    enum { LIMIT = 1 << 20 };
    char path[BL_PATH];
    bl_find_settings settings;
    bl_config before;
    bl_buf text = {0}, changed = {0};
    bl_status status;
    bl_find_settings_of(&settings, found, &e->config);
    BL_GOTO(bl_path(path, err, "%s/%s/experiment.cfg", bl_cli_experiments_dir, e->config.name));
    BL_GOTO(bl_file_read(&text, path, LIMIT, err));
    BL_GOTO(bl_config_parse(&before, bl_buf_text(&text), text.len, path, e->config.preset, NULL, 0,
                            err));
    BL_GOTO(bl_config_edit(&changed, bl_buf_text(&text), text.len, path, e->config.preset,
                           settings.change, settings.count, err));
    struct stat st;
    const bool known = stat(path, &st) == 0;
    BL_GOTO(bl_file_output(path, changed.data, changed.len, err)); /* a link stays one */
    if (known) (void)chmod(path, st.st_mode & 07777); /* a file anew has the mode of new files */
    bl_cli_printf(stderr, "%s%s%s:\n", path, e->config.preset[0] != '\0' ? ", preset " : "",
                  e->config.preset);
    size_t changes = 0;
    for (size_t i = 0; i < settings.count; i++) changes += say_change(&before, &settings.change[i]);
    if (changes == 0) bl_cli_printf(stderr, "  nothing to change\n");
    say_sets(args);
done:
    bl_buf_free(&text);
    bl_buf_free(&changed);
    return status;
}

/* Without an answer the numbers are shown all the same, and the status says that there is no
 * answer. */
static int find(const bl_args *args) {
    bl_err err = {0};
    bl_display display;
    size_t jobs;
    if (!bl_cli_jobs(args->value[JOBS], &jobs))
        return bl_cli_usage(args, "--jobs %s: expected a number from 1 to 256", args->value[JOBS]);
    if (!bl_display_init(&display, args->value[PROGRESS]))
        return bl_cli_usage(args, "--progress %s: expected auto, plain, json or none",
                            args->value[PROGRESS]);
    bl_cli_catch_signals();
    bl_experiment *e = bl_xalloc(sizeof *e);
    bl_find found;
    bl_buf json = {0};
    bl_status status = open_all(e, args, &jobs, &display, &err);
    if (status == BL_OK) status = run_pilot(&found, &json, e, jobs, &display, &err);
    if (status == BL_OK && bl_args_has(args, JSON)) bl_cli_print(stdout, bl_buf_text(&json));
    if (status == BL_OK && !bl_args_has(args, JSON)) print(&found, e);
    const bool answered = status == BL_OK && bl_find_is_answer(&found);
    if (answered && bl_args_has(args, WRITE)) status = write_settings(&found, e, args, &err);
    if (status == BL_OK && !answered && bl_args_has(args, WRITE))
        bl_cli_printf(stderr, "nothing is written: there is no answer\n");
    if (status == BL_EINTERRUPTED)
        bl_cli_printf(stderr,
                      "interrupted; nothing finished is lost. Continue with the same command.\n");
    bl_experiment_close(e);
    bl_buf_free(&json);
    free(e);
    return status == BL_OK             ? answered ? BL_EXIT_DONE : BL_EXIT_NO_ANSWER
           : status == BL_EINTERRUPTED ? BL_EXIT_INTERRUPTED
                                       : bl_cli_fail(&err);
}

const bl_command bl_cmd_find = {
    .name = "find",
    .does = "batch size, rate and targets from one short run, without a sweep",
    .arguments = "NAME [--json] [--write] [--preset NAME] [--set KEY=VALUE]",
    .group = BL_GROUP_BEGIN,
    .sentence = "Proposes a batch size, a learning rate and targets from a minute or two of "
                "training, without a sweep.",
    .notes = "Trains a learning-rate finder, a few rates, and a pilot with three "
             "seeds and probes of the gradient noise. The runs stay in the store.\n",
    .example = "batchlab find quadratic --preset tiny --progress none",
    .shows = "...\n"
             "targets       expected_loss 0.00329 after 2,785 steps, 0.0017 ...\n"
             "...\n",
    .exits = {{BL_EXIT_NO_ANSWER, "no proposal: the pilot shows too little"},
              {BL_EXIT_UNAVAILABLE, ""},
              {BL_EXIT_INTERRUPTED, ""}},
    .operand = BL_OPERAND_EXPERIMENT,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = find,
};
