/* The answer for an easier target, cut anew from the runs that were made for the main one: the best
 * learning rate of each batch size, from their logs. */
#ifndef BL_ENGINE_REPORT_RECUT_H
#define BL_ENGINE_REPORT_RECUT_H
#include "engine/report/plan_read.h"

/* For each batch size the settings with the fewest median steps to `target`, among those that ran
 * with the most seeds: a rate with one seed does not win by luck against three. `bracketed` when a
 * lower and a higher rate were tried. Batch sizes ascend. */
void bl_recut_bests(bl_report_bests *out, const bl_report_model *model, double target);
#endif
