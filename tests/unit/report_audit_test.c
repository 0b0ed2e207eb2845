/* Forecasts of find.json against what a sweep measured. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/seal.h"
#include "engine/plan/settings.h"
#include "engine/report/audit.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char k_run[] = "{\"config\":{\"eval.growth\":2,\"model.hidden\":[128],"
                            "\"train.batch_size\":32,\"train.seed\":1},\"dataset\":\"d1\"}";

/* A sweep of one run, whose run.json is put into `dir`. */
static void give_run(bl_report_model *m, bl_report_trial *trial, const char *dir,
                     const char *identity) {
    char path[BL_PATH];
    *trial = (bl_report_trial){.run = "r012345678901", .settings = "}"};
    m->trials = trial;
    m->trial_count = 1;
    CHECK_OK(bl_path(path, ERR, "%s/%s", dir, trial->run));
    assert_int_equal(mkdir(path, 0777), 0);
    CHECK_OK(bl_path(path, ERR, "%s/%s/run.json", dir, trial->run));
    CHECK_OK(bl_file_write(path, identity, strlen(identity), ERR));
}

/* What the sweep and the pilot train, but for what a sweep varies: the digest of k_run. */
static const char *digest(void) {
    static char hex[BL_SHA256_HEX];
    bl_json_doc doc;
    CHECK_OK(bl_json_parse(&doc, k_run, strlen(k_run), "run.json", 1, ERR));
    bl_plan_settings_digest(doc.root, hex);
    bl_json_free(&doc);
    return hex;
}

/* A find.json; `sealed` false: its last byte is another one. */
static const char *put_find(const char *preset, bool sealed) {
    const char *dir = scratch_folder("audit");
    char path[BL_PATH];
    bl_buf text = {0};
    bl_buf_printf(
        &text,
        "{\"format\":1,\"preset\":\"%s\",\"optimizer\":\"sgd\",\"trains\":\"%s\",\"forecasts\":["
        "{\"target\":0.5,\"steps\":9,\"noise\":{\"plain\":{\"probes\":3,"
        "\"start\":{\"scale\":10,\"low\":8,\"high\":12.5},"
        "\"way\":{\"scale\":200,\"low\":100,\"high\":400},"
        "\"target\":{\"scale\":null,\"low\":null,\"high\":null}}}},"
        "{\"target\":0.1,\"steps\":null},"
        "{\"target\":0.2,\"steps\":20,\"noise\":{\"plain\":{\"probes\":3,"
        "\"way\":{\"scale\":50,\"low\":40,\"high\":62.5}}}},"
        "{\"target\":0.77,\"steps\":5,\"noise\":{\"plain\":{\"probes\":1}}}],"
        "\"other_pilots\":["
        "{\"preset\":\"%s\",\"optimizer\":\"momentum\",\"trains\":\"%s\",\"forecasts\":["
        "{\"target\":0.2,\"noise\":{\"plain\":{\"way\":{\"scale\":700}}}}]},"
        "{\"preset\":\"paper\",\"optimizer\":\"momentum\",\"trains\":\"%s\",\"forecasts\":["
        "{\"target\":0.2,\"noise\":{\"plain\":{\"way\":{\"scale\":800}}}}]}]",
        preset, digest(), preset, digest(), digest());
    bl_seal(&text);
    if (!sealed) text.data[text.len - 5] ^= 1;
    CHECK_OK(bl_path(path, ERR, "%s/find.json", dir));
    CHECK_OK(bl_file_write(path, text.data, text.len, ERR));
    bl_buf_free(&text);
    return dir;
}

static bl_report_size g_size[1];

static bl_report_target answer(double target, double critical) {
    bl_report_target t = {.target = target, .sizes = g_size, .size_count = 1};
    for (int i = 0; i < BL_STATS_DEFINITION_COUNT; i++) t.critical.of[i] = bl_stats_unknown();
    t.critical.of[BL_STATS_B_CRIT] = bl_stats_exact(critical);
    t.critical.of[BL_STATS_B_CRIT].low = critical / 2;
    t.critical.of[BL_STATS_B_CRIT].high = critical * 2;
    return t;
}

static const bl_report_forecast *find(const bl_report_model *m, const char *name, double target) {
    for (size_t i = 0; i < m->forecast_count; i++)
        if (strcmp(m->forecasts[i].name, name) == 0 && m->forecasts[i].target == target)
            return &m->forecasts[i];
    fail_msg("no forecast %s of %g", name, target);
    return NULL;
}

