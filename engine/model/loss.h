/* Losses: what training minimises. One file loss_NAME.c and one row of loss_table.c each. */
#ifndef BL_ENGINE_MODEL_LOSS_H
#define BL_ENGINE_MODEL_LOSS_H
#include "engine/config/choices.h"
#include "kernels/kernel.h"

typedef struct bl_loss {
    const char *name;
    /* Part 0 writes the mean over `count` examples to *value; every part writes its share of dy,
     * the gradient of that mean by y. */
    void (*run)(const bl_kernels *kernels, const float *y, const float *target, size_t count,
                double *value, float *dy, const bl_part *part);
} bl_loss;

#define DECLARE(name) extern const bl_loss bl_loss_##name;
BL_CHOICES_LOSS(DECLARE)
#undef DECLARE

extern const bl_loss *const bl_loss_table[];
extern const size_t bl_loss_count;
const bl_loss *bl_loss_find(const char *name); /* NULL: there is none */
#endif
