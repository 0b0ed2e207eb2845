/* Splits, and how the fields of a declared table are read, end to end: declaration, file, data set.
 */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/data/dataset_open.h"
#include "engine/data/table/calendar.h"
#include "engine/data/table/field_format.h"
#include "tests/check.h"
#include "tests/scratch.h"

/* Opens a data set of this table; `keys` stand in the table, `rest` behind it. */
static bl_status open_table(bl_dataset *d, const char *text, const char *keys, const char *rest,
                            bl_err *err) {
    const char *root = scratch_folder("split");
    char path[BL_PATH];
    bl_buf cfg = {0};
    const bl_dataset_options options = {.manifest_dir = root};
    CHECK_OK(bl_path(path, ERR, "%s/t.csv", root));
    CHECK_OK(bl_file_write(path, text, strlen(text), ERR));
    bl_buf_printf(&cfg,
                  "origin = \"here\"; folder = \"%s\";\n"
                  "tables = ( { name = \"t\"; files = ( { file = \"t.csv\"; } );\n%s } );\n%s",
                  root, keys, rest);
    CHECK_OK(bl_path(path, ERR, "%s/t.cfg", root));
    CHECK_OK(bl_file_write(path, cfg.data, cfg.len, ERR));
    bl_buf_free(&cfg);
    return bl_dataset_open(d, "t", &options, err);
}

/* The same, which has to work; to be freed. */
static bl_dataset opened(const bl_buf *text, const char *keys, const char *rest) {
    bl_dataset d;
    CHECK_OK(open_table(&d, bl_buf_text(text), keys, rest, ERR));
    return d;
}

/* The same, which has to be refused with these words. */
static void refused(const char *text, const char *keys, const char *rest, const char *message) {
    bl_dataset d;
    bl_err err = {0};
    if (open_table(&d, text, keys, rest, &err) == BL_OK || strstr(err.text, message) == NULL)
        fail_msg("no '%s' in: %s", message, err.text);
}

#define NUMBERS "number = [\"x\", \"y\"];"
#define REST(split)                                                                                \
    "split = { " split " }; target = \"y\"; transform = \"none\"; continuous = [\"x\"];"

/* 100 rows: x is the row's number, y ten times that; customer i / 4. */
static bl_buf hundred_rows(void) {
    bl_buf out = {0};
    bl_buf_str(&out, "x,y,customer,label\n");
    for (int i = 0; i < 100; i++)
        bl_buf_printf(&out, "%d,%d,c%d,%s\n", i, 10 * i, i / 4, i % 3 ? "no" : "yes");
    return out;
}

/* A row is in one place, the held-out ones are spread over the file, and the seed decides. */
static void test_random(void **state) {
    (void)state;
    bl_buf text = hundred_rows();
    bl_dataset a = opened(&text, NUMBERS, REST("seed = 1; share = 0.3;")),
               b = opened(&text, NUMBERS, REST("seed = 1; valid = 30;")),
               c = opened(&text, NUMBERS, REST("seed = 2; valid = 30;"));
    size_t seen[100] = {0}, same = 0, early = 0;
    assert_int_equal(a.valid_rows, 30);
    assert_memory_equal(a.target, b.target, 100 * sizeof(float));
    for (size_t i = 0; i < 100; i++) {
        seen[(size_t)(a.target[i] / 10 + 0.5f)]++;
        same += a.target[i] == c.target[i];
        early += i >= 70 && a.target[i] < 500;
    }
    for (size_t i = 0; i < 100; i++) assert_int_equal(seen[i], 1);
    assert_true(same < 10);
    assert_in_range(early, 6, 24); /* 15 of 30 expected: 4 deviations */
    assert_true(strcmp(a.sha256, c.sha256) != 0);
    bl_dataset_free(&a);
    bl_dataset_free(&b);
    bl_dataset_free(&c);
    bl_buf_free(&text);
}

static void test_groups(void **state) {
    (void)state;
    bl_buf text = hundred_rows();
    bl_dataset d = opened(&text, NUMBERS "text = [\"customer\"];",
                          REST("seed = 3; share = 0.295; group = \"customer\";"));
    int side[25] = {0};
    assert_int_equal(d.valid_rows, 32); /* whole groups of 4 */
    for (size_t i = 0; i < d.rows; i++)
        side[(size_t)(d.target[i] / 40)] |= i < d.train_rows ? 1 : 2;
    for (size_t g = 0; g < 25; g++) assert_in_range(side[g], 1, 2);
    bl_dataset_free(&d);
    bl_buf_free(&text);
}

