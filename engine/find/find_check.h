/* Trains what find proposes, for find_run.c. */
#ifndef BL_ENGINE_FIND_FIND_CHECK_H
#define BL_ENGINE_FIND_FIND_CHECK_H
#include "engine/find/find.h"

/* Where the proposal has another size than the pilot: as many seeds as the pilot's run it, and its
 * steps are theirs. A size that does not get there is replaced; found->refused keeps the first. */
bl_status bl_find_check_proposal(bl_find *found, const bl_config *config, int64_t rows,
                                 const bl_scheduler *scheduler, bl_err *err) BL_CHECKED;
#endif
