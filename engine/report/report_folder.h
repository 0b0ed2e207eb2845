/* Where a report lies: reports/NAME/PRESET/, one folder for each preset, so that a short sweep does
 * not replace what a long one found. reports/NAME/ itself holds links to the files of the newest
 * answer. An experiment without presets has its report in reports/NAME/. */
#ifndef BL_ENGINE_REPORT_REPORT_FOLDER_H
#define BL_ENGINE_REPORT_REPORT_FOLDER_H
#include "engine/base/file.h"

/* The preset's folder. A report without an answer does not replace one that has an answer: it goes
 * to PRESET-no-answer/ beside it. */
bl_status bl_report_place(char out[BL_PATH], const char *reports_dir, const char *name,
                          const char *preset, bool answered, bl_err *err) BL_CHECKED;

/* The folder with what the preset's last sweep left, and whether it holds an answer. BL_EMISSING
 * where there is none. */
bl_status bl_report_kept(char out[BL_PATH], bool *answered, const char *reports_dir,
                         const char *name, const char *preset, bl_err *err) BL_CHECKED;

/* Points the links in reports/NAME/ at the report in `place`, a folder inside it; links to files
 * that it does not have go. A report without an answer leaves links to one that has an answer.
 * Without a preset there is nothing to do. */
bl_status bl_report_make_current(const char *reports_dir, const char *name, const char *place,
                                 bool answered, bl_err *err) BL_CHECKED;
#endif
