/* Optimizers: element by element, over ranges that threads may cut anywhere. The formulas are
 * kernels/shared/update_NAME.h, one file and one row of engine/config/choices.h each; optim_table.c
 * makes their loops and this table of them. */
#ifndef BL_ENGINE_OPTIM_OPTIM_H
#define BL_ENGINE_OPTIM_OPTIM_H
#include "engine/config/choices.h"
#include "kernels/shared/update.h"
#include <stdbool.h>

typedef struct bl_optim {
    const char *name;
    size_t states; /* floats kept per parameter */
    /* Elements [begin, end). */
    void (*step)(const bl_update_step *args, size_t begin, size_t end);
} bl_optim;

extern const bl_optim *const bl_optim_table[]; /* in the order of BL_CHOICES_OPTIMIZER */
extern const size_t bl_optim_count;
const bl_optim *bl_optim_find(const char *name); /* NULL: there is none */
#endif
