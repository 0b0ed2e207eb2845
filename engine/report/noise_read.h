/* The gradient noise scale over training, from the records that probes left beside a log
 * (engine/noise/noise.h), as lines over the examples trained. */
#ifndef BL_ENGINE_REPORT_NOISE_READ_H
#define BL_ENGINE_REPORT_NOISE_READ_H
#include "engine/report/report_model.h"

/* Fills model->noise: of the trial with the smallest batch size whose run has probes; the way that
 * compares two trainings reads the trial of twice the batch size that is otherwise alike. Windows
 * of up to BL_REPORT_NOISE_WINDOWS equal counts of probes. A file that is not whole is BL_EFORMAT;
 * one that is not there is no probes. */
enum { BL_REPORT_NOISE_WINDOWS = 12 };
bl_status bl_report_noise_read(bl_report_model *model, const char *run_dir, bl_err *err) BL_CHECKED;
#endif
