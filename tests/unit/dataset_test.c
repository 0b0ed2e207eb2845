/* A data set from its files: small tables written here with known answers, faults and where they
 * are said to be, and the real Rossmann tables where they lie in a data folder. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/data/dataset_open.h"
#include "kernels/shared/exact_math.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

static const char shops_cfg[] =
    "origin = \"the moon\"; folder = \"shops\";\n"
    "tables = (\n"
    "  { name = \"days\"; number = [\"shop\", \"sales\", \"promo\"]; date = [\"date\"];\n"
    "    files = ( { file = \"days.csv\"; } ); },\n"
    "  { name = \"shops\"; number = [\"shop\", \"size\", \"year\", \"month\"]; text = [\"town\"];\n"
    "    files = ( { file = \"shops.csv\"; } ); },\n"
    "  { name = \"mood\"; separator = \";\"; file_column = \"town\"; interval = [\"weeks\"];\n"
    "    number = [\"the mood\"]; rename = ( [\"the mood\", \"mood\"] );\n"
    "    files = ( { file = \"ulm.csv\"; value = \"Ulm\"; }, { file = \"bonn.csv\"; value = "
    "\"Bonn, old\"; } ); }\n"
    ");\n"
    "joins = ( { table = \"shops\"; key = [\"shop\"]; },\n"
    "          { table = \"mood\"; key = [\"town\"]; interval = \"weeks\"; date = \"date\"; } );\n"
    "derived = (\n"
    "  { op = \"date_part\"; name = \"weekday\"; of = \"date\"; part = \"weekday\"; },\n"
    "  { op = \"months_since\"; name = \"age\"; date = \"date\"; year = \"year\"; month = "
    "\"month\"; first_year = 1990; max = 24; },\n"
    "  { op = \"days_since\"; name = \"since\"; of = \"promo\"; group = \"shop\"; date = \"date\"; "
    "},\n"
    "  { op = \"days_until\"; name = \"until\"; of = \"promo\"; group = \"shop\"; date = \"date\"; "
    "},\n"
    "  { op = \"events_back\"; name = \"back\"; of = \"promo\"; group = \"shop\"; date = \"date\"; "
    "window = 2; },\n"
    "  { op = \"events_ahead\"; name = \"ahead\"; of = \"promo\"; group = \"shop\"; date = "
    "\"date\"; window = 2; }\n"
    ");\n"
    "filters = ( { column = \"sales\"; above = 0; } );\n"
    "split = { by = \"date\"; valid = 2; };\n"
    "target = \"sales\"; transform = \"log\";\n"
    "categorical = [\"shop\", \"town\", \"weekday\", \"age\", \"since\", \"until\", \"back\", "
    "\"ahead\"];\n"
    "continuous = [\"size\", \"mood\"];\n"
    "variants = ( { name = \"full\"; tables = [\"days\", \"shops\", \"mood\"]; },\n"
    "             { name = \"core\"; tables = [\"days\", \"shops\"]; } );\n";

/* Latest day first; the closed day (sales 0) is a day for what is derived. */
static const char days_csv[] = "shop,date,sales,visitors,promo\n"
                               "1,2015-01-09,90,1,0\n"
                               "2,2015-01-09,80,1,1\n"
                               "1,2015-01-08,70,1,1\n"
                               "2,2015-01-08,60,1,0\n"
                               "1,2015-01-06,50,1,0\n"
                               "2,2015-01-06,40,1,0\n"
                               "1,2015-01-05,0,0,1\n"
                               "2,2015-01-05,30,1,0\n"
                               "1,2015-01-04,20,1,0\n"
                               "2,2015-01-04,10,1,0\n";
static const char shops_csv[] =
    "shop,town,size,year,month\r\n1,Ulm,100,2014,12\r\n2,\"Bonn, old\",,,\r\n";
static const char ulm_csv[] =
    "weeks;the mood\n2014-12-29 - 2015-01-05;3\n2015-01-06 - 2015-01-11;5\n";
static const char bonn_csv[] = "weeks;the mood\n2015-01-05 - 2015-01-08;7\n";

