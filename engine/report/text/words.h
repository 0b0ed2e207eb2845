/* Numbers and sentences for people. Used inside this room only. */
#ifndef BL_ENGINE_REPORT_TEXT_WORDS_H
#define BL_ENGINE_REPORT_TEXT_WORDS_H
#include "engine/report/report.h"

#define BL_SYNTHETIC_LABEL "SYNTHETIC DATA"

void bl_format_count(bl_buf *out, double n);          /* "117,760" */
void bl_format_3_digits(bl_buf *out, double x);       /* three significant digits */
void bl_format_duration(bl_buf *out, double seconds); /* "4.42 s", "32.0 min" */
void bl_format_bytes(bl_buf *out, double bytes);      /* "45.3 MiB" */
void bl_format_rate(bl_buf *out, double rate);        /* "0.003906": four digits */

/* "2 epochs", "1,000 steps", "60.0 s", "0.001 EUR"; bl_label_budget of a series: "sgd, 2 epochs" */
void bl_label_amount(bl_buf *out, const bl_report_model *answer, const bl_report_budget *budget);
void bl_label_budget(bl_buf *out, const bl_report_model *answer, const bl_report_budget *budget);

void bl_label_data(bl_buf *out, const bl_report_model *answer); /* bl_label_dataset of the answer */

/* "exp_rmspe <= 0.2" */
void bl_label_target(bl_buf *out, const bl_report_model *answer);

/* The table with one row per batch size, for text and HTML. Row 0 is the heading. Columns that no
 * row has data for are left out: bl_size_table_columns lists the others, money only if asked for.
 */
enum { BL_SIZE_TABLE_COLUMNS = 11 };
size_t bl_size_table_columns(const bl_report_model *answer, bool money,
                             int columns[BL_SIZE_TABLE_COLUMNS]);
void bl_size_table_cell(bl_buf *out, const bl_report_model *answer, size_t row, int column);

/* What the table and the fits say, one sentence or two a line. */
void bl_sentences(bl_buf *out, const bl_report_model *answer);
#endif
