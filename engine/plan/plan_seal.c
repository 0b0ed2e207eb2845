/* The seal of a plan, and its trials against the logs they cite. */
#include "engine/base/json_writer.h"
#include "engine/base/sha256.h"
#include "engine/plan/plan.h"
#include <math.h>
#include <string.h>

/* ---- the seal ---- */

/* {"record":"seal","sha256":"<64 hex digits>"} and a newline. */
static void write_seal(bl_buf *out, const char *digest) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", "seal");
    bl_jw_str(&w, "sha256", digest);
    bl_jw_end(&w);
    bl_jw_line(&w);
}

void bl_plan_seal(bl_buf *text) {
    char digest[BL_SHA256_HEX];
    bl_sha256_of(bl_buf_text(text), text->len, digest);
    write_seal(text, digest);
}

/* Where the last line begins. */
static size_t last_line(const char *text, size_t n) {
    size_t at = n > 0 ? n - 1 : 0;
    while (at > 0 && text[at - 1] != '\n') at--;
    return at;
}

/* A file of format 1 says so in its head and has no seal. A flipped bit changes one of both, so the
 * other still says that there has to be a seal. */
static bool has_to_be_sealed(const char *text, size_t n, size_t last) {
    bl_json_doc head = {0}, end = {0};
    const char *newline = memchr(text, '\n', n);
    const size_t first = newline != NULL ? (size_t)(newline - text) : n;
    int64_t format = 0;
    bool seal = false;
    if (bl_json_parse(&head, text, first, "head", 1, NULL) == BL_OK)
        format = bl_json_int(head.root, "format", 0);
    if (bl_json_parse(&end, text + last, n - last, "end", 1, NULL) == BL_OK)
        seal = strcmp(bl_json_text(end.root, "record", ""), "seal") == 0;
    bl_json_free(&head);
    bl_json_free(&end);
    return seal || format >= BL_PLAN_FORMAT;
}

/* The seal is written again from what stands before it and compared byte for byte: nothing in
 * the last line is trusted, nor parsed, where it holds. */
size_t bl_plan_sealed_bytes(const char *text, size_t n, bool *sealed) {
    char digest[BL_SHA256_HEX];
    bl_buf seal = {0};
    const size_t last = last_line(text, n);
    bl_sha256_of(text, last, digest);
    write_seal(&seal, digest);
    const bool holds = n - last == seal.len && memcmp(text + last, seal.data, seal.len) == 0;
    bl_buf_free(&seal);
    *sealed = holds || has_to_be_sealed(text, n, last);
    return holds ? last : *sealed ? SIZE_MAX : n;
}

/* ---- trials against logs ---- */

/* The first evaluation up to `steps` whose value is at or below the target. */
static size_t first_hit(const bl_runlog *log, double target, int64_t steps) {
    for (size_t i = 0; i < log->evals && log->eval[i].step <= steps; i++)
        if (log->eval[i].value <= target) return i;
    return SIZE_MAX;
}

/* Batch size, rate and seed, where the log knows them. Both files hold the shortest text of the
 * same double. */
static bl_status check_settings(const bl_plan_trial *t, const bl_runlog *log, const char *name,
                                bl_err *err) {
    if (log->batch_size == 0 || (log->batch_size == t->batch_size &&
                                 log->learning_rate == t->learning_rate && log->seed == t->seed))
        return BL_OK;
    BL_FAIL(err, BL_EDAMAGED,
            "%s: a trial of run %s says batch size %lld, learning rate %.9g, seed %lld; its log "
            "says %lld, %.9g, %lld",
            name, t->run, (long long)t->batch_size, t->learning_rate, (long long)t->seed,
            (long long)log->batch_size, log->learning_rate, (long long)log->seed);
}

bl_status bl_plan_check_trial(const bl_plan_trial *t, const bl_runlog *log, const char *name,
                              bl_err *err) {
    BL_TRY(check_settings(t, log, name, err));
    const size_t hit = isnan(t->target) ? SIZE_MAX : first_hit(log, t->target, t->steps);
    const int64_t step = hit != SIZE_MAX ? log->eval[hit].step : 0;
    const int64_t before = hit != SIZE_MAX && hit > 0 ? log->eval[hit - 1].step : 0;
    const bool lost = t->outcome == BL_OUTCOME_MEMORY || t->outcome == BL_OUTCOME_FAILED;
    if (lost || log->evals == 0 || log->eval[log->evals - 1].step < t->steps)
        return BL_OK; /* there is nothing to compare, or not yet */
    if (step != t->target_step || (step > 0 && before != t->previous_eval_step))
        BL_FAIL(
            err, BL_EDAMAGED,
            "%s: a trial of run %s says that it was at the target %.9g at step %lld (not yet at "
            "%lld); its log says step %lld (%lld); 0: never",
            name, t->run, t->target, (long long)t->target_step, (long long)t->previous_eval_step,
            (long long)step, (long long)before);
    return BL_OK;
}
