/* An index saves a sweep that is done from unpacking every log: 20,000 runs cost 0.8 s with it and
 * 2.9 s without. It is read once, at bl_index_open; rows learnt since are merged and written once,
 * at bl_index_close. Nothing rests on it: a row counts only while both files of its run have the
 * size, time and inode that it names, and a file whose seal is wrong is an empty index.
 *
 * Text: a head line, a row a run in ascending order, and a last line with the SHA-256 of all before
 * it. A row: run, size, time and inode of result.json, the same of log.jsonl.gz, steps, whether the
 * log goes on beyond them, and for each evaluation step:value:loss, the numbers as their 64 bits in
 * hex, so that reading millions of them is quick and exact. */
#include "engine/store/index.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char k_head[] = "# batchlab index, format 1\n";
enum { TRAILER = 2 + BL_SHA256_HEX - 1 + 1, INDEX_LIMIT = 1 << 30, MARKS = 6, FIELDS = MARKS + 2 };

typedef struct line {
    const char *at; /* begins with the run */
    size_t n;       /* without the newline */
} line;

struct bl_index {
    char path[BL_PATH];
    bl_buf text; /* of the file */
    line *row;   /* (rows) in `text`, ascending */
    size_t rows;
    char **added; /* (added_count) learnt in this process */
    size_t added_count;
    pthread_mutex_t lock;
};

/* ---- reading ---- */

/* Does the text end with the digest of what stands before it? */
static bool sealed(const char *text, size_t n) {
    char digest[BL_SHA256_HEX];
    const size_t head = sizeof k_head - 1;
    if (n < head + TRAILER || memcmp(text, k_head, head) != 0 || text[n - 1] != '\n') return false;
    bl_sha256_of(text, n - TRAILER, digest);
    return memcmp(text + n - TRAILER, "# ", 2) == 0 &&
           memcmp(text + n - TRAILER + 2, digest, BL_SHA256_HEX - 1) == 0;
}

static bool is_row(const line *l) {
    char run[BL_RUN_ID] = "";
    if (l->n < BL_RUN_ID || l->at[BL_RUN_ID - 1] != ',') return false;
    memcpy(run, l->at, BL_RUN_ID - 1);
    return bl_store_is_run_id(run);
}

/* The lines between head and trailer; NULL when it is no index. */
static line *split(const char *text, size_t n, size_t *rows) {
    *rows = 0;
    if (!sealed(text, n)) return NULL;
    line *row = NULL;
    const char *end = text + n - TRAILER;
    for (const char *at = text + sizeof k_head - 1; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL) stop = end;
        line *next = BL_PUSH(row, *rows, "rows of an index");
        *next = (line){at, (size_t)(stop - at)};
        const bool good =
            is_row(next) && (*rows == 1 || memcmp(next[-1].at, at, BL_RUN_ID - 1) < 0);
        at = stop + 1;
        if (good) continue;
        free(row);
        *rows = 0;
        return NULL;
    }
    return row != NULL ? row : bl_xalloc(sizeof *row); /* an index of no runs is one */
}

/* A decimal number and the character after it. */
static const char *take_i64(const char *at, const char *end, char after, int64_t *out) {
    const bool minus = at < end && *at == '-';
    int64_t value = 0;
    at += minus;
    const char *first = at;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *at - '0', &value))
            return NULL;
    *out = minus ? -value : value;
    if (at == first) return NULL;
    return at == end ? end : *at == after ? at + 1 : NULL;
}

/* The 16 hex digits of a double's bits, NaN and infinities too, and the character after them. */
static const char *take_bits(const char *at, const char *end, char after, double *out) {
    enum { DIGITS = 16 };
    uint64_t bits = 0;
    if (end - at < DIGITS) return NULL;
    for (int i = 0; i < DIGITS; i++) {
        const char c = at[i];
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) return NULL;
        bits = bits << 4 | (uint64_t)digit;
    }
    memcpy(out, &bits, sizeof bits);
    at += DIGITS;
    return at == end ? end : *at == after ? at + 1 : NULL;
}

/* Fills *out and the marks from a row; false for one that is not well-formed. */
static bool read_row(const line *l, int64_t mark[MARKS], bl_stored *out) {
    int64_t field[FIELDS];
    const char *at = l->at + BL_RUN_ID, *end = l->at + l->n;
    for (size_t i = 0; i < FIELDS && at != NULL; i++) at = take_i64(at, end, ',', &field[i]);
    *out = (bl_stored){0};
    while (at != NULL && at < end) {
        bl_runlog_eval *e = BL_PUSH(out->parsed.eval, out->parsed.evals, "evaluations");
        *e = (bl_runlog_eval){.learning_rate = (double)NAN};
        at = take_i64(at, end, ':', &e->step);
        if (at != NULL) at = take_bits(at, end, ':', &e->value);
        if (at != NULL) at = take_bits(at, end, ',', &e->train_loss);
    }
    if (at == NULL || out->parsed.evals == 0) {
        bl_stored_free(out);
        return false;
    }
    memcpy(mark, field, MARKS * sizeof *mark);
    out->done = true;
    out->parsed.whole = true;
    out->steps = field[MARKS];
    out->log_ahead = field[MARKS + 1] != 0;
    memcpy(out->parsed.run, l->at, BL_RUN_ID - 1);
    return true;
}

