/* Arrays of NumPy and picture files: the files of the fuzz targets' corpora, whose values are
 * known. NumPy and Pillow wrote them. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/zip.h"
#include "engine/data/array/arrays.h"
#include "tests/check.h"
#include <math.h>
#include <string.h>

static void check_holds(const char *text, const char *part) {
    if (strstr(text, part) == NULL) fail_msg("no '%s' in: %s", part, text);
}

static bl_buf read_file(const char *name) {
    char path[BL_PATH];
    bl_buf out = {0};
    CHECK_OK(bl_path(path, ERR, "tests/fuzz/corpus/%s", name));
    CHECK_OK(bl_file_read(&out, path, 1 << 20, ERR));
    return out;
}

/* "(2, 3) of int64: 0 1 2 3 4 5": what the file is and its values as fields. */
static void check_array(const char *name, const char *expected) {
    bl_buf bytes = read_file(name), text = {0};
    bl_npy x;
    bl_err err = {0};
    if (bl_npy_read(&x, bl_buf_text(&bytes), bytes.len, "a", &err) == BL_OK) {
        bl_npy_describe(&text, &x);
        bl_buf_str(&text, ":");
        for (size_t i = 0; i < x.count; i++) {
            bl_buf_str(&text, i > 0 ? "|" : " ");
            bl_npy_text(&text, &x, i);
        }
    } else {
        bl_buf_str(&text, err.text);
    }
    assert_string_equal(bl_buf_text(&text), expected);
    bl_buf_free(&text);
    bl_buf_free(&bytes);
}

static void test_values(void **state) {
    (void)state;
    const char *counted = "0|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20|21|22|23";
    char expected[256];
    (void)snprintf(expected, sizeof expected, "(2, 3, 4) of int64: %s", counted);
    check_array("npy/int64.npy", expected);
    (void)snprintf(expected, sizeof expected, "(2, 3, 4) of float32: %s", counted);
    check_array("npy/fortran.npy", expected); /* of the other byte order, too */
    check_array("npy/half.npy", "(7,) of float16: 0|1|-2|65504|5.96046448e-08||");
    check_array("npy/text.npy", "(5,) of text: a|gr\xC3\xBCn|x,\"y\"| z |");
    check_array("npy/python2.npy", "(2,) of int32: 1|-1");
    check_array("npy/scalar.npy", "() of float64: 3");
    check_array("npy/empty.npy", "(0, 3) of float64:");
}

static void test_refused(void **state) {
    (void)state;
#define NO_TYPE "a: its values are of type "
#define READ    "; numbers, booleans and texts are read"
    check_array("npy/object.npy", NO_TYPE "'|O'" READ);
    check_array("npy/complex.npy", NO_TYPE "'<c16'" READ);
    check_array("npy/date.npy", NO_TYPE "'<M8[D]'" READ);
    check_array("npy/record.npy", NO_TYPE "[('a', '<i4'), ('b', '<f8')], 'fortran_o" READ);
    check_array("npy/short.npy", "a: it is cut short: 184 bytes of values are there");
    check_array("npy/pair.npz", "a: no NumPy array, or one that is cut short");
}

/* An array of no bytes a value would have as many values as its header claims. */
static void test_no_bytes(void **state) {
    (void)state;
    static const char *const types[] = {"<U0", "|S0", "|S00"};
    for (size_t i = 0; i < BL_COUNT(types); i++) {
        bl_buf file = {0}, header = {0};
        bl_err err = {0};
        bl_npy x;
        bl_buf_printf(&header,
                      "{'descr': '%s', 'fortran_order': False, 'shape': (1000000000, 2), }",
                      types[i]);
        bl_buf_add(&file, "\x93NUMPY\1\0", 8);
        const char length[2] = {(char)header.len, 0};
        bl_buf_add(&file, length, 2);
        bl_buf_add(&file, bl_buf_text(&header), header.len);
        assert_int_equal(bl_npy_read(&x, bl_buf_text(&file), file.len, "a", &err), BL_EFORMAT);
        check_holds(err.text, "its values are of type '");
        bl_buf_free(&header);
        bl_buf_free(&file);
    }
}

