/* One value against every guess that its column may still be. What fits what:
 *
 *     text          plain   point   comma   ymd   dmy   mdy   time
 *     1234          yes     1234    1234    -     -     -     -
 *     12.5          yes     12.5    -       -     -     -     -
 *     1,200         -       1200    1.2     -     -     -     -
 *     $1,200.50     -       1200.5  -       -     -     -     -
 *     1/3/20        -       -       -       -     1 Mar 3 Jan -
 *     2020-03-01    -       -       -       1 Mar 1 Mar 1 Mar -
 *     14:05         -       -       -       -     -     -     yes
 *     n/a           a misfit of all of them, known as a word for no value
 *
 * A guess keeps the few texts that do not fit it, with their counts and first lines. It is rejected
 * when there are more of them than it has room for, and is not asked again: a column of texts costs
 * little. */
#include "engine/base/mem.h"
#include "engine/data/manifest/infer_p.h"
#include <string.h>
#include <strings.h>

bool bl_infer_means_missing(bl_csv_field f) {
    static const char *const words[] = {
        "?", "??", "???", "-", "--", "---", ".", "..", "...", "*", ":", "/", "\xE2\x80\x93",
        "\xE2\x80\x94", "\\n", "null", "nil", "none", "nan", "-nan", "nat", "inf", "-inf", "+inf",
        "infinity", "-infinity", "1.#inf", "-1.#ind", "1.#qnan", "na", "n/a", "n.a.", "n.a",
        "n. a.", "nd", "n.d.", "n/d", "#n/a", "#na", "#n/a n/a", "<na>", "<null>", "(null)",
        "(blank)", "(missing)", "missing", "unknown", "undefined", "empty", "blank", "no data",
        "not available", "not applicable", "not reported", "tba", "tbd", "#null!", "#div/0!",
        "#value!", "#ref!", "#name?", "#num!",
        /* German, French, Spanish, Italian, Dutch */
        "k.a.", "k. a.", "k.a", "ka", "keine angabe", "n.v.", "n. v.", "unbekannt", "fehlt", "s.o.",
        "inconnu", "manquant", "n.c.", "n. c.", "s/d", "sin datos", "sin dato", "desconocido",
        "n.p.", "sconosciuto", "onbekend"};
    for (size_t i = 0; i < BL_COUNT(words); i++)
        if (strlen(words[i]) == f.n && strncasecmp(words[i], f.text, f.n) == 0) return true;
    return false;
}

bool bl_infer_listed(const char *list, const char *text, size_t n) {
    for (const char *at = list; at != NULL && *at != '\0';) {
        const size_t length = strcspn(at, ",");
        if (length == n && memcmp(at, text, n) == 0) return true;
        at += length + (at[length] == ',');
    }
    return false;
}

/* ---- what fits ---- */

/* A value, where it stands, and what the user has said. */
typedef struct place {
    bl_csv_field f;
    size_t line;
    const bl_infer_wish *wish;
} place;

/* Is it one of the misfits that are kept? Then it is counted. `kept` is the length by which
 * texts are compared. */
static bool count_again(bl_infer_fit *fit, bl_csv_field f, size_t kept) {
    for (size_t i = 0; i < fit->misfits; i++) {
        bl_infer_misfit *m = &fit->misfit[i];
        if (m->cut != (kept < f.n) || strncmp(m->text, f.text, kept) != 0 || m->text[kept] != '\0')
            continue;
        m->count++;
        return true;
    }
    return false;
}

