/* Does the batch size change the best validation value (engine/report/quality.h): as paragraphs of
 * recommendation.txt, and as data. */
#ifndef BL_ENGINE_REPORT_TEXT_QUALITY_TEXT_H
#define BL_ENGINE_REPORT_TEXT_QUALITY_TEXT_H
#include "engine/base/json_writer.h"
#include "engine/report/report_model.h"

/* A table of each part; no line is wider than 80 columns. */
void bl_quality_words(bl_buf *out, const bl_report_model *model);
/* What the tables show, one sentence a line. */
void bl_quality_sentences(bl_buf *out, const bl_report_model *model);
/* A member "quality"; none where sweep.quality was not asked. */
void bl_quality_json(bl_jw *w, const bl_report_model *model);
#endif
