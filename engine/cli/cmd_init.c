/* batchlab init FILE... --target COL: a data set and an experiment for the user's own table.
 *
 *     convert   arrays and folders of pictures, into one file (given_arrays.h); pictures then go on
 *               at the pilot
 *     look      every column's values, all files (bl_infer); a line on each
 *     try       the declaration on the first rows: split, what it shows, a straight line (draft.h)
 *     pilot     a short trial run, which sets targets and budget (engine/starter)
 *     write     declaration, experiment, script, page; nothing that exists is replaced
 *     check     the data set is loaded and every preset held against it; what fails is taken back
 *
 * So a command that it advises has been checked. With --command it is for a program
 * (init_command.h).
 */
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/cli/command.h"
#include "engine/cli/experiment.h"
#include "engine/cli/given_arrays.h"
#include "engine/cli/given_files.h"
#include "engine/cli/init_command.h"
#include "engine/cli/jobs.h"
#include "engine/cli/signals.h"
#include "engine/data/dataset_open.h"
#include "engine/data/draft.h"
#include "engine/data/manifest/infer_words.h"
#include "engine/model/metric.h"
#include "engine/starter/experiment_text.h"
#include "engine/sweep/sweep.h"
#include "engine/train/train.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    TARGET,
    NAME,
    DATE,
    GROUP,
    CLASSES,
    MISSING,
    IGNORE,
    SEPARATOR,
    SIZE,
    UPDATE,
    COMMAND,
    METRIC,
    ROWS,
    OPTION_COUNT
};
// clang-format off
static const bl_option k_options[] = {
    [TARGET]    = {"--target",    NULL, "COL",  "the column to learn; of arrays, the array"},
    [NAME]      = {"--name",      NULL, "NAME", "of data set and experiment; default: the file's"},
    [DATE]      = {"--date",      NULL, "COL",  "the date by which the latest rows are held out"},
    [GROUP]     = {"--group",     NULL, "COL",  "rows of one value of it are held out together"},
    [CLASSES]   = {"--classes",   NULL, NULL,   "learn the target as a class, though it is a number"},
    [MISSING]   = {"--missing",   NULL, "TEXTS", "read these as missing, for example '?,-999'"},
    [IGNORE]    = {"--ignore",    NULL, "COLS", "leave these columns out, for example 'id,note'"},
    [SEPARATOR] = {"--separator", NULL, "C",    "what stands between fields; else found out"},
    [SIZE]      = {"--size",      NULL, "N",    "of a folder: pictures of N x N pixels; else up to 64"},
    [UPDATE]    = {"--update",    NULL, NULL,   "the table has changed: accept it as it is"},
    [COMMAND]   = {"--command",   NULL, "LINE", "instead of a table: the line that starts your program"},
    [METRIC]    = {"--metric",    NULL, "WORD", "--command: what the program calls its value"},
    [ROWS]      = {"--rows",      NULL, "N",    "--command: examples of an epoch"},
};
// clang-format on
_Static_assert(BL_COUNT(k_options) == OPTION_COUNT, "a row for every option");

/* What init is given, a bit each, and of what an option says something. */
enum { OF_TABLE = 1, OF_ARRAYS = 2, OF_FOLDER = 4, OF_PROGRAM = 8, OF_UPDATE = 16, OF_PIXELS = 32 };
static const unsigned char k_options_of[] = {
    [TARGET] = OF_TABLE | OF_ARRAYS | OF_FOLDER | OF_PIXELS | OF_UPDATE,
    [NAME] = OF_TABLE | OF_ARRAYS | OF_FOLDER | OF_PIXELS | OF_PROGRAM | OF_UPDATE,
    [DATE] = OF_TABLE,
    [GROUP] = OF_TABLE | OF_ARRAYS,
    [CLASSES] = OF_TABLE | OF_ARRAYS,
    [MISSING] = OF_TABLE | OF_ARRAYS,
    [IGNORE] = OF_TABLE | OF_ARRAYS,
    [SEPARATOR] = OF_TABLE,
    [SIZE] = OF_FOLDER,
    [UPDATE] = OF_TABLE | OF_ARRAYS | OF_FOLDER | OF_UPDATE,
    [COMMAND] = OF_PROGRAM,
    [METRIC] = OF_PROGRAM,
    [ROWS] = OF_PROGRAM,
};
_Static_assert(BL_COUNT(k_options_of) == OPTION_COUNT, "a row for every option");

