/* A report is drawn in a folder that nobody else knows and takes its place whole: whatever kills
 * the drawing, and whoever draws the same report meanwhile, a reader finds one whole report. */
#ifndef BL_ENGINE_REPORT_REPORT_REPLACE_H
#define BL_ENGINE_REPORT_REPORT_REPLACE_H
#include "engine/base/file.h"

/* An empty folder beside `place`, under a name that bl_dir_sweep knows. */
bl_status bl_report_begin(char drawing[BL_PATH], const char *place, bl_err *err) BL_CHECKED;

/* Does a file of this name belong to a report? */
typedef bool bl_report_owns(const char *file);

/* Puts the folder `drawing` where `place` is, in one step, and removes what was there. Where
 * something lies that belongs to no report, or where the two cannot be exchanged (a mount, some
 * network disks), the files move in one by one instead, the note last. `drawing` is gone after
 * success; after a failure it may be there. */
bl_status bl_report_replace(const char *drawing, const char *place, bl_report_owns *owns,
                            bl_err *err) BL_CHECKED;
#endif
