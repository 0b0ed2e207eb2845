/* Times per step in words: the line, the knee, what was measured best, what misses the line. */
#ifndef BL_ENGINE_REPORT_TEXT_TIMES_TEXT_H
#define BL_ENGINE_REPORT_TEXT_TIMES_TEXT_H
#include "engine/base/buf.h"
#include "engine/base/json_writer.h"
#include "engine/stats/step_line.h"

/* Lines of at most 80 columns, the first with the label "throughput". Sizes ascending, n >= 1. */
void bl_times_words(bl_buf *out, const bl_stats_step_size *size, size_t n);
/* The line of forward passes alone, by the processor where it is known, and their neighbours. */
void bl_times_inference_words(bl_buf *out, const bl_stats_step_size *size, size_t n);
/* Nothing on a quiet machine; else how busy it was and by how much the times may be too long. */
void bl_times_busy_words(bl_buf *out, const bl_stats_step_size *size, size_t n, const char *indent);
/* "named sizes  156 against the others: not judged": the sizes that `named`[i] marks. */
void bl_times_named_words(bl_buf *out, const bl_stats_step_size *size, size_t n, const bool *named);
/* The member "named {sizes, verdict, ratio_low, ratio_high}" of the same. */
void bl_times_named_json(bl_jw *w, const bl_stats_step_size *size, size_t n, const bool *named);
/* A table with a row for each size: batch size, time per step, examples per second, how far off the
 * line. */
void bl_times_table(bl_buf *out, const bl_stats_step_size *size, size_t n);
/* Members of an object: fixed_seconds, seconds_per_example, worst_deviation, half_speed, speed_90,
 * speed_95, other_work, too_long_by, best,
 * not_told_apart and sizes. */
void bl_times_json(bl_jw *w, const bl_stats_step_size *size, size_t n);
/* "25.6 ms + 1.116 ms x B" */
void bl_times_line(bl_buf *out, const bl_stats_step_line *line);
/* "25.6 ms", "3.04 s": the unit that fits. */
void bl_times_format(bl_buf *out, double seconds);
#endif
