/* A field that is written for people, as a number or a date. With decimal ",", thousands "." and
 * the unit "EUR":
 *
 *     1.234,5 EUR    parts: "", "1.234,5", "EUR"; rewritten "1234.5"        1234.5
 *     (12)           in brackets, as in accounts                             -12
 *     12.34,5        a group of two digits in front of the decimal mark      no number
 *     1234           plain numbers are read first, as they stand             1234
 *     1,2e3          an exponent belongs to the number                       1200
 *
 * With decimal "." and thousands "," 12,34,567 is 1234567, as India groups digits. A number is
 * refused rather than guessed where its marks stand in wrong places: nobody looks at a million rows
 * again. */
#include "engine/data/table/field_format.h"
#include <string.h>

enum {
    LONGEST = 96, /* characters of a number that is not written plainly */
    MINUS = 3     /* bytes of U+2212 */
};

const bl_field_format bl_field_plain = {.decimal = '.'};

static bool equals(bl_csv_field f, const char *text) {
    return strlen(text) == f.n && memcmp(f.text, text, f.n) == 0;
}

bool bl_field_missing(const bl_field_format *format, bl_csv_field f) {
    if (bl_csv_missing(f)) return true;
    for (size_t i = 0; i < format->missings; i++)
        if (equals(f, format->missing[i])) return true;
    return false;
}

/* Bytes of a blank at the beginning of a text: a space, or one of Unicode's that do not break. */
static size_t blank_at(const char *p, const char *end) {
    if (p < end && *p == ' ') return 1;
    if (end - p >= 2 && memcmp(p, "\xC2\xA0", 2) == 0) return 2;
    return end - p >= 3 && memcmp(p, "\xE2\x80\xAF", 3) == 0 ? 3 : 0;
}

