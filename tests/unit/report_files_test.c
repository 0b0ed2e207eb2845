/* The files that the report room writes and reads, against a handmade sweep. */
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/seal.h"
#include "tests/check.h"
#include "tests/unit/report_place.h"
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has_gnuplot(void) {
    return system("gnuplot --version >/dev/null 2>&1") == 0;
}

static void json_parses(void **state) {
    bl_report_model a = answer_of(
        *state, (bl_report_fixture){.sizes = 10, .seeds = 3, .timing = true, .budgets = true});
    bl_buf json = {0};
    bl_json_doc doc = {0};
    bl_recommendation_json(&a, &json);
    CHECK_OK(bl_json_parse(&doc, json.data, json.len, "recommendation", 1, ERR));
    const bl_json *time = bl_json_get(doc.root, "time");
    assert_float_equal(bl_json_number(time, "batch_size", 0), 256, 0);
    assert_float_equal(bl_json_number(time, "learning_rate", 0), 0x1p-9, 0);
    const double seconds = cbrt(1000.0 * 1005 * 1010) * 0.005;
    assert_float_equal(bl_json_number(time, "value", 0), seconds, 1e-8);
    assert_true(bl_json_number(time, "low", 9) < seconds);
    assert_true(bl_json_number(time, "high", 0) > seconds);
    assert_non_null(bl_json_get(bl_json_get(doc.root, "critical"), "max_useful"));
    assert_int_equal(bl_json_get(doc.root, "batch_sizes")->count, 10);
    assert_int_equal(bl_json_get(doc.root, "budgets")->count, 20);
    bl_json_free(&doc);
    bl_buf_free(&json);
    bl_report_model_free(&a);
}

static void tables_are_exact(void **state) {
    bl_report_model a = answer_of(
        *state,
        (bl_report_fixture){
            .sizes = 3, .seeds = 1, .timing = true, .budgets = true, .last_censored = true});
    write_report(*state, &a);
    bl_buf text = contents(*state, "scaling.dat");
    assert_non_null(strstr(text.data, "# reached\n"
                                      "# batch_size steps low high seeds learning_rate bracketed\n"
                                      "32 6600 NaN NaN 1 0.0009765625 1\n"
                                      "64 3400 NaN NaN 1 0.0009765625 1\n\n\n"
                                      "# censored\n"
                                      "# batch_size steps low high seeds learning_rate bracketed\n"
                                      "128 1800 NaN NaN 1 0.001953125 1\n"));
    bl_buf_free(&text);
    text = contents(*state, "time.dat");
    assert_non_null(strstr(text.data, "32 9.9 NaN NaN 0.0015 0.00147 0.00153\n"
                                      "64 6.8 NaN NaN 0.002 0.00196 0.00204\n"));
    bl_buf_free(&text);
    text = contents(*state, "resources.dat");
    assert_non_null(strstr(text.data, "32 19.8 0.00022 211200 8640000 NaN\n"));
    bl_buf_free(&text);
    text = contents(*state, "learning_rate.dat");
    assert_non_null(strstr(text.data, "32 0.00048828125 8250 1.25 1 1\n"));
    bl_buf_free(&text);
    text = contents(*state, "budgets.dat");
    assert_non_null(strstr(text.data,
                           "# best\n# batch_size value low high learning_rate steps curve\n"
                           "64 0.15 0.13 0.17 0.0009765625 100 1\n"
                           "128 0.1 0.08 0.12 0.001953125 100 2\n"));
    bl_buf_free(&text);
    text = contents(*state, "runs.csv");
    assert_non_null(strstr(
        text.data,
        "1,r000000010001,32,0.0009765625,1,0.2,60000,target,6600,"
        "211200,6600,6596,\"rate 0 octaves from \"\"best\"\"\",handmade (full),,exp_rmspe\n"));
    bl_buf_free(&text);
    bl_report_model_free(&a);
}

/* The value of that column in the row of that run; "" where it is empty. */
static void cell_of(char out[64], const bl_buf *csv, const char *run, const char *column) {
    const char *row = strstr(csv->data, run), *head = strstr(csv->data, column);
    assert_true(row != NULL && head != NULL);
    while (row > csv->data && row[-1] != '\n') row--;
    for (const char *at = csv->data; at < head; at++)
        if (*at == ',') row += strcspn(row, ",") + 1;
    (void)snprintf(out, 64, "%.*s", (int)strcspn(row, ",\n"), row);
}