typedef struct fixture {
    const char *root;
    char said[4096];
    bl_dataset_options options;
    char data[BL_PATH], cache[BL_PATH];
} fixture;

static void hear(void *ctx, const char *text) {
    fixture *f = ctx;
    strncat(f->said, text, sizeof f->said - strlen(f->said) - 2);
    strcat(f->said, "\n");
}

static void put_bytes(const fixture *f, const char *file, const void *bytes, size_t n) {
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", f->root, file));
    CHECK_OK(bl_file_write(path, bytes, n, ERR));
}
static void put(const fixture *f, const char *file, const char *text) {
    put_bytes(f, file, text, strlen(text));
}
static void drop(const fixture *f, const char *file) {
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s", f->root, file));
    assert_int_equal(unlink(path), 0);
}

static fixture *begin(void) {
    fixture *f = bl_xalloc(sizeof *f);
    f->root = scratch_folder("dataset");
    snprintf(f->data, sizeof f->data, "/nowhere:%s/data", f->root);
    snprintf(f->cache, sizeof f->cache, "%s/cache", f->root);
    f->options = (bl_dataset_options){
        .manifest_dir = f->root, .data_path = f->data, .say = hear, .say_ctx = f};
    char folder[BL_PATH];
    CHECK_OK(bl_path(folder, ERR, "%s/data/shops", f->root));
    CHECK_OK(bl_make_dirs(folder, ERR));
    put(f, "shops.cfg", shops_cfg);
    put(f, "data/shops/days.csv", days_csv);
    put(f, "data/shops/shops.csv", shops_csv);
    put(f, "data/shops/ulm.csv", ulm_csv);
    put(f, "data/shops/bonn.csv", bonn_csv);
    return f;
}

static bl_dataset open_shops(fixture *f) {
    bl_dataset d;
    f->said[0] = '\0';
    CHECK_OK(bl_dataset_open(&d, "shops", &f->options, ERR));
    return d;
}

/* Every part of the message in turn. */
static void check_refused(fixture *f, bl_status status, const char *const *parts) {
    bl_dataset d;
    bl_err err = {0};
    assert_int_equal(bl_dataset_open(&d, "shops", &f->options, &err), status);
    for (; *parts; parts++)
        if (!strstr(err.text, *parts)) fail_msg("no '%s' in: %s", *parts, err.text);
}
#define REFUSED(f, status, ...) check_refused(f, status, (const char *const[]){__VA_ARGS__, NULL})

static uint16_t code(const bl_dataset *d, size_t row, const char *name) {
    for (size_t c = 0; c < d->categorical; c++)
        if (strcmp(d->categorical_name[c], name) == 0) return d->codes[row * d->categorical + c];
    fail_msg("no column %s", name);
    return 0;
}
static void check_codes(const bl_dataset *d, const char *name, const int expected[9]) {
    for (size_t i = 0; i < 9; i++)
        if (code(d, i, name) != expected[i])
            fail_msg("%s of row %zu is %d, not %d", name, i, code(d, i, name), expected[i]);
}

