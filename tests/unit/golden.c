#include "tests/unit/golden.h"
#include "engine/base/mem.h"
#include "engine/train/train.h"
#include "tests/unit/tiny_data.h"
#include <stdio.h>
#include <string.h>

const golden_run golden_runs[] = {
    {"adamw",                 "adamw",    "one_cycle", 32,   0,   0, NULL,         0,  0,
     "fd193c013e461c174d47a765e3ba6282adea7ee2ed9453e36a1f39eb1269d2e4"},
    {"adamw, averaged",       "adamw",    "one_cycle", 32,   0,   0, NULL,         0,  0.1,
     "45725576c6d8aaf12cf0e29966351036cccd97150bdac23a5354c42d85a612d5"},
    {"adam",                  "adam",     "cosine",    32,   0,   0, NULL,         0,  0,
     "cfb61dcde95b49e67f8a6a0f315410e34979cba3830337f5e152f0dde44af03e"},
    {"nesterov",              "nesterov", "linear",    32,   0,   0, NULL,         0,  0,
     "86c309c8e970ea29d9509adae5e30ec2a9d1967495ff727729b53f9f349699d6"},
    {"momentum",              "momentum", "constant",  32,   0,   0, NULL,         0,  0,
     "23b60380003b8a3881b7e42c156d45e409804828bf6409e53e5c716ffa086794"},
    {"sgd",                   "sgd",      "constant",  32,   0,   0, NULL,         0,  0,
     "8c0f5eb0d93fe8434e3a0fbab10ddb84fcf42d8d8381ba32bc092b7a13899133"},
    {"classes",               "momentum", "constant",  1100, 0,   3, NULL,         0,  0,
     "954c4d15cc21b340cb0f68d678e83de510a1b5b3ca3768e219ee0a2f1927054e"},
    {"classes, in pieces",    "momentum", "constant",  1100, 256, 3, NULL,         0,  0,
     "954c4d15cc21b340cb0f68d678e83de510a1b5b3ca3768e219ee0a2f1927054e"},
    {"classes, averaged",     "momentum", "constant",  1100, 0,   3, NULL,         0,  0.25,
     "9f042b34d34e9607e0a3294f322206e29f29676bbe1a10e1a26e5e7c11b72663"},
    {"averaged, in pieces",   "momentum", "constant",  1100, 256, 3, NULL,         0,  0.25,
     "9f042b34d34e9607e0a3294f322206e29f29676bbe1a10e1a26e5e7c11b72663"},
    {"simple_cnn",            "nesterov", "constant",  300,  0,   3, "simple_cnn", 0,  0,
     "e86a2146adcd49d65a13263529f2f76879ef36fe5d3f164032da21e94ee6dfa0"},
    {"simple_cnn, in pieces", "nesterov", "constant",  300,  256, 3, "simple_cnn", 0,  0,
     "e86a2146adcd49d65a13263529f2f76879ef36fe5d3f164032da21e94ee6dfa0"},
    {"resnet8",               "momentum", "constant",  512,  0,   3, "resnet8",    64, 0,
     "c2d7079f8ce79df182abd774cd60b852796aa261ad39c92ed52ce7f11242f3fd"},
    {"resnet8, averaged",     "momentum", "constant",  512,  256, 3, "resnet8",    64, 0.1,
     "3162c9b7a7a5e1a9cf6ba2a1e51973a812966b86eb259560ff2899d322b85541"},
    {"resnet8, in pieces",    "momentum", "constant",  512,  256, 3, "resnet8",    64, 0,
     "c2d7079f8ce79df182abd774cd60b852796aa261ad39c92ed52ce7f11242f3fd"},
};
const size_t golden_count = BL_COUNT(golden_runs);

static void configure_pictures(const golden_run *run, bl_config *out) {
    tiny_picture_config(out, run->pictures);
    tiny_name(out->model.norm, run->ghost > 0 ? "ghost" : "none");
    out->model.ghost_size = (int64_t)run->ghost;
    out->data.eval_rows = 100;
    out->eval.first = 1;
}

static void configure_net(const golden_run *run, bl_config *out) {
    tiny_config(out);
    tiny_name(out->optimizer.name, run->optimizer);
    tiny_name(out->schedule.name, run->schedule);
    out->train.batch_size = (int64_t)run->batch;
    out->train.micro_batch = (int64_t)run->micro_batch;
    if (run->classes == 0) return;
    if (run->pictures != NULL) configure_pictures(run, out);
    if (run->pictures != NULL) return;
    tiny_name(out->model.kind, "mlp");
    tiny_name(out->loss, "cross_entropy");
    tiny_name(out->metric, "cross_entropy");
}

static void configure(const golden_run *run, bl_config *out) {
    configure_net(run, out);
    if (run->average > 0) {
        tiny_name(out->eval.average, "power");
        out->eval.average_width = run->average;
    }
}

bl_status golden_log(const bl_config *config, const bl_dataset *data, const bl_kernels *kernels,
                     size_t threads, int64_t steps, char out[BL_SHA256_HEX], bl_err *err) {
    bl_train *train = NULL;
    const bl_train_options options = {.run_id = "golden", .kernels = kernels, .threads = threads};
    bl_status status = BL_OK;
    BL_GOTO(bl_train_open(&train, config, data, &options, err));
    while (bl_train_now(train)->step < steps) BL_GOTO(bl_train_advance(train, steps, NULL, err));
    const char *text = bl_buf_text(bl_train_log(train)), *records = strchr(text, '\n');
    bl_sha256_of(records, strlen(records), out);
done:
    bl_train_close(train);
    return status;
}

bl_status golden_hash(const golden_run *run, const bl_kernels *kernels, size_t threads,
                      char out[BL_SHA256_HEX], bl_err *err) {
    bl_config config;
    bl_dataset data;
    configure(run, &config);
    if (run->pictures != NULL)
        tiny_pictures(&data, run->classes);
    else if (run->classes > 0)
        tiny_classes(&data, run->classes);
    else
        tiny_data(&data, 3, 2);
    const bl_status status =
        golden_log(&config, &data, kernels, threads, run->pictures != NULL ? 3 : 30, out, err);
    tiny_data_free(&data);
    return status;
}
