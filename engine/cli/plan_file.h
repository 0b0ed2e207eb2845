/* plan.jsonl as records, in order: why each run was asked for (docs/formats.md). */
#ifndef BL_ENGINE_CLI_PLAN_FILE_H
#define BL_ENGINE_CLI_PLAN_FILE_H
#include "engine/base/json.h"
#include <stdbool.h>

typedef struct bl_plan_file {
    bl_json_doc *record; /* the first is the plan's head */
    size_t count;
} bl_plan_file;

/* From text[n]; `name` is for messages as NAME:LINE. On failure *out is empty. */
bl_status bl_plan_file_parse(bl_plan_file *out, const char *text, size_t n, const char *name,
                             bl_err *err) BL_CHECKED;
/* runs/NAME/plan.jsonl; none is an empty plan. */
bl_status bl_plan_file_read(bl_plan_file *out, const char *run_dir, bl_err *err) BL_CHECKED;
void bl_plan_file_free(bl_plan_file *plan);
/* Is the record of this kind: "round", "trial", "decision"? */
bool bl_plan_record_is(const bl_json_doc *record, const char *kind);
/* Does it speak of the run: a trial of it, or a decision that rests on it? */
bool bl_plan_record_has(const bl_json_doc *record, const char *run);
#endif
