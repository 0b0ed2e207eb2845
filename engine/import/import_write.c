/* The files of an imported experiment:
 *
 *     experiment.cfg     external: { imported = "experiments/NAME/runs"; ... }; sweep: { ... };
 *     sweep.lua          local runs = { { batch_size = 64, learning_rate = 0.1, seed = 1 }, ... }
 *     runs/b64-lr0.1-s1.csv     step,value,loss,seconds
 *
 * A run is found by its file's name, which is made of its parameters. So the configuration is
 * parsed here as a sweep will parse it, and each name is made from that: the digits of a rate are
 * then the same on both ways. */
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/config/value.h"
#include "engine/data/table/csv.h"
#include "engine/import/import.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- values of settings ---- */

static bool is_number(const char *text, double *x) {
    return bl_csv_number((bl_csv_field){text, strlen(text)}, x);
}

/* Are all values of the setting numbers? */
static bool holds_numbers(const bl_import *in, size_t p) {
    double x;
    for (size_t i = 0; i < in->runs; i++)
        if (!is_number(in->run[i].param[p], &x)) return false;
    return true;
}

/* As a number or a quoted text, for libconfig and Lua alike. */
static void write_value(bl_buf *out, const char *text, bool number) {
    double x;
    if (number && is_number(text, &x)) {
        bl_value_write_number(out, x, 0);
        return;
    }
    bl_buf_str(out, "\"");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') bl_buf_str(out, "\\");
        bl_buf_add(out, at, 1);
    }
    bl_buf_str(out, "\"");
}

static void write_real(bl_buf *out, double x) {
    char text[32];
    bl_json_f64_text(text, x);
    write_value(out, text, true);
}

/* ---- experiment.cfg ---- */

/* Runs are sorted by size. */
static void write_sizes(const bl_import *in, bl_buf *out) {
    bl_buf_str(out, "batch_sizes = [");
    for (size_t i = 0; i < in->runs; i++)
        if (i == 0 || in->run[i].batch_size != in->run[i - 1].batch_size)
            bl_buf_printf(out, "%s%" PRId64, i > 0 ? ", " : "", in->run[i].batch_size);
    bl_buf_str(out, "];");
}

/* The first run's: a sweep says them anew for each of its runs. */
static void write_settings(const bl_import *in, bl_buf *out) {
    if (in->params == BL_IMPORT_FIXED) return;
    bl_buf_str(out, "  settings: {");
    for (size_t p = BL_IMPORT_FIXED; p < in->params; p++) {
        bl_buf_printf(out, " %s = ", in->param[p]);
        write_value(out, in->run[0].param[p], holds_numbers(in, p));
        bl_buf_str(out, ";");
    }
    bl_buf_str(out, " };\n");
}

/* Without a word from the user an epoch is as many examples as leave every size allowed. */
static void write_epoch(const bl_import *in, const bl_import_plan *plan, bl_buf *out) {
    enum { MANY = 1000000 };
    const int64_t largest = in->run[in->runs - 1].batch_size;
    if (plan->epoch_rows > 0)
        bl_buf_printf(out, "  epoch_rows = %" PRId64 "; # examples of an epoch\n",
                      plan->epoch_rows);
    else
        bl_buf_printf(out, "  epoch_rows = %" PRId64 "; # not known: set it if you ask by epochs\n",
                      largest > MANY ? largest : (int64_t)MANY);
}

/* Steps of the longest run, at least 1. */
static int64_t longest(const bl_import *in) {
    int64_t most = 1;
    for (size_t i = 0; i < in->runs; i++) {
        const bl_import_run *run = &in->run[i];
        if (run->row[run->rows - 1].step > most) most = run->row[run->rows - 1].step;
    }
    return most;
}

static void write_config(const bl_import *in, const bl_import_plan *plan, bl_buf *out) {
    bl_buf_printf(out,
                  "# Written by `batchlab import`: %zu runs that were trained elsewhere. Nothing "
                  "is trained here.\ntitle = \"%s, imported runs\";\nexternal: {\n  imported = "
                  "\"%s/runs\"; # a file for each run; their bytes are part of run ids\n",
                  in->runs, plan->name, plan->folder);
    write_settings(in, out);
    write_epoch(in, plan, out);
    bl_buf_str(out, "};\nmetric = ");
    write_value(out, in->metric, false);
    bl_buf_str(
        out,
        "; # lower is better\n# Targets, easiest first: set the values that matter to you.\nsweep: "
        "{\n  ");
    write_sizes(in, out);
    bl_buf_str(out, "\n  targets = [");
    for (size_t i = 0; i < plan->target_count; i++) {
        bl_buf_str(out, i > 0 ? ", " : "");
        write_real(out, plan->targets[i]);
    }
    bl_buf_printf(
        out, "];\n  max_steps = %" PRId64 "; # of the longest run\n};\ntiming: { repeats = 5; };\n",
        longest(in));
}

/* ---- sweep.lua ---- */