/* Of each trial its series, which only decisions name. */
static void runs_have_their_series(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 4, .seeds = 1, .series = true});
    char cell[64];
    size_t named[2] = {0};
    write_report(*state, &a);
    bl_buf runs = contents(*state, "runs.csv");
    for (size_t i = 0; i < a.trial_count; i++) {
        cell_of(cell, &runs, a.trials[i].run, "series");
        named[0] += strcmp(cell, "\"sgd\"") == 0;
        named[1] += strcmp(cell, "\"adam\"") == 0;
        cell_of(cell, &runs, a.trials[i].run, "metric");
        assert_string_equal(cell, "exp_rmspe");
    }
    assert_int_equal(named[0], 4);
    assert_int_equal(named[1], 12);
    bl_buf_free(&runs);
    bl_report_model_free(&a);
}

static void expect_contents(const place *p, const char *file, const char *expected) {
    bl_buf text = contents(p, file);
    assert_string_equal(bl_buf_text(&text), expected);
    bl_buf_free(&text);
}

static void latex_is_exact(void **state) {
    bl_report_model a = answer_of(
        *state,
        (bl_report_fixture){.sizes = 4, .seeds = 2, .timing = true, .rules = true, .logs = true});
    write_report(*state, &a);
    expect_contents(
        *state, "sizes.tex",
        "% experiment fixture, preset tiny, handmade (full)\n"
        "% \\usepackage{booktabs}\n"
        "{\\footnotesize\\setlength{\\tabcolsep}{3pt}%\n"
        "\\begin{tabular}{rrrrrrr}\n"
        "\\toprule\n"
        "batch & best lr & steps & examples & time & core-s & memory \\\\\n"
        "\\midrule\n"
        "32 & 0.0009766 & 6,600 [6,580..6,630] & 211,300 & 9.90 s & 19.8 & 8.24 MiB \\\\\n"
        "64 & 0.0009766 & 3,402 [3,388..3,417] & 217,800 & 6.80 s & 13.6 & 8.85 MiB \\\\\n"
        "128 & 0.001953 & 1,802 [1,795..1,810] & 230,700 & 5.41 s & 10.8 & 10.1 MiB \\\\\n"
        "256 & 0.001953 & 1,002 [998..1,007] & 256,600 & 5.01 s & 10.0 & 12.5 MiB \\\\\n"
        "\\midrule\n"
        "\\multicolumn{7}{l}{a core-hour costs 0.04 EUR}\\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}}\n");
    expect_contents(
        *state, "critical.tex",
        "% experiment fixture, preset tiny, handmade (full)\n"
        "% \\usepackage{booktabs}\n"
        "{\\footnotesize\\setlength{\\tabcolsep}{3pt}%\n"
        "\\begin{tabular}{rrrrrr}\n"
        "\\toprule\n"
        " & \\multicolumn{2}{c}{over perfect scaling} & half the & within 10\\,\\% & lack of "
        "\\\\\n"
        "exp\\_rmspe & 10\\,\\% & 20\\,\\% & efficiency & of the fewest & fit, $p$ \\\\\n"
        "\\midrule\n"
        "$\\leq$\\,0.25 & 101 & 203 & $\\geq$\\,256 & $\\geq$\\,256 & 1 \\\\\n"
        " & (100 to 110) & (199 to 212) &  &  & \\\\\n"
        "\\midrule\n"
        "$\\leq$\\,0.2 & 102 & 204 & $\\geq$\\,256 & $\\geq$\\,256 & 1 \\\\\n"
        " & (100 to 113) & (199 to 215) &  &  & \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}}\n");
    expect_contents(*state, "rules.tex",
                    "% experiment fixture, preset tiny, handmade (full)\n"
                    "% \\usepackage{booktabs}\n"
                    "{\\footnotesize\\setlength{\\tabcolsep}{3pt}%\n"
                    "\\begin{tabular}{rrr}\n"
                    "\\toprule\n"
                    "batch & square root & Malladi \\\\\n"
                    "\\midrule\n"
                    "64 & 1.10 & -- \\\\\n"
                    "128 & -- & $\\geq$\\,4.00 \\\\\n"
                    "256 & -- & -- \\\\\n"
                    "\\bottomrule\n"
                    "\\end{tabular}}\n");
    bl_report_model_free(&a);
}

