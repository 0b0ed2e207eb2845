/* SHA-256 by the nettle library: identities of runs and data sets, trailers of files. */
#ifndef BL_ENGINE_BASE_SHA256_H
#define BL_ENGINE_BASE_SHA256_H
#include <nettle/sha2.h>
#include <stddef.h>

enum { BL_SHA256_HEX = 65 }; /* 64 digits and the terminator */

typedef struct sha256_ctx bl_sha256; /* nettle's; copy it to fork a digest */

void bl_sha256_init(bl_sha256 *ctx);
void bl_sha256_update(bl_sha256 *ctx, const void *bytes, size_t n);
/* Writes the digest of all bytes so far; `ctx` is left as it was and may go on. */
void bl_sha256_hex(const bl_sha256 *ctx, char out[BL_SHA256_HEX]);
void bl_sha256_of(const void *bytes, size_t n, char out[BL_SHA256_HEX]);
#endif
