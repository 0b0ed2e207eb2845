/* Looking at a user's table: what each column holds and what to do with it, written as a
 * declaration that the user may then change. */
#ifndef BL_ENGINE_DATA_MANIFEST_INFER_H
#define BL_ENGINE_DATA_MANIFEST_INFER_H
#include "engine/base/buf.h"
#include "engine/data/table/column.h"

typedef enum bl_inferred_kind {
    BL_KIND_CATEGORICAL,
    BL_KIND_CONTINUOUS,
    BL_KIND_DATE,
    BL_KIND_TARGET,
    BL_KIND_IGNORED
} bl_inferred_kind;

typedef struct bl_inferred_column {
    char *name;
    bl_inferred_kind kind;
    bl_column_type type;
    size_t present, distinct;              /* rows with a value, values counted up to 65536 */
    bool numbers, integers, dates;         /* all values are */
    double low, high, sum, squares, cubes; /* of numbers */
    double log_sum, log_squares;           /* of positive numbers */
    const char *why;                       /* it is ignored, NULL otherwise */
    bl_dict values;
} bl_inferred_column;

typedef struct bl_inferred {
    bl_inferred_column *column;
    size_t columns, rows;
    char separator;
    size_t target;
    bool log;          /* the target is positive and skewed: learn its logarithm */
    const char *by;    /* date column the split goes by, NULL: the last rows */
    size_t valid_rows; /* about a tenth of the rows with a target */
    double spread;     /* of the target as it is learnt: the error of always guessing its mean */
    char sha256[65];   /* of the text */
} bl_inferred;

/* `target` is a column's name; `date` too, or NULL: the first date column if there is one. */
bl_status bl_infer(bl_inferred *out, const char *text, size_t n, const char *name,
                   const char *target, const char *date, bl_err *err) BL_CHECKED;
void bl_inferred_free(bl_inferred *inferred);
/* The declaration, for FOLDER/FILE. */
void bl_inferred_manifest(const bl_inferred *inferred, const char *folder, const char *file,
                          bl_buf *out);
#endif