/* The first line of the declaration of a table that init made: --update replaces no other. */
static const char k_from_arrays[] =
    "# batchlab init made this table from arrays, and --update makes it again.\n";

/* An option that would have no effect is refused: the user meant something by it. */
static bl_status check_options(const bl_args *args, unsigned kind, bl_err *err) {
    static const struct {
        unsigned kind;
        const char *words;
    } kinds[] = {
        {OF_TABLE,   "on a table"             },
        {OF_ARRAYS,  "on arrays"              },
        {OF_FOLDER,  "on a folder of pictures"},
        {OF_PROGRAM, "beside --command"       },
        {OF_UPDATE,  "beside --update"        },
        {OF_PIXELS,  "on arrays of pictures"  },
    };
    const char *words = "";
    for (size_t k = 0; k < BL_COUNT(kinds); k++)
        if (kinds[k].kind == kind) words = kinds[k].words;
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (bl_args_has(args, i) && (k_options_of[i] & kind) == 0)
            BL_FAIL(err, BL_EINVAL, "%s has no effect %s", k_options[i].name, words);
    if (bl_args_has(args, DATE) && bl_args_has(args, GROUP))
        BL_FAIL(err, BL_EINVAL, "--date and --group are two ways to hold rows out: give one");
    return BL_OK;
}

/* Rows that the trial reads; of more, the first ones. */
enum { DRAFT_ROWS = 200000, DRAFT_CELLS = 8000000 };
/* Training rows for the three smallest batch sizes: 4, 8 and 16. */
enum { LEAST_TRAINED = 16 };

/* The files that are written. DATA is what arrays and pictures were converted into. */
enum { DECLARATION, CONFIG, SCRIPT, PAGE, DATA, FILES };

typedef struct init {
    const bl_args *args;
    bl_args of_table; /* what stands for the operands once arrays became a table */
    char table_path[BL_PATH];
    bl_given_arrays arrays;
    bl_given_files files;
    char name[BL_NAME];
    bl_inferred in;
    bl_draft draft;
    bl_dataset data; /* of the draft */
    bl_starter_plan plan;
    size_t rows_tried;
    char digest[65]; /* of packed pictures */
    bool written[FILES];
} init;

/* ---- looking and trying ---- */

/* 0 in *out: it is to be found out. */
static bl_status separator_of(char *out, const char *given, bl_err *err) {
    *out = '\0';
    if (given == NULL) return BL_OK;
    if (strcmp(given, "\\t") == 0 || strcmp(given, "tab") == 0) given = "\t";
    if (strcmp(given, "blanks") == 0) {
        *out = BL_CSV_BLANKS;
        return BL_OK;
    }
    if (strlen(given) != 1 || strchr("\"\r\n\v", given[0]) != NULL)
        BL_FAIL(err, BL_EINVAL, "--separator is one character, tab or blanks; not '%s'", given);
    *out = given[0];
    return BL_OK;
}

static bl_status look(init *t, bl_err *err) {
    const bl_args *a = t->args;
    bl_infer_wish wish = {.target = a->value[TARGET],
                          .date = a->value[DATE],
                          .group = a->value[GROUP],
                          .missing = a->value[MISSING],
                          .ignore = a->value[IGNORE],
                          .classes = bl_args_has(a, CLASSES)};
    BL_TRY(separator_of(&wish.separator, a->value[SEPARATOR], err));
    (void)bl_cli_jobs(NULL, &wish.threads);
    return bl_infer(&t->in, t->files.source, t->files.count, &wish, err);
}

static void write_manifest(const init *t, bl_buf *out) {
    bl_buf_clear(out);
    bl_inferred_manifest(&t->in, t->files.folder, t->files.file, t->files.sha256, t->files.count,
                         out);
}

/* As many rows as DRAFT_CELLS leave to a table of so many columns, and at least 1000. */
static bl_status open_draft(init *t, bl_err *err) {
    bl_buf text = {0};
    const size_t room = DRAFT_CELLS / bl_size_max(t->in.columns, 1);
    t->rows_tried = bl_size_min(t->in.rows, bl_size_max(1000, bl_size_min(DRAFT_ROWS, room)));
    write_manifest(t, &text);
    bl_draft_free(&t->draft);
    const bl_status status = bl_draft_open(&t->draft, &text, t->name, t->files.source,
                                           t->files.count, t->rows_tried, err);
    bl_buf_free(&text);
    return status;
}

