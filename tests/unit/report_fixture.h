/* A handmade sweep on disk for the tests of the report room: batch sizes 32, 64, ... with
 * S = 200 (1 + 1024 / B), the best learning rate at 2^-10 sqrt(B / 32), one rate tried on each
 * side. */
#ifndef BL_TESTS_UNIT_REPORT_FIXTURE_H
#define BL_TESTS_UNIT_REPORT_FIXTURE_H
#include "engine/base/status.h"
#include <stdbool.h>

typedef struct bl_report_fixture {
    int sizes, seeds;
    bool timing, budgets, synthetic;
    bool all_budgets;   /* with `budgets`: seconds and cost, too */
    bool last_censored; /* the largest batch size misses the target */
    bool all_censored;  /* every one does */
    bool first_at_edge; /* the smallest batch size's rate is not bracketed */
    bool known; /* 13000 steps at 16, 6700 at 32, 3400 at 64, 1100 at 256, 250 at 4096 are known */
    bool upfront;       /* a device takes 128 examples; each further one 0.001 core-hours and 2 s */
    bool device_memory; /* a device has 9 MiB; each further one costs 1 s */
    bool rules;         /* two that the sweep ran: square root at 64, Malladi's at 128 */
    bool pair;          /* 32 against 256 on seven fresh seeds */
    bool series;     /* "sgd" stops at the steps of 128 and answers first, then "adam", the rest */
    bool long_names; /* of the series: they differ only after 72 characters */
    bool logs;       /* of every run: 0.24 at half of its steps, and 0.1 beyond what was asked */
} bl_report_fixture;

/* Writes plan.jsonl and timing.json into `dir`, which must exist. */
bl_status bl_report_fixture_write(const bl_report_fixture *fixture, const char *dir,
                                  bl_err *err) BL_CHECKED;
#endif
