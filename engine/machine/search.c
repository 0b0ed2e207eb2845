/* The search keeps two numbers: the largest size that ran, and the smallest that failed.
 *
 *     guess      what the plan of memory says fits; then a little less, where it failed
 *     doubling   while nothing has failed
 *     halving    between the two, on a logarithmic scale, until they differ by `gap`
 *
 * A size is only tried if it is expected to end within the time that is left. */
#include "engine/machine/search.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include <math.h>

/* Every size that is tried lies above the largest that ran and below the smallest that failed. A
 * probe that is too slow says nothing of memory: it ends the search. */
static bl_status try_one(bl_machine_search *s, int64_t batch_size, bl_err *err) {
    bl_probe_result result;
    BL_TRY(s->probe(s->ctx, batch_size, &result, err));
    *BL_PUSH(s->tried, s->count, "probes") = (bl_machine_try){batch_size, result};
    s->spent += result.seconds;
    if (result.ending == BL_PROBE_RAN) {
        s->largest = batch_size;
        s->bytes = result.bytes;
    } else if (result.ending == BL_PROBE_TOO_SLOW) {
        s->out_of_time = true;
    } else {
        s->failed = batch_size;
        s->how = result.ending;
    }
    return BL_OK;
}

bl_status bl_machine_try_sizes(bl_machine_search *s, const int64_t *sizes, size_t n, bl_err *err) {
    for (size_t i = 0; i < n && s->failed == 0 && !s->out_of_time; i++)
        BL_TRY(try_one(s, sizes[i], err));
    return BL_OK;
}

/* A guess is tried if it takes this part of the time at most: there is enough left without it. */
static const double k_guess = 0.25;

/* `share`: of the time that is left. */
static bool in_time(const bl_machine_search *s, int64_t batch_size, double share) {
    return s->expected == NULL ||
           s->expected(s->ctx, batch_size) <= share * (s->seconds - s->spent);
}

/* The next size to try; 0: the answer is there. */
static int64_t next_size(const bl_machine_search *s, int64_t guess) {
    const int64_t low = s->largest, high = s->failed > 0 ? s->failed : s->most + 1;
    const double gap = fmax(1.0, s->gap * (double)low);
    if ((double)(high - low) <= (s->failed > 0 ? gap : 1)) return 0;
    if (guess > low && guess < high && in_time(s, guess, k_guess)) return guess;
    if (s->failed == 0) return low > s->most / 2 ? s->most : low > 0 ? 2 * low : 1;
    const int64_t middle = (int64_t)sqrt((double)low * (double)high);
    return middle > low && middle < high ? middle : low + (high - low) / 2;
}

bl_status bl_machine_search_on(bl_machine_search *s, int64_t guess, bl_err *err) {
    bool again = false;
    while (!s->out_of_time) {
        const int64_t size = next_size(s, guess);
        if (size == 0) return BL_OK;
        /* A good guess is just too large, or just not. */
        if (size == guess) {
            guess = again ? 0 : guess - (int64_t)fmax(1.0, 0.75 * s->gap * (double)guess);
            again = true;
        }
        if (!in_time(s, size, 1)) {
            s->out_of_time = true;
            return BL_OK;
        }
        BL_TRY(try_one(s, size, err));
    }
    return BL_OK;
}

void bl_machine_search_free(bl_machine_search *s) {
    free(s->tried);
    s->tried = NULL;
    s->count = 0;
}
