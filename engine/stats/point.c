/* What every statistic takes of a run: its domain and its steps. */
#include "engine/stats/point.h"
#include <math.h>

bool bl_stats_in_domain(double x) {
    return x >= BL_STATS_LEAST && x <= BL_STATS_MOST;
}

double bl_stats_point_steps(const bl_stats_point *p) {
    if (p->censored || p->steps_prev <= 0) return p->steps;
    return sqrt((p->steps_prev + 1) * p->steps);
}
