/* Whole training steps of the Rossmann nets: milliseconds per step and examples per second, one
 * thread, medians of interleaved repetitions. Real data where they are, generated data otherwise.
 */
#include "engine/base/mem.h"
#include "engine/config/config.h"
#include "engine/data/dataset.h"
#include "engine/stats/summary.h"
#include "engine/train/train.h"
#include <stdio.h>
#include <stdlib.h>

enum { REPEATS = 5 };
static const char *const k_presets[] = {"quick", "paper"};
static const int64_t k_sizes[] = {64, 512, 2048, 8192};
enum { SIZES = sizeof k_sizes / sizeof k_sizes[0] };

static bl_status measure(const bl_config *base, const bl_dataset *data, const bl_kernels *kernels,
                         int64_t size, double *seconds, bl_err *err) {
    bl_config c = *base;
    c.train.batch_size = size;
    bl_train *train = NULL;
    const bl_train_options options = {.kernels = kernels, .run_id = "bench", .threads = 1};
    BL_TRY(bl_train_open(&train, &c, data, &options, err));
    const bl_status status = bl_train_time(train, 0.2, seconds, err);
    bl_train_close(train);
    return status;
}

static bl_status bench(const char *preset, const bl_dataset *data, const bl_kernels *kernels,
                       bl_err *err) {
    bl_config config;
    double seconds[SIZES][REPEATS];
    BL_TRY(bl_config_read(&config, "experiments", "rossmann", preset, NULL, 0, err));
    for (size_t r = 0; r < REPEATS; r++)
        for (size_t i = 0; i < SIZES; i++)
            BL_TRY(measure(&config, data, kernels, k_sizes[i], &seconds[i][r], err));
    for (size_t i = 0; i < SIZES; i++) {
        const double median = bl_stats_median(seconds[i], REPEATS);
        (void)printf("train  rossmann/%-6s %-7s batch %-6lld %9.3f ms/step %10.0f examples/s\n",
                     preset, kernels->name, (long long)k_sizes[i], 1e3 * median,
                     (double)k_sizes[i] / median);
    }
    return BL_OK;
}

int main(void) {
    bl_err err = {0};
    bl_dataset data = {0};
    const bl_kernels *kernels;
    const char *path = getenv("BATCHLAB_DATA");
    const bl_dataset_options options = {.manifest_dir = "datasets",
                                        .data_path =
                                            path ? path : "datasets/cache:../shared/datasets",
                                        .cache_dir = "datasets/cache"};
    bl_status status;
    BL_GOTO(bl_kernels_pick(&kernels, &err));
    BL_GOTO(bl_dataset_open(&data, "rossmann", &options, &err));
    for (size_t i = 0; i < BL_COUNT(k_presets); i++)
        BL_GOTO(bench(k_presets[i], &data, kernels, &err));
done:
    bl_dataset_free(&data);
    if (status != BL_OK) (void)fprintf(stderr, "train_bench: %s\n", err.text);
    return status == BL_OK ? 0 : 1;
}
