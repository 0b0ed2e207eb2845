/* All definitions of critical batch size: closed forms, bounds at the ends of the measured range,
 * what too little data may say, and whether the intervals cover what they claim. */
#include "engine/base/philox.h"
#include "engine/stats/critical.h"
#include "tests/check.h"
#include <math.h>

enum { MAX = 128 };
static const bl_stats_options NO_INTERVALS = {0};

typedef double curve_fn(const void *curve, double batch_size);
static double hyperbola(const void *c, double b) {
    return bl_stats_hyperbola_at(c, b);
}
static double segments(const void *c, double b) {
    return bl_stats_segments_at(c, b);
}

/* A standard normal by Box and Muller. */
static double normal(uint64_t seed, uint64_t index) {
    const bl_u32x4 w = bl_random4(seed, BL_STREAM_SYNTH, 0, index);
    const double u = 1 - bl_unit_f64(w.v[0], w.v[1]), v = bl_unit_f64(w.v[2], w.v[3]);
    return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

/* `seeds` runs at each power-of-two multiple of `from`, log-normal noise `sd` around the curve. */
static size_t sample(bl_stats_point *p, curve_fn *at, const void *curve, double from, double to,
                     int seeds, double sd, uint64_t noise) {
    size_t n = 0;
    for (double b = from; b <= to; b *= 2)
        for (int s = 0; s < seeds; s++) {
            const double shift = sd > 0 ? sd * normal(noise, n) : 0;
            p[n++] =
                (bl_stats_point){.batch_size = b, .steps = at(curve, b) * exp(shift), .seed = s};
        }
    return n;
}

static void close_to(double found, double expected, double relative) {
    if (!(fabs(found - expected) <= relative * fabs(expected)))
        fail_msg("%.12g, expected %.12g", found, expected);
}

static void exact(const bl_stats_value *v, double expected, double relative) {
    assert_true(v->known);
    assert_int_equal(v->bound, 0);
    close_to(v->value, expected, relative);
}

static void bounded(const bl_stats_value *v, int bound, double at) {
    assert_true(v->known);
    assert_int_equal(v->bound, bound);
    close_to(v->value, at, 1e-6);
}

static void of_a_hyperbola(void **state) {
    (void)state;
    bl_stats_point p[MAX];
    const bl_stats_hyperbola h = {200, 1000};
    const size_t n = sample(p, hyperbola, &h, 32, 16384, 1, 0, 0);
    bl_stats_critical c;
    CHECK_OK(bl_stats_critical_fit(&c, p, n, &NO_INTERVALS, ERR));
    assert_true(c.hyperbola.fits && !c.efficiency_by_segments);
    exact(&c.hyperbola.s_min, 200, 1e-6);
    exact(&c.efficiency_50, 1000, 1e-6);
    assert_true(isnan(c.efficiency_50.low));
    /* On the hyperbola itself these would be 200, 100 and 10,000; three straight segments see a
     * line that already bends and a floor that is not yet reached. */
    assert_true(c.overhead_20.value > 200 && c.overhead_20.value < 350);
    assert_true(c.perfect_scaling_end.value > 100 && c.perfect_scaling_end.value < 260);
    assert_true(c.max_useful.value > 2000 && c.max_useful.value < 10000);
    assert_string_equal(c.verdict, "the hyperbola describes the data (worst deviation 0 %)");
    assert_int_equal(c.noise, BL_STATS_NOISE_NONE);
}

static void of_segments(void **state) {
    (void)state;
    bl_stats_point p[MAX];
    const bl_stats_segments g = {1e6, -0.5, 200, 3000};
    const size_t n = sample(p, segments, &g, 16, 32768, 1, 0, 0);
    bl_stats_critical c;
    CHECK_OK(bl_stats_critical_fit(&c, p, n, &NO_INTERVALS, ERR));
    exact(&c.segments.examples, 1e6, 1e-6);
    exact(&c.segments.slope, -0.5, 1e-6);
    exact(&c.perfect_scaling_end, 200 * 1.1 * 1.1, 1e-6); /* (B / 200)^(1 - 1/2) = 1.1 */
    exact(&c.overhead_20, 200 * 1.2 * 1.2, 1e-6);
    exact(&c.max_useful, 3000 / (1.1 * 1.1), 1e-6); /* (3000 / B)^(1/2) = 1.1 */
    exact(&c.segments.s_min, bl_stats_segments_floor(&g), 1e-6);
}

/* Momentum's knee: the hyperbola misses, says so, and the segments answer. */
static void of_a_sharp_knee(void **state) {
    (void)state;
    bl_stats_point p[MAX];
    const bl_stats_segments g = {1e6, -0.5, 1100, 1100};
    const size_t n = sample(p, segments, &g, 16, 32768, 1, 0, 0);
    bl_stats_critical c;
    CHECK_OK(bl_stats_critical_fit(&c, p, n, &NO_INTERVALS, ERR));
    assert_false(c.hyperbola.fits);
    assert_true(c.efficiency_by_segments);
    exact(&c.efficiency_50, 1100, 1e-4); /* E_min / S_min = 1e6 / (1e6 / 1100) */
    exact(&c.overhead_20, 1320, 1e-4);
    exact(&c.perfect_scaling_end, 1210, 1e-4);
    exact(&c.max_useful, 1000, 1e-4);
    assert_non_null(strstr(c.verdict, "rest on the segments"));
}

static void bounds_beyond_the_range(void **state) {
    (void)state;
    bl_stats_point p[MAX];
    bl_stats_critical c;
    const bl_stats_hyperbola far = {1, 1e6}, early = {500, 20};
    size_t n = sample(p, hyperbola, &far, 32, 4096, 1, 0, 0);
    CHECK_OK(bl_stats_critical_fit(&c, p, n, &NO_INTERVALS, ERR));
    bounded(&c.efficiency_50, 1, 4096);
    bounded(&c.overhead_20, 1, 4096);
    bounded(&c.perfect_scaling_end, 1, 4096);
    assert_true(c.max_useful.bound == 1 && c.max_useful.value > 3000);
    bounded(&c.hyperbola.s_min, -1, bl_stats_hyperbola_at(&far, 4096));
    assert_non_null(strstr(c.verdict, "outside the measured"));
    /* The other end: nothing of perfect scaling is left at the smallest batch size. */
    n = sample(p, hyperbola, &early, 32, 4096, 1, 0, 0);
    CHECK_OK(bl_stats_critical_fit(&c, p, n, &NO_INTERVALS, ERR));
    bounded(&c.efficiency_50, -1, 32);
    exact(&c.hyperbola.s_min, 500, 1e-6);
    assert_int_equal(c.perfect_scaling_end.bound, -1);
    assert_int_equal(c.overhead_20.bound, -1);
    assert_int_equal(c.segments.examples.bound, -1);
    assert_int_equal(c.max_useful.bound, 0);
}

static void check_nothing_known(const bl_stats_critical *c) {
    const bl_stats_value *all[] = {&c->efficiency_50, &c->overhead_20,      &c->perfect_scaling_end,
                                   &c->max_useful,    &c->hyperbola.b_crit, &c->segments.examples};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_false(all[i]->known);
        assert_true(isnan(all[i]->value));
    }
    assert_true(c->verdict[0] != '\0');
    assert_null(strstr(c->verdict, "nan"));
    bl_buf out = {0};
    bl_jw w = bl_jw_open(&out);
    bl_stats_fit_json(&w, NULL, c);
    bl_jw_done(&w);
    assert_null(strstr(bl_buf_text(&out), "nan"));
    bl_buf_clear(&out);
    bl_stats_value_text(&out, &c->efficiency_50);
    assert_string_equal(bl_buf_text(&out), "unknown");
    bl_buf_free(&out);
}

