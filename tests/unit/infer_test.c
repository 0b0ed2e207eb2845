/* Looking at a user's table: kinds, how fields are written, missing values, dates, the split, the
 * target; and that what is written can be opened and gives the same. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/sha256.h"
#include "engine/data/codes.h"
#include "engine/data/dataset_open.h"
#include "engine/data/draft.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <stdlib.h>
#include <unistd.h>

/* A digest that no test looks at. */
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static bl_status infer(bl_inferred *in, const char *text, size_t n, const bl_infer_wish *wish,
                       bl_err *err) {
    const bl_infer_source source = {.path = "t.csv", .text = text, .n = n};
    return bl_infer(in, &source, 1, wish, err);
}

/* 400 rows; prices grow exponentially, `gain` is symmetric. */
static void write_table(bl_buf *out, char separator) {
    static const char *const towns[] = {"Ulm", "\"Bonn, old\"", "NA"};
    static const char header[] = "row,day,shop,visitors,town,note,flag,price,gain,weight\n";
    bl_buf_str(out, header);
    for (int i = 0; i < 400; i++) {
        bl_buf_printf(out, "%d,2015-%02d-%02d,%d,%d,%s,note %d,7,", i + 1000, 1 + i / 28 % 12,
                      1 + i % 28, 1 + i % 25, (i * 37) % 300, towns[i % 3], i);
        bl_buf_printf(out, "%g,%d,%g\n", (double)(1 << (i % 12)) + 0.5, i % 41 - 20, 0.25 * i);
    }
    for (size_t i = 0; i < out->len; i++)
        if (out->data[i] == ',' && (i == 0 || strncmp(out->data + i, ", old", 5) != 0))
            out->data[i] = separator;
}

static const bl_inferred_column *column(const bl_inferred *in, const char *name) {
    for (size_t i = 0; i < in->columns; i++)
        if (strcmp(in->column[i].name, name) == 0) return &in->column[i];
    fail_msg("no column %s", name);
    return NULL;
}

static void test_kinds(void **state) {
    (void)state;
    static const char separators[] = ",;\t|";
    for (const char *s = separators; *s; s++) {
        bl_buf text = {0};
        bl_inferred in;
        write_table(&text, *s);
        CHECK_OK(
            infer(&in, bl_buf_text(&text), text.len, &(bl_infer_wish){.target = "price"}, ERR));
        assert_int_equal(in.separator, *s);
        assert_int_equal(in.rows, 400);
        assert_true(in.share == 0.2);
        assert_string_equal(in.by, "day");
        assert_int_equal(column(&in, "row")->kind, BL_KIND_IGNORED);
        assert_int_equal(column(&in, "day")->kind, BL_KIND_DATE);
        assert_int_equal(column(&in, "shop")->kind, BL_KIND_CATEGORICAL);
        assert_int_equal(column(&in, "visitors")->kind, BL_KIND_CONTINUOUS);
        assert_int_equal(column(&in, "town")->kind, BL_KIND_CATEGORICAL);
        assert_int_equal(column(&in, "town")->distinct, 2);
        assert_int_equal(column(&in, "note")->kind, BL_KIND_IGNORED);
        assert_int_equal(column(&in, "flag")->kind, BL_KIND_IGNORED);
        assert_int_equal(column(&in, "price")->kind, BL_KIND_TARGET);
        assert_int_equal(column(&in, "weight")->kind, BL_KIND_CONTINUOUS);
        assert_int_equal(in.labels, 0);
        bl_inferred_free(&in);
        CHECK_OK(infer(&in, bl_buf_text(&text), text.len, &(bl_infer_wish){.target = "town"}, ERR));
        assert_int_equal(in.labels, 2);
        assert_string_equal(in.label[0], "Bonn, old");
        bl_inferred_free(&in);
        bl_buf_free(&text);
    }
}

static void check_refused(const char *text, const bl_infer_wish *wish, const char *message) {
    bl_inferred in;
    bl_err err = {0};
    assert_int_not_equal(infer(&in, text, strlen(text), wish, &err), BL_OK);
    if (!strstr(err.text, message)) fail_msg("no '%s' in: %s", message, err.text);
}
#define REFUSED(text, message, ...) check_refused(text, &(bl_infer_wish){__VA_ARGS__}, message)

/* The date that the user named is none, and why; the line is that of the first misfit by the order
 * that most values have. 20200301 is a date where the user says so. */
static void test_dates_that_are_none(void **state) {
    (void)state;
    bl_buf text = {0};
    bl_inferred in;
    bl_buf_str(&text, "at,one,stamp,some,none,x,y\n");
    for (int i = 0; i < 60; i++)
        bl_buf_printf(&text, "%s%d.03.2020,13.03.2020,202003%02d,%s,,%d.5,%d\n",
                      i > 40 ? "late " : "", 13 + i % 15, 1 + i % 28, i % 9 ? "14.3.2020" : "?",
                      i % 7, i % 11);
    const char *t = bl_buf_text(&text);
    REFUSED(t, "t.csv:43: error: column 'at' holds more than dates: 'late 24.03.2020'",
            .target = "y", .date = "at");
    REFUSED(t, "t.csv: rows cannot be split by 'one', which is left out: it has one value",
            .target = "y", .date = "one");
    REFUSED(t, "t.csv: rows cannot be split by 'stamp', which is left out: as you said",
            .target = "y", .date = "stamp", .ignore = "stamp");
    REFUSED(t, "t.csv: rows cannot be split by 'none', which is left out: it is empty",
            .target = "y", .date = "none");
    REFUSED(t, "t.csv: rows cannot be split by 'some', which is left out: as you said",
            .target = "y", .date = "some", .ignore = "some");
    CHECK_OK(infer(&in, t, text.len, &(bl_infer_wish){.target = "y"}, ERR));
    assert_int_equal(column(&in, "stamp")->kind, BL_KIND_CONTINUOUS);
    bl_inferred_free(&in);
    CHECK_OK(infer(&in, t, text.len, &(bl_infer_wish){.target = "y", .date = "stamp"}, ERR));
    assert_int_equal(column(&in, "stamp")->kind, BL_KIND_DATE);
    assert_string_equal(in.by, "stamp");
    bl_inferred_free(&in);
    bl_buf_free(&text);
}