static bl_status encode_draft(init *t, bl_err *err) {
    BL_TRY(open_draft(t, err));
    bl_dataset_free(&t->data);
    return bl_draft_encode(&t->data, &t->draft, err);
}

/* The metric that targets are stated in. An error rate needs held-out rows to be fine enough, and
 * says little where nearly all are of one class. */
static const char *choose_metric(const init *t) {
    const bl_dataset *d = &t->data;
    size_t count[BL_INFER_CLASSES] = {0}, most = 0;
    if (d->classes == 0) return t->in.log ? "exp_rmse" : "rmse";
    for (size_t i = 0; i < d->rows; i++) count[(size_t)d->target[i]]++;
    for (size_t k = 0; k < d->classes; k++) most = bl_size_max(most, count[k]);
    return d->valid_rows >= 200 && most * 5 <= d->rows * 4 ? "error" : "cross_entropy";
}

static void measure_baselines(init *t) {
    t->plan.metric = choose_metric(t);
    t->plan.baseline = bl_starter_baselines(&t->data, bl_metric_find(t->plan.metric), 8192);
}

/* A positive, skewed target is learnt as its logarithm if a straight line then errs less in the
 * target's own unit. */
static bl_status try_logarithm(init *t, bl_err *err) {
    static const double clearly = 0.98;
    if (!t->in.skewed) return BL_OK;
    const double as_it_is = t->plan.baseline.least_squares;
    t->in.log = true;
    BL_TRY(encode_draft(t, err));
    measure_baselines(t);
    if (t->plan.baseline.least_squares < clearly * as_it_is) return BL_OK;
    t->in.log = false;
    BL_TRY(encode_draft(t, err));
    measure_baselines(t);
    return BL_OK;
}

/* Pruning changes the declaration, so the draft is opened once more before it is encoded. */
static bl_status try_draft(init *t, bl_err *err) {
    BL_TRY(open_draft(t, err));
    BL_TRY(bl_draft_prune(&t->in, &t->draft, err));
    BL_TRY(encode_draft(t, err));
    measure_baselines(t);
    BL_TRY(try_logarithm(t, err));
    const bl_dataset *d = &t->data;
    if (d->train_rows < LEAST_TRAINED)
        BL_FAIL(err, BL_EINVAL,
                "%s leaves %zu rows for training and %zu held out; at least %d are needed to "
                "train. Hold out by another column",
                t->in.group != NULL ? "--group" : "the split", d->train_rows, d->valid_rows,
                LEAST_TRAINED);
    const double share = (double)d->train_rows / (double)d->rows;
    t->plan.name = t->name;
    t->plan.target = t->in.column[t->in.target].name;
    t->plan.classes = d->classes;
    t->plan.train_rows = d->train_rows;
    t->plan.valid_rows = d->valid_rows;
    if (t->rows_tried < t->in.rows) { /* only the first rows were tried */
        t->plan.train_rows = (size_t)(share * (double)t->in.rows);
        t->plan.valid_rows = t->in.rows - t->plan.train_rows;
    }
    bl_starter_sizes(&t->plan);
    return BL_OK;
}

/* ---- the pilot ---- */

/* The experiment's text as it would be written, parsed and trained at the middle of its sizes:
 * the targets follow. */
