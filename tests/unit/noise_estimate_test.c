/* The estimators of the gradient noise scale against known answers: sums worked by hand, small
 * populations by enumeration, least squares with exact |G|^2 and trace, intervals by simulation. */
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/noise/noise.h"
#include "engine/noise/noise_record.h"
#include "kernels/shared/exact_math.h"
#include "tests/check.h"
#include <math.h>
#include <stdlib.h>

static void near(double found, double expected, double within) {
    if (!(fabs(found - expected) <= within * (1 + fabs(expected))))
        fail_msg("%.17g, expected %.17g", found, expected);
}

/* A probe from micro-batch gradients g[k][dims], quarters and tree as a run makes them. */
static bl_noise_probe probe_of(const double *g, size_t batches, size_t dims, int64_t batch,
                               int64_t rows) {
    enum { MOST = 64 };
    bl_noise_probe p = {.batch = batch, .batches = batches, .rows = rows};
    bl_noise_norms *n = &p.norms[BL_NOISE_PLAIN];
    double quarter[BL_NOISE_QUARTERS][MOST] = {{0}};
    assert_true(dims <= MOST);
    n->known = true;
    for (size_t l = 0; l < bl_noise_levels(batches); l++) {
        const size_t each = (size_t)1 << l, groups = batches / each;
        for (size_t i = 0; i < groups; i++)
            for (size_t d = 0; d < dims; d++) {
                double sum = 0;
                for (size_t k = i * each; k < (i + 1) * each; k++) sum += g[k * dims + d];
                n->level[l] += sum * sum / (double)(each * each * groups);
            }
    }
    for (size_t k = 0; k < batches; k++)
        for (size_t d = 0; d < dims; d++) {
            const size_t q = k / (batches / BL_NOISE_QUARTERS);
            const double share = g[k * dims + d] * BL_NOISE_QUARTERS / (double)batches;
            quarter[q][d] += share;
            n->quarter[q] += share * g[k * dims + d];
        }
    for (size_t i = 0; i < BL_NOISE_QUARTERS; i++)
        for (size_t j = 0; j < BL_NOISE_QUARTERS; j++)
            for (size_t d = 0; d < dims; d++) n->product[i][j] += quarter[i][d] * quarter[j][d];
    return p;
}

/* Gradients 1 and 3 with probability one half each: |G|^2 = 4, S = 1, S/|G|^2 = 1/4. Two of them
 * are (1,1), (1,3), (3,1) and (3,3). */
static void of_one_and_three(void **state) {
    (void)state;
    double grad_sq = 0, trace = 0, ratios = 0, nested = 0;
    for (int i = 0; i < 4; i++) {
        const double a = i & 1 ? 3 : 1, b = i & 2 ? 3 : 1, both = (a + b) / 2;
        const bl_noise_pair pair = bl_noise_pair_of((a * a + b * b) / 2, both * both, 1, 2);
        const bl_noise_pair first = bl_noise_pair_of(a * a, both * both, 1, 2);
        grad_sq += pair.grad_sq / 4;
        trace += pair.trace / 4;
        ratios += pair.trace / pair.grad_sq / 4;
        nested += first.trace / first.grad_sq / 4;
    }
    near(trace / grad_sq, 1.0 / 4, 1e-15);
    near(ratios, 1.0 / 3, 1e-15);
    near(nested, -19.0 / 7, 1e-15);
}

/* All ordered draws of four rows out of six, one a micro-batch: the mean of the corrected pair is
 * the population's own |G|^2 and trace, of the whole probe and of the probe without a quarter. */