static void open_ends_in_words(void **state) {
    (void)state;
    const struct {
        bl_stats_value value;
        const char *words;
    } cases[] = {
        {{648, 0, (double)INFINITY, true, 0},      "648 (0 and up)"  },
        {{648, 500, (double)INFINITY, true, 0},    "648 (500 and up)"},
        {{648, 0, 900, true, 0},                   "648 (up to 900)" },
        {{648, 500, 900, true, 0},                 "648 (500 to 900)"},
        {{648, 0, (double)INFINITY, true, 1},      ">= 648"          },
        {{648, (double)NAN, (double)NAN, true, 0}, "648"             },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bl_buf out = {0};
        bl_stats_value_text(&out, &cases[i].value);
        assert_string_equal(bl_buf_text(&out), cases[i].words);
        bl_buf_free(&out);
    }
}

static void degenerate(void **state) {
    (void)state;
    const bl_stats_options options = {.seed = 1, .replicates = 50};
    bl_stats_point p[MAX];
    bl_stats_critical c;
    const bl_stats_hyperbola h = {200, 1000}, flat = {200, 1e-9};
    size_t n = sample(p, hyperbola, &h, 32, 4096, 3, 0.1, 1);
    CHECK_OK(bl_stats_critical_fit(&c, p, 0, &options, ERR));
    check_nothing_known(&c);
    CHECK_OK(bl_stats_critical_fit(&c, p, 1, &options, ERR));
    check_nothing_known(&c);
    CHECK_OK(bl_stats_critical_fit(&c, p, 6, &options, ERR)); /* two batch sizes */
    check_nothing_known(&c);
    for (size_t i = 0; i < n; i++) p[i].censored = true;
    CHECK_OK(bl_stats_critical_fit(&c, p, n, &options, ERR));
    check_nothing_known(&c);
    assert_int_equal(c.censored, 8);
    n = sample(p, hyperbola, &flat, 32, 4096, 3, 0, 0);
    CHECK_OK(bl_stats_critical_fit(&c, p, n, &options, ERR));
    check_nothing_known(&c);
    assert_non_null(strstr(c.verdict, "no scaling"));
}

