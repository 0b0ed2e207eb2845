#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- writing ---- */

/* Beyond U+FFFF an escape is a surrogate pair (RFC 8259, section 7). */
static void put_escape(bl_buf *out, uint32_t code) {
    if (code > 0xffff) {
        bl_buf_printf(out, "\\u%04x", (unsigned)(0xd800 + ((code - 0x10000) >> 10)));
        code = 0xdc00 + ((code - 0x10000) & 0x3ff);
    }
    bl_buf_printf(out, "\\u%04x", (unsigned)code);
}

void bl_json_string(bl_buf *out, const char *text) {
    bl_buf_str(out, "\"");
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        const size_t n = bl_text_character(p);
        uint32_t code;
        if (n == 0)
            bl_buf_str(out, "\357\277\275");
        else if (*p == '"' || *p == '\\')
            bl_buf_printf(out, "\\%c", *p);
        else if (*p == '\n')
            bl_buf_str(out, "\\n");
        else if (bl_text_acts(p, n, &code))
            put_escape(out, code);
        else
            bl_buf_add(out, p, n);
        p += n > 0 ? n : 1;
    }
    bl_buf_str(out, "\"");
}

void bl_json_f32(bl_buf *out, float value) {
    if (!isfinite(value)) {
        bl_buf_str(out, "null");
        return;
    }
    char text[32];
    for (int digits = 1; digits <= 9; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    bl_buf_str(out, text);
}

enum { FEW_DIGITS = 6, MANY_DIGITS = 15, MOST_DIGITS = 17 };

static void print_digits(char out[32], int digits, double value) {
    BL_ASSERT(digits >= 1 && digits <= MOST_DIGITS);
    (void)snprintf(out, 32, "%.*g", digits, value);
}

/* Digits of the shortest decimal, 0 when it has more than 15. Up to so many a decimal survives the
 * way through a double, so the one rounded to 15 ends in the zeros that are not needed. */
static int few_digits(double value) {
    char text[32];
    if (fpclassify(value) == FP_SUBNORMAL) { /* there fewer survive */
        int digits = 0;
        do print_digits(text, ++digits, value);
        while (strtod(text, NULL) != value);
        return digits <= MANY_DIGITS ? digits : 0;
    }
    (void)snprintf(text, sizeof text, "%.14e", value);
    if (strtod(text, NULL) != value) return 0;
    const char *first = text + (text[0] == '-');
    int digits = 1;
    for (int i = 1; i < MANY_DIGITS; i++)
        if (first[1 + i] != '0') digits = i + 1; /* first[1] is the point */
    return digits;
}

/* Digits of `rest` before out[end]; returns where they begin. */
static size_t put_digits(char *out, size_t end, uint64_t rest) {
    do out[--end] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    return end;
}

/* A plan holds hundreds of thousands of numbers, and most are like 0.0625, 1.05 or 200: n / 10^k,
 * both exact in a double. The quotient is then rounded as reading the decimal would round it, so
 * where it is the value, the decimal with the fewest digits is found. Where %g would write an
 * exponent, and beyond 15 digits, this is not for. */
static bool short_decimal(char out[32], double value) {
    enum { PLACES = 8, WIDTH = 24 };
    if (!(value >= 1e-4 && value < 1e4) && !(value == 0.0 && !signbit(value))) return false;
    double scale = 1.0, n = value;
    size_t places = 0;
    while (n != floor(n) || n / scale != value) {
        if (places++ == PLACES) return false;
        scale *= 10.0;
        n = rint(value * scale);
    }
    const uint64_t whole = (uint64_t)n / (uint64_t)scale, rest = (uint64_t)n % (uint64_t)scale;
    char text[WIDTH];
    size_t at = WIDTH;
    if (places > 0) {
        at = put_digits(text, at, rest);
        while (at > WIDTH - places) text[--at] = '0';
        text[--at] = '.';
    }
    at = put_digits(text, at, whole);
    memcpy(out, text + at, WIDTH - at);
    out[WIDTH - at] = '\0';
    return true;
}

void bl_json_f64_text(char out[32], double value) {
    if (short_decimal(out, value)) return;
    const int digits = isfinite(value) ? few_digits(value) : 1;
    if (digits == 0) {
        print_digits(out, MANY_DIGITS + 1, value);
        if (strtod(out, NULL) != value) print_digits(out, MOST_DIGITS, value);
        return;
    }
    print_digits(out, digits > FEW_DIGITS ? MANY_DIGITS : digits, value);
    if (digits <= FEW_DIGITS && strchr(out, 'e') == NULL) return;
    /* 10 is shorter than 1e+01, 1.234567e+14 than 123456700000000. */
    char shorter[32];
    for (int more = digits > FEW_DIGITS ? digits : FEW_DIGITS + 1; more < MANY_DIGITS; more++) {
        print_digits(shorter, more, value);
        if (strlen(shorter) >= strlen(out)) continue;
        memcpy(out, shorter, sizeof shorter);
        break;
    }
}

void bl_json_f64(bl_buf *out, double value) {
    char text[32];
    if (isfinite(value)) bl_json_f64_text(text, value);
    bl_buf_str(out, isfinite(value) ? text : "null");
}

void bl_json_i64(bl_buf *out, int64_t value) {
    char text[24], *at = text + sizeof text;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0) *--at = '-';
    bl_buf_add(out, at, (size_t)(text + sizeof text - at));
}

