#include "engine/base/seal.h"
#include "engine/base/sha256.h"
#include <stdio.h>
#include <string.h>

static const char k_form[] = ",\n \"sha256\":\"%s\"}\n";
enum { SEAL = sizeof k_form - 1 - 2 + BL_SHA256_HEX - 1 }; /* its length: the digest for %s */

void bl_seal(bl_buf *text) {
    char digest[BL_SHA256_HEX];
    bl_sha256_of(bl_buf_text(text), text->len, digest);
    bl_buf_printf(text, k_form, digest);
}

bool bl_seal_holds(const char *text, size_t n) {
    if (n < SEAL) return false;
    char digest[BL_SHA256_HEX], seal[SEAL + 1];
    bl_sha256_of(text, n - SEAL, digest);
    (void)snprintf(seal, sizeof seal, k_form, digest);
    return memcmp(text + n - SEAL, seal, SEAL) == 0;
}