/* `open`: it stands for no value, though it is no word for that. */
static void add_misfit(bl_infer_fit *fit, const place *v, bool open) {
    enum { LONGEST = 23 }; /* bytes; one that is known will be declared, so it is kept whole */
    const bl_csv_field f = v->f;
    if (f.n <= LONGEST && count_again(fit, f, f.n)) return;
    const bool known =
        open || bl_infer_means_missing(f) || bl_infer_listed(v->wish->missing, f.text, f.n);
    const size_t kept = known ? f.n : bl_size_min(f.n, LONGEST);
    if (f.n > LONGEST && count_again(fit, f, kept)) return;
    if (fit->misfits == BL_MISFITS) {
        fit->rejected = true;
        return;
    }
    bl_infer_misfit *m = &fit->misfit[fit->misfits++];
    *m = (bl_infer_misfit){.text = bl_xalloc(kept + 1),
                           .cut = kept < f.n,
                           .known = known,
                           .count = 1,
                           .line = v->line};
    memcpy(m->text, f.text, kept);
}

static void judge(bl_inferred_column *c, bl_infer_guess guess, bool fits, const place *v) {
    bl_infer_fit *fit = &c->fit[guess];
    if (fits)
        fit->count++;
    else if (!fit->rejected)
        add_misfit(fit, v, false);
}

static void add_number(bl_infer_numbers *facts, double x) {
    if (facts->count == 0) {
        facts->low = facts->high = x;
    } else {
        facts->low = x < facts->low ? x : facts->low;
        facts->high = x > facts->high ? x : facts->high;
        facts->falls += x <= facts->last;
    }
    facts->last = x;
    facts->count++;
    if (fabs(x) >= 0x1p53)
        facts->far++;
    else
        facts->fractions += x != (double)(int64_t)x;
}

/* ---- numbers that are not written plainly ---- */

/* In front of a number only a currency counts as a unit: "A12" names something. */
static bool is_currency(bl_csv_field f) {
    static const char *const known[] = {
        "$",   "\xE2\x82\xAC", "\xC2\xA3", "\xC2\xA5", "\xE2\x82\xB9", "USD", "EUR", "GBP",
        "CHF", "US$",          "R$",       "Rs",       "Rs.",          "CA$", "A$"};
    for (size_t i = 0; i < BL_COUNT(known); i++)
        if (strlen(known[i]) == f.n && memcmp(known[i], f.text, f.n) == 0) return true;
    return false;
}

/* The unit of this value is the column's, which the first value with one sets. */
static bool same_unit(bl_inferred_column *c, bl_csv_field before, bl_csv_field behind) {
    if (before.n > 0 && before.text[0] == '-') { /* -$5 */
        before.text++;
        before.n--;
    }
    if (before.n > 0 && (behind.n > 0 || !is_currency(before))) return false;
    const bl_csv_field unit = before.n > 0 ? before : behind;
    if (unit.n == 0) return true;
    if (unit.n >= sizeof c->unit || memchr(unit.text, '"', unit.n) != NULL) return false;
    if (c->unit[0] == '\0') memcpy(c->unit, unit.text, unit.n);
    return strlen(c->unit) == unit.n && memcmp(c->unit, unit.text, unit.n) == 0;
}

/* The mark between groups of three digits: a character of the number that is not its decimal mark;
 * 0 if there is none. */
static char thousands_of(bl_csv_field number, char decimal) {
    for (size_t i = 0; i < number.n; i++) {
        const char ch = number.text[i];
        if (ch == '\'') return ch;
        if ((ch == ',' || ch == '.') && ch != decimal) return ch;
        if (ch == ' ' || ch == '\xC2' || ch == '\xE2') return ' ';
    }
    return '\0';
}

static void note_thousands(bl_inferred_column *c, char mark) {
    c->grouped_comma = c->grouped_comma || mark == ',';
    c->grouped_point = c->grouped_point || mark == '.';
    c->grouped_blank = c->grouped_blank || mark == ' ';
    c->grouped_quote = c->grouped_quote || mark == '\'';
}

/* "0,795" is no thousand: its first group is 0. */
static bool leads_with_zero(bl_csv_field number) {
    size_t i = number.n > 0 && (number.text[0] == '-' || number.text[0] == '+');
    return i + 1 < number.n && number.text[i] == '0' && number.text[i + 1] != '.';
}