/* What the user calls missing is declared whole, however long it is. */
static void test_long_missing(void **state) {
    (void)state;
    bl_buf text = {0}, manifest = {0};
    bl_inferred in;
    bl_buf_str(&text, "x,y\n");
    for (int i = 0; i < 60; i++)
        bl_buf_printf(&text,
                      i % 9 == 4 ? "\"not known will be asked for again\",%d\n" : "%d.5,%d\n", i,
                      i * 31 % 97);
    CHECK_OK(infer(&in, bl_buf_text(&text), text.len,
                   &(bl_infer_wish){.target = "y", .missing = "not known will be asked for again"},
                   ERR));
    bl_inferred_manifest(&in, ".", &(const char *){"t.csv"}, &(const char[65]){ZEROS}, 1,
                         &manifest);
    assert_non_null(
        strstr(bl_buf_text(&manifest), "missing = [\"not known will be asked for again\"];"));
    bl_inferred_free(&in);
    bl_buf_free(&manifest);
    bl_buf_free(&text);
}

/* Files of two encodings are no table; nor is one that is cut within a character. */
static void test_two_encodings(void **state) {
    (void)state;
    static const char wide[] = "\xFF\xFEx\0,\0y\0\n\0001\0,\0002\0\n", latin1[] = "x,y\n\xE4,3\n";
    const bl_infer_source source[] = {
        {.path = "a.csv", .text = wide,   .n = sizeof wide      },
        {.path = "b.csv", .text = latin1, .n = sizeof latin1 - 1}
    };
    bl_inferred in;
    bl_err err = {0};
    assert_int_equal(bl_infer(&in, source, 2, &(bl_infer_wish){.target = "y"}, &err), BL_EFORMAT);
    assert_string_equal(err.text,
                        "b.csv: its text is latin1, that of the first file utf16; convert "
                        "one of them");
    const bl_infer_source cut = {.path = "c.csv", .text = wide, .n = sizeof wide - 1};
    assert_int_equal(bl_infer(&in, &cut, 1, &(bl_infer_wish){.target = "y"}, &err), BL_EFORMAT);
    assert_non_null(strstr(err.text, "c.csv: it is cut short"));
}

/* Three files of a table: one of ASCII alone goes with UTF-8 and with Latin-1. */
static void test_files_of_ascii(void **state) {
    (void)state;
    static const char ascii[] = "Ulm", utf8[] = "K\xC3\xB6ln", latin1[] = "K\xF6ln";
    static const struct {
        const char *text[3];
        const char *encoding, *refusal;
    } cases[] = {
        {{ascii, ascii, ascii},   NULL,     NULL                                                     },
        {{ascii, utf8, ascii},    NULL,     NULL                                                     },
        {{ascii, ascii, latin1},  "latin1", NULL                                                     },
        {{latin1, ascii, latin1}, "latin1", NULL                                                     },
        {{utf8, ascii, latin1},   NULL,     "2.csv: its text is latin1, that of the first file UTF-8"},
        {{ascii, latin1, utf8},   NULL,     "2.csv: its text is UTF-8, that of the first file latin1"},
    };
    for (size_t k = 0; k < BL_COUNT(cases); k++) {
        static const char *const name[] = {"0.csv", "1.csv", "2.csv"};
        bl_buf text[3] = {0};
        bl_infer_source source[3];
        bl_inferred in;
        bl_err err = {0};
        for (size_t f = 0; f < 3; f++) {
            bl_buf_str(&text[f], "x,town,y\n");
            for (int i = 0; i < 30; i++)
                bl_buf_printf(&text[f], "%d.5,%s,%d\n", i % 7, i % 3 ? "Bonn" : cases[k].text[f],
                              i % 11);
            source[f] = (bl_infer_source){.path = name[f], .text = text[f].data, .n = text[f].len};
        }
        const bl_status status = bl_infer(&in, source, 3, &(bl_infer_wish){.target = "y"}, &err);
        if (cases[k].refusal != NULL) {
            assert_int_equal(status, BL_EFORMAT);
            if (strstr(err.text, cases[k].refusal) == NULL) fail_msg("case %zu: %s", k, err.text);
        } else {
            if (status != BL_OK) fail_msg("case %zu: %s", k, err.text);
            assert_true((in.encoding == NULL) == (cases[k].encoding == NULL));
            assert_int_equal(in.rows, 90);
            bl_inferred_free(&in);
        }
        for (size_t f = 0; f < 3; f++) bl_buf_free(&text[f]);
    }
}