/* The members of an archive, stored or deflated, are the arrays that were saved. */
static void check_archive(const char *name, size_t members, unsigned method) {
    bl_buf bytes = read_file(name), x = {0};
    bl_zip zip;
    bl_npy array;
    CHECK_OK(bl_zip_open(&zip, bl_buf_text(&bytes), bytes.len, "a", ERR));
    assert_int_equal(zip.members, members);
    assert_int_equal(zip.member[0].method, method);
    CHECK_OK(bl_zip_read(&x, &zip, &zip.member[0], ERR));
    CHECK_OK(bl_npy_read(&array, bl_buf_text(&x), x.len, "a", ERR));
    assert_int_equal(array.count, 24 * 36);
    for (size_t i = 0; i < array.count; i++)
        assert_true(bl_npy_number(&array, i) == (double)(i / 36 % 2 * 120 + i % 36));
    /* One bit is another: the sum of the member does not hold, or it cannot be unpacked. */
    bl_err err = {0};
    bl_buf damaged = {0};
    bytes.data[120] ^= 1;
    assert_int_equal(bl_zip_read(&damaged, &zip, &zip.member[0], &err), BL_EFORMAT);
    check_holds(err.text, "a: member '");
    bl_buf_free(&damaged);
    bl_zip_close(&zip);
    bl_buf_free(&x);
    bl_buf_free(&bytes);
}

static void test_archives(void **state) {
    (void)state;
    check_archive("npy/pair.npz", 2, 0);
    check_archive("npy/packed.npz", 4, 8);
    bl_buf bytes = read_file("npy/bzip2.npz"), out = {0};
    bl_zip zip;
    bl_err err = {0};
    CHECK_OK(bl_zip_open(&zip, bl_buf_text(&bytes), bytes.len, "a", ERR));
    assert_int_equal(bl_zip_read(&out, &zip, &zip.member[0], &err), BL_EFORMAT);
    assert_string_equal(err.text, "a: member 'x.npy' is packed in a way that is not known here");
    bl_zip_close(&zip);
    assert_int_equal(bl_zip_open(&zip, bl_buf_text(&bytes), bytes.len - 1, "a", &err), BL_EFORMAT);
    bl_zip_close(&zip);
    bl_buf_free(&bytes);
}

/* ---- what becomes of arrays ---- */

static bl_npy bytes_array(const uint8_t *values, size_t rows, size_t second, size_t third,
                          size_t fourth) {
    bl_npy x = {.kind = 'u', .size = 1, .values = values, .dimensions = 1, .shape = {rows}};
    const size_t more[] = {second, third, fourth};
    x.count = rows;
    for (size_t i = 0; i < BL_COUNT(more) && more[i] > 0; i++) {
        x.shape[x.dimensions++] = more[i];
        x.count *= more[i];
    }
    return x;
}

static void test_pictures(void **state) {
    (void)state;
    static const uint8_t label[] = {7, 7, 3, 7};
    static uint8_t values[4 * 3 * 6 * 5];
    bl_pack pack;
    for (size_t i = 0; i < sizeof values; i++) values[i] = (uint8_t)(i % 251);
    bl_arrays a = {.x = bytes_array(values, 4, 3, 6, 5), .y = bytes_array(label, 4, 0, 0, 0)};
    assert_true(bl_arrays_pictures(&pack, &a)); /* three planes of 6 x 5 */
    assert_int_equal(pack.classes, 2);
    assert_string_equal(pack.class[0], "3");
    assert_string_equal(pack.class[1], "7");
    assert_int_equal(pack.label[2], 0);
    assert_int_equal(pack.label[3], 1);
    assert_int_equal(pack.shape.channels, 3);
    assert_int_equal(pack.pixels[90 + 3 * 7 + 2], values[90 + 2 * 30 + 7]);
    bl_pack_free(&pack);
    a.x = bytes_array(values, 4, 6, 15, 0);
    assert_true(bl_arrays_pictures(&pack, &a)); /* one channel of 6 x 15 */
    assert_memory_equal(pack.pixels, values, sizeof values);
    bl_pack_free(&pack);
    a.x = bytes_array(values, 4, 90, 0, 0);
    assert_false(bl_arrays_pictures(&pack, &a)); /* a row of numbers */
    a.x = bytes_array(values, 4, 6, 15, 0);
    a.x.kind = 'i'; /* some are below 0 */
    assert_false(bl_arrays_pictures(&pack, &a));
}