static bl_status run_pilot(init *t, bl_err *err) {
    bl_buf text = {0};
    const bl_kernels *kernels;
    bl_status status;
    bl_config *config = bl_xalloc(sizeof *config);
    bl_starter_pilot *pilot = bl_xalloc(sizeof *pilot);
    if (!(t->plan.targets[1] > 1e-300 && t->plan.targets[0] < 1e300))
        BL_GOTO(BL_ERR(err, BL_EINVAL,
                       "always the same answer has %s %.4g on the held-out rows of '%s': targets "
                       "below that cannot be stated. Are its values all alike, or very small?",
                       t->plan.metric, t->plan.baseline.constant, t->plan.target));
    bl_starter_config(&t->plan, &text);
    BL_GOTO(bl_config_parse(config, bl_buf_text(&text), text.len, "the experiment", "quick", NULL,
                            0, err));
    BL_GOTO(bl_kernels_pick(&kernels, err));
    const bl_i64_list *sizes = &config->sweep.batch_sizes;
    config->train.batch_size = sizes->v[sizes->n / 2];
    size_t threads;
    (void)bl_cli_jobs(NULL, &threads);
    BL_GOTO(bl_starter_pilot_run(pilot, config, &t->data, kernels, threads, err));
    const bool gains = bl_starter_targets(&t->plan, pilot);
    if (!isfinite(pilot->best))
        bl_infer_warn(
            &t->in, "every short trial run diverged: the targets are guesses. Set the errors that "
                    "matter to you");
    else if (!gains)
        bl_infer_warn(&t->in,
                      "a short trial run came to %s %.4g; the same answer for every row has %.4g. "
                      "The columns say little about '%s'",
                      t->plan.metric, pilot->best, t->plan.baseline.constant, t->plan.target);
done:
    bl_buf_free(&text);
    free(config);
    free(pilot);
    return status;
}

/* ---- writing ---- */

static const char *split_words(const init *t) {
    const bl_inferred *in = &t->in;
    return in->by != NULL                         ? "the latest by date"
           : in->group != NULL                    ? "whole groups, drawn at random"
           : in->labels > 0 || t->arrays.pictures ? "drawn at random, the same share of each class"
                                                  : "drawn at random";
}

static void readme(const init *t, bl_buf *out) {
    const bl_starter_plan *p = &t->plan;
    bl_buf_printf(out,
                  "# %s\n\nWhich batch size should a net that learns `%s` be trained with, at "
                  "which learning rate, and\nwhat does each choice cost?\n\n",
                  t->name, p->target);
    bl_buf_printf(out,
                  "* Data: %zu %s of `%s`, declared in `datasets/%s.cfg`.\n* Held out: %.0f %% of "
                  "them (%s).\n* Learnt: `%s`%s.\n",
                  t->in.rows, t->arrays.pictures ? "pictures" : "rows", t->args->operand, t->name,
                  100.0 * (double)p->valid_rows / (double)(p->train_rows + p->valid_rows),
                  split_words(t), p->target,
                  t->plan.classes > 0 ? ", a class"
                  : t->in.log         ? ", as its logarithm"
                                      : "");
    bl_buf_printf(out,
                  "* Varied: batch size and learning rate. Fixed: all else in "
                  "`experiment.cfg`.\n* Without a net: %s %.4g for always the same answer",
                  p->metric, p->baseline.constant);
    if (isfinite(p->baseline.least_squares))
        bl_buf_printf(out, ", %.4g by least squares", p->baseline.least_squares);
    bl_buf_printf(out, ".\n\n    batchlab run %s --preset tiny\n    batchlab run %s\n", t->name,
                  t->name);
}

/* The i-th file's path. */
static bl_status path_of(char path[BL_PATH], const init *t, size_t i, bl_err *err) {
    static const char *const name[] = {
        [CONFIG] = "experiment.cfg", [SCRIPT] = "sweep.lua", [PAGE] = "README.md"};
    const char *datasets = bl_cli_dataset_options(false).manifest_dir;
    if (i == DECLARATION) return bl_path(path, err, "%s/%s.cfg", datasets, t->name);
    if (i == DATA) return bl_path(path, err, "%s/%s", datasets, t->arrays.file);
    return bl_path(path, err, "%s/%s/%s", bl_cli_experiments_dir, t->name, name[i]);
}

/* What the i-th file says. */
static void text_of(bl_buf *text, const init *t, size_t i) {
    bl_buf_clear(text);
    if (i == DECLARATION && t->arrays.pictures)
        bl_pack_declare(text, &t->arrays.pack, t->args->operand, t->files.folder, t->arrays.file,
                        t->digest);
    else if (i == DECLARATION)
        write_manifest(t, text);
    if (i == DECLARATION && t->written[DATA] && !t->arrays.pictures) {
        bl_buf table = {0};
        bl_buf_printf(&table, "%s%s", k_from_arrays, bl_buf_text(text));
        bl_buf_free(text);
        *text = table;
    }
    if (i == CONFIG) bl_starter_config(&t->plan, text);
    if (i == SCRIPT) bl_starter_script(&t->plan, text);
    if (i == PAGE) readme(t, text);
}