static void forecasts_and_factors(void **state) {
    (void)state;
    bl_report_target easier[] = {answer(0.5, 100)};
    bl_report_timing timing[] = {
        {.batch_size = 64,   .memory_bytes = 1e9  },
        {.batch_size = 1064, .memory_bytes = 1.1e9}
    };
    bl_report_model m = {.main = answer(0.2, 25),
                         .main_series = BL_NO_SERIES,
                         .easier = easier,
                         .easier_count = 1,
                         .timing = timing,
                         .timing_count = 2};
    m.plan.head.preset = "quick";
    bl_report_trial trial;
    const char *dir = put_find("quick", true);
    give_run(&m, &trial, dir, k_run);
    CHECK_OK(bl_report_audit_read(&m, dir, ERR));
    /* 0.5: start, way, target, memory, article; 0.2: way, memory, article; 0.1 and 0.77 are none of
     * its targets. */
    assert_int_equal(m.forecast_count, 8);
    const bl_report_forecast *way = find(&m, "noise_way", 0.5);
    bl_stats_value f = bl_report_audit_factor(&m, way, BL_STATS_B_CRIT);
    check_close(f.value, 2, 1e-12);
    /* Logs of both intervals, a factor of 2 each side, joined by squares. */
    check_close(f.low, 2 * exp(-sqrt(2) * log(2)), 1e-9);
    check_close(f.high, 2 * exp(sqrt(2) * log(2)), 1e-9);
    assert_false(bl_report_audit_factor(&m, way, BL_STATS_MAX_USEFUL).known);
    f = bl_report_audit_factor(&m, find(&m, "noise_way", 0.2), BL_STATS_B_CRIT);
    check_close(f.value, 2, 1e-12);
    assert_false(find(&m, "noise_target", 0.5)->value.known);
    f = bl_report_audit_factor(&m, find(&m, "article", 0.2), BL_STATS_B_CRIT);
    check_close(f.value, 512.0 / 25, 1e-12);
    check_close(f.low, 512.0 / 50, 1e-9);
    /* 1e5 bytes for an example. */
    check_close(find(&m, "memory", 0.2)->value.value, 64 + (16 * 0x1p30 - 1e9) / 1e5, 1e-9);
    free(m.forecasts);
    m.forecasts = NULL;
    m.forecast_count = 0;
    /* 32 GiB for the net alone, so 16 hold no batch at all. */
    m.timing[0].memory_bytes += 0x1p35;
    m.timing[1].memory_bytes += 0x1p35;
    CHECK_OK(bl_report_audit_read(&m, dir, ERR));
    assert_false(find(&m, "memory", 0.2)->value.known);
    free(m.forecasts);
    m.forecasts = NULL;
    m.forecast_count = 0;
    m.machine.known = true;
    m.machine.largest = 7000; /* that ran */
    CHECK_OK(bl_report_audit_read(&m, dir, ERR));
    check_close(find(&m, "memory", 0.2)->value.value, 7000, 1e-12);
    free(m.forecasts);
}

/* The pilot's optimizer names a series: its answer counts, and its one target. So does an earlier
 * pilot's, of the same preset. */
static void of_a_series(void **state) {
    (void)state;
    bl_report_series series[] = {
        {"momentum", answer(0.2, 1000)},
        {"sgd",      answer(0.2, 10)  }
    };
    bl_report_model m = {
        .main = answer(0.2, 1000), .main_series = 0, .series = series, .series_count = 2};
    m.plan.head.preset = "quick";
    bl_report_trial trial;
    const char *dir = put_find("quick", true);
    give_run(&m, &trial, dir, k_run);
    CHECK_OK(bl_report_audit_read(&m, dir, ERR));
    assert_int_equal(m.forecast_count, 6);
    assert_int_equal(m.forecasts[0].series, 1);
    assert_int_equal(m.forecasts[3].series, 0);
    check_close(bl_report_audit_factor(&m, &m.forecasts[3], BL_STATS_B_CRIT).value, 0.7, 1e-12);
    check_close(bl_report_audit_factor(&m, &m.forecasts[0], BL_STATS_B_CRIT).value, 5, 1e-12);
    assert_false(find(&m, "memory", 0.2)->value.known);
    free(m.forecasts);
}

/* A pilot on other data, with another model or other settings says nothing of this sweep. What a
 * sweep varies, and steps of evaluations, may differ. */
static void of_other_data_or_models(void **state) {
    (void)state;
    static const struct {
        const char *run;
        size_t forecasts;
    } cases[] = {
        {"{\"config\":{\"eval.growth\":3,\"model.hidden\":[128],\"train.batch_size\":64,"
         "\"train.seed\":7},\"dataset\":\"d1\"}", 3},
        {"{\"config\":{\"eval.growth\":2,\"model.hidden\":[128],\"train.batch_size\":32,"
         "\"train.seed\":1},\"dataset\":\"d2\"}", 0},
        {"{\"config\":{\"eval.growth\":2,\"model.hidden\":[64],\"train.batch_size\":32,"
         "\"train.seed\":1},\"dataset\":\"d1\"}", 0},
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        bl_report_model m = {.main = answer(0.2, 25), .main_series = BL_NO_SERIES};
        bl_report_trial trial;
        const char *dir = put_find("quick", true);
        m.plan.head.preset = "quick";
        give_run(&m, &trial, dir, cases[i].run);
        CHECK_OK(bl_report_audit_read(&m, dir, ERR));
        assert_int_equal(m.forecast_count, cases[i].forecasts);
        free(m.forecasts);
    }
}

static void not_there(void **state) {
    (void)state;
    bl_err err = {0};
    bl_report_model m = {.main = answer(0.2, 25), .main_series = BL_NO_SERIES};
    m.plan.head.preset = "quick";
    CHECK_OK(bl_report_audit_read(&m, scratch_folder("audit"), ERR));
    CHECK_OK(bl_report_audit_read(&m, put_find("tiny", true), ERR));
    assert_int_equal(m.forecast_count, 0);
    assert_int_equal(bl_report_audit_read(&m, put_find("quick", false), &err), BL_EDAMAGED);
    assert_non_null(strstr(err.text, "find.json: its seal does not hold"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forecasts_and_factors),
        cmocka_unit_test(of_a_series),
        cmocka_unit_test(of_other_data_or_models),
        cmocka_unit_test(not_there),
    };
    return cmocka_run_group_tests_name("report_audit", tests, NULL, NULL);
}
