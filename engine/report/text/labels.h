/* What a report is about, in few words: for headings, legends, file heads and sentences. */
#ifndef BL_ENGINE_REPORT_TEXT_LABELS_H
#define BL_ENGINE_REPORT_TEXT_LABELS_H
#include "engine/report/report_model.h"

#define BL_SYNTHETIC_LABEL "SYNTHETIC DATA"
#define BL_EXTERNAL_LABEL  "the program's data" /* where a program of the user's own trains */
#define BL_IMPORTED_LABEL  "imported runs"      /* that were trained elsewhere */

/* What was trained on: "cifar10 (40000_of_50000)", "mnist" without variants, "rossmann (SYNTHETIC
 * DATA)" from the generator, "no data" for the data set "none". */
void bl_label_dataset(bl_buf *out, const char *dataset, const char *variant, bool synthetic);
void bl_label_data(bl_buf *out, const bl_report_model *model); /* the same of a model */
bool bl_label_is_imported(const bl_report_model *model);       /* was nothing trained for it? */

/* "2 epochs", "1,000 steps", "60.0 s", "0.001 EUR" */
void bl_label_amount(bl_buf *out, const bl_report_model *model, const bl_report_budget *budget);
/* The same after the name of its series, where it has one: "sgd, 2 epochs" */
void bl_label_budget(bl_buf *out, const bl_report_model *model, const bl_report_budget *budget);

/* "exp_rmspe <= 0.2" */
void bl_label_target(bl_buf *out, const bl_report_model *model);

/* Writes a number as `write` does, with no more digits than an uncertainty of `half` leaves it; as
 * it is where half is not positive. 70.04 ms with 30 ms is "70 ms". */
void bl_label_uncertain(bl_buf *out, double x, double half, void (*write)(bl_buf *out, double x));
#endif
