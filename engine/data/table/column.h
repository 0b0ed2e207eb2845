/* Columns and tables in memory. A column holds numbers (missing is NaN), dates (days since
 * 1970-01-01, as numbers) or texts (codes into a dictionary, 0 is missing). A view is a column seen
 * through a join: one more array of row numbers, no copy of the values. */
#ifndef BL_ENGINE_DATA_TABLE_COLUMN_H
#define BL_ENGINE_DATA_TABLE_COLUMN_H
#include "engine/base/status.h"
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A place of the hash table. The hash is kept beside the code, so that looking a text up reads one
 * text at most, or two by a rare chance. */
typedef struct bl_dict_slot {
    uint32_t hash, code; /* code 0: the slot is empty */
} bl_dict_slot;

/* Distinct texts in order of first sight, with a hash table over them. text[0] is "". */
typedef struct bl_dict {
    char **text;
    uint32_t count, capacity;
    bl_dict_slot *slot; /* open addressing */
    uint32_t slots;     /* a power of two */
} bl_dict;

void bl_dict_init(bl_dict *dict);
void bl_dict_free(bl_dict *dict);
uint32_t bl_dict_add(bl_dict *dict, const char *text, size_t n);
/* Code of a text, 0 when it is not there. */
uint32_t bl_dict_find(const bl_dict *dict, const char *text, size_t n);

typedef enum bl_column_type { BL_COLUMN_NUMBER, BL_COLUMN_DATE, BL_COLUMN_TEXT } bl_column_type;

typedef struct bl_column {
    char *name;
    bl_column_type type;
    double *number; /* (rows): NUMBER and DATE */
    uint32_t *code; /* (rows): TEXT */
    bl_dict dict;   /* TEXT */
} bl_column;

/* Columns are allocated one by one: their addresses stay when more are added. */
typedef struct bl_table {
    const char *name;
    bl_column **column;
    size_t columns;
    size_t rows, capacity;
    size_t most_rows; /* reading ends there; 0: at the end of the files */
} bl_table;

bl_column *bl_table_add(bl_table *table, const char *name, bl_column_type type);
bl_column *bl_table_find(const bl_table *table, const char *name);
/* Room for `rows` rows in every column; new cells are not set. */
bl_status bl_table_reserve(bl_table *table, size_t rows, bl_err *err) BL_CHECKED;
void bl_table_free(bl_table *table);

#define BL_NO_ROW UINT32_MAX

typedef struct bl_view {
    const char *name;
    const bl_column *column;
    const uint32_t *map; /* (rows of the frame) to rows of the column, BL_NO_ROW; NULL: the same */
} bl_view;

static inline double bl_view_number(const bl_view *view, size_t row) {
    const uint32_t at = view->map ? view->map[row] : (uint32_t)row;
    return at == BL_NO_ROW ? (double)NAN : view->column->number[at];
}
static inline uint32_t bl_view_code(const bl_view *view, size_t row) {
    const uint32_t at = view->map ? view->map[row] : (uint32_t)row;
    return at == BL_NO_ROW ? 0 : view->column->code[at];
}
static inline bool bl_view_missing(const bl_view *view, size_t row) {
    if (view->column->type == BL_COLUMN_TEXT) return bl_view_code(view, row) == 0;
    return isnan(bl_view_number(view, row));
}

/* The joined table: the first table's rows, and views of every joined and derived column. */
typedef struct bl_frame {
    size_t rows;
    bl_view *view;
    size_t views;
    bl_table derived; /* owner of computed columns */
    uint32_t **maps;  /* owner of the joins' row numbers */
    size_t map_count;
    /* Rows by (group, date), kept for the next derived column that asks for the same. */
    uint32_t *order, *group_of;
    const char *order_group, *order_date; /* names of the columns, NULL: none kept */
} bl_frame;

void bl_frame_add(bl_frame *frame, const char *name, const bl_column *column, const uint32_t *map);
const bl_view *bl_frame_find(const bl_frame *frame, const char *name);
/* A new column of the frame's length; NULL when memory ran out. */
bl_column *bl_frame_compute(bl_frame *frame, const char *name, bl_column_type type);
void bl_frame_free(bl_frame *frame);
#endif
