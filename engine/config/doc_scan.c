/* One pass over the text of a configuration, token by token. Each is copied to the scan's text
 * as it is passed, so that includes are replaced by their lines on the way, and a mark is added
 * for a key or a value:
 *
 *     file           lr = 0.1;          # comment
 *     text           the same bytes, with includes in place
 *     marks          KEY "lr" 1:1, FLOAT 0.1 1:6
 *     lines          which file and number each line of the text comes from
 *
 * Nothing is known of the grammar here but how tokens end: libconfig says whether they stand where
 * they may. What is refused here is what libconfig would take by mistake (doc.h) or would end the
 * program on. */
#include "engine/config/doc_scan.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One file being read; its bytes are copied to the scan's text as they are passed. */
typedef struct source {
    const char *at, *end;
    const char *name;
    int line;
    size_t depth; /* of includes */
} source;

void bl_scan_free(bl_scan *scan) {
    for (size_t i = 0; i < scan->file_count; i++) free(scan->files[i]);
    free(scan->files);
    free(scan->lines);
    free(scan->marks);
    bl_buf_free(&scan->text);
    *scan = (bl_scan){0};
}

/* ---- messages ---- */

enum { EXCERPT = 120 };

/* Length of the word, number or string at `p`: what carets are drawn below. */
static size_t token_length(const char *p, const char *end) {
    const char *q = p;
    if (q < end && *q == '"') {
        for (q++; q < end && *q != '"'; q++) continue;
        return (size_t)(q - p) + (q < end);
    }
    while (q < end && (isalnum((unsigned char)*q) || strchr("_*.+-", *q) != NULL)) q++;
    return q > p ? (size_t)(q - p) : 1;
}

/* "FILE:LINE:COLUMN: error: MESSAGE", then the line, and below it carets under the faulty word. Of
 * a very long line only the part around the column is shown. Control characters are shown as ?. */
bl_status bl_scan_fail(const bl_scan *scan, size_t line, int column, const char *hint, bl_err *err,
                       const char *message) {
    const bl_scan_line *where = &scan->lines[bl_size_min(line, scan->line_count - 1)];
    const char *text = bl_buf_text(&scan->text) + where->begin;
    const char *end = strchr(text, '\n');
    if (end == NULL) end = text + strlen(text);
    const size_t col = column > 0 ? bl_size_min((size_t)column - 1, (size_t)(end - text)) : 0;
    const size_t cut = col > EXCERPT / 2 ? col - EXCERPT / 2 : 0; /* of a very long line */
    const size_t shown = bl_size_min((size_t)(end - text) - cut, EXCERPT);
    bl_buf out = {0};
    bl_buf_printf(&out, "%s:%d:%d: error: %s\n%5d | ", where->file, where->number, (int)col + 1,
                  message, where->number);
    for (size_t i = 0; i < shown; i++) {
        const unsigned char c = (unsigned char)text[cut + i];
        bl_buf_printf(&out, "%c", c == '\t' || (c >= ' ' && c != 0x7f) ? c : '?');
    }
    if (column > 0 || hint != NULL) bl_buf_str(&out, "\n      | ");
    if (column > 0) {
        for (size_t i = cut; i < col; i++) bl_buf_str(&out, text[i] == '\t' ? "\t" : " ");
        const size_t carets = bl_size_min(token_length(text + col, end), shown - (col - cut));
        for (size_t i = 0; i < bl_size_max(carets, 1); i++) bl_buf_str(&out, "^");
    }
    if (hint != NULL) bl_buf_printf(&out, "%s%s", column > 0 ? " " : "", hint);
    const bl_status status = BL_ERR(err, BL_EINVAL, "%s", bl_buf_text(&out));
    bl_buf_free(&out);
    return status;
}

static const char *line_end(const source *src) {
    const char *newline = memchr(src->at, '\n', (size_t)(src->end - src->at));
    return newline != NULL ? newline : src->end;
}