static void wrong_points(void **state) {
    (void)state;
    /* batch size, steps, steps before */
    const double bad[][3] = {
        {0,           1,        0 },
        {-4,          1,        0 },
        {4,           0,        0 },
        {4,           INFINITY, 0 },
        {(double)NAN, 1,        0 },
        {4,           5,        5 },
        {4,           5,        -1}
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bl_stats_critical c;
        bl_err err = {0};
        bl_stats_point two[2];
        two[0] = (bl_stats_point){.batch_size = 4, .steps = 9};
        two[1] =
            (bl_stats_point){.batch_size = bad[i][0], .steps = bad[i][1], .steps_prev = bad[i][2]};
        assert_int_equal(bl_stats_critical_fit(&c, two, 2, &NO_INTERVALS, &err), BL_EINVAL);
        assert_non_null(strstr(err.text, "point 2"));
    }
}

static void steps_between_two_evaluations(void **state) {
    (void)state;
    close_to(bl_stats_point_steps(&(bl_stats_point){.steps = 100}), 100, 0);
    close_to(bl_stats_point_steps(&(bl_stats_point){.steps = 100, .steps_prev = 99}), 100, 1e-15);
    close_to(bl_stats_point_steps(&(bl_stats_point){.steps = 100, .steps_prev = 80}), 90, 1e-15);
    const bl_stats_point stopped = {.steps = 100, .steps_prev = 80, .censored = true};
    close_to(bl_stats_point_steps(&stopped), 100, 0);
}