/* A signal between writing a file and noting it would leave the file: both happen while signals
 * wait. */
static bl_status publish(init *t, size_t i, const bl_buf *text, bl_err *err) {
    char path[BL_PATH];
    bool won;
    BL_TRY(path_of(path, t, i, err));
    bl_cli_hold_signals();
    const bl_status status = bl_file_publish(path, bl_buf_text(text), text->len, &won, err);
    if (status == BL_OK && won) bl_cli_unfinished(path);
    bl_cli_release_signals();
    BL_TRY(status);
    if (!won) BL_FAIL(err, BL_EINVAL, "%s exists and is left alone; choose another --name", path);
    t->written[i] = true;
    return BL_OK;
}

/* Those that are not there yet. */
static bl_status write_all(init *t, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_status status = BL_OK;
    BL_GOTO(bl_path(path, err, "%s/%s", bl_cli_experiments_dir, t->name));
    for (size_t i = 0; i < DATA; i++) {
        if (t->written[i]) continue;
        if (i == CONFIG) {
            bl_cli_unfinished(path); /* a folder is only removed where it is empty */
            BL_GOTO(bl_make_dirs(path, err));
        }
        text_of(&text, t, i);
        BL_GOTO(publish(t, i, &text, err));
    }
done:
    bl_buf_free(&text);
    return status;
}

/* Removes what this call wrote. */
static void take_back(const init *t) {
    char path[BL_PATH];
    for (size_t i = 0; i < FILES; i++)
        if (t->written[i] && path_of(path, t, i, NULL) == BL_OK) (void)unlink(path);
    if (bl_path(path, NULL, "%s/%s", bl_cli_experiments_dir, t->name) == BL_OK &&
        t->written[CONFIG])
        (void)rmdir(path);
}

/* ---- checking ---- */

static bl_status check_preset(const char *name, const char *preset, const bl_dataset *data,
                              size_t rows, bl_err *err) {
    bl_experiment *e = bl_xalloc(sizeof *e);
    const bl_args none = {0};
    size_t trials;
    bl_status status;
    bl_net net = {0};
    BL_GOTO(bl_experiment_config(e, name, preset, &none, err));
    BL_GOTO(bl_train_net(&net, &e->config, data, err));
    const int64_t used = e->config.data.rows > 0 && (size_t)e->config.data.rows < rows
                             ? e->config.data.rows
                             : (int64_t)rows;
    const bl_sweep_options options = {.script = e->script, .library_dir = bl_cli_lua_dir()};
    BL_GOTO(bl_sweep_check(&e->config, used, &options, &trials, err));
done:
    bl_net_free(&net);
    free(e->references.v);
    free(e);
    return status;
}

/* The whole data set is loaded if it was tried whole, and is in the cache then. */
static bl_status check_written(const init *t, bl_err *err) {
    static const char *const presets[] = {"tiny", "quick", "paper"};
    bl_dataset loaded = {0};
    bl_dataset_options options = bl_cli_dataset_options(false);
    bl_status status = BL_OK;
    const bool whole = t->rows_tried == t->in.rows;
    options.say = NULL;
    if (whole) BL_GOTO(bl_dataset_open(&loaded, t->name, &options, err));
    for (size_t i = 0; i < BL_COUNT(presets); i++)
        BL_GOTO(
            check_preset(t->name, presets[i], whole ? &loaded : &t->data, t->plan.train_rows, err));
done:
    bl_dataset_free(&loaded);
    return status;
}

/* ---- telling ---- */

/* One line, at most 80 wide: what is longer goes on below, indented. */
static void tell_line(const char *text, size_t n) {
    enum { WIDTH = 80, INDENT = 12 };
    for (size_t indent = 0; n > 0; indent = INDENT) {
        const size_t room = WIDTH - indent;
        size_t end = n;
        if (n > room) {
            for (end = room; end > INDENT && text[end] != ' ';) end--;
            if (text[end] != ' ') end = room; /* one long word */
        }
        bl_cli_printf(stderr, "%*s%.*s\n", (int)indent, "", (int)end, text);
        while (end < n && text[end] == ' ') end++;
        text += end;
        n -= end;
    }
}

static void tell(const char *text) {
    while (*text != '\0') {
        const size_t n = strcspn(text, "\n");
        tell_line(text, n);
        text += n + (text[n] == '\n');
    }
}

