/* Joins by key columns and, optionally, by an interval that holds a date.
 *
 * The right table is indexed once. Each key column of a row becomes one 64-bit word: the bits of a
 * number or the code of a text. Row numbers are sorted by (words, start of the interval), and a
 * hash table leads from a key's words to the first of its rows in that order; within a key, the row
 * for a date is found by bisection. For every row of the frame the same words are made, texts by
 * translating the frame's codes into the table's, so that no text is compared while matching.
 *
 * A missing key or interval matches nothing, on either side. Two rows that could answer for one
 * frame row are an error with both row numbers: which one is meant cannot be guessed. Nothing is
 * copied: the frame gets one array of row numbers, shared by the views of all columns that the join
 * adds. */
#include "engine/data/table/join.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include <stdio.h>
#include <string.h>

enum { MAX_KEYS = 8 };

/* The table's rows sorted by (key words, interval start), and a hash table over distinct keys. */
typedef struct join_index {
    size_t keys, rows; /* rows: in `order` */
    uint64_t *word;    /* (rows, keys) of the table */
    uint32_t *order;   /* (rows) */
    const double *from, *to;
    uint32_t *slot; /* 1 + position in `order` where a key's rows begin, 0 is empty */
    size_t slots;
    /* The frame's side: key columns, and for texts the table's code of each of the frame's. */
    const bl_view *left[MAX_KEYS];
    uint32_t *translate[MAX_KEYS];
} join_index;

#define NO_WORD UINT64_MAX

/* A number as a key: its bits. Missing is a word of its own. */
static uint64_t number_word(double value) {
    uint64_t word;
    if (isnan(value)) return NO_WORD;
    value += 0.0; /* -0 and 0 are one key */
    memcpy(&word, &value, sizeof word);
    return word;
}

/* Small whole numbers differ only in the upper bits of a double: fold those down first. */
static uint64_t hash_words(const uint64_t *word, size_t n) {
    uint64_t h = 0;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ word[i] ^ word[i] >> 32) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
    }
    return h;
}

/* By words, then start of the interval, then file order. */
static int compare_rows(const void *a, const void *b, void *ctx) {
    const join_index *x = ctx;
    const uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    for (size_t k = 0; k < x->keys; k++) {
        const uint64_t u = x->word[i * x->keys + k], v = x->word[j * x->keys + k];
        if (u != v) return u < v ? -1 : 1;
    }
    if (x->from != NULL && x->from[i] != x->from[j]) return x->from[i] < x->from[j] ? -1 : 1;
    return i < j ? -1 : i > j;
}

static bool same_key(const join_index *x, uint32_t row, const uint64_t *word) {
    return x->keys == 0 || memcmp(&x->word[row * x->keys], word, x->keys * sizeof *word) == 0;
}

/* The slot of a key: where it is, or where it would be put. */
static size_t find_slot(const join_index *x, const uint64_t *word) {
    size_t at = hash_words(word, x->keys) & (x->slots - 1);
    while (x->slot[at] && !same_key(x, x->order[x->slot[at] - 1], word))
        at = (at + 1) & (x->slots - 1);
    return at;
}

/* Fills the table's words and, for texts, the translation of the frame's codes (0: the table lacks
 * the text). */
static void key_words(join_index *x, const bl_table *table, const bl_join_decl *d) {
    for (size_t k = 0; k < x->keys; k++) {
        const bl_column *right = bl_table_find(table, d->key.v[k]);
        for (size_t i = 0; i < x->rows; i++)
            x->word[i * x->keys + k] =
                right->type == BL_COLUMN_TEXT ? right->code[i] : number_word(right->number[i]);
        if (right->type != BL_COLUMN_TEXT) continue;
        const bl_dict *dict = &x->left[k]->column->dict;
        x->translate[k] = bl_xalloc(dict->count * sizeof(uint32_t));
        for (uint32_t c = 1; c < dict->count; c++)
            x->translate[k][c] = bl_dict_find(&right->dict, dict->text[c], strlen(dict->text[c]));
    }
}

/* Rows whose key or interval is missing answer for nothing and stay out of the order. */
static void order_rows(join_index *x, const bl_table *table, const bl_join_decl *d) {
    size_t n = 0;
    for (size_t i = 0; i < x->rows; i++) {
        bool missing = x->from != NULL && isnan(x->from[i]);
        for (size_t k = 0; k < x->keys; k++) {
            const bool text = bl_table_find(table, d->key.v[k])->type == BL_COLUMN_TEXT;
            missing = missing || x->word[i * x->keys + k] == (text ? 0 : NO_WORD);
        }
        if (!missing) x->order[n++] = (uint32_t)i;
    }
    x->rows = n;
    qsort_r(x->order, n, sizeof *x->order, compare_rows, x);
}

/* Two rows next to each other in order that would answer for the same frame row. */
static bl_status check_unique(const join_index *x, const bl_table *table, const bl_join_decl *d,
                              bl_err *err) {
    for (size_t i = 1; i < x->rows; i++) {
        const uint32_t a = x->order[i - 1], b = x->order[i];
        if (!same_key(x, a, x->word + b * x->keys)) continue;
        if (x->from != NULL && !(x->to[a] >= x->from[b])) continue;
        BL_FAIL(err, BL_EFORMAT,
                "%s:%d: error: table '%s': rows %u and %u %s, so the join has two answers",
                d->node->file, d->node->line, table->name, (a < b ? a : b) + 1, (a < b ? b : a) + 1,
                x->from != NULL ? "overlap" : "have the same key");
    }
    return BL_OK;
}

