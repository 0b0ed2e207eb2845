/* The line that starts a program, as its author types it, and what can be told from it without
 * starting anything: its words, the options that set batch size, rate and seed, and the files that
 * decide what it computes.
 *
 *     python3 train.py --batch-size 64
 *       word     python3, train.py, --batch-size, {batch_size}
 *       start    python3, train.py, --batch-size, 64
 *       input    train.py, and model.py, which train.py imports */
#ifndef BL_ENGINE_EXTERNAL_WORDS_H
#define BL_ENGINE_EXTERNAL_WORDS_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>

typedef enum bl_external_param {
    BL_EXTERNAL_BATCH_SIZE,
    BL_EXTERNAL_LEARNING_RATE,
    BL_EXTERNAL_SEED,
    BL_EXTERNAL_PARAMS
} bl_external_param;
const char *bl_external_param_name(bl_external_param param);

typedef struct bl_external_words {
    char **word, **start, **input; /* each text and array is owned */
    size_t words, starts, inputs;
    size_t typed; /* of the words; those behind are options that a script declares */
    bool takes[BL_EXTERNAL_PARAMS];   /* an option of the command sets it */
    double value[BL_EXTERNAL_PARAMS]; /* as the command or the script has it */
    bool shell;                       /* the line is a shell's: sh -c */
} bl_external_words;

/* Splits the line as a shell does; with pipes, variables and the like in it, a shell reads it.
 * Options are looked for in the line, and in the text of Python scripts that it names. BL_EINVAL: a
 * quote has no end, or the line is empty. */
bl_status bl_external_words_read(bl_external_words *out, const char *line, bl_err *err) BL_CHECKED;
void bl_external_words_free(bl_external_words *words);
#endif
