/* The golden runs on whatever processor runs this: needs the C library and libm, nothing else, so
 * that it can be built for another machine and emulated. Every usable backend, 1 and 3 threads. */
#include "engine/config/doc.h"
#include "tests/unit/golden.h"
#include <stdio.h>
#include <string.h>

int main(void) {
    int passed = 0, failed = 0;
    for (size_t k = 0; k < bl_kernels_count; k++)
        for (size_t i = 0; i < golden_count && bl_kernels_table[k]->usable(); i++)
            for (size_t threads = 1; threads <= 3; threads += 2) {
                char got[BL_SHA256_HEX] = "";
                bl_err err = {0};
                const bl_status status =
                    golden_hash(&golden_runs[i], bl_kernels_table[k], threads, got, &err);
                if (status == BL_OK && strcmp(got, golden_runs[i].sha256) == 0) {
                    passed++;
                    continue;
                }
                failed++;
                (void)printf("%s, %s, %zu threads: %s %s\n", golden_runs[i].name,
                             bl_kernels_table[k]->name, threads, got, err.text);
            }
    (void)printf("backends:");
    for (size_t k = 0; k < bl_kernels_count; k++)
        if (bl_kernels_table[k]->usable()) (void)printf(" %s", bl_kernels_table[k]->name);
    (void)printf("\n%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
