#include "engine/external/scrape.h"
#include "engine/base/json.h"
#include "engine/external/terminal.h"
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ends_with(const char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

/* Does the path lead out of the run's folder? What is scraped is removed before the program starts.
 */
static bool leads_out(const char *path) {
    for (const char *at = path; at != NULL; at = strchr(at, '/')) {
        if (*at == '/') at++;
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0')) return true;
    }
    return path[0] == '/';
}

static bool is_csv(const char *how) {
    return strchr(how, '{') == NULL && ends_with(how, ".csv");
}

static bool is_jsonl(const char *how) {
    return strchr(how, '{') == NULL && (ends_with(how, ".jsonl") || ends_with(how, ".json"));
}

const char *bl_external_scrape_file(const char *how) {
    return is_csv(how) || is_jsonl(how) ? how : NULL;
}

bool bl_external_scrape_holds(const char *how) {
    if (is_csv(how) || is_jsonl(how)) return !leads_out(how);
    return strstr(how, "{step}") != NULL && strstr(how, "{value}") != NULL;
}

/* A number at the beginning of the text; NAN and infinity count as not finite. False: none. */
static bool take_number(const char **at, double *out) {
    char *end;
    const double value = strtod(*at, &end);
    if (end == *at) return false;
    *at = end;
    *out = isfinite(value) ? value : (double)NAN;
    return true;
}

/* Steps are whole numbers from 1. */
static bool set_step(bl_external_line *out, double step) {
    if (!(step >= 1.0) || step != floor(step) || step >= 0x1p53) return false;
    out->step = (int64_t)step;
    return true;
}

/* ---- a pattern ---- */

/* What a field of a pattern takes: {} a word, {step}, {value} and {loss} a number that is kept,
 * any other name a number. */
static bool take_field(const char *name, size_t n, const char **at, bl_external_line *out) {
    double number;
    const bool step = n == 4 && memcmp(name, "step", n) == 0;
    if (n == 0) {
        const char *begin = *at;
        while (**at != '\0' && !isspace((unsigned char)**at)) (*at)++;
        return *at > begin;
    }
    if (!take_number(at, &number)) return false;
    if (step) return set_step(out, number);
    if (n == 5 && memcmp(name, "value", n) == 0) out->value = number;
    if (n == 4 && memcmp(name, "loss", n) == 0) out->loss = number;
    return true;
}

/* Does the pattern fit from here on? Behind its end the line may go on. */
static bool fits(const char *pattern, const char *at, bl_external_line *out) {
    while (*pattern != '\0') {
        const size_t n = *pattern == '{' ? strcspn(pattern, "}") : 0;
        if (isspace((unsigned char)*pattern)) {
            if (!isspace((unsigned char)*at)) return false;
            while (isspace((unsigned char)*pattern)) pattern++;
            while (isspace((unsigned char)*at)) at++;
        } else if (n > 0 && pattern[n] == '}') {
            if (!take_field(pattern + 1, n - 1, &at, out)) return false;
            pattern += n + 1;
        } else if (*pattern++ != *at++) {
            return false;
        }
    }
    return true;
}

/* The pattern may begin anywhere in the line. */
static void take_output(const bl_external_scrape *s, bl_external_line *out, const char *line) {
    for (const char *at = line; *at != '\0'; at++) {
        bl_external_line one = {.value = (double)NAN, .loss = (double)NAN, .data_s = (double)NAN};
        if (at > line && isalnum((unsigned char)at[-1]) && isalnum((unsigned char)*at)) continue;
        if (!fits(s->how, at, &one) || one.step == 0) continue;
        one.word = BL_EXTERNAL_EVAL;
        *out = one;
        return;
    }
}

/* ---- files ---- */

bool bl_external_cell(const char **at, char *out, size_t bytes) {
    const char *p = *at;
    size_t n = 0;
    if (p == NULL) return false;
    while (*p == ' ') p++;
    const bool quoted = *p == '"';
    for (p += quoted; *p != '\0' && (quoted || strchr(",\r\n", *p) == NULL); p++) {
        if (quoted && *p == '"' && *++p != '"') break;
        if (n + 1 < bytes) out[n++] = *p;
    }
    out[n] = '\0';
    p += strcspn(p, ","); /* behind a closing quote */
    *at = *p == ',' ? p + 1 : NULL;
    return true;
}

/* Cell number `column` of a line, from 1; "" where it has none. */
static const char *cell(const char *line, int column, char out[BL_EXTERNAL_WHY]) {
    for (int i = 0; i < column; i++)
        if (!bl_external_cell(&line, out, BL_EXTERNAL_WHY)) column = 0;
    if (column == 0) out[0] = '\0';
    return out;
}

static bl_status take_header(bl_external_scrape *s, const char *line, bl_err *err) {
    char name[BL_EXTERNAL_WHY];
    const char *at = line;
    for (int i = 1; bl_external_cell(&at, name, sizeof name); i++) {
        if (strcmp(name, "step") == 0) s->step = i;
        if (strcmp(name, s->metric) == 0) s->value = i;
        if (strcmp(name, "loss") == 0 || strcmp(name, "train_loss") == 0) s->loss = i;
    }
    if (s->step == 0 || s->value == 0)
        BL_FAIL(err, BL_EFORMAT, "%s has no column '%s'; its header is %.200s", s->how,
                s->step == 0 ? "step" : s->metric, line);
    return BL_OK;
}

static void take_row(const bl_external_scrape *s, bl_external_line *out, const char *line) {
    char text[BL_EXTERNAL_WHY];
    double step = 0.0;
    const char *at = cell(line, s->step, text);
    if (!take_number(&at, &step) || !set_step(out, step)) return;
    at = cell(line, s->value, text);
    if (*at == '\0') return; /* a row of something else */
    if (!take_number(&at, &out->value)) out->value = (double)NAN;
    at = cell(line, s->loss, text);
    if (!take_number(&at, &out->loss)) out->loss = (double)NAN;
    out->word = BL_EXTERNAL_EVAL;
}

static void take_json(const bl_external_scrape *s, bl_external_line *out, bl_buf *line) {
    bl_json_doc doc;
    bl_err ignored;
    bl_external_tame(line->data, line->len);
    if (bl_json_parse(&doc, bl_buf_text(line), line->len, s->how, 1, &ignored) != BL_OK) return;
    const bl_json *value = bl_json_get(doc.root, s->metric);
    if (value != NULL && set_step(out, bl_json_number(doc.root, "step", 0.0))) {
        out->value = value->type == BL_JSON_NUMBER ? value->number : (double)NAN;
        out->loss = bl_json_number(doc.root, "loss", (double)NAN);
        out->word = BL_EXTERNAL_EVAL;
    }
    bl_json_free(&doc);
}

/* Steps ascend. Lines that go back and ascend among themselves are those of another epoch, and so
 * are those that go back twice from the same step. */
static bl_status put_in_order(bl_external_scrape *s, bl_external_line *line, bl_err *err) {
    const int64_t before = s->back > 0 ? s->back : s->heard;
    const bool ascends = s->back > 0 && line->step > s->back && line->step < s->heard;
    if (line->step > s->heard) {
        s->heard = line->step;
        s->back = s->turns = 0;
        return BL_OK;
    }
    s->back = line->step < s->heard ? line->step : 0;
    s->turns += s->back > 0 && before == s->heard;
    s->starts_over = ascends || s->turns > 1;
    if (s->starts_over)
        BL_FAIL(err, BL_EFORMAT,
                "its steps start over: step %" PRId64 " comes after step %" PRId64
                ". batchlab needs a count that goes on through all epochs",
                line->step, s->heard);
    line->word = BL_EXTERNAL_NOTHING;
    return BL_OK;
}

/* Of a line that is cut after n bytes, those before its last cell or word, which may be a part. */
static size_t last_whole(const char *how, const char *line, size_t n) {
    if (is_jsonl(how)) return n;
    for (size_t i = n; i > 0; i--)
        if (is_csv(how) ? line[i - 1] == ',' : isspace((unsigned char)line[i - 1])) return i - 1;
    return 0;
}

bl_status bl_external_scrape_line(bl_external_scrape *s, bl_external_line *out, const char *line,
                                  size_t n, bl_err *err) {
    bl_buf text = {0};
    bl_status status = BL_OK;
    *out = (bl_external_line){.value = (double)NAN, .loss = (double)NAN};
    const bool cut = n > BL_EXTERNAL_LINE;
    if (cut) n = last_whole(s->how, line, BL_EXTERNAL_LINE);
    if (bl_external_scrape_file(s->how) == NULL)
        bl_external_plain(&text, line, n);
    else
        bl_buf_add(&text, line, n);
    if (cut && is_jsonl(s->how) && !bl_external_close_cut(&text)) bl_buf_clear(&text);
    s->lines++;
    if (is_csv(s->how) && s->lines == 1)
        status = take_header(s, bl_buf_text(&text), err);
    else if (is_csv(s->how))
        take_row(s, out, bl_buf_text(&text));
    else if (is_jsonl(s->how))
        take_json(s, out, &text);
    else
        take_output(s, out, bl_buf_text(&text));
    bl_buf_free(&text);
    return status == BL_OK && out->word == BL_EXTERNAL_EVAL ? put_in_order(s, out, err) : status;
}
