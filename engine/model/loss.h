/* Losses: what training minimises. One file loss_NAME.c and one row of loss_table.c each. */
#ifndef BL_ENGINE_MODEL_LOSS_H
#define BL_ENGINE_MODEL_LOSS_H
#include "engine/config/choices.h"
#include "kernels/kernel.h"

/* Some examples of a batch. The loss of the batch is a mean over `total` of them. */
typedef struct bl_loss_args {
    const float *y;      /* (count, width): the net's output */
    const float *target; /* (count) */
    float *dy;           /* (count, width): the mean's gradient by y */
    double *sum;         /* of the examples' losses: the mean is this over total */
    size_t count, width, total;
    double label_smoothing;
} bl_loss_args;

typedef struct bl_loss {
    const char *name;
    bool classes; /* targets are classes and the net has an output for each; else it has one */
    /* Part 0 writes the sum; every part writes its share of dy. */
    void (*run)(const bl_kernels *kernels, const bl_loss_args *args, const bl_part *part);
} bl_loss;

#define DECLARE(name, reads) extern const bl_loss bl_loss_##name;
BL_CHOICES_LOSS(DECLARE)
#undef DECLARE

extern const bl_loss *const bl_loss_table[];
extern const size_t bl_loss_count;
const bl_loss *bl_loss_find(const char *name); /* NULL: there is none */
#endif
