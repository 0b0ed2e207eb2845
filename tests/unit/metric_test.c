/* Metrics against libm, in any chunks, in rule B's order; and the choices against the tables. */
#include "engine/base/mem.h"
#include "engine/base/numerics.h"
#include "engine/base/philox.h"
#include "engine/config/choices.h"
#include "engine/model/loss.h"
#include "engine/model/metric.h"
#include "engine/model/model.h"
#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"
#include "tests/check.h"
#include <math.h>

enum { COUNT = 1400, CLASSES = 5 };

/* Forecasts of logarithms, and outputs for classes among which equals are common. */
static float g_y[COUNT], g_target[COUNT], g_outputs[COUNT * CLASSES], g_class[COUNT];

static int setup(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        g_y[i] = 8.0f + bl_unit_f32(bl_random_u32(1, BL_STREAM_SYNTH, 0, i));
        g_target[i] = 8.0f + bl_unit_f32(bl_random_u32(1, BL_STREAM_SYNTH, 1, i));
        g_class[i] = (float)(bl_random_u32(1, BL_STREAM_SYNTH, 2, i) % CLASSES);
    }
    for (size_t i = 0; i < COUNT * CLASSES; i++)
        g_outputs[i] = (float)(bl_random_u32(1, BL_STREAM_SYNTH, 3, i) % 4) - 2.0f;
    return 0;
}

static double exp_rmspe64(size_t i) {
    const double truth = exp((double)g_target[i]);
    return pow((truth - exp((double)g_y[i])) / truth, 2.0);
}
static double exp_rmse64(size_t i) {
    return pow(exp((double)g_target[i]) - exp((double)g_y[i]), 2.0);
}
static double rmse64(size_t i) {
    return pow((double)g_y[i] - (double)g_target[i], 2.0);
}
static double error64(size_t i) {
    const float *y = g_outputs + i * CLASSES, own = y[(size_t)g_class[i]];
    for (size_t j = 0; j < CLASSES; j++)
        if (y[j] > own || (y[j] == own && j < (size_t)g_class[i])) return 1.0;
    return 0.0;
}
static double cross_entropy64(size_t i) {
    const float *y = g_outputs + i * CLASSES;
    double all = 0.0;
    for (size_t j = 0; j < CLASSES; j++) all += exp((double)y[j]);
    return -log(exp((double)y[(size_t)g_class[i]]) / all);
}
static double mean(double x) {
    return x;
}

static const struct {
    const char *name;
    double (*term)(size_t i);
    double (*of_mean)(double mean);
} k_cases[] = {
    {"exp_rmspe",     exp_rmspe64,     sqrt},
    {"exp_rmse",      exp_rmse64,      sqrt},
    {"rmse",          rmse64,          sqrt},
    {"error",         error64,         mean},
    {"cross_entropy", cross_entropy64, mean},
};

static double value_in_chunks(const bl_metric *metric, size_t count, size_t chunk) {
    const size_t width = metric->classes ? CLASSES : 1;
    const float *y = metric->classes ? g_outputs : g_y;
    const float *target = metric->classes ? g_class : g_target;
    bl_metric_sum sum;
    bl_metric_begin(&sum, metric);
    for (size_t i = 0; i < count; i += chunk)
        bl_metric_add(&sum, y + i * width, width, target + i, bl_size_min(chunk, count - i));
    const double value = bl_metric_value(&sum);
    bl_metric_end(&sum);
    return value;
}

/* Every pair of an example of class k and another one, counted. */
static double wrong_pairs(size_t k) {
    double odds[COUNT], wrong = 0, pairs = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const float *y = g_outputs + i * CLASSES;
        double others = 0;
        for (size_t j = 0; j < CLASSES; j++)
            if (j != k) others += exp((double)y[j]);
        odds[i] = (double)y[k] - log(others);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT && g_class[i] == (float)k; j++) {
            if (g_class[j] == (float)k) continue;
            pairs++;
            wrong += fabs(odds[i] - odds[j]) < 1e-6 ? 0.5 : odds[i] < odds[j];
        }
    return wrong / pairs;
}

