#include "engine/config/set_notes.h"
#include "engine/base/mem.h"
#include "engine/config/applies.h"
#include "engine/config/key.h"
#include "engine/config/layers.h"
#include <stdio.h>
#include <string.h>

/* What sweep.lua gives its runs, and the keys that tell the sweep which to try. */
static const struct {
    const char *path, *instead;
} k_swept[] = {
    {"train.learning_rate", "sweep.lr_start, sweep.lr_min and sweep.lr_max"},
    {"train.batch_size",    "sweep.batch_sizes"                            }
};

/* Pieces always count: in memory where not in bits. */
static bool has_effect(const bl_config *config, const bl_key *key) {
    return key->when == BL_WHEN_PIECES || bl_key_applies(config, key);
}

/* " where optimizer.name is adamw": the choice that does not read it; "" where it is a condition of
 * another kind. */
static void add_reason(bl_buf *line, const bl_config *config, const bl_key *key) {
    const bl_key *of = bl_key_unread_under(config, key);
    if (of != NULL)
        bl_buf_printf(line, " where %s is %s", of->path, (const char *)bl_key_cfield(of, config));
}

static void note_set(const bl_config *config, const bl_key *key,
                     void (*say)(void *ctx, const char *line), void *ctx) {
    bl_buf line = {0};
    if (!has_effect(config, key)) {
        bl_buf_printf(&line, "note: --set %s has no effect", key->path);
        add_reason(&line, config, key);
    }
    for (size_t i = 0; line.len == 0 && i < BL_COUNT(k_swept); i++)
        if (strcmp(key->path, k_swept[i].path) == 0)
            bl_buf_printf(&line,
                          "note: --set %s has no effect on runs that sweep.lua gives their own; a "
                          "sweep takes %s",
                          key->path, k_swept[i].instead);
    if (line.len > 0) say(ctx, bl_buf_text(&line));
    bl_buf_free(&line);
}

void bl_config_set_notes(const bl_config *config, const char *const *sets, size_t n,
                         void (*say)(void *ctx, const char *line), void *ctx) {
    for (size_t i = 0; i < n; i++) {
        char name[BL_CONFIG_LAYER_PATH];
        const bl_key *key;
        /* "model.layers[2].units" belongs to the list. */
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(sets[i], "=["), sets[i]);
        if (bl_key_resolve(&key, name, NULL) == BL_OK) note_set(config, key, say, ctx);
    }
}