static void test_cells(void **state) {
    (void)state;
    fixture *f = begin();
    bl_dataset d = open_shops(f);
    assert_int_equal(d.rows, 9);
    assert_int_equal(d.train_rows, 7);
    assert_int_equal(d.valid_rows, 2);
    assert_string_equal(d.variant, "full");
    assert_false(d.synthetic);
    /* Training: 8th (1 2), 6th (1 2), 5th (2), 4th (1 2); validation: 9th (1 2). */
    check_codes(&d, "shop", (const int[]){1, 2, 1, 2, 2, 1, 2, 1, 2});
    check_codes(&d, "town", (const int[]){2, 1, 2, 1, 1, 2, 1, 2, 1});
    /* Sunday 4th is 7, Monday 1, Tuesday 2, Thursday 4: codes in sorted order. Friday is not
     * trained on. */
    check_codes(&d, "weekday", (const int[]){3, 3, 2, 2, 1, 4, 4, 0, 0});
    /* Shop 1 since 2014-12-15: 24, 22, 20, 25 days, all 0 months; shop 2 has no start: 0. */
    check_codes(&d, "age", (const int[]){1, 1, 1, 1, 1, 1, 1, 1, 1});
    /* Days 0 1 0 | 1: shop 1 promo on 5th and 8th. Shop 2 only on the 9th: nothing before it. */
    check_codes(&d, "since", (const int[]){1, 1, 2, 1, 1, 1, 1, 2, 1});
    /* Until, values seen in training: 0 1 2 3 4 5. 8th: 0 and 1; 6th: 2 and 3; 5th: 4; 4th: 1
     * and 5. */
    check_codes(&d, "until", (const int[]){1, 2, 3, 4, 5, 2, 6, 1, 1});
    /* Two rows back, today's included: shop 1 from the 4th on 0 1 1 1 1. */
    check_codes(&d, "back", (const int[]){2, 1, 2, 1, 1, 1, 1, 2, 2});
    check_codes(&d, "ahead", (const int[]){2, 2, 2, 1, 1, 2, 1, 1, 2});
    /* Size is missing for shop 2, mood on the 4th for Bonn. */
    check_codes(&d, "size_na", (const int[]){1, 2, 1, 2, 2, 1, 2, 1, 2});
    check_codes(&d, "mood_na", (const int[]){1, 1, 1, 1, 1, 1, 2, 1, 2});
    /* Filled with the median 100, size is constant. Moods 5 7 5 7 7 3 and the median 6. */
    const double mood[9] = {5, 7, 5, 7, 7, 3, 6, 5, 6}, mean = 40.0 / 7;
    double squares = 0;
    for (int i = 0; i < 7; i++) squares += (mood[i] - mean) * (mood[i] - mean);
    for (size_t i = 0; i < 9; i++) {
        assert_true(d.values[i * 2] == 0.0f);
        assert_float_equal(d.values[i * 2 + 1], (float)((mood[i] - mean) / sqrt(squares / 7)),
                           1e-6f);
    }
    const double sales[9] = {70, 60, 50, 40, 30, 20, 10, 90, 80};
    for (size_t i = 0; i < 9; i++) assert_true(d.target[i] == (float)bl_log64(sales[i]));
    assert_true(d.target_max == 70);
    assert_string_equal(d.target_transform, "log");
    assert_int_equal(d.cardinality[0], 3);
    bl_dataset_free(&d);
    free(f);
}

static void check_equal(const bl_dataset *a, const bl_dataset *b) {
    assert_string_equal(a->sha256, b->sha256);
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->categorical, b->categorical);
    assert_int_equal(a->continuous, b->continuous);
    assert_memory_equal(a->codes, b->codes, a->rows * a->categorical * sizeof *a->codes);
    assert_memory_equal(a->values, b->values, a->rows * a->continuous * sizeof *a->values);
    assert_memory_equal(a->target, b->target, a->rows * sizeof *a->target);
    assert_memory_equal(a->cardinality, b->cardinality, a->categorical * sizeof *a->cardinality);
    for (size_t i = 0; i < a->categorical + a->continuous; i++)
        assert_string_equal(a->categorical_name[i], b->categorical_name[i]);
}

static void test_cache(void **state) {
    (void)state;
    fixture *f = begin();
    bl_dataset plain = open_shops(f);
    f->options.cache_dir = f->cache;
    bl_dataset fresh = open_shops(f);
    assert_non_null(strstr(f->said, "reading"));
    bl_dataset cached = open_shops(f);
    assert_string_equal(f->said, "");
    check_equal(&plain, &fresh);
    check_equal(&plain, &cached);
    bl_dataset_free(&cached);
    /* One flipped byte anywhere, or a missing one, and it is made anew. */
    bl_buf bytes = {0};
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/shops-full.cache", f->cache));
    CHECK_OK(bl_file_read(&bytes, path, 1 << 20, ERR));
    for (size_t at = 200; at < bytes.len; at += 97) {
        bytes.data[at] ^= 4;
        CHECK_OK(bl_file_write(path, bytes.data, bytes.len, ERR));
        bytes.data[at] ^= 4;
        cached = open_shops(f);
        assert_non_null(strstr(f->said, "damaged"));
        check_equal(&plain, &cached);
        bl_dataset_free(&cached);
    }
    CHECK_OK(bl_file_write(path, bytes.data, bytes.len - 1, ERR));
    cached = open_shops(f);
    assert_non_null(strstr(f->said, "damaged"));
    bl_dataset_free(&cached);
    /* Another content is another identity. */
    put(f, "data/shops/bonn.csv", "weeks;the mood\n2015-01-05 - 2015-01-08;8\n");
    cached = open_shops(f);
    assert_non_null(strstr(f->said, "reading"));
    assert_string_not_equal(cached.sha256, plain.sha256);
    bl_dataset_free(&cached);
    bl_buf_free(&bytes);
    bl_dataset_free(&fresh);
    bl_dataset_free(&plain);
    free(f);
}

