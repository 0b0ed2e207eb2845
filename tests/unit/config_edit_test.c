/* Settings changed in an experiment's text: what is asked for changes, every other byte stays. */
#include "engine/base/mem.h"
#include "engine/config/edit.h"
#include "tests/check.h"
#include <string.h>

#define FILE_NAME "experiment.cfg"
#define HEAD                                                                                       \
    "# targets = 3; { in a comment\ndataset = \"shop\"; title = \"a } \\\" sweep: { targets = "    \
    "[9.0]; };\";\n"

// clang-format off
static const struct {
    const char *preset, *path, *value, *before, *after;
} k_cases[] = {
    /* replaced where it stands, comments beside it kept */
    {"", "sweep.targets", "[0.2]",
     HEAD "sweep: { targets = [0.9, /* why ] */ 0.8]; seeds = 2; }; // end\n",
     HEAD "sweep: { targets = [0.2]; seeds = 2; }; // end\n"},
    {"", "sweep.targets", "[0.2]",
     HEAD "sweep = {\n  seeds = 2 # no semicolon\n  targets : [ 0.9,\n   0.8 ]\n};\n",
     HEAD "sweep = {\n  seeds = 2 # no semicolon\n  targets : [0.2]\n};\n"},
    /* added at the end of a group, on a line or in it */
    {"", "sweep.lr_start", "0.5",
     HEAD "sweep: { seeds = 2; };\n",
     HEAD "sweep: { seeds = 2; lr_start = 0.5; };\n"},
    {"", "sweep.lr_start", "0.5",
     HEAD "sweep: {\n    seeds = 2; # two\n};\n",
     HEAD "sweep: {\n    seeds = 2; # two\n  lr_start = 0.5;\n};\n"},
    /* a group that is not there */
    {"", "sweep.lr_start", "0.5",
     HEAD,
     HEAD "sweep: { lr_start = 0.5; };\n"},
    /* lines that end as the file's do */
    {"", "sweep.lr_start", "0.5",
     "dataset = \"shop\";\r\nsweep: {\r\n  seeds = 2;\r\n};\r\n",
     "dataset = \"shop\";\r\nsweep: {\r\n  seeds = 2;\r\n  lr_start = 0.5;\r\n};\r\n"},
    /* in a preset, although the file has the group, too */
    {"quick", "sweep.seeds", "5",
     HEAD "sweep: { seeds = 2; };\npresets: {\n  tiny: { sweep: { seeds = 1; }; };\n"
          "  quick: {\n    sweep: { seeds = 3; };\n  };\n};\n",
     HEAD "sweep: { seeds = 2; };\npresets: {\n  tiny: { sweep: { seeds = 1; }; };\n"
          "  quick: {\n    sweep: { seeds = 5; };\n  };\n};\n"},
    {"quick", "sweep.seeds", "5",
     HEAD "presets: {\n  quick: {\n    eval: { growth = 1.5; };\n  };\n};\n",
     HEAD "presets: {\n  quick: {\n    eval: { growth = 1.5; };\n    sweep: { seeds = 5; };\n  };\n};\n"},
};
// clang-format on

static void edits(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_cases); i++) {
        const bl_config_change change = {k_cases[i].path, k_cases[i].value};
        bl_buf out = {0};
        CHECK_OK(bl_config_edit(&out, k_cases[i].before, strlen(k_cases[i].before), FILE_NAME,
                                k_cases[i].preset, &change, 1, ERR));
        assert_string_equal(bl_buf_text(&out), k_cases[i].after);
        bl_buf_clear(&out);
        /* Again: it is as it should be. */
        CHECK_OK(bl_config_edit(&out, k_cases[i].after, strlen(k_cases[i].after), FILE_NAME,
                                k_cases[i].preset, &change, 1, ERR));
        assert_string_equal(bl_buf_text(&out), k_cases[i].after);
        bl_buf_free(&out);
    }
}

static void refusals(void **state) {
    (void)state;
    const struct {
        const char *text, *preset, *value;
    } cases[] = {
        {HEAD,                            "quick", "2"                 }, /* no such preset */
        {HEAD "sweep: {",                 "",      "2"                 }, /* not whole */
        {HEAD,                            "",      "-2"                }, /* out of range */
        {HEAD,                            "",      "2; targets = [0.1]"}, /* more than asked */
        {HEAD "@include \"other.cfg\"\n", "",      "2"                 },
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        const bl_config_change change = {"sweep.seeds", cases[i].value};
        bl_buf out = {0};
        bl_err err = {0};
        assert_int_not_equal(bl_config_edit(&out, cases[i].text, strlen(cases[i].text), FILE_NAME,
                                            cases[i].preset, &change, 1, &err),
                             BL_OK);
        assert_true(err.text[0] != '\0');
        assert_int_equal(out.len, 0);
        bl_buf_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("config_edit", tests, NULL, NULL);
}
