/* Two sweeps side by side in words and as JSON (engine/report/sides.h). */
#ifndef BL_ENGINE_REPORT_TEXT_SIDES_TEXT_H
#define BL_ENGINE_REPORT_TEXT_SIDES_TEXT_H
#include "engine/report/sides.h"

/* What the interval of a ratio settles. */
typedef enum bl_sides_verdict {
    BL_SIDES_LESS,   /* below 1: B takes fewer steps, less time, has a smaller critical size */
    BL_SIDES_OPEN,   /* it contains 1 */
    BL_SIDES_MORE,   /* above 1 */
    BL_SIDES_UNKNOWN /* there is no interval */
} bl_sides_verdict;
bl_sides_verdict bl_sides_judge(const bl_stats_value *ratio);

void bl_sides_words(bl_buf *out, const bl_sides *sides);
/* One object and the end of its line. */
void bl_sides_json(bl_buf *out, const bl_sides *sides);
#endif
