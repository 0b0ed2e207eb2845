/* Where averaged weights help: each run is made once and evaluated twice, by the weights of the
 * last step and by their average (eval.average), which training does not see.
 *
 *     average_bench EXPERIMENT PRESET SEEDS SETS BATCH:RATE:STEPS...
 *     average_bench            rossmann quick 3 "" 512:0.03125:2000
 *
 * SETS are "key=value" settings between semicolons, or "". A line for each evaluation on standard
 * output: batch, rate, seed, step, both values. A table on standard error: the steps to each of the
 * preset's targets, by seed, and the standard deviation of their logarithms. */
#include "engine/base/mem.h"
#include "engine/config/config.h"
#include "engine/data/dataset_open.h"
#include "engine/train/workload.h"
#include "tests/bench/bench.h"
#include <math.h>

enum { MOST_SEEDS = 16, MOST_SETS = 16, WAYS = 2 };

/* Steps to each target, by way of evaluation and seed; 0: not reached. */
typedef struct reached {
    int64_t step[BL_LIST][WAYS][MOST_SEEDS];
} reached;

/* The metric by the weights of the last step. */
static double evaluate_raw(bl_train *t) {
    float *average = t->average;
    t->average = NULL;
    const double value = t->workload->evaluate(t);
    t->average = average;
    return value;
}

static bool all_reached(const bl_config *c, const reached *r, size_t seed) {
    const size_t last = c->sweep.targets.n - 1;
    return c->sweep.targets.n > 0 && r->step[last][0][seed] > 0 && r->step[last][1][seed] > 0;
}

static bl_status run(const bl_config *c, const bl_dataset *data, int64_t steps, size_t seed,
                     reached *r, bl_err *err) {
    bl_train_options options = {.run_id = "bench", .threads = 1};
    bl_train *t = NULL;
    BL_TRY(bl_kernels_pick(&options.kernels, err));
    BL_TRY(bl_train_open(&t, c, data, &options, err));
    bl_status status = BL_OK;
    while (status == BL_OK && t->now.step < steps && !t->now.diverged && !all_reached(c, r, seed)) {
        status = bl_train_advance(t, steps, NULL, err);
        const double value[WAYS] = {evaluate_raw(t), t->now.value};
        (void)printf("%lld,%.9g,%lld,%lld,%.9g,%.9g\n", (long long)c->train.batch_size,
                     c->train.learning_rate, (long long)c->train.seed, (long long)t->now.step,
                     value[0], value[1]);
        for (size_t i = 0; i < c->sweep.targets.n; i++)
            for (size_t way = 0; way < WAYS; way++)
                if (r->step[i][way][seed] == 0 && value[way] <= c->sweep.targets.v[i])
                    r->step[i][way][seed] = t->now.step;
    }
    bl_train_close(t);
    return status;
}

/* One line of the table: steps by seed, and the deviation of their logarithms if all are there. */
static void print_line(const bl_config *c, const reached *r, size_t target, size_t way,
                       size_t seeds) {
    double sum = 0.0, squares = 0.0;
    bool all = true;
    (void)fprintf(stderr, "%6lld %10.6g %8g %-8s", (long long)c->train.batch_size,
                  c->train.learning_rate, c->sweep.targets.v[target], way ? "averaged" : "raw");
    for (size_t s = 0; s < seeds; s++) {
        const int64_t step = r->step[target][way][s];
        (void)fprintf(stderr, " %7lld", (long long)step);
        all = all && step > 0;
        sum += log((double)step);
    }
    for (size_t s = 0; all && s < seeds; s++)
        squares += pow(log((double)r->step[target][way][s]) - sum / (double)seeds, 2.0);
    if (all && seeds > 1) (void)fprintf(stderr, "   sd %.3f", sqrt(squares / (double)(seeds - 1)));
    (void)fprintf(stderr, "\n");
}

static bl_status point(bl_config *c, const bl_dataset *data, const char *text, size_t seeds,
                       bl_err *err) {
    long long batch, steps;
    reached *r = bl_xalloc(sizeof *r);
    if (sscanf(text, "%lld:%lf:%lld", &batch, &c->train.learning_rate, &steps) != 3)
        BL_FAIL(err, BL_EINVAL, "not BATCH:RATE:STEPS: %s", text);
    c->train.batch_size = batch;
    bl_status status = BL_OK;
    for (size_t s = 0; status == BL_OK && s < seeds; s++) {
        c->train.seed = (int64_t)s + 1;
        status = run(c, data, steps, s, r, err);
    }
    for (size_t i = 0; status == BL_OK && i < c->sweep.targets.n; i++)
        for (size_t way = 0; way < WAYS; way++) print_line(c, r, i, way, seeds);
    free(r);
    return status;
}

static bl_status bench(bl_dataset *data, int argc, const char *const *argv, bl_err *err) {
    const char *path = getenv("BATCHLAB_DATA"), *set[MOST_SETS] = {"eval.average=power"};
    const bl_dataset_options options = {.manifest_dir = "datasets",
                                        .data_path =
                                            path ? path : "datasets/cache:../shared/datasets",
                                        .cache_dir = "datasets/cache"};
    const size_t seeds = (size_t)atoi(argv[3]);
    char texts[1024];
    size_t sets = 1;
    bl_config c;
    (void)snprintf(texts, sizeof texts, "%s", argv[4]);
    if (seeds < 1 || seeds > MOST_SEEDS) BL_FAIL(err, BL_EINVAL, "not 1 to 16 seeds: %s", argv[3]);
    for (char *at = strtok(texts, ";"); at != NULL && sets < MOST_SETS; at = strtok(NULL, ";"))
        set[sets++] = at;
    BL_TRY(bl_config_read(&c, "experiments", argv[1], argv[2], set, sets, err));
    BL_TRY(bl_dataset_open(data, c.dataset, &options, err));
    for (int i = 5; i < argc; i++) BL_TRY(point(&c, data, argv[i], seeds, err));
    return BL_OK;
}

int main(int argc, char **argv) {
    static const char *const usual[] = {"", "rossmann", "quick", "3", "", "512:0.03125:2000"};
    const bool given = argc > 1;
    bl_err err = {0};
    bl_dataset data = {0};
    if (given && argc < 6) {
        (void)fprintf(stderr, "average_bench EXPERIMENT PRESET SEEDS SETS BATCH:RATE:STEPS...\n");
        return 2;
    }
    const bl_status status = bench(&data, given ? argc : (int)BL_COUNT(usual),
                                   given ? (const char *const *)argv : usual, &err);
    bl_dataset_free(&data);
    if (status != BL_OK) (void)fprintf(stderr, "average_bench: %s\n", err.text);
    return status == BL_OK ? 0 : 1;
}
