/* What probes of the gradient noise cost at noise.share 0.05, their default sizes and one thread:
 * processor time of whole runs, evaluations included, with probes over without. The runs see
 * EXAMPLES examples, more than 40 probes' worth; both kinds take turns, and the medians count.
 *
 *     noise_bench      a table; ends with 1 if any ratio is above 1.06
 *     noise_bench 2    its second row alone */
#include "engine/config/config.h"
#include "engine/data/dataset_open.h"
#include "engine/train/train.h"
#include "tests/bench/bench.h"

enum { REPEATS = 5, EXAMPLES = 131072 };

static const struct work {
    const char *experiment, *preset, *set;
    int64_t batch;
} k_works[] = {
    {"rossmann", "quick", "model.hidden=[64,32]",    64  },
    {"rossmann", "quick", "model.hidden=[64,32]",    1024},
    {"rossmann", "quick", "model.hidden=[1000,500]", 256 },
    {"mnist",    "quick", "optimizer.name=momentum", 64  },
    {"mnist",    "quick", "optimizer.name=momentum", 512 },
};

/* Seconds of a run; *probes gets the bytes of its records. */
static bl_status time_run(const bl_config *config, const bl_dataset *data, double *took,
                          size_t *records, bl_err *err) {
    const bl_kernels *kernels;
    bl_train *train;
    BL_TRY(bl_kernels_pick(&kernels, err));
    const bl_train_options options = {.kernels = kernels, .run_id = "bench", .threads = 1};
    BL_TRY(bl_train_open(&train, config, data, &options, err));
    const int64_t steps = EXAMPLES / config->train.batch_size;
    const double start = seconds();
    bl_status status = BL_OK;
    while (status == BL_OK && bl_train_now(train)->step < steps && !bl_train_now(train)->diverged)
        status = bl_train_advance(train, steps, NULL, err);
    *took = seconds() - start;
    *records = bl_train_noise(train)->len;
    bl_train_close(train);
    return status;
}

static bl_status measure(const struct work *w, double *ratio, bl_err *err) {
    bl_config *config = bl_xalloc(sizeof *config);
    bl_dataset data = {0};
    const bl_dataset_options options = {
        .manifest_dir = "datasets", .cache_dir = "datasets/cache", .synthetic = true};
    double with[REPEATS], without[REPEATS];
    size_t records = 0, none = 0;
    bl_status status;
    BL_GOTO(bl_config_read(config, "experiments", w->experiment, w->preset, &w->set, 1, err));
    BL_GOTO(bl_dataset_open(&data, w->experiment, &options, err));
    config->train.batch_size = w->batch;
    config->train.learning_rate = 1e-4;
    for (int r = 0; r < REPEATS && status == BL_OK; r++) {
        config->noise.share = 0.0;
        status = time_run(config, &data, &without[r], &none, err);
        config->noise.share = 0.05;
        if (status == BL_OK) status = time_run(config, &data, &with[r], &records, err);
    }
    if (status == BL_OK && records == 0) status = BL_ERR(err, BL_EINVAL, "no probe was made");
    if (status == BL_OK) {
        const double before = median(without, REPEATS);
        *ratio = median(with, REPEATS) / before;
        (void)printf("%-10s %-24s %6lld %9.3f s %7.3f\n", w->experiment, w->set,
                     (long long)w->batch, before, *ratio);
    }
done:
    bl_dataset_free(&data);
    free(config);
    return status;
}

int main(int argc, char **argv) {
    bl_err err = {0};
    bool dear = false;
    (void)printf("%-10s %-24s %6s %11s %7s\n", "experiment", "net", "batch", "without", "ratio");
    for (size_t i = 0; i < sizeof k_works / sizeof *k_works; i++) {
        double ratio;
        if (argc > 1 && atoi(argv[1]) != (int)i + 1) continue;
        if (measure(&k_works[i], &ratio, &err) != BL_OK) {
            (void)fprintf(stderr, "noise_bench: %s\n", err.text);
            return 1;
        }
        dear = dear || ratio > 1.06;
    }
    return dear;
}
