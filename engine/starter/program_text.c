/* The text of an experiment around a program. For `python3 train.py` that takes a setting and
 * reports by itself:
 *
 *     external: {
 *       command = ["python3", "train.py", "--batch-size", "{batch_size}"];
 *       inputs = ["train.py", "model.py"];
 *       settings: { hidden = 128; };
 *       epoch_rows = 50000;
 *     };
 *     metric = "val_loss"; # lower is better
 *     sweep: { targets = [1.2, 0.7]; batch_sizes = [16, 32, 64, 128, 256, 512]; ... };
 */
#include "engine/starter/program_text.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/config/value.h"
#include "engine/starter/experiment_text.h"
#include <math.h>
#include <string.h>

/* ---- choosing ---- */

/* Without any gain there is one target, the best value: a sweep can still be run. */
void bl_starter_program_targets(bl_starter_program *p, double left) {
    const double gain = p->first - p->best;
    p->targets[0] = p->best + 0.5 * gain;
    p->targets[1] = p->best + left * gain;
    if (!(gain > 0.0)) p->targets[0] = p->targets[1] = p->best;
}

/* Epochs that six times as many steps as the start needed take at the largest size. */
void bl_starter_program_sizes(bl_starter_program *p, int64_t reached) {
    const int64_t rows = p->rows > 0 ? p->rows : BL_STARTER_PROGRAM_ROWS;
    const int64_t steps = reached > 0 ? reached : 100;
    p->smallest = p->batch_size < 4 ? p->batch_size : p->batch_size / 4;
    p->largest = p->smallest;
    for (int k = 0; k < 5 && 2 * p->largest <= rows; k++) p->largest *= 2;
    p->max_epochs = fmax(1.0, ceil(6.0 * (double)steps * (double)p->largest / (double)rows));
}

bool bl_starter_program_setting(const bl_json *m) {
    static const char *const given[] = {"batch_size", "learning_rate", "seed", "run", "batchlab"};
    for (size_t i = 0; i < BL_COUNT(given); i++)
        if (strcmp(m->key, given[i]) == 0) return false;
    if (!bl_value_is_name(m->key)) return false;
    return m->type == BL_JSON_NUMBER || m->type == BL_JSON_BOOL ||
           (m->type == BL_JSON_STRING && bl_text_is_plain(m->string));
}

/* ---- writing ---- */

static void write_texts(bl_buf *out, const char *key, char *const *text, size_t count) {
    bl_buf_printf(out, "  %s = [", key);
    for (size_t i = 0; i < count; i++) {
        bl_buf_str(out, i > 0 ? ", " : "");
        bl_json_string(out, text[i]);
    }
    bl_buf_str(out, "];\n");
}

/* The script's own defaults, so that they are part of the runs' ids. */
static void write_settings(const bl_starter_program *p, bl_buf *out) {
    bool any = false;
    for (const bl_json *m = p->args != NULL ? p->args->first : NULL; m != NULL; m = m->next) {
        if (!bl_starter_program_setting(m)) continue;
        bl_buf_printf(out, "%s    %s = ", any ? "" : "  settings: {\n", m->key);
        if (m->type == BL_JSON_BOOL) bl_buf_str(out, m->boolean ? "true" : "false");
        if (m->type == BL_JSON_NUMBER) bl_buf_str(out, m->string);
        if (m->type == BL_JSON_STRING) bl_json_string(out, m->string);
        bl_buf_str(out, ";\n");
        any = true;
    }
    if (any) bl_buf_str(out, "  };\n");
}

static void write_external(const bl_starter_program *p, bl_buf *out) {
    bl_buf_str(out, "external: {\n");
    write_texts(out, "command", p->word, p->words);
    bl_buf_str(out, "  # Their bytes are part of run ids. Files of data belong here, too.\n");
    write_texts(out, "inputs", p->input, p->inputs);
    bl_buf_str(out, "  version = \"\"; # of what it runs on, in your words; part of run ids\n");
    if (p->scrape[0] != '\0') {
        bl_buf_str(out, "  scrape = ");
        bl_json_string(out, p->scrape);
        bl_buf_str(out, ";\n");
    }
    write_settings(p, out);
    bl_buf_printf(out, "  epoch_rows = %lld;%s\n};\n",
                  (long long)(p->rows > 0 ? p->rows : BL_STARTER_PROGRAM_ROWS),
                  p->rows > 0 ? "" : " # a guess: write how many examples an epoch has");
}

/* A rate beyond the usual limits of a grid brings limits of its own. */
static void write_sweep(const bl_starter_program *p, bl_buf *out) {
    bl_buf easy = {0}, hard = {0};
    bl_value_write_number(&easy, p->targets[0], 4);
    bl_value_write_number(&hard, p->targets[1], 4);
    const bool two = strcmp(bl_buf_text(&easy), bl_buf_text(&hard)) != 0;
    bl_buf_printf(out,
                  "# The first start, at its own batch size of %lld, began at %.4g and came to "
                  "%.4g\n# in %lld steps. Targets, easiest first: set the values that matter to "
                  "you.\nsweep: {\n  targets = [%s%s%s];\n  batch_sizes = [",
                  (long long)p->batch_size, p->first, p->best, (long long)p->steps,
                  bl_buf_text(&easy), two ? ", " : "", two ? bl_buf_text(&hard) : "");
    for (int64_t b = p->smallest; b <= p->largest; b *= 2)
        bl_buf_printf(out, b > p->smallest ? ", %lld" : "%lld", (long long)b);
    bl_buf_printf(out, "];\n  lr_start = %.12g;", p->learning_rate);
    if (p->learning_rate < 1e-5) bl_buf_printf(out, " lr_min = %.4g;", p->learning_rate / 64.0);
    if (p->learning_rate > 1.0) bl_buf_printf(out, " lr_max = %.4g;", p->learning_rate * 64.0);
    bl_buf_printf(out, "\n  max_epochs = %.1f;\n};\n", p->max_epochs);
    bl_buf_free(&easy);
    bl_buf_free(&hard);
}

void bl_starter_program_config(const bl_starter_program *p, bl_buf *out) {
    bl_buf_str(out, "# Which batch size for the program that this line starts?\n#     ");
    bl_buf_str(out, p->line);
    bl_buf_str(out, "\ntitle = \"");
    bl_buf_str(out, p->name);
    bl_buf_str(out, "\";\n");
    write_external(p, out);
    bl_buf_str(out, "metric = ");
    bl_json_string(out, p->metric);
    bl_buf_str(out, "; # lower is better\n\n");
    write_sweep(p, out);
}

void bl_starter_program_script(bl_buf *out) {
    bl_buf_str(out,
               "-- The learning rate is retuned at every batch size. Sizes, targets and limits "
               "are in experiment.cfg.\n"
               "local sweep = require \"sweep\"\n"
               "\n"
               "return function(exp) sweep.critical_batch(exp, {}) end\n");
}
