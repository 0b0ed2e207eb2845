/* The epilogue of kernels/epilogue.h for a vector of a result, number i and the following ones. */
#ifndef BL_KERNELS_CPU_EPILOGUE_VECTORS_H
#define BL_KERNELS_CPU_EPILOGUE_VECTORS_H
#include "kernels/cpu/cpu.h"

/* One step of it; there is a residual, or a gate. */
BL_INLINE bl_v bl_epilogue_add(const bl_epilogue *e, bl_v v, size_t i, bl_lanes m) {
    return v + bl_v_get(e->residual + i, m);
}
BL_INLINE bl_v bl_epilogue_gate(const bl_epilogue *e, bl_v v, size_t i, bl_lanes m) {
    return bl_v_if_positive(bl_v_get(e->relu_gate + i, m), v);
}

/* All that is asked for, in order. */
BL_INLINE bl_v bl_epilogue_vector(const bl_epilogue *e, bl_v v, size_t i, bl_lanes m) {
    if (e->residual != NULL) v = bl_epilogue_add(e, v, i, m);
    if (e->relu) v = bl_v_if_positive(v, v);
    if (e->relu_gate != NULL) v = bl_epilogue_gate(e, v, i, m);
    return v;
}

/* An epilogue whose result begins `at` floats further on. */
BL_INLINE bl_epilogue bl_epilogue_at(const bl_epilogue *e, size_t at) {
    return (bl_epilogue){.residual = e->residual != NULL ? e->residual + at : NULL,
                         .relu_gate = e->relu_gate != NULL ? e->relu_gate + at : NULL,
                         .relu = e->relu};
}
#endif
