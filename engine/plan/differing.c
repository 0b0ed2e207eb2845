#include "engine/plan/differing.h"
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

static bl_plan_differing_key *find(bl_plan_differing *all, const char *key) {
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->v[i].key, key) == 0) return &all->v[i];
    bl_plan_differing_key *added = BL_PUSH(all->v, all->count, "settings");
    added->key = bl_xstrdup(key);
    return added;
}

void bl_plan_differing_add(bl_plan_differing *all, const bl_json *config) {
    bl_buf text = {0};
    all->runs++;
    for (const bl_json *m = config != NULL ? config->first : NULL; m != NULL; m = m->next) {
        if (has_column(m->key)) continue;
        bl_plan_differing_key *s = find(all, m->key);
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
    const bl_plan_differing_key *x = a, *y = b;
    return strcmp(x->key, y->key);
}

static void drop(bl_plan_differing_key *s) {
    free(s->key);
    free(s->text);
}

void bl_plan_differing_choose(bl_plan_differing *all) {
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

void bl_plan_differing_free(bl_plan_differing *all) {
    for (size_t i = 0; i < all->count; i++) drop(&all->v[i]);
    free(all->v);
    *all = (bl_plan_differing){0};
}
