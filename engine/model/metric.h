/* Metrics: what targets are stated in, smaller is better. Computed over a whole set in fp64, in the
 * order of rule B (kernels/kernel.h), whatever the chunks it is fed in. One file metric_NAME.c and
 * one row of metric_table.c each. */
#ifndef BL_ENGINE_MODEL_METRIC_H
#define BL_ENGINE_MODEL_METRIC_H
#include "engine/config/choices.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bl_metric {
    const char *name;
    bool needs_log_target;
    bool classes; /* targets are classes and the net has an output for each; else it has one */
    /* Of one example. Numbers: forecast and target as the data set's transform has them. Classes:
     * the net's outputs y (width) and the class. */
    double (*of_number)(double y, double target);
    double (*of_class)(const float *y, size_t width, double target);
    double (*finish)(double sum, double count); /* from the sum of all terms */
    /* Instead of terms, for what ranks examples: of all of them at once, y (count, width). Such a
     * metric has no value of single batches. */
    double (*of_all)(const float *y, const float *target, size_t count, size_t width);
} bl_metric;

#define DECLARE(name, reads) extern const bl_metric bl_metric_##name;
BL_CHOICES_METRIC(DECLARE)
#undef DECLARE

extern const bl_metric *const bl_metric_table[];
extern const size_t bl_metric_count;
const bl_metric *bl_metric_find(const char *name); /* NULL: there is none */

/* A metric being computed. level[i] holds the sum of 2^i blocks where bit i of `blocks` is set. */
typedef struct bl_metric_sum {
    const bl_metric *metric;
    double mean, deviation; /* of a standardised target, which is taken back; 0: it is not */
    uint64_t count, blocks;
    double open; /* the chain of the block that is not full yet */
    double level[64];
    /* The mean over batches of so many examples, in the order they come; 0: not wanted. */
    uint64_t batch, in_batch;
    double batch_terms, batches_sum; /* of the open batch; of value * examples of the full ones */
    float *kept;                     /* (count, width + 1) for of_all: outputs and target */
    size_t width, room;
} bl_metric_sum;

void bl_metric_begin(bl_metric_sum *sum, const bl_metric *metric);
void bl_metric_end(bl_metric_sum *sum); /* frees what it kept */
/* `count` examples more: y (count, width), target (count). */
void bl_metric_add(bl_metric_sum *sum, const float *y, size_t width, const float *target,
                   size_t count);
double bl_metric_value(const bl_metric_sum *sum); /* NAN over no examples */
/* The metric of each batch by itself, and the mean of these, weighted by their examples: the last
 * batch may be smaller. A root makes it at most the metric of all. NAN: not wanted, or no examples.
 */
double bl_metric_batch_mean(const bl_metric_sum *sum);
#endif