static void test_unwritable_cache(void **state) {
    (void)state;
    fixture *f = begin();
    put(f, "cache", "a file, no folder");
    f->options.cache_dir = f->cache;
    bl_dataset d = open_shops(f);
    assert_non_null(strstr(f->said, "not cached"));
    bl_dataset_free(&d);
    free(f);
}

static void test_gzip_is_the_same(void **state) {
    (void)state;
    fixture *f = begin();
    bl_dataset plain = open_shops(f);
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/data/shops/days.csv.gz", f->root));
    gzFile z = gzopen(path, "wb");
    assert_int_equal(gzwrite(z, days_csv, sizeof days_csv - 1), sizeof days_csv - 1);
    assert_int_equal(gzclose(z), Z_OK);
    drop(f, "data/shops/days.csv");
    bl_dataset packed = open_shops(f);
    check_equal(&plain, &packed);
    bl_buf bytes = {0};
    CHECK_OK(bl_file_read(&bytes, path, 1 << 20, ERR));
    CHECK_OK(bl_file_write(path, bytes.data, bytes.len / 2, ERR));
    REFUSED(f, BL_EFORMAT, "days.csv.gz: damaged after", "cut short");
    bl_buf_free(&bytes);
    bl_dataset_free(&packed);
    bl_dataset_free(&plain);
    free(f);
}

static void test_layout_is_no_identity(void **state) {
    (void)state;
    fixture *f = begin();
    bl_dataset plain = open_shops(f);
    bl_buf text = {0};
    bl_buf_str(&text, "# a comment\ntitle = \"Shops\";\n\n");
    bl_buf_str(&text, shops_cfg);
    put(f, "shops.cfg", bl_buf_text(&text));
    bl_dataset other = open_shops(f);
    assert_string_equal(plain.sha256, other.sha256);
    bl_dataset_free(&other);
    char *split = strstr(text.data, "by = \"date\"; valid = 2;");
    memcpy(split, "valid = 2; by = \"date\";", 23);
    put(f, "shops.cfg", bl_buf_text(&text));
    other = open_shops(f);
    assert_string_equal(plain.sha256, other.sha256);
    bl_dataset_free(&other);
    memcpy(split, "valid = 3", 9);
    put(f, "shops.cfg", bl_buf_text(&text));
    other = open_shops(f);
    assert_string_not_equal(plain.sha256, other.sha256);
    bl_dataset_free(&other);
    bl_buf_free(&text);
    bl_dataset_free(&plain);
    free(f);
}

static void test_variants(void **state) {
    (void)state;
    fixture *f = begin();
    bl_dataset full = open_shops(f);
    drop(f, "data/shops/bonn.csv");
    bl_dataset core = open_shops(f);
    assert_string_equal(core.variant, "core");
    assert_non_null(strstr(f->said, "shops/bonn.csv is not in /nowhere:"));
    assert_int_equal(core.continuous, 1);
    assert_int_equal(core.categorical, full.categorical - 1); /* mood_na */
    assert_string_not_equal(core.sha256, full.sha256);
    bl_dataset_free(&core);
    drop(f, "data/shops/shops.csv");
    REFUSED(f, BL_EMISSING, "shops/shops.csv is missing, although other files of it are there",
            "get it from the moon");
    drop(f, "data/shops/days.csv");
    drop(f, "data/shops/ulm.csv");
    REFUSED(f, BL_EMISSING, "is not in /nowhere:", "get it from the moon");
    bl_dataset_free(&full);
    free(f);
}

