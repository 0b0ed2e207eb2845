#include "engine/base/seal.h"
#include "engine/base/json_writer.h"
#include "engine/base/sha256.h"
#include <string.h>

/* The seal alone, behind the members of an object: a line of its own, the brace, the line's end. */
static void write_seal(bl_buf *out, const char *digest) {
    bl_jw w = bl_jw_resume(out);
    bl_jw_newline(&w, 1);
    bl_jw_str(&w, "sha256", digest);
    bl_jw_end(&w);
    bl_jw_line(&w);
}

void bl_seal(bl_buf *text) {
    char digest[BL_SHA256_HEX];
    bl_sha256_of(bl_buf_text(text), text->len, digest);
    write_seal(text, digest);
}

bool bl_seal_holds(const char *text, size_t n) {
    char digest[BL_SHA256_HEX];
    bl_buf seal = {0};
    bl_sha256_of(text, 0, digest);
    write_seal(&seal, digest); /* every seal is as long */
    bool holds = n >= seal.len;
    if (holds) {
        bl_sha256_of(text, n - seal.len, digest);
        bl_buf_clear(&seal);
        write_seal(&seal, digest);
        holds = memcmp(text + n - seal.len, seal.data, seal.len) == 0;
    }
    bl_buf_free(&seal);
    return holds;
}
