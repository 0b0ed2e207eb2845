#include "engine/runlog/log_steps.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void add_step(bl_runlog_steps *out, size_t *cap, const bl_json *record) {
    if (out->count == *cap) {
        *cap = *cap ? 2 * *cap : 64;
        out->at = bl_xrealloc(out->at, *cap * sizeof *out->at);
    }
    bl_runlog_step *s = &out->at[out->count++];
    *s = (bl_runlog_step){.step = bl_json_int(record, "step", 0),
                          .loss = bl_json_number(record, "loss", (double)NAN),
                          .mean_loss = bl_json_number(record, "mean_loss", (double)NAN),
                          .value = (double)NAN};
    (void)snprintf(s->hash, sizeof s->hash, "%s", bl_json_text(record, "hash", ""));
}

bl_status bl_runlog_steps_read(bl_runlog_steps *out, const char *text, size_t n, const char *name,
                               bl_err *err) {
    *out = (bl_runlog_steps){0};
    size_t cap = 0, line = 0;
    bl_status status = BL_OK;
    for (size_t at = 0; at < n && status == BL_OK;) {
        const char *stop = memchr(text + at, '\n', n - at);
        const size_t end = stop != NULL ? (size_t)(stop - text) + 1 : n;
        bl_json_doc doc = {0};
        status = bl_json_parse(&doc, text + at, end - at, name, ++line, err);
        if (status == BL_OK) {
            const char *record = bl_json_text(doc.root, "record", "");
            if (strcmp(record, "step") == 0) add_step(out, &cap, doc.root);
            if (strcmp(record, "eval") == 0 && out->count > 0)
                out->at[out->count - 1].value = bl_json_number(doc.root, "value", (double)NAN);
            bl_json_free(&doc);
        }
        at = end;
    }
    if (status != BL_OK) bl_runlog_steps_free(out);
    return status;
}

void bl_runlog_steps_free(bl_runlog_steps *steps) {
    free(steps->at);
    *steps = (bl_runlog_steps){0};
}

bool bl_runlog_steps_differ(const bl_runlog_steps *a, const bl_runlog_steps *b, size_t *i,
                            size_t *j) {
    for (*i = *j = 0; *i < a->count && *j < b->count;) {
        const bl_runlog_step *x = &a->at[*i], *y = &b->at[*j];
        if (x->step < y->step) {
            ++*i;
        } else if (y->step < x->step) {
            ++*j;
        } else {
            const bool values = x->value == y->value || (isnan(x->value) && isnan(y->value));
            if (strcmp(x->hash, y->hash) != 0 || !values) return true;
            ++*i;
            ++*j;
        }
    }
    return false;
}
