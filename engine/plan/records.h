/* The tables of the plan's records, for this room and its test. */
#ifndef BL_ENGINE_PLAN_RECORDS_H
#define BL_ENGINE_PLAN_RECORDS_H
#include "engine/plan/fields.h"
#include "engine/plan/plan.h"

extern const bl_plan_row bl_plan_head_row, bl_plan_round_row, bl_plan_trial_row;
extern const bl_plan_row bl_plan_kind_rows[BL_PLAN_KIND_COUNT];

/* As bl_plan_decision_parse. Of an `old` file, from before there were seals, a kind or a field that
 * there is no longer is passed over. */
bl_status bl_plan_decision_read(bl_plan_decision *out, const bl_json *object, bool old,
                                bl_chunks *memory, bl_err *err) BL_CHECKED;
#endif
