#include "tests/unit/golden.h"
#include "engine/base/mem.h"
#include "engine/train/train.h"
#include "tests/unit/tiny_data.h"
#include <stdio.h>
#include <string.h>

const golden_run golden_runs[] = {
    {"adamw",              "adamw",    "one_cycle", 32,   0,   0,
     "fd193c013e461c174d47a765e3ba6282adea7ee2ed9453e36a1f39eb1269d2e4"},
    {"adam",               "adam",     "cosine",    32,   0,   0,
     "cfb61dcde95b49e67f8a6a0f315410e34979cba3830337f5e152f0dde44af03e"},
    {"nesterov",           "nesterov", "linear",    32,   0,   0,
     "86c309c8e970ea29d9509adae5e30ec2a9d1967495ff727729b53f9f349699d6"},
    {"momentum",           "momentum", "constant",  32,   0,   0,
     "23b60380003b8a3881b7e42c156d45e409804828bf6409e53e5c716ffa086794"},
    {"sgd",                "sgd",      "constant",  32,   0,   0,
     "8c0f5eb0d93fe8434e3a0fbab10ddb84fcf42d8d8381ba32bc092b7a13899133"},
    {"classes",            "momentum", "constant",  1100, 0,   3,
     "954c4d15cc21b340cb0f68d678e83de510a1b5b3ca3768e219ee0a2f1927054e"},
    {"classes, in pieces", "momentum", "constant",  1100, 256, 3,
     "954c4d15cc21b340cb0f68d678e83de510a1b5b3ca3768e219ee0a2f1927054e"},
};
const size_t golden_count = BL_COUNT(golden_runs);

static void name(char *out, const char *text) {
    (void)snprintf(out, BL_NAME, "%s", text);
}

static void configure(const golden_run *run, bl_config *out) {
    tiny_config(out);
    name(out->optimizer.name, run->optimizer);
    name(out->schedule.name, run->schedule);
    out->train.batch_size = (int64_t)run->batch;
    out->train.micro_batch = (int64_t)run->micro_batch;
    if (run->classes == 0) return;
    name(out->model.kind, "mlp");
    name(out->loss, "cross_entropy");
    name(out->metric, "cross_entropy");
}

bl_status golden_hash(const golden_run *run, const bl_kernels *kernels, size_t threads,
                      char out[BL_SHA256_HEX], bl_err *err) {
    enum { STEPS = 30 };
    bl_config config;
    bl_dataset data;
    bl_train *train = NULL;
    const bl_train_options options = {.run_id = "golden", .kernels = kernels, .threads = threads};
    bl_status status = BL_OK;
    configure(run, &config);
    if (run->classes > 0)
        tiny_classes(&data, run->classes);
    else
        tiny_data(&data, 3, 2);
    BL_GOTO(bl_train_open(&train, &config, &data, &options, err));
    while (bl_train_now(train)->step < STEPS) BL_GOTO(bl_train_advance(train, STEPS, NULL, err));
    const char *text = bl_buf_text(bl_train_log(train)), *records = strchr(text, '\n');
    bl_sha256_of(records, strlen(records), out);
done:
    bl_train_close(train);
    tiny_data_free(&data);
    return status;
}
