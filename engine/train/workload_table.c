#include "engine/train/workload.h"

/* The last one takes what no other does. */
static const bl_workload *const k_workloads[] = {&bl_workload_quadratic, &bl_workload_net};

const bl_workload *bl_workload_of(const bl_config *config) {
    size_t i = 0;
    while (i + 1 < BL_COUNT(k_workloads) && !k_workloads[i]->takes(config)) i++;
    return k_workloads[i];
}