static void declare_hash(const fixture *f, const char *sha256) {
    bl_buf text = {0};
    const char *at = strstr(shops_cfg, "\"days.csv\";") + strlen("\"days.csv\";");
    bl_buf_add(&text, shops_cfg, (size_t)(at - shops_cfg));
    bl_buf_printf(&text, " sha256 = \"%s\";%s", sha256, at);
    put(f, "shops.cfg", bl_buf_text(&text));
    bl_buf_free(&text);
}

static void test_altered_source(void **state) {
    (void)state;
    fixture *f = begin();
    char sha256[65], found[65];
    bl_sha256_of(days_csv, sizeof days_csv - 1, sha256);
    declare_hash(f, sha256);
    bl_dataset d = open_shops(f);
    bl_dataset_free(&d);
    put_bytes(f, "data/shops/days.csv", days_csv, sizeof days_csv - 2);
    bl_sha256_of(days_csv, sizeof days_csv - 2, found);
    REFUSED(f, BL_EFORMAT, "data/shops/days.csv: not the file", "shops.cfg:4", sha256, found,
            "get it from the moon");
    free(f);
}

static void test_malformed_tables(void **state) {
    (void)state;
    fixture *f = begin();
    put(f, "data/shops/bonn.csv", "weeks;the mood\n2015-01-05 - 2015-01-08\n");
    REFUSED(f, BL_EFORMAT, "bonn.csv:2: error: 1 fields, the header has 2");
    put(f, "data/shops/bonn.csv", "weeks;the mood\n2015-01-08 - 2015-01-05;1\n");
    REFUSED(f, BL_EFORMAT, "bonn.csv:2: error: column 'weeks'", "no interval");
    put(f, "data/shops/bonn.csv", "weeks;mood\n");
    REFUSED(f, BL_EFORMAT, "bonn.csv:1: error: no column 'the mood' in the header");
    put(f, "data/shops/bonn.csv", "weeks;the mood\n2015-01-05 - 2015-01-08;happy\n");
    REFUSED(f, BL_EFORMAT, "bonn.csv:2: error: column 'the mood': 'happy' is no number");
    put(f, "data/shops/bonn.csv",
        "weeks;the mood\n2015-01-05 - 2015-01-08;1\n2015-01-08 - 2015-01-09;1\n");
    REFUSED(f, BL_EFORMAT, "shops.cfg:", "rows 3 and 4 overlap");
    put(f, "data/shops/bonn.csv", "");
    REFUSED(f, BL_EFORMAT, "bonn.csv:1: error: the file is empty");
    put(f, "data/shops/bonn.csv", bonn_csv);
    put(f, "data/shops/shops.csv", "shop,town,size,year,month\n1,Ulm,,,\n1,Ulm,,,\n");
    REFUSED(f, BL_EFORMAT, "table 'shops': rows 1 and 2 have the same key");
    put(f, "data/shops/shops.csv", shops_csv);
    put(f, "data/shops/days.csv", "shop,date,sales,promo\n1,2015-02-30,1,1\n");
    REFUSED(f, BL_EFORMAT, "days.csv:2: error: column 'date': '2015-02-30' is no date");
    put(f, "data/shops/days.csv", "shop,date,sales,promo\n1,2015-01-01,1,1\n");
    REFUSED(f, BL_EINVAL, "shops.cfg:", "1 rows, of which 2 are for validation");
    free(f);
}

static bl_dataset shape; /* what a declaration says of an example */

/* The declaration with `old` replaced must be refused with `message`. */
static void check_declaration(fixture *f, const char *old, const char *new, const char *message) {
    bl_buf text = {0};
    bl_err err = {0};
    const char *at = strstr(shops_cfg, old);
    assert_non_null(at);
    bl_buf_add(&text, shops_cfg, (size_t)(at - shops_cfg));
    bl_buf_printf(&text, "%s%s", new, at + strlen(old));
    put(f, "shops.cfg", bl_buf_text(&text));
    if (bl_dataset_check(&shape, "shops", &f->options, &err) == BL_OK) fail_msg("taken: %s", new);
    if (!strstr(err.text, message)) fail_msg("no '%s' in: %s", message, err.text);
    if (!strstr(err.text, "shops.cfg:")) fail_msg("no place in: %s", err.text);
    bl_buf_free(&text);
}

