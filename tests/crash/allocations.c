/* Every allocation fails once, or it and all after it: the program ends with a message or finishes;
 * never a crash, and under a sanitizer never a leak. */
#include "engine/base/mem.h"
#include "tests/crash/crash.h"
#include <stdio.h>
#include <string.h>

static void refuse_at(lab *l, fault_kind kind, fault_action action, int64_t k, int64_t *hits) {
    char what[96];
    const fault_plan plan = {.kind = (int32_t)kind, .action = (int32_t)action, .at = k};
    (void)snprintf(what, sizeof what, "%s %d%s refused",
                   kind == FAULT_THREAD ? "thread" : "allocation", (int)k,
                   action == FAULT_FAIL_ON ? " and all after it" : "");
    lab_reset(l, NULL);
    const ending e = lab_sweep(l, &plan);
    *hits = l->plan->hits;
    if (*hits == 0) return;
    l->faults += l->plan->exempt < l->plan->hits;
    /* The sanitizer itself needs memory for a thread that starts: its fault, not ours. */
    if (strstr(e.said, "Sanitizer: CHECK failed") != NULL) return;
    if (e.exit < 0 || strstr(e.said, "Sanitizer") != NULL ||
        strstr(e.said, "runtime error") != NULL)
        lab_fail(l, "%s: exit %d, signal %d: %s", what, e.exit, e.signal, e.said);
    else if (e.exit != l->undisturbed && e.said[0] == '\0')
        lab_fail(l, "%s: exit %d without a word", what, e.exit);
    /* 1: the memory of a run was refused, which is its outcome and stands in the plan. 69: a
     * library could not be opened for lack of memory. */
    else if ((e.exit == 1) !=
             (strstr(e.said, " failed; `batchlab") != NULL && lab_plan_says(l, "memory")))
        lab_fail(l, "%s: exit %d, and the plan says otherwise: %s", what, e.exit, e.said);
    else if (e.exit != l->undisturbed && e.exit != 75 && e.exit != 69 && e.exit != 1)
        lab_fail(l, "%s: exit %d, not 75: %s", what, e.exit, e.said);
    /* A run that found no memory is an answer, after which the sweep asks other questions. */
    if (lab_random(l, 8) == 0 || e.exit == l->undisturbed) (void)lab_recovers(l, what, true);
}

void part_allocations(lab *l) {
    static const fault_action actions[] = {FAULT_FAIL, FAULT_FAIL_ON};
    static const int64_t steps[] = {1, 10}; /* in the full selection */
    int64_t hits = 1;
    for (size_t a = 0; a < BL_COUNT(actions); a++)
        for (int64_t k = 1 + l->lane * steps[a]; l->failures <= LAB_MOST_FAILURES;
             k += l->full ? l->lanes * steps[a] : 1 + (int64_t)lab_random(l, 600)) {
            refuse_at(l, FAULT_ALLOC, actions[a], k, &hits);
            if (hits == 0) break;
        }
}