/* Is it a number by this decimal mark, whatever the unit and the marks of thousands? */
static bool decorated_number(bl_inferred_column *c, bl_csv_field f, char decimal, double *x) {
    bl_csv_field before, number, behind;
    const bool negative = bl_field_negative(&f);
    if (!bl_field_parts(f, &before, &number, &behind)) return false;
    const char mark = thousands_of(number, decimal);
    if (mark != '\0' && leads_with_zero(number)) return false;
    const bl_field_format format = {.decimal = decimal, .thousands = mark};
    if (!bl_field_number(&format, number, x)) return false;
    if (decimal == ',' && mark == '\0' && memchr(number.text, '.', number.n) != NULL) return false;
    if (!same_unit(c, before, behind)) return false;
    if (negative || (before.n > 0 && before.text[0] == '-')) *x = -*x;
    note_thousands(c, mark);
    return true;
}

/* ---- dates ---- */

/* The date by each order of day and month that is still open: a bit each of those that it fits. A
 * date that is one without an order, such as 2020-03-01, is the same by every order. */
static unsigned read_dates(const bl_inferred_column *c, bl_csv_field f, double *day) {
    enum { ALL = (1 << BL_DATE_ORDERS) - 1 };
    int32_t whole;
    unsigned fitting = 0;
    if (bl_parse_date(f.text, f.n, &whole)) {
        *day = whole;
        return ALL;
    }
    if (bl_parse_date_time(f.text, f.n, BL_DATE_YMD, day)) return ALL;
    for (int order = BL_DATE_DMY; order < BL_DATE_ORDERS; order++)
        if (!c->fit[BL_GUESS_YMD + order].rejected &&
            bl_parse_date_time(f.text, f.n, (bl_date_order)order, day))
            fitting |= 1u << order;
    return fitting;
}

static bool dates_rejected(const bl_inferred_column *c) {
    return c->fit[BL_GUESS_YMD].rejected && c->fit[BL_GUESS_DMY].rejected &&
           c->fit[BL_GUESS_MDY].rejected;
}

/* A day of the year 9999 or later says "no end" in many tables: it counts as missing. */
static void judge_dates(bl_inferred_column *c, const place *v) {
    static const int32_t open_year = 9999; /* the year of no end */
    double day = (double)NAN;
    int32_t whole;
    if (dates_rejected(c)) return;
    unsigned fitting = read_dates(c, v->f, &day);
    const bool open = fitting != 0 && day >= bl_days_from_civil(open_year, 1, 1);
    for (int order = 0; order < BL_DATE_ORDERS; order++) {
        bl_infer_fit *fit = &c->fit[BL_GUESS_YMD + order];
        if (fit->rejected) continue;
        if ((fitting >> order & 1) != 0 && !open)
            fit->count++;
        else
            add_misfit(fit, v, open);
    }
    if (fitting == 0 || open) return;
    if (!c->wide_dates && !bl_parse_date(v->f.text, v->f.n, &whole)) c->wide_dates = true;
    c->timed = c->timed || day != floor(day);
    if (!(c->first_day <= day)) c->first_day = day;
    if (!(c->last_day >= day)) c->last_day = day;
}

static void judge_time(bl_inferred_column *c, const place *v) {
    double day;
    if (c->fit[BL_GUESS_TIME].rejected) return;
    const bool fits = bl_parse_time(v->f.text, v->f.n, &day);
    judge(c, BL_GUESS_TIME, fits, v);
    if (!fits) return;
    if (!(c->first_day <= day)) c->first_day = day;
    if (!(c->last_day >= day)) c->last_day = day;
}

/* ---- the column's different texts ---- */

/* From here on only the column's profile is known, no longer its texts. */
static void forget_values(bl_inferred_column *c) {
    bl_dict_free(&c->values);
    bl_dict_init(&c->values);
    free(c->times);
    c->times = NULL;
    c->many = true;
}

/* Texts that are no use as categories are not kept: numbers with fractions soon, others when they
 * are very many. */
