/* The distinct values of a column in sorted order, numbered from 1: the codes of a categorical
 * column, and the groups of derived columns. Texts that are all numbers sort as numbers. 0 is
 * missing, and every value that was not among the rows the levels were built from. */
#ifndef BL_ENGINE_DATA_TABLE_LEVELS_H
#define BL_ENGINE_DATA_TABLE_LEVELS_H
#include "engine/data/table/column.h"

typedef struct bl_levels {
    const bl_view *view;
    uint32_t count;   /* of values; codes are 0 .. count */
    double *value;    /* (count), sorted: numbers and dates */
    int64_t low;      /* small integers: code of x is direct[x - low] */
    size_t span;      /* entries of `direct`; 0: search `value` */
    uint32_t *direct; /* also, for texts, by dictionary code */
} bl_levels;

/* `rows` lists the rows to look at, NULL: the first `n`. The view must stay where it is. */
bl_status bl_levels_build(bl_levels *levels, const bl_view *view, const uint32_t *rows, size_t n,
                          bl_err *err) BL_CHECKED;
uint32_t bl_levels_code(const bl_levels *levels, size_t row);
void bl_levels_free(bl_levels *levels);

/* Stable counting sort of `n` rows by key[row], which is at most `keys`. */
bl_status bl_sort_rows(uint32_t *rows, size_t n, const uint32_t *key, size_t keys,
                       bl_err *err) BL_CHECKED;
#endif
