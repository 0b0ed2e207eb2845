#include "engine/base/numerics.h"
#include <fenv.h>

bool bl_fpenv_ok(void) {
    if (fegetround() != FE_TONEAREST) return false;
    /* Half the smallest normal number must come back whole, read as input and made as output. */
    volatile float smallest_normal = 0x1p-126f;
    volatile float half = smallest_normal * 0.5f;
    volatile float back = half * 2.0f;
    return half != 0.0f && back == smallest_normal;
}
