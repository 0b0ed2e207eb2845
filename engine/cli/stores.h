/* The experiments that have a store, for commands that go through one or all of them. */
#ifndef BL_ENGINE_CLI_STORES_H
#define BL_ENGINE_CLI_STORES_H
#include "engine/base/file.h"
#include "engine/plan/differing.h"

/* The folder with the runs of the experiment `name`. BL_EMISSING: there are none. */
bl_status bl_cli_runs_folder(char out[BL_PATH], const char *name, bl_err *err) BL_CHECKED;

/* The experiment `name`, or all in order when it is NULL; none is no error then. BL_EMISSING: there
 * are no runs of that name. Names to be freed. */
bl_status bl_cli_find_stores(bl_names *out, const char *name, bl_err *err) BL_CHECKED;

/* In which settings do the runs of the store `dir` differ, as their run.json says? `finished`:
 * those that are, and a file that cannot be read is an error; else all that can be read. */
bl_status bl_cli_differing(bl_plan_differing *out, const char *dir, const bl_names *ids,
                           bool finished, bl_err *err) BL_CHECKED;
#endif
