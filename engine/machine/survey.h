/* What this machine makes of a run, size by size: what fits, how long it takes, where the time
 * goes. The order, which is also that of the calls:
 *
 *     bl_survey_memory    each size really runs a step and an evaluation, in a process of its own,
 *                         until one does not; the sizes that ran are in survey->ran
 *     bl_timing_run       (engine/sweep) times those, interleaved; bl_survey_times takes the result
 *     bl_survey_largest   goes on to the largest size that runs, as far as the time allows
 *     bl_survey_phases    the clock of phases at the smallest and the largest size, both peaks, and
 *                         what a batch in pieces costs
 *     bl_survey_write     machine.json, from which words and figures are made (engine/report)
 *
 * Caller: batchlab machine. */
#ifndef BL_ENGINE_MACHINE_SURVEY_H
#define BL_ENGINE_MACHINE_SURVEY_H
#include "engine/machine/bound.h"
#include "engine/machine/limit.h"
#include "engine/machine/search.h"
#include "engine/stats/step_line.h"
#include "engine/train/train.h"

enum { BL_SURVEY_PHASES = 2, BL_SURVEY_LAYERS = 5 };

typedef struct bl_survey {
    /* the caller's */
    bl_machine_place place; /* its bytes are set from the limit */
    bl_machine_limit limit;
    double seconds; /* that probes beyond the sizes asked for may take together */
    const volatile int *stop;
    void (*say)(void *ctx, const char *text); /* progress, may be NULL */
    void *say_ctx;
    /* what was found */
    bl_machine_search search;
    int64_t *ran; /* (ran_count) of the sizes asked for, ascending */
    size_t ran_count, asked;
    size_t parameters;
    bl_stats_step_line line; /* of the time per step, by the processor where it is known */
    struct {
        int64_t batch_size;
        double
            data; /* of a program: the share that waits for data. Then `bound`, and nothing else */
        bl_train_times times;
        double loop[BL_TRAIN_LOOP_COUNT]; /* processor seconds of a step, medians of turns */
        double bandwidth;                 /* bytes a second to arrays as large as a step's */
        bl_machine_bound bound;
    } phase[BL_SURVEY_PHASES];
    size_t phases;
    double peak;              /* multiply-adds a second */
    int64_t piece;            /* examples of a piece; 0: pieces were not measured */
    int64_t pieced;           /* the batch that was taken in such pieces */
    bl_stats_value in_pieces; /* time per example in pieces / whole, median over rounds */
} bl_survey;

/* sizes[n] ascending. BL_EINVAL, with words for the user: the limit is below what one example
 * takes, or none of the sizes ran. */
bl_status bl_survey_memory(bl_survey *s, const int64_t *sizes, size_t n, bl_err *err) BL_CHECKED;
void bl_survey_times(bl_survey *s, const bl_stats_step_size *size, size_t n);
bl_status bl_survey_largest(bl_survey *s, bl_err *err) BL_CHECKED;
bl_status bl_survey_phases(bl_survey *s, bl_err *err) BL_CHECKED;
void bl_survey_write(const bl_survey *s, bl_buf *out);
void bl_survey_free(bl_survey *s);
#endif