static void test_declarations(void **state) {
    (void)state;
    fixture *f = begin();
    CHECK_OK(bl_dataset_check(&shape, "shops", &f->options, ERR));
    check_declaration(f, "filters =", "filtres =", "unknown key 'filtres'");
    check_declaration(f, "\"town\", \"weekday\"", "\"town\", \"weekdya\"", "no column 'weekdya'");
    check_declaration(f, "part = \"weekday\"", "part = \"weekdays\"", "no date part 'weekdays'");
    check_declaration(f, "op = \"days_since\"", "op = \"day_since\"", "no operation 'day_since'");
    check_declaration(f, "window = 2", "max = 2", "has no key 'max'");
    check_declaration(f, "; window = 2", "", "needs key 'window'");
    check_declaration(f, "of = \"date\"", "of = \"town\"", "must hold dates");
    check_declaration(f, "key = [\"shop\"]", "key = [\"town\"]", "no column 'town'");
    check_declaration(f, "table = \"mood\"", "table = \"moods\"", "no table 'moods'");
    check_declaration(f, "[\"size\", \"mood\"]", "[\"size\", \"town\"]", "holds text");
    check_declaration(f, "[\"size\", \"mood\"]", "[\"size\", \"sales\"]", "another kind");
    check_declaration(f, "valid = 2", "valid = 2; share = 0.5", "needs 'valid' (rows) or 'share'");
    check_declaration(f, "target = \"sales\"", "target = \"date\"", "must hold numbers");
    check_declaration(f, "transform = \"log\"", "transform = \"ln\"", "\"log\" or \"none\"");
    check_declaration(f, "file = \"days.csv\"", "file = \"../days.csv\"", "below the data set");
    /* A variant's name lands in paths and in JSON. */
    static const char *const names[] = {
        "a\\\"b", "a/b",      "..",
        "",       "a b",      "A",
        "a\\tb",  "\xc3\xa4", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < BL_COUNT(names); i++) {
        char declared[128];
        (void)snprintf(declared, sizeof declared, "name = \"%s\"", names[i]);
        check_declaration(f, "name = \"full\"", declared, "the name of a variant is made of a-z");
    }
    check_declaration(f, "name = \"full\"", "name = \"core\"", "there are two variants 'core'");
    bl_err err = {0};
    assert_int_equal(bl_dataset_check(&shape, "shop", &f->options, &err), BL_EMISSING);
    assert_non_null(strstr(err.text, "data sets here: shops"));
    assert_int_equal(bl_dataset_check(&shape, "../shops", &f->options, &err), BL_EINVAL);
    free(f);
}

/* The least squares error of the target that a table of means by one column leaves, in training. */
static double left_by(const bl_dataset *d, size_t column) {
    double *sum = bl_xalloc(d->cardinality[column] * sizeof *sum), left = 0;
    double *count = bl_xalloc(d->cardinality[column] * sizeof *count);
    for (size_t i = 0; i < d->train_rows; i++) {
        sum[d->codes[i * d->categorical + column]] += (double)d->target[i];
        count[d->codes[i * d->categorical + column]]++;
    }
    for (size_t i = 0; i < d->train_rows; i++) {
        const size_t c = d->codes[i * d->categorical + column];
        const double e = (double)d->target[i] - sum[c] / count[c];
        left += e * e;
    }
    free(sum);
    free(count);
    return left / (double)d->train_rows;
}

/* The project's own declaration. */
static void test_rossmann_generator(void **state) {
    (void)state;
    bl_dataset d;
    const bl_dataset_options options = {.manifest_dir = "datasets"};
    CHECK_OK(bl_dataset_open(&d, "rossmann", &options, ERR));
    assert_true(d.synthetic);
    assert_int_equal(d.valid_rows, 41395);
    assert_int_equal(d.categorical, 22 + 2);
    assert_int_equal(d.continuous, 16);
    assert_int_equal(d.cardinality[0], 1116);
    double mean = 0, squares = 0;
    for (size_t i = 0; i < d.train_rows; i++) mean += (double)d.target[i];
    mean /= (double)d.train_rows;
    for (size_t i = 0; i < d.train_rows; i++)
        squares += ((double)d.target[i] - mean) * ((double)d.target[i] - mean);
    squares /= (double)d.train_rows;
    assert_true(left_by(&d, 0) < 0.6 * squares);  /* the store matters */
    assert_true(left_by(&d, 1) < 0.98 * squares); /* so does the day of the week */
    bl_dataset_free(&d);
}