static void write_run(const bl_import *in, const bl_import_run *run, const bool *number,
                      bl_buf *out) {
    bl_buf_printf(out, "  { batch_size = %" PRId64 ", learning_rate = ", run->batch_size);
    write_real(out, run->learning_rate);
    bl_buf_printf(out, ", seed = %" PRId64, run->seed);
    for (size_t p = BL_IMPORT_FIXED; p < in->params; p++) {
        bl_buf_printf(out, "%s%s = ", p == BL_IMPORT_FIXED ? ", settings = { " : ", ",
                      in->param[p]);
        write_value(out, run->param[p], number[p]);
    }
    bl_buf_str(out, in->params > BL_IMPORT_FIXED ? " } },\n" : " },\n");
}

static void write_script(const bl_import *in, bl_buf *out) {
    bool number[BL_IMPORT_PARAMS] = {false};
    for (size_t p = BL_IMPORT_FIXED; p < in->params; p++) number[p] = holds_numbers(in, p);
    bl_buf_str(out, "-- Written by `batchlab import`: which runs there are. The best rate of each "
                    "batch size is the one with\n-- the fewest steps to the target.\nlocal sweep = "
                    "require \"sweep\"\nlocal runs = {\n");
    for (size_t i = 0; i < in->runs; i++) write_run(in, &in->run[i], number, out);
    bl_buf_printf(out,
                  "}\nreturn function(exp) sweep.imported(exp, { runs = runs, max_steps = "
                  "%" PRId64 " }) end\n",
                  longest(in));
}

/* ---- the runs ---- */

/* The name that the run will be looked up by. */
static bl_status name_of(char name[BL_RECORDED_NAME], const bl_config *experiment,
                         const bl_import *in, const bl_import_run *run, bl_err *err) {
    bl_config *c = bl_xalloc(sizeof *c);
    bl_status status = BL_OK;
    *c = *experiment;
    c->train.batch_size = run->batch_size;
    c->train.learning_rate = run->learning_rate;
    c->train.seed = run->seed;
    for (size_t p = BL_IMPORT_FIXED; p < in->params && status == BL_OK; p++) {
        char key[BL_NAME + 20];
        (void)snprintf(key, sizeof key, "external.settings.%s", in->param[p]);
        status = bl_config_set(c, key, run->param[p], err);
    }
    bl_recorded_name(name, c);
    free(c);
    return status;
}

static bl_status write_file(const char *folder, const char *name, const bl_buf *text, bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/%s", folder, name));
    if (bl_file_exists(path)) BL_FAIL(err, BL_EINVAL, "two runs would be one file, %s", name);
    return bl_file_write_unsynced(path, bl_buf_text(text), text->len, err);
}

static bl_status write_runs(const bl_import *in, const bl_import_plan *plan,
                            const bl_config *config, const char *folder, bl_err *err) {
    char name[BL_RECORDED_NAME], runs[BL_PATH];
    bl_buf text = {0};
    bl_status status = bl_path(runs, err, "%s/runs", folder);
    if (status == BL_OK) status = bl_make_dirs(runs, err);
    for (size_t i = 0; i < in->runs && status == BL_OK; i++) {
        if (plan->stops(plan->ctx, i, in->runs)) {
            status = BL_ERR(err, BL_EINTERRUPTED, "interrupted: nothing is written");
            break;
        }
        bl_buf_clear(&text);
        bl_recorded_text(&text, in->run[i].row, in->run[i].rows);
        status = name_of(name, config, in, &in->run[i], err);
        if (status == BL_OK) status = write_file(runs, name, &text, err);
    }
    bl_buf_free(&text);
    return status;
}

/* The three parts into a folder that is renamed last. */
static bl_status write_all(const bl_import *in, const bl_import_plan *plan, const bl_config *config,
                           const bl_buf *text, const bl_buf *script, bl_err *err) {
    char folder[BL_PATH];
    BL_TRY(bl_file_temporary(folder, plan->folder, err));
    bl_status status = write_runs(in, plan, config, folder, err);
    if (status == BL_OK) status = write_file(folder, "sweep.lua", script, err);
    if (status == BL_OK) status = write_file(folder, "experiment.cfg", text, err);
    if (status == BL_OK) status = bl_dir_publish(folder, plan->folder, err);
    if (status != BL_OK) (void)bl_remove_tree(folder, NULL);
    return status;
}

bl_status bl_import_write(const bl_import *in, const bl_import_plan *plan, bl_err *err) {
    bl_buf text = {0}, script = {0};
    bl_config *config = bl_xalloc(sizeof *config);
    bl_status status;
    for (size_t i = 0; i < in->runs; i++)
        for (size_t p = BL_IMPORT_FIXED; p < in->params; p++)
            if (!bl_text_is_plain(in->run[i].param[p]))
                BL_GOTO(BL_ERR(err, BL_EINVAL, "run %s: %s is no plain text", in->run[i].name,
                               in->param[p]));
    write_config(in, plan, &text);
    write_script(in, &script);
    BL_GOTO(bl_config_parse(config, bl_buf_text(&text), text.len, "the experiment", NULL, NULL, 0,
                            err));
    BL_GOTO(write_all(in, plan, config, &text, &script, err));
done:
    free(config);
    bl_buf_free(&text);
    bl_buf_free(&script);
    return status;
}