/* A run of the learning-rate finder and two lines of noise, which the fixture does not have. */
static void add_measured(bl_report_model *m) {
    static const bl_report_finder_point curve[] = {
        {1e-4, 1.0 },
        {1e-3, 0.5 },
        {1e-2, 0.25},
        {1e-1, 2.0 }
    };
    m->finders = bl_xalloc(sizeof *m->finders);
    m->finder_count = 1;
    m->finders[0] = (bl_report_finder){
        .batch_size = 64,
        .tuned = 2e-3,
        .point = bl_xalloc(sizeof curve),
        .points = BL_COUNT(curve),
        .suggestion = {{.name = "steepest", .learning_rate = 1e-3, .regret = 0.25},
                       {.name = "valley", .learning_rate = NAN, .regret = NAN}},
        .suggestions = 2
    };
    memcpy(m->finders[0].point, curve, sizeof curve);
    m->noise = bl_xalloc(2 * sizeof *m->noise);
    m->noise_count = 2;
    m->noise_batch_size = 64;
    m->noise[0] = (bl_report_noise_line){
        .name = "frozen",
        .words = "probes at frozen weights",
        .point = {{640, 100, 80, 130, 4}, {1280, NAN, NAN, NAN, 4}, {2560, 400, 300, 520, 4}},
        .points = 3
    };
    m->noise[1] = (bl_report_noise_line){
        .name = "C", .words = "none above 0", .point = {{640, -3, NAN, NAN, 4}}, .points = 1};
    static const bl_report_probe probes[] = {
        {64,   2e8, true },
        {1024, 5e8, true },
        {4096, NAN, false}
    };
    m->machine = (bl_report_machine){.known = true,
                                     .limit = 1e9,
                                     .kept_free = 5e7,
                                     .parameters = 1000,
                                     .probe = bl_xalloc(sizeof probes),
                                     .probes = BL_COUNT(probes),
                                     .largest = 1024,
                                     .largest_bytes = 5e8,
                                     .failed = 4096,
                                     .most = 5000};
    memcpy(m->machine.probe, probes, sizeof probes);
    m->rate_budgets = bl_xalloc(sizeof *m->rate_budgets);
    m->rate_budget_count = 1;
    m->rate_budgets[0] = (bl_report_rate_budget){
        .words = "constant, fixed size",
        .slope = -0.5,
        .half = 0.1,
        .point = {{0.5, 0.01, 0.008, 0.012, 64}, {8, 0.0025, NAN, NAN, 64}},
        .points = 2
    };
    m->quality = bl_xalloc(sizeof *m->quality);
    m->quality_count = 1;
    m->quality[0] = (bl_report_quality){
        .batch_size = 64,
        .learning_rate = 0.1,
        .steps = 500,
        .margin = 0.05,
        .settings = bl_xstrdup("{}"),
        .lowest = bl_xalloc(sizeof(double)),
        .median = {0.15, 0.14, 0.16, true, 0},
        .ratio = bl_stats_unknown()
    };
    m->forecasts = bl_xalloc(sizeof *m->forecasts);
    m->forecast_count = 1;
    m->forecasts[0] = (bl_report_forecast){"noise_way", "noise scale on the way", m->main.target,
                                           BL_NO_SERIES, bl_stats_exact(77)};
}

