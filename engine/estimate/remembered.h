/* Seconds of a step and of an evaluation as they were measured here before, one small sealed file
 * for each run without its rate and seed, this processor, these kernels and this program. */
#ifndef BL_ENGINE_ESTIMATE_REMEMBERED_H
#define BL_ENGINE_ESTIMATE_REMEMBERED_H
#include "engine/base/file.h"
#include "engine/estimate/estimate_place.h"

typedef struct bl_estimate_times {
    double step, eval;
} bl_estimate_times;

/* The file's path; false: nothing is remembered at this place. */
bool bl_estimate_memory_path(char out[BL_PATH], const bl_estimate_place *place,
                             const bl_config *config);
/* False: not measured yet, or the file is not whole. */
bool bl_estimate_recall(bl_estimate_times *out, const char *path);
/* What cannot be written is measured again the next time. */
void bl_estimate_remember(const bl_estimate_times *times, const char *path);
#endif
