#include "engine/train/workload.h"

void bl_train_digest_f32(bl_sha256 *digest, const float *values, size_t count) {
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

void bl_train_digest_f64(bl_sha256 *digest, const double *values, size_t count) {
    static const uint64_t nan_bits = 0x7ff8000000000000u;
    for (size_t i = 0; i < count; i++) {
        const bool number = values[i] == values[i];
        bl_sha256_update(digest, number ? (const void *)&values[i] : &nan_bits, sizeof *values);
    }
}

void bl_train_params_digest(const bl_train *train, char out[BL_SHA256_HEX]) {
    bl_sha256 digest;
    bl_sha256_init(&digest);
    train->workload->digest(train, &digest);
    bl_sha256_hex(&digest, out);
}
