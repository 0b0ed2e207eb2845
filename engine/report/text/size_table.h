/* The table with one row for each batch size, cell by cell: text, HTML and LaTeX lay it out. */
#ifndef BL_ENGINE_REPORT_TEXT_SIZE_TABLE_H
#define BL_ENGINE_REPORT_TEXT_SIZE_TABLE_H
#include "engine/report/model.h"

enum { BL_SIZE_TABLE_COLUMNS = 11 };
/* The columns that some row has data for, in order; how many is returned. Money only if asked for.
 */
size_t bl_size_table_columns(const bl_report_model *model, bool money,
                             int columns[BL_SIZE_TABLE_COLUMNS]);
/* Row 0 is the heading, row i + 1 is main.sizes[i]. */
void bl_size_table_cell(bl_buf *out, const bl_report_model *model, size_t row, int column);
#endif