static void the_median_of_seeds_counts(void **state) {
    (void)state;
    const bl_stats_hyperbola h = {200, 1000};
    bl_stats_point p[MAX];
    const size_t n = sample(p, hyperbola, &h, 32, 16384, 3, 0, 0);
    /* One wild seed per batch size, in shuffled order, moves nothing; nor does one that gave up. */
    for (size_t i = 0; i < n; i += 3) p[i].steps *= 10;
    for (size_t i = 0; i < n; i += 6) p[i].censored = true;
    for (size_t i = 0; i < n / 2; i++) {
        const bl_stats_point t = p[i];
        p[i] = p[n - 1 - i];
        p[n - 1 - i] = t;
    }
    bl_stats_critical c;
    CHECK_OK(bl_stats_critical_fit(&c, p, n, &NO_INTERVALS, ERR));
    exact(&c.efficiency_50, 1000, 1e-6);
    assert_int_equal(c.censored, 0);
}

static void the_bootstrap_is_a_function(void **state) {
    (void)state;
    const bl_stats_hyperbola h = {200, 1000};
    bl_stats_point p[MAX];
    const size_t n = sample(p, hyperbola, &h, 32, 16384, 3, 0.1, 5);
    const bl_stats_options one = {.seed = 1, .replicates = 100},
                           two = {.seed = 2, .replicates = 100};
    bl_stats_critical a, b, d;
    CHECK_OK(bl_stats_critical_fit(&a, p, n, &one, ERR));
    const bl_stats_point swap = p[0];
    p[0] = p[1], p[1] = p[n - 1], p[n - 1] = swap; /* their order is no input */

    CHECK_OK(bl_stats_critical_fit(&b, p, n, &one, ERR));
    CHECK_OK(bl_stats_critical_fit(&d, p, n, &two, ERR));
    assert_int_equal(a.noise, BL_STATS_NOISE_SEEDS);
    assert_true(a.efficiency_50.low == b.efficiency_50.low);
    assert_true(a.overhead_20.high == b.overhead_20.high);
    assert_true(a.efficiency_50.low != d.efficiency_50.low);
    assert_true(a.efficiency_50.low < a.efficiency_50.value);
    assert_true(a.efficiency_50.high > a.efficiency_50.value);
}

static void where_noise_is_borrowed(void **state) {
    (void)state;
    const bl_stats_hyperbola h = {200, 1000};
    const bl_stats_options options = {.seed = 1, .replicates = 100};
    bl_stats_point p[MAX];
    bl_stats_critical c;
    size_t n = sample(p, hyperbola, &h, 32, 16384, 1, 0.05, 6);
    CHECK_OK(bl_stats_critical_fit(&c, p, n, &options, ERR));
    assert_int_equal(c.noise, BL_STATS_NOISE_RESIDUALS);
    assert_true(bl_stats_has_interval(&c.efficiency_50));
    CHECK_OK(bl_stats_critical_fit(&c, p, 5, &options, ERR)); /* too few to estimate scatter */
    assert_int_equal(c.noise, BL_STATS_NOISE_NONE);
    assert_false(bl_stats_has_interval(&c.efficiency_50));
    p[5] = p[4]; /* one repeat gives two deviations, too few to lend */
    p[5].steps *= 1.1, p[5].seed = 1;
    CHECK_OK(bl_stats_critical_fit(&c, p, 6, &options, ERR));
    assert_int_equal(c.noise, BL_STATS_NOISE_NONE);
    n = sample(p, hyperbola, &h, 32, 16384, 1, 0.05, 6);
    for (int s = 1; s < 4; s++) {
        p[n] = p[4];
        p[n].steps *= 1 + 0.1 * s, p[n].seed = s;
        n++;
    }
    CHECK_OK(bl_stats_critical_fit(&c, p, n, &options, ERR));
    assert_int_equal(c.noise, BL_STATS_NOISE_BORROWED);
    assert_true(bl_stats_has_interval(&c.efficiency_50));
}

