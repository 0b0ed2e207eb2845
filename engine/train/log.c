/* The run's log (docs/formats.md): no clock, no host, equal runs equal bytes. */
#include "engine/base/json_writer.h"
#include "engine/config/applies.h"
#include "engine/config/validate.h"
#include "engine/train/workload.h"
#include <inttypes.h>
#include <stdio.h>

/* Closes the record that begins at byte `begin` of the log and takes its line into the digest. */
static void end_line(bl_train *t, bl_jw *w, size_t begin) {
    bl_jw_end(w);
    bl_jw_line(w);
    bl_sha256_update(&t->log_digest, t->log.data + begin, t->log.len - begin);
}

static void add_algorithms(bl_jw *w, bl_train *t) {
    const char *text;
    bl_jw_array(w, "algorithms");
    for (size_t i = 0; (text = bl_train_device_algorithm(t, i)) != NULL; i++)
        bl_jw_str(w, NULL, text);
    bl_jw_end(w);
}

static void add_dataset(bl_jw *w, const bl_dataset *d) {
    bl_jw_object(w, "dataset");
    bl_jw_str(w, "name", d->name);
    bl_jw_bool(w, "synthetic", d->synthetic);
    bl_jw_str(w, "variant", d->variant);
    bl_jw_str(w, "sha256", d->sha256);
    bl_jw_end(w);
}

void bl_train_log_header(bl_train *train, const char *run_id) {
    const size_t begin = train->log.len;
    bl_jw w = bl_jw_open(&train->log);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", "header");
    bl_jw_i64(&w, "format", 1);
    bl_jw_str(&w, "run", run_id != NULL ? run_id : "");
    bl_jw_i64(&w, "epoch", bl_config_numerics_epoch(&train->config));
    bl_jw_str(&w, "level", train->config.numerics);
    if (train->config.computed_by[0] != '\0') {
        bl_jw_str(&w, "device", train->config.computed_by);
        add_algorithms(&w, train);
    }
    add_dataset(&w, train->data);
    bl_config_identity(&train->config, bl_jw_slot(&w, "config"));
    end_line(train, &w, begin);
}

/* A record of the step just made; end_line closes it. */
static bl_jw begin_record(bl_train *t, const char *record) {
    bl_jw w = bl_jw_open(&t->log);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", record);
    bl_jw_i64(&w, "step", t->progress.made);
    bl_jw_i64(&w, "examples", t->progress.made * (int64_t)t->batch);
    return w;
}

static void add_state(bl_jw *w, const bl_train *t) {
    if (t->progress.diverged) bl_jw_str(w, "state", "nan");
}

/* A problem without data has no batches of rows. */
static bool has_batch_mean(const bl_config *config) {
    return config->eval.batch_mean && bl_config_reads(config, "eval.batch_mean");
}

/* The two records of an evaluation, in this order; docs/formats.md shows both. The rate is that
 * of the step that was made last. */
void bl_train_log_records(bl_train *train) {
    char hash[17];
    size_t begin = train->log.len;
    bl_jw w = begin_record(train, "step");
    bl_jw_f64(&w, "loss", train->progress.loss);
    bl_jw_f64(&w, "mean_loss", train->now.train_loss);
    bl_jw_f64(&w, "learning_rate", bl_schedule_at(&train->schedule, train->progress.made - 1).rate);
    (void)snprintf(hash, sizeof hash, "%016" PRIx64, train->progress.hash);
    bl_jw_str(&w, "hash", hash);
    add_state(&w, train);
    end_line(train, &w, begin);

    begin = train->log.len;
    w = begin_record(train, "eval");
    bl_jw_f64(&w, "value", train->now.value);
    if (has_batch_mean(&train->config)) bl_jw_f64(&w, "batch_mean", train->now.batch_mean);
    bl_jw_str(&w, "params", train->now.params_sha256);
    add_state(&w, train);
    end_line(train, &w, begin);
}
