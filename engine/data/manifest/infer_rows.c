/* The walk over a user's table: header, rows, and the bytes that are given back on the way.
 *
 * Rows are read in batches. While one batch is read, the columns of the batch before it are looked
 * at, by as many threads as the caller allows:
 *
 *     thread 1   read batch 2   | columns a, d of batch 2 | read batch 4 ...
 *     thread 2   a, b, c, d of 1 | read batch 3  b, c of 2 | ...
 *
 * What is known of a column depends on that column's values alone, and one thread sees all of a
 * batch in their order. So the number of threads changes nothing but the time. */
#include "engine/base/chunks.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/pool.h"
#include "engine/data/manifest/infer_p.h"
#include "engine/data/table/encoding.h"
#include <stdatomic.h>
#include <string.h>

/* Names of the columns from the first row: one line each, no two alike. Empty ones may repeat. */
static bl_status read_header(bl_inferred *out, const bl_csv *csv, bl_err *err) {
    out->column = bl_xalloc((csv->count + 1) * sizeof *out->column);
    for (size_t i = 0; i < csv->count; i++) {
        const bl_csv_field f = csv->field[i];
        bl_inferred_column *c = &out->column[out->columns++];
        c->guess = BL_GUESSES;
        c->first_day = c->last_day = (double)NAN;
        bl_dict_init(&c->values);
        c->name = bl_xalloc(f.n + 1);
        memcpy(c->name, f.text, f.n);
        for (size_t k = 0; k < f.n; k++)
            if ((unsigned char)f.text[k] < 32)
                BL_FAIL(err, BL_EFORMAT, "%s:1: error: the name of column %zu is no single line",
                        csv->name, i + 1);
        for (size_t k = 0; k < i && f.n > 0; k++)
            if (strcmp(out->column[k].name, c->name) == 0)
                BL_FAIL(err, BL_EFORMAT, "%s:1: error: there are two columns '%s'", csv->name,
                        c->name);
    }
    return BL_OK;
}

/* Another file's header is that of the first. */
static bl_status check_header(const bl_inferred *in, const bl_csv *csv, bl_err *err) {
    for (size_t i = 0; i < bl_size_max(in->columns, csv->count); i++) {
        const bl_csv_field f = i < csv->count ? csv->field[i] : (bl_csv_field){"", 0};
        const char *name = i < in->columns ? in->column[i].name : "";
        if (strlen(name) != f.n || memcmp(name, f.text, f.n) != 0)
            BL_FAIL(err, BL_EFORMAT,
                    "%s:1: error: column %zu is '%.*s', but '%s' in the first file: files of one "
                    "table have the same header",
                    csv->name, i + 1, (int)bl_size_min(f.n, 40), f.text, name);
    }
    return BL_OK;
}

/* A row with another number of fields, said so that the user knows what to change. */
static bl_status fail_fields(const bl_inferred *in, const bl_csv *csv, bl_err *err) {
    const bool last =
        csv->at == csv->end || strspn(csv->at, "\r\n") == (size_t)(csv->end - csv->at);
    const char *what = "";
    if (in->rows < 5 && in->columns < csv->count && (in->rows == 0 || in->columns == 1))
        what = ". The lines above it look like a title: take them out, so that the names of the "
               "columns come first";
    else if (last && csv->count < in->columns)
        what = ". It looks like a footer: take the last lines out";
    else if (csv->count > in->columns)
        what = ". A text with a separator in it has to stand in quotes";
    BL_FAIL(err, BL_EFORMAT, "%s:%zu: error: %zu field%s, the header has %zu%s", csv->name,
            csv->line, csv->count, csv->count == 1 ? "" : "s", in->columns, what);
}

enum { PIECE = 16 << 20 }; /* bytes of a mapped file that stay in memory */

/* What bl_csv_encoding and bl_csv_is_ascii say of the whole text, which is looked at in pieces that
 * end with a line. */
static const char *encoding_of(const bl_infer_source *s, bool *ascii) {
    const char *encoding = NULL;
    *ascii = true;
    for (size_t at = 0, n; at < s->n && encoding == NULL; at += n) {
        n = bl_size_min(PIECE, s->n - at);
        const char *end = at + n < s->n ? memrchr(s->text + at, '\n', n) : NULL;
        if (end != NULL) n = (size_t)(end + 1 - s->text) - at;
        encoding = bl_csv_encoding(s->text + at, n);
        *ascii = *ascii && bl_csv_is_ascii(s->text + at, n);
        if (encoding != NULL && at > 0) encoding = "latin1"; /* a mark stands in front */
        if (s->mapped) bl_file_passed(s->text + at, n);
    }
    return encoding;
}

/* ---- rows in batches ---- */