static void without_replacement(void **state) {
    (void)state;
    static const double row[6][2] = {
        {1,  0 },
        {3,  -1},
        {-2, 4 },
        {0,  2 },
        {5,  5 },
        {-1, -3}
    };
    double mean[2] = {0}, squares = 0, grad_sq = 0, trace = 0, left_grad = 0, left_trace = 0;
    int draws = 0;
    for (size_t r = 0; r < 6; r++)
        for (size_t d = 0; d < 2; d++) {
            mean[d] += row[r][d] / 6;
            squares += row[r][d] * row[r][d] / 6;
        }
    const double exact_grad = mean[0] * mean[0] + mean[1] * mean[1];
    for (size_t code = 0; code < 6 * 6 * 6 * 6; code++) {
        const size_t of[4] = {code % 6, code / 6 % 6, code / 36 % 6, code / 216};
        double g[4 * 2];
        bool twice = false;
        for (size_t i = 0; i < 4; i++) {
            for (size_t j = 0; j < i; j++) twice = twice || of[i] == of[j];
            memcpy(g + 2 * i, row[of[i]], sizeof row[0]);
        }
        if (twice) continue;
        const bl_noise_probe p = probe_of(g, 4, 2, 1, 6);
        const bl_noise_pair all = bl_noise_probe_pair(&p, BL_NOISE_PLAIN);
        const bl_noise_pair left = bl_noise_probe_pair_without(&p, BL_NOISE_PLAIN, 2);
        grad_sq += all.grad_sq;
        trace += all.trace;
        left_grad += left.grad_sq;
        left_trace += left.trace;
        draws++;
    }
    assert_int_equal(draws, 360);
    near(grad_sq / draws, exact_grad, 1e-12);
    near(trace / draws, squares - exact_grad, 1e-12);
    near(left_grad / draws, exact_grad, 1e-12);
    near(left_trace / draws, squares - exact_grad, 1e-12);
    /* All rows in one draw: |g|^2 is |G|^2, whatever the noise of its halves. */
    const bl_noise_pair whole = bl_noise_pair_corrected(
        bl_noise_pair_of((squares - exact_grad) / 3 * (6.0 - 3) / 5 + exact_grad, exact_grad, 3, 6),
        6);
    near(whole.grad_sq, exact_grad, 1e-12);
    near(whole.trace, squares - exact_grad, 1e-12);
}

enum { DIMS = 20, BATCHES = 32, BATCH = 8 };

/* Least squares: x ~ N(0, I_20), y = x theta* + noise of variance .25, at |theta - theta*|^2 = 2.2.
 * With d = theta - theta*,
 * an example's gradient is (x d - noise) x, so G = d and |G|^2 = 2.2. S = E (x d - noise)^2 |x|^2 -
 * |G|^2 = (22 x 2.2 + 20 x .25) - 2.2 = 51.2, and B_simple = 23.2727. */
static void least_squares(double *g, uint32_t trial) {
    const double d = sqrt(2.2 / DIMS);
    uint64_t index = (uint64_t)trial * BATCHES * BATCH * (DIMS + 1);
    for (size_t k = 0; k < BATCHES; k++) {
        for (size_t i = 0; i < DIMS; i++) g[k * DIMS + i] = 0;
        for (size_t e = 0; e < BATCH; e++) {
            double x[DIMS + 1], error = 0;
            for (size_t i = 0; i <= DIMS; i++, index++) {
                const bl_u32x4 w = bl_random4(5, BL_STREAM_SYNTH, 0, index);
                x[i] = (double)bl_normal(w.v[0], w.v[1]);
            }
            for (size_t i = 0; i < DIMS; i++) error += x[i] * d;
            error -= 0.5 * x[DIMS];
            for (size_t i = 0; i < DIMS; i++) g[k * DIMS + i] += error * x[i] / BATCH;
        }
    }
}

/* The mean of many probes meets the exact numbers, all levels lie on the line, and the 95 %
 * interval covers them in as many cases as it says. */
