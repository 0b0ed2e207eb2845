/* Data sets that are a definition: what is drawn, and what a declaration may not say. */
#include "engine/base/file.h"
#include "engine/data/dataset_open.h"
#include "engine/data/manifest/manifest.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <math.h>

static void open_simplenn(bl_dataset *data) {
    const bl_dataset_options options = {.manifest_dir = "datasets"};
    CHECK_OK(bl_dataset_open(data, "simplenn", &options, ERR));
}

static void test_what_is_drawn(void **state) {
    (void)state;
    bl_dataset d, again;
    open_simplenn(&d);
    open_simplenn(&again);
    assert_int_equal(d.train_rows, 1000);
    assert_int_equal(d.valid_rows, 1000);
    assert_int_equal(d.continuous, 10);
    assert_int_equal(d.classes, 2);
    assert_false(d.synthetic);
    assert_string_equal(d.variant, "definition");
    assert_string_equal(d.continuous_name[0], "x00001");
    assert_string_equal(d.continuous_name[9], "x00010");
    assert_memory_equal(d.values, again.values, 2000 * 10 * sizeof *d.values);
    assert_string_equal(d.sha256, again.sha256);
    /* Evaluations look at the same points. */
    assert_memory_equal(d.values, d.values + 1000 * 10, 1000 * 10 * sizeof *d.values);
    assert_memory_equal(d.target, d.target + 1000, 1000 * sizeof *d.target);
    double ones = 0.0;
    for (size_t i = 0; i < 1000; i++) ones += (double)d.target[i];
    assert_true(fabs(ones - 500.0) < 5.0 * sqrt(250.0));
    for (size_t j = 0; j < 10; j++) { /* standard normal, and nothing to do with the label */
        double sum = 0.0, squares = 0.0, with_label = 0.0;
        for (size_t i = 0; i < 1000; i++) {
            const double x = (double)d.values[i * 10 + j];
            sum += x;
            squares += x * x;
            with_label += x * ((double)d.target[i] - ones / 1000.0);
        }
        assert_true(fabs(sum / 1000.0) < 5.0 / sqrt(1000.0));
        assert_true(fabs(squares / 1000.0 - 1.0) < 5.0 * sqrt(2.0 / 1000.0));
        assert_true(fabs(with_label / 1000.0) < 5.0 * 0.5 / sqrt(1000.0));
    }
    for (size_t j = 0; j < 10; j++)
        for (size_t k = 0; k < j; k++) {
            double both = 0.0;
            for (size_t i = 0; i < 1000; i++)
                both += (double)d.values[i * 10 + j] * (double)d.values[i * 10 + k];
            assert_true(fabs(both / 1000.0) < 5.0 / sqrt(1000.0));
        }
    bl_dataset_free(&d);
    bl_dataset_free(&again);
}

/* `text` as datasets/NAME.cfg of a folder of its own, opened. */
static void open_text(bl_dataset *data, const char *name, const char *text) {
    static const char *folder;
    if (folder == NULL) folder = scratch_folder("labels");
    const bl_dataset_options options = {.manifest_dir = folder};
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/%s.cfg", folder, name));
    CHECK_OK(bl_file_write(path, text, strlen(text), ERR));
    CHECK_OK(bl_dataset_open(data, name, &options, ERR));
}

/* Further points for evaluations change no training point, and labels without a rule say nothing of
 * them. */
static void test_further_points(void **state) {
    (void)state;
    bl_dataset plain, more;
    open_text(&plain, "plain",
              "origin = \"x\"; random_labels = { seed = 7; rows = 500; inputs = 3; "
              "classes = 4; };");
    open_text(&more, "more",
              "origin = \"x\"; random_labels = { seed = 7; rows = 500; inputs = 3; "
              "classes = 4; valid = 200; };");
    assert_int_equal(more.train_rows, 500);
    assert_int_equal(more.valid_rows, 200);
    assert_memory_equal(more.values, plain.values, 500 * 3 * sizeof *more.values);
    assert_memory_equal(more.target, plain.target, 500 * sizeof *more.target);
    assert_memory_not_equal(more.values + 500 * 3, plain.values, 200 * 3 * sizeof *more.values);
    assert_string_not_equal(more.sha256, plain.sha256);
    bl_dataset_free(&plain);
    bl_dataset_free(&more);
}

/* Labels follow a linear rule but for the share that is drawn: least squares on the labels finds
 * the direction, and its signs give the share. */
static double share_along(const bl_dataset *d) {
    double direction[4] = {0}, along = 0;
    size_t right = 0;
    for (size_t i = 0; i < d->train_rows; i++)
        for (size_t j = 0; j < 4; j++)
            direction[j] += (double)d->values[i * 4 + j] * ((double)d->target[i] - 0.5);
    for (size_t i = d->train_rows; i < d->rows; i++, along = 0) {
        for (size_t j = 0; j < 4; j++) along += (double)d->values[i * 4 + j] * direction[j];
        right += (along > 0) == (d->target[i] > 0.5F);
    }
    return (double)right / (double)d->valid_rows;
}

