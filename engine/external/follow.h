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
} bl_external_follow;

/* The next whole line without its end, valid until the next call; false: there is none yet.
 * BL_EFORMAT: a line is longer than any may be. */
bl_status bl_external_follow_next(bl_external_follow *f, const char **line, size_t *n, bool *found,
                                  bl_err *err) BL_CHECKED;
void bl_external_follow_free(bl_external_follow *f);

/* The last lines of a text file, for people: at most `lines` of them and `bytes` bytes. */
void bl_external_last_lines(bl_buf *out, const char *path, size_t lines, size_t bytes);
#endif