static void same_bytes_twice(void **state) {
    static const char *const figures[] = {
        "scaling",         "time",        "resources", "learning_rate", "lr_sensitivity",
        "budgets",         "rules",       "pareto",    "targets",       "curves_steps",
        "curves_examples", "curves_time", "series",    "finder",        "noise",
        "throughput",      "step_time",   "memory",    "rate_budget",   "quality"};
    static const char *const endings[] = {"svg", "png", "pdf", "dat", "gp"};
    if (!has_gnuplot()) skip();
    bl_report_model a = answer_of(*state, (bl_report_fixture){.sizes = 8,
                                                              .seeds = 3,
                                                              .timing = true,
                                                              .budgets = true,
                                                              .logs = true,
                                                              .rules = true,
                                                              .series = true});
    add_measured(&a);
    bl_buf before[sizeof figures / sizeof *figures][sizeof endings / sizeof *endings] = {0};
    char name[64];
    for (int round = 0; round < 2; round++) {
        if (round == 1) (void)sleep(1); /* so that a clock in a file would show */
        CHECK_OK(bl_report_write(&a, ((place *)*state)->report, report_templates, NULL, ERR));
        for (size_t f = 0; f < sizeof figures / sizeof *figures; f++)
            for (size_t e = 0; e < sizeof endings / sizeof *endings; e++) {
                (void)snprintf(name, sizeof name, "%s.%s", figures[f], endings[e]);
                bl_buf now = contents(*state, name);
                if (round == 0) {
                    before[f][e] = now;
                    continue;
                }
                if (now.len != before[f][e].len || memcmp(now.data, before[f][e].data, now.len))
                    fail_msg("%s differs from one writing to the next", name);
                bl_buf_free(&now);
                bl_buf_free(&before[f][e]);
            }
    }
    bl_buf html = contents(*state, "report.html");
    assert_non_null(strstr(html.data, "<svg"));
    assert_non_null(strstr(html.data, "<h2 id=\"forecasts\">Forecasts</h2>"));
    assert_non_null(strstr(html.data, "<li><a href=\"#forecasts\">Forecasts</a></li>"));
    assert_non_null(strstr(html.data, "<td>noise scale on the way</td>"));
    bl_buf_free(&html);
    bl_buf csv = contents(*state, "audit.csv");
    assert_non_null(strstr(csv.data, ",noise_way,77,,,b_crit,"));
    bl_buf_free(&csv);
    bl_report_model_free(&a);
}

/* Sizes that batchlab machine saw fail are marked in figures, table and sentences, and take more
 * devices. */
static void what_does_not_fit_is_said(void **state) {
    const place *p = *state;
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 6, .seeds = 3, .timing = true});
    bl_buf words = {0}, json = {0}, file = {0};
    char path[BL_PATH];
    bl_err err;
    bl_recommendation_text(&a, &words);
    assert_null(strstr(bl_buf_text(&words), "not fit"));
    bl_buf_clear(&words);
    bl_jw w = bl_jw_open(&file);
    bl_jw_object(&w, NULL);
    bl_jw_i64(&w, "format", 1);
    bl_jw_str(&w, "experiment", a.plan.head.experiment);
    bl_jw_str(&w, "preset", a.plan.head.preset);
    bl_jw_object(&w, "limit");
    bl_jw_f64(&w, "bytes", 1 << 30);
    bl_jw_str(&w, "source", "as asked");
    bl_jw_end(&w);
    bl_jw_i64(&w, "largest", 80);
    bl_jw_i64(&w, "failed", 100);
    bl_seal(&file);
    bl_report_model_free(&a);
    CHECK_OK(bl_path(path, ERR, "%s/machine.json", p->runs));
    CHECK_OK(bl_file_write(path, file.data, file.len, ERR));
    CHECK_OK(bl_report_analyse(&a, p->runs, ERR));
    for (size_t i = 0; i < a.main.size_count; i++) {
        const double b = a.main.sizes[i].batch_size;
        assert_int_equal(a.main.sizes[i].devices, b < 100 ? 1 : (int)ceil(b / 80));
    }
    bl_recommendation_text(&a, &words);
    bl_recommendation_json(&a, &json);
    assert_non_null(strstr(bl_buf_text(&words), "Batch sizes from 100 on do not fit into 1,024 MiB "
                                                "(as asked): batchlab machine tried.\n"));
    assert_non_null(strstr(bl_buf_text(&words), " It does not fit into 1,024 MiB (as asked); of "
                                                "those that fit, batch size 64 is the best, "));
    assert_non_null(strstr(bl_buf_text(&json), "\"fits\":false"));
    assert_non_null(strstr(bl_buf_text(&json), "\"fits\":true"));
    write_report(*state, &a);
    bl_buf gp = contents(*state, "scaling.gp");
    assert_non_null(strstr(gp.data, "'does not fit'"));
    bl_report_model_free(&a);
    file.data[file.len / 2] ^= 1;
    CHECK_OK(bl_file_write(path, file.data, file.len, ERR));
    assert_int_equal(bl_report_analyse(&a, p->runs, &err), BL_EDAMAGED);
    assert_non_null(strstr(err.text, "machine.json: its seal does not hold"));
    bl_buf_free(&gp);
    bl_buf_free(&words);
    bl_buf_free(&json);
    bl_buf_free(&file);
}