static const char *data_path(void) {
    const char *path = getenv("BATCHLAB_DATA");
    return path ? path : "../shared/datasets";
}

/* Codes and values found with another program from the same files. */
static void test_rossmann(void **state) {
    (void)state;
    bl_dataset d;
    const bl_dataset_options options = {.manifest_dir = "datasets", .data_path = data_path()};
    CHECK_OK(bl_dataset_open(&d, "rossmann", &options, ERR));
    if (d.synthetic || strcmp(d.variant, "full") != 0) {
        bl_dataset_free(&d);
        print_message("no Rossmann data in %s\n", data_path());
        skip();
    }
    assert_int_equal(d.rows, 844338);
    assert_int_equal(d.train_rows, 802943);
    assert_int_equal(d.valid_rows, 41395);
    assert_int_equal(d.categorical, 22 + 2);
    assert_int_equal(d.continuous, 16);
    assert_true(d.target_max == 38722);
    static const uint32_t cardinality[24] = {1116, 8,  4,  13, 32, 5, 26, 27, 5, 4, 4, 24,
                                             8,    13, 53, 22, 7,  7, 4,  4,  9, 9, 3, 3};
    assert_memory_equal(d.cardinality, cardinality, sizeof cardinality);
    static const struct {
        size_t row;
        uint16_t code[24];
        float temperature, trend;
        double sales;
    } known[] = {
        {0,
         {1115, 5, 3, 6, 19, 1, 1, 26, 4, 3, 3, 0, 4, 5, 25, 11, 2, 6, 1, 1, 1, 1, 1, 1},
         0.13330768f,  1.8689867f,
         8291 },
        {123456,
         {946, 3, 3, 2, 4, 1, 25, 1, 1, 1, 2, 19, 7, 8, 6, 0, 4, 6, 1, 1, 1, 1, 1, 1},
         -1.5504038f,
         -0.22964533f,
         3897 },
        {802942,
         {1097, 2, 1, 1, 1, 2, 25, 1, 2, 2, 0, 10, 0, 8, 1, 11, 2, 1, 2, 2, 5, 2, 1, 1},
         -0.70854807f,
         -2.602012f,
         5961 },
        {802943,
         {1, 5, 3, 7, 31, 1, 25, 1, 3, 1, 0, 16, 0, 5, 31, 1, 2, 6, 1, 1, 2, 6, 1, 1},
         1.0954286f,   2.416456f,
         5263 },
        {844337,
         {1114, 5, 3, 6, 19, 1, 1, 1, 1, 3, 0, 0, 0, 6, 25, 11, 2, 6, 1, 1, 1, 1, 1, 1},
         0.13330768f,  0.95653796f,
         21834},
    };
    for (size_t k = 0; k < BL_COUNT(known); k++) {
        assert_memory_equal(d.codes + known[k].row * 24, known[k].code, sizeof known[k].code);
        assert_float_equal(d.values[known[k].row * 16 + 1], known[k].temperature, 1e-5f);
        assert_float_equal(d.values[known[k].row * 16 + 10], known[k].trend, 1e-5f);
        assert_true(d.target[known[k].row] == (float)bl_log64(known[k].sales));
    }
    bl_dataset_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_cache),
        cmocka_unit_test(test_unwritable_cache),
        cmocka_unit_test(test_gzip_is_the_same),
        cmocka_unit_test(test_layout_is_no_identity),
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_altered_source),
        cmocka_unit_test(test_malformed_tables),
        cmocka_unit_test(test_declarations),
        cmocka_unit_test(test_rossmann_generator),
        cmocka_unit_test(test_rossmann),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