/* Labels are numbered in the declared order; rows without one are left out; others are refused. */
static void test_classes(void **state) {
    (void)state;
    bl_buf text = hundred_rows();
    bl_buf_str(&text, "100,1000,c1,\n101,1010,c1,?\n");
#define CLASSES                                                                                    \
    "split = { valid = 10; }; target = \"label\"; transform = \"none\"; continuous = [\"x\"]; "    \
    "classes = [\"yes\", \"no\"];"
    bl_dataset d =
        opened(&text, "number = [\"x\"]; text = [\"label\"]; missing = [\"?\"];", CLASSES);
    assert_int_equal(d.classes, 2);
    assert_int_equal(d.rows, 100);
    for (size_t i = 0; i < 100; i++) assert_true(d.target[i] == (i % 3 ? 1.0f : 0.0f));
    bl_dataset_free(&d);
    refused(bl_buf_text(&text), "number = [\"x\"]; text = [\"label\"];", CLASSES,
            "target 'label' of row 102 is '?', none of 'classes'");
    bl_buf_free(&text);
}

/* Each class gives its share of the held-out rows, and one row of a rare one stays. */
static void test_stratify(void **state) {
    (void)state;
    static const int rows[4] = {60, 31, 8, 1};
    static const char *const label[4] = {"a", "b", "c", "d"};
    bl_buf text = {0};
    bl_buf_str(&text, "x,label\n");
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < rows[k]; i++) bl_buf_printf(&text, "%d,%s\n", i, label[k]);
#define STRATA(seed)                                                                               \
    "split = { seed = " #seed "; stratify = true; share = 0.2; }; target = \"label\"; "            \
    "transform = \"none\"; continuous = [\"x\"]; classes = [\"a\", \"b\", \"c\", \"d\"];"
    const char *keys = "number = [\"x\"]; text = [\"label\"];";
    bl_dataset d[2] = {opened(&text, keys, STRATA(1)), opened(&text, keys, STRATA(2))};
    for (int s = 0; s < 2; s++) {
        size_t held[4] = {0}, moves = 0;
        assert_int_equal(d[s].valid_rows, 20);
        for (size_t i = d[s].train_rows; i < d[s].rows; i++) held[(size_t)d[s].target[i]]++;
        for (size_t i = 1; i < d[s].train_rows; i++) moves += d[s].target[i] != d[s].target[i - 1];
        assert_int_equal(held[0], 12);
        assert_int_equal(held[1], 6);
        assert_int_equal(held[2], 2);
        assert_int_equal(held[3], 0);
        assert_true(moves > 20); /* classes are mixed */
    }
    assert_memory_not_equal(d[0].values, d[1].values, 100 * sizeof(float));
    bl_dataset_free(&d[0]);
    bl_dataset_free(&d[1]);
    refused(bl_buf_text(&text), keys,
            "split = { seed = 1; stratify = true; share = 0.2; }; target = \"x\"; transform = "
            "\"none\"; categorical = [\"label\"];",
            "'stratify' goes with 'classes' and 'seed'");
    bl_buf_free(&text);
}

/* Standardised by the training rows alone, also where sums would cancel. */
static void test_scale(void **state) {
    (void)state;
    bl_buf text = {0};
    bl_buf_str(&text, "x,y\n");
    for (int i = 0; i < 40; i++) bl_buf_printf(&text, "%d,%d\n", i, 1700000000 + i % 4);
    bl_buf_str(&text, "1,1800000000\n2,1800000000\n");
    bl_dataset d = opened(&text, NUMBERS, REST("valid = 2;") "scale = \"standard\";");
    assert_true(d.target_mean == 1700000001.5);
    check_close(d.target_deviation, sqrt(1.25), 1e-12);
    for (size_t i = 0; i < 40; i++)
        check_close((double)d.target[i], ((double)(i % 4) - 1.5) / sqrt(1.25), 1e-6);
    assert_true(d.target_min == 1700000000 && d.target_max == 1700000003);
    bl_dataset_free(&d);
    bl_buf_free(&text);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *keys, *rest, *message;
    } cases[] = {
        {NUMBERS,                          REST("seed = 1; by = \"x\"; valid = 3;"),                             "is no date column"           },
        {NUMBERS "date = [\"d\"];",        REST("seed = 1; by = \"d\"; valid = 3;"),
         "does not go with 'by'"                                                                                                               },
        {NUMBERS,                          REST("group = \"x\"; valid = 3;"),                                    "'group' needs it"            },
        {NUMBERS,                          REST("seed = 1; group = \"z\"; valid = 3;"),                          "no column 'z'"               },
        {NUMBERS,                          REST("seed = -1; valid = 3;"),                                        "'seed' is 1 or more"         },
        {NUMBERS "decimal = \";\";",       REST("valid = 3;"),
         "'decimal' is one of these characters: .,"                                                                                            },
        {NUMBERS "thousands = \".\";",     REST("valid = 3;"),                                                   "the decimal mark, too"       },
        {NUMBERS "dates = \"dym\";",       REST("valid = 3;"),                                                   "'dates' is"                  },
        {NUMBERS "encoding = \"ebcdic\";", REST("valid = 3;"),                                                   "'encoding' is"               },
        {NUMBERS "trim = 1;",              REST("valid = 3;"),                                                   "'trim' must be true or false"},
        {NUMBERS,                          REST("valid = 3;") "scale = \"log\";",                                "'scale' must be"             },
        {NUMBERS,                          REST("valid = 3;") "classes = [\"a\", \"b\"];",                       "must hold texts"             },
        {NUMBERS,                          REST("valid = 3;") "classes = [\"a\"];",                              "two labels or more"          },
        {NUMBERS,                          REST("valid = 3;") "classes = [\"a\", \"b\"]; scale = \"standard\";",
         "no 'scale'"                                                                                                                          },
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++)
        refused("x,y\n1,2\n", cases[i].keys, cases[i].rest, cases[i].message);
}

