/* The run's log (docs/formats.md): no clock, no host, equal runs equal bytes. */
#include "engine/base/json.h"
#include "engine/config/validate.h"
#include "engine/train/workload.h"
#include <inttypes.h>

/* Ends a line that began at `begin` and takes it into the digest. */
static void end_line(bl_train *t, size_t begin) {
    bl_buf_str(&t->log, "}\n");
    bl_sha256_update(&t->log_digest, t->log.data + begin, t->log.len - begin);
}

static void add_text(bl_buf *log, const char *key, const char *text) {
    bl_buf_printf(log, ",\"%s\":", key);
    bl_json_string(log, text);
}

static void add_number(bl_buf *log, const char *key, double value) {
    bl_buf_printf(log, ",\"%s\":", key);
    bl_json_f64(log, value);
}

static void add_algorithms(bl_train *t) {
    const char *text;
    bl_buf_str(&t->log, ",\"algorithms\":[");
    for (size_t i = 0; (text = bl_device_run_choice(t, i)) != NULL; i++) {
        if (i > 0) bl_buf_str(&t->log, ",");
        bl_json_string(&t->log, text);
    }
    bl_buf_str(&t->log, "]");
}

void bl_log_header(bl_train *train, const char *run_id) {
    const bl_dataset *d = train->data;
    bl_buf *log = &train->log;
    const size_t begin = log->len;
    bl_buf_str(log, "{\"record\":\"header\",\"format\":1");
    add_text(log, "run", run_id != NULL ? run_id : "");
    bl_buf_printf(log, ",\"epoch\":%d", bl_config_numerics_epoch(&train->config));
    add_text(log, "level", train->config.numerics);
    if (train->config.computed_by[0] != '\0') {
        add_text(log, "device", train->config.computed_by);
        add_algorithms(train);
    }
    bl_buf_str(log, ",\"dataset\":{\"name\":");
    bl_json_string(log, d->name);
    bl_buf_printf(log, ",\"synthetic\":%s", d->synthetic ? "true" : "false");
    add_text(log, "variant", d->variant);
    add_text(log, "sha256", d->sha256);
    bl_buf_str(log, "},\"config\":");
    bl_config_identity(&train->config, log);
    end_line(train, begin);
}

static size_t begin_record(bl_train *t, const char *record) {
    const size_t begin = t->log.len;
    bl_buf_printf(&t->log, "{\"record\":\"%s\",\"step\":%" PRId64 ",\"examples\":%" PRIu64, record,
                  t->progress.made, (uint64_t)t->progress.made * t->batch);
    return begin;
}

static void add_state(bl_train *t) {
    if (t->progress.diverged) add_text(&t->log, "state", "nan");
}

void bl_log_records(bl_train *train) {
    size_t begin = begin_record(train, "step");
    add_number(&train->log, "loss", train->progress.loss);
    add_number(&train->log, "mean_loss", train->now.train_loss);
    add_number(&train->log, "learning_rate",
               bl_schedule_at(&train->schedule, train->progress.made - 1).rate);
    bl_buf_printf(&train->log, ",\"hash\":\"%016" PRIx64 "\"", train->progress.hash);
    add_state(train);
    end_line(train, begin);

    begin = begin_record(train, "eval");
    add_number(&train->log, "value", train->now.value);
    add_text(&train->log, "params", train->now.params_sha256);
    add_state(train);
    end_line(train, begin);
}