static void least_squares_and_coverage(void **state) {
    (void)state;
    enum { TRIALS = 1000 };
    static double g[BATCHES * DIMS];
    double grad_sq = 0, trace = 0, level[BL_NOISE_LEVELS] = {0};
    int grad_in = 0, trace_in = 0, scale_in = 0, known = 0;
    for (uint32_t i = 0; i < TRIALS; i++) {
        least_squares(g, i);
        const bl_noise_probe p = probe_of(g, BATCHES, DIMS, BATCH, 0);
        const bl_noise_estimate e = bl_noise_estimate_of(&p, 1, BL_NOISE_PLAIN);
        grad_sq += e.grad_sq.value / TRIALS;
        trace += e.trace.value / TRIALS;
        for (size_t l = 0; l < 6; l++) level[l] += p.norms[0].level[l] / TRIALS;
        grad_in += e.grad_sq.low <= 2.2 && 2.2 <= e.grad_sq.high;
        trace_in += e.trace.low <= 51.2 && 51.2 <= e.trace.high;
        known += e.scale.known;
        scale_in += e.scale.known && e.scale.low <= 51.2 / 2.2 && 51.2 / 2.2 <= e.scale.high;
    }
    print_message("|G|^2 %.4f S %.3f ratio %.3f; covered %d %d %d of %d %d\n", grad_sq, trace,
                  trace / grad_sq, grad_in, trace_in, scale_in, TRIALS, known);
    near(grad_sq, 2.2, 0.03); /* three standard errors of the mean and less */
    near(trace, 51.2, 0.01);
    near(trace / grad_sq, 23.2727, 0.03);
    for (size_t l = 0; l < 6; l++) near(level[l], 2.2 + 51.2 / ldexp(BATCH, (int)l), 0.02);
    /* 95 % of 1000 has a standard deviation of 7; the jackknife errs towards too wide. */
    assert_in_range(grad_in, 920, 990);
    assert_in_range(trace_in, 920, 990);
    assert_true(known >= 900);
    assert_true(scale_in >= known * 0.92 && scale_in <= known * 0.99);
}

/* Ten probes together: narrower, averaged apart, and still covering. */
static void windows(void **state) {
    (void)state;
    enum { WINDOWS = 200, PROBES = 5 };
    static double g[BATCHES * DIMS];
    int in = 0;
    double width = 0, alone = 0;
    for (uint32_t i = 0; i < WINDOWS; i++) {
        bl_noise_probe p[PROBES];
        for (uint32_t j = 0; j < PROBES; j++) {
            least_squares(g, 5000 + i * PROBES + j);
            p[j] = probe_of(g, BATCHES, DIMS, BATCH, 0);
        }
        const bl_noise_estimate e = bl_noise_estimate_of(p, PROBES, BL_NOISE_PLAIN);
        double grad_sq = 0, trace = 0;
        for (size_t j = 0; j < PROBES; j++) {
            grad_sq += bl_noise_probe_pair(&p[j], BL_NOISE_PLAIN).grad_sq;
            trace += bl_noise_probe_pair(&p[j], BL_NOISE_PLAIN).trace;
        }
        assert_true(e.scale.known && e.probes == PROBES);
        near(e.scale.value, trace / grad_sq, 1e-12);
        in += e.scale.low <= 51.2 / 2.2 && 51.2 / 2.2 <= e.scale.high;
        /* The ratio's interval, by the formula of noise_estimate.c written out. */
        double variance = 0;
        for (size_t j = 0; j < PROBES; j++) {
            double x[4], mean = 0;
            for (size_t q = 0; q < 4; q++) {
                const bl_noise_pair pair = bl_noise_probe_pair_without(&p[j], BL_NOISE_PLAIN, q);
                x[q] = pair.trace - trace / grad_sq * pair.grad_sq;
                mean += x[q] / 4;
            }
            for (size_t q = 0; q < 4; q++) variance += 0.75 * (x[q] - mean) * (x[q] - mean);
        }
        near(log(e.scale.high / e.scale.value), 2.131450 * sqrt(variance) / trace, 1e-12);
        near(e.scale.low * e.scale.high, e.scale.value * e.scale.value, 1e-12);
        width += e.trace.high - e.trace.low;
        const bl_noise_estimate one = bl_noise_estimate_of(p, 1, BL_NOISE_PLAIN);
        alone += one.trace.high - one.trace.low;
    }
    assert_in_range(in, WINDOWS * 90 / 100, WINDOWS);
    assert_true(width < alone * 0.45); /* 1 / sqrt(5), and a smaller t */
    assert_false(bl_noise_estimate_of(NULL, 0, BL_NOISE_PLAIN).scale.known);
}

/* Where |G|^2 may be 0 there is no ratio: pure noise gives one in few cases, and a gradient without
 * noise is a scale of 0 that says nothing either. */
