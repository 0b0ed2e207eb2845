/* Event files read back: what tfevents.h wrote, a tensor as TensorFlow 2 writes scalars, a file
 * that ends in the middle of a record, and damage at every byte. */
#include "engine/base/mem.h"
#include "engine/export/tfevents.h"
#include "engine/import/event_file.h"
#include "tests/check.h"
#include <math.h>
#include <string.h>

enum { MOST = 64 };
typedef struct heard {
    char tag[MOST][16];
    bl_event_scalar scalar[MOST];
    size_t count;
} heard;

static void hear(void *ctx, const bl_event_scalar *s) {
    heard *h = ctx;
    assert_true(h->count < MOST && s->tag_n < sizeof h->tag[0]);
    memcpy(h->tag[h->count], s->tag, s->tag_n);
    h->tag[h->count][s->tag_n] = '\0';
    h->scalar[h->count++] = *s;
}

static void write_file(bl_buf *file) {
    const bl_tfscalar two[] = {
        {"value", 0.5        },
        {"loss",  (double)NAN}
    };
    const bl_tfscalar one = {"value", -1e30};
    bl_tfevents_begin(file);
    bl_tfevents_add(file, 300, two, BL_COUNT(two));
    bl_tfevents_add(file, INT64_MAX, &one, 1);
}

static void what_was_written_is_read(void **state) {
    (void)state;
    bl_buf file = {0};
    heard h = {.count = 0};
    bl_err err;
    bool torn;
    write_file(&file);
    assert_int_equal(bl_event_each(file.data, file.len, "f", hear, &h, &torn, &err), BL_OK);
    assert_false(torn);
    assert_int_equal(h.count, 3);
    assert_string_equal(h.tag[0], "value");
    assert_string_equal(h.tag[1], "loss");
    assert_true(h.scalar[0].value == 0.5 && isnan(h.scalar[1].value));
    assert_true(h.scalar[2].value == (double)-1e30f);
    assert_true(h.scalar[0].step == 300 && h.scalar[1].step == 300);
    assert_true(h.scalar[2].step == INT64_MAX);
    assert_true(h.scalar[0].wall_time == 0);
    bl_buf_free(&file);
}

static void note_setting(void *ctx, const bl_event_setting *s) {
    bl_buf_printf(ctx, "%.*s=%.*s;", (int)s->key_n, s->key, (int)s->text_n, s->text);
}

/* Texts and numbers come back, and no scalar is seen in them. */
static void hyperparameters_come_back(void **state) {
    (void)state;
    const bl_tfsetting settings[] = {
        {"learning_rate",  NULL,   0.1},
        {"optimizer.name", "adam", 0  },
        {"empty",          "",     0  }
    };
    bl_buf file = {0}, said = {0};
    heard h = {.count = 0};
    bl_err err;
    bool torn;
    write_file(&file);
    bl_tfevents_settings(&file, settings, BL_COUNT(settings));
    assert_int_equal(bl_event_each_setting(file.data, file.len, "f", note_setting, &said, &err),
                     BL_OK);
    assert_string_equal(bl_buf_text(&said), "learning_rate=0.1;optimizer.name=adam;empty=;");
    assert_int_equal(bl_event_each(file.data, file.len, "f", hear, &h, &torn, &err), BL_OK);
    assert_int_equal(h.count, 3);
    bl_buf_free(&said);
    bl_buf_free(&file);
}

/* A prefix of the file gives the scalars of its whole records, and says that it is torn. */
static void a_prefix_is_torn(void **state) {
    (void)state;
    bl_buf file = {0};
    write_file(&file);
    size_t whole = 0, least = 0;
    for (size_t n = 0; n <= file.len; n++) {
        heard h = {.count = 0};
        bl_err err;
        bool torn;
        char *exact = bl_xalloc(n + 1);
        memcpy(exact, file.data, n);
        assert_int_equal(bl_event_each(exact, n, "f", hear, &h, &torn, &err), BL_OK);
        free(exact);
        whole += !torn;
        assert_true(h.count >= least);
        least = h.count;
    }
    assert_int_equal(whole, 4); /* nothing, the version, one event, two */
    assert_int_equal(least, 3);
    bl_buf_free(&file);
}

/* Every byte stands below a checksum: none can change unseen. */
static void every_damaged_byte_is_seen(void **state) {
    (void)state;
    bl_buf file = {0};
    write_file(&file);
    for (size_t i = 0; i < file.len; i++) {
        heard h = {.count = 0};
        bl_err err;
        bool torn;
        file.data[i] ^= 0x10;
        assert_int_equal(bl_event_each(file.data, file.len, "f", hear, &h, &torn, &err),
                         BL_EFORMAT);
        assert_memory_equal(err.text, "f: ", 3);
        file.data[i] ^= 0x10;
    }
    bl_buf_free(&file);
}

static void add_fixed(bl_buf *out, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        const unsigned char byte = (unsigned char)(value >> 8 * i);
        bl_buf_add(out, &byte, 1);
    }
}

static void add_sum(bl_buf *out, const void *bytes, size_t n) {
    const uint32_t crc = bl_crc32c(bytes, n);
    add_fixed(out, (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8u), 4);
}

static void read_event(heard *h, const char *event, size_t n, bl_status wanted) {
    bl_buf file = {0};
    bl_err err;
    bool torn;
    add_fixed(&file, n, 8);
    add_sum(&file, file.data, 8);
    bl_buf_add(&file, event, n);
    add_sum(&file, event, n);
    assert_int_equal(bl_event_each(file.data, file.len, "f", hear, h, &torn, &err), wanted);
    bl_buf_free(&file);
}

/* The bytes of tf.summary.scalar: the summary before the step, a tensor's four bytes, metadata. */
static void a_tensor_is_a_scalar(void **state) {
    (void)state;
    static const char content[] = "\x09\0\0\0\0\0\0\xf0\x3f"                   /* wall time 1 */
                                  "\x2a\x15\x0a\x13\x0a\x01v\x4a\x02\x0a\0"    /* tag, metadata */
                                  "\x42\x0a\x08\x01\x12\0\x22\x04\0\0\x80\x3f" /* 1.0f */
                                  "\x10\x07";                                  /* step */
    static const char packed[] =
        "\x10\x01\x2a\x0f\x0a\x0d\x0a\x01w\x42\x08\x08\x01\x2a\x04\0\0\0\x40";
    static const char wide[] =
        "\x10\x01\x2a\x11\x0a\x0f\x0a\x01x\x42\x0a\x31\0\0\0\0\0\0\x08\x40\x12";
    heard h = {.count = 0};
    read_event(&h, content, sizeof content - 1, BL_OK);
    assert_int_equal(h.count, 1);
    assert_true(h.scalar[0].value == 1 && h.scalar[0].step == 7 && h.scalar[0].wall_time == 1);
    read_event(&h, packed, sizeof packed - 1, BL_OK);
    assert_int_equal(h.count, 2);
    assert_true(h.scalar[1].value == 2);
    read_event(&h, wide, sizeof wide - 1, BL_EFORMAT); /* ends in the middle of a field */
    assert_int_equal(h.count, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read), cmocka_unit_test(hyperparameters_come_back),
        cmocka_unit_test(a_prefix_is_torn),         cmocka_unit_test(every_damaged_byte_is_seen),
        cmocka_unit_test(a_tensor_is_a_scalar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
