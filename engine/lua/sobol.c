#include "engine/lua/sobol.h"
#include "engine/base/philox.h"
#include "engine/base/status.h"

enum { BITS = 32, MOST_DEGREE = 6, SHIFT = 0x50B01 };

/* A primitive polynomial x^degree + ... + 1 over GF(2), its inner coefficients as the bits of
 * `inner`, and the first direction numbers. Dimension 0 needs none: all of its numbers are 1. */
typedef struct polynomial {
    uint32_t degree, inner, first[MOST_DEGREE];
} polynomial;

static const polynomial k_polynomials[BL_SOBOL_DIMENSIONS - 1] = {
    {1, 0,  {1}                  },
    {2, 1,  {1, 3}               },
    {3, 1,  {1, 3, 1}            },
    {3, 2,  {1, 1, 1}            },
    {4, 1,  {1, 1, 3, 3}         },
    {4, 4,  {1, 3, 5, 13}        },
    {5, 2,  {1, 1, 5, 5, 17}     },
    {5, 4,  {1, 1, 5, 5, 5}      },
    {5, 7,  {1, 1, 7, 11, 19}    },
    {5, 11, {1, 1, 5, 1, 1}      },
    {5, 13, {1, 1, 1, 3, 11}     },
    {5, 14, {1, 3, 5, 5, 31}     },
    {6, 1,  {1, 3, 3, 9, 7, 49}  },
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
};

/* m_i = 2 a_1 m_(i-1) ^ 4 a_2 m_(i-2) ^ ... ^ 2^s m_(i-s) ^ m_(i-s), kept as v_i = m_i 2^(32-i). */
static void directions(uint32_t dimension, uint32_t v[BITS]) {
    if (dimension == 0) {
        for (uint32_t i = 0; i < BITS; i++) v[i] = 1u << (BITS - 1 - i);
        return;
    }
    const polynomial *p = &k_polynomials[dimension - 1];
    for (uint32_t i = 0; i < BITS; i++) {
        if (i < p->degree) {
            v[i] = p->first[i] << (BITS - 1 - i);
            continue;
        }
        v[i] = v[i - p->degree] ^ (v[i - p->degree] >> p->degree);
        for (uint32_t k = 1; k < p->degree; k++)
            if ((p->inner >> (p->degree - 1 - k)) & 1) v[i] ^= v[i - k];
    }
}

uint32_t bl_sobol(uint32_t index, uint32_t dimension) {
    BL_ASSERT(dimension < BL_SOBOL_DIMENSIONS);
    uint32_t v[BITS], x = 0;
    directions(dimension, v);
    for (uint32_t bit = 0; bit < BITS && index >> bit != 0; bit++)
        if ((index >> bit) & 1) x ^= v[bit];
    return x;
}

double bl_sobol_shifted(uint64_t seed, uint32_t index, uint32_t dimension) {
    const uint32_t shift = bl_random_u32(seed, BL_STREAM_SEARCH, SHIFT, dimension);
    return ((double)(bl_sobol(index, dimension) ^ shift) + 0.5) * 0x1p-32;
}
