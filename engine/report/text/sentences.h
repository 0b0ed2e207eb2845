/* The answer in sentences. */
#ifndef BL_ENGINE_REPORT_TEXT_SENTENCES_H
#define BL_ENGINE_REPORT_TEXT_SENTENCES_H
#include "engine/report/report_model.h"

/* What the table and the fits say, one sentence or two a line: the best batch sizes, the critical
 * ones, rules, series, comparisons, budgets, and what is missing. */
void bl_sentences(bl_buf *out, const bl_report_model *model);

/* Single lines of them, for the figures that show what they say; none where there is nothing to
 * say. */
void bl_sentences_optimum(bl_buf *out, const bl_report_model *model, bl_stats_goal goal);
void bl_sentences_certainty(bl_buf *out, const bl_report_model *model);
void bl_sentences_no_intervals(bl_buf *out, const bl_report_model *model);
void bl_sentences_critical(bl_buf *out, const bl_report_model *model);
void bl_sentences_rate_ties(bl_buf *out, const bl_report_model *model);
void bl_sentences_rules(bl_buf *out, const bl_report_model *model);
void bl_sentences_ratios(bl_buf *out, const bl_report_model *model);
/* Without a table, budgets or a look at the test rows the sweep's notes are all there is to say:
 * they are among the sentences then. Otherwise a report shows them after everything else. */
bool bl_notes_are_the_answer(const bl_report_model *model);
#endif
