#include "engine/runlog/log_steps.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A step record begins an entry; its value is NAN until an eval record follows. */
static void add_step(bl_runlog_steps *out, const bl_json *record) {
    bl_runlog_step *s = BL_PUSH(out->at, out->count, "steps of a log");
    *s = (bl_runlog_step){.step = bl_json_int(record, "step", 0),
                          .loss = bl_json_number(record, "loss", (double)NAN),
                          .mean_loss = bl_json_number(record, "mean_loss", (double)NAN),
                          .value = (double)NAN};
    (void)snprintf(s->hash, sizeof s->hash, "%s", bl_json_text(record, "hash", ""));
}

static bl_status add_record(void *ctx, const bl_jsonl_line *line, bl_err *err) {
    bl_runlog_steps *out = ctx;
    const char *record = bl_json_text(line->value, "record", "");
    (void)err;
    if (strcmp(record, "step") == 0) add_step(out, line->value);
    if (strcmp(record, "eval") == 0 && out->count > 0)
        out->at[out->count - 1].value = bl_json_number(line->value, "value", (double)NAN);
    return BL_OK;
}

bl_status bl_runlog_steps_read(bl_runlog_steps *out, const char *text, size_t n, const char *name,
                               bl_err *err) {
    *out = (bl_runlog_steps){0};
    const bl_status status = bl_jsonl_each(text, n, name, add_record, out, err);
    if (status != BL_OK) bl_runlog_steps_free(out);
    return status;
}

void bl_runlog_steps_free(bl_runlog_steps *steps) {
    free(steps->at);
    *steps = (bl_runlog_steps){0};
}

/* Two ascending lists are walked side by side, and steps that only one of them has are passed
 * over: runs may be evaluated at other steps. Two diverged values, NAN both, are equal here. */
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