/* The index of a table. After a failure, too, free_index frees it. */
static bl_status build_index(join_index *x, const bl_frame *frame, const bl_table *table,
                             const bl_join_decl *d, bl_err *err) {
    *x = (join_index){.keys = d->key.n, .rows = table->rows, .slots = 16};
    if (x->keys > MAX_KEYS)
        BL_FAIL(err, BL_EINVAL, "%s:%d: error: a join has at most %d keys", d->node->file,
                d->node->line, MAX_KEYS);
    while (x->slots < 2 * x->rows) x->slots *= 2;
    for (size_t k = 0; k < x->keys; k++) x->left[k] = bl_frame_find(frame, d->key.v[k]);
    if (d->interval != NULL) {
        char name[256];
        snprintf(name, sizeof name, "%s.from", d->interval);
        x->from = bl_table_find(table, name)->number;
        snprintf(name, sizeof name, "%s.to", d->interval);
        x->to = bl_table_find(table, name)->number;
    }
    x->word = bl_alloc((x->rows * x->keys + 1) * sizeof *x->word);
    x->order = bl_alloc((x->rows + 1) * sizeof *x->order);
    x->slot = bl_alloc(x->slots * sizeof *x->slot);
    if (x->word == NULL || x->order == NULL || x->slot == NULL)
        BL_FAIL(err, BL_ENOMEM, "no memory to join table '%s'", table->name);
    key_words(x, table, d);
    order_rows(x, table, d);
    BL_TRY(check_unique(x, table, d, err));
    for (size_t i = x->rows; i-- > 0;) {
        const size_t at = find_slot(x, &x->word[x->order[i] * x->keys]);
        x->slot[at] = (uint32_t)i + 1; /* the first row of a key comes last and stays */
    }
    return BL_OK;
}

static void free_index(join_index *x) {
    free(x->word);
    free(x->order);
    free(x->slot);
    for (size_t k = 0; k < x->keys && k < MAX_KEYS; k++) free(x->translate[k]);
}

/* The table row for a key, and a date when there are intervals. */
static uint32_t find_row(const join_index *x, const uint64_t *word, double date) {
    const uint32_t first = x->slot[find_slot(x, word)];
    if (first == 0) return BL_NO_ROW;
    if (x->from == NULL) return x->order[first - 1];
    size_t low = first - 1, high = x->rows; /* the last start at or before the date */
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        const uint32_t row = x->order[middle];
        if (same_key(x, row, word) && x->from[row] <= date)
            low = middle;
        else
            high = middle;
    }
    const uint32_t row = x->order[low];
    return date >= x->from[row] && date <= x->to[row] ? row : BL_NO_ROW;
}

/* map[i]: the table's row for row i of the frame, or BL_NO_ROW. */
static void match_rows(const join_index *x, const bl_frame *frame, const bl_view *date,
                       uint32_t *map) {
    uint64_t word[MAX_KEYS + 1] = {0};
    for (size_t i = 0; i < frame->rows; i++) {
        bool missing = false;
        for (size_t k = 0; k < x->keys; k++) {
            if (x->translate[k] != NULL) {
                word[k] = x->translate[k][bl_view_code(x->left[k], i)];
                missing = missing || word[k] == 0;
            } else {
                word[k] = number_word(bl_view_number(x->left[k], i));
                missing = missing || word[k] == NO_WORD;
            }
        }
        map[i] =
            missing ? BL_NO_ROW : find_row(x, word, date != NULL ? bl_view_number(date, i) : 0);
    }
}

static bool is_interval_end(const bl_join_decl *d, const char *name) {
    const size_t n = d->interval != NULL ? strlen(d->interval) : 0;
    return n > 0 && strncmp(name, d->interval, n) == 0 &&
           (strcmp(name + n, ".from") == 0 || strcmp(name + n, ".to") == 0);
}

/* The map is the frame's from the moment it is pushed. */
bl_status bl_join(bl_frame *frame, const bl_table *table, const bl_join_decl *decl, bl_err *err) {
    join_index x;
    uint32_t *map = NULL;
    bl_status status = build_index(&x, frame, table, decl, err);
    if (status == BL_OK && (map = bl_alloc(bl_size_max(frame->rows, 1) * sizeof *map)) == NULL)
        status = BL_ERR(err, BL_ENOMEM, "no memory to join table '%s'", table->name);
    if (status == BL_OK) {
        match_rows(&x, frame, decl->date != NULL ? bl_frame_find(frame, decl->date) : NULL, map);
        *BL_PUSH(frame->maps, frame->map_count, "joins") = map;
        for (size_t i = 0; i < table->columns; i++) {
            const bl_column *c = table->column[i];
            if (!bl_string_list_contains(&decl->key, c->name) && !is_interval_end(decl, c->name))
                bl_frame_add(frame, c->name, c, map);
        }
    }
    free_index(&x);
    return status;
}