static void test_areas(void **state) {
    (void)state;
    const bl_metric *auc = bl_metric_find("auc_error");
    double sum = 0;
    for (size_t k = 0; k < CLASSES; k++) sum += wrong_pairs(k);
    check_close(value_in_chunks(auc, COUNT, 64), sum / CLASSES, 1e-3); /* odds are floats */
    /* Of two classes, by hand: 1 of 4 pairs is wrong, 1 is equal. */
    const float y[] = {0, 1, 0, 3, 0, 2, 0, 3}, target[] = {0, 0, 1, 1};
    bl_metric_sum s;
    bl_metric_begin(&s, auc);
    bl_metric_add(&s, y, 2, target, 4);
    assert_true(bl_metric_value(&s) == 0.375);
    bl_metric_end(&s);
    bl_metric_begin(&s, auc);
    bl_metric_add(&s, y, 2, target, 2); /* one class alone */
    assert_true(isnan(bl_metric_value(&s)));
    bl_metric_end(&s);
}

static void test_values(void **state) {
    (void)state;
    for (size_t m = 0; m < bl_metric_count; m++) {
        size_t c = 0;
        if (strcmp(bl_metric_table[m]->name, "auc_error") == 0) continue; /* test_areas */
        while (c < BL_COUNT(k_cases) && strcmp(k_cases[c].name, bl_metric_table[m]->name) != 0) c++;
        if (c == BL_COUNT(k_cases)) fail_msg("%s has no case here", bl_metric_table[m]->name);
        double sum = 0.0;
        for (size_t i = 0; i < COUNT; i++) sum += k_cases[c].term(i);
        const double expected = k_cases[c].of_mean(sum / COUNT);
        assert_true(fabs(value_in_chunks(bl_metric_table[m], COUNT, COUNT) - expected) <
                    1e-13 * expected);
        assert_true(isnan(value_in_chunks(bl_metric_table[m], 0, 1)));
    }
}

/* Of a net that left the finite numbers no class is the largest. */
static void test_nan_shows(void **state) {
    (void)state;
    for (size_t m = 0; m < bl_metric_count; m++) {
        if (!bl_metric_table[m]->classes) continue;
        for (size_t j = 0; j < CLASSES; j++) {
            float y[CLASSES] = {0.0f, 1.0f, 2.0f, 3.0f, 4.0f};
            y[j] = (float)NAN;
            if (bl_metric_table[m]->of_class != NULL)
                assert_true(isnan(bl_metric_table[m]->of_class(y, CLASSES, 4.0)));
            else
                assert_true(isnan(bl_metric_table[m]->of_all(y, (float[]){4}, 1, CLASSES)));
        }
    }
}

static void test_chunks_change_no_bit(void **state) {
    (void)state;
    static const size_t chunks[] = {1, 7, 255, 256, 257, 1000};
    for (size_t m = 0; m < bl_metric_count; m++)
        for (size_t i = 0; i < BL_COUNT(chunks); i++)
            assert_true(value_in_chunks(bl_metric_table[m], COUNT, chunks[i]) ==
                        value_in_chunks(bl_metric_table[m], COUNT, COUNT));
}

/* A standardised target is taken back to its own unit, also far from zero. */
static void test_scale_is_undone(void **state) {
    (void)state;
    const double mean = 1.7e9, deviation = 3.0;
    const bl_metric *rmse = bl_metric_find("rmse");
    bl_metric_sum sum;
    bl_metric_begin(&sum, rmse);
    sum.mean = mean;
    sum.deviation = deviation;
    bl_metric_add(&sum, g_y, 1, g_target, COUNT);
    check_close(bl_metric_value(&sum), deviation * value_in_chunks(rmse, COUNT, COUNT), 1e-6);
    const bl_metric *relative = bl_metric_find("exp_rmspe");
    bl_metric_begin(&sum, relative);
    sum.mean = 5.0; /* of logarithms: takes a factor from both sides of a ratio */
    sum.deviation = 1.0;
    bl_metric_add(&sum, g_y, 1, g_target, COUNT);
    check_close(bl_metric_value(&sum), value_in_chunks(relative, COUNT, COUNT), 1e-12);
}

static double batch_mean(const bl_metric *metric, size_t batch, size_t count, size_t chunk) {
    const size_t width = metric->classes ? CLASSES : 1;
    const float *y = metric->classes ? g_outputs : g_y;
    const float *target = metric->classes ? g_class : g_target;
    bl_metric_sum sum;
    bl_metric_begin(&sum, metric);
    sum.batch = batch;
    for (size_t i = 0; i < count; i += chunk)
        bl_metric_add(&sum, y + i * width, width, target + i, bl_size_min(chunk, count - i));
    assert_true(bl_metric_value(&sum) == value_in_chunks(metric, count, count) || count == 0);
    return bl_metric_batch_mean(&sum);
}

