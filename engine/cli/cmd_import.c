/* batchlab import DIR: finished runs from elsewhere, as an experiment that fit, figures and answers
 * work on. */
#include "engine/base/clock.h"
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/cli/experiment.h"
#include "engine/cli/given_files.h"
#include "engine/cli/signals.h"
#include "engine/import/import.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME, METRIC, MAP, PATTERN, RUNS, HIGHER, TARGETS, EPOCH, LOOK, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [NAME]    = {"--name",    NULL, "NAME", "of the experiment; default: the folder's"},
    [METRIC]  = {"--metric",  NULL, "NAME", "column, tag or key of the values"},
    [MAP]     = {"--map",     NULL, "OURS=THEIRS", "a column or tag of another name; may be repeated", true},
    [PATTERN] = {"--pattern", NULL, "TEXT", "parameters in runs' names: 'bs{batch_size}_lr{learning_rate}'"},
    [RUNS]    = {"--runs",    NULL, "FILE", "a CSV file with the parameters of each run in a row"},
    [HIGHER]  = {"--higher-is-better", NULL, NULL, "an accuracy a becomes 1 - a, or 100 - a"},
    [TARGETS] = {"--targets", NULL, "LIST", "of the metric, easiest first: 0.3,0.25"},
    [EPOCH]   = {"--epoch-rows", NULL, "N", "examples of an epoch"},
    [LOOK]    = {"--dry-run", "-n", NULL,   "say what was understood, write nothing"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

static const char k_notes[] =
    "DIR holds CSV files (a run each, or many), TensorBoard event files, or exports of "
    "Weights & Biases or MLflow as CSV. Each run needs a batch size and a learning rate; seeds "
    "are counted where none are said. OURS is batch_size, learning_rate, seed, step, examples, "
    "loss, seconds, run or key; any other name is a setting in which runs differ.\n";

enum { MOST_TARGETS = 16 }; /* as sweep.targets */

typedef struct import {
    const bl_args *args;
    char name[BL_NAME], folder[BL_PATH];
    bl_import in;
    double targets[MOST_TARGETS];
    size_t target_count;
    int64_t epoch_rows;
} import;

/* ---- options ---- */

/* "0.3,0.25": falling numbers, at most as many as sweep.targets takes. */
static bl_status read_targets(import *t, const char *list, bl_err *err) {
    for (const char *at = list; at != NULL && *at != '\0';) {
        char *end;
        const double x = strtod(at, &end);
        const bool last = *end == '\0';
        if (end == at || (!last && (*end != ',' || end[1] == '\0')) || !isfinite(x) ||
            t->target_count == MOST_TARGETS)
            BL_FAIL(err, BL_EINVAL, "--targets %s: expected numbers with commas between them",
                    list);
        if (t->target_count > 0 && x >= t->targets[t->target_count - 1])
            BL_FAIL(err, BL_EINVAL, "--targets %s: the easiest comes first", list);
        t->targets[t->target_count++] = x;
        at = last ? NULL : end + 1;
    }
    return BL_OK;
}

static bl_status read_epoch(import *t, const char *text, bl_err *err) {
    char *end;
    if (text == NULL) return BL_OK;
    t->epoch_rows = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || t->epoch_rows < 1 || t->epoch_rows > INT64_C(1) << 53)
        BL_FAIL(err, BL_EINVAL, "--epoch-rows %s: expected a whole number above 0", text);
    return BL_OK;
}

static bl_status check_targets(const import *t, bl_err *err) {
    static const double largest = 1e200; /* engine/config/schema.c */
    for (size_t i = 0; i < t->target_count; i++)
        if (!(t->targets[i] > 0 && t->targets[i] <= largest))
            BL_FAIL(
                err, BL_EINVAL,
                "target %g is not above 0 and at most 1e200: batchlab asks for metrics that are "
                "never below 0",
                t->targets[i]);
    return BL_OK;
}

