/* From a sweep's files to its answer. Commands that report call this once and pass the model on:
 *
 *     bl_report_model model;
 *     BL_TRY(bl_report_analyse(&model, "runs/rossmann", err));
 *     ... write.h, text/recommendation.h and figures/figures.h read the model ...
 *     bl_report_model_free(&model);
 *
 * analyse.c lists the parts in the order in which one needs another; report_model.h says what the
 * model holds. */
#ifndef BL_ENGINE_REPORT_ANALYSE_H
#define BL_ENGINE_REPORT_ANALYSE_H
#include "engine/report/report_model.h"

/* Reads runs/NAME. BL_EMISSING without a plan.jsonl; BL_EFORMAT names file and line. A target that
 * was never reached is no error: answered == false. */
bl_status bl_report_analyse(bl_report_model *out, const char *run_dir, bl_err *err) BL_CHECKED;
#endif
