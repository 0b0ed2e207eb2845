/* TensorBoard's event files: the check sum's known answers, and every byte of a small file. */
#include "engine/base/mem.h"
#include "engine/export/tfevents.h"
#include "tests/check.h"
#include <math.h>
#include <string.h>

/* RFC 3720, appendix B.4, and the usual nine digits. */
static void check_sums_are_known(void **state) {
    (void)state;
    unsigned char bytes[32] = {0};
    assert_int_equal(bl_crc32c("", 0), 0);
    assert_int_equal(bl_crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(bl_crc32c(bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    assert_int_equal(bl_crc32c(bytes, 32), 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++) bytes[i] = (unsigned char)i;
    assert_int_equal(bl_crc32c(bytes, 32), 0x46dd794e);
}

static uint64_t fixed(const char *at, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;) value = value << 8 | (unsigned char)at[i];
    return value;
}

/* The record at *at holds these bytes, and its sums hold. */
static void is_record(const bl_buf *file, size_t *at, const char *payload, size_t n) {
    assert_true(file->len >= *at + 16 + n);
    const char *record = file->data + *at;
    assert_int_equal(fixed(record, 8), n);
    assert_memory_equal(record + 12, payload, n);
    const size_t summed[] = {8, n}, begins[] = {0, 12}, sums[] = {8, 12 + n};
    for (int i = 0; i < 2; i++) {
        const uint32_t masked = (uint32_t)fixed(record + sums[i], 4) - 0xa282ead8u;
        assert_int_equal((uint32_t)(masked << 15 | masked >> 17),
                         bl_crc32c(record + begins[i], summed[i]));
    }
    *at += 16 + n;
}

static void a_file_is_its_records(void **state) {
    (void)state;
    static const char first[] = "\x09\0\0\0\0\0\0\0\0\x1a\x0d"
                                "brain.Event:2";
    /* Step 300 is ac 02, 0.5 is 3f000000, not a number 7fc00000. */
    static const char second[] = "\x09\0\0\0\0\0\0\0\0\x10\xac\x02\x2a\x18"
                                 "\x0a\x0c\x0a\x05value\x15\0\0\0\x3f"
                                 "\x0a\x08\x0a\x01r\x15\0\0\xc0\x7f";
    bl_buf file = {0};
    const bl_tfscalar scalars[] = {
        {"value", 0.5        },
        {"r",     (double)NAN}
    };
    bl_tfevents_begin(&file);
    bl_tfevents_add(&file, 300, scalars, BL_COUNT(scalars));
    size_t at = 0;
    is_record(&file, &at, first, sizeof first - 1);
    is_record(&file, &at, second, sizeof second - 1);
    assert_int_equal(at, file.len);
    bl_buf_free(&file);
}

/* The content that PyTorch's test of add_hparams expects of string_var = "hi", and of a session
 * that ended well; google.protobuf.Value has a number as a double, field 2. */
static void hyperparameters_are_as_others_write_them(void **state) {
    (void)state;
    static const char text[] = "\x12\x20\x0a\x07hparams\x12\x16"
                               "\x1a\x14\x0a\x12\x0a\x0astring_var\x12\x04\x1a\x02hi";
    static const char number[] = "\x0a\x08"
                                 "bool_var\x12\x09\x11\0\0\0\0\0\0\xf0\x3f";
    static const char end[] = "\x0a\x1a_hparams_/session_end_info\x4a\x11\x0a\x0f"
                              "\x0a\x07hparams\x12\x04\"\x02\x08\x01";
    const bl_tfsetting one = {"string_var", "hi", 0}, other = {"bool_var", NULL, 1};
    bl_buf file = {0};
    bl_tfevents_settings(&file, &one, 1);
    assert_non_null(memmem(file.data, file.len, text + 2, sizeof text - 3));
    assert_non_null(memmem(file.data, file.len, "_hparams_/session_start_info", 28));
    assert_non_null(memmem(file.data, file.len, end, sizeof end - 1));
    bl_buf_clear(&file);
    bl_tfevents_settings(&file, &other, 1);
    assert_non_null(memmem(file.data, file.len, number, sizeof number - 1));
    bl_buf_free(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_sums_are_known),
        cmocka_unit_test(a_file_is_its_records),
        cmocka_unit_test(hyperparameters_are_as_others_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