static void tell_columns(const init *t) {
    bl_buf lines = {0};
    bl_inferred_explain(&t->in, &lines);
    tell(bl_buf_text(&lines));
    tell(bl_buf_text(&t->in.warnings));
    bl_buf_free(&lines);
}

static void tell_plan(const init *t) {
    const bl_starter_plan *p = &t->plan;
    bl_buf line = {0};
    bl_buf_printf(&line, "%zu rows for training, %zu held out (%s)\n", p->train_rows, p->valid_rows,
                  split_words(t));
    bl_buf_printf(&line, "%s on the held-out rows: %.4g for always the same answer", p->metric,
                  p->baseline.constant);
    if (isfinite(p->baseline.least_squares))
        bl_buf_printf(&line, ", %.4g by least squares", p->baseline.least_squares);
    if (isfinite(p->best)) bl_buf_printf(&line, ", %.4g by a short trial run", p->best);
    bl_buf_printf(&line, "; targets %.4g and %.4g\n", p->targets[0], p->targets[1]);
    if (t->rows_tried < t->in.rows)
        bl_buf_printf(&line, "the split and the trial run saw the first %zu of %zu rows\n",
                      t->rows_tried, t->in.rows);
    tell(bl_buf_text(&line));
    bl_buf_free(&line);
}

/* ---- the steps ---- */

/* From the files of a table to the pilot. */
static bl_status begin_table(init *t, bl_err *err) {
    BL_TRY(bl_given_files_open(&t->files, t->args, err));
    BL_TRY(look(t, err));
    BL_TRY(try_draft(t, err));
    BL_TRY(run_pilot(t, err));
    tell_columns(t);
    return BL_OK;
}

/* Packed pictures are declared and opened, and the pilot learns them. */
static bl_status begin_pictures(init *t, bl_err *err) {
    bl_dataset_options options = bl_cli_dataset_options(false);
    bl_starter_plan *p = &t->plan;
    bl_buf text = {0};
    options.say = NULL;
    t->in.rows = t->rows_tried = t->arrays.pack.rows;
    (void)snprintf(t->files.folder, sizeof t->files.folder, "%s%s",
                   options.manifest_dir[0] == '/' ? "" : "./", options.manifest_dir);
    bl_sha256_of(bl_buf_text(&t->arrays.bytes), t->arrays.bytes.len, t->digest);
    bl_buf_free(&t->arrays.bytes);
    text_of(&text, t, DECLARATION);
    bl_status status = publish(t, DECLARATION, &text, err);
    bl_buf_free(&text);
    BL_TRY(status);
    BL_TRY(bl_dataset_open(&t->data, t->name, &options, err));
    measure_baselines(t);
    *p = (bl_starter_plan){.name = t->name,
                           .target = "class",
                           .metric = p->metric,
                           .baseline = p->baseline,
                           .pictures = true,
                           .smallest_side = bl_size_min(t->data.height, t->data.width),
                           .classes = t->data.classes,
                           .train_rows = t->data.train_rows,
                           .valid_rows = t->data.valid_rows};
    bl_starter_sizes(p);
    BL_TRY(run_pilot(t, err));
    tell(bl_buf_text(&t->in.warnings));
    return BL_OK;
}

/* Arrays and folders become one file. It is a table from then on, or pictures. */
static bl_status convert(init *t, bl_err *err) {
    const char *const *value = t->args->value;
    BL_TRY(bl_given_arrays_read(&t->arrays, t->args, t->name, value[SIZE], value[TARGET], err));
    tell(bl_buf_text(&t->arrays.said));
    const bool folder = bl_dir_exists(t->args->operand);
    if (folder && value[TARGET] != NULL)
        BL_FAIL(err, BL_EINVAL, "--target has no effect on a folder of pictures");
    if (t->arrays.pictures && !folder) BL_TRY(check_options(t->args, OF_PIXELS, err));
    BL_TRY(publish(t, DATA, &t->arrays.bytes, err));
    if (t->arrays.pictures) return BL_OK;
    bl_buf_free(&t->arrays.bytes);
    t->of_table = *t->args;
    BL_TRY(path_of(t->table_path, t, DATA, err));
    t->of_table.operand = t->table_path;
    t->of_table.mores = 0;
    t->of_table.value[TARGET] = "y";
    if (t->arrays.classes) t->of_table.value[CLASSES] = "";
    t->args = &t->of_table;
    return BL_OK;
}