/* Fails at the source's position. The rest of its line is copied first, for the excerpt. */
BL_PRINTF(3, 4)
static bl_status fail_here(bl_scan *scan, const source *src, const char *fmt, ...) {
    char message[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    const size_t line = scan->line_count - 1;
    const size_t column = scan->text.len - scan->lines[line].begin + 1;
    bl_buf_add(&scan->text, src->at, (size_t)(line_end(src) - src->at));
    return bl_scan_fail(scan, line, (int)column, NULL, scan->err, message);
}

/* ---- marks ---- */

static void add_line(bl_scan *scan, const char *file, int number) {
    *BL_PUSH(scan->lines, scan->line_count, "lines of a configuration") =
        (bl_scan_line){.file = file, .number = number, .begin = scan->text.len};
}

/* Copies `n` bytes. */
static void pass(bl_scan *scan, source *src, size_t n) {
    for (size_t i = 0; i < n; i++) {
        bl_buf_add(&scan->text, src->at, 1);
        if (*src->at++ == '\n') add_line(scan, src->name, ++src->line);
    }
}

/* A mark for the next `bytes` bytes. */
static bl_status add_mark(bl_scan *scan, source *src, bl_mark mark) {
    if (scan->mark_count == BL_DOC_MARKS)
        return fail_here(scan, src, "more than %d settings", BL_DOC_MARKS / 2);
    mark.line = scan->line_count - 1;
    mark.at = scan->text.len;
    mark.column = (int)(mark.at - scan->lines[mark.line].begin) + 1;
    mark.scope = scan->scopes[scan->depth];
    *BL_PUSH(scan->marks, scan->mark_count, "settings") = mark;
    pass(scan, src, mark.bytes);
    return BL_OK;
}

/* A whole number is decimal or, with 0x, hexadecimal, and may end with L or LL; it has to fit 64
 * bits. Everything else is a decimal number that has to be finite. */
static bl_status scan_number(bl_scan *scan, source *src) {
    char text[64];
    size_t n = 0;
    const char *p = src->at;
    while (p < src->end &&
           (isalnum((unsigned char)*p) || *p == '.' || *p == '_' ||
            ((*p == '+' || *p == '-') && (p == src->at || tolower(p[-1]) == 'e')))) {
        if (n == sizeof text - 1) return fail_here(scan, src, "a number this long is not read");
        text[n++] = *p++;
    }
    text[n] = '\0';
    const size_t sign = text[0] == '-' || text[0] == '+';
    const bool hex = sign == 0 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = text + (hex ? 2 : sign);
    size_t count = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
    const char *suffix = digits + count;
    char *end;
    errno = 0;
    if (count > 0 && (*suffix == '\0' || strcmp(suffix, "L") == 0 || strcmp(suffix, "LL") == 0)) {
        const int64_t value = strtoll(text, &end, hex ? 16 : 10);
        if (errno != 0)
            return fail_here(scan, src, "the number %s does not fit into 64 bits", text);
        return add_mark(
            scan, src,
            (bl_mark){.kind = BL_MARK_INT, .bytes = n, .integer = value, .number = (double)value});
    }
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || strpbrk(digits, "xXpPnN") != NULL)
        return fail_here(scan, src, "'%s' is no number", text);
    if (!isfinite(value)) return fail_here(scan, src, "the number %s is too large", text);
    return add_mark(scan, src, (bl_mark){.kind = BL_MARK_FLOAT, .bytes = n, .number = value});
}

/* The keywords of the grammar, in any case; `word` is in small letters. */
static bool is_word(const char *p, size_t n, const char *word) {
    if (strlen(word) != n) return false;
    for (size_t i = 0; i < n; i++)
        if (tolower((unsigned char)p[i]) != word[i]) return false;
    return true;
}

/* true and false are values, every other word is a key; libconfig refuses a word that stands
 * where a value should. */
static bl_status scan_word(bl_scan *scan, source *src) {
    const char *p = src->at;
    while (p < src->end && (isalnum((unsigned char)*p) || strchr("_-*", *p) != NULL) && *p != '\0')
        p++;
    const size_t n = (size_t)(p - src->at);
    if (is_word(src->at, n, "true") || is_word(src->at, n, "false"))
        return add_mark(scan, src, (bl_mark){.kind = BL_MARK_BOOL, .bytes = n});
    return add_mark(scan, src, (bl_mark){.kind = BL_MARK_KEY, .bytes = n});
}

