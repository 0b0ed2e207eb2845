#include "engine/base/mem.h"
#include "engine/base/named.h"
#include "engine/optim/optim.h"
#include "updates_list.h"

/* A state that the optimizer has; the address of one that it lacks is not even computed. */
#define STATE(name, i) (bl_update_##name##_states > (i) ? &s##i[e] : NULL)

/* One loop an optimizer, which the compiler vectorises; order inside it cannot change bits. */
#define STEP(name, reads)                                                                          \
    BL_CLONES static void name##_step(const bl_update_step *args, size_t begin, size_t end) {      \
        const bl_update_numbers n = bl_update_numbers_of(args);                                    \
        float *restrict p = args->param, *restrict s0 = args->state[0],                            \
                        *restrict s1 = args->state[1];                                             \
        const float *restrict grad = args->grad;                                                   \
        (void)s0, (void)s1;                                                                        \
        for (size_t e = begin; e < end; e++)                                                       \
            p[e] = bl_update_##name(&n, p[e], bl_flush_tiny(grad[e]), STATE(name, 0),              \
                                    STATE(name, 1));                                               \
    }
BL_CHOICES_OPTIMIZER(STEP)

#define ROW(name, reads)                                                                           \
    static const bl_optim name##_row = {#name, bl_update_##name##_states, name##_step};
BL_CHOICES_OPTIMIZER(ROW)
#define POINTER(name, reads) &name##_row,
const bl_optim *const bl_optim_table[] = {BL_CHOICES_OPTIMIZER(POINTER)};
const size_t bl_optim_count = BL_COUNT(bl_optim_table);

const bl_optim *bl_optim_find(const char *name) {
    return bl_named_find(bl_optim_table, bl_optim_count, name);
}