/* Two of the values, or one where nothing was gained. */
static bl_status choose_targets(import *t, bl_err *err) {
    bl_import_targets(&t->in);
    t->targets[0] = t->in.targets[0];
    t->targets[1] = t->in.targets[1];
    t->target_count = t->targets[0] > t->targets[1] ? 2 : 1;
    if (!isfinite(t->targets[0]))
        BL_FAIL(err, BL_EINVAL, "no run has a finite value of '%s': all of them diverged at once",
                t->in.metric);
    if (!(t->targets[t->target_count - 1] > 0))
        BL_FAIL(err, BL_EINVAL,
                "'%s' comes to %g: batchlab needs values above 0 that are lower the better they "
                "are. --targets names targets above 0",
                t->in.metric, t->targets[t->target_count - 1]);
    return BL_OK;
}

/* What the folder says, with the targets: nothing is written yet. */
static bl_status gather(import *t, bl_err *err) {
    const bl_args *a = t->args;
    const bl_import_wish wish = {.dir = a->operand,
                                 .metric = a->value[METRIC],
                                 .map = a->set,
                                 .maps = a->sets,
                                 .pattern = a->value[PATTERN],
                                 .runs = a->value[RUNS],
                                 .higher = bl_args_has(a, HIGHER)};
    BL_TRY(read_targets(t, a->value[TARGETS], err));
    BL_TRY(read_epoch(t, a->value[EPOCH], err));
    BL_TRY(bl_import_gather(&t->in, &wish, err));
    BL_TRY(bl_import_settle(&t->in, wish.higher, err));
    return t->target_count > 0 ? check_targets(t, err) : choose_targets(t, err);
}

/* ---- telling ---- */

/* A line with the number and its words; none for 0. */
static void count_words(size_t n, const char *one, const char *many) {
    if (n > 0) bl_cli_printf(stderr, "%zu %s\n", n, n == 1 ? one : many);
}

/* What was found, to stderr, so that a file that was read in a way the user did not mean is seen
 * at once: runs, sizes, what is left out and why, metric and targets. */
static void tell(const import *t) {
    const bl_import *in = &t->in;
    size_t sizes = 0, diverged = 0;
    for (size_t i = 0; i < in->runs; i++) {
        const bl_import_run *run = &in->run[i];
        sizes += i == 0 || in->run[i - 1].batch_size != run->batch_size;
        diverged += isnan(run->row[run->rows - 1].value);
    }
    bl_cli_printf(stderr, "%zu %s of %zu batch %s, %" PRId64, in->runs,
                  in->runs == 1 ? "run" : "runs", sizes, sizes == 1 ? "size" : "sizes",
                  in->run[0].batch_size);
    if (sizes > 1) bl_cli_printf(stderr, " to %" PRId64, in->run[in->runs - 1].batch_size);
    bl_cli_printf(stderr, ", from %zu %s\n", in->files, in->files == 1 ? "file" : "files");
    bl_cli_print(stderr, in->found);
    count_words(diverged, "run diverged", "runs diverged");
    count_words(in->empty, "run without an evaluation is left out",
                "runs without an evaluation are left out");
    count_words(in->early, "evaluation before step 1 is left out",
                "evaluations before step 1 are left out");
    count_words(in->again, "evaluation stands there twice: the later one counts",
                "evaluations stand there twice: the later ones count");
    count_words(in->torn, "event file ends in the middle of a record",
                "event files end in the middle of a record");
    bl_cli_printf(stderr, "metric: %s; targets:", in->metric);
    for (size_t i = 0; i < t->target_count; i++)
        bl_cli_printf(stderr, "%s %.6g", i > 0 ? "," : "", t->targets[i]);
    bl_cli_printf(stderr, t->args->value[TARGETS] != NULL ? "\n"
                                                          : " (every size reaches them; --targets "
                                                            "names others)\n");
}

/* ---- writing ---- */

enum { SECONDS_OF_SILENCE = 2 };