static void old_figures_go(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 4, .seeds = 1, .timing = true});
    write_report(*state, &a);
    assert_true(in_report(*state, "time.dat"));
    char path[BL_PATH]; /* what the figure lr_sensitivity was called before */
    CHECK_OK(bl_path(path, ERR, "%s/basins.svg", ((place *)*state)->report));
    CHECK_OK(bl_file_write(path, "<svg", 4, ERR));
    a.timed = false;
    write_report(*state, &a);
    assert_false(in_report(*state, "time.dat"));
    assert_false(in_report(*state, "time.svg"));
    assert_false(in_report(*state, "basins.svg"));
    bl_report_model_free(&a);
}

static void without_gnuplot(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 4, .seeds = 1, .timing = true});
    char *path = strdup(getenv("PATH"));
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    bl_err err = {0};
    const bl_status status =
        bl_report_write(&a, ((place *)*state)->report, report_templates, NULL, &err);
    assert_int_equal(setenv("PATH", path, 1), 0);
    free(path);
    assert_int_equal(status, BL_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "gnuplot is not installed"));
    assert_true(in_report(*state, "scaling.gp") && in_report(*state, "report.html"));
    assert_false(in_report(*state, "scaling.svg"));
    bl_report_model_free(&a);
}

/* A folder in front of the others on PATH, with a program `gnuplot` of these lines of shell; the
 * path of before, to be given to leave_gnuplot. */
static char *stand_in(const place *p, const char *shell) {
    char file[BL_PATH], words[2 * BL_PATH];
    char *before = strdup(getenv("PATH"));
    CHECK_OK(bl_path(file, ERR, "%s/gnuplot", p->root));
    (void)snprintf(words, sizeof words, "#!/bin/sh\nname=${2%%.gp}\n%s\n", shell);
    CHECK_OK(bl_file_write(file, words, strlen(words), ERR));
    assert_int_equal(chmod(file, 0755), 0);
    (void)snprintf(words, sizeof words, "%s:%s", p->root, before);
    assert_int_equal(setenv("PATH", words, 1), 0);
    return before;
}

static void leave_gnuplot(char *before) {
    assert_int_equal(setenv("PATH", before, 1), 0);
    free(before);
}

/* The names in the place's folder that are left of an unfinished drawing. */
static size_t leftovers(const place *p) {
    bl_names names;
    size_t n = 0;
    CHECK_OK(bl_dir_list(&names, p->root, ERR));
    for (size_t i = 0; i < names.count; i++) n += strstr(names.name[i], BL_TEMPORARY) != NULL;
    bl_names_free(&names);
    return n;
}

#define WHOLE                                                                                      \
    "printf '</svg>\\n' >$name.svg; printf 'IEND\\256B`\\202' >$name.png; "                        \
    "printf '%%%%EOF\\n' >$name.pdf; cp $name.svg $name.linear.svg; "

/* gnuplot takes no notice of a full disk: its drawings are then empty, cut or missing, and it ends
 * well. The older report stays as it is. */
static void a_broken_drawing_leaves_the_old_report(void **state) {
    static const struct {
        const char *shell, *named;
    } faults[] = {
        {"for e in svg png pdf; do : >$name.$e; done",            "scaling.svg"    },
        {WHOLE "[ $name != time ] || : >$name.png",               "time.png"       },
        {WHOLE "[ $name != time ] || rm $name.pdf",               "time.pdf"       },
        {WHOLE "[ $name != time ] || rm $name.linear.svg",        "time.linear.svg"},
        {WHOLE "[ $name != time ] || printf '<svg><' >$name.svg", "time.svg"       }
    };
    const place *p = *state;
    bl_report_model a = answer_of(p, (bl_report_fixture){.sizes = 4, .seeds = 1, .timing = true});
    char *before = stand_in(p, WHOLE);
    CHECK_OK(bl_report_write(&a, p->report, report_templates, NULL, ERR));
    leave_gnuplot(before);
    bl_buf old = contents(p, "recommendation.txt");
    a.plan.head.experiment = "another";
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        bl_err err = {0};
        before = stand_in(p, faults[i].shell);
        const bl_status status = bl_report_write(&a, p->report, report_templates, NULL, &err);
        leave_gnuplot(before);
        assert_int_equal(status, BL_EIO);
        if (strstr(err.text, faults[i].named) == NULL)
            fail_msg("'%s' does not name %s", err.text, faults[i].named);
        expect_contents(p, "recommendation.txt", bl_buf_text(&old));
        expect_contents(p, "time.svg", "</svg>\n");
        assert_int_equal(leftovers(p), 0);
    }
    bl_buf_free(&old);
    bl_report_model_free(&a);
}

