/* Under which series a trial was asked: "momentum", where a sweep asks the same question under
 * several named settings. Only decisions have the name; a trial has it by its settings. */
#ifndef BL_ENGINE_PLAN_SERIES_H
#define BL_ENGINE_PLAN_SERIES_H
#include "engine/plan/plan.h"

/* names[trial_count]: that of each trial, "" for none. A trial that no decision names has the
 * series whose trials have its settings, beside batch size, rate and seed; where two series have
 * them, none. Texts are the plan's. */
void bl_plan_series(const char **names, const bl_plan_doc *plan);
#endif
