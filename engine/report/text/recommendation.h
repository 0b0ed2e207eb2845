/* The whole answer as text for people and as JSON for programs. */
#ifndef BL_ENGINE_REPORT_TEXT_RECOMMENDATION_H
#define BL_ENGINE_REPORT_TEXT_RECOMMENDATION_H
#include "engine/report/report_model.h"

/* A heading, the table of batch sizes and the sentences: recommendation.txt. */
void bl_recommendation_text(const bl_report_model *model, bl_buf *out);
/* One object, no newline: steps, time, resource {batch_size, learning_rate, value, low, high,
 * tied}, critical, and the rows they rest on; null where nothing is known. */
void bl_recommendation_json(const bl_report_model *model, bl_buf *out);
#endif
