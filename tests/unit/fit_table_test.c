/* Tables for `batchlab fit`: what is read, and where a fault is said to be. */
#include "engine/report/fit_table.h"
#include "tests/check.h"

static bl_status parse(bl_fit_table *table, const char *text, bl_err *err) {
    return bl_fit_table_parse(table, BL_FIT_STEPS, text, strlen(text), "t.csv", err);
}

static void columns_in_any_order(void **state) {
    (void)state;
    bl_fit_table t;
    CHECK_OK(parse(&t,
                   "\xef\xbb\xbf"
                   "name,\"steps\", censored ,seed,batch_size,steps_prev\r\n"
                   "\"a, b\",120,0,7,64,110\r\n"
                   "\r\n"
                   "c, 1e2 ,YES,,128,\r\n"
                   "d,90,,-3,256,0",
                   ERR));
    assert_int_equal(t.count, 3);
    assert_true(t.points[0].batch_size == 64 && t.points[0].steps == 120);
    assert_true(t.points[0].seed == 7 && t.points[0].steps_prev == 110 && !t.points[0].censored);
    assert_true(t.points[1].steps == 100 && t.points[1].censored && t.points[1].seed == 0);
    assert_true(t.points[2].seed == -3 && !t.points[2].censored);
    bl_fit_table_free(&t);
}

/* As people and spreadsheets write them: other separators, names, remarks, whole numbers with .0.
 */
static void tables_of_others(void **state) {
    (void)state;
    bl_fit_table t;
    CHECK_OK(parse(&t,
                   "# from a paper, table 2; read off\n"
                   "\n"
                   "Batch Size;STEPS;Seed;steps-prev;note;Seconds\n"
                   "64; 120.0 ;1.0;110;\"two\nlines\";3.5\n"
                   "# a remark, with a comma\n"
                   "128;80;2.00;;x;1e1\n",
                   ERR));
    assert_int_equal(t.count, 2);
    assert_true(t.points[0].seed == 1 && t.points[1].seed == 2 && t.points[0].steps == 120);
    assert_true(t.points[0].steps_prev == 110 && t.seconds[0] == 3.5 && t.seconds[1] == 10);
    assert_null(t.value);
    assert_string_equal(bl_buf_text(&t.found), "Batch Size, STEPS, Seed, steps-prev, Seconds");
    bl_fit_table_free(&t);
    CHECK_OK(parse(&t, "batch_size\tsteps\tseed\tvalue\n1\t2\t1\t0.5\n1\t3\t1\t-0.4\n", ERR));
    assert_true(t.value[0] == 0.5 && t.value[1] == -0.4 && t.seconds == NULL && t.cost == NULL);
    bl_fit_table_free(&t);
    CHECK_OK(parse(&t, "Cost,batch_size,steps\n0.25,1,2\n1e-6,2,1\n", ERR));
    assert_true(t.cost[0] == 0.25 && t.cost[1] == 1e-6 && t.seconds == NULL);
    bl_fit_table_free(&t);
}

