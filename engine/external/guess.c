/* How a line of output becomes a pattern:
 *
 *     line      step 200 train_loss 0.41 val_loss 0.52 (3.1 s)
 *     numbers        200            0.41          0.52   3.1
 *     word           step           train_loss    val_loss  -
 *     kind           the step       rank 2        rank 3    0
 *     pattern   step {step} train_loss {loss} val_loss {value}
 *
 * Rank 4 is the name that the user wants, 3 a loss or error of held-out data, 2 any other loss or
 * error. Rank 1 is what may rise, or is only said to be held out. Each new pattern of the first
 * LINES lines is tried on all of the text. It holds if two values or more come out and their steps
 * ascend. */
#include "engine/external/guess.h"
#include "engine/base/buf.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/base/vec.h"
#include "engine/external/scrape.h"
#include "engine/external/terminal.h"
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

/* Of a word: letters of any language, in UTF-8 or not. */
static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '/' || c == '-' || c == '@' ||
           (unsigned char)c >= 0x80;
}

/* The word that ends before `at`, past blanks and what stands between a name and its number. */
static void take_label(number *out, const char *line, size_t at) {
    while (at > 0 && strchr(" \t=:[(\"'", line[at - 1]) != NULL) at--;
    out->label_end = at;
    while (at > 0 && is_word(line[at - 1])) at--;
    out->label = at;
}

/* "20" of "step 10/20" is one, too: how many steps there are may hang on the batch size. */
static size_t find_numbers(number out[MOST_NUMBERS], const char *line, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n && count < MOST_NUMBERS; i++) {
        char *end;
        const bool lead =
            isdigit((unsigned char)line[i]) || strncmp(line + i, "nan", 3) == 0 ||
            ((line[i] == '-' || line[i] == '.') && isdigit((unsigned char)line[i + 1]));
        const bool total = count > 0 && line[i - 1] == '/' && out[count - 1].end + 1 == i;
        if (!lead || (i > 0 && is_word(line[i - 1]) && !total)) continue;
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

/* Is the whole number that ends at `at` the count of a progress bar, "50/1000 [" or "50it ["? */
static bool is_bar(const char *at) {
    if (*at == '/' && isdigit((unsigned char)at[1]))
        at += 1 + strspn(at + 1, "0123456789");
    else if (strncmp(at, "it ", 3) == 0)
        at += 2;
    else
        return false;
    return strncmp(at, " [", 2) == 0;
}

/* The i-th number: -1 for the step, its rank as a value, 0 for any other. */
static int kind_of(const char *line, const number *x, const char *wanted) {
    char word[64];
    lower(word, line + x->label, x->label_end - x->label);
    const bool whole = strspn(line + x->begin, "0123456789") == x->end - x->begin;
    return whole && (is_step(word) || is_bar(line + x->end)) ? -1 : rank_of(word, wanted);
}

/* Appends n bytes of a line. Blanks between "=" and a number go, as in "loss= 0.5": a wide number
 * has none. Not those of "loss = 0.5". */
static void add_piece(bl_buf *out, const char *piece, size_t n) {
    size_t kept = n;
    while (kept > 0 && piece[kept - 1] == ' ') kept--;
    const char last = kept > 0 ? piece[kept - 1] : ' ', before = kept > 1 ? piece[kept - 2] : ' ';
    const bool fills = last == '[' || last == '(' || (last == '=' && before != ' ');
    bl_buf_add(out, piece, fills ? kept : n);
}

/* Appends n bytes of a line with {} for each word: what stands there changes from line to line. */
static void add_words(bl_buf *out, const char *piece, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (piece[i] == ' ') == (piece[i - 1] == ' ')) continue;
        bl_buf_str(out, piece[i] == ' ' ? " " : "{}");
    }
}

/* What a pattern says of the line from the count of its bar, "50/1000 [00:10<03:00, 5.3it/s, ", to
 * the value behind it. */
static void write_bar(bl_buf *out, const char *line, const number *step, const number *value) {
    const char *at = line + step->end, *label = line + value->label;
    const size_t unit = *at == '/' ? 1 : 2;
    while (label > at + unit && label[-1] != ' ') label--; /* "[loss=" belongs together */
    bl_buf_str(out, "{step}");
    bl_buf_add(out, at, unit);
    add_words(out, at + unit, (size_t)(label - at) - unit);
    add_piece(out, label, (size_t)(line + value->begin - label));
    bl_buf_str(out, "{value}");
}

/* Can the text be an entry of a configuration file? */
static bool is_entry(const bl_buf *text) {
    return text->len < 256 && bl_text_is_plain(bl_buf_text(text)) &&
           strpbrk(bl_buf_text(text), "\"\\") == NULL;
}

/* What a pattern says of the line from the first of step and value to the last one. False: it
 * cannot be said in a pattern, or in a text of configuration. */