/* Strings side by side are one value for libconfig: only the first of them is a mark. */
static bl_status scan_string(bl_scan *scan, source *src) {
    const char *p = src->at + 1;
    while (p < src->end && *p != '"') p += *p == '\\' && p + 1 < src->end ? 2 : 1;
    if (p >= src->end) return fail_here(scan, src, "this text has no closing quote");
    const size_t n = (size_t)(p + 1 - src->at);
    if (!scan->after_string)
        return add_mark(scan, src, (bl_mark){.kind = BL_MARK_STRING, .bytes = n});
    pass(scan, src, n);
    return BL_OK;
}

/* ---- includes ---- */

static bl_status scan_source(bl_scan *scan, source *src);

/* The real path of an include, which must be a plain file below the real include root: links and
 * ".." do not lead out. libconfig would end the program on a folder. */
static bl_status include_path(bl_scan *scan, const source *src, const char *name, char *path) {
    char root[PATH_MAX], joined[BL_PATH];
    if (scan->include_root == NULL) return fail_here(scan, src, "this file may not include others");
    if (src->depth == BL_DOC_INCLUDES)
        return fail_here(scan, src, "includes are nested more than %d deep", BL_DOC_INCLUDES);
    if (bl_path(joined, NULL, "%s/%s", scan->include_root, name) != BL_OK)
        return fail_here(scan, src, "the name to include is too long");
    if (realpath(scan->include_root, root) == NULL || realpath(joined, path) == NULL)
        return fail_here(scan, src, "cannot include %s: %s", joined, strerror(errno));
    const size_t n = strlen(root);
    if (strncmp(path, root, n) != 0 || path[n] != '/')
        return fail_here(scan, src, "%s is outside of %s, from which includes may come", joined,
                         scan->include_root);
    if (!bl_file_exists(path)) return fail_here(scan, src, "%s is not a plain file", joined);
    return BL_OK;
}

/* The copy lives as long as the scan: lines point to it. */
static const char *keep_name(bl_scan *scan, const char *name) {
    return *BL_PUSH(scan->files, scan->file_count, "files of a configuration") = bl_xstrdup(name);
}

/* `@include "NAME"` at the start of a line: the file's lines take its place. */
static bl_status scan_include(bl_scan *scan, source *src) {
    static const char word[] = "@include";
    const size_t left = (size_t)(src->end - src->at);
    const size_t column = scan->text.len - scan->lines[scan->line_count - 1].begin;
    const char *line = bl_buf_text(&scan->text) + scan->text.len - column;
    const char *p = src->at + sizeof word - 1;
    if (left < sizeof word || memcmp(src->at, word, sizeof word - 1) != 0 ||
        strspn(line, " \t") != column)
        return fail_here(scan, src, "'@' begins nothing but an @include line");
    while (p < src->end && (*p == ' ' || *p == '\t')) p++;
    const char *close =
        p < src->end && *p == '"' ? memchr(p + 1, '"', (size_t)(src->end - p - 1)) : NULL;
    if (close == NULL || close > line_end(src))
        return fail_here(scan, src, "write @include \"FILE\" on a line of its own");
    char name[BL_PATH], path[PATH_MAX];
    const size_t n = (size_t)(close - p - 1);
    if (n >= sizeof name || memchr(p + 1, '\0', n) != NULL)
        return fail_here(scan, src, "the name to include is too long");
    memcpy(name, p + 1, n);
    name[n] = '\0';
    BL_TRY(include_path(scan, src, name, path));
    bl_buf bytes = {0};
    bl_status status = bl_file_read(&bytes, path, BL_DOC_BYTES, scan->err);
    if (status == BL_OK) {
        (void)snprintf(path, sizeof path, "%s/%s", scan->include_root, name);
        source inner = {.at = bl_buf_text(&bytes),
                        .end = bl_buf_text(&bytes) + bytes.len,
                        .name = keep_name(scan, path),
                        .line = 1,
                        .depth = src->depth + 1};
        scan->lines[scan->line_count - 1] =
            (bl_scan_line){inner.name, 1, scan->lines[scan->line_count - 1].begin};
        status = scan_source(scan, &inner);
        scan->lines[scan->line_count - 1] =
            (bl_scan_line){src->name, src->line, scan->lines[scan->line_count - 1].begin};
        src->at = close + 1;
    }
    bl_buf_free(&bytes);
    return status;
}

