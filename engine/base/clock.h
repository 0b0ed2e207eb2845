/* The only reader of a clock. Nothing that decides a result may include this. */
#ifndef BL_ENGINE_BASE_CLOCK_H
#define BL_ENGINE_BASE_CLOCK_H
#include <stdint.h>

double bl_clock_seconds(void);     /* monotonic, from an arbitrary start */
double bl_clock_cpu_seconds(void); /* processor time of the calling thread */
/* "2026-01-31T12:00:00Z" */
void bl_clock_text(char out[24]);
/* A time that passed, for people: "12s", "3m40s", "2h05m". */
void bl_clock_span(char out[32], double seconds);
#endif
