/* What the processor multiplies and adds at most: the ceiling that `batchlab machine` holds
 * kernels against. Returns the multiply-adds of `rounds` rounds; the caller times them. *sink
 * keeps the compiler from leaving them out.
 *
 * 12 accumulators: as many independent chains as hide a multiply-add's latency on two ports. With
 * two operands they fit the 16 registers of every set. */
#include "kernels/cpu/cpu.h"
#include "kernels/multiply_adds.h"

enum { CHAINS = 12 };

double BL_CPU(peak)(float *sink, size_t rounds);

double BL_CPU(peak)(float *sink, size_t rounds) {
    bl_v sum[CHAINS];
    const bl_v a = bl_v_set1(0.5f), b = bl_v_set1(0.25f);
    float out[BL_W];
    for (size_t i = 0; i < CHAINS; i++) sum[i] = bl_v_set1((float)i);
    for (size_t r = 0; r < rounds; r++)
        for (size_t i = 0; i < CHAINS; i++) sum[i] = bl_v_fma(sum[i], a, b);
    for (size_t i = 1; i < CHAINS; i++) sum[0] = bl_v_fma(sum[i], a, sum[0]);
    bl_v_store(out, sum[0]);
    *sink = out[0];
    return (double)rounds * CHAINS * BL_W;
}