/* Times: whole epochs or single steps, sizes in any order, repeats of one size together. */
static void tables_of_times(void **state) {
    (void)state;
    bl_fit_table t;
    bl_stats_step_size size[4];
    double seconds[4];
    bl_err err = {0};
    const char *text = "repeat,batch_size,seconds,examples,steps\n2,64,3,640,x\n1,64,2,640,x\n"
                       "1,32,4,320,x\n2,32,1,32,x\n";
    CHECK_OK(bl_fit_table_parse(&t, BL_FIT_TIMES, text, strlen(text), "t.csv", ERR));
    assert_int_equal(bl_fit_table_sizes(&t, size, seconds), 2);
    assert_true(size[0].batch_size == 32 && size[0].repeats == 2 && size[1].batch_size == 64);
    check_close(size[0].seconds[0], 0.4, 1e-12);
    check_close(size[0].seconds[1], 1, 1e-12);
    check_close(size[1].seconds[0], 0.2, 1e-12);
    check_close(size[1].seconds[1], 0.3, 1e-12);
    bl_fit_table_free(&t);
    text = "batch_size,seconds\n32,4\n";
    CHECK_OK(bl_fit_table_parse(&t, BL_FIT_TIMES, text, strlen(text), "t.csv", ERR));
    assert_int_equal(bl_fit_table_sizes(&t, size, seconds), 1);
    assert_true(size[0].seconds[0] == 4);
    bl_fit_table_free(&t);
    text = "batch_size,seconds,repeat\n32,4,1\n32,5,1\n";
    assert_int_equal(bl_fit_table_parse(&t, BL_FIT_TIMES, text, strlen(text), "t.csv", &err),
                     BL_EFORMAT);
    assert_string_equal(err.text, "t.csv:3: batch size and repeat are those of line 2");
    text = "batch_size,steps\n32,4\n";
    assert_int_equal(bl_fit_table_parse(&t, BL_FIT_TIMES, text, strlen(text), "t.csv", &err),
                     BL_EFORMAT);
    assert_string_equal(err.text,
                        "t.csv:1: the header has no column 'seconds'; it has: batch_size, steps "
                        "(needed: batch_size, seconds; read when present: examples, repeat)");
}

/* Where a fault follows a field of two lines, and which rows are one run. */
static void one_run_a_row(void **state) {
    (void)state;
    bl_fit_table t;
    bl_err err = {0};
    assert_int_equal(parse(&t, "batch_size,steps,seed\n32,5,1\n64,5,1\n32,6,2\n32,7,1\n", &err),
                     BL_EFORMAT);
    assert_string_equal(err.text, "t.csv:5: batch size and seed are those of line 2");
    assert_int_equal(
        parse(&t, "batch_size,steps,seed,value\n32,5,1,.1\n32,6,1,.2\n32,5,1,.3\n", &err),
        BL_EFORMAT);
    assert_string_equal(err.text, "t.csv:4: batch size and seed are those of line 2");
    CHECK_OK(parse(&t, "batch_size,steps\n32,5\n32,5\n", ERR)); /* without seeds: two runs */
    bl_fit_table_free(&t);
    assert_int_equal(parse(&t, "batch_size,steps,note\n1,2,\"a\nb\"\n1,x,c\n", &err), BL_EFORMAT);
    assert_string_equal(err.text, "t.csv:4: steps is 'x', which is no number");
    assert_int_equal(parse(&t, "batch,steps\n1,2\n", &err), BL_EFORMAT);
    assert_non_null(strstr(err.text, "it has: batch, steps (needed"));
}

static void grows(void **state) {
    (void)state;
    bl_buf text = {0};
    bl_buf_str(&text, "batch_size,steps\n");
    for (int i = 1; i <= 1000; i++) bl_buf_printf(&text, "%d,%d\n", i, 2 * i);
    bl_fit_table t;
    CHECK_OK(parse(&t, bl_buf_text(&text), ERR));
    assert_int_equal(t.count, 1000);
    assert_true(t.points[999].steps == 2000);
    bl_fit_table_free(&t);
    bl_buf_free(&text);
}

