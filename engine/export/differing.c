#include "engine/export/differing.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include <stdlib.h>
#include <string.h>

/* They have columns of their own. */
static const char *const k_columns[] = {"data.rows", "metric", "train.batch_size",
                                        "train.learning_rate", "train.seed"};

static bool has_column(const char *key) {
    for (size_t i = 0; i < BL_COUNT(k_columns); i++)
        if (strcmp(key, k_columns[i]) == 0) return true;
    return false;
}

static bl_export_setting *find(bl_export_settings *all, const char *key) {
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->v[i].key, key) == 0) return &all->v[i];
    bl_export_setting *added = BL_PUSH(all->v, all->count, "settings");
    added->key = bl_xstrdup(key);
    return added;
}

void bl_export_settings_add(bl_export_settings *all, const bl_json *config) {
    bl_buf text = {0};
    all->runs++;
    for (const bl_json *m = config != NULL ? config->first : NULL; m != NULL; m = m->next) {
        if (has_column(m->key)) continue;
        bl_export_setting *s = find(all, m->key);
        bl_buf_clear(&text);
        bl_json_show(&text, m);
        if (s->runs++ == 0)
            s->text = bl_xstrdup(bl_buf_text(&text));
        else if (strcmp(s->text, bl_buf_text(&text)) != 0)
            s->differs = true;
    }
    bl_buf_free(&text);
}

static int by_key(const void *a, const void *b) {
    const bl_export_setting *x = a, *y = b;
    return strcmp(x->key, y->key);
}

static void drop(bl_export_setting *s) {
    free(s->key);
    free(s->text);
}

void bl_export_settings_choose(bl_export_settings *all) {
    size_t kept = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (all->v[i].differs || all->v[i].runs < all->runs)
            all->v[kept++] = all->v[i];
        else
            drop(&all->v[i]);
    }
    all->count = kept;
    if (kept > 1) qsort(all->v, kept, sizeof *all->v, by_key);
}

void bl_export_settings_free(bl_export_settings *all) {
    for (size_t i = 0; i < all->count; i++) drop(&all->v[i]);
    free(all->v);
    *all = (bl_export_settings){0};
}
