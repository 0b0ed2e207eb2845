#include "engine/base/sha256.h"
#include <stdint.h>

void bl_sha256_init(bl_sha256 *ctx) {
    sha256_init(ctx);
}

void bl_sha256_update(bl_sha256 *ctx, const void *bytes, size_t n) {
    if (n > 0) sha256_update(ctx, n, bytes);
}

void bl_sha256_hex(const bl_sha256 *ctx, char out[BL_SHA256_HEX]) {
    static const char digits[] = "0123456789abcdef";
    bl_sha256 copy = *ctx;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&copy, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[BL_SHA256_HEX - 1] = '\0';
}

void bl_sha256_of(const void *bytes, size_t n, char out[BL_SHA256_HEX]) {
    bl_sha256 ctx;
    bl_sha256_init(&ctx);
    bl_sha256_update(&ctx, bytes, n);
    bl_sha256_hex(&ctx, out);
}