static void remember_value(bl_inferred_column *c, bl_csv_field f) {
    enum { FRACTIONS = 2000 };
    if (c->many) return;
    const uint32_t before = c->values.count, code = bl_dict_add(&c->values, f.text, f.n);
    if (c->values.count > c->times_room) {
        c->times_room = bl_size_max(64, 2 * c->times_room);
        c->times = bl_xrealloc(c->times, c->times_room * sizeof *c->times);
    }
    if (c->values.count > before) {
        c->times[code] = 0;
        c->text_bytes += f.n;
    }
    c->times[code]++;
    const bool measured =
        !c->fit[BL_GUESS_PLAIN].rejected && c->number[0].fractions > FRACTIONS / 2;
    if (c->values.count > BL_INFER_VALUES + 1 || c->text_bytes > BL_INFER_TEXT ||
        (measured && c->values.count > FRACTIONS))
        forget_values(c);
}

/* ---- numbers that stand for no value ---- */

/* Counts -999 and the like, and the range of all other numbers. A column writes each in one way. */
static void note_stand_in(bl_inferred_column *c, bl_csv_field f, double x, size_t line) {
    static const double known[BL_STAND_INS] = {-99,   -999,   -9999,   -99999,  -999999,
                                               999.0, 9999.0, 99999.0, 999999.0};
    const size_t sign = f.text[0] == '-';
    const bool nines = f.n > sign + 1 && f.text[sign] == '9' && f.text[sign + 1] == '9';
    for (size_t i = 0; nines && i < BL_STAND_INS; i++) {
        bl_infer_stand_in *s = &c->stand_in[i];
        if (x != known[i] || f.n >= sizeof s->text) continue;
        if (s->count == 0) {
            memcpy(s->text, f.text, f.n);
            s->value = x;
            s->line = line;
        }
        s->mixed = s->mixed || strlen(s->text) != f.n || memcmp(s->text, f.text, f.n) != 0;
        s->count++;
        return;
    }
    if (c->others++ == 0) c->least = c->most = x;
    c->least = x < c->least ? x : c->least;
    c->most = x > c->most ? x : c->most;
}

/* A whole number in digits alone is the same whatever the decimal mark. */
static bool only_digits(bl_csv_field f) {
    size_t i = f.n > 1 && f.text[0] == '-';
    while (i < f.n && f.text[i] >= '0' && f.text[i] <= '9') i++;
    return i == f.n;
}

/* A number that bl_csv_number reads. It fits "point" as well; whether it fits "comma" depends on
 * its marks. */
static void judge_plain_number(bl_inferred_column *c, const place *v, double x) {
    c->fit[BL_GUESS_PLAIN].count++;
    c->fit[BL_GUESS_POINT].count++;
    add_number(&c->number[0], x);
    note_stand_in(c, v->f, x, v->line);
    if (!c->fit[BL_GUESS_COMMA].rejected) {
        const bool fits = only_digits(v->f) || decorated_number(c, v->f, ',', &x);
        judge(c, BL_GUESS_COMMA, fits, v);
        if (fits) add_number(&c->number[1], x);
    }
}

void bl_infer_value(bl_inferred_column *c, bl_csv_field f, size_t line, const bl_infer_wish *wish) {
    const place v = {f, line, wish};
    double x;
    if (bl_csv_missing(f)) return;
    c->present++;
    remember_value(c, f);
    if (bl_csv_number(f, &x)) {
        judge_plain_number(c, &v, x);
    } else {
        judge(c, BL_GUESS_PLAIN, false, &v);
        for (int g = BL_GUESS_POINT; g <= BL_GUESS_COMMA; g++) {
            if (c->fit[g].rejected) continue;
            const bool fits = decorated_number(c, f, g == BL_GUESS_POINT ? '.' : ',', &x);
            judge(c, (bl_infer_guess)g, fits, &v);
            if (fits) add_number(&c->number[g - BL_GUESS_POINT], x);
        }
    }
    judge_dates(c, &v);
    judge_time(c, &v);
}