/* The table that stands there was made from arrays, by the first line of its declaration. */
static bl_status need_made_table(init *t, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    BL_TRY(path_of(path, t, DECLARATION, err));
    const bl_status status = bl_file_read(&text, path, 1 << 20, err);
    const size_t n = sizeof k_from_arrays - 1;
    const bool made = text.len >= n && memcmp(bl_buf_text(&text), k_from_arrays, n) == 0;
    bl_buf_free(&text);
    BL_TRY(status);
    if (!made)
        BL_FAIL(err, BL_EINVAL,
                "%s does not say that init made its table from arrays, so %s is left alone; give "
                "another --name",
                path, t->table_path);
    return BL_OK;
}

/* --update: arrays become their table again, which is then accepted as a table is. What was there
 * comes back where that fails. */
static bl_status update_arrays(init *t, bl_err *err) {
    bl_buf before = {0};
    const char *const *value = t->args->value;
    bl_status status;
    BL_GOTO(bl_given_arrays_read(&t->arrays, t->args, t->name, value[SIZE], value[TARGET], err));
    if (t->arrays.pictures)
        BL_GOTO(BL_ERR(err, BL_EINVAL,
                       "%s: pictures are packed once; for others remove datasets/%s.cfg and "
                       "datasets/%s, or give another --name",
                       t->args->operand, t->name, t->arrays.file));
    BL_GOTO(path_of(t->table_path, t, DATA, err));
    BL_GOTO(need_made_table(t, err));
    BL_GOTO(bl_file_read(&before, t->table_path, SIZE_MAX, err));
    BL_GOTO(bl_file_write(t->table_path, bl_buf_text(&t->arrays.bytes), t->arrays.bytes.len, err));
    t->of_table = *t->args;
    t->of_table.operand = t->table_path;
    t->of_table.mores = 0;
    status = bl_given_update(t->name, &t->of_table, err);
    if (status != BL_OK)
        (void)!bl_file_write(t->table_path, bl_buf_text(&before), before.len, NULL);
done:
    bl_buf_free(&before);
    return status;
}

static bl_status update(init *t, bl_err *err) {
    return bl_given_are_arrays(t->args) ? update_arrays(t, err)
                                        : bl_given_update(t->name, t->args, err);
}

/* What would not be replaced is said before the trial run. */
static bl_status check_free(const init *t, bl_err *err) {
    char path[BL_PATH];
    for (size_t i = 0; i < DATA; i++) {
        BL_TRY(path_of(path, t, i, err));
        if (bl_file_exists(path))
            BL_FAIL(err, BL_EINVAL, "%s exists and is left alone; choose another --name", path);
    }
    return BL_OK;
}

static bl_status write_and_check(init *t, bl_err *err) {
    if (bl_given_are_arrays(t->args)) BL_TRY(convert(t, err));
    BL_TRY(t->arrays.pictures ? begin_pictures(t, err) : begin_table(t, err));
    BL_TRY(write_all(t, err));
    return check_written(t, err);
}

/* What fails after files were written takes them back, and a folder that was made for them. */
static bl_status make(init *t, bl_err *err) {
    if (!bl_dir_exists(bl_cli_lua_dir()))
        BL_FAIL(err, BL_EINVAL, "there is no %s here: run batchlab in the folder of its project",
                bl_cli_lua_dir());
    BL_TRY(check_free(t, err));
    const char *datasets = bl_cli_dataset_options(false).manifest_dir;
    const bool new_folder = !bl_dir_exists(datasets);
    BL_TRY(bl_make_dirs(datasets, err));
    const bl_status status = write_and_check(t, err);
    if (status != BL_OK) {
        take_back(t);
        if (new_folder) (void)rmdir(datasets);
        return status;
    }
    bl_cli_finished();
    tell_plan(t);
    for (size_t i = 0; i < FILES; i++) {
        char path[BL_PATH];
        if (!t->written[i]) continue;
        BL_TRY(path_of(path, t, i, err));
        bl_cli_printf(stdout, "%s\n", path);
    }
    return BL_OK;
}

