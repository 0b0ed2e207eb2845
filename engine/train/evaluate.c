#include "engine/train/run.h"
#include <string.h>

double bl_evaluate(bl_train *train) {
    bl_metric_sum sum;
    const bl_net_node *out = bl_net_output(&train->net);
    bl_pass pass = {.kernels = train->kernels, .pool = train->pool, .scratch = train->scratch};
    bl_metric_begin(&sum, train->metric);
    for (uint64_t at = 0; at < train->eval_rows; at += pass.batch) {
        const uint64_t left = train->eval_rows - at;
        pass.batch = left < BL_EVAL_CHUNK ? (size_t)left : BL_EVAL_CHUNK;
        bl_gather(train, BL_GATHER_EVAL, at, pass.batch);
        bl_net_infer(&train->net, &pass);
        bl_metric_add(&sum, out->y, out->width, train->net.target, pass.batch);
    }
    return bl_metric_value(&sum);
}

static void add_floats(bl_sha256 *digest, const float *values, size_t count) {
    static const uint32_t nan_bits = 0x7fc00000;
    size_t clean = 0; /* first value not yet added */
    for (size_t i = 0; i < count; i++) {
        if (values[i] == values[i]) continue;
        bl_sha256_update(digest, values + clean, (i - clean) * sizeof *values);
        bl_sha256_update(digest, &nan_bits, sizeof nan_bits);
        clean = i + 1;
    }
    bl_sha256_update(digest, values + clean, (count - clean) * sizeof *values);
}

void bl_params_digest(const bl_train *train, char out[BL_SHA256_HEX]) {
    const bl_net *net = &train->net;
    bl_sha256 digest;
    bl_sha256_init(&digest);
    for (size_t i = 0; i < net->params; i++) {
        const bl_param *p = &net->param[i];
        add_floats(&digest, (p->running ? net->running : net->weight) + p->offset,
                   p->rows * p->cols);
    }
    bl_sha256_hex(&digest, out);
}