/* The text between p and end, blanks at both ends taken off. */
static bl_csv_field without_blanks(const char *p, const char *end) {
    for (size_t n; (n = blank_at(p, end)) > 0;) p += n;
    for (bool any = true; any;) {
        any = false;
        for (size_t n = 1; n <= 3 && !any; n++)
            if (end - p >= (ptrdiff_t)n && blank_at(end - n, end) == n) {
                end -= n;
                any = true;
            }
    }
    return (bl_csv_field){p, (size_t)(end - p)};
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* The sign may stand before the unit (-$5) or behind it ($-5). */
bool bl_field_parts(bl_csv_field f, bl_csv_field *before, bl_csv_field *number,
                    bl_csv_field *behind) {
    const char *p = f.text, *end = f.text + f.n, *first = p, *last;
    while (first < end && !is_digit(*first)) first++;
    if (first == end) return false;
    if (first > p && (first[-1] == '.' || first[-1] == ',')) first--;
    if (first > p && (first[-1] == '-' || first[-1] == '+')) first--;
    for (last = first + 1; last < end; last++) {
        const size_t blank = blank_at(last, end);
        if (blank > 0 && last + blank < end && is_digit(last[blank]))
            last += blank - 1;
        else if (!is_digit(*last) && *last != '.' && *last != ',' && *last != '\'')
            break;
    }
    if (last + 1 < end && (*last == 'e' || *last == 'E')) { /* an exponent is no unit */
        const char *e = last + 1 + (last[1] == '-' || last[1] == '+');
        const char *digits = e;
        while (e < end && is_digit(*e)) e++;
        if (e > digits) last = e;
    }
    *before = without_blanks(p, first);
    *number = (bl_csv_field){first, (size_t)(last - first)};
    *behind = without_blanks(last, end);
    for (const char *q = last; q < end; q++)
        if (is_digit(*q)) return false;
    return true;
}

/* A declared unit, or nothing at all. */
static bool is_unit(const bl_field_format *format, bl_csv_field f) {
    for (size_t i = 0; i < format->units; i++)
        if (equals(f, format->unit[i])) return true;
    return f.n == 0;
}

/* Digits between marks of thousands, as far as a number was read: "12,34,5" is 2, 2 and 1. */
typedef struct groups {
    size_t digits, first,
        middle; /* of the group at hand; of the first, of those between; 0: none */
} groups;

/* At a mark. Groups between the first and the last have three digits, or all have two as in India:
 * 12,34,567. False: they have others. */
static bool end_group(groups *g) {
    const size_t digits = g->digits;
    g->digits = 0;
    if (digits == 0 || digits > 3) return false;
    if (g->first == 0) {
        g->first = digits;
        return true;
    }
    if (g->middle == 0) g->middle = digits;
    return digits == g->middle && (digits == 3 || (digits == 2 && g->first <= 2));
}

/* The number as bl_csv_number reads it: no thousands, a point. 0: the marks are in wrong places. */
static size_t rewrite(char out[LONGEST], const bl_field_format *format, bl_csv_field f) {
    size_t n = 0;
    groups g = {0};
    bool decimals = false;
    for (const char *p = f.text, *end = f.text + f.n; p < end && n + 1 < LONGEST;) {
        const size_t blank = blank_at(p, end);
        const bool mark = format->thousands == ' ' ? blank > 0 : *p == format->thousands;
        if (format->thousands != '\0' && mark && !decimals) {
            if (!end_group(&g)) return 0;
            p += blank > 0 ? blank : 1;
            continue;
        }
        const bool point = *p == format->decimal || (*p == '.' && format->thousands != '.');
        if (point || *p == 'e' || *p == 'E') {
            if (!decimals && g.first > 0 && g.digits != 3) return 0;
            decimals = true;
        }
        g.digits += is_digit(*p) && !decimals;
        out[n++] = point ? '.' : *p;
        p++;
    }
    return g.first > 0 && !decimals && g.digits != 3 ? 0 : n;
}

/* Does it begin with the minus sign of typesetting, U+2212? */
static bool begins_with_minus(bl_csv_field f) {
    return f.n >= MINUS && memcmp(f.text, "\xE2\x88\x92", MINUS) == 0;
}

bool bl_field_negative(bl_csv_field *f) {
    bl_csv_field rest;
    if (begins_with_minus(*f))
        rest = without_blanks(f->text + MINUS, f->text + f->n);
    else if (f->n > 2 && f->text[0] == '(' && f->text[f->n - 1] == ')')
        rest = without_blanks(f->text + 1, f->text + f->n - 1);
    else
        return false;
    if (rest.n == 0 || strchr("-+(", rest.text[0]) != NULL || begins_with_minus(rest)) return false;
    *f = rest;
    return true;
}

/* A number without the signs that bl_field_negative takes off. */
static bool read_unsigned(const bl_field_format *format, bl_csv_field f, double *value) {
    bl_csv_field before, number, behind;
    char copy[LONGEST];
    const bool plain = format->decimal == '.' && format->thousands == '\0';
    if ((plain || memchr(f.text, '.', f.n) == NULL || format->thousands != '.') &&
        bl_csv_number(f, value))
        return true;
    if ((plain && format->units == 0) || f.n >= LONGEST) return false;
    if (!bl_field_parts(f, &before, &number, &behind)) return false;
    const bool minus = before.n > 0 && before.text[0] == '-';
    if (minus) before = without_blanks(before.text + 1, before.text + before.n);
    if (!is_unit(format, before) || !is_unit(format, behind)) return false;
    const size_t n = rewrite(copy, format, number);
    if (n == 0 || !bl_csv_number((bl_csv_field){copy, n}, value)) return false;
    if (minus) *value = -*value;
    return true;
}

bool bl_field_number(const bl_field_format *format, bl_csv_field f, double *value) {
    const bool negative = bl_field_negative(&f);
    if (!read_unsigned(format, f, value)) return false;
    if (negative) *value = -*value;
    return true;
}

bool bl_field_date(const bl_field_format *format, bl_csv_field f, double *days) {
    int32_t whole;
    if (format->any_date) return bl_parse_date_time(f.text, f.n, format->order, days);
    if (!bl_parse_date(f.text, f.n, &whole)) return false;
    *days = whole;
    return true;
}