static bool write_pattern(char out[256], const char *line, const number *x, size_t count,
                          size_t step, size_t value, size_t loss) {
    const size_t first = step < value ? step : value;
    size_t last = step < value ? value : step;
    bl_buf text = {0};
    const bool bar = step < value && is_bar(line + x[step].end);
    if (loss < count && loss > last) last = loss;
    if (bar) write_bar(&text, line, &x[step], &x[value]);
    for (size_t at = x[first].label, i = first; i <= last && !bar; i++) {
        add_piece(&text, line + at, x[i].begin - at);
        if (memchr(line + at, '{', x[i].begin - at) != NULL) bl_buf_str(&text, "\"");
        bl_buf_str(&text, i == step    ? "{step}"
                          : i == value ? "{value}"
                          : i == loss  ? "{loss}"
                                       : "{any}");
        at = x[i].end;
    }
    const bool fine = is_entry(&text);
    (void)snprintf(out, 256, "%s", bl_buf_text(&text));
    bl_buf_free(&text);
    return fine;
}

/* Is the first number of a line a count that nothing names, as in "[  10] loss 0.5"? A date, a
 * time and "[1/10]", which may be of epochs, are none. */
static bool is_bare_count(const char *line, const number *x) {
    const char *after = line + x->end;
    const bool whole = strspn(line + x->begin, "0123456789") == x->end - x->begin;
    return whole && x->label == x->label_end && strchr("/-.", *after) == NULL &&
           !(*after == ':' && isdigit((unsigned char)after[1]));
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
    if (step == count && count > 0 && is_bare_count(line, &x[0])) step = 0;
    for (size_t i = 0; i < count; i++) {
        char word[64];
        lower(word, line + x[i].label, x[i].label_end - x[i].label);
        if (i != value && i != step && loss == count && strstr(word, "loss") != NULL) loss = i;
    }
    if (step == count || value == count) return 0;
    (void)snprintf(out->metric, sizeof out->metric, "%.*s",
                   (int)(x[value].label_end - x[value].label), line + x[value].label);
    const bool fine = bl_text_is_plain(out->metric) &&
                      write_pattern(out->scrape, line, x, count, step, value, loss);
    return fine ? best : 0;
}

/* ---- trying ---- */

/* The next line of a text, n bytes without its end, which may be a carriage return. */
static bool next_line(const char **line, size_t *n, const char **at, const char *end) {
    const char *p = *at;
    if (p >= end) return false;
    while (p < end && *p != '\n' && *p != '\r') p++;
    *line = *at;
    *n = (size_t)(p - *at);
    *at = p + 1;
    return true;
}

/* The next line as a terminal shows it. */
static bool next_plain(bl_buf *out, const char **at, const char *end) {
    const char *line;
    size_t n;
    bl_buf_clear(out);
    if (!next_line(&line, &n, at, end)) return false;
    bl_external_plain(out, line, n);
    return true;
}

/* The points that g->scrape finds in the text. None where the steps start over: g->starts_over
 * says so. */
static void collect(bl_external_guess *g, const char *text, size_t n) {
    bl_external_scrape s = {.how = g->scrape, .metric = g->metric};
    const char *line;
    size_t length;
    free(g->point);
    g->point = NULL;
    g->points = 0;
    for (const char *at = text; next_line(&line, &length, &at, text + n);) {
        bl_external_line got;
        bl_err ignored;
        if (bl_external_scrape_line(&s, &got, line, length, &ignored) != BL_OK) break;
        if (got.word == BL_EXTERNAL_EVAL)
            *BL_PUSH(g->point, g->points, "evaluations") = (bl_external_point){got.step, got.value};
    }
    g->starts_over = s.starts_over;
    if (s.starts_over) g->points = 0;
}

/* Takes or frees `other`. Of the same rank the one with more points is better. */
static void keep_better(bl_external_guess *best, int *best_rank, bl_external_guess *other,
                        int rank) {
    const bool better = other->points >= FEWEST_POINTS &&
                        (rank > *best_rank || (rank == *best_rank && other->points > best->points));
    if (better) {
        other->epochs = best->epochs;
        bl_external_guess_free(best);
        *best = *other;
        *best_rank = rank;
    } else {
        best->starts_over |= other->starts_over;
        bl_external_guess_free(other);
    }
}

static void from_output(bl_external_guess *best, const char *text, size_t n, const char *wanted) {
    bl_buf line = {0};
    char last[256] = "";
    int best_rank = 0;
    size_t lines = 0;
    for (const char *at = text; lines < LINES && next_plain(&line, &at, text + n);) {
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
    if (!next_plain(&header, &at, text + n)) return;
    const char *cell = bl_buf_text(&header);
    for (char word[64], name[sizeof best->metric]; bl_external_cell(&cell, name, sizeof name);) {
        lower(word, name, strlen(name));
        const int rank = rank_of(word, wanted);
        if (rank > best_rank) {
            best_rank = rank;
            memcpy(best->metric, name, sizeof name);
        }
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
    *g = (bl_external_guess){.epochs = g->epochs, .starts_over = g->starts_over};
}
