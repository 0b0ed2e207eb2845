/* The table with one row for each batch size, cell by cell: text, HTML and LaTeX lay it out. */
#ifndef BL_ENGINE_REPORT_TEXT_CELLS_H
#define BL_ENGINE_REPORT_TEXT_CELLS_H
#include "engine/report/report_model.h"

enum { BL_CELL_COLUMNS = 11 };
/* The columns that some row has data for, in order; how many is returned. Money only if asked for.
 */
size_t bl_cell_columns(const bl_report_model *model, bool money, int columns[BL_CELL_COLUMNS]);
/* Row 0 is the heading, row i + 1 is main.sizes[i]. */
void bl_cell_text(bl_buf *out, const bl_report_model *model, size_t row, int column);
#endif