static void test_refusals(void **state) {
    (void)state;
    bl_buf text = {0};
    write_table(&text, ',');
    const char *t = bl_buf_text(&text);
    REFUSED(t, "t.csv:1: error: no column 'prize'; the columns are row, day", .target = "prize");
    REFUSED(t, "neither a number nor a class", .target = "note");
    REFUSED(t, "holds dates", .target = "day");
    REFUSED(t, "the same value in every row", .target = "flag");
    REFUSED(t, "t.csv:2: error: column 'shop' holds more than dates: '1'", .target = "price",
            .date = "shop");
    REFUSED(t, "no column 'client'", .target = "price", .group = "client");
    REFUSED("", "the file is empty", .target = "y");
    REFUSED("y,y\n1,2\n", "two columns 'y'", .target = "y");
    REFUSED("y,\n1,2\n", "no column ''", .target = "");
    REFUSED("x,y\n", "0 rows have a target", .target = "y");
    REFUSED("y,x\n1,2\n2\n", "t.csv:3: error: 1 field, the header has 2. It looks like a footer",
            .target = "y");
    REFUSED("A title\ny,x\n1,2\n", "The lines above it look like a title", .target = "y");
    REFUSED("y,x\n1,2\n2,3,4\n3,4\n", "t.csv:3: error: 3 fields, the header has 2. A text with a",
            .target = "y");
    REFUSED("y,x\n1,2\n2,3\n", "at least 20 are needed", .target = "y");
    REFUSED("y;x\n1;2\n2;3\n", "there is one column, 'y;x'", .target = "y", .separator = '|');
    REFUSED("1.5,-2,w\n2.5,3,w\n3,4,v\n", "the first row looks like values", .target = "-2");
    bl_buf_clear(&text);
    bl_buf_str(&text, "id,y\n");
    for (int i = 0; i < 30; i++) bl_buf_printf(&text, "%d,%d.5\n", i, i * 7 % 11);
    REFUSED(bl_buf_text(&text),
            "no column is left to learn from; 'id' is ignored: it numbers the rows", .target = "y");
    bl_buf_free(&text);
}

/* Row numbers without a name, as pandas writes them, are left out; so is a second such column. */
static void test_columns_without_name(void **state) {
    (void)state;
    bl_buf text = {0}, manifest = {0};
    bl_inferred in;
    bl_buf_str(&text, ",x,,y\n");
    for (int i = 0; i < 60; i++) bl_buf_printf(&text, "%d,%d.5,%d,%d\n", i, i % 7, i % 2, i % 11);
    CHECK_OK(infer(&in, bl_buf_text(&text), text.len, &(bl_infer_wish){.target = "y"}, ERR));
    assert_int_equal(in.column[0].kind, BL_KIND_IGNORED);
    assert_int_equal(in.column[1].kind, BL_KIND_CONTINUOUS);
    assert_string_equal(in.column[2].why, "it has no name");
    const char *file = "t.csv";
    const char sha256[1][65] = {ZEROS};
    bl_inferred_manifest(&in, ".", &file, sha256, 1, &manifest);
    assert_non_null(strstr(bl_buf_text(&manifest), "ignored = [];"));
    bl_inferred_free(&in);
    bl_buf_free(&manifest);
    bl_buf_free(&text);
}

/* ---- one column, one kind of value ---- */

/* In a pattern, # is a running number below 10 and & one that is different in each row. */
static void fill(bl_buf *out, const char *pattern, int i) {
    for (const char *p = pattern; *p; p++) {
        if (*p == '#')
            bl_buf_printf(out, "%d", 1 + i * 7 % 9);
        else if (*p == '&')
            bl_buf_printf(out, "%d", 1000 + i * 7919 % 9000);
        else
            bl_buf_add(out, p, 1);
    }
}

/* 200 rows of a column of this pattern, with `odd` every `each` rows, of numbers, and the target.
 */
static void one_column(bl_buf *out, const char *name, char separator, const char *pattern,
                       const char *odd, int each) {
    bl_buf_clear(out);
    bl_buf_printf(out, "%s%cz%cy\n", name, separator, separator);
    for (int i = 0; i < 200; i++) {
        fill(out, odd != NULL && i % each == 3 ? odd : pattern, i);
        bl_buf_printf(out, "%c%d%c%d\n", separator, i * 53 % 89, separator, i * 31 % 97);
    }
}

typedef struct kind_case {
    const char *name, *pattern, *odd;
    char separator;
    bl_inferred_kind kind;
    const char *declared; /* in the declaration, or NULL */
} kind_case;