/* ---- fields ---- */

#define MINUS "\xE2\x88\x92" /* U+2212 */

static void test_numbers(void **state) {
    (void)state;
    const char *const units[] = {"kg", "$", "%", "\xE2\x82\xAC"};
    const struct {
        const char *text;
        char decimal, thousands;
        double value; /* NAN: no number */
    } cases[] = {
        {"1,5",               ',', 0,    1.5        },
        {"-1,5e3",            ',', 0,    -1500      },
        {"1.5",               ',', 0,    1.5        },
        {"1.234,5",           ',', '.',  1234.5     },
        {"1.234",             ',', '.',  1234       },
        {"1.23",              ',', '.',  (double)NAN},
        {"1,234,567.25",      '.', ',',  1234567.25 },
        {"1,23",              '.', ',',  (double)NAN},
        {"1.234e3",           ',', '.',  1234000    },
        {"1.2e3",             ',', '.',  (double)NAN},
        {"1,2e3",             '.', ',',  (double)NAN},
        {"1,23.5",            '.', ',',  (double)NAN},
        {"1234,567",          '.', ',',  (double)NAN},
        {"12,34,567",         '.', ',',  1234567    }, /* as in India */
        {"1,23,45,678.5",     '.', ',',  12345678.5 },
        {"123,45,678",        '.', ',',  (double)NAN},
        {"12,345,67",         '.', ',',  (double)NAN},
        {"12,34,5678",        '.', ',',  (double)NAN},
        {"1,234,56,789",      '.', ',',  (double)NAN},
        {"1,23,456,789",      '.', ',',  (double)NAN},
        {"12'345",            '.', '\'', 12345      },
        {"12 345,5",          ',', ' ',  12345.5    },
        {"12\xC2\xA0"
         "345",      ',', ' ',  12345      },
        {"$1,200",            '.', ',',  1200       },
        {"-$5",               '.', ',',  -5         },
        {"$-5",               '.', ',',  -5         },
        {"12 kg",             '.', 0,    12         },
        {"12kg",              '.', 0,    12         },
        {"12 lb",             '.', 0,    (double)NAN},
        {"15%",               '.', 0,    15         },
        {"3,50 \xE2\x82\xAC", ',', 0,    3.5        },
        {"",                  '.', 0,    (double)NAN},
        {"kg",                '.', 0,    (double)NAN},
        {"1 2 kg",            '.', 0,    (double)NAN},
        {"0x20",              '.', 0,    (double)NAN},
        {MINUS "5",           '.', 0,    -5         },
        {MINUS " 5 kg",       '.', 0,    -5         },
        {"(5)",               '.', 0,    -5         },
        {MINUS MINUS "5",     '.', 0,    (double)NAN},
        {"(" MINUS "5)",      '.', 0,    (double)NAN},
        {MINUS "-5",          '.', 0,    (double)NAN},
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        const bl_field_format f = {.decimal = cases[i].decimal,
                                   .thousands = cases[i].thousands,
                                   .unit = units,
                                   .units = BL_COUNT(units)};
        double x = 0;
        const bool is =
            bl_field_number(&f, (bl_csv_field){cases[i].text, strlen(cases[i].text)}, &x);
        if (is == isnan(cases[i].value) || (is && x != cases[i].value))
            fail_msg("'%s' is %g", cases[i].text, is ? x : (double)NAN);
    }
}

