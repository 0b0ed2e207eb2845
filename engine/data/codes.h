/* Whether whole numbers name things (a shop, a month) or count something (rooms, years): by what
 * the target does along them. */
#ifndef BL_ENGINE_DATA_CODES_H
#define BL_ENGINE_DATA_CODES_H
#include "engine/data/code_others.h"

typedef struct bl_code_evidence {
    size_t values;   /* different ones in the training rows; below 3 there is nothing to judge */
    double surprise; /* what the values say beyond a straight line, over what chance makes of it: an
                      * F statistic, about 1 by chance */
    double beyond_line,
        beyond_cubic; /* shares of what the values say of the target that no line, no
                       * cubic says; what chance makes of both is taken out first */
} bl_code_evidence;

/* Of column `name`, a column of numbers, in the training rows of `split`. A target of classes
 * counts as one indicator for each class. With `others` it is judged by what the other columns
 * leave of the target; NULL: by the target as it is. */
bl_status bl_code_weigh(bl_code_evidence *out, const bl_frame *frame, const bl_manifest *manifest,
                        const bl_split_rows *split, const bl_code_others *others, const char *name,
                        bl_err *err) BL_CHECKED;
/* They are names: the target clearly leaves a straight line and, of more than `few` values, every
 * curve that changes little by little. */
bool bl_code_names(const bl_code_evidence *evidence, size_t few);
#endif
