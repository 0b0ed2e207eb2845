/* From the records that probes left to the lines of the figure: which run, which windows, what is
 * left out. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/noise/noise_record.h"
#include "engine/report/noise_read.h"
#include "engine/runlog/runlog.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <math.h>
#include <stdlib.h>

static const char *g_dir;

/* Probes with |G|^2 = 2 and S = `trace`, exact, at steps 10, 20, ...; ways at each of these. */
static void put_run(const char *id, int64_t batch, int probes, double trace, bool adam) {
    char path[BL_PATH];
    bl_buf text = {0};
    const bl_noise_settings settings = {.share = 1, .batch = 4, .batches = 4};
    bl_noise_write_header(&text, id, &settings);
    for (int k = 1; k <= probes; k++) {
        bl_noise_probe p = {.step = 10 * k, .batch = 4, .batches = 4};
        bl_noise_norms *n = &p.norms[BL_NOISE_PLAIN];
        n->known = true;
        for (int i = 0; i < 4; i++) {
            n->quarter[i] = 2 + trace / 4;
            for (int j = 0; j < 4; j++) n->product[i][j] = 2 + (i == j ? trace / 4 : 0);
        }
        n->level[0] = 2 + trace / 4;
        bl_noise_fill_upper(n, 2);
        if (adam) p.norms[BL_NOISE_PRECONDITIONED] = *n;
        bl_noise_write_probe(&text, &p);
        const double b = (double)batch;
        bl_noise_write_ways(&text, &(bl_noise_ways){.step = 10 * k,
                                                    .batch = batch,
                                                    .window = 5,
                                                    .average_sq = 4,
                                                    .average_variance = trace / b,
                                                    .small_sq = 2 + trace / b,
                                                    .big_sq = 2 + trace / b / 5});
    }
    CHECK_OK(bl_path(path, ERR, "%s/%s", g_dir, id));
    CHECK_OK(bl_make_dirs(path, ERR));
    CHECK_OK(bl_path(path, ERR, "%s/%s/noise.jsonl.gz", g_dir, id));
    CHECK_OK(bl_runlog_write(path, text.data, text.len, ERR));
    bl_buf_free(&text);
}

static bl_report_trial trial(const char *id, double batch, int64_t steps, const char *settings) {
    bl_report_trial t = {
        .batch_size = batch, .learning_rate = 0.1, .steps = steps, .seed = 1, .settings = settings};
    (void)snprintf(t.run, sizeof t.run, "%s", id);
    return t;
}

static const bl_report_noise_line *line_of(const bl_report_model *m, const char *name) {
    for (size_t i = 0; i < m->noise_count; i++)
        if (strcmp(m->noise[i].name, name) == 0) return &m->noise[i];
    return NULL;
}

static void lines_over_training(void **state) {
    (void)state;
    bl_report_trial trials[] = {
        trial("r000000000001", 32, 1000, ""), /* no probes */
        trial("r000000000004", 128, 1000, ""), trial("r000000000002", 64, 250, ""),
        trial("r000000000003", 128, 1000, "other"), trial("r000000000004", 128, 1000, "")};
    bl_report_model m = {.trials = trials, .trial_count = BL_COUNT(trials)};
    put_run("r000000000002", 64, 30, 60, true);
    put_run("r000000000003", 128, 30, 1, false);
    put_run("r000000000004", 128, 30, 60, false);
    CHECK_OK(bl_report_noise_read(&m, g_dir, ERR));
    assert_true(m.noise_batch_size == 64);
    assert_int_equal(m.noise_count, 6);
    const bl_report_noise_line *frozen = line_of(&m, "frozen");
    assert_int_equal(frozen->points, BL_REPORT_NOISE_WINDOWS);
    double records = 0;
    for (size_t i = 0; i < frozen->points; i++) {
        check_close(frozen->point[i].scale, 30, 1e-9);
        check_close(frozen->point[i].high, 30, 1e-9);
        records += frozen->point[i].records;
        check_close(line_of(&m, "preconditioned")->point[i].scale, 30, 1e-9);
        check_close(line_of(&m, "A")->point[i].scale, 15, 1e-9);
        check_close(line_of(&m, "B")->point[i].scale, 60 / (2 + 60 / 64.0 / 5), 1e-9);
        check_close(line_of(&m, "D")->point[i].scale, 30, 1e-9);
    }
    assert_true(records == 25); /* the plan asked for 250 steps */
    check_close(frozen->point[0].examples, 64 * sqrt(10.0 * 20.0), 1e-9);
    /* The run of 128 has no record before 1,280 examples. */
    check_close(line_of(&m, "C")->point[0].scale, 30, 1e-9);
    check_close(line_of(&m, "C")->point[11].scale, 30, 1e-9);
    free(m.noise);
}

static void without_probes_and_damaged(void **state) {
    (void)state;
    bl_err err;
    bl_report_trial trials[] = {trial("r00000000000a", 64, 10, ""),
                                trial("r00000000000b", 64, 100, "")};
    bl_report_model m = {.trials = trials, .trial_count = 1};
    CHECK_OK(bl_report_noise_read(&m, g_dir, ERR));
    assert_int_equal(m.noise_count, 0);
    put_run("r00000000000b", 64, 3, 60, false);
    m.trial_count = 2;
    CHECK_OK(bl_report_noise_read(&m, g_dir, ERR));
    assert_null(line_of(&m, "preconditioned"));
    assert_null(line_of(&m, "C"));
    assert_int_equal(line_of(&m, "frozen")->points, 3);
    free(m.noise);
    m.noise = NULL;
    m.noise_count = 0;
    char path[BL_PATH];
    CHECK_OK(bl_path(path, ERR, "%s/r00000000000b/noise.jsonl.gz", g_dir));
    CHECK_OK(bl_runlog_write(path, "{\"record\":\"eval\"}\n", 18, ERR));
    assert_int_equal(bl_report_noise_read(&m, g_dir, &err), BL_EFORMAT);
}

static int folder(void **state) {
    (void)state;
    g_dir = scratch_folder("noise");
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_over_training),
                                       cmocka_unit_test(without_probes_and_damaged)};
    return cmocka_run_group_tests_name("report_noise", tests, folder, NULL);
}
