/* What to do about a target that was too hard or too easy. */
#ifndef BL_ENGINE_REPORT_TEXT_ADVICE_H
#define BL_ENGINE_REPORT_TEXT_ADVICE_H
#include "engine/report/report_model.h"

/* Not reached at any batch size: what came closest, a target within reach, and the command that
 * asks for it. Reached at once at every size: a harder target, likewise. Nothing otherwise. */
void bl_advice_target(bl_buf *out, const bl_report_model *model);

/* The first number above x of two significant digits that leaves a little room: 0.603 gives 0.62,
 * 5.1e4 gives 52000. */
double bl_advice_round_up(double x);
#endif
