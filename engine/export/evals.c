#include "engine/export/evals.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/export/tfevents.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char bl_export_columns[] =
    "run,synthetic,data_rows,batch_size,learning_rate,seed,step,examples,value,train_loss,rate,"
    "batch_mean,value_of,series";

/* One evaluation on its way out: a line of CSV or a JSON object. */
typedef struct sink {
    bl_buf *out;
    bl_jw w;
    bool jsonl;
} sink;

/* The first column, which needs no comma before it. */
static void begin_row(sink *s, const char *run) {
    if (s->jsonl) {
        s->w = bl_jw_open(s->out);
        bl_jw_object(&s->w, NULL);
        bl_jw_str(&s->w, "run", run);
    } else {
        bl_buf_str(s->out, run);
    }
}

static void end_row(sink *s) {
    if (s->jsonl) {
        bl_jw_end(&s->w);
        bl_jw_line(&s->w);
    } else {
        bl_buf_str(s->out, "\n");
    }
}

/* A column of numbers; NAN is written as an empty field or null. */
static void number(sink *s, const char *name, double value) {
    if (s->jsonl) {
        bl_jw_f64(&s->w, name, value);
    } else {
        bl_buf_str(s->out, ",");
        if (isfinite(value)) bl_json_f64(s->out, value);
    }
}

static void whole(sink *s, const char *name, int64_t value) {
    if (s->jsonl)
        bl_jw_i64(&s->w, name, value);
    else
        bl_buf_printf(s->out, ",%" PRId64, value);
}

static void text(sink *s, const char *name, const char *value) {
    if (s->jsonl) {
        bl_jw_str(&s->w, name, value);
    } else {
        bl_buf_str(s->out, ",");
        bl_text_csv_cell(s->out, value);
    }
}

/* A setting as the configuration has it; one that the run lacks is an empty field or null. */
static void setting(sink *s, const char *name, const bl_json *value) {
    bl_buf shown = {0};
    if (value == NULL || value->type == BL_JSON_NULL)
        number(s, name, (double)NAN);
    else if (value->type == BL_JSON_NUMBER)
        number(s, name, value->number);
    else if (value->type == BL_JSON_STRING)
        text(s, name, value->string);
    else {
        bl_json_show(&shown, value);
        text(s, name, bl_buf_text(&shown));
    }
    bl_buf_free(&shown);
}

void bl_export_header(bl_buf *out, const bl_plan_differing *settings) {
    bl_buf_str(out, bl_export_columns);
    for (size_t i = 0; i < settings->count; i++) bl_buf_printf(out, ",%s", settings->v[i].key);
    bl_buf_str(out, "\n");
}

/* A column added here needs its name in bl_export_columns. */
static void rows(bl_buf *out, const bl_run_files *run, const bl_plan_differing *settings,
                 const char *series, bool jsonl) {
    sink s = {.out = out, .jsonl = jsonl};
    const bl_json *config = bl_json_get(run->header.root, "config");
    const bl_json *dataset = bl_json_get(run->header.root, "dataset");
    for (size_t i = 0; i < run->parsed.evals; i++) {
        const bl_runlog_eval *e = &run->parsed.eval[i];
        begin_row(&s, run->parsed.run);
        whole(&s, "synthetic", bl_json_bool(dataset, "synthetic", false));
        whole(&s, "data_rows", bl_json_int(config, "data.rows", 0));
        whole(&s, "batch_size", bl_json_int(config, "train.batch_size", 0));
        number(&s, "learning_rate", bl_json_number(config, "train.learning_rate", (double)NAN));
        whole(&s, "seed", bl_json_int(config, "train.seed", 0));
        whole(&s, "step", e->step);
        whole(&s, "examples", e->examples);
        number(&s, "value", e->value);
        number(&s, "train_loss", e->train_loss);
        number(&s, "rate", e->learning_rate);
        number(&s, "batch_mean", e->batch_mean);
        text(&s, "value_of", bl_json_text(config, "metric", ""));
        if (series[0] != '\0')
            text(&s, "series", series);
        else
            number(&s, "series", (double)NAN);
        for (size_t k = 0; k < settings->count; k++)
            setting(&s, settings->v[k].key, bl_json_get(config, settings->v[k].key));
        end_row(&s);
    }
}

void bl_export_csv(bl_buf *out, const bl_run_files *run, const bl_plan_differing *settings,
                   const char *series) {
    rows(out, run, settings, series, false);
}

void bl_export_jsonl(bl_buf *out, const bl_run_files *run, const bl_plan_differing *settings,
                     const char *series) {
    rows(out, run, settings, series, true);
}

/* What the run has of batch size, rate, seed and `settings`, named as the columns of a table. */
static void hyperparameters(bl_buf *out, const bl_json *config, const bl_plan_differing *settings) {
    static const char *const axes[][2] = {
        {"batch_size",    "train.batch_size"   },
        {"learning_rate", "train.learning_rate"},
        {"seed",          "train.seed"         }
    };
    const size_t fixed = BL_COUNT(axes), count = fixed + settings->count;
    bl_tfsetting *list = bl_xalloc(count * sizeof *list);
    bl_buf *shown = bl_xalloc(count * sizeof *shown);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const char *key = i < fixed ? axes[i][0] : settings->v[i - fixed].key;
        const bl_json *value = bl_json_get(config, i < fixed ? axes[i][1] : key);
        shown[i] = (bl_buf){0};
        if (value == NULL || value->type == BL_JSON_NULL) continue;
        const bool number = value->type == BL_JSON_NUMBER, text = value->type == BL_JSON_STRING;
        if (!number && !text) bl_json_show(&shown[i], value);
        list[n++] = (bl_tfsetting){key,
                                   number ? NULL
                                   : text ? value->string
                                          : bl_buf_text(&shown[i]),
                                   value->number};
    }
    bl_tfevents_settings(out, list, n);
    for (size_t i = 0; i < count; i++) bl_buf_free(&shown[i]);
    free(shown);
    free(list);
}

/* What every run has is in the folder's name, by which TensorBoard calls the run. No batch_mean:
 * few runs have it. */
bl_status bl_export_tfevents(const bl_run_files *run, const bl_plan_differing *settings,
                             const char *dir, bl_err *err) {
    char folder[BL_PATH], path[BL_PATH], rate[32];
    bl_buf out = {0};
    const bl_json *config = bl_json_get(run->header.root, "config");
    bl_json_f64_text(rate, bl_json_number(config, "train.learning_rate", (double)NAN));
    BL_TRY(bl_path(folder, err, "%s/b%" PRId64 "-lr%s-s%" PRId64 "-%s", dir,
                   bl_json_int(config, "train.batch_size", 0), rate,
                   bl_json_int(config, "train.seed", 0), run->parsed.run));
    BL_TRY(bl_path(path, err, "%s/events.out.tfevents.0.batchlab", folder));
    BL_TRY(bl_make_dirs(folder, err));
    bl_tfevents_begin(&out);
    hyperparameters(&out, config, settings);
    for (size_t i = 0; i < run->parsed.evals; i++) {
        const bl_runlog_eval *e = &run->parsed.eval[i];
        const bl_tfscalar scalars[] = {
            {"value",      e->value        },
            {"train_loss", e->train_loss   },
            {"rate",       e->learning_rate},
        };
        bl_tfevents_add(&out, e->step, scalars, BL_COUNT(scalars));
    }
    const bl_status status = bl_file_output(path, out.data, out.len, err);
    bl_buf_free(&out);
    return status;
}
