#include "engine/external/guess.h"
#include "engine/base/buf.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/external/scrape.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NUMBERS = 32, FEWEST_POINTS = 2, LINES = 400 };

/* A number in a line, and the word before it. */
typedef struct number {
    size_t begin, end, label, label_end;
} number;

static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '/' || c == '-' || c == '@';
}

/* The word that ends before `at`, past blanks and what stands between a name and its number. */
static void take_label(number *out, const char *line, size_t at) {
    while (at > 0 && strchr(" \t=:[(\"'", line[at - 1]) != NULL) at--;
    out->label_end = at;
    while (at > 0 && is_word(line[at - 1])) at--;
    out->label = at;
}

static size_t find_numbers(number out[MOST_NUMBERS], const char *line, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n && count < MOST_NUMBERS; i++) {
        char *end;
        const bool lead =
            isdigit((unsigned char)line[i]) || strncmp(line + i, "nan", 3) == 0 ||
            ((line[i] == '-' || line[i] == '.') && isdigit((unsigned char)line[i + 1]));
        if (!lead || (i > 0 && is_word(line[i - 1]))) continue;
        (void)strtod(line + i, &end);
        number *x = &out[count++];
        x->begin = i;
        x->end = (size_t)(end - line);
        take_label(x, line, i);
        i = x->end - 1;
    }
    return count;
}

/* ---- what a word says ---- */

static void lower(char out[64], const char *word, size_t n) {
    if (n > 63) n = 63;
    for (size_t i = 0; i < n; i++) out[i] = (char)tolower((unsigned char)word[i]);
    out[n] = '\0';
}

static bool is_any(const char *word, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0) return true;
    return false;
}

static bool has_any(const char *word, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strstr(word, list[i]) != NULL) return true;
    return false;
}

static bool is_step(const char *word) {
    static const char *const names[] = {"step",       "steps",       "iter",  "iteration", "it",
                                        "iterations", "global_step", "batch", "update"};
    return is_any(word, names, BL_COUNT(names));
}

/* How well the word names what is to be lowered: 0 not at all. */
static int rank_of(const char *word, const char *wanted) {
    static const char *const held_out[] = {"val", "eval", "test", "dev", "held"};
    static const char *const falls[] = {"loss", "err", "perplex", "ppl", "mse", "mae", "nll"};
    static const char *const rises[] = {"acc", "f1", "auc", "bleu", "score"};
    if (wanted != NULL) {
        char name[64];
        lower(name, wanted, strlen(wanted));
        return strcmp(word, name) == 0 ? 4 : 0;
    }
    const bool held = has_any(word, held_out, BL_COUNT(held_out));
    if (has_any(word, falls, BL_COUNT(falls))) return held ? 3 : 2;
    return held || has_any(word, rises, BL_COUNT(rises)) ? 1 : 0;
}

/* ---- a pattern of a line ---- */

/* The i-th number: -1 for the step, its rank as a value, 0 for any other. */
static int kind_of(const char *line, const number *x, const char *wanted) {
    char word[64];
    lower(word, line + x->label, x->label_end - x->label);
    const bool whole = strspn(line + x->begin, "0123456789") == x->end - x->begin;
    return whole && is_step(word) ? -1 : rank_of(word, wanted);
}

/* What a pattern says of the line from the first of step and value to the last one. False: it
 * cannot be said in a pattern, or in a text of configuration. */
static bool write_pattern(char out[256], const char *line, const number *x, size_t count,
                          size_t step, size_t value, size_t loss) {
    const size_t first = step < value ? step : value;
    size_t last = step < value ? value : step;
    bl_buf text = {0};
    if (loss < count && loss > last) last = loss;
    for (size_t at = x[first].label, i = first; i <= last; i++) {
        bl_buf_add(&text, line + at, x[i].begin - at);
        if (memchr(line + at, '{', x[i].begin - at) != NULL) bl_buf_str(&text, "\"");
        bl_buf_str(&text, i == step    ? "{step}"
                          : i == value ? "{value}"
                          : i == loss  ? "{loss}"
                                       : "{any}");
        at = x[i].end;
    }
    const bool fine = text.len < 256 && strpbrk(bl_buf_text(&text), "\"\\\t") == NULL;
    (void)snprintf(out, 256, "%s", bl_buf_text(&text));
    bl_buf_free(&text);
    return fine;
}