/* By bisection: rows ascend. */
static const line *find(const bl_index *x, const char *id) {
    size_t low = 0, high = x->rows;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int order = memcmp(x->row[mid].at, id, BL_RUN_ID - 1);
        if (order == 0) return &x->row[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

/* Size, time and inode of both files as they are now; false where one is missing. */
static bool take_marks(const bl_store *store, const char *id, int64_t mark[MARKS]) {
    static const char *const files[] = {"result.json", "log.jsonl.gz"};
    char path[BL_PATH];
    for (size_t i = 0; i < BL_COUNT(files); i++) {
        bl_file_stamp s;
        if (bl_path(path, NULL, "%s/%s/%s", store->dir, id, files[i]) != BL_OK ||
            !bl_file_stat(&s, path))
            return false;
        mark[3 * i] = s.size;
        mark[3 * i + 1] = s.mtime_ns;
        mark[3 * i + 2] = s.inode;
    }
    return true;
}

/* ---- learning ---- */

/* A row of a run, here of 640 steps with one evaluation, wrapped:
 *
 *     r3f9c0a71b2e4,812,1767225600000000000,1311,20480,1767225600000000000,1312,
 *         640,0,640:3fc628240b780347:3f8ce075f6fd21ff
 *
 * Workers may learn at the same time; the row is the index's from here on. */
static void learn(bl_index *x, const char *id, const int64_t mark[MARKS], const bl_stored *run) {
    bl_buf row = {0};
    bl_buf_str(&row, id);
    for (size_t i = 0; i < MARKS; i++) bl_buf_printf(&row, ",%" PRId64, mark[i]);
    bl_buf_printf(&row, ",%" PRId64 ",%d", run->steps, run->log_ahead);
    for (size_t i = 0; i < run->parsed.evals; i++) {
        const bl_runlog_eval *e = &run->parsed.eval[i];
        uint64_t value, loss;
        memcpy(&value, &e->value, sizeof value);
        memcpy(&loss, &e->train_loss, sizeof loss);
        bl_buf_printf(&row, ",%" PRId64 ":%016" PRIx64 ":%016" PRIx64, e->step, value, loss);
    }
    (void)pthread_mutex_lock(&x->lock);
    *BL_PUSH(x->added, x->added_count, "new rows of an index") = row.data;
    (void)pthread_mutex_unlock(&x->lock);
}

bl_status bl_index_load(const bl_store *store, const char *id, bl_stored *out, bl_err *err) {
    bl_index *x = store->index;
    int64_t now[MARKS], then[MARKS];
    /* Taken before the files are read: if they change meanwhile, the row will not fit them. */
    const bool there = x != NULL && take_marks(store, id, now);
    const line *l = there ? find(x, id) : NULL;
    if (l != NULL && read_row(l, then, out)) {
        if (memcmp(now, then, sizeof now) == 0) return BL_OK;
        bl_stored_free(out);
    }
    BL_TRY(bl_store_load(store, id, out, err));
    /* A row does not say that a program has no more. */
    const bool ends = out->done && out->parsed.eval[out->parsed.evals - 1].ends;
    if (there && out->done && !ends) learn(x, id, now, out);
    return BL_OK;
}

/* ---- the file ---- */

bl_index *bl_index_open(const bl_store *store) {
    bl_index *x = bl_xalloc(sizeof *x);
    bl_err ignored;
    (void)pthread_mutex_init(&x->lock, NULL);
    if (bl_path(x->path, &ignored, "%s/index.csv", store->dir) == BL_OK &&
        bl_file_exists(x->path) && bl_file_read(&x->text, x->path, INDEX_LIMIT, &ignored) == BL_OK)
        x->row = split(x->text.data, x->text.len, &x->rows);
    return x;
}

static int by_run(const void *a, const void *b) {
    return memcmp(*(char *const *)a, *(char *const *)b, BL_RUN_ID - 1);
}

/* Old rows and added ones in order; of one run the added one, the last if there are several. */
static void merge(const bl_index *x, bl_buf *out) {
    for (size_t i = 0, j = 0; i < x->rows || j < x->added_count;) {
        const int order = i == x->rows          ? 1
                          : j == x->added_count ? -1
                                                : memcmp(x->row[i].at, x->added[j], BL_RUN_ID - 1);
        if (order < 0) {
            bl_buf_add(out, x->row[i].at, x->row[i].n);
            i++;
        } else {
            i += order == 0;
            while (j + 1 < x->added_count && by_run(&x->added[j], &x->added[j + 1]) == 0) j++;
            bl_buf_str(out, x->added[j++]);
        }
        bl_buf_str(out, "\n");
    }
}

static void write_file(bl_index *x) {
    bl_buf out = {0};
    bl_err ignored;
    char digest[BL_SHA256_HEX];
    qsort(x->added, x->added_count, sizeof *x->added, by_run);
    bl_buf_str(&out, k_head);
    merge(x, &out);
    bl_sha256_of(out.data, out.len, digest);
    bl_buf_printf(&out, "# %s\n", digest);
    /* What is not kept, on a full disk, is read from the logs once more. */
    const bl_status status = bl_store_write(x->path, out.data, out.len, &ignored);
    (void)status;
    bl_buf_free(&out);
}

void bl_index_close(bl_index *x, bool keep) {
    if (x == NULL) return;
    if (keep && x->added_count > 0) write_file(x);
    for (size_t i = 0; i < x->added_count; i++) free(x->added[i]);
    free(x->added);
    free(x->row);
    bl_buf_free(&x->text);
    (void)pthread_mutex_destroy(&x->lock);
    free(x);
}

long bl_index_check(const char *text, size_t n) {
    size_t rows;
    line *row = split(text, n, &rows);
    long good = row != NULL ? (long)rows : -1;
    for (size_t i = 0; i < rows; i++) {
        int64_t mark[MARKS];
        bl_stored run;
        if (read_row(&row[i], mark, &run))
            bl_stored_free(&run);
        else
            good = -1;
    }
    free(row);
    return good;
}
