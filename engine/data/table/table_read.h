/* A declared table from its files. */
#ifndef BL_ENGINE_DATA_TABLE_TABLE_READ_H
#define BL_ENGINE_DATA_TABLE_TABLE_READ_H
#include "engine/data/manifest/manifest.h"
#include "engine/data/table/column.h"

/* Sets up the declared columns, renamed; an interval becomes the two date columns NAME.from and
 * NAME.to. */
void bl_table_declare(bl_table *table, const bl_table_decl *decl);
/* Appends one file's rows. `value` fills the file_column. Errors are NAME:LINE: ... */
bl_status bl_table_append(bl_table *table, const bl_table_decl *decl, const char *text, size_t n,
                          const char *name, const char *value, bl_err *err) BL_CHECKED;
#endif