/* What a column is taken for, and what the declaration says of it. */
static const kind_case k_kinds[] = {
    {"x",     "#.&",                  "?",       ',',  BL_KIND_CONTINUOUS,  "missing = [\"?\"];"      },
    {"x",     "#.&",                  "null",    ',',  BL_KIND_CONTINUOUS,  "missing = [\"null\"];"   },
    {"x",     "#.&",                  "NaN",     ',',  BL_KIND_CONTINUOUS,  "missing = [\"NaN\"];"    },
    {"x",     "#.&",                  "-",       ',',  BL_KIND_CONTINUOUS,  "missing = [\"-\"];"      },
    {"x",     "#.&",                  "#N/A",    ';',  BL_KIND_CONTINUOUS,  NULL                      },
    {"x",     "#.&",                  "",        ',',  BL_KIND_CONTINUOUS,  NULL                      },
    {"x",     "#.&",                  "NA",      ',',  BL_KIND_CONTINUOUS,  NULL                      },
    {"x",     "#.&",                  "about 5", ',',  BL_KIND_CONTINUOUS,  "missing = [\"about 5\"];"},
    {"grade", "#",                    "K",       ',',  BL_KIND_CATEGORICAL, NULL                      },
    {"x",     " #.& ",                NULL,      ',',  BL_KIND_CONTINUOUS,  "trim = true;"            },
    {"x",     "#,&",                  NULL,      ';',  BL_KIND_CONTINUOUS,  "decimal = \",\";"        },
    {"x",     "#,&",                  NULL,      '\t', BL_KIND_CONTINUOUS,  "decimal = \",\";"        },
    {"x",     "\"#,#5\"",             NULL,      ',',  BL_KIND_CONTINUOUS,  "decimal = \",\";"        },
    {"x",     "\"12,#00.&\"",         NULL,      ',',  BL_KIND_CONTINUOUS,  "thousands = \",\";"      },
    {"x",     "\"1,2#5,#00.&\"",      NULL,      ',',  BL_KIND_CONTINUOUS,  "thousands = \",\";"      },
    {"x",     "12.#00,&",             NULL,      ';',  BL_KIND_CONTINUOUS,  "thousands = \".\";"      },
    {"x",     "12 #00,&",             NULL,      ';',  BL_KIND_CONTINUOUS,  "thousands = \" \";"      },
    {"x",     "12'#00.&",             NULL,      ',',  BL_KIND_CONTINUOUS,  "thousands = \"'\";"      },
    {"x",     "$#.&",                 NULL,      ',',  BL_KIND_CONTINUOUS,  "units = [\"$\"];"        },
    {"x",     "#.& kg",               "#.&",     ',',  BL_KIND_CONTINUOUS,  "units = [\"kg\"];"       },
    {"x",     "#.&%",                 NULL,      ',',  BL_KIND_CONTINUOUS,  "units = [\"%\"];"        },
    {"x",     "\xE2\x82\xAC #.&",     "?",       ',',  BL_KIND_CONTINUOUS,  "missing = [\"?\"];"      },
    {"code",  "P&",                   NULL,      ',',  BL_KIND_IGNORED,     NULL                      },
    {"size",  "#5L",                  "#5M",     ',',  BL_KIND_CATEGORICAL, NULL                      },
    {"when",  "2020-0#-1#",           NULL,      ',',  BL_KIND_DATE,        "date = [\"when\"];"      },
    {"when",  "2020-0#-1# 1#:0#",     NULL,      ',',  BL_KIND_DATE,        "dates = \"ymd\";"        },
    {"when",  "2020-0#-1#T1#:30:00Z", NULL,      ',',  BL_KIND_DATE,        "part = \"hour\";"        },
    {"when",  "2020/0#/1#",           NULL,      ',',  BL_KIND_DATE,        "dates = \"ymd\";"        },
    {"date",  "20200#1#",             NULL,      ',',  BL_KIND_DATE,        "dates = \"ymd\";"        },
    {"when",  "1#.#.2020",            NULL,      ',',  BL_KIND_DATE,        "dates = \"dmy\";"        },
    {"when",  "#/1#/2020",            "?",       ',',  BL_KIND_DATE,        "dates = \"mdy\";"        },
    {"when",  "1#/#/20 1#:05",        NULL,      ',',  BL_KIND_DATE,        "dates = \"dmy\";"        },
    {"when",  "1# Mar 201#",          NULL,      ',',  BL_KIND_DATE,        "dates = \"ymd\";"        },
    {"when",  "\"Mar 1#, 201#\"",     NULL,      ',',  BL_KIND_DATE,        "dates = \"ymd\";"        },
    {"at",    "1#:0#",                NULL,      ',',  BL_KIND_DATE,        "time = [\"at\"];"        },
    {"at",    "0#:3#:00 PM",          "?",       ',',  BL_KIND_DATE,        "part = \"hour\";"        },
    {"took",  "1#0:0#",               NULL,      ',',  BL_KIND_DATE,        "continuous = [\"took\""  },
    {"x",     "\"#,2#,#00.&\"",       NULL,      ',',  BL_KIND_CONTINUOUS,  "thousands = \",\";"      },
    {"year",  "201#",                 NULL,      ',',  BL_KIND_CONTINUOUS,  NULL                      },
    {"shop",  "#",                    NULL,      ',',  BL_KIND_CATEGORICAL, NULL                      },
    {"x",     "#",                    "",        ',',  BL_KIND_CATEGORICAL, NULL                      },
};

static void test_values(void **state) {
    (void)state;
    bl_buf text = {0}, manifest = {0};
    for (size_t k = 0; k < BL_COUNT(k_kinds); k++) {
        const kind_case *c = &k_kinds[k];
        bl_inferred in;
        one_column(&text, c->name, c->separator, c->pattern, c->odd, 20);
        bl_err err = {0};
        if (infer(&in, bl_buf_text(&text), text.len,
                  &(bl_infer_wish){.target = "y", .separator = c->separator}, &err) != BL_OK)
            fail_msg("'%s': %s", c->pattern, err.text);
        const char *file = "t.csv";
        const char sha256[1][65] = {ZEROS};
        bl_buf_clear(&manifest);
        bl_inferred_manifest(&in, ".", &file, sha256, 1, &manifest);
        if (in.column[0].kind != c->kind || in.column[2].kind != BL_KIND_TARGET)
            fail_msg("'%s' is of kind %d, not %d (%s)", c->pattern, in.column[0].kind, c->kind,
                     in.column[0].why);
        if (c->declared != NULL && strstr(bl_buf_text(&manifest), c->declared) == NULL)
            fail_msg("'%s': no %s in\n%s", c->pattern, c->declared, bl_buf_text(&manifest));
        const bl_infer_source source = {.path = "t.csv", .text = text.data, .n = text.len};
        bl_draft d;
        CHECK_OK(bl_draft_open(&d, &manifest, "t", &source, 1, 0, ERR));
        assert_int_equal(d.table.rows, 200);
        if (strcmp(c->name, "at") == 0) /* a share of the day */
            assert_true(bl_table_find(&d.table, "at")->number[0] > 0.4);
        bl_draft_free(&d);
        bl_inferred_free(&in);
    }
    bl_buf_free(&text);
    bl_buf_free(&manifest);
}

