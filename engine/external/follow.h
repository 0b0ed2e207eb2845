/* A file that a program is writing, read line by line as it grows: report.jsonl, or for a program
 * that reports nothing the file or output that external.scrape names. */
#ifndef BL_ENGINE_EXTERNAL_FOLLOW_H
#define BL_ENGINE_EXTERNAL_FOLLOW_H
#include "engine/base/buf.h"
#include "engine/base/file.h"
#include "engine/external/report.h"

typedef struct bl_external_follow {
    char path[BL_PATH];
    bool turns;     /* a carriage return ends a line, too: progress bars */
    int64_t offset; /* bytes that were read */
    bl_buf rest;    /* of them, those after the last whole line */
    size_t taken;   /* of `rest`, bytes of lines that were given out */
    size_t number;  /* of lines so far */
    bool passes;    /* over the rest of a long line */
    size_t cut;     /* lines that were too long */
    size_t first;   /* the number of the first of them */
} bl_external_follow;

/* The next whole line without its end, valid until the next call; false: there is none yet. Of a
 * line longer than BL_EXTERNAL_LINE the first BL_EXTERNAL_LINE + 1 bytes are given, at once, and
 * the rest is passed over: readers see by the length that it is cut. */
bool bl_external_follow_next(bl_external_follow *f, const char **line, size_t *n);
/* A line for people, "Line 7 of report.jsonl has more than 65536 bytes. ...", where one had. */
void bl_external_follow_tell(bl_buf *out, const bl_external_follow *f);
void bl_external_follow_free(bl_external_follow *f);

/* The last lines of a text file, for people: at most `lines` of them and `bytes` bytes. */
void bl_external_last_lines(bl_buf *out, const char *path, size_t lines, size_t bytes);
#endif