static void undetermined(void **state) {
    (void)state;
    enum { TRIALS = 400, K = 8 };
    int known = 0;
    for (uint64_t i = 0; i < TRIALS; i++) {
        double g[K * 3];
        for (uint64_t j = 0; j < K * 3; j++) {
            const bl_u32x4 w = bl_random4(9, BL_STREAM_SYNTH, 1, i * K * 3 + j);
            g[j] = (double)bl_normal(w.v[0], w.v[1]);
        }
        const bl_noise_probe p = probe_of(g, K, 3, 1, 0);
        known += bl_noise_estimate_of(&p, 1, BL_NOISE_PLAIN).scale.known;
        assert_false(bl_noise_estimate_of(&p, 1, BL_NOISE_PRECONDITIONED).grad_sq.known);
    }
    assert_true(known <= TRIALS * 5 / 100);
    const double still[4] = {2, 2, 2, 2};
    const bl_noise_probe p = probe_of(still, 4, 1, 1, 0);
    const bl_noise_estimate e = bl_noise_estimate_of(&p, 1, BL_NOISE_PLAIN);
    near(e.grad_sq.value, 4, 1e-15);
    near(e.trace.value, 0, 1e-15);
    assert_false(e.scale.known);
    assert_true(bl_noise_probe_deviation(&p, BL_NOISE_PLAIN) < 1e-15);
}

/* The check of the line: gradients that drift are no noise. */
static void drift_shows(void **state) {
    (void)state;
    double g[32];
    for (int i = 0; i < 32; i++) g[i] = i < 16 ? 1 : -1;
    const bl_noise_probe p = probe_of(g, 32, 1, 4, 0);
    assert_true(bl_noise_probe_deviation(&p, BL_NOISE_PLAIN) > 1);
}

/* With |G|^2 = 2 and S = 60 and weights that stand still, at B = 8 and n = 5: C and D are right; B
 * has S, and the noise of its mean in |G|^2; A has what its averages leave. */
static void other_ways(void **state) {
    (void)state;
    const bl_noise_ways run = {.step = 9,
                               .batch = 8,
                               .window = 5,
                               .average_sq = 2 + 60 / 8.0 / 9,
                               .average_variance = 60 / 8.0,
                               .small_sq = 2 + 60 / 8.0,
                               .big_sq = 2 + 60 / 40.0};
    const bl_noise_ways twice = {
        .step = 9, .batch = 16, .window = 5, .small_sq = 2 + 60 / 16.0, .big_sq = 3};
    const bl_noise_ways early = {.step = 3, .batch = 8, .window = 5};
    static const double expected[] = {60 / (2 + 60 / 8.0 / 9), 60 / 3.5, 30, 30};
    assert_int_equal(bl_noise_way_count, BL_COUNT(expected));
    for (size_t i = 0; i < bl_noise_way_count; i++) {
        const bl_noise_way *way = &bl_noise_way_table[i];
        assert_true(way->name[0] == (char)('A' + i) && way->does[0] != 0 && way->wrong[0] != 0);
        const bl_noise_ways both[2] = {run, early}, with[2] = {twice, early};
        near(bl_noise_way_scale(way, &run, &twice, 1), expected[i], 1e-12);
        if (i > 0) near(bl_noise_way_scale(way, both, with, 2), expected[i], 1e-12);
        assert_true(isnan(bl_noise_way_scale(way, &run, NULL, 1)) == way->needs_twice);
        assert_true(isnan(bl_noise_way_scale(way, &early, &early, 1)));
    }
    const bl_noise_ways no_gradient = {.batch = 8, .window = 5, .small_sq = 8, .big_sq = 1};
    assert_true(isnan(bl_noise_way_scale(&bl_noise_way_table[3], &no_gradient, NULL, 1)));
}