/* A gnuplot that cannot be loaded, as under a limit of memory, ends like one that is not there. */
static void a_gnuplot_that_cannot_be_loaded(void **state) {
    bl_report_model a =
        answer_of(*state, (bl_report_fixture){.sizes = 4, .seeds = 1, .timing = true});
    char *before = stand_in(*state, "echo 'gnuplot: error while loading shared libraries' >&2\n"
                                    "exit 127");
    bl_err err = {0};
    const bl_status status =
        bl_report_write(&a, ((place *)*state)->report, report_templates, NULL, &err);
    leave_gnuplot(before);
    assert_int_equal(status, BL_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "gnuplot: error while loading shared libraries: tables and"));
    assert_null(strstr(err.text, "not installed"));
    assert_true(in_report(*state, "scaling.gp") && in_report(*state, "report.html"));
    assert_false(in_report(*state, "scaling.svg"));
    bl_report_model_free(&a);
}

/* What belongs to no report stays, a folder as well as a file and one with a dot, and the report
 * around it is the new one. */
static void what_is_no_report_stays(void **state) {
    static const char *const own[] = {"own.txt", ".own", "folder/time.svg"};
    const place *p = *state;
    char path[BL_PATH];
    bl_report_model a = answer_of(p, (bl_report_fixture){.sizes = 4, .seeds = 1, .timing = true});
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        a.timed = true;
        write_report(p, &a);
        CHECK_OK(bl_path(path, ERR, "%s/folder", p->report));
        if (own[i][0] == 'f') CHECK_OK(bl_make_dirs(path, ERR));
        CHECK_OK(bl_path(path, ERR, "%s/%s", p->report, own[i]));
        CHECK_OK(bl_file_write(path, "mine", 4, ERR));
        a.timed = false;
        write_report(p, &a);
        expect_contents(p, own[i], "mine");
        assert_false(in_report(p, "time.dat"));
        assert_true(in_report(p, "report.html"));
        assert_int_equal(leftovers(p), 0);
        if (own[i][0] != 'f') assert_int_equal(unlink(path), 0);
    }
    bl_report_model_free(&a);
}

/* Texts of the plan that drawings show, each with what gnuplot, HTML and LaTeX give a meaning: the
 * scripts stay one statement a line, and gnuplot takes them. */
static void hostile_texts_are_drawn(void **state) {
    static const char *const texts[] = {
        "'.system(\"x\").'",
        "a\"b'c`touch bl-owned`\n\t\x01\\n ../../x $(x) %s %n <b>&amp;</b> \xc3\xa4\xe2\x82\xac"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bl_report_model a = answer_of(*state, (bl_report_fixture){.sizes = 2,
                                                                  .seeds = 1,
                                                                  .budgets = true,
                                                                  .series = true,
                                                                  .timing = true,
                                                                  .logs = true});
        a.plan.head.title = texts[i];
        a.plan.head.dataset.variant = texts[i];
        a.plan.head.metric = texts[i];
        a.plan.head.cost.currency = texts[i];
        a.series[0].name = texts[i];
        (void)snprintf(a.processor, sizeof a.processor, "%s", texts[i]);
        write_report(*state, &a);
        assert_false(in_report(*state, "bl-owned"));
        bl_report_model_free(&a);
    }
}

