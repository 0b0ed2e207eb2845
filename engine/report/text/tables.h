/* The answer as tables: CSV for programs, LaTeX for papers. Used inside this room only. */
#ifndef BL_ENGINE_REPORT_TEXT_TABLES_H
#define BL_ENGINE_REPORT_TEXT_TABLES_H
#include "engine/report/report_model.h"

typedef struct bl_report_table {
    const char *name, *ending; /* of the file */
    void (*write)(bl_buf *out, const bl_report_model *answer);
} bl_report_table;

/* Each is written with every report, with a head alone where there is nothing to tell. */
extern const bl_report_table bl_report_tables[];
extern const size_t bl_report_table_count;

/* LaTeX (latex.c): tabulars in the style of booktabs, the only package they need. */
void bl_latex_sizes(bl_buf *out, const bl_report_model *answer);
void bl_latex_critical(bl_buf *out, const bl_report_model *answer);
void bl_latex_rules(bl_buf *out, const bl_report_model *answer);
#endif
