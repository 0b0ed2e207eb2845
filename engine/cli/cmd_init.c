/* batchlab init FILE.csv --target COL: a data set and an experiment for the user's own table. */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/data/manifest/infer.h"
#include <stdio.h>
#include <string.h>

enum { TARGET, NAME, DATE, OPTION_COUNT };
// clang-format off
static const bl_option k_options[] = {
    [TARGET] = {"--target", NULL, "COL",  "the column to learn (required)"},
    [NAME]   = {"--name",   NULL, "NAME", "of the data set and the experiment; default: of the file"},
    [DATE]   = {"--date",   NULL, "COL",  "the date by which the latest rows are held out"},
};
// clang-format on

// clang-format off
static const char k_sweep_lua[] =
    "-- The learning rate is retuned at every batch size; then what an epoch budget and a step budget\n"
    "-- would have chosen. Sizes, targets, seeds and limits are in experiment.cfg.\n"
    "local sweep = require \"sweep\"\n"
    "\n"
    "return function(exp)\n"
    "  local config = exp.config\n"
    "  local points = sweep.critical_batch(exp, {\n"
    "    batch = config[\"sweep.batch_sizes\"],\n"
    "    retune = { lr = sweep.log2grid { step = config[\"sweep.lr_step\"] }, rule = config[\"sweep.lr_rule\"] },\n"
    "    seeds = config[\"sweep.seeds\"],\n"
    "  })\n"
    "  sweep.budgets(exp, { from = points, epochs = config[\"sweep.budget_epochs\"], steps = config[\"sweep.budget_steps\"] })\n"
    "end\n";
// clang-format on

typedef struct init {
    const char *path, *name;
    char name_buf[64], folder[BL_PATH], file[BL_PATH];
    bl_inferred in;
} init;