/* Fields of a batch: enough to be worth waking a thread for, few enough to stay in a core's cache.
 */
enum { BATCH_FIELDS = 32768 };

typedef struct batch {
    bl_csv_field *field; /* (rows, columns) */
    size_t *line;        /* (rows) */
    size_t rows;
    bl_chunks copies; /* of fields that the reader unquoted into its own memory */
    const char *end;  /* of its text */
} batch;

typedef struct walk {
    bl_inferred *out;
    bl_csv *csv;
    const bl_infer_wish *wish;
    batch batch[2];
    size_t reads; /* the batch that is being read; the other one is looked at */
    size_t room;  /* rows of a batch */
    bool more;
    bl_status status; /* of the reader */
    bl_err err;
    atomic_size_t task; /* the next one that no thread has taken: 0 reads, i > 0 is a column */
} walk;

static void open_walk(walk *w, bl_inferred *out, bl_csv *csv, const bl_infer_wish *wish) {
    *w = (walk){.out = out, .csv = csv, .wish = wish, .more = true};
    w->room = bl_size_max(BATCH_FIELDS / bl_size_max(out->columns, 1), 1);
    for (int i = 0; i < 2; i++) {
        w->batch[i].field = bl_xalloc(w->room * out->columns * sizeof *w->batch[i].field);
        w->batch[i].line = bl_xalloc(w->room * sizeof *w->batch[i].line);
    }
}

static void close_walk(walk *w) {
    for (int i = 0; i < 2; i++) {
        free(w->batch[i].field);
        free(w->batch[i].line);
        bl_chunks_free(&w->batch[i].copies);
    }
}

/* The row that was read, into the batch. Fields that lie in the reader's own memory, which the next
 * row takes, are copied. */
static void keep_row(batch *b, const bl_csv *csv) {
    bl_csv_field *row = b->field + b->rows * csv->count;
    const char *own = csv->unquoted.data;
    memcpy(row, csv->field, csv->count * sizeof *row);
    for (size_t i = 0; i < csv->count && csv->unquoted.len > 0; i++) {
        if (row[i].text < own || row[i].text >= own + csv->unquoted.len) continue;
        char *copy = bl_chunks_take(&b->copies, row[i].n + 1);
        memcpy(copy, row[i].text, row[i].n);
        row[i].text = copy;
    }
    b->line[b->rows++] = csv->line;
}

/* Sets b->end, where the reader stands. w->more is false behind the last row, which may leave
 * the batch short or empty. */
static bl_status fill_batch(walk *w, batch *b, bl_err *err) {
    b->rows = 0;
    bl_chunks_free(&b->copies);
    while (b->rows < w->room) {
        BL_TRY(bl_csv_row(w->csv, &w->more, err));
        if (!w->more) break;
        if (w->csv->count != w->out->columns) return fail_fields(w->out, w->csv, err);
        keep_row(b, w->csv);
        w->out->rows++;
    }
    b->end = w->csv->at;
    return BL_OK;
}

/* All of the batch's values of one column, in the order of rows. */
static void look_at_column(const walk *w, const batch *b, size_t column) {
    const bl_csv_field *field = b->field + column;
    for (size_t i = 0; i < b->rows; i++, field += w->out->columns)
        bl_infer_value(&w->out->column[column], *field, b->line[i], w->wish);
}

/* One thread of a round: takes tasks until none is left. */
static void do_tasks(void *ctx, size_t part, size_t parts) {
    walk *w = ctx;
    (void)part;
    (void)parts;
    for (;;) {
        const size_t task = atomic_fetch_add(&w->task, 1);
        if (task > w->out->columns) return;
        if (task > 0)
            look_at_column(w, &w->batch[1 - w->reads], task - 1);
        else if (w->more)
            w->status = fill_batch(w, &w->batch[w->reads], &w->err);
    }
}

/* Rounds until a batch is empty. */
static bl_status walk_rows(walk *w, bl_pool *pool, const bl_infer_source *source, bl_err *err) {
    const char *passed = w->csv->at;
    do {
        w->batch[w->reads].rows = 0;
        atomic_store(&w->task, 0);
        bl_pool_run(pool, do_tasks, w);
        if (w->status != BL_OK) {
            if (err != NULL) *err = w->err;
            return w->status;
        }
        const batch *seen = &w->batch[1 - w->reads];
        if (seen->rows > 0 && seen->end - passed > PIECE) {
            if (source->mapped) bl_file_passed(passed, (size_t)(seen->end - passed));
            passed = seen->end;
        }
        w->reads = 1 - w->reads;
    } while (w->batch[1 - w->reads].rows > 0);
    return BL_OK;
}

