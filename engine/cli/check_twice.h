/* private to the room. batchlab check NAME --twice: see engine/external/twice.h. */
#ifndef BL_ENGINE_CLI_CHECK_TWICE_H
#define BL_ENGINE_CLI_CHECK_TWICE_H
#include "engine/config/config.h"

/* Prints the verdict; returns the exit status: BL_EXIT_SOME_FAILED where the program does not keep
 * what the experiment says of it. */
int bl_cli_check_twice(const bl_config *config);
#endif