static void faults_have_a_place(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"",                                                     "t.csv:1: empty, a header is expected"                },
        {"\n \r\n",                                              "t.csv:1: empty, a header is expected"                },
        {"batch_size,steps\n",                                   "t.csv:1: no row follows the header"                  },
        {"batch,steps\n1,2\n",                                   "t.csv:1: the header has no column 'batch_size'"      },
        {"steps,batch_size,steps\n1,2,3\n",                      "t.csv:1: column 'steps' appears twice"               },
        {"batch_size,steps\n1,2\n3\n",                           "t.csv:3: 1 field where the header has 2"             },
        {"batch_size,steps\n1,2,3\n",                            "t.csv:2: 3 fields where the header has 2"            },
        {"batch_size,steps\n1,abc\n",                            "t.csv:2: steps is 'abc', which is no number"         },
        {"batch_size,steps\n0x20,3\n",                           "t.csv:2: batch_size is '0x20', which is no number"   },
        {"batch_size,steps,censored\n1,,1\n",                    "t.csv:2: steps is empty; a run that did not arrive"  },
        {"batch_size,steps\n1,2 3\n",                            "t.csv:2: steps is '2 3', which is no number"         },
        {"batch_size,steps\n,2\n",                               "t.csv:2: batch_size is '', which is no number"       },
        {"batch_size,steps\n0,2\n",                              "t.csv:2: batch_size is 0, allowed are 1e-09 to 1e+15"},
        {"batch_size,steps\n1,nan\n",                            "t.csv:2: steps is nan, allowed are"                  },
        {"batch_size,steps\n1,1e999\n",                          "t.csv:2: steps is 1e999, allowed are"                },
        {"batch_size,steps,seed\n1,2,1.5\n",                     "t.csv:2: seed is '1.5', which is no whole number"    },
        {"batch_size,steps,seed\n1,2,99999999999999999999\n",    "t.csv:2: seed is '999999"                            },
        {"batch_size,target,steps\n1,0.2,2\n2,0.2,2\n3,0.1,2\n",
         "t.csv:4: target is '0.1', but '0.2' above"                                                                   },
        {"batch_size,steps,target\n1,2,x\n2,2,\n",               "t.csv:3: target is '', but 'x' above"                },
        {"batch_size,steps,cost\n1,2,0\n",                       "t.csv:2: cost is 0, allowed are 1e-09 to 1e+15"      },
        {"batch_size,steps,censored\n1,2,2\n",                   "t.csv:2: censored is '2'; write 0 or 1"              },
        {"batch_size,steps,steps_prev\n1,2,2\n",                 "t.csv:2: steps_prev is 2, but steps is 2"            },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bl_fit_table t;
        bl_err err = {0};
        assert_int_equal(parse(&t, cases[i][0], &err), BL_EFORMAT);
        if (strncmp(err.text, cases[i][1], strlen(cases[i][1])) != 0)
            fail_msg("case %zu says \"%s\"", i, err.text);
        assert_null(t.points);
    }
}

/* What does not fit is refused, not read in part. */
static void no_partial_numbers(void **state) {
    (void)state;
    static const char zero[] = "batch_size,steps\n32,1\0 00\n";
    static const char ends[] = "000000000000000000000000000000000000000000000000000000000000000e5";
    bl_fit_table t;
    bl_err err = {0};
    assert_int_equal(bl_fit_table_parse(&t, BL_FIT_STEPS, zero, sizeof zero - 1, "t.csv", &err),
                     BL_EFORMAT);
    assert_string_equal(err.text, "t.csv:2: error: a zero byte: this is no text");
    bl_buf text = {0};
    bl_buf_printf(&text, "batch_size,steps\n32,1.%s\n", ends);
    assert_int_equal(parse(&t, bl_buf_text(&text), &err), BL_EFORMAT);
    assert_string_equal(err.text, "t.csv:2: steps is longer than 63 characters");
    bl_buf_clear(&text);
    bl_buf_printf(&text, "note,batch_size,steps\n%s,32,10\n", ends);
    CHECK_OK(parse(&t, bl_buf_text(&text), ERR));
    bl_fit_table_free(&t);
    bl_buf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_in_any_order),
        cmocka_unit_test(tables_of_others),
        cmocka_unit_test(tables_of_times),
        cmocka_unit_test(one_run_a_row),
        cmocka_unit_test(grows),
        cmocka_unit_test(faults_have_a_place),
        cmocka_unit_test(no_partial_numbers),
    };
    return cmocka_run_group_tests_name("fit_table", tests, NULL, NULL);
}