/* ---- reading ---- */

enum { MAX_DEPTH = 64 };

typedef struct parser {
    const char *at, *end, *begin;
    const char *name;
    size_t line;
    bl_chunks *memory;
    bl_err *err;
} parser;

static bl_status fault(const parser *p, const char *what) {
    size_t line = p->line;
    for (const char *c = p->begin; c < p->at && c < p->end; c++) line += *c == '\n';
    BL_FAIL(p->err, BL_EFORMAT, "%s:%zu: not valid JSON: %s", p->name, line, what);
}

static void skip_space(parser *p) {
    while (p->at < p->end && strchr(" \t\r\n", *p->at) != NULL && *p->at != '\0') p->at++;
}

/* Takes `c` if it is the next character that is no blank. */
static bool is_next(parser *p, char c) {
    skip_space(p);
    if (p->at >= p->end || *p->at != c) return false;
    p->at++;
    return true;
}

/* Of both cases; -1 where one is no digit. */
static int hex4(const char *s) {
    int v = 0;
    for (int i = 0; i < 4; i++) {
        const char c = s[i];
        const int d = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

/* The four digits of a \u, at p->at. */
static bool read_unit(parser *p, uint32_t *out) {
    const int code = p->end - p->at < 4 ? -1 : hex4(p->at);
    if (code < 0) return false;
    p->at += 4;
    *out = (uint32_t)code;
    return true;
}

/* What follows \u: a character, or one beyond U+FFFF as a surrogate pair ("\ud83d\ude00"). Half of
 * a pair is refused, and so is U+0000, which would end the text. */
static bl_status read_code_point(parser *p, uint32_t *out) {
    uint32_t low = 0;
    if (!read_unit(p, out)) return fault(p, "\\u without four hexadecimal digits");
    if (*out == 0) return fault(p, "\\u0000 in a string");
    if (*out < 0xd800 || *out > 0xdfff) return BL_OK;
    const bool pair = *out < 0xdc00 && p->end - p->at >= 2 && p->at[0] == '\\' && p->at[1] == 'u';
    if (pair) p->at += 2;
    if (!pair || !read_unit(p, &low) || low < 0xdc00 || low > 0xdfff)
        return fault(p, "half of a surrogate pair");
    *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
    return BL_OK;
}

/* One escape at p->at (after the backslash), in UTF-8 at *to, which moves on. Its text is longer
 * than the bytes it stands for: 6 for at most 3, 12 for 4. */
static bl_status read_escape(parser *p, char **to) {
    static const char from[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    if (p->at >= p->end) return fault(p, "text ends inside a string");
    const char c = *p->at++;
    const char *hit = c != '\0' ? strchr(from, c) : NULL;
    uint32_t code = 0;
    if (hit != NULL) {
        *(*to)++ = bytes[hit - from];
        return BL_OK;
    }
    if (c != 'u') return fault(p, "unknown escape");
    BL_TRY(read_code_point(p, &code));
    *to += bl_text_encode(*to, code);
    return BL_OK;
}

/* The text between two quotes; p->at is behind the first one. The decoded text is never longer than
 * what stands there. */
static bl_status read_string(parser *p, const char **out) {
    const char *stop = p->at;
    while (stop < p->end && *stop != '"') stop += *stop == '\\' && stop + 1 < p->end ? 2 : 1;
    if (stop >= p->end) return fault(p, "text ends inside a string");
    char *text = bl_chunks_take(p->memory, (size_t)(stop - p->at) + 1), *to = text;
    while (p->at < stop) {
        const char c = *p->at++;
        if ((unsigned char)c < 0x20) return fault(p, "control character in a string");
        if (c == '\\') {
            BL_TRY(read_escape(p, &to));
            continue;
        }
        /* The quote at `stop` ends every character that is cut off. */
        const char *from = p->at - 1;
        const size_t n = bl_text_character((const unsigned char *)from);
        if (n == 0) return fault(p, "a text that is not UTF-8");
        for (size_t i = 0; i < n; i++) *to++ = from[i];
        p->at = from + n;
    }
    p->at = stop + 1;
    *to = '\0';
    *out = text;
    return BL_OK;
}

/* Exactly the grammar of RFC 8259: no leading zeros, no plus, digits on both sides of a point. The
 * text is kept, too, for integers beyond 2^53. */
static bl_status read_number(parser *p, bl_json *v) {
    const char *start = p->at;
    const char *c = start;
    if (c < p->end && *c == '-') c++;
    const char *digits = c;
    while (c < p->end && *c >= '0' && *c <= '9') c++;
    if (c == digits || (*digits == '0' && c - digits > 1)) return fault(p, "malformed number");
    if (c < p->end && *c == '.') {
        const char *fraction = ++c;
        while (c < p->end && *c >= '0' && *c <= '9') c++;
        if (c == fraction) return fault(p, "malformed number");
    }
    if (c < p->end && (*c == 'e' || *c == 'E')) {
        c++;
        if (c < p->end && (*c == '+' || *c == '-')) c++;
        const char *exponent = c;
        while (c < p->end && *c >= '0' && *c <= '9') c++;
        if (c == exponent) return fault(p, "malformed number");
    }
    const size_t n = (size_t)(c - start);
    char *text = bl_chunks_take(p->memory, n + 1);
    memcpy(text, start, n);
    text[n] = '\0';
    v->type = BL_JSON_NUMBER;
    v->string = text;
    v->number = strtod(text, NULL);
    if (!isfinite(v->number)) return fault(p, "number out of range");
    p->at = c;
    return BL_OK;
}

static bl_status read_value(parser *p, bl_json **out, int depth);

/* What stands behind the opening bracket, to the closing one. A key that comes twice is refused,
 * since readers differ in which of the two counts. The search for it is linear: the project's
 * own objects are small, and long data are arrays. */
static bl_status read_children(parser *p, bl_json *parent, char close, int depth) {
    bl_json **link = &parent->first;
    if (is_next(p, close)) return BL_OK;
    do {
        const char *key = NULL;
        if (parent->type == BL_JSON_OBJECT) {
            if (!is_next(p, '"')) return fault(p, "expected a key");
            BL_TRY(read_string(p, &key));
            if (bl_json_get(parent, key) != NULL) return fault(p, "duplicate key");
            if (!is_next(p, ':')) return fault(p, "expected ':'");
        }
        BL_TRY(read_value(p, link, depth + 1));
        (*link)->key = key;
        link = &(*link)->next;
        parent->count++;
    } while (is_next(p, ','));
    return is_next(p, close) ? BL_OK : fault(p, "expected ',' or a closing bracket");
}

/* null, true or false at p->at. */
static bl_status read_word(parser *p, bl_json *v) {
    static const struct {
        const char *word;
        bl_json_type type;
        bool boolean;
    } words[] = {
        {"null",  BL_JSON_NULL, false},
        {"true",  BL_JSON_BOOL, true },
        {"false", BL_JSON_BOOL, false}
    };
    for (size_t i = 0; i < BL_COUNT(words); i++) {
        const size_t n = strlen(words[i].word);
        if ((size_t)(p->end - p->at) < n || memcmp(p->at, words[i].word, n) != 0) continue;
        v->type = words[i].type;
        v->boolean = words[i].boolean;
        p->at += n;
        return BL_OK;
    }
    return fault(p, "expected a value");
}

/* The value at p->at, whatever its kind, into memory of the document. `depth` counts the brackets
 * around it. */
static bl_status read_value(parser *p, bl_json **out, int depth) {
    if (depth > MAX_DEPTH) return fault(p, "nested too deeply");
    bl_json *v = bl_chunks_take(p->memory, sizeof *v);
    *v = (bl_json){0};
    *out = v;
    skip_space(p);
    if (p->at >= p->end) return fault(p, "text ends early");
    switch (*p->at) {
    case '{':
        p->at++;
        v->type = BL_JSON_OBJECT;
        return read_children(p, v, '}', depth);
    case '[':
        p->at++;
        v->type = BL_JSON_ARRAY;
        return read_children(p, v, ']', depth);
    case '"':
        p->at++;
        v->type = BL_JSON_STRING;
        return read_string(p, &v->string);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return read_number(p, v);
    default:
        return read_word(p, v);
    }
}

bl_status bl_json_parse(bl_json_doc *doc, const char *text, size_t n, const char *name, size_t line,
                        bl_err *err) {
    *doc = (bl_json_doc){0};
    parser p = {.at = text,
                .begin = text,
                .end = text + n,
                .name = name,
                .line = line,
                .memory = &doc->memory,
                .err = err};
    bl_status status = read_value(&p, &doc->root, 0);
    skip_space(&p);
    if (status == BL_OK && p.at < p.end) status = fault(&p, "text after the value");
    if (status != BL_OK) bl_json_free(doc);
    return status;
}

void bl_json_free(bl_json_doc *doc) {
    bl_chunks_free(&doc->memory);
    *doc = (bl_json_doc){0};
}

const bl_json *bl_json_get(const bl_json *object, const char *key) {
    if (object == NULL || object->type != BL_JSON_OBJECT) return NULL;
    for (const bl_json *v = object->first; v != NULL; v = v->next)
        if (v->key != NULL && strcmp(v->key, key) == 0) return v;
    return NULL;
}

double bl_json_number(const bl_json *object, const char *key, double otherwise) {
    const bl_json *v = bl_json_get(object, key);
    return v != NULL && v->type == BL_JSON_NUMBER ? v->number : otherwise;
}

int64_t bl_json_int(const bl_json *object, const char *key, int64_t otherwise) {
    const bl_json *v = bl_json_get(object, key);
    if (v == NULL || v->type != BL_JSON_NUMBER) return otherwise;
    char *end;
    errno = 0;
    const long long whole = strtoll(v->string, &end, 10);
    return errno == 0 && *end == '\0' ? (int64_t)whole : otherwise;
}

const char *bl_json_text(const bl_json *object, const char *key, const char *otherwise) {
    const bl_json *v = bl_json_get(object, key);
    return v != NULL && v->type == BL_JSON_STRING ? v->string : otherwise;
}

bool bl_json_bool(const bl_json *object, const char *key, bool otherwise) {
    const bl_json *v = bl_json_get(object, key);
    return v != NULL && v->type == BL_JSON_BOOL ? v->boolean : otherwise;
}

/* One line's document lives only while `each` looks at it, so memory does not grow with the file.
 */
bl_status bl_jsonl_each(const char *text, size_t n, const char *name, bl_jsonl_fn each, void *ctx,
                        bl_err *err) {
    bl_jsonl_line line = {.name = name};
    for (; line.end < n; line.begin = line.end) {
        bl_json_doc doc;
        const char *stop = memchr(text + line.begin, '\n', n - line.begin);
        line.number++;
        if (stop == NULL)
            BL_FAIL(err, BL_EFORMAT, "%s:%zu: the line is cut off", name, line.number);
        line.end = (size_t)(stop - text) + 1;
        BL_TRY(bl_json_parse(&doc, text + line.begin, line.end - 1 - line.begin, name, line.number,
                             err));
        line.value = doc.root;
        const bl_status status = each(ctx, &line, err);
        bl_json_free(&doc);
        BL_TRY(status);
    }
    if (line.number == 0) BL_FAIL(err, BL_EFORMAT, "%s: empty", name);
    return BL_OK;
}

void bl_json_show(bl_buf *out, const bl_json *value) {
    if (value == NULL) {
        bl_buf_str(out, "-");
        return;
    }
    switch (value->type) {
    case BL_JSON_NULL:
        bl_buf_str(out, "null");
        break;
    case BL_JSON_BOOL:
        bl_buf_str(out, value->boolean ? "true" : "false");
        break;
    case BL_JSON_NUMBER:
        bl_buf_str(out, value->string);
        break;
    case BL_JSON_STRING:
        bl_json_string(out, value->string);
        break;
    case BL_JSON_ARRAY:
    case BL_JSON_OBJECT:
        bl_buf_str(out, value->type == BL_JSON_ARRAY ? "[" : "{");
        for (const bl_json *v = value->first; v != NULL; v = v->next) {
            if (v != value->first) bl_buf_str(out, ",");
            if (v->key != NULL) bl_buf_printf(out, "%s:", v->key);
            bl_json_show(out, v);
        }
        bl_buf_str(out, value->type == BL_JSON_ARRAY ? "]" : "}");
        break;
    }
}
