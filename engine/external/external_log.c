/* The log of a run that batchlab did not train itself, in the form of its own runs:
 *
 *     {"record":"header","format":1,"run":"r3f...","protocol":1,"inputs":"9a1...","config":{...}}
 *     {"record":"step","step":128,"examples":8192,"mean_loss":0.29,"learning_rate":0.001}
 *     {"record":"eval","step":128,"examples":8192,"value":0.31,"ends":true}
 *
 * There is a step record for each evaluation only: other steps are not reported. No time stands in
 * it, so that the same program gives the same bytes. */
#include "engine/external/external_log.h"
#include "engine/base/json_writer.h"
#include <math.h>

void bl_external_log_header(bl_buf *log, const bl_config *config, const char *run_id) {
    bl_jw w = bl_jw_open(log);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", "header");
    bl_jw_i64(&w, "format", 1);
    bl_jw_str(&w, "run", run_id);
    bl_jw_i64(&w, "protocol", BL_EXTERNAL_PROTOCOL);
    if (bl_config_is_imported(config)) bl_jw_bool(&w, "imported", true);
    bl_jw_str(&w, "inputs", config->external.inputs_sha256);
    if (config->external.repeat > 0) bl_jw_i64(&w, "repeat", config->external.repeat);
    bl_config_identity(config, bl_jw_slot(&w, "config"));
    bl_jw_end(&w);
    bl_jw_line(&w);
}

static bl_jw begin_record(bl_buf *log, const char *record, int64_t step, const bl_config *config) {
    bl_jw w = bl_jw_open(log);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", record);
    bl_jw_i64(&w, "step", step);
    bl_jw_i64(&w, "examples", step * config->train.batch_size);
    return w;
}

static void end_record(bl_jw *w, bool diverged) {
    if (diverged) bl_jw_str(w, "state", "nan");
    bl_jw_end(w);
    bl_jw_line(w);
}

void bl_external_log_eval(bl_buf *log, bl_train_state *now, const bl_config *config, int64_t step,
                          double value, double loss) {
    const bool diverged = !isfinite(value);
    bl_jw w = begin_record(log, "step", step, config);
    bl_jw_f64(&w, "mean_loss", loss);
    bl_jw_f64(&w, "learning_rate", config->train.learning_rate);
    end_record(&w, diverged);
    w = begin_record(log, "eval", step, config);
    bl_jw_f64(&w, "value", value);
    end_record(&w, diverged);
    *now = (bl_train_state){.step = step,
                            .value = diverged ? (double)NAN : value,
                            .batch_mean = (double)NAN,
                            .train_loss = loss,
                            .diverged = diverged};
}

/* The last line is opened again: its brace and newline are cut off and come back behind the
 * mark. */
void bl_external_log_end(bl_buf *log, bl_train_state *now) {
    bl_buf_truncate(log, log->len - 2); /* the brace and the newline */
    bl_jw w = bl_jw_resume(log);
    bl_jw_bool(&w, "ends", true);
    bl_jw_end(&w);
    bl_jw_line(&w);
    now->ended = true;
}
