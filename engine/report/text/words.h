/* Numbers and sentences for people. Used inside this room only. */
#ifndef BL_ENGINE_REPORT_TEXT_WORDS_H
#define BL_ENGINE_REPORT_TEXT_WORDS_H
#include "engine/report/report.h"

#define BL_SYNTHETIC_LABEL "SYNTHETIC DATA"

void bl_words_count(bl_buf *out, double n);          /* "117,760" */
void bl_words_short(bl_buf *out, double x);          /* three significant digits */
void bl_words_duration(bl_buf *out, double seconds); /* "4.42 s", "32.0 min" */
void bl_words_bytes(bl_buf *out, double bytes);      /* "45.3 MiB" */
void bl_words_rate(bl_buf *out, double rate);        /* "0.003906": four digits */

/* "2 epochs", "1,000 steps", "60.0 s", "0.001 EUR"; bl_words_budget of a series: "sgd, 2 epochs" */
void bl_words_amount(bl_buf *out, const bl_answer *answer, const bl_report_budget *budget);
void bl_words_budget(bl_buf *out, const bl_answer *answer, const bl_report_budget *budget);

void bl_words_data(bl_buf *out, const bl_answer *answer); /* bl_report_data_words of the answer */

/* "exp_rmspe <= 0.2" */
void bl_words_target(bl_buf *out, const bl_answer *answer);

/* The table with one row per batch size, for text and HTML. Row 0 is the heading. Columns that no
 * row has data for are left out: bl_words_columns lists the others, money only if asked for. */
enum { BL_WORDS_COLUMNS = 11 };
size_t bl_words_columns(const bl_answer *answer, bool money, int columns[BL_WORDS_COLUMNS]);
void bl_words_cell(bl_buf *out, const bl_answer *answer, size_t row, int column);

/* What the table and the fits say, one sentence or two a line. */
void bl_words_sentences(bl_buf *out, const bl_answer *answer);
#endif