/* The pattern of a line, and how well its value is named; 0: it is none. */
static int pattern_of(bl_external_guess *out, const char *line, const char *wanted) {
    number x[MOST_NUMBERS];
    const size_t count = find_numbers(x, line, strlen(line));
    size_t step = count, value = count, loss = count;
    int best = 0;
    for (size_t i = 0; i < count; i++) {
        const int kind = kind_of(line, &x[i], wanted);
        if (kind < 0 && step == count) step = i;
        if (kind > best) value = i;
        best = kind > best ? kind : best;
    }
    for (size_t i = 0; i < count; i++) {
        char word[64];
        lower(word, line + x[i].label, x[i].label_end - x[i].label);
        if (i != value && i != step && loss == count && strstr(word, "loss") != NULL) loss = i;
    }
    if (step == count || value == count) return 0;
    (void)snprintf(out->metric, sizeof out->metric, "%.*s",
                   (int)(x[value].label_end - x[value].label), line + x[value].label);
    return write_pattern(out->scrape, line, x, count, step, value, loss) ? best : 0;
}

/* ---- trying ---- */

/* The next line of a text, without its end, which may be a carriage return. */
static bool next_line(bl_buf *out, const char **at, const char *end) {
    const char *p = *at;
    bl_buf_clear(out);
    if (p >= end) return false;
    while (p < end && *p != '\n' && *p != '\r') p++;
    bl_buf_add(out, *at, (size_t)(p - *at));
    *at = p + 1;
    return true;
}

static void collect(bl_external_guess *g, const char *text, size_t n) {
    bl_external_scrape s = {.how = g->scrape, .metric = g->metric};
    bl_buf line = {0};
    int64_t heard = 0;
    free(g->point);
    g->point = NULL;
    g->points = 0;
    for (const char *at = text; next_line(&line, &at, text + n);) {
        bl_external_line got;
        bl_err ignored;
        if (line.len > BL_EXTERNAL_LINE ||
            bl_external_scrape_line(&s, &got, bl_buf_text(&line), line.len, &ignored) != BL_OK)
            break;
        if (got.word != BL_EXTERNAL_EVAL || got.step <= heard) continue;
        heard = got.step;
        *BL_PUSH(g->point, g->points, "evaluations") = (bl_external_point){got.step, got.value};
    }
    bl_buf_free(&line);
}

static void keep_better(bl_external_guess *best, int *best_rank, bl_external_guess *other,
                        int rank) {
    const bool better = other->points >= FEWEST_POINTS &&
                        (rank > *best_rank || (rank == *best_rank && other->points > best->points));
    if (better) {
        bl_external_guess_free(best);
        *best = *other;
        *best_rank = rank;
    } else {
        bl_external_guess_free(other);
    }
}

static void from_output(bl_external_guess *best, const char *text, size_t n, const char *wanted) {
    bl_buf line = {0};
    char last[256] = "";
    int best_rank = 0;
    size_t lines = 0;
    for (const char *at = text; lines < LINES && next_line(&line, &at, text + n);) {
        bl_external_guess one = {0};
        const int rank = pattern_of(&one, bl_buf_text(&line), wanted);
        lines += line.len > 0;
        if (strstr(bl_buf_text(&line), "poch") != NULL) best->epochs = true;
        if (rank < best_rank || rank == 0 || strcmp(one.scrape, best->scrape) == 0 ||
            strcmp(one.scrape, last) == 0)
            continue;
        memcpy(last, one.scrape, sizeof last);
        collect(&one, text, n);
        keep_better(best, &best_rank, &one, rank);
    }
    bl_buf_free(&line);
}

/* Its columns are named in the first line; the one of the value has to be found. */
static void from_table(bl_external_guess *best, const char *text, size_t n, const char *file,
                       const char *wanted) {
    bl_buf header = {0};
    const char *at = text;
    int best_rank = 0;
    if (!next_line(&header, &at, text + n)) return;
    for (const char *name = bl_buf_text(&header); *name != '\0';) {
        char word[64];
        const size_t length = strcspn(name, ",");
        lower(word, name, length);
        const int rank = rank_of(word, wanted);
        if (rank > best_rank) {
            best_rank = rank;
            (void)snprintf(best->metric, sizeof best->metric, "%.*s", (int)length, name);
        }
        name += length + (name[length] == ',');
    }
    bl_buf_free(&header);
    (void)snprintf(best->scrape, sizeof best->scrape, "%s", file);
    if (best_rank > 0) collect(best, text, n);
}

bool bl_external_guess_from(bl_external_guess *out, const char *text, size_t n, const char *file,
                            const char *metric) {
    *out = (bl_external_guess){0};
    if (file != NULL)
        from_table(out, text, n, file, metric);
    else
        from_output(out, text, n, metric);
    return out->points >= FEWEST_POINTS;
}

void bl_external_guess_free(bl_external_guess *g) {
    free(g->point);
    *g = (bl_external_guess){.epochs = g->epochs};
}