/* Whole numbers, all different: names of rows only if they are consecutive, rise, or say so. */
static void test_row_numbers(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int a, b, m;
        bl_inferred_kind kind;
    } cases[] = {
        {"mileage",     7919, 5000, 100003, BL_KIND_CONTINUOUS},
        {"mileage",     77,   5000, 200,    BL_KIND_IGNORED   }, /* 5000 to 5199 in some order */
        {"mileage",     13,   7,    99999,  BL_KIND_IGNORED   }, /* rises */
        {"id",          7919, 5000, 100003, BL_KIND_IGNORED   },
        {"Customer ID", 7919, 5000, 100003, BL_KIND_IGNORED   },
        {"width",       7919, 5000, 100003, BL_KIND_CONTINUOUS},
        {"time",        1,    1,    99999,  BL_KIND_CONTINUOUS}, /* a series */
        {"year",        1,    1875, 99999,  BL_KIND_CONTINUOUS},
    };
    bl_buf text = {0};
    for (size_t k = 0; k < BL_COUNT(cases); k++) {
        bl_inferred in;
        bl_buf_clear(&text);
        bl_buf_printf(&text, "%s,a,y\n", cases[k].name);
        for (int i = 0; i < 200; i++)
            bl_buf_printf(&text, "%d,%d.5,%d.25\n", cases[k].b + i * cases[k].a % cases[k].m,
                          i % 50, i % 31);
        CHECK_OK(infer(&in, bl_buf_text(&text), text.len, &(bl_infer_wish){.target = "y"}, ERR));
        if (in.column[0].kind != cases[k].kind) fail_msg("case %zu: %s", k, in.column[0].why);
        bl_inferred_free(&in);
    }
    bl_buf_free(&text);
}

/* ---- targets ---- */

static void test_targets(void **state) {
    (void)state;
    static const struct {
        const char *name, *pattern, *odd;
        bool classes;
        size_t labels; /* 0: a number */
        const char *missing;
    } cases[] = {
        {"y",     "#.&",  "nan", false, 0, NULL},
        {"y",     "#.&",  "n.r", false, 0, NULL}, /* few other texts */
        {"y",     "yes",  "no",  false, 2, NULL},
        {"y",     "1",    "0",   false, 2, NULL},
        {"y",     "#",    "5",   false, 0, NULL},
        {"y",     "#",    "5",   true,  9, NULL},
        {"class", "#",    "5",   false, 9, NULL},
        {"y",     "no#",  "?",   false, 9, NULL},
        {"y",     "no#",  "x",   false, 9, "x" },
        {"y",     "none", "a",   false, 2, NULL},
    };
    bl_buf text = {0};
    for (size_t k = 0; k < BL_COUNT(cases); k++) {
        bl_inferred in;
        bl_buf_clear(&text);
        bl_buf_printf(&text, "a,%s\n", cases[k].name);
        for (int i = 0; i < 200; i++) {
            bl_buf_printf(&text, "%d.5,", i * 31 % 97);
            fill(&text, i % 20 == 3 ? cases[k].odd : cases[k].pattern, i);
            bl_buf_str(&text, "\n");
        }
        CHECK_OK(infer(&in, bl_buf_text(&text), text.len,
                       &(bl_infer_wish){.target = cases[k].name,
                                        .missing = cases[k].missing,
                                        .classes = cases[k].classes},
                       ERR));
        if (in.labels != cases[k].labels)
            fail_msg("case %zu: %zu labels, not %zu", k, in.labels, cases[k].labels);
        bl_inferred_free(&in);
    }
    bl_buf_free(&text);
}

/* ---- all of it ---- */

static void open_written(bl_dataset *d, const char *root, const bl_inferred *in,
                         const bl_buf *text) {
    char path[BL_PATH], sha256[1][65];
    bl_buf manifest = {0};
    const char *file = "table.csv";
    const bl_dataset_options options = {.manifest_dir = root};
    CHECK_OK(bl_path(path, ERR, "%s/table.csv", root));
    CHECK_OK(bl_file_write(path, text->data, text->len, ERR));
    bl_sha256_of(text->data, text->len, sha256[0]);
    bl_inferred_manifest(in, root, &file, (const char(*)[65])sha256, 1, &manifest);
    CHECK_OK(bl_path(path, ERR, "%s/table.cfg", root));
    CHECK_OK(bl_file_write(path, manifest.data, manifest.len, ERR));
    CHECK_OK(bl_dataset_open(d, "table", &options, ERR));
    bl_buf_free(&manifest);
}

/* The written declaration opens and gives what was inferred. */
static void test_round_trip(void **state) {
    (void)state;
    bl_buf text = {0};
    bl_inferred in;
    bl_dataset d;
    write_table(&text, '\t');
    bl_buf_str(&text, "9999\t2016-01-01\t3\t4\tUlm\tlast\t7\t\t3\t1\n"); /* without a target */
    CHECK_OK(infer(&in, text.data, text.len, &(bl_infer_wish){.target = "price"}, ERR));
    open_written(&d, scratch_folder("infer"), &in, &text);
    assert_int_equal(d.rows, 400);
    assert_int_equal(d.valid_rows, 80);
    assert_true(d.target_deviation > 0);
    assert_int_equal(d.categorical, 2 + 4); /* shop, town, parts of the day */
    assert_int_equal(d.continuous, 4);      /* day, visitors, gain, weight */
    bl_dataset_free(&d);
    bl_inferred_free(&in);
    bl_buf_free(&text);
}

/* A draft leaves out what says nothing in its training rows, says why, and names a part of a date
 * anew where the name is taken. */