/* An interval that runs out of the range is open there. */
static void open_intervals(void **state) {
    (void)state;
    const bl_stats_hyperbola h = {200, 3900};
    const bl_stats_options options = {.seed = 1, .replicates = 200};
    bl_stats_point p[MAX];
    bl_stats_critical c;
    const size_t n = sample(p, hyperbola, &h, 32, 4096, 3, 0.1, 7);
    CHECK_OK(bl_stats_critical_fit(&c, p, n, &options, ERR));
    assert_true(isinf(c.efficiency_50.high));
    assert_true(c.efficiency_50.low > 1500 && c.efficiency_50.low <= 4096);
    bl_buf out = {0};
    bl_jw w = bl_jw_open(&out);
    bl_stats_value_json(&w, NULL, &c.efficiency_50);
    assert_non_null(strstr(bl_buf_text(&out), "\"high\":null"));
    bl_buf_free(&out);
}

static bool covers(const bl_stats_value *v, double truth) {
    return v->known && v->low <= truth && truth <= v->high;
}

/* `most`: a knee is no smooth function of the medians, and its intervals may be too wide; a width
 * is then asked for instead. */
static void check_share(const char *what, int hits, int of, double most) {
    print_message("    %-20s covered in %d of %d\n", what, hits, of);
    if (hits < 0.85 * of || hits > most * of)
        fail_msg("%s: %d of %d is no 95 %% interval", what, hits, of);
}

static void intervals_cover_b_crit(void **state) {
    (void)state;
    enum { SETS = 200 };
    const bl_stats_hyperbola h = {200, 1000};
    int hits = 0;
    for (uint64_t set = 0; set < SETS; set++) {
        bl_stats_point p[MAX];
        bl_stats_critical c;
        const size_t n = sample(p, hyperbola, &h, 64, 16384, 5, 0.1, 1000 + set);
        const bl_stats_options options = {.seed = set, .replicates = 100};
        CHECK_OK(bl_stats_critical_fit(&c, p, n, &options, ERR));
        hits += covers(&c.hyperbola.b_crit, 1000);
    }
    check_share("b_crit", hits, SETS, 0.99);
}

static void intervals_cover_the_knees(void **state) {
    (void)state;
    enum { SETS = 100 };
    const bl_stats_segments g = {1e6, -0.4, 150, 2000};
    int end = 0, overhead = 0, useful = 0;
    double width[SETS];
    for (uint64_t set = 0; set < SETS; set++) {
        bl_stats_point p[MAX];
        bl_stats_critical c;
        const size_t n = sample(p, segments, &g, 16, 16384, 5, 0.1, 5000 + set);
        const bl_stats_options options = {.seed = set, .replicates = 100};
        CHECK_OK(bl_stats_critical_fit(&c, p, n, &options, ERR));
        end += covers(&c.perfect_scaling_end, 150 * pow(1.1, 1 / 0.6));
        overhead += covers(&c.overhead_20, 150 * pow(1.2, 1 / 0.6));
        useful += covers(&c.max_useful, 2000 * pow(1.1, -1 / 0.4));
        width[set] = c.overhead_20.high / c.overhead_20.low;
    }
    check_share("perfect_scaling_end", end, SETS, 1);
    check_share("overhead_20", overhead, SETS, 1);
    check_share("max_useful", useful, SETS, 1);
    print_message("    overhead_20: high / low is %.2f in the median\n",
                  bl_stats_median(width, SETS));
    assert_true(bl_stats_median(width, SETS) < 2.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_hyperbola),
        cmocka_unit_test(of_segments),
        cmocka_unit_test(of_a_sharp_knee),
        cmocka_unit_test(bounds_beyond_the_range),
        cmocka_unit_test(open_ends_in_words),
        cmocka_unit_test(degenerate),
        cmocka_unit_test(wrong_points),
        cmocka_unit_test(steps_between_two_evaluations),
        cmocka_unit_test(the_median_of_seeds_counts),
        cmocka_unit_test(the_bootstrap_is_a_function),
        cmocka_unit_test(where_noise_is_borrowed),
        cmocka_unit_test(open_intervals),
        cmocka_unit_test(intervals_cover_b_crit),
        cmocka_unit_test(intervals_cover_the_knees),
    };
    return cmocka_run_group_tests_name("stats_critical", tests, NULL, NULL);
}
