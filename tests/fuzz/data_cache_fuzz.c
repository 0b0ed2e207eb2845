/* Any bytes as a cached data set: taken whole, with every code in range, or refused. */
#include "engine/base/mem.h"
#include "engine/data/block.h"
#include "engine/data/cache.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    bl_dataset d;
    bl_err err = {0};
    unsigned char *bytes = bl_alloc(n + 1); /* aligned as a mapping is */
    if (n > 0) memcpy(bytes, data, n);
    if (bl_cache_parse(&d, bytes, n, "", &err) == BL_OK) bl_block_close(&d);
    /* Past the hash, which no chance hits. */
    if (bl_block_open(&d, bytes, n, &err) == BL_OK) {
        float sum = 0;
        for (size_t i = 0; i < d.rows * d.categorical; i++)
            BL_ASSERT(d.codes[i] < d.cardinality[i % d.categorical]);
        for (size_t i = 0; i < d.rows * d.continuous; i++)
            sum += d.pixels ? (float)d.pixels[i] : d.values[i];
        for (size_t i = 0; i < d.rows; i++) sum += d.target[i];
        BL_ASSERT(sum == sum || sum != sum);
        for (size_t i = 0; i < d.categorical; i++) BL_ASSERT(strlen(d.categorical_name[i]) < n);
        for (size_t i = 0; i < d.continuous && !d.pixels; i++)
            BL_ASSERT(strlen(d.continuous_name[i]) < n);
        bl_block_close(&d);
    }
    free(bytes);
    return 0;
}
