/* The log of a small run, to the last bit. A change here on purpose raises BL_NUMERICS_EPOCH. */
#include "engine/base/sha256.h"
#include "engine/train/train.h"
#include "tests/check.h"
#include "tests/unit/tiny_data.h"

/* SHA-256 of the log without its header (whose configuration may gain keys), by optimizer. */
static const struct {
    const char *optimizer, *schedule, *sha256;
} k_golden[] = {
    {"adamw",    "one_cycle", "fd193c013e461c174d47a765e3ba6282adea7ee2ed9453e36a1f39eb1269d2e4"},
    {"adam",     "cosine",    "cfb61dcde95b49e67f8a6a0f315410e34979cba3830337f5e152f0dde44af03e"},
    {"nesterov", "linear",    "86c309c8e970ea29d9509adae5e30ec2a9d1967495ff727729b53f9f349699d6"},
    {"momentum", "constant",  "23b60380003b8a3881b7e42c156d45e409804828bf6409e53e5c716ffa086794"},
    {"sgd",      "constant",  "8c0f5eb0d93fe8434e3a0fbab10ddb84fcf42d8d8381ba32bc092b7a13899133"},
};

static void check_run(const bl_dataset *data, const char *optimizer, const char *schedule,
                      const char *sha256) {
    char got[BL_SHA256_HEX];
    bl_config config;
    bl_train *train = NULL;
    bl_train_options options = {.run_id = "golden"};
    tiny_config(&config);
    (void)snprintf(config.optimizer.name, BL_NAME, "%s", optimizer);
    (void)snprintf(config.schedule.name, BL_NAME, "%s", schedule);
    CHECK_OK(bl_kernels_pick(&options.kernels, ERR));
    CHECK_OK(bl_train_open(&train, &config, data, &options, ERR));
    while (bl_train_now(train)->step < 30) CHECK_OK(bl_train_advance(train, 30, NULL, ERR));
    const char *records = strchr(bl_buf_text(bl_train_log(train)), '\n');
    assert_non_null(records);
    bl_sha256_of(records, strlen(records), got);
    if (strcmp(got, sha256) != 0) fail_msg("%s: %s, golden %s", optimizer, got, sha256);
    bl_train_close(train);
}

static void test_logs(void **state) {
    (void)state;
    bl_dataset data;
    tiny_data(&data, 3, 2);
    for (size_t i = 0; i < sizeof k_golden / sizeof k_golden[0]; i++)
        check_run(&data, k_golden[i].optimizer, k_golden[i].schedule, k_golden[i].sha256);
    tiny_data_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_logs)};
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
