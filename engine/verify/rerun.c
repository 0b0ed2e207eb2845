/* Runs that are known, trained once more and compared.
 *
 *     bl_rerun_open      a scratch store beside the real one
 *     bl_rerun_add       for each run: its trial, up to the steps that are known
 *     bl_rerun_train     one round, without a race or a target: every run goes its full length
 *     bl_rerun_compare   digests of logs; where one differs, the first step that does
 *     bl_rerun_close     the scratch store goes
 *
 * The digest of the log decides. All that follows it, marks, steps and probes, only helps to find
 * the cause. */
#include "engine/verify/rerun.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/store/gc.h"
#include "engine/store/noise_file.h"
#include "engine/store/run_files.h"
#include "engine/sweep/active_trial.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bl_status bl_rerun_open(bl_rerun *r, bl_err *err) {
    BL_TRY(bl_scratch_make(r->root, r->runs_dir, "verify", err));
    return bl_store_open(&r->scratch, r->root, r->name, true, err);
}

void bl_rerun_close(bl_rerun *r) {
    if (r->root[0] != '\0') (void)bl_remove_tree(r->root, NULL);
    free(r->trial);
    free(r->entry);
}

bl_scheduler bl_rerun_scheduler(const bl_rerun *r, const bl_store *store, bool lookup_only) {
    bl_scheduler scheduler = r->how;
    scheduler.store = store;
    scheduler.lookup_only = lookup_only;
    return scheduler;
}

/* No target: the run has to reach the known step, even if the first one stopped there for
 * another reason. */
void bl_rerun_add(bl_rerun *r, const bl_trial *trial, const bl_lock_entry *known) {
    size_t entries = r->count;
    bl_trial *again = BL_PUSH(r->trial, r->count, "runs to do again");
    *again = *trial;
    again->max_steps = known->steps;
    again->target = (double)NAN;
    *BL_PUSH(r->entry, entries, "runs to do again") = *known;
}

/* The results are in the scratch store; what the scheduler hands back is not needed. */
bl_status bl_rerun_train(bl_rerun *r, bl_err *err) {
    const bl_scheduler scheduler = bl_rerun_scheduler(r, &r->scratch, false);
    const bl_round round = {.title = "verify", .trial = r->trial, .count = r->count};
    bl_trial_result *results = bl_xalloc((r->count + 1) * sizeof *results);
    const bl_status status = bl_scheduler_run(&scheduler, &round, results, err);
    if (status == BL_OK) bl_round_results_free(results, r->count);
    free(results);
    return status;
}

/* Without the expected log: between which of the lock's marks the losses part. */
static void name_marks(const bl_lock_entry *entry, const bl_runlog_steps *got) {
    int64_t equal = 0;
    for (size_t m = 0, i = 0; m < entry->marks; m++) {
        const bl_lock_mark *mark = &entry->mark[m];
        while (i < got->count && got->at[i].step < mark->step) i++;
        const bool there = i < got->count && got->at[i].step == mark->step;
        if (there && strtoull(got->at[i].hash, NULL, 16) == mark->hash) {
            equal = mark->step;
            continue;
        }
        (void)printf("   first differing loss: after step %" PRId64 ", at or before step %" PRId64
                     ", there expected hash %016" PRIx64 ", here %s\n",
                     equal, mark->step, mark->hash, there ? got->at[i].hash : "no such step");
        return;
    }
    if (entry->marks > 0)
        (void)printf("   no loss differs up to step %" PRId64 "; other parts of the log do\n",
                     equal);
}

/* Where the new log leaves the one in the store, if that is the expected one. */
static bl_status name_step(const bl_rerun *r, const bl_lock_entry *entry, const bl_stored *got,
                           bl_err *err) {
    char digest[BL_SHA256_HEX];
    bl_stored kept;
    bl_runlog_steps a = {0}, b = {0};
    bl_status status = bl_store_load(r->how.store, entry->run, &kept, err);
    if (status != BL_OK) return status;
    size_t i, j;
    BL_GOTO(bl_runlog_steps_read(&b, bl_buf_text(&got->log), got->log.len, entry->run, err));
    if (!bl_lock_digest(&kept, entry->steps, digest) || strcmp(digest, entry->log_sha256) != 0) {
        name_marks(entry, &b);
        (void)printf(
            "   %s/ has no log of it with the expected digest to compare every step with\n",
            r->how.store->dir);
        goto done;
    }
    BL_GOTO(bl_runlog_steps_read(&a, kept.log.data, kept.log.len, entry->run, err));
    const bool differ = bl_runlog_steps_differ(&a, &b, &i, &j);
    if (differ && a.at[i].hash[0] == '\0')
        (void)printf("   first differing record: step %" PRId64
                     ", expected value %.9g, here value %.9g\n",
                     a.at[i].step, a.at[i].value, b.at[j].value);
    else if (differ)
        (void)printf("   first differing record: step %" PRId64
                     ", expected hash %s loss %.9g value %.9g, here hash %s loss %.9g value %.9g\n",
                     a.at[i].step, a.at[i].hash, a.at[i].loss, a.at[i].value, b.at[j].hash,
                     b.at[j].loss, b.at[j].value);
    else
        (void)printf("   no step differs; other parts of the log do\n");
done:
    bl_runlog_steps_free(&a);
    bl_runlog_steps_free(&b);
    bl_stored_free(&kept);
    return status;
}

