/* A tiny run of every experiment to the last bit: on every backend of this processor but the
 * reference, which takes minutes, with 1, 2, 3 and 7 threads, its batch whole and in pieces of 256
 * and 512. The data are the generator's, so that preparing them is part of it. */
#include "engine/base/mem.h"
#include "engine/data/dataset_open.h"
#include "tests/check.h"
#include "tests/unit/golden.h"

/* Blocks of 256 and a short one. */
enum { BATCH = 300, BATCH_FOR_PIECES = 520 };

typedef struct tiny_run {
    const char *name, *experiment, *set; /* set: a key that is not as in the experiment, or NULL */
    bool pieces; /* is a batch in pieces the same run? Not where it is normalised as a whole */
    const char *sha256; /* of the log without its header */
} tiny_run;

/* Runs of one data set side by side: it is made once. A new experiment gets a row. */
static const tiny_run runs[] = {
    {"quadratic",          "quadratic",          NULL,                            true,
     "75b5f24ceec6ac0448f0be831e449cde53e0de8c96b1bcd6ac0dffba662c1486"},
    {"quadratic, sampled", "quadratic",          "quadratic.expectation=sampled", true,
     "816a35ffba638d488fcb5d706a47750fb55d585bdd4e0b4191b07d8f4fcd047a"},
    {"simplenn",           "simplenn",           NULL,                            true,
     "acdb358886730a8339dea48614961fad3d0c353c6bf4ee0fa47c9ffb8f1837a3"},
    {"simplenn, random",   "simplenn",           "dataset=simplenn_random",       true,
     "6383b7ae9464487c9c884a9a290b66775eb4f8a6e4eeec0f2ced8f743ec8ca78"},
    {"simplenn, rule",     "simplenn",           "dataset=simplenn_rule",         true,
     "11d386e5d276dba087469bbc4b033979b090bd0d4dfc24ad2696d531bb56c72a"},
    {"quality",            "quality",            NULL,                            true,
     "5a35807ce94fb0d42feff4aa011d7c6edf7b764bb8f03d7a7bdc225636d94ab6"},
    {"mnist",              "mnist",              NULL,                            true,
     "9fb502f2c1a243f84929626e2a8397ab2ec04b5dd3db4177ae49fdf3cd022ec7"},
    {"accumulation",       "accumulation",       NULL,                            true,
     "13a37c04878d847e6f20c6de1437808197f90cbfa72ef2c5d0b07cd313a087d5"},
    {"fashion_mnist",      "fashion_mnist",      NULL,                            true,
     "a497979c1316dfbda66e05ab5323ed35ac449bcd4eb470048bfcc29143b3dcee"},
    {"ghost_norm",         "ghost_norm",         "model.norm=ghost",              true,
     "932f8520759b9f59163341e4987414fea9491fc041e29c9880a8ac26a3bfc67d"},
    {"batch_size_finder",  "batch_size_finder",  NULL,                            true,
     "716bfa06e0dc7c0ab181d7013b8e6c34c888340df590c55f30d54fe19a7974aa"},
    {"rate_over_budget",   "rate_over_budget",   NULL,                            true,
     "62474d53c64622158c2f28cd8c86558d3e553b5d2c3c1bab0aa5a38c00cb47d8"},
    {"cifar10",            "cifar10",            NULL,                            false,
     "415bff0b63eacf1026b74d4bc5faa68bb5ef67ea1cb7110fdae43051c9b43810"},
    {"rossmann",           "rossmann",           NULL,                            false,
     "9e8109edc1d30a6ca05037d2cf1cccca5576276ed7b0fd603ddc537431b8ba20"},
    {"rossmann, no norm",  "rossmann",           "model.batch_norm=false",        true,
     "b61306cc45a5cb9cd7cb2a1f94e3b21adb655f8d34ae328386a6652a94bfeaa0"},
    {"rossmann_one_cycle", "rossmann_one_cycle", NULL,                            false,
     "096e6d9c265d3cf0a71832f5dee1b34fd808cdcc637bd5b0f7406c19f81500b9"},
};

static bl_dataset data; /* of the run before */

static void open_data(const char *name) {
    const bl_dataset_options options = {.manifest_dir = "datasets"};
    if (strcmp(data.name, name) == 0) return;
    bl_dataset_free(&data);
    CHECK_OK(bl_dataset_open(&data, name, &options, ERR));
}

static void configure(bl_config *out, const tiny_run *run, int64_t micro_batch) {
    CHECK_OK(bl_config_read(out, "experiments", run->experiment, "tiny", &run->set,
                            run->set != NULL, ERR));
    out->train.batch_size = run->pieces ? BATCH_FOR_PIECES : BATCH;
    out->train.micro_batch = micro_batch;
}

static bool same_run(const bl_config *a, const bl_config *b) {
    bl_buf of_a = {0}, of_b = {0};
    bl_config_identity(a, &of_a);
    bl_config_identity(b, &of_b);
    const bool same = strcmp(bl_buf_text(&of_a), bl_buf_text(&of_b)) == 0;
    bl_buf_free(&of_a);
    bl_buf_free(&of_b);
    return same;
}

static void check(const tiny_run *run, const bl_config *config, const bl_kernels *kernels,
                  size_t threads) {
    char got[BL_SHA256_HEX];
    CHECK_OK(golden_log(config, &data, kernels, threads, 1, got, ERR));
    if (strcmp(got, run->sha256) != 0)
        fail_msg("%s, %zu threads, pieces of %lld: %s, golden %s", kernels->name, threads,
                 (long long)config->train.micro_batch, got, run->sha256);
}

static void test_run(void **state) {
    const tiny_run *run = *state;
    static const struct {
        size_t threads;
        int64_t micro_batch;
    } ways[] = {
        {1, 0  },
        {2, 256},
        {3, 512},
        {7, 0  },
    };
    bl_config whole, config;
    configure(&whole, run, 0);
    configure(&config, run, 256);
    assert_int_equal(same_run(&config, &whole), run->pieces);
    open_data(whole.dataset);
    for (size_t w = 0; w < BL_COUNT(ways); w++) {
        configure(&config, run, run->pieces ? ways[w].micro_batch : 0);
        assert_true(same_run(&config, &whole));
        for (size_t k = 0; k + 1 < bl_kernels_count; k++)
            if (bl_kernels_table[k]->usable())
                check(run, &config, bl_kernels_table[k], ways[w].threads);
    }
}

int main(void) {
    struct CMUnitTest tests[BL_COUNT(runs)];
    for (size_t i = 0; i < BL_COUNT(runs); i++)
        tests[i] =
            (struct CMUnitTest){runs[i].name, test_run, NULL, NULL, (void *)(uintptr_t)&runs[i]};
    const int failed = cmocka_run_group_tests_name("experiments", tests, NULL, NULL);
    bl_dataset_free(&data);
    return failed;
}