static void test_labels_with_a_rule(void **state) {
    (void)state;
    static const struct {
        const char *name, *keys;
        double least, most;
    } cases[] = {
        {"drawn", "",                                0.46, 0.54},
        {"all",   "rule = \"linear\";",              0.97, 1   },
        {"some",  "rule = \"linear\"; noise = 0.2;", 0.86,
         0.94                                                  }, /* half of the drawn ones are right */
        {"noise", "noise = 0.2;",                    0.46, 0.54},
    };
    char text[200];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bl_dataset d;
        (void)snprintf(text, sizeof text,
                       "origin = \"x\"; random_labels = { seed = 3; rows = 4000; inputs = 4; "
                       "classes = 2; valid = 4000; %s };",
                       cases[i].keys);
        open_text(&d, cases[i].name, text);
        const double share = share_along(&d);
        if (share < cases[i].least || share > cases[i].most)
            fail_msg("%s: %g along the direction", cases[i].name, share);
        bl_dataset_free(&d);
    }
}

static void test_there_is_no_generator(void **state) {
    (void)state;
    const bl_dataset_options options = {.manifest_dir = "datasets", .synthetic = true};
    bl_dataset data;
    bl_err err;
    assert_int_equal(bl_dataset_open(&data, "simplenn", &options, &err), BL_EINVAL);
    assert_non_null(strstr(err.text, "declares no generator"));
}

static void test_bad_declarations(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"origin = \"x\"; random_labels = { seed = 1; rows = 0; inputs = 1; classes = 2; };",
         "1 .. 10 million"                                                                                                       },
        {"origin = \"x\"; random_labels = { seed = 1; rows = 9; inputs = 1; classes = 1; };",
         "2 .. 65536"                                                                                                            },
        {"origin = \"x\"; random_labels = { seed = 1; rows = 9; inputs = 65537; classes = 2; };",
         "1 .. 65536"                                                                                                            },
        {"origin = \"x\"; random_labels = { rows = 9; inputs = 1; classes = 2; };",
         "'seed' is missing"                                                                                                     },
        {"random_labels = { seed = 1; rows = 9; inputs = 1; classes = 2; };",
         "'origin' is missing"                                                                                                   },
        {"origin = \"x\"; folder = \"y\"; random_labels = { seed = 1; rows = 9; inputs = 1; "
         "classes = 2; "
         "};",                                                                           "folder"                       },
        {"origin = \"x\"; random_labels = { seed = 1; rows = 9; inputs = 1; classes = 2; "
         "rule = \"cubic\"; };",                                                         "is \"linear\""                },
        {"origin = \"x\"; random_labels = { seed = 1; rows = 9; inputs = 1; classes = 2; "
         "noise = 1.5; };",                                                              "'noise' 0 .. 1"               },
        {"origin = \"x\"; random_labels = { seed = 1; rows = 9; inputs = 1; classes = 2; "
         "valid = -1; };",                                                               "'valid' is 0"                 },
        {"origin = \"x\"; random_labels = 1;",                                                    "random_labels"                },
        {"origin = \"x\"; points = { seed = 1; rows = 9; inputs = 1; classes = 2; };\n"
         "random_labels = { seed = 1; rows = 9; inputs = 1; classes = 2; };",            "older name of 'random_labels'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bl_manifest m;
        bl_err err;
        assert_int_not_equal(
            bl_manifest_parse(&m, cases[i].text, strlen(cases[i].text), "p.cfg", "p", &err), BL_OK);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu: \"%s\" lacks \"%s\"", i, err.text, cases[i].says);
    }
}

static void canonical_text(bl_buf *out, const char *text) {
    bl_manifest m;
    CHECK_OK(bl_manifest_parse(&m, text, strlen(text), "p.cfg", "p", ERR));
    bl_manifest_canonical(&m, false, out);
    bl_manifest_free(&m);
}

/* `points` is what the key was called before: the same data set, and the same identity. */
static void test_the_older_name_of_the_key(void **state) {
    (void)state;
    bl_buf newer = {0}, older = {0};
    canonical_text(&newer, "origin = \"x\"; random_labels = { seed = 1; rows = 9; inputs = 1; "
                           "classes = 2; }; terms = \"y\";");
    canonical_text(&older, "terms = \"y\"; points = { seed = 1; rows = 9; inputs = 1; classes = 2; "
                           "}; origin = \"x\";");
    assert_string_equal(bl_buf_text(&newer), bl_buf_text(&older));
    assert_non_null(strstr(bl_buf_text(&older), "points={"));
    bl_buf_free(&newer);
    bl_buf_free(&older);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_drawn),      cmocka_unit_test(test_further_points),
        cmocka_unit_test(test_labels_with_a_rule), cmocka_unit_test(test_there_is_no_generator),
        cmocka_unit_test(test_bad_declarations),   cmocka_unit_test(test_the_older_name_of_the_key),
    };
    return cmocka_run_group_tests_name("random labels", tests, NULL, NULL);
}