/* Indicators of classes are counted; a row that marks two is refused. */
static void test_table(void **state) {
    (void)state;
    static const uint8_t values[] = {1, 2, 3, 4, 5, 6}, marks[] = {0, 1, 0, 1, 0, 0},
                         wrong[] = {0, 1, 1, 1, 0, 0};
    bl_buf text = {0};
    bl_err err = {0};
    bl_arrays a = {bytes_array(values, 2, 3, 0, 0), bytes_array(marks, 2, 3, 0, 0), "X", "y"};
    CHECK_OK(bl_arrays_check(&a, ERR));
    bl_arrays_table(&text, &a);
    assert_string_equal(bl_buf_text(&text), "x0,x1,x2,y\n1,2,3,1\n4,5,6,0\n");
    bl_buf_free(&text);
    a.y.values = wrong;
    assert_int_equal(bl_arrays_check(&a, &err), BL_EFORMAT);
    check_holds(err.text, "y has 3 values a row, and row 0 does not mark one class");
    a.y = bytes_array(values, 3, 0, 0, 0);
    assert_int_equal(bl_arrays_check(&a, &err), BL_EFORMAT);
    assert_string_equal(err.text, "X has 2 rows, y has 3");
}

/* Held-out pictures come last, of each class the same share, and all are there once. */
static void test_pack(void **state) {
    (void)state;
    enum { ROWS = 100 };
    bl_pack pack = {
        .shape = {{1, 1}, 1},
          .rows = ROWS, .classes = 2
    };
    bl_buf out = {0};
    size_t seen[ROWS] = {0}, held_out = 0, falls = 0;
    pack.pixels = bl_xalloc(ROWS);
    pack.label = bl_xalloc(ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        pack.pixels[i] = (uint8_t)i;
        pack.label[i] = i < 30;
    }
    bl_pack_write(&out, &pack, 0.2);
    assert_int_equal(pack.valid, 20);
    assert_int_equal(out.len, 2 * ROWS);
    const uint8_t *p = (const uint8_t *)bl_buf_text(&out);
    for (size_t i = 0; i < ROWS; i++) {
        seen[p[2 * i + 1]]++;
        assert_int_equal(p[2 * i], p[2 * i + 1] < 30);
        held_out += i >= 80 && p[2 * i];
        falls += i > 0 && p[2 * i + 1] < p[2 * i - 1];
    }
    for (size_t i = 0; i < ROWS; i++) assert_int_equal(seen[i], 1);
    assert_int_equal(held_out, 6);
    assert_in_range(falls, 30, 70); /* mixed */
    pack.classes = 0;               /* they have no names here */
    bl_pack_free(&pack);
    bl_buf_free(&out);
}

/* ---- picture files ---- */

static bl_photo_shape measured(const char *name, bl_buf *bytes) {
    bl_photo_shape shape = {{0}, 0};
    *bytes = read_file(name);
    CHECK_OK(bl_photo_measure(&shape, (const uint8_t *)bl_buf_text(bytes), bytes->len, "a", ERR));
    return shape;
}

/* Pixel (y, x) of rgb.png is 10 x, 10 y, x + y; grey.png has 12 x. */
static void test_photos(void **state) {
    (void)state;
    static uint8_t to[12 * 20 * 3], larger[24 * 40 * 3], wanted[24 * 40 * 3];
    bl_buf bytes;
    if (!bl_photo_known()) skip();
    bl_photo_shape shape = measured("photo/rgb.png", &bytes);
    const uint8_t *p = (const uint8_t *)bl_buf_text(&bytes);
    assert_int_equal(shape.size.height, 12);
    assert_int_equal(shape.size.width, 20);
    assert_int_equal(shape.channels, 3);
    CHECK_OK(bl_photo_read(to, &shape, p, bytes.len, "a", ERR));
    for (int i = 0; i < 12 * 20; i++) {
        assert_int_equal(to[3 * i], i % 20 * 10);
        assert_int_equal(to[3 * i + 1], i / 20 * 10);
        assert_int_equal(to[3 * i + 2], i % 20 + i / 20);
    }
    /* The middle 12 x 12, halved: means of 2 x 2 pixels, rounded. */
    const bl_photo_shape half = {
        {6, 6},
        3
    };
    CHECK_OK(bl_photo_read(larger, &half, p, bytes.len, "a", ERR));
    for (int i = 0; i < 36; i++) {
        assert_int_equal(larger[3 * i], (2 * (i % 6) + 4) * 10 + 5);
        assert_int_equal(larger[3 * i + 1], 2 * (i / 6) * 10 + 5);
    }
    /* 3 of 12 lines, the middle ones; and areas of 2 and 3 pixels, whose means end in a half. */
    const bl_photo_shape flat = {
        {3, 20},
        3
    };
    CHECK_OK(bl_photo_read(larger, &flat, p, bytes.len, "a", ERR));
    assert_memory_equal(larger, to + (size_t)4 * 20 * 3, sizeof(uint8_t) * 3 * 20 * 3);
    const bl_photo_shape fifths = {
        {5, 5},
        3
    };
    CHECK_OK(bl_photo_read(larger, &fifths, p, bytes.len, "a", ERR));
    for (int y = 0; y < 5; y++)
        for (int x = 0; x < 5; x++) { /* pixels 12 x / 5 to 12 (x + 1) / 5 of the middle 12 */
            const double across = (12 * x / 5 + 12 * (x + 1) / 5 - 1) / 2.0 + 4;
            const double down = (12 * y / 5 + 12 * (y + 1) / 5 - 1) / 2.0;
            assert_int_equal(larger[3 * (5 * y + x) + 2], (int)floor(across + down + 0.5));
        }
    /* Twice as large: what bl_picture_resize makes. */
    const bl_photo_shape twice = {
        {24, 40},
        3
    };
    CHECK_OK(bl_photo_read(larger, &twice, p, bytes.len, "a", ERR));
    bl_picture_resize(wanted, twice.size, to, shape.size, 3);
    assert_memory_equal(larger, wanted, sizeof wanted);
    bl_buf_free(&bytes);
}

