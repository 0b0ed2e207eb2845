/* expected.lock as text: a comment, then a line for each run, sorted by id, so that a diff shows
 * what changed.
 *
 *     r0041271e59b6 126 5181...c14b 2:16560160fbf6a340 7:... 126:...
 *     run           steps log's SHA-256  step:hash of the losses, at most BL_LOCK_MARKS, ascending
 *
 * Besides empty lines and comments, the reader takes lines in the writer's form only: numbers
 * without leading zeros, lower-case digits, one space. A line that an editor has spoilt should not
 * pass for an expectation. */
#include "engine/verify/lock.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include <inttypes.h>
#include <string.h>

enum { LOCK_LIMIT = 64 << 20, LINE = 512, MOST_DIGITS = 18, HASH_DIGITS = 16 };
static const char k_hex[] = "0123456789abcdef";
static const char k_head[] = "# batchlab lock, format 2: run, steps, SHA-256 of its log so far, "
                             "step:hash of the losses on the way\n";

/* Where the entry is or belongs. */
static size_t place(const bl_lock *lock, const char *run) {
    size_t low = 0, high = lock->count;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (strcmp(lock->entry[mid].run, run) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const bl_lock_entry *bl_lock_find(const bl_lock *lock, const char *run) {
    const size_t i = place(lock, run);
    return i < lock->count && strcmp(lock->entry[i].run, run) == 0 ? &lock->entry[i] : NULL;
}

void bl_lock_set(bl_lock *lock, const bl_lock_entry *entry) {
    const size_t i = place(lock, entry->run);
    if (bl_lock_find(lock, entry->run) == NULL) {
        (void)BL_PUSH(lock->entry, lock->count, "runs of a lock");
        memmove(&lock->entry[i + 1], &lock->entry[i], (lock->count - 1 - i) * sizeof *lock->entry);
    }
    lock->entry[i] = *entry;
}

/* A number from 1 without leading zeros, then `end`; returns what is behind, or NULL. */
static const char *parse_steps(const char *text, char end, int64_t *out) {
    const size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > MOST_DIGITS || text[0] == '0' || text[digits] != end) return NULL;
    *out = (int64_t)strtoll(text, NULL, 10);
    return text + digits + 1;
}

/* " <step>:<16 hex digits>" and so on to the end of the line, steps ascending. */
static bool parse_marks(const char *text, bl_lock_entry *out) {
    int64_t before = 0;
    for (; *text != '\0'; out->marks++) {
        if (out->marks == BL_LOCK_MARKS || *text != ' ') return false;
        bl_lock_mark *mark = &out->mark[out->marks];
        const char *hash = parse_steps(text + 1, ':', &mark->step);
        if (hash == NULL || strspn(hash, k_hex) != HASH_DIGITS) return false;
        if (mark->step <= before || mark->step > out->steps) return false;
        before = mark->step;
        mark->hash = strtoull(hash, NULL, 16);
        text = hash + HASH_DIGITS;
    }
    return true;
}

/* "r<12 hex digits> <steps> <64 hex digits>" and the marks, one space between them. */
static bool parse_line(const char *text, size_t n, bl_lock_entry *out) {
    char line[LINE];
    if (n >= sizeof line || memchr(text, '\0', n) != NULL) return false;
    memcpy(line, text, n);
    line[n] = '\0';
    *out = (bl_lock_entry){0};
    const size_t run = strcspn(line, " ");
    char id[BL_RUN_ID] = "";
    if (run != BL_RUN_ID - 1 || line[run] != ' ') return false;
    memcpy(id, line, run);
    if (!bl_store_is_run_id(id)) return false;
    const char *sum = parse_steps(line + run + 1, ' ', &out->steps);
    if (sum == NULL || strspn(sum, k_hex) != BL_SHA256_HEX - 1) return false;
    memcpy(out->run, line, BL_RUN_ID - 1);
    memcpy(out->log_sha256, sum, BL_SHA256_HEX - 1);
    return parse_marks(sum + BL_SHA256_HEX - 1, out);
}

/* Lines that begin with # are comments. A run may be there once. */
bl_status bl_lock_parse(bl_lock *lock, const char *text, size_t n, const char *name, bl_err *err) {
    *lock = (bl_lock){0};
    size_t line = 0;
    for (size_t at = 0; at < n;) {
        const char *stop = memchr(text + at, '\n', n - at);
        const size_t end = stop != NULL ? (size_t)(stop - text) : n;
        bl_lock_entry entry;
        line++;
        if (end > at && text[at] != '#') {
            const bool good = parse_line(text + at, end - at, &entry);
            if (!good || bl_lock_find(lock, entry.run) != NULL) {
                bl_lock_free(lock);
                BL_FAIL(err, BL_EFORMAT, "%s:%zu: %s", name, line,
                        good ? "this run is there twice"
                             : "expected a run's id, r and 12 hex digits, its steps, a SHA-256 "
                               "and step:hash, up to 6");
            }
            bl_lock_set(lock, &entry);
        }
        at = end + 1;
    }
    return BL_OK;
}

/* A file that is not there reads as an empty lock. */
bl_status bl_lock_read(bl_lock *lock, const char *path, bl_err *err) {
    *lock = (bl_lock){0};
    bl_buf text = {0};
    bl_status status = bl_file_read(&text, path, LOCK_LIMIT, err);
    if (status == BL_OK) status = bl_lock_parse(lock, bl_buf_text(&text), text.len, path, err);
    bl_buf_free(&text);
    return status == BL_EMISSING ? BL_OK : status; /* nothing is expected yet */
}

bl_status bl_lock_write(const bl_lock *lock, const char *path, bl_err *err) {
    bl_buf text = {0};
    bl_buf_str(&text, k_head);
    for (size_t i = 0; i < lock->count; i++) {
        const bl_lock_entry *e = &lock->entry[i];
        bl_buf_printf(&text, "%s %" PRId64 " %s", e->run, e->steps, e->log_sha256);
        for (size_t m = 0; m < e->marks; m++)
            bl_buf_printf(&text, " %" PRId64 ":%016" PRIx64, e->mark[m].step, e->mark[m].hash);
        bl_buf_str(&text, "\n");
    }
    const bl_status status = bl_file_write(path, text.data, text.len, err);
    bl_buf_free(&text);
    return status;
}

void bl_lock_free(bl_lock *lock) {
    free(lock->entry);
    *lock = (bl_lock){0};
}

/* The digest is of the log's prefix, not of the file: a run that went farther since still has
 * the same one. */
bool bl_lock_digest(const bl_stored *run, int64_t steps, char out[BL_SHA256_HEX]) {
    if (!run->done) return false;
    for (size_t i = 0; i < run->parsed.evals; i++)
        if (run->parsed.eval[i].step == steps) {
            bl_sha256_of(run->log.data, run->parsed.eval[i].end, out);
            return true;
        }
    return false;
}

/* From all evaluations up to entry->steps: the last, that at half as many, at a quarter, ... The
 * logs of programs have no hashes, and get none. */
static void set_marks(bl_lock_entry *entry, const bl_runlog_steps *steps) {
    size_t all = 0, least = 1;
    if (steps->count > 0 && steps->at[0].hash[0] == '\0') return;
    while (all < steps->count && steps->at[all].step <= entry->steps) all++;
    while (least < BL_LOCK_MARKS && all >> least > 0) least++;
    entry->marks = all > 0 ? least : 0;
    for (size_t m = 0; m < entry->marks; m++) {
        const bl_runlog_step *s = &steps->at[(all >> (entry->marks - 1 - m)) - 1];
        entry->mark[m] = (bl_lock_mark){s->step, strtoull(s->hash, NULL, 16)};
    }
}

/* Without a finished run, *done is false and the entry has no marks; that is no error. */
bl_status bl_lock_published(bl_lock_entry *entry, const bl_store *store, const char *run,
                            bool *done, bl_err *err) {
    bl_stored stored;
    bl_runlog_steps steps = {0};
    *entry = (bl_lock_entry){0};
    BL_TRY(bl_store_load(store, run, &stored, err));
    *done = bl_lock_digest(&stored, stored.steps, entry->log_sha256);
    entry->steps = stored.steps;
    memcpy(entry->run, run, sizeof entry->run);
    bl_status status = BL_OK;
    if (*done)
        status = bl_runlog_steps_read(&steps, bl_buf_text(&stored.log), stored.log.len, run, err);
    if (status == BL_OK) set_marks(entry, &steps);
    bl_runlog_steps_free(&steps);
    bl_stored_free(&stored);
    return status;
}
