/* Derived columns: one operation, one row of a table (docs/data.md lists them). They are computed
 * on all rows, before any filter. */
#ifndef BL_ENGINE_DATA_TABLE_DERIVE_H
#define BL_ENGINE_DATA_TABLE_DERIVE_H
#include "engine/data/manifest/manifest.h"
#include "engine/data/table/column.h"

/* Which keys of a declaration an operation needs; what is not needed is refused. */
enum {
    BL_NEEDS_OF = 1,
    BL_NEEDS_GROUP = 2,
    BL_NEEDS_DATE = 4,
    BL_NEEDS_PART = 8,
    BL_NEEDS_YEAR = 16,
    BL_NEEDS_MONTH = 32,
    BL_NEEDS_WEEK = 64,
    BL_NEEDS_MAX = 128,
    BL_NEEDS_WINDOW = 256,
    BL_NEEDS_FIRST_YEAR = 512
};

typedef struct bl_derive_op {
    const char *name;
    unsigned needs;
    bool of_date; /* `of` must be a date column */
    bl_status (*compute)(bl_frame *frame, const bl_derive_decl *decl, double *out, bl_err *err);
} bl_derive_op;

extern const bl_derive_op bl_derive_ops[];
extern const size_t bl_derive_op_count;
const bl_derive_op *bl_derive_find(const char *name);

/* The parts of op "date_part". */
extern const char *const bl_date_parts[];
extern const size_t bl_date_part_count;

/* Adds the declared column, or nothing when the variant lacks a column it is made of. */
bl_status bl_derive(bl_frame *frame, const bl_derive_decl *decl, bl_err *err) BL_CHECKED;
#endif