static void test_pruned(void **state) {
    (void)state;
    bl_buf text = {0}, manifest = {0};
    bl_inferred in;
    bl_draft d;
    const char *file = "t.csv";
    const char sha256[1][65] = {ZEROS};
    bl_buf_str(&text, "day,day month,late,town,steady,y\n");
    for (int i = 0; i < 300; i++)
        bl_buf_printf(&text, "2020-%02d-%02d,%d,%s,%s,%s,%d.5\n", 1 + i / 28, 1 + i % 28, 1 + i % 5,
                      i < 250 ? "" : "0.5",
                      i < 240 ? "Ulm"
                      : i % 2 ? "Ulm"
                              : "Bonn",
                      i < 250 ? "1.5" : "2.5", i < 240 ? i % 10 : 100 + i % 10);
    CHECK_OK(infer(&in, text.data, text.len, &(bl_infer_wish){.target = "y"}, ERR));
    bl_inferred_manifest(&in, ".", &file, sha256, 1, &manifest);
    const bl_infer_source source = {.path = "t.csv", .text = text.data, .n = text.len};
    CHECK_OK(bl_draft_open(&d, &manifest, "t", &source, 1, 0, ERR));
    CHECK_OK(bl_draft_prune(&in, &d, ERR));
    assert_int_equal(column(&in, "late")->kind, BL_KIND_IGNORED);
    assert_string_equal(column(&in, "steady")->why, "it has one value in the training rows");
    assert_string_equal(column(&in, "town")->why, "it has one value in the training rows");
    assert_non_null(strstr(bl_buf_text(&in.warnings),
                           "'y' is 105 on average in the held-out rows and 5 in training"));
    bl_buf_clear(&manifest);
    bl_inferred_manifest(&in, ".", &file, sha256, 1, &manifest);
    assert_null(strstr(bl_buf_text(&manifest), "part = \"month\"")); /* held out: new months */
    assert_non_null(strstr(bl_buf_text(&manifest), "part = \"weekday\""));
    bl_draft_free(&d);
    bl_inferred_free(&in);
    bl_buf_free(&manifest);
    bl_buf_free(&text);
}

/* "Total" at the end of a column of texts, of numbers, of dates; twice it is none. */
static void test_footers(void **state) {
    (void)state;
    static const struct {
        const char *rows, *last, *warning; /* NULL: none */
    } cases[] = {
        {"2020-03-0#,M#,5.#,#\n", ",Summe,,9\n",                  "warning: column 'b' holds 'Summe' once, last of"},
        {"2020-03-0#,M#,#.&,#\n", ",,Total,9\n",
         "warning: column 'c' holds 'Total' once, in line 202: a footer is no row\n"                               },
        {"&-03-1#,M#,5.#,#\n",    "sum,,,9\n",
         "warning: column 'a' holds 'sum' once, in line 202: a footer is no row\n"                                 },
        {"2020-03-0#,M#,#.&,#\n", ",sum,Total,9\n,sum,Total,9\n", NULL                                             },
    };
    for (size_t k = 0; k < BL_COUNT(cases); k++) {
        bl_buf text = {0};
        bl_inferred in;
        bl_buf_str(&text, "a,b,c,y\n");
        for (int i = 0; i < 200; i++) fill(&text, cases[k].rows, i);
        bl_buf_str(&text, cases[k].last);
        CHECK_OK(infer(&in, text.data, text.len, &(bl_infer_wish){.target = "y"}, ERR));
        const char *said = bl_buf_text(&in.warnings);
        if (cases[k].warning == NULL ? strstr(said, "footer") != NULL
                                     : strstr(said, cases[k].warning) == NULL)
            fail_msg("case %zu: %s", k, said);
        bl_inferred_free(&in);
        bl_buf_free(&text);
    }
}

/* A target of one value in the training rows is warned of as that, not by a distance. */
static void test_still_target(void **state) {
    (void)state;
    bl_buf text = {0}, manifest = {0};
    bl_inferred in;
    bl_draft d;
    bl_buf_str(&text, "day,x,y\n");
    for (int i = 0; i < 300; i++)
        bl_buf_printf(&text, "2020-%02d-%02d,%d.5,%g\n", 1 + i / 28, 1 + i % 28, i % 17,
                      i < 250 ? 5.1 : i);
    CHECK_OK(infer(&in, text.data, text.len, &(bl_infer_wish){.target = "y"}, ERR));
    bl_inferred_manifest(&in, ".", &(const char *){"t.csv"}, &(const char[65]){ZEROS}, 1,
                         &manifest);
    const bl_infer_source source = {.path = "t.csv", .text = text.data, .n = text.len};
    CHECK_OK(bl_draft_open(&d, &manifest, "t", &source, 1, 0, ERR));
    CHECK_OK(bl_draft_prune(&in, &d, ERR));
    assert_string_equal(bl_buf_text(&in.warnings), "warning: every training row has the 'y' 5.1: "
                                                   "there is nothing to learn\n");
    bl_draft_free(&d);
    bl_inferred_free(&in);
    bl_buf_free(&manifest);
    bl_buf_free(&text);
}

/* The same rows as UTF-8 with a mark, Latin-1, UTF-16 of both orders, and lines of old Macs. */
static void test_encodings(void **state) {
    (void)state;
    bl_buf plain = {0}, text = {0};
    one_column(&plain, "x", ',', "M\xC3\xBCnchen #", NULL, 1);
    for (int form = 0; form < 5; form++) {
        bl_inferred in;
        bl_dataset d;
        bl_buf_clear(&text);
        bl_buf_add(&text,
                   form == 1   ? "\xFF\xFE"
                   : form == 2 ? "\xFE\xFF"
                               : "\xEF\xBB\xBF",
                   form == 1 || form == 2 ? 2
                   : form == 0            ? 3
                                          : 0);
        for (size_t i = 0; i < plain.len; i++) {
            const char c = plain.data[i] == '\xC3' ? '\xFC' : plain.data[i], zero = '\0';
            if (form == 0 || form == 4) {
                bl_buf_add(&text, form == 4 && c == '\n' ? "\r" : plain.data + i, 1);
                continue;
            }
            i += c == '\xFC';
            if (form == 2) bl_buf_add(&text, &zero, 1);
            bl_buf_add(&text, &c, 1);
            if (form == 1) bl_buf_add(&text, &zero, 1);
        }
        CHECK_OK(infer(&in, text.data, text.len, &(bl_infer_wish){.target = "y"}, ERR));
        assert_int_equal(in.column[0].distinct, 9);
        assert_true(bl_dict_find(&in.column[0].values, "M\xC3\xBCnchen 1", 10) != 0);
        assert_string_equal(in.column[0].name, "x");
        open_written(&d, scratch_folder("encodings"), &in, &text);
        assert_int_equal(d.rows, 200);
        assert_int_equal(d.cardinality[0], 10);
        bl_dataset_free(&d);
        bl_inferred_free(&in);
    }
    bl_buf_free(&plain);
    bl_buf_free(&text);
}

