/* What a trial changes of its experiment, as text that can be compared.
 *
 *     experiment   train.batch_size = 64, optimizer.momentum = 0.9, ...
 *     trial        train.batch_size = 256, optimizer.momentum = 0
 *     "set"
 * {"train.batch_size":256,"train.learning_rate":0.1,"train.seed":1,"optimizer.momentum":0} others
 * "optimizer.momentum":0}
 *
 * Only keys that decide the run's identity count: two trials with equal "set" of one experiment are
 * one run. */
#include "engine/plan/settings.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/config/schema.h"
#include "engine/config/value.h"
#include <string.h>

/* What every sweep varies: a trial has these members beside "set", too. */
static bool is_axis(const char *path) {
    static const char *const axes[] = {"train.batch_size", "train.learning_rate", "train.seed"};
    for (size_t i = 0; i < BL_COUNT(axes); i++)
        if (strcmp(path, axes[i]) == 0) return true;
    return false;
}

void bl_plan_settings_write(bl_buf *out, const bl_config *experiment, const bl_config *trial) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    for (size_t i = 0; i < bl_schema_count; i++) {
        const bl_key *key = &bl_schema[i];
        if (!key->identity) continue;
        const bl_config_value was = bl_value_of(key, experiment), is = bl_value_of(key, trial);
        if (bl_value_equal(&was, &is) && !is_axis(key->path)) continue;
        bl_value_write(&is, BL_FORM_JSON, bl_jw_slot(&w, key->path));
    }
    bl_jw_end(&w);
    bl_jw_done(&w);
}

const char *bl_plan_settings_others(const char *set, bl_chunks *memory) {
    bl_json_doc doc;
    bl_buf text = {0};
    bl_jw w = bl_jw_open(&text);
    BL_ASSERT(bl_json_parse(&doc, set, strlen(set), "set", 1, NULL) == BL_OK);
    bl_jw_object(&w, NULL);
    for (const bl_json *m = doc.root->first; m != NULL; m = m->next)
        if (!is_axis(m->key)) bl_jw_value(&w, m->key, m);
    bl_json_free(&doc);
    const char *members = bl_chunks_text(memory, text.data + 1); /* without the brace */
    bl_buf_free(&text);
    return members;
}

void bl_plan_settings_digest(const bl_json *identity, char out[BL_SHA256_HEX]) {
    const bl_json *config = bl_json_get(identity, "config");
    bl_buf text = {0};
    bl_jw w = bl_jw_open(&text);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "dataset", bl_json_text(identity, "dataset", ""));
    for (const bl_json *m = config != NULL ? config->first : NULL; m != NULL; m = m->next)
        if (!is_axis(m->key) && strcmp(m->key, "eval.first") != 0 &&
            strcmp(m->key, "eval.growth") != 0)
            bl_jw_value(&w, m->key, m);
    bl_jw_end(&w);
    bl_jw_done(&w);
    bl_sha256_of(text.data, text.len, out);
    bl_buf_free(&text);
}
