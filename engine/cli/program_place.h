/* Where programs of the user's own run that are only measured: a folder in the store's folder
 * `measuring`, which one process has at a time. Two that measure at once would measure each other.
 */
#ifndef BL_ENGINE_CLI_PROGRAM_PLACE_H
#define BL_ENGINE_CLI_PROGRAM_PLACE_H
#include "engine/base/file.h"
#include "engine/cli/experiment.h"
#include "engine/external/external.h"
#include "engine/store/claim.h"

typedef struct bl_cli_program_place {
    bl_external_options options; /* but for configuration and the run's own folder in `dir` */
    bl_claims *claims;
    char beat[BL_PATH], keep[BL_PATH];
} bl_cli_program_place;

/* Waits for its turn. BL_EINTERRUPTED: `stop` (may be NULL) is no longer 0. */
bl_status bl_cli_program_place_take(bl_cli_program_place *place, const bl_experiment *e,
                                    const volatile int *stop, bl_err *err) BL_CHECKED;
/* What the programs left there is removed. */
void bl_cli_program_place_leave(bl_cli_program_place *place);
#endif