/* Letters, digits, - and _, as names of folders and keys of files. */
static bl_status choose_name(init *t, const char *given, bl_err *err) {
    const char *slash = strrchr(t->path, '/');
    const char *from = given ? given : slash ? slash + 1 : t->path;
    const size_t n = given ? strlen(given) : strcspn(from, ".");
    bool good = n > 0 && n < sizeof t->name_buf && from[0] != '-';
    for (size_t i = 0; i < n && good; i++) {
        const char c = from[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    }
    if (!good)
        BL_FAIL(err, BL_EINVAL,
                "'%.*s' is no name for an experiment (letters, digits, - and _, at most %zu): "
                "give one with --name",
                (int)bl_size_min(n, 80), from, sizeof t->name_buf - 1);
    memcpy(t->name_buf, from, n);
    t->name = t->name_buf;
    return BL_OK;
}

/* Where the file lies: an absolute folder, or one below this one as "./...". */
static bl_status split_path(init *t, bl_err *err) {
    const char *slash = strrchr(t->path, '/');
    BL_TRY(bl_path(t->file, err, "%s", slash ? slash + 1 : t->path));
    if (!slash) return bl_path(t->folder, err, ".");
    const char *lead = t->path[0] == '/' || t->path[0] == '.' ? "" : "./";
    return bl_path(t->folder, err, "%s%.*s", lead, slash == t->path ? 1 : (int)(slash - t->path),
                   t->path);
}

static void sizes(size_t from, size_t to, bl_buf *out) {
    bl_buf_str(out, "[");
    for (size_t b = from; b <= to; b *= 2) bl_buf_printf(out, b > from ? ", %zu" : "%zu", b);
    bl_buf_str(out, "]");
}

/* Targets are shares of the error of a net that always says the mean; nobody knows better yet. */
static void experiment_cfg(const init *t, bl_buf *out) {
    const bl_inferred *in = &t->in;
    const size_t rows = in->column[in->target].present - in->valid_rows;
    size_t largest = 64;
    while (largest < 8192 && largest * 16 <= rows) largest *= 2;
    const bool positive = in->column[in->target].low > 0;
    bl_buf_printf(out, "# Which batch size for '%s'?\ntitle = \"%s\";\ndataset = \"%s\";\n\n",
                  in->column[in->target].name, t->name, t->name);
    bl_buf_printf(out, "model: { hidden = [64, 32]; batch_norm = true; output = \"%s\"; };\n",
                  positive && (!in->log || in->column[in->target].high > 1) ? "sigmoid_range"
                                                                            : "linear");
    bl_buf_printf(out, "loss = \"mse\";\nmetric = \"%s\";\n", in->log ? "exp_rmspe" : "rmse");
    bl_buf_str(out, "optimizer: { name = \"adamw\"; weight_decay = 0.01; };\n"
                    "schedule: { name = \"constant\"; };\n\n");
    bl_buf_printf(out,
                  "# Guesses: shares of %.4g, the error of always answering the mean. Look at a "
                  "first run, then set\n# the errors that matter to you, easiest first.\n"
                  "sweep: {\n  targets = [%.4g, %.4g];\n  lr_min = 0.000244140625; lr_max = 1.0; "
                  "# 2^-12 to 1: the grid that each size's winner is held against\n};\n\n"
                  "presets: {\n",
                  in->spread, 0.8 * in->spread, 0.6 * in->spread);
    bl_buf_str(out,
               "  # Seconds: the whole path, no answer to rely on.\n  tiny: {\n"
               "    data: { rows = 20000; eval_rows = 1024; };\n    model: { hidden = [16]; };\n"
               "    eval: { growth = 1.2; };\n"
               "    sweep: { batch_sizes = [16, 32, 64]; seeds = 1; max_epochs = 3.0; "
               "budget_epochs = 1.0; budget_steps = 60; };\n"
               "    timing: { repeats = 3; seconds = 0.02; };\n  };\n\n"
               "  # Minutes.\n  quick: {\n    data: { eval_rows = 8192; };\n    sweep: {\n"
               "      batch_sizes = ");
    sizes(16, largest, out);
    bl_buf_str(out,
               ";\n      seeds = 2; max_epochs = 10.0; budget_epochs = 1.0; budget_steps = 500;\n"
               "    };\n  };\n\n  # A larger net, more repeats.\n  paper: {\n"
               "    model: { hidden = [500, 250]; };\n    sweep: {\n      batch_sizes = ");
    sizes(16, 2 * largest, out);
    bl_buf_str(out, ";\n      seeds = 3; max_epochs = 30.0; budget_epochs = 2.0; budget_steps = "
                    "2000;\n    };\n  };\n};\n");
}

static void readme(const init *t, bl_buf *out) {
    const bl_inferred *in = &t->in;
    bl_buf_printf(out,
                  "# %s\n\nWhich batch size should a net that learns `%s` be trained with, at "
                  "which learning rate, and what does\neach choice cost?\n\n",
                  t->name, in->column[in->target].name);
    bl_buf_printf(out,
                  "- Data: %zu rows of `%s`, declared in `datasets/%s.cfg`. %zu rows are held "
                  "out (%s).\n- Learnt: `%s`%s.\n",
                  in->rows, t->file, t->name, in->valid_rows,
                  in->by ? "the latest by date" : "the last of the file",
                  in->column[in->target].name, in->log ? ", as its logarithm" : "");
    bl_buf_printf(out,
                  "- Varied: batch size and learning rate. Fixed: everything else in "
                  "`experiment.cfg`.\n- Targets in `experiment.cfg` are first guesses.\n\n"
                  "    make experiment NAME=%s PRESET=tiny\n    make experiment NAME=%s\n",
                  t->name, t->name);
}

static bl_status write_new(const char *path, const bl_buf *text, bl_err *err) {
    bool won;
    BL_TRY(bl_file_publish(path, bl_buf_text(text), text->len, &won, err));
    if (!won) BL_FAIL(err, BL_EINVAL, "%s exists and is left alone; choose another --name", path);
    bl_cli_printf(stdout, "%s\n", path);
    return BL_OK;
}

/* Declaration, experiment, sweep, page. A file that exists is never overwritten. */
static bl_status write_all(const init *t, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_status status = BL_OK;
    BL_GOTO(bl_path(path, err, "%s/%s.cfg", bl_cli_dataset_options(false).manifest_dir, t->name));
    bl_inferred_manifest(&t->in, t->folder, t->file, &text);
    BL_GOTO(write_new(path, &text, err));
    BL_GOTO(bl_path(path, err, "%s/%s", bl_cli_experiments_dir, t->name));
    BL_GOTO(bl_make_dirs(path, err));
    BL_GOTO(bl_path(path, err, "%s/%s/experiment.cfg", bl_cli_experiments_dir, t->name));
    bl_buf_clear(&text);
    experiment_cfg(t, &text);
    BL_GOTO(write_new(path, &text, err));
    BL_GOTO(bl_path(path, err, "%s/%s/sweep.lua", bl_cli_experiments_dir, t->name));
    bl_buf_clear(&text);
    bl_buf_str(&text, k_sweep_lua);
    BL_GOTO(write_new(path, &text, err));
    BL_GOTO(bl_path(path, err, "%s/%s/README.md", bl_cli_experiments_dir, t->name));
    bl_buf_clear(&text);
    readme(t, &text);
    BL_GOTO(write_new(path, &text, err));
done:
    bl_buf_free(&text);
    return status;
}

static void explain(const bl_inferred *in) {
    static const char *const kinds[] = {"categorical", "continuous", "date", "target", "ignored"};
    for (size_t i = 0; i < in->columns; i++) {
        const bl_inferred_column *c = &in->column[i];
        bl_cli_printf(stderr, "  %-11s %s%s%s\n", kinds[c->kind], c->name, c->why ? ": " : "",
                      c->why ? c->why : "");
    }
}

static bl_status make(init *t, const bl_args *args, bl_err *err) {
    bl_map map = {0};
    bl_status status = BL_OK;
    BL_GOTO(choose_name(t, args->value[NAME], err));
    BL_GOTO(split_path(t, err));
    BL_GOTO(bl_file_map(&map, t->path, err));
    BL_GOTO(bl_infer(&t->in, map.size > 0 ? (const char *)map.data : "", map.size, t->path,
                     args->value[TARGET], args->value[DATE], err));
    explain(&t->in);
    BL_GOTO(write_all(t, err));
done:
    bl_inferred_free(&t->in);
    bl_file_unmap(&map);
    return status;
}

static int write_experiment(const bl_args *args) {
    bl_err err = {0};
    if (args->value[TARGET] == NULL) return bl_cli_usage(args, "--target COL is missing");
    init t = {.path = args->operand};
    const bl_status status = make(&t, args, &err);
    if (status != BL_OK) {
        const int fault = bl_cli_fail(&err);
        return status == BL_EMISSING ? BL_EXIT_IO : fault; /* a table that is not there */
    }
    bl_cli_printf(stderr, "next: make experiment NAME=%s PRESET=tiny\n", t.name);
    return BL_EXIT_DONE;
}

const bl_command bl_cmd_init = {
    .name = "init",
    .arguments = "DATA.csv --target COL",
    .usage = "FILE.csv --target COL [--name NAME] [--date COL]",
    .does = "write a data set and an experiment for your own table",
    .operand = BL_OPERAND_TABLE,
    .options = k_options,
    .option_count = OPTION_COUNT,
    .run = write_experiment,
};