/* At a request, or at Ctrl-C. What takes long is told from time to time, where someone watches. */
static bool stops(void *ctx, size_t written, size_t runs) {
    double *told = ctx;
    const double now = bl_clock_seconds();
    if (now - *told > SECONDS_OF_SILENCE && isatty(STDERR_FILENO)) {
        bl_cli_printf(stderr, "%zu of %zu runs written\n", written, runs);
        *told = now;
    }
    return __atomic_load_n(&bl_cli_interrupted, __ATOMIC_RELAXED) != 0;
}

/* The experiment is read back as `batchlab check` does. What it refuses is removed. */
static bl_status write_experiment(const import *t, bl_err *err) {
    double told = bl_clock_seconds();
    const bl_import_plan plan = {.stops = stops,
                                 .ctx = &told,
                                 .name = t->name,
                                 .folder = t->folder,
                                 .from = t->args->operand,
                                 .targets = t->targets,
                                 .target_count = t->target_count,
                                 .epoch_rows = t->epoch_rows};
    bl_cli_catch_signals();
    bl_dir_sweep(bl_cli_experiments_dir); /* of imports that were killed */
    BL_TRY(bl_import_write(&t->in, &plan, err));
    size_t trials;
    const bl_status status = bl_experiment_check_written(t->name, &trials, err);
    if (status != BL_OK) (void)bl_remove_tree(t->folder, NULL);
    return status;
}

static bl_status make(import *t, bl_err *err) {
    const bool look = bl_args_has(t->args, LOOK);
    if (!bl_dir_exists(bl_cli_lua_dir()))
        BL_FAIL(err, BL_EINVAL, "there is no %s here: run batchlab in the folder of its project",
                bl_cli_lua_dir());
    BL_TRY(bl_path(t->folder, err, "%s/%s", bl_cli_experiments_dir, t->name));
    if (!look && (bl_dir_exists(t->folder) || bl_file_exists(t->folder)))
        BL_FAIL(err, BL_EINVAL, "%s exists and is left alone; choose another --name", t->folder);
    BL_TRY(gather(t, err));
    tell(t);
    return look ? BL_OK : write_experiment(t, err);
}

/* The folder's own name, without slashes behind it. */
static bl_status choose_name(import *t, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s", t->args->operand));
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) path[n - 1] = '\0';
    return bl_given_name(t->name, path, t->args->value[NAME], err);
}

static int import_runs(const bl_args *args) {
    bl_err err = {0};
    import *t = bl_xalloc(sizeof *t);
    t->args = args;
    bl_status status = choose_name(t, &err);
    if (status == BL_OK) status = make(t, &err);
    if (status == BL_OK && !bl_args_has(args, LOOK)) {
        bl_cli_printf(stdout, "%s\n", t->folder);
        bl_cli_printf(stderr, "next: batchlab run %s (it reads these runs, and trains nothing)\n",
                      t->name);
    }
    bl_import_free(&t->in);
    free(t);
    if (status == BL_OK) return BL_EXIT_DONE;
    const int fault = bl_cli_fail(&err);
    return status == BL_EMISSING ? BL_EXIT_IO : status == BL_EFORMAT ? BL_EXIT_USAGE : fault;
}

const bl_command bl_cmd_import = {
    .name = "import",
    .does = "finished runs from elsewhere: CSV, TensorBoard, W&B, MLflow",
    .arguments = "DIR [OPTION...]",
    .group = BL_GROUP_BEGIN,
    .sentence = "Makes an experiment of finished runs from elsewhere, so that batchlab answers "
                "from them. Nothing is trained.",
    .notes = k_notes,
    .example = "batchlab import logs --pattern '{batch_size}_{learning_rate}' --metric loss",
    .shows = "4 runs of 2 batch sizes, 32 to 128, from 4 files\n"
             "...\n"
             "next: batchlab run logs (it reads these runs, and trains nothing)\n"
             "...\n",
    .operand = BL_OPERAND_FOLDER,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = import_runs,
};