/* The rows of one file. A small one is not worth waking threads for. */
static bl_status read_rows(bl_inferred *out, bl_csv *csv, const bl_infer_source *source,
                           const bl_infer_wish *wish, bl_err *err) {
    enum { WORTH_A_THREAD = 1 << 20 /* bytes */ };
    bool more;
    walk w;
    bl_pool *pool = NULL;
    BL_TRY(bl_csv_row(csv, &more, err));
    if (!more) BL_FAIL(err, BL_EFORMAT, "%s:1: error: the file is empty", csv->name);
    if (out->column == NULL)
        BL_TRY(read_header(out, csv, err));
    else
        BL_TRY(check_header(out, csv, err));
    const size_t threads = source->n < WORTH_A_THREAD ? 1 : wish->threads;
    if (bl_pool_open(&pool, threads, NULL) != BL_OK) /* none to be had: one does, too */
        BL_TRY(bl_pool_open(&pool, 1, err));
    open_walk(&w, out, csv, wish);
    const bl_status status = walk_rows(&w, pool, source, err);
    close_walk(&w);
    bl_pool_close(pool);
    return status;
}

static bool is_latin1(const char *encoding) {
    return encoding != NULL && strcmp(encoding, "latin1") == 0;
}

/* The encoding of one more file, which has to be that of the others. What is ASCII is Latin-1, too.
 */
static bl_status agree_on_encoding(bl_inferred *out, const bl_infer_source *source, bl_err *err) {
    const bool first = out->column == NULL;
    bool ascii;
    const char *encoding = encoding_of(source, &ascii);
    if (ascii && is_latin1(out->encoding)) encoding = out->encoding;
    const bool same = encoding == NULL
                          ? out->encoding == NULL
                          : out->encoding != NULL && strcmp(encoding, out->encoding) == 0;
    if (!first && !same && !(out->ascii && is_latin1(encoding)))
        BL_FAIL(err, BL_EFORMAT,
                "%s: its text is %s, that of the first file %s; convert one of them", source->path,
                encoding != NULL ? encoding : "UTF-8",
                out->encoding != NULL ? out->encoding : "UTF-8");
    out->encoding = encoding;
    out->ascii = ascii && (first || out->ascii);
    return BL_OK;
}

/* One file, made UTF-8 first if it is not. */
static bl_status read_source(bl_inferred *out, const bl_infer_source *source,
                             const bl_infer_wish *wish, bl_err *err) {
    bl_csv csv;
    bl_buf utf8 = {0};
    BL_TRY(agree_on_encoding(out, source, err));
    const char *text = source->text, *encoding = out->encoding;
    size_t n = source->n;
    if (encoding != NULL) {
        const bl_status status = bl_csv_decode(&utf8, encoding, text, n, source->path, err);
        if (status != BL_OK) {
            bl_buf_free(&utf8);
            return status;
        }
        text = bl_buf_text(&utf8);
        n = utf8.len;
    }
    out->old_lines =
        out->old_lines || (n > 0 && memchr(text, '\n', n) == NULL && memchr(text, '\r', n) != NULL);
    if (out->separator == '\0') out->separator = bl_csv_separator_or_blank(text, n);
    bl_csv_init(&csv, text, n, source->path, out->separator);
    csv.trim = true;
    const bl_infer_source as_read = {source->path, text, n, source->mapped && encoding == NULL};
    const bl_status status = read_rows(out, &csv, &as_read, wish, err);
    out->trim = out->trim || csv.trimmed;
    bl_csv_free(&csv);
    bl_buf_free(&utf8);
    return status;
}

bl_status bl_infer(bl_inferred *out, const bl_infer_source *source, size_t sources,
                   const bl_infer_wish *wish, bl_err *err) {
    *out = (bl_inferred){.separator = wish->separator};
    bl_status status = BL_OK;
    for (size_t i = 0; i < sources && status == BL_OK; i++)
        status = read_source(out, &source[i], wish, err);
    if (status == BL_OK) status = bl_infer_decide(out, wish, source->path, err);
    if (status != BL_OK) bl_inferred_free(out);
    return status;
}

static void free_misfits(bl_inferred_column *c) {
    for (int g = 0; g < BL_GUESSES; g++)
        for (size_t m = 0; m < c->fit[g].misfits; m++) free(c->fit[g].misfit[m].text);
}

void bl_inferred_free(bl_inferred *in) {
    for (size_t i = 0; i < in->columns; i++) {
        free_misfits(&in->column[i]);
        free(in->column[i].name);
        free(in->column[i].times);
        bl_dict_free(&in->column[i].values);
    }
    for (size_t i = 0; i < in->labels; i++) free(in->label[i]);
    free(in->label);
    free(in->column);
    bl_buf_free(&in->warnings);
    *in = (bl_inferred){0};
}
