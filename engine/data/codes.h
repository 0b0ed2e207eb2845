/* Whether whole numbers name things (a shop, a month) or count something (rooms, years): by what
 * the target does along them. */
#ifndef BL_ENGINE_DATA_CODES_H
#define BL_ENGINE_DATA_CODES_H
#include "engine/data/manifest/manifest.h"
#include "engine/data/table/split.h"

typedef struct bl_code_evidence {
    size_t values;    /* different ones in the training rows; below 3 there is nothing to judge */
    double straight;  /* share of what the values say of the target that a straight line says */
    double surprise;  /* the rest over what chance makes of it: an F statistic, about 1 by chance */
    double roughness; /* of the target's means from one value to the next: about 2 where the order
                       * of the values says nothing, near 0 where the means change little by little
                       * (von Neumann 1941) */
} bl_code_evidence;

/* Of column `name`, a column of numbers, in the training rows of `split`. A target of classes
 * counts as one indicator for each class. */
bl_status bl_code_weigh(bl_code_evidence *out, const bl_frame *frame, const bl_manifest *manifest,
                        const bl_split_rows *split, const char *name, bl_err *err) BL_CHECKED;
/* They are names: the target does not follow a straight line, clearly, and of more than `few`
 * values not even their order. */
bool bl_code_names(const bl_code_evidence *evidence, size_t few);
#endif
