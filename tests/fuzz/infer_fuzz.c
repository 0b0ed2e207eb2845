/* Any bytes as a user's table: refused with the file's name, or declared so that the declaration
 * can be read and reads the table: no value that was taken for a number or a date fails to be one.
 */
#include "engine/base/mem.h"
#include "engine/data/draft.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_declared(bl_inferred *in, const bl_infer_source *source) {
    static const char sha256[1][65] = {
        "0000000000000000000000000000000000000000000000000000000000000000"};
    const char *file = "t.csv";
    bl_buf text = {0};
    bl_draft d;
    bl_err err = {0};
    bl_manifest m;
    bl_inferred_manifest(in, ".", &file, sha256, 1, &text);
    if (bl_manifest_parse(&m, bl_buf_text(&text), text.len, "t.cfg", "t", &err) == BL_OK) {
        bl_manifest_free(&m);
        const bl_status status = bl_draft_open(&d, &text, "t", source, 1, 0, &err);
        /* A split may leave a side empty; that is no fault of a field. */
        BL_ASSERT(status == BL_OK || status == BL_EINVAL);
        if (status == BL_OK && bl_draft_prune(in, &d, &err) != BL_OK)
            BL_ASSERT(strstr(err.text, "no column is left") != NULL);
        if (status == BL_OK) bl_draft_free(&d);
    } else { /* names of columns can be what a configuration does not hold */
        BL_ASSERT(strncmp(err.text, "t.cfg", 5) == 0);
    }
    bl_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    bl_inferred in;
    bl_err err = {0};
    bl_buf lines = {0};
    char *text = bl_xalloc(n + 1);
    if (n > 0) memcpy(text, data, n);
    const bl_infer_source source = {.path = "t.csv", .text = text, .n = n};
    const bl_infer_wish wish = {.target = "y", .missing = "?,x", .classes = n % 5 == 1};
    if (bl_infer(&in, &source, 1, &wish, &err) == BL_OK) {
        bl_inferred_explain(&in, &lines);
        check_declared(&in, &source);
        bl_inferred_free(&in);
    } else {
        BL_ASSERT(strncmp(err.text, "t.csv", 5) == 0);
    }
    bl_buf_free(&lines);
    free(text);
    return 0;
}
