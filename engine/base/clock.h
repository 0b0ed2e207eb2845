/* The only reader of a clock. Nothing that decides a result may include this. */
#ifndef BL_ENGINE_BASE_CLOCK_H
#define BL_ENGINE_BASE_CLOCK_H
#include <stdint.h>

double bl_clock_seconds(void);         /* monotonic, from an arbitrary start */
double bl_clock_cpu_seconds(void);     /* processor time of the calling thread */
double bl_clock_process_seconds(void); /* processor time of all threads of this process */
/* Seconds that a virtual machine's host took from all its processors together since it started;
 * NAN: not known. */
double bl_clock_stolen_seconds(void);
/* The same of the first line of /proc/stat, in ticks. */
double bl_clock_stolen_ticks(const char *line);
/* "2026-01-31T12:00:00Z" */
void bl_clock_text(char out[24]);
/* A time that passed, for people: "12s", "3m40s", "2h05m". */
void bl_clock_span(char out[32], double seconds);
#endif
