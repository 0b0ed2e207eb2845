/* How often what batchlab prints of a table of steps is right: the whole table of
 * docs/statistics.md, as Markdown. 2,000 tables a cell, or as many as the argument says; some
 * minutes of one core. The seeds are the tables' numbers, fixed beforehand. */
#include "tests/unit/coverage_tables.h"
#include <stdio.h>
#include <stdlib.h>

enum { TABLES = 2000, SIZES = 10 };
static const double noises[] = {0.05, 0.1, 0.2}, ratio = 1.07;
static const int seeds[] = {3, 5};

static double share(coverage_count c) {
    return c.of > 0 ? 100.0 * c.held / c.of : 0;
}

static void intervals(const coverage_setup *s, int tables) {
    coverage_count c[COVERAGE_COUNT];
    coverage_run(c, s, 0, tables);
    static const char *const rates[] = {"", "grid", "between"};
    (void)printf("| %g | %g | %g | %d | %g | %s |", s->p, 100 * s->noise, s->ratio, s->seeds,
                 100 * s->misfit, rates[s->rate]);
    for (int i = 0; i < COVERAGE_COUNT; i++)
        if (c[i].of > 0)
            (void)printf(" %.1f |", share(c[i]));
        else
            (void)printf(" |");
    (void)printf("\n");
    (void)fflush(stdout);
}

static void all_intervals(int tables) {
    (void)printf("| p | noise %% | ratio | seeds | misfit %% | rate |");
    for (int i = 0; i < COVERAGE_COUNT; i++) (void)printf(" %s |", coverage_names[i]);
    (void)printf("\n|---|---|---|---|---|---|");
    for (int i = 0; i < COVERAGE_COUNT; i++) (void)printf("---|");
    (void)printf("\n");
    for (int p = 1; p <= 3; p += 2)
        for (int n = 0; n < 3; n++)
            for (int k = 0; k < 2; k++)
                intervals(
                    &(coverage_setup){p, noises[n], ratio, seeds[k], SIZES, 0, COVERAGE_RATE_KNOWN},
                    tables);
    /* Wide gaps and little noise: all seeds of a size stop at one evaluation. */
    intervals(&(coverage_setup){1, 0.02, 1.2, 3, SIZES, 0, COVERAGE_RATE_KNOWN}, tables);
    intervals(&(coverage_setup){3, 0.02, 1.2, 3, SIZES, 0, COVERAGE_RATE_KNOWN}, tables);
    for (int p = 1; p <= 3; p += 2)
        for (int n = 0; n < 3; n++)
            intervals(&(coverage_setup){p, noises[n], ratio, 1, SIZES, 0, COVERAGE_RATE_KNOWN},
                      tables);
    /* True steps that miss the curve, and rates that three seeds chose. */
    for (int p = 1; p <= 3; p += 2)
        for (int k = 0; k < 2; k++) {
            intervals(&(coverage_setup){p, 0.1, ratio, seeds[k], SIZES, 0.06, COVERAGE_RATE_KNOWN},
                      tables);
            intervals(&(coverage_setup){p, 0.1, ratio, seeds[k], SIZES, 0, COVERAGE_RATE_GRID},
                      tables);
            intervals(&(coverage_setup){p, 0.1, ratio, seeds[k], SIZES, 0, COVERAGE_RATE_BETWEEN},
                      tables);
            intervals(&(coverage_setup){p, 0.1, ratio, seeds[k], SIZES, 0.06, COVERAGE_RATE_GRID},
                      tables);
        }
}

static void equal_sizes(int tables) {
    (void)printf("\n| sizes | noise %% | seeds | told apart %% |\n|---|---|---|---|\n");
    for (int sizes = 4; sizes <= 10; sizes += 3)
        for (int n = 0; n < 3; n++)
            for (int k = 0; k < 2; k++)
                (void)printf(
                    "| %d | %g | %d | %.1f |\n", sizes, 100 * noises[n], seeds[k],
                    share(coverage_equal_sizes(noises[n], seeds[k], sizes, ratio, 0, tables)));
}

static void series(int tables) {
    (void)printf("\n| series | factor | p | noise %% | seeds | held %% | told apart %% | sign %% "
                 "|\n|---|---|---|---|---|---|---|---|\n");
    for (int many = 2; many <= 3; many++)
        for (int f = 1; f <= 4; f += 3)
            for (int p = 1; p <= 3; p += 2)
                for (int n = 1; n < 3; n++) {
                    const coverage_setup s = {p, noises[n], ratio, 3, 7, 0, COVERAGE_RATE_KNOWN};
                    if (many == 3 && f > 1) continue;
                    const coverage_series c = coverage_compare(&s, many, f, 0, tables);
                    (void)printf("| %d | %d | %d | %g | 3 | %.1f | %.1f | ", many, f, p,
                                 100 * noises[n], share(c.held), share(c.apart));
                    if (f > 1)
                        (void)printf("%.1f |\n", share(c.sign));
                    else
                        (void)printf("|\n");
                    (void)fflush(stdout);
                }
}

static void sharpened(int tables) {
    (void)printf("\n| p | noise %% | seeds | precision | reached %% | further runs | held %% "
                 "|\n|---|---|---|---|---|---|---|\n");
    for (int p = 1; p <= 3; p += 2)
        for (int n = 1; n < 3; n++) {
            const coverage_setup s = {p, noises[n], ratio, 3, SIZES, 0, COVERAGE_RATE_KNOWN};
            const coverage_sharpened c = coverage_sharpen(&s, 1.3, 0, tables);
            (void)printf("| %d | %g | 3 | 1.3 | %.1f | %.1f | %.1f |\n", p, 100 * noises[n],
                         share(c.known), c.runs, share(c.held));
            (void)fflush(stdout);
        }
}

int main(int argc, char **argv) {
    const int tables = argc > 1 ? atoi(argv[1]) : TABLES;
    all_intervals(tables);
    equal_sizes(tables);
    series(tables);
    sharpened(tables);
    return 0;
}