/* Each of the three bounds decides alone. */
static void test_names(void **state) {
    (void)state;
    static const struct {
        bl_code_evidence e;
        bool names;
    } cases[] = {
        {{12, 9.0, 0.5, 0.5},  true },
        {{12, 9.0, 0.5, 0.0},  true }, /* so few may be names in any order */
        {{12, 9.0, 0.05, 0.0}, false}, /* a line that bends a little */
        {{12, 2.0, 0.5, 0.5},  false}, /* chance: 5 deviations are 1 + 5 sqrt(2 / 10) */
        {{30, 9.0, 0.5, 0.5},  true },
        {{30, 9.0, 0.9, 0.1},  false}, /* a smooth curve */
        {{2, 900.0, 0.9, 0.9}, false},
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++)
        assert_int_equal(bl_code_names(&cases[i].e, 20), cases[i].names);
}

/* ---- times without a date ---- */

/* They are no target, and rows are not split by them; a date beside them is what decides. */
static void test_times_refused(void **state) {
    (void)state;
    bl_buf text = {0};
    bl_inferred in;
    bl_err err = {0};
    bl_buf_str(&text, "at,day,y\n");
    for (int i = 0; i < 60; i++)
        bl_buf_printf(&text, "%02d:%02d,2020-01-%02d,%d\n", i % 24, i, 1 + i / 2, i * 31 % 97);
    assert_int_equal(infer(&in, text.data, text.len, &(bl_infer_wish){.target = "at"}, &err),
                     BL_EINVAL);
    assert_string_equal(
        err.text,
        "t.csv: the target 'at' holds times; write it as a number, of minutes for example");
    assert_int_equal(
        infer(&in, text.data, text.len, &(bl_infer_wish){.target = "y", .date = "at"}, &err),
        BL_EINVAL);
    assert_string_equal(err.text,
                        "t.csv: rows cannot be split by 'at': it holds times without a date");
    CHECK_OK(infer(&in, text.data, text.len, &(bl_infer_wish){.target = "y"}, ERR));
    assert_string_equal(in.by, "day");
    bl_inferred_free(&in);
    bl_buf_free(&text);
}

/* A code with a small effect beside a number with a large one: one of five names adds 0.2 to a y
 * that x moves by 10. The raw target says nothing of it. The same effect along a line is an amount,
 * and codes cut from x itself say nothing that x does not. */
static void test_codes_beside_numbers(void **state) {
    (void)state;
    static const struct {
        double name, line;
        bool of_x;
        const char *list;
    } cases[] = {
        {0.2, 0,   false, "categorical = [\"code\"]"      },
        {0,   0.1, false, "continuous = [\"x\", \"code\"]"},
        {0,   0,   true,  "continuous = [\"x\", \"code\"]"}
    };
    for (size_t k = 0; k < BL_COUNT(cases); k++) {
        bl_buf text = {0}, manifest = {0};
        bl_inferred in;
        bl_draft d;
        bl_buf_str(&text, "x,code,y\n");
        for (int i = 0; i < 1500; i++) {
            const double x = i * 7919 % 1009 / 1009.0, noise = i * 31 % 97 / 97.0;
            const int code = cases[k].of_x ? (int)(5 * x) : i * 13 % 29 % 5;
            bl_buf_printf(&text, "%.4f,%d,%.4f\n", x, code,
                          10 * x + cases[k].name * (code == 2) + cases[k].line * code +
                              0.2 * noise);
        }
        CHECK_OK(infer(&in, text.data, text.len, &(bl_infer_wish){.target = "y"}, ERR));
        bl_inferred_manifest(&in, ".", &(const char *){"t.csv"}, &(const char[65]){ZEROS}, 1,
                             &manifest);
        const bl_infer_source source = {.path = "t.csv", .text = text.data, .n = text.len};
        CHECK_OK(bl_draft_open(&d, &manifest, "t", &source, 1, 0, ERR));
        CHECK_OK(bl_draft_prune(&in, &d, ERR));
        bl_buf_clear(&manifest);
        bl_inferred_manifest(&in, ".", &(const char *){"t.csv"}, &(const char[65]){ZEROS}, 1,
                             &manifest);
        if (strstr(bl_buf_text(&manifest), cases[k].list) == NULL)
            fail_msg("case %zu: %s", k, bl_buf_text(&manifest));
        bl_draft_free(&d);
        bl_inferred_free(&in);
        bl_buf_free(&manifest);
        bl_buf_free(&text);
    }
}

/* ---- what is said ---- */

/* 60 columns of numbers with one that lacks a value, and 5 that never change: five lines. */
static void test_wide(void **state) {
    (void)state;
    bl_buf text = {0}, said = {0};
    bl_inferred in;
    for (int c = 0; c < 65; c++) bl_buf_printf(&text, "c%d,", c);
    bl_buf_str(&text, "y\n");
    for (int i = 0; i < 1009; i++) {
        for (int c = 0; c < 65; c++)
            if (c >= 60)
                bl_buf_str(&text, "7,");
            else if (c == 30 && i == 5)
                bl_buf_str(&text, ",");
            else
                bl_buf_printf(&text, "%d.5,", (i * 7919 + c) % 1009);
        bl_buf_printf(&text, "%s\n", i % 200 ? "no" : "yes");
    }
    CHECK_OK(infer(&in, text.data, text.len, &(bl_infer_wish){.target = "y"}, ERR));
    bl_inferred_explain(&in, &said);
    assert_string_equal(bl_buf_text(&said),
                        "  number    c0 to c29: 30 columns of numbers, 0.5 to 1008.5\n"
                        "  number    c30: numbers, 0.5 to 1008.5; 1 empty\n"
                        "  number    c31 to c59: 29 columns of numbers, 0.5 to 1008.5\n"
                        "  left out  c60 to c64: 5 columns, and of each: it has one value\n"
                        "  target    y: a class of 2 values: 'no' 99.41 %, 'yes' 0.59 %\n");
    bl_inferred_free(&in);
    bl_buf_free(&text);
    bl_buf_free(&said);
}

