/* Where a program that knows nothing of batchlab says how it is doing: the value of external.scrape
 * (scrape.h) that fits what it has written.
 *
 *     step 200 train_loss 0.41 val_loss 0.52     "step {step} train_loss {loss} val_loss {value}"
 *
 * A guess is a pattern that fits several lines whose steps ascend. Values of held-out data are
 * taken before others, and losses and errors before what may rise. */
#ifndef BL_ENGINE_EXTERNAL_GUESS_H
#define BL_ENGINE_EXTERNAL_GUESS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bl_external_point {
    int64_t step;
    double value;
} bl_external_point;

typedef struct bl_external_guess {
    char scrape[256];
    char metric[64];          /* what the program calls the value */
    bl_external_point *point; /* (points) by which it was found; to be freed */
    size_t points;
    bool epochs;      /* nothing fits, but lines count epochs */
    bool starts_over; /* nothing fits, as the steps of lines start over */
} bl_external_guess;

/* From the text of its output, or with `file` of that CSV file in its folder. `metric` (may be
 * NULL) is the name that its user wants. False: nothing fits; the last two members say
 * more. */
bool bl_external_guess_from(bl_external_guess *out, const char *text, size_t n, const char *file,
                            const char *metric);
void bl_external_guess_free(bl_external_guess *guess);
#endif
