/* Joins: for every row of the frame the matching row of another table. */
#ifndef BL_ENGINE_DATA_TABLE_JOIN_H
#define BL_ENGINE_DATA_TABLE_JOIN_H
#include "engine/data/manifest/manifest.h"
#include "engine/data/table/column.h"

/* Adds views of the table's columns to the frame, its keys and intervals left out. A frame row
 * without a match sees missing values. Two table rows that match the same key (or overlap, with an
 * interval) are an error. `table` must outlive the frame. */
bl_status bl_join(bl_frame *frame, const bl_table *table, const bl_join_decl *decl,
                  bl_err *err) BL_CHECKED;
#endif