/* ---- the text ---- */

static bl_status scan_comment(bl_scan *scan, source *src) {
    const char *end = line_end(src);
    if (src->at[0] == '/' && src->at[1] == '*') {
        const char *p = src->at + 2;
        while (p + 1 < src->end && !(p[0] == '*' && p[1] == '/')) p++;
        if (p + 1 >= src->end) return fail_here(scan, src, "this comment has no end");
        end = p + 2;
    }
    pass(scan, src, (size_t)(end - src->at));
    return BL_OK;
}

/* An opening bracket is the mark of a group or list, and begins a scope, by which keys set twice
 * are found. */
static bl_status scan_bracket(bl_scan *scan, source *src) {
    const char c = *src->at;
    if (strchr("{[(", c) != NULL) {
        if (scan->depth == BL_DOC_DEPTH)
            return fail_here(scan, src, "brackets are nested more than %d deep", BL_DOC_DEPTH);
        BL_TRY(add_mark(scan, src, (bl_mark){.kind = BL_MARK_OPEN, .bytes = 1}));
        scan->scopes[++scan->depth] = ++scan->next_scope;
        return BL_OK;
    }
    if (scan->depth == 0) return fail_here(scan, src, "'%c' closes nothing", c);
    scan->depth--;
    pass(scan, src, 1);
    return BL_OK;
}

/* Passes one token: a comment, a blank, a string, an include, a word, a number, a bracket or a
 * single character such as = or ; (libconfig says where these may stand). */
static bl_status scan_token(bl_scan *scan, source *src) {
    const char c = *src->at;
    const bool two = src->at + 1 < src->end;
    if (c == '#' || (c == '/' && two && (src->at[1] == '/' || src->at[1] == '*')))
        return scan_comment(scan, src);
    if (strchr(" \t\r\n\f", c) != NULL) {
        pass(scan, src, 1);
        return BL_OK;
    }
    if (c == '"') {
        BL_TRY(scan_string(scan, src));
        scan->after_string = true;
        return BL_OK;
    }
    scan->after_string = false;
    if (c == '@') return scan_include(scan, src);
    if (isalpha((unsigned char)c) || c == '*') return scan_word(scan, src);
    if (isdigit((unsigned char)c) || strchr("+-.", c) != NULL) return scan_number(scan, src);
    if (strchr("{}[]()", c) != NULL) return scan_bracket(scan, src);
    pass(scan, src, 1);
    return BL_OK;
}

/* One file to its end: the text given, or one that is included. */
static bl_status scan_source(bl_scan *scan, source *src) {
    /* libconfig would take a zero byte for the end, inside a string too. */
    const char *zero = memchr(src->at, '\0', (size_t)(src->end - src->at));
    if (zero != NULL) {
        pass(scan, src, (size_t)(zero - src->at));
        return fail_here(scan, src, "a zero byte; this is no text");
    }
    if (src->end - src->at >= 3 && memcmp(src->at, "\xef\xbb\xbf", 3) == 0) src->at += 3;
    while (src->at < src->end) {
        BL_TRY(scan_token(scan, src));
        if (scan->text.len > BL_DOC_BYTES)
            return fail_here(scan, src, "more than %d bytes", BL_DOC_BYTES);
    }
    /* libconfig does not see a comment that the file ends in. */
    bl_buf_str(&scan->text, "\n");
    add_line(scan, src->name, src->line + 1);
    return BL_OK;
}

bl_status bl_scan_text(bl_scan *scan, const char *text, size_t n, const char *name,
                       const char *include_root, bl_err *err) {
    *scan = (bl_scan){.include_root = include_root, .err = err};
    source src = {.at = text, .end = text + n, .name = keep_name(scan, name), .line = 1};
    add_line(scan, src.name, 1);
    if (n > BL_DOC_BYTES)
        BL_FAIL(err, BL_EINVAL, "%s: error: larger than %d bytes", name, BL_DOC_BYTES);
    return scan_source(scan, &src);
}