/* What is written reads back to the same bits; a prefix is one. */
static void records(void **state) {
    (void)state;
    static double g[BATCHES * DIMS];
    bl_buf text = {0}, again = {0};
    bl_noise_log log;
    const bl_noise_settings settings = {
        .share = 0.05, .batch = BATCH, .batches = 32, .rows = 900, .hessian = true};
    bl_noise_write_header(&text, "r0123456789ab", &settings);
    size_t first = 0;
    for (uint32_t i = 0; i < 3; i++) {
        least_squares(g, i);
        bl_noise_probe p = probe_of(g, BATCHES, DIMS, BATCH, 900);
        p.step = 100 << i;
        if (i != 1) p.norms[BL_NOISE_PRECONDITIONED] = p.norms[BL_NOISE_PLAIN];
        if (i != 2) p.norms[BL_NOISE_HESSIAN] = p.norms[BL_NOISE_PLAIN];
        bl_noise_write_probe(&text, &p);
        if (i == 0) first = text.len;
    }
    const size_t probes_end = text.len;
    for (int i = 1; i < 3; i++) /* behind the probe of its step, and by itself */
        bl_noise_write_ways(&text, &(bl_noise_ways){400 * i, 8, 5, 0.1, 0.2, 0.3, 0.4});
    CHECK_OK(bl_noise_read(&log, text.data, text.len, "noise", ERR));
    assert_int_equal(log.probes, 3);
    assert_int_equal(log.way_count, 2);
    /* Of the Hessian's norms the quarters alone are kept, and all else follows. */
    const bl_noise_norms *curved = &log.probe[0].norms[BL_NOISE_HESSIAN];
    assert_true(curved->known && curved->first == 3 && !log.probe[2].norms[2].known);
    for (size_t l = 3; l < 6; l++) near(curved->level[l], log.probe[0].norms[0].level[l], 1e-12);
    const bl_noise_pair pair = bl_noise_probe_pair(&log.probe[0], BL_NOISE_HESSIAN);
    const bl_noise_pair same =
        bl_noise_pair_corrected(bl_noise_pair_of(curved->level[3], curved->level[5], 64, 256), 900);
    near(pair.grad_sq, same.grad_sq, 1e-12);
    near(pair.trace, same.trace, 1e-12);
    assert_true(log.ways[1].step == 800 && log.ways[1].window == 5 && log.ways[1].big_sq == 0.4 &&
                log.ways[0].average_sq == 0.1 && log.ways[0].average_variance == 0.2 &&
                log.ways[0].small_sq == 0.3 && log.ways[0].batch == 8);
    assert_true(bl_noise_prefix(&log, 799) > probes_end);
    assert_int_equal(bl_noise_prefix(&log, 399), bl_noise_prefix(&log, 200));
    assert_int_equal(bl_noise_prefix(&log, 199), first);
    assert_int_equal(bl_noise_prefix(&log, 99), log.header_end);
    assert_int_equal(bl_noise_prefix(&log, 800), text.len);
    bl_noise_write_header(&again, "r0123456789ab", &log.settings);
    for (size_t i = 0; i < 3; i++) bl_noise_write_probe(&again, &log.probe[i]);
    for (size_t i = 0; i < 2; i++) bl_noise_write_ways(&again, &log.ways[i]);
    assert_int_equal(again.len, text.len);
    assert_memory_equal(again.data, text.data, text.len);
    bl_noise_log_free(&log);
    bl_err err;
    /* Without its header; the first record twice. */
    const size_t head = (size_t)(strchr(text.data, '\n') - text.data) + 1;
    assert_int_equal(bl_noise_read(&log, text.data + head, text.len - head, "noise", &err),
                     BL_EFORMAT);
    bl_buf_truncate(&again, first);
    bl_buf_add(&again, text.data + head, first - head);
    assert_int_equal(bl_noise_read(&log, again.data, again.len, "noise", &err), BL_EFORMAT);
    bl_buf_free(&text);
    bl_buf_free(&again);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_one_and_three),
                                       cmocka_unit_test(without_replacement),
                                       cmocka_unit_test(least_squares_and_coverage),
                                       cmocka_unit_test(windows),
                                       cmocka_unit_test(undetermined),
                                       cmocka_unit_test(drift_shows),
                                       cmocka_unit_test(other_ways),
                                       cmocka_unit_test(records)};
    return cmocka_run_group_tests_name("noise_estimate", tests, NULL, NULL);
}
