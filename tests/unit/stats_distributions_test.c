/* Distribution functions against values from arbitrary-precision arithmetic (I_x, t, F) and from a
 * Gauss-Legendre quadrature of 400 by 400 points (studentized range); the rounded values are those
 * of printed tables: t(0.975, 10) 2.228, F(0.95; 4, 14) 3.11, range(4, 8) 4.53. */
#include "engine/stats/distributions.h"
#include "tests/check.h"
#include <math.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void incomplete_beta(void **state) {
    (void)state;
    const double table[][4] = {
        {0.3,   2,   3,   0.3483          },
        {0.5,   0.5, 0.5, 0.5             },
        {0.01,  0.5, 20,  0.47136993548502},
        {0.9,   7.5, 1.5, 0.65233382238002},
        {0.999, 100, 0.5, 0.65504351632443},
        {0,     2,   3,   0               },
        {1,     2,   3,   1               }
    };
    for (size_t i = 0; i < COUNT(table); i++)
        check_close(bl_stats_beta(table[i][0], table[i][1], table[i][2]), table[i][3], 1e-12);
}

static void student(void **state) {
    (void)state;
    const double table[][3] = {
        {0.975, 1,        12.706204736175},
        {0.975, 2,        4.3026527297495},
        {0.975, 4,        2.7764451051978},
        {0.975, 10,       2.2281388519863},
        {0.975, 30,       2.0422724563012},
        {0.95,  2.5,      2.5582186141359},
        {0.995, 14,       2.9768427343708},
        {0.975, INFINITY, 1.9599639845401}
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        check_close(bl_stats_t_quantile(table[i][0], table[i][1]), table[i][2], 1e-11);
        check_close(bl_stats_t_tail(table[i][2], table[i][1]), 2 * (1 - table[i][0]), 1e-11);
    }
    check_close(bl_stats_normal_quantile(0.025), -1.9599639845401, 1e-12);
    assert_true(bl_stats_t_quantile(0.5, 3) == 0);
}

static void fisher(void **state) {
    (void)state;
    const double tails[][4] = {
        {1,   2, 10,   0.40187757201646 },
        {3.5, 4, 14,   0.03515625       },
        {0.2, 7, 3,    0.96332664578181 },
        {12,  1, 6,    0.013399964712331},
        {2.5, 3, 17.5, 0.093249926327626}
    };
    for (size_t i = 0; i < COUNT(tails); i++)
        check_close(bl_stats_f_tail(tails[i][0], tails[i][1], tails[i][2]), tails[i][3], 1e-12);
    check_close(bl_stats_f_quantile(0.95, 1, 6), 5.9873776072737, 1e-11);
    check_close(bl_stats_f_quantile(0.95, 4, 14), 3.1122498479614, 1e-11);
    check_close(bl_stats_f_quantile(0.99, 3, 20), 4.9381933823105, 1e-11);
    check_close(bl_stats_f_quantile(0.95, 1, INFINITY), 3.8414588206941, 1e-6); /* chi squared */
    assert_true(bl_stats_f_tail(0, 2, 3) == 1 && bl_stats_f_tail(INFINITY, 2, 3) == 0);
}

static void studentized_range(void **state) {
    (void)state;
    const struct {
        double q;
        int k;
        double df, p;
    } table[] = {
        {3.5, 3,  10, 0.922896689162},
        {4.0, 4,  8,  0.915241433837},
        {4.8, 7,  14, 0.948145763713},
        {3.0, 2,  5,  0.912640691873},
        {5.0, 10, 4,  0.801228056935}
    };
    for (size_t i = 0; i < COUNT(table); i++)
        check_close(bl_stats_range_cdf(table[i].q, table[i].k, table[i].df), table[i].p, 1e-9);
    check_close(bl_stats_range_quantile(0.95, 4, 8), 4.52880963659, 1e-9);
    check_close(bl_stats_range_quantile(0.95, 7, 14), 4.82895442186, 1e-9);
    check_close(bl_stats_range_quantile(0.95, 3, 10), 3.87677675001, 1e-9);
    /* Two means are Student's t, times sqrt(2); one degree of freedom is the heaviest tail. */
    check_close(bl_stats_range_quantile(0.95, 2, 1), sqrt(2) * bl_stats_t_quantile(0.975, 1), 1e-8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(incomplete_beta),
        cmocka_unit_test(student),
        cmocka_unit_test(fisher),
        cmocka_unit_test(studentized_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