/* As far as both go. Logs do not know of probes, so a lock does not either: the ones in the store
 * are what they are compared with. No probes on one side: nothing to compare. */
static bool same_noise(const bl_rerun *r, const char *run) {
    bl_buf kept = {0}, again = {0};
    bl_err ignored;
    const bool both = bl_store_load_noise(r->how.store, run, &kept, &ignored) == BL_OK &&
                      bl_store_load_noise(&r->scratch, run, &again, &ignored) == BL_OK;
    const size_t n = bl_size_min(kept.len, again.len);
    const bool same = !both || memcmp(kept.data, again.data, n) == 0;
    bl_buf_free(&kept);
    bl_buf_free(&again);
    return same;
}

/* Counts the run as equal or different and says what differs. `against` names the lock or store it
 * is held to. A run that found no memory is neither. */
static bl_status compare(bl_rerun *r, const bl_lock_entry *entry, const char *against,
                         bl_err *err) {
    char digest[BL_SHA256_HEX];
    bl_stored got;
    BL_TRY(bl_store_load(&r->scratch, entry->run, &got, err));
    bl_status status = BL_OK;
    const bool reached = bl_lock_digest(&got, entry->steps, digest);
    const bool equal = reached && strcmp(digest, entry->log_sha256) == 0;
    if (equal && !same_noise(r, entry->run)) {
        r->differ++;
        (void)printf("run %s has other probes of the gradient noise; its log is as expected\n",
                     entry->run);
    } else if (equal) {
        r->equal++;
    } else if (got.done) { /* not done: it found no memory, and is skipped */
        r->differ++;
        (void)printf("run %s differs from %s at or before step %" PRId64 "\n", entry->run, against,
                     entry->steps);
        status = name_step(r, entry, &got, err);
    }
    bl_stored_free(&got);
    return status;
}

bl_status bl_rerun_compare(bl_rerun *r, const char *against, bl_err *err) {
    for (size_t i = 0; i < r->count; i++) BL_TRY(compare(r, &r->entry[i], against, err));
    return BL_OK;
}

/* Prints where the two part. */
static bl_status compare_repeats(bl_rerun *r, size_t k, bl_err *err) {
    const bl_scheduler scratch = bl_rerun_scheduler(r, &r->scratch, true);
    const char *run = r->entry[k].run;
    char again[BL_RUN_ID];
    bl_stored kept = {0}, got = {0};
    bl_runlog_steps a = {0}, b = {0};
    size_t i, j;
    bl_status status;
    BL_GOTO(bl_active_trial_run(again, &scratch, &r->trial[k], err));
    BL_GOTO(bl_store_load(r->how.store, run, &kept, err));
    BL_GOTO(bl_store_load(&r->scratch, again, &got, err));
    if (!kept.done || !got.done) goto done; /* no memory: skipped */
    BL_GOTO(bl_runlog_steps_read(&a, kept.log.data, kept.log.len, run, err));
    BL_GOTO(bl_runlog_steps_read(&b, got.log.data, got.log.len, again, err));
    if (!bl_runlog_steps_differ(&a, &b, &i, &j)) {
        r->equal++;
        goto done;
    }
    r->differ++;
    (void)printf("run %s: first differing record: step %" PRId64
                 ", published value %.9g, here value %.9g\n",
                 run, a.at[i].step, a.at[i].value, b.at[j].value);
done:
    bl_runlog_steps_free(&a);
    bl_runlog_steps_free(&b);
    bl_stored_free(&kept);
    bl_stored_free(&got);
    return status;
}

bl_status bl_rerun_compare_noisy(bl_rerun *r, bl_err *err) {
    for (size_t k = 0; k < r->count; k++) BL_TRY(compare_repeats(r, k, err));
    return BL_OK;
}