/* Batch by batch with libm, as fastai 1 does it: 1400 is 21 batches of 64 and one of 56. */
static void test_batch_mean(void **state) {
    (void)state;
    static const size_t batches[] = {1, 7, 64, 350, COUNT, 2 * COUNT};
    for (size_t m = 0; m < BL_COUNT(k_cases); m++) {
        const bl_metric *metric = bl_metric_find(k_cases[m].name);
        for (size_t b = 0; b < BL_COUNT(batches); b++) {
            double weighted = 0.0;
            for (size_t first = 0; first < COUNT; first += batches[b]) {
                const size_t n = bl_size_min(batches[b], COUNT - first);
                double sum = 0.0;
                for (size_t i = first; i < first + n; i++) sum += k_cases[m].term(i);
                weighted += (double)n * k_cases[m].of_mean(sum / (double)n);
            }
            const double mean_of = batch_mean(metric, batches[b], COUNT, COUNT);
            assert_true(fabs(mean_of - weighted / COUNT) < 1e-13 * mean_of);
            assert_true(batch_mean(metric, batches[b], COUNT, 257) == mean_of);
            const double whole = value_in_chunks(metric, COUNT, COUNT);
            assert_true(mean_of <= whole * (1 + 1e-13));
        }
        assert_true(isnan(batch_mean(metric, 64, 0, 1)));
        assert_true(isnan(batch_mean(metric, 0, COUNT, COUNT)));
    }
}

/* Terms whose sum depends on its order: 6 blocks are ((0+1)+(2+3)) + (4+5). */
static double plain_term(double y, double target) {
    (void)target;
    return y;
}
static double plain_finish(double sum, double count) {
    (void)count;
    return sum;
}

static void test_order_is_rule_b(void **state) {
    (void)state;
    static const bl_metric plain = {.name = "sum", .of_number = plain_term, .finish = plain_finish};
    double block[6] = {0};
    bl_metric_sum sum;
    float y[6 * BL_BLOCK - 100];
    const size_t count = BL_COUNT(y);
    for (size_t i = 0; i < count; i++) {
        const int32_t power = (int32_t)(bl_random_u32(2, BL_STREAM_SYNTH, 0, i) % 60) - 30;
        y[i] = ldexpf(i % 3 ? 1.25f : -1.5f, power);
        block[i / BL_BLOCK] += (double)y[i];
    }
    bl_metric_begin(&sum, &plain);
    bl_metric_add(&sum, y, 1, y, count);
    const double expected = (block[4] + block[5]) + ((block[0] + block[1]) + (block[2] + block[3]));
    assert_true(bl_metric_value(&sum) == expected);
}

#define CHECK_CHOICES(choices, table, count)                                                       \
    do {                                                                                           \
        static const char *const names[] = {choices(BL_CHOICE_NAME)};                              \
        assert_int_equal(BL_COUNT(names), count);                                                  \
        for (size_t i = 0; i < (count); i++) assert_string_equal(names[i], (table)[i]->name);      \
    } while (0)

static void test_choices_are_the_tables(void **state) {
    (void)state;
    CHECK_CHOICES(BL_CHOICES_MODEL, bl_model_table, bl_model_count);
    CHECK_CHOICES(BL_CHOICES_LOSS, bl_loss_table, bl_loss_count);
    CHECK_CHOICES(BL_CHOICES_METRIC, bl_metric_table, bl_metric_count);
    CHECK_CHOICES(BL_CHOICES_OPTIMIZER, bl_optim_table, bl_optim_count);
    CHECK_CHOICES(BL_CHOICES_SCHEDULE, bl_schedule_table, bl_schedule_count);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),          cmocka_unit_test(test_areas),
        cmocka_unit_test(test_nan_shows),       cmocka_unit_test(test_chunks_change_no_bit),
        cmocka_unit_test(test_scale_is_undone), cmocka_unit_test(test_batch_mean),
        cmocka_unit_test(test_order_is_rule_b), cmocka_unit_test(test_choices_are_the_tables),
    };
    return cmocka_run_group_tests_name("metric", tests, setup, NULL);
}