/* One row of 200 is of the class that is looked for: few of them are held out. Of one in 5, enough
 * are. */
static void test_rare_class(void **state) {
    (void)state;
    static const int every[] = {200, 5};
    for (size_t k = 0; k < 2; k++) {
        bl_buf text = {0}, manifest = {0};
        bl_inferred in;
        bl_draft d;
        bl_buf_str(&text, "x,fraud\n");
        for (int i = 0; i < 2000; i++)
            bl_buf_printf(&text, "%d.5,%s\n", i * 31 % 97, i % every[k] ? "no" : "yes");
        CHECK_OK(infer(&in, text.data, text.len, &(bl_infer_wish){.target = "fraud"}, ERR));
        bl_inferred_manifest(&in, ".", &(const char *){"t.csv"}, &(const char[65]){ZEROS}, 1,
                             &manifest);
        const bl_infer_source source = {.path = "t.csv", .text = text.data, .n = text.len};
        CHECK_OK(bl_draft_open(&d, &manifest, "t", &source, 1, 0, ERR));
        CHECK_OK(bl_draft_prune(&in, &d, ERR));
        assert_string_equal(bl_buf_text(&in.warnings),
                            k == 0 ? "warning: 1 of the held-out rows is of class 'yes': what is "
                                     "measured there rests on few rows\n"
                                   : "");
        bl_draft_free(&d);
        bl_inferred_free(&in);
        bl_buf_free(&manifest);
        bl_buf_free(&text);
    }
}

/* ---- threads ---- */

/* Several batches of all kinds of columns; a doubled quote in some rows, which the reader undoes in
 * memory of its own. Row `bad` has a field too few; 0: none has. */
static void write_long_table(bl_buf *out, int bad) {
    bl_buf_str(out, "id,day,when,shop,note,town,amount,y\n");
    for (int i = 1; i <= 16000; i++) {
        bl_buf_printf(out, "%d,20%02d-%02d-%02d,%d.%d.2020 %02d:30,%d,", i, 10 + i / 4000,
                      1 + i / 400 % 12, 1 + i % 28, 1 + i % 28, 1 + i % 12, i % 24, i * 7 % 113);
        bl_buf_printf(out, i % 5 ? "note %d," : "\"a \"\"quote\"\" %d\",", i % 900);
        bl_buf_printf(out, "%s,%s%d.%02d", i % 3 ? "Ulm" : "\"Bonn \"\"on the Rhine\"\"\"",
                      i % 11 ? "$" : "", i % 977, i % 100);
        bl_buf_printf(out, i == bad ? "\n" : ",%d\n", i % 17 ? i * 31 % 1009 : -999);
    }
}

/* Everything that is said and declared. */
static void infer_by_threads(bl_buf *out, const bl_buf *text, size_t threads) {
    bl_inferred in;
    bl_err err = {0};
    const bl_infer_wish wish = {.target = "y", .threads = threads};
    bl_buf_clear(out);
    if (infer(&in, bl_buf_text(text), text->len, &wish, &err) != BL_OK) {
        bl_buf_str(out, err.text);
        return;
    }
    bl_inferred_explain(&in, out);
    bl_buf_str(out, bl_buf_text(&in.warnings));
    bl_inferred_manifest(&in, ".", &(const char *){"t.csv"}, &(const char[65]){ZEROS}, 1, out);
    bl_inferred_free(&in);
}

/* The number of threads changes no byte, neither of what is found nor of an error. */
static void test_threads(void **state) {
    (void)state;
    static const int bad[] = {0, 9000};
    for (size_t k = 0; k < BL_COUNT(bad); k++) {
        bl_buf text = {0}, one = {0}, more = {0};
        write_long_table(&text, bad[k]);
        assert_true(text.len > 1 << 20); /* shorter ones get no thread */
        infer_by_threads(&one, &text, 1);
        assert_non_null(strstr(bl_buf_text(&one), bad[k] > 0 ? "t.csv:9001: error: 7 fields"
                                                             : "category  town: 2 values: 'Ulm'"));
        for (size_t threads = 2; threads <= 5; threads++) {
            infer_by_threads(&more, &text, threads);
            assert_string_equal(bl_buf_text(&more), bl_buf_text(&one));
        }
        bl_buf_free(&text);
        bl_buf_free(&one);
        bl_buf_free(&more);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads),
                                       cmocka_unit_test(test_rare_class),
                                       cmocka_unit_test(test_times_refused),
                                       cmocka_unit_test(test_codes_beside_numbers),
                                       cmocka_unit_test(test_wide),
                                       cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_kinds),
                                       cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_dates_that_are_none),
                                       cmocka_unit_test(test_long_missing),
                                       cmocka_unit_test(test_two_encodings),
                                       cmocka_unit_test(test_values),
                                       cmocka_unit_test(test_columns_without_name),
                                       cmocka_unit_test(test_row_numbers),
                                       cmocka_unit_test(test_targets),
                                       cmocka_unit_test(test_round_trip),
                                       cmocka_unit_test(test_pruned),
                                       cmocka_unit_test(test_files_of_ascii),
                                       cmocka_unit_test(test_footers),
                                       cmocka_unit_test(test_still_target),
                                       cmocka_unit_test(test_encodings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