/* A JPEG file of quality 95 is near, transparent is white, grey stays grey, 16 bits become 8. */
static void test_formats(void **state) {
    (void)state;
    static uint8_t to[12 * 20 * 3];
    static const struct {
        const char *name;
        size_t channels;
        int first, last; /* first byte of pixel 0 and of pixel 19, the row's end */
    } files[] = {
        {"photo/grey.png",        1, 0,   228},
        {"photo/bits.png",        1, 0,   255},
        {"photo/sixteen.png",     1, 0,   222}, /* 57,000 / 257 */
        {"photo/alpha.png",       3, 255, 197}, /* 190 and white, 228 parts of 255 of it */
        {"photo/rgb.jpg",         3, 0,   190},
        {"photo/progressive.jpg", 3, 0,   190},
        {"photo/grey.jpg",        1, 0,   59 },
    };
    bl_buf bytes;
    if (!bl_photo_known()) skip();
    for (size_t i = 0; i < BL_COUNT(files); i++) {
        const bl_photo_shape shape = measured(files[i].name, &bytes);
        const bool lossy = strstr(files[i].name, "jpg") != NULL;
        const int slack = lossy ? 14 : 1;
        assert_int_equal(shape.channels, files[i].channels);
        CHECK_OK(
            bl_photo_read(to, &shape, (const uint8_t *)bl_buf_text(&bytes), bytes.len, "a", ERR));
        const int first = to[0], last = to[19 * shape.channels];
        if (abs(first - files[i].first) > slack || abs(last - files[i].last) > slack)
            fail_msg("%s: %d and %d", files[i].name, first, last);
        bl_buf_free(&bytes);
    }
}

static void check_no_photo(const char *name, const char *why) {
    static uint8_t to[12 * 20 * 3];
    bl_buf bytes = read_file(name);
    const uint8_t *p = (const uint8_t *)bl_buf_text(&bytes);
    bl_err err = {0};
    bl_photo_shape shape =
                       {
                           {12, 20},
                           3
    },
                   seen;
    bl_status status = bl_photo_measure(&seen, p, bytes.len, "a", &err);
    if (status == BL_OK) status = bl_photo_read(to, &shape, p, bytes.len, "a", &err);
    assert_int_equal(status, BL_EFORMAT);
    check_holds(err.text, why);
    bl_buf_free(&bytes);
}

static void test_no_photos(void **state) {
    (void)state;
    if (!bl_photo_known()) skip();
    check_no_photo("photo/short.png", "a: a damaged PNG file: ");
    check_no_photo("photo/short.jpg", "a: a JPEG file that cannot be read: Premature end");
    check_no_photo("photo/cmyk.jpg", "four colours of print (CMYK)");
    check_no_photo("photo/bitmap.png", "a: neither a PNG nor a JPEG file");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_archives),  cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_table),     cmocka_unit_test(test_pack),
        cmocka_unit_test(test_photos),    cmocka_unit_test(test_formats),
        cmocka_unit_test(test_no_photos), cmocka_unit_test(test_no_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
