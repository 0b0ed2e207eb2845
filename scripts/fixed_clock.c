/* A clock that stands still at 2000-01-01 00:00:00 UTC, put before the C library's (LD_PRELOAD)
 * when gnuplot draws: PDF files carry the time they were made at, newer cairo inside compressed
 * streams, and equal data have to give equal bytes. */
#include <time.h>

time_t time(time_t *out) {
    const time_t now = 946684800;
    if (out != NULL) *out = now;
    return now;
}
