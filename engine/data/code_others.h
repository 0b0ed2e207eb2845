/* What the other columns say of the target, so that a code is judged by what is left. */
#ifndef BL_ENGINE_DATA_CODE_OTHERS_H
#define BL_ENGINE_DATA_CODE_OTHERS_H
#include "engine/data/manifest/manifest.h"
#include "engine/data/table/levels.h"
#include "engine/data/table/split.h"
#include "engine/stats/least_squares.h"

/* One column of the table and its columns of X: a number has one, a category one for each value. */
typedef struct bl_code_other {
    const bl_view *view;
    bl_levels levels; /* of a category */
    bool category;
    size_t first, width; /* columns of X */
    double mean, scale;  /* a number x enters as (x - mean) scale, a missing one as 0 */
} bl_code_other;

/* The normal equations of all columns, kept so that each column can be left out in turn. */
typedef struct bl_code_others {
    const bl_split_rows *split;
    bl_code_other *column;
    size_t columns;
    size_t targets;           /* 0: nothing is fitted, the target stays as it is */
    double *y;                /* (training rows, targets); the target's classes are indicators */
    bl_stats_squares squares; /* column 0 of X is 1 */
} bl_code_others;

/* The class of each code of the target's dictionary, -1 for texts that are none. NULL where the
 * target is a number. The caller frees it. */
int *bl_code_classes(const bl_manifest *manifest, const bl_view *target);

/* Rows with a label that is no class are 0 in y. What does not fit into a bound of work or of rows
 * is left out. Frame, manifest and split must stay where they are. */
bl_status bl_code_others_open(bl_code_others *out, const bl_frame *frame,
                              const bl_manifest *manifest, const bl_split_rows *split,
                              bl_err *err) BL_CHECKED;
/* y less the fit of all columns but `name`: (training rows, targets), the caller frees it. *fitted
 * is the number of coefficients. NULL: there is no fit. */
double *bl_code_others_left(const bl_code_others *others, const char *name, size_t *fitted);
void bl_code_others_free(bl_code_others *others);
#endif