/* A field may be as long as the file: reading it takes no stack that grows with it. */
static void test_many_signs(void **state) {
    (void)state;
    enum { SIGNS = 3000000 };
    bl_buf text = {0};
    double x;
    for (int i = 0; i < SIGNS; i++) bl_buf_str(&text, MINUS);
    bl_buf_str(&text, "5");
    assert_false(
        bl_field_number(&bl_field_plain, (bl_csv_field){bl_buf_text(&text), text.len}, &x));
    bl_buf_free(&text);
}

static void test_dates(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bl_date_order order;
        int y, m, d;
        double seconds; /* below 0: no date */
    } cases[] = {
        {"2020-03-01",                  BL_DATE_YMD, 2020, 3, 1, 0      },
        {"2020/3/1",                    BL_DATE_MDY, 2020, 3, 1, 0      },
        {"20200301",                    BL_DATE_YMD, 2020, 3, 1, 0      },
        {"2020-03",                     BL_DATE_YMD, 2020, 3, 1, 0      },
        {"1.3.2020",                    BL_DATE_DMY, 2020, 3, 1, 0      },
        {"3/1/20",                      BL_DATE_MDY, 2020, 3, 1, 0      },
        {"3/1/75",                      BL_DATE_MDY, 1975, 3, 1, 0      },
        {"13/1/20",                     BL_DATE_MDY, 0,    0, 0, -1     },
        {"3/1/20",                      BL_DATE_YMD, 0,    0, 0, -1     },
        {"1 Mar 2020",                  BL_DATE_YMD, 2020, 3, 1, 0      },
        {"01-MAR-20",                   BL_DATE_YMD, 2020, 3, 1, 0      },
        {"March 1, 2020",               BL_DATE_YMD, 2020, 3, 1, 0      },
        {"2020-Mar-01",                 BL_DATE_YMD, 2020, 3, 1, 0      },
        {"2020-03-01 14:05",            BL_DATE_YMD, 2020, 3, 1, 50700  },
        {"2020-03-01T14:05:09Z",        BL_DATE_YMD, 2020, 3, 1, 50709  },
        {"2020-03-01T14:05:09.5+01:00", BL_DATE_YMD, 2020, 3, 1, 50709.5},
        {"3/1/2020 2:05 PM",            BL_DATE_MDY, 2020, 3, 1, 50700  },
        {"3/1/2020 12:05 AM",           BL_DATE_MDY, 2020, 3, 1, 300    },
        {"20200301T000000",             BL_DATE_YMD, 2020, 3, 1, 0      },
        {"2020-02-30",                  BL_DATE_YMD, 0,    0, 0, -1     },
        {"2020-03-01 25:00",            BL_DATE_YMD, 0,    0, 0, -1     },
        {"2020-03-01 x",                BL_DATE_YMD, 0,    0, 0, -1     },
        {"1 Maya 2020",                 BL_DATE_YMD, 0,    0, 0, -1     },
        {"12.5.1.1",                    BL_DATE_DMY, 0,    0, 0, -1     },
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        double days = 0;
        const bool is =
            bl_parse_date_time(cases[i].text, strlen(cases[i].text), cases[i].order, &days);
        const double want =
            bl_days_from_civil(cases[i].y, cases[i].m, cases[i].d) + cases[i].seconds / 86400;
        if (is != (cases[i].seconds >= 0) || (is && fabs(days - want) > 1e-9))
            fail_msg("'%s' is %s %.9g, not %.9g", cases[i].text, is ? "day" : "no date", days,
                     want);
    }
}

static void test_times(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double seconds; /* below 0: no time */
    } cases[] = {
        {"14:05",      50700  },
        {"9:05",       32700  },
        {"14:05:09.5", 50709.5},
        {"2:05 PM",    50700  },
        {"12:05 am",   300    },
        {"02:05pm",    50700  },
        {"14:05Z",     50700  },
        {"36:15",      130500 }, /* a duration */
        {"120:00:30",  432030 },
        {"13:05 PM",   -1     },
        {"14:60",      -1     },
        {"14:05:60",   -1     },
        {"14",         -1     },
        {"1405",       -1     },
        {"14:5",       -1     },
        {"1000:00",    -1     },
        {"14:05 x",    -1     },
        {":05",        -1     },
        {"3:2:1",      -1     },
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        double days = 0;
        const bool is = bl_parse_time(cases[i].text, strlen(cases[i].text), &days);
        if (is != (cases[i].seconds >= 0) || (is && fabs(days - cases[i].seconds / 86400) > 1e-12))
            fail_msg("'%s' is %s %.9g", cases[i].text, is ? "time" : "none", days * 86400);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),    cmocka_unit_test(test_random),
        cmocka_unit_test(test_groups),   cmocka_unit_test(test_classes),
        cmocka_unit_test(test_stratify), cmocka_unit_test(test_scale),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_dates),    cmocka_unit_test(test_many_signs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