static void a_title_is_only_text(void **state) {
    bl_report_model a = answer_of(*state, (bl_report_fixture){.sizes = 2, .seeds = 1});
    a.plan.head.title = "it's `id` <b>\n\"x\"";
    write_report(*state, &a);
    bl_buf gp = contents(*state, "scaling.gp"), html = contents(*state, "report.html");
    assert_non_null(strstr(gp.data, "caption_text = 'it''s `id` <b> \"x\"'\n"));
    assert_non_null(strstr(gp.data, "title_text = 'Steps to exp_rmspe ≤ 0.2'\n"));
    assert_non_null(strstr(html.data, "<title>it's `id` &lt;b&gt;\n&quot;x&quot;</title>"));
    bl_buf_free(&html);
    bl_buf_free(&gp);
    bl_report_model_free(&a);
}

/* A figure of one series names it, and a caption ends with what was found. */
static void figures_say_what_they_show(void **state) {
    bl_report_model a = answer_of(
        *state, (bl_report_fixture){.sizes = 8, .seeds = 3, .series = true, .timing = true});
    write_report(*state, &a);
    bl_buf one = contents(*state, "scaling.gp"), all = contents(*state, "series.gp");
    bl_buf html = contents(*state, "report.html");
    assert_non_null(strstr(one.data, " (adam)'\nsynthetic_text"));
    assert_null(strstr(all.data, "(adam)"));
    assert_non_null(strstr(html.data, "retuned for each. Critical: batch size "));
    assert_non_null(strstr(html.data, "of the timing pass. Fastest: adam, batch size "));
    assert_non_null(strstr(html.data, "needs least of it. Cheapest: adam, batch size "));
    assert_non_null(strstr(html.data, "critical batch size. The critical batch size of series "));
    assert_non_null(strstr(html.data, "cost more of the other.</figcaption>"));
    /* Who does not see a figure is told its caption, and no name of gnuplot's. */
    assert_non_null(
        strstr(html.data, "<svg role=\"img\" aria-label=\"Training time to the target: "));
    assert_null(strstr(html.data, "<title>gnuplot_plot_1</title>"));
    assert_null(strstr(html.data, "<title>Gnuplot</title>"));
    bl_buf_free(&html);
    bl_buf_free(&all);
    bl_buf_free(&one);
    bl_report_model_free(&a);
}

/* ---- bad files ---- */

static void expect_fault(const place *p, const char *plan, bl_status code, const char *text) {
    char path[BL_PATH];
    bl_err err = {0};
    bl_report_model a;
    CHECK_OK(bl_path(path, ERR, "%s/plan.jsonl", p->runs));
    CHECK_OK(bl_file_write(path, plan, strlen(plan), ERR));
    assert_int_equal(bl_report_analyse(&a, p->runs, &err), code);
    if (strstr(err.text, text) == NULL) fail_msg("'%s' does not say '%s'", err.text, text);
}

static void bad_plans(void **state) {
    bl_err err = {0};
    bl_report_model a;
    const place *p = *state;
    assert_int_equal(bl_report_analyse(&a, p->runs, &err), BL_EMISSING);
    assert_non_null(strstr(err.text, "there is no plan.jsonl"));
    expect_fault(p, "", BL_EFORMAT, "empty");
    expect_fault(p, "{\"record\":\"trial\"}\n", BL_EFORMAT,
                 "plan.jsonl:1: not a plan of format 1 or 2");
    expect_fault(p, "{\"record\":\"plan\",\"format\":1}\n", BL_EFORMAT,
                 "plan.jsonl:1: the head needs 'experiment'");
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, report_enter, report_leave)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(json_parses),
        IN_FOLDER(runs_have_their_series),
        IN_FOLDER(tables_are_exact),
        IN_FOLDER(latex_is_exact),
        IN_FOLDER(same_bytes_twice),
        IN_FOLDER(what_does_not_fit_is_said),
        IN_FOLDER(old_figures_go),
        IN_FOLDER(without_gnuplot),
        IN_FOLDER(a_gnuplot_that_cannot_be_loaded),
        IN_FOLDER(a_broken_drawing_leaves_the_old_report),
        IN_FOLDER(what_is_no_report_stays),
        IN_FOLDER(a_title_is_only_text),
        IN_FOLDER(figures_say_what_they_show),
        IN_FOLDER(hostile_texts_are_drawn),
        IN_FOLDER(bad_plans),
    };
    return cmocka_run_group_tests_name("report_files", tests, NULL, NULL);
}
