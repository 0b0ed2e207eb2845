/* The text of a new experiment whose runs are a program of the user's own: experiment.cfg and
 * sweep.lua, with sizes, targets and limits by what its first start has shown. */
#ifndef BL_ENGINE_STARTER_PROGRAM_TEXT_H
#define BL_ENGINE_STARTER_PROGRAM_TEXT_H
#include "engine/base/buf.h"
#include "engine/base/json.h"
#include <stdint.h>

/* What the text is made from. */
typedef struct bl_starter_program {
    const char *name, *line;          /* the experiment's; the command as it was typed */
    char *const *word, *const *input; /* external.command and external.inputs */
    size_t words, inputs;
    const char *metric, *scrape; /* scrape "": it reports */
    const bl_json *args;         /* its parameters and their defaults, or NULL */
    int64_t rows;                /* of an epoch; 0: not known, which the text says */
    int64_t batch_size;          /* its own */
    double learning_rate;        /* its own */
    double first, best;          /* values of the start */
    int64_t steps, best_step;    /* of the start; until `best` */
    /* made by bl_starter_program_sizes */
    int64_t smallest, largest;
    double targets[2], max_epochs; /* easiest first */
} bl_starter_program;

/* Rows of an epoch where nobody knows. */
enum { BL_STARTER_PROGRAM_ROWS = 10000 };

/* Sizes from a quarter of the program's own to eight times it. The easier target is at half of what
 * the start has gained, and the harder one leaves `left` of it. `reached`: the steps after which
 * the harder one was reached. */
void bl_starter_program_targets(bl_starter_program *plan, double left);
void bl_starter_program_sizes(bl_starter_program *plan, int64_t reached);

void bl_starter_program_config(const bl_starter_program *plan, bl_buf *out);
void bl_starter_program_script(bl_buf *out);
/* Can a setting have this name and value? One that cannot keeps the script's default. */
bool bl_starter_program_setting(const bl_json *member);
#endif
