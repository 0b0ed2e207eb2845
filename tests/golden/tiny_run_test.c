/* Small runs to the last bit: every backend of this processor, and 1, 2, 3 and 7 threads. */
#include "engine/base/mem.h"
#include "tests/check.h"
#include "tests/unit/golden.h"

static void check(const golden_run *run, const bl_kernels *kernels, size_t threads) {
    char got[BL_SHA256_HEX];
    CHECK_OK(golden_hash(run, kernels, threads, got, ERR));
    if (strcmp(got, run->sha256) != 0)
        fail_msg("%s, %s, %zu threads: %s, golden %s", run->name, kernels->name, threads, got,
                 run->sha256);
}

static void test_backends(void **state) {
    (void)state;
    for (size_t k = 0; k < bl_kernels_count; k++)
        for (size_t i = 0; i < golden_count && bl_kernels_table[k]->usable(); i++)
            check(&golden_runs[i], bl_kernels_table[k], 1);
}

/* But for the reference, which takes its time; families_test cuts it into parts. */
static void test_threads(void **state) {
    (void)state;
    static const size_t threads[] = {2, 3, 7};
    for (size_t t = 0; t < BL_COUNT(threads); t++)
        for (size_t k = 0; k + 1 < bl_kernels_count; k++) {
            if (!bl_kernels_table[k]->usable()) continue;
            check(&golden_runs[0], bl_kernels_table[k], threads[t]);
            check(&golden_runs[golden_count - 1], bl_kernels_table[k], threads[t]);
            for (size_t i = 0; i < golden_count; i++)
                if (golden_runs[i].average > 0)
                    check(&golden_runs[i], bl_kernels_table[k], threads[t]);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_backends),
                                       cmocka_unit_test(test_threads)};
    return cmocka_run_group_tests_name("tiny_run", tests, NULL, NULL);
}