/* What init was given. */
static unsigned kind_of(const bl_args *args) {
    if (bl_args_has(args, COMMAND)) return OF_PROGRAM;
    if (bl_args_has(args, UPDATE)) return OF_UPDATE;
    if (args->operand == NULL || !bl_given_are_arrays(args)) return OF_TABLE;
    return bl_dir_exists(args->operand) ? OF_FOLDER : OF_ARRAYS;
}

/* Of fewer rows the noise scale is mostly undetermined, and a whole sweep takes seconds. */
enum { FIND_ROWS = 500 };

static void tell_next(const init *t) {
    bl_cli_printf(stderr, "next: batchlab run %s --preset tiny\n", t->name);
    if (t->plan.train_rows >= FIND_ROWS)
        bl_cli_printf(stderr, "then: batchlab find %s\n      (%s)\n", t->name,
                      "batch size, rate and targets from one short run, without a sweep");
}

/* The trial reads a declaration and an experiment that stand in no file yet: a position in them
 * tells the user nothing. */
static void drop_position(bl_err *err) {
    static const char *const texts[] = {"the declaration:", "the experiment:"};
    const char *what = strstr(err->text, "error: ");
    for (size_t i = 0; i < BL_COUNT(texts) && what != NULL; i++)
        if (strncmp(err->text, texts[i], strlen(texts[i])) == 0) {
            memmove(err->text, what + 7, strlen(what + 7) + 1);
            err->text[strcspn(err->text, "\n")] = '\0'; /* the excerpt */
            return;
        }
}

/* Three ways in: --command (a program), --update (new digests of a table), and a table or
 * arrays. Of these a table needs --target. */
static int write_experiment(const bl_args *args) {
    bl_err err = {0};
    if (check_options(args, kind_of(args), &err) != BL_OK) return bl_cli_fail(&err);
    if (bl_args_has(args, COMMAND)) {
        const bl_cli_init_command wish = {args->value[COMMAND], args->value[NAME],
                                          args->value[METRIC], args->value[ROWS]};
        return bl_cli_init_program(args, &wish);
    }
    if (args->operand == NULL) return bl_cli_usage(args, "which table? Or give --command");
    init *t = bl_xalloc(sizeof *t);
    t->args = args;
    const bool updates = bl_args_has(args, UPDATE);
    if (args->value[TARGET] == NULL && !updates && !bl_given_are_arrays(args)) {
        free(t);
        return bl_cli_usage(args, "--target COL is missing");
    }
    bl_status status = bl_given_name(t->name, args->operand, args->value[NAME], &err);
    if (status == BL_OK) status = updates ? update(t, &err) : make(t, &err);
    if (status == BL_OK) tell_next(t);
    bl_dataset_free(&t->data);
    bl_draft_free(&t->draft);
    bl_inferred_free(&t->in);
    bl_given_files_close(&t->files);
    bl_given_arrays_free(&t->arrays);
    free(t);
    if (status == BL_OK) return BL_EXIT_DONE;
    drop_position(&err);
    const int fault = bl_cli_fail(&err);
    return status == BL_EMISSING ? BL_EXIT_IO : fault; /* a table that is not there */
}

const bl_command bl_cmd_init = {
    .name = "init",
    .does = "write an experiment for your own table, or training script",
    .arguments = "FILE... [--target COL] [OPTION...] | --command LINE",
    .group = BL_GROUP_BEGIN,
    .sentence =
        "Writes an experiment for your own table, arrays or pictures, or for your own training "
        "script: data set, targets, batch sizes and sweep, tried before they are written.",
    .notes = "FILE is a table with a header: .csv, .tsv or .csv.gz, UTF-8, Latin-1 or UTF-16. "
             "Several files with the same header are one table. FILE may also be X.npy y.npy, an "
             ".npz of both, or a folder that has a folder of PNG or JPEG files for each class.\n",
    .example = "batchlab init flats.csv --target price",
    .shows = "...\n"
             "  number    rooms: numbers, 1 to 5; ...\n"
             "...\n"
             "  category  city: 2 values: ...\n"
             "...\n"
             "next: batchlab run flats --preset tiny\n"
             "...\n",
    .exits = {{BL_EXIT_SOME_FAILED, ""}, {BL_EXIT_INTERRUPTED, ""}},
    .operand = BL_OPERAND_TABLES,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = write_experiment,
};
