/* Evaluations of a program that knows nothing of batchlab, from what it writes anyway:
 *
 *     external.scrape = "metrics.csv"       a column "step" and one named as the metric is
 *     external.scrape = "metrics.jsonl"     members of the same names; .json, too
 *     external.scrape = "step {step} of {} val_loss {value}"    a pattern of a line of its output
 *
 * Files lie in the run's folder, whose path the command has as {run}. In a pattern, blanks stand
 * for any blanks, {step}, {value} and {loss} for numbers and {} for any text without blanks; the
 * rest is literal. Colours and the like are none of the line (terminal.h). A line that does not fit
 * is none of ours. Nor is one whose step was there before: a bar that is drawn again, the best step
 * named in the end. */
#ifndef BL_ENGINE_EXTERNAL_SCRAPE_H
#define BL_ENGINE_EXTERNAL_SCRAPE_H
#include "engine/external/report.h"

typedef struct bl_external_scrape {
    const char *how;       /* external.scrape */
    const char *metric;    /* the column's name */
    int step, value, loss; /* columns of a CSV file, from 1; 0: not known yet */
    size_t lines;
    int64_t heard, back; /* the largest step; the last one, if that went back since, else 0 */
    int turns;           /* how often lines went back from the largest step since it was new */
    bool starts_over;    /* its steps do: they are counted by epochs */
} bl_external_scrape;

/* The file to read, or NULL: the program's output. */
const char *bl_external_scrape_file(const char *how);
/* Does the text say what has to be read? */
bool bl_external_scrape_holds(const char *how);
/* The next cell of a line of a CSV file without its quotes, in which a comma is text and "" one
 * quote; what does not fit into `bytes` is cut. False: the line has ended. *at begins as the line,
 * and is NULL behind the last cell. */
bool bl_external_cell(const char **at, char *out, size_t bytes);
/* Takes one line; out->word is BL_EXTERNAL_EVAL where it has an evaluation. BL_EFORMAT: the header
 * of a CSV file lacks a column, or steps start over. */
bl_status bl_external_scrape_line(bl_external_scrape *s, bl_external_line *out, const char *line,
                                  size_t n, bl_err *err) BL_CHECKED;
#endif
