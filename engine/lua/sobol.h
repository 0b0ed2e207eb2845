/* Sobol's sequence (1967) with the direction numbers of Joe and Kuo (2008, new-joe-kuo-6): points
 * that fill the unit cube evenly, any of them computed alone. Shifted digitally by a seed, which
 * keeps every balance of the sequence and makes each coordinate uniform. */
#ifndef BL_ENGINE_LUA_SOBOL_H
#define BL_ENGINE_LUA_SOBOL_H
#include <stdint.h>

enum { BL_SOBOL_DIMENSIONS = 16 };

/* Coordinate `dimension` (from 0) of point `index` (from 0) as a fraction of 2^32, in the order of
 * the van der Corput sequence: any 2^k points from a multiple of 2^k on fall one into each of 2^k
 * equal intervals. */
uint32_t bl_sobol(uint32_t index, uint32_t dimension);
/* The same, its digits shifted by a word of (seed, dimension); in (0, 1). */
double bl_sobol_shifted(uint64_t seed, uint32_t index, uint32_t dimension);
#endif
