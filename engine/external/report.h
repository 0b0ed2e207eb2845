/* report.jsonl: what a program says of its run, a line each (docs/external.md, Protocol 1).
 *
 *     {"start":0,"pid":1,"waits":true,"saves":true}     a process began at this step
 *     {"step":128,"value":0.31,"loss":0.29,"train_s":5.118}    an evaluation
 *     {"mark":128,"train_s":5.118,"data_s":0.402}       time only; of it, waiting for data
 *     {"saving":128}, {"saved":128}                      its state is replaced; is whole
 *     {"end":128,"why":"..."}                           it has no more to train
 *     {"error":"oom","why":"..."}                       what went wrong
 *
 * A line without any of these names is ignored, and so are members that are not known: programs may
 * be newer than this reader. An evaluation may carry any other names, such as "error". What is no
 * JSON is refused. NaN, Infinity and -Infinity are taken where a number stands, as Python's json
 * module writes them. Of a line of more than 64 KiB the members count that end before. */
#ifndef BL_ENGINE_EXTERNAL_REPORT_H
#define BL_ENGINE_EXTERNAL_REPORT_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BL_EXTERNAL_LINE = 1 << 16, BL_EXTERNAL_WHY = 256 };

typedef enum bl_external_word {
    BL_EXTERNAL_NOTHING, /* no line of ours */
    BL_EXTERNAL_START,
    BL_EXTERNAL_EVAL,
    BL_EXTERNAL_MARK,
    BL_EXTERNAL_SAVING,
    BL_EXTERNAL_SAVED,
    BL_EXTERNAL_END,
    BL_EXTERNAL_ERROR
} bl_external_word;

typedef struct bl_external_line {
    bl_external_word word;
    int64_t step;
    double value, loss;        /* NAN: not finite or not given */
    double train_s;            /* seconds so far; NAN: not given */
    double data_s;             /* of these, waiting for data; NAN: not given */
    double peak_bytes;         /* NAN: not given */
    bool waits, saves;         /* of a start */
    char why[BL_EXTERNAL_WHY]; /* of an end or error; of an error its word, ": " and why */
} bl_external_line;

/* Replaces NaN, Infinity and -Infinity, outside of strings, by an empty list and blanks, as JSON
 * has none of them: the shortest has three letters, so null does not fit. */
void bl_external_tame(char *text, size_t n);
/* Makes an object again of one that was cut: up to the last comma between two of its members.
 * False: there is none. */
bool bl_external_close_cut(bl_buf *line) BL_CHECKED;
/* Reads one line without its newline. BL_EFORMAT: not JSON, or a member of the wrong kind; `name`
 * and `number` are for the message. */
bl_status bl_external_line_read(bl_external_line *out, const char *text, size_t n, const char *name,
                                size_t number, bl_err *err) BL_CHECKED;
#endif
