#include "engine/base/clock.h"
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(clockid_t clock) {
    struct timespec t;
    return clock_gettime(clock, &t) == 0 ? (double)t.tv_sec + 1e-9 * (double)t.tv_nsec : 0.0;
}

double bl_clock_seconds(void) {
    return seconds_of(CLOCK_MONOTONIC);
}

double bl_clock_cpu_seconds(void) {
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double bl_clock_process_seconds(void) {
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

double bl_clock_stolen_ticks(const char *line) {
    double ticks; /* the eighth: user nice system idle iowait irq softirq steal */
    if (sscanf(line, "cpu %*f %*f %*f %*f %*f %*f %*f %lf", &ticks) != 1) return (double)NAN;
    return ticks;
}

double bl_clock_stolen_seconds(void) {
    char line[256];
    FILE *f = fopen("/proc/stat", "r");
    if (f == NULL) return (double)NAN;
    const double ticks =
        fgets(line, sizeof line, f) != NULL ? bl_clock_stolen_ticks(line) : (double)NAN;
    (void)fclose(f);
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

void bl_clock_text(char out[24]) {
    const time_t now = time(0);
    struct tm tm;
    (void)gmtime_r(&now, &tm);
    (void)strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void bl_clock_span(char out[32], double seconds) {
    const int s = (int)(seconds + 0.5);
    if (s < 60)
        (void)snprintf(out, 32, "%ds", s);
    else if (s < 3600)
        (void)snprintf(out, 32, "%dm%02ds", s / 60, s % 60);
    else
        (void)snprintf(out, 32, "%dh%02dm", s / 3600, s / 60 % 60);
}
