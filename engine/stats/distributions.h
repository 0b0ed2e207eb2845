/* Student's t, F and the studentized range: tails and quantiles for intervals and tests.
 * Tables of known values are in tests/unit/stats_distributions_test.c. Degrees of freedom need not
 * be whole numbers (Satterthwaite's are not); INFINITY is the normal distribution. Pure. */
#ifndef BL_ENGINE_STATS_DISTRIBUTIONS_H
#define BL_ENGINE_STATS_DISTRIBUTIONS_H

/* Regularised incomplete beta function I_x(a, b), a > 0, b > 0, x in [0, 1]. */
double bl_stats_beta(double x, double a, double b);

double bl_stats_normal_cdf(double z);
double bl_stats_normal_quantile(double p); /* p in (0, 1) */

double bl_stats_t_tail(double t, double df);     /* P(|T| > t), t >= 0 */
double bl_stats_t_quantile(double p, double df); /* the t with P(T <= t) = p, p in [1/2, 1) */

double bl_stats_f_tail(double f, double df1, double df2); /* P(F > f) */
double bl_stats_f_quantile(double p, double df1, double df2);

/* Tukey's studentized range of k >= 2 means: P((largest - smallest) / (s / sqrt(n)) <= q), and the
 * q for a probability. */
double bl_stats_range_cdf(double q, int k, double df);
double bl_stats_range_quantile(double p, int k, double df);
#endif
