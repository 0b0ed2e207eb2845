/* --only: what matches, and what is refused with which words. */
#include "engine/base/mem.h"
#include "engine/config/filter.h"
#include "tests/check.h"
#include <string.h>

static bl_config base(void) {
    static const char text[] =
        "dataset = \"x\"; optimizer: { name = \"adam\"; }; model: { batch_norm = true; };"
        "train: { batch_size = 64; learning_rate = 0.01; seed = 3; }; sweep: { targets = [0.5]; };";
    bl_config config;
    CHECK_OK(bl_config_parse(&config, text, sizeof text - 1, "x.cfg", NULL, NULL, 0, ERR));
    return config;
}

static void terms_select(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool matches;
    } cases[] = {
        {"batch_size=64",               true },
        {"batch_size=32,64",            true },
        {"batch_size=32,128",           false},
        {"batch_size!=32,128",          true },
        {"batch_size!=64",              false},
        {"train.batch_size>=64",        true },
        {"batch_size>64",               false},
        {"batch_size<=64",              true },
        {"batch_size<64",               false},
        {"learning_rate<0.01",          false},
        {"learning_rate<=1e-2",         true },
        {"learning_rate=0.01 seed=3",   true },
        {"learning_rate=0.01  seed=2 ", false},
        {"optimizer.name=sgd,adam",     true },
        {"optimizer.name!=adam",        false},
        {"batch_norm=true",             true },
        {"batch_norm=false",            false},
    };
    const bl_config config = base();
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        bl_filter filter;
        CHECK_OK(bl_filter_parse(&filter, cases[i].text, ERR));
        if (bl_filter_matches(&filter, &config) != cases[i].matches) fail_msg("%s", cases[i].text);
        bl_filter_free(&filter);
    }
}

static void faults_are_named(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"",                    "--only: nothing is selected"                                              },
        {"batch_size",
         "--only 'batch_size': expected KEY=VALUE, with one of = != < <= > >= between them"                },
        {"=64",                 "--only '=64': expected KEY=VALUE, with one of = != < <= > >= between them"},
        {"batch_size!64",
         "--only 'batch_size!64': expected KEY=VALUE, with one of = != < <= > >= between them"             },
        {"bach_size=64",        "--only 'bach_size=64': unknown key 'bach_size'; did you mean "
                         "'train.batch_size'?   (batchlab check --list-keys all)"  },
        {"name=adam",
         "--only 'name=adam': 'name' may be 'optimizer.name' or 'schedule.name'; write which"              },
        {"batch_size=",         "--only 'batch_size=': a value is missing"                                 },
        {"batch_size=64,",      "--only 'batch_size=64,': a value is missing"                              },
        {"batch_size=64,x",     "--only 'batch_size=64,x': 'x' is no number"                               },
        {"batch_size<64,128",   "--only 'batch_size<64,128': one value to compare with"                    },
        {"learning_rate<nan",   "--only 'learning_rate<nan': 'nan' is no number"                           },
        {"optimizer.name<sgd",
         "--only 'optimizer.name<sgd': 'optimizer.name' is no number: compare it with = or !="             },
        {"batch_norm=yes",      "--only 'batch_norm=yes': 'yes' is neither true nor false"                 },
        {"hidden=64",           "--only 'hidden=64': 'model.hidden' is a list, which cannot be compared"   },
        {"sweep.race_cutoff=1", "--only 'sweep.race_cutoff=1': 'sweep.race_cutoff' belongs to the "
                                "experiment, not to a run"                  },
    };
    for (size_t i = 0; i < BL_COUNT(bad); i++) {
        bl_filter filter;
        bl_err err;
        assert_int_equal(bl_filter_parse(&filter, bad[i].text, &err), BL_EINVAL);
        assert_string_equal(err.text, bad[i].message);
        assert_int_equal(filter.count, 0);
    }
}

static void terms_are_counted(void **state) {
    (void)state;
    enum { MOST = 64 };
    bl_buf text = {0};
    bl_filter filter;
    bl_err err;
    for (int i = 0; i < MOST; i++) bl_buf_str(&text, "seed=3 ");
    CHECK_OK(bl_filter_parse(&filter, text.data, ERR));
    bl_filter_free(&filter);
    bl_buf_str(&text, "seed=3");
    assert_int_equal(bl_filter_parse(&filter, text.data, &err), BL_EINVAL);
    assert_string_equal(err.text, "--only: more than 64 terms");
    bl_buf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_select),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(terms_are_counted),
    };
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
