/* From the profile of each column to its kind, by the first rule that fits; then the target, the
 * split, and what the declaration has to say of how fields are written. The order of
 * bl_infer_decide matters:
 *
 *     1  guess      what the texts of each column are: numbers, dates, times, or only texts
 *     2  stand-ins  -999 and the like become missing values: ranges change
 *     3  agree      one order of dates and one decimal mark for the table; the others become texts
 *     4  names      does the first row look like values? does a footer stand in the last?
 *     5  kinds      ignored, date, category or number (decide_kind)
 *     6  target     overrides its kind; fails where it can be neither a number nor a class
 *     7  split      by the first date, by group, or at random
 *
 * A guess about one column is revised by the rest of the table in step 3 only, its kind by the
 * target in bl_draft_prune. */
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/data/manifest/infer_p.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    ROWS_PER_TEXT = 3, /* texts that repeat less often name single rows */
    LEAST_ROWS = 20,   /* with a target */
    SMALL = 1000       /* a table of fewer rows holds out a fifth, others a tenth */
};

void bl_infer_ignore(bl_inferred_column *c, const char *fmt, ...) {
    va_list ap;
    c->kind = BL_KIND_IGNORED;
    va_start(ap, fmt);
    (void)vsnprintf(c->why, sizeof c->why, fmt, ap);
    va_end(ap);
}

bl_inferred_column *bl_infer_find(const bl_inferred *in, const char *name) {
    for (size_t i = 0; i < in->columns; i++)
        if (name[0] != '\0' && strcmp(in->column[i].name, name) == 0) return &in->column[i];
    return NULL;
}

void bl_infer_warn(bl_inferred *in, const char *fmt, ...) {
    va_list ap;
    bl_buf_str(&in->warnings, "warning: ");
    va_start(ap, fmt);
    bl_buf_vprintf(&in->warnings, fmt, ap);
    va_end(ap);
    bl_buf_str(&in->warnings, "\n");
}

/* ---- which guess holds ---- */

/* Rows, not texts: those that are known as words for "no value", or the others. */
static size_t count_misfits(const bl_infer_fit *fit, bool known) {
    size_t n = 0;
    for (size_t i = 0; i < fit->misfits; i++)
        if (fit->misfit[i].known == known) n += fit->misfit[i].count;
    return n;
}

/* A text that was cut cannot be declared as missing. */
static bool any_cut(const bl_infer_fit *fit) {
    for (size_t i = 0; i < fit->misfits; i++)
        if (fit->misfit[i].cut) return true;
    return false;
}

/* Words for "no value" may be many. A few other texts among very many numbers are taken for missing
 * values, too, unless the numbers are so few that all are names. */
static bool holds(const bl_inferred_column *c, bl_infer_guess guess) {
    const bl_infer_fit *fit = &c->fit[guess];
    const size_t others = count_misfits(fit, false);
    if (fit->rejected || fit->count == 0) return false;
    if (others == 0) return fit->count * 20 >= c->present;
    return others * 10 <= c->present && !any_cut(fit) &&
           (c->many || c->values.count > BL_INFER_FEW + fit->misfits);
}

static bool named_like_a_date(const char *name) {
    static const char *const words[] = {"date", "day", "time", "datum", "when"};
    for (size_t i = 0; i < BL_COUNT(words); i++)
        if (strcasestr(name, words[i]) != NULL) return true;
    return false;
}

/* The order of day and month that most dates of the column allow. Where both do, a slash is
 * American. */
static bl_infer_guess date_guess(const bl_inferred_column *c) {
    bl_infer_guess best = BL_GUESSES;
    for (int g = BL_GUESS_YMD; g <= BL_GUESS_MDY; g++)
        if (holds(c, (bl_infer_guess)g) &&
            (best == BL_GUESSES || c->fit[g].count > c->fit[best].count))
            best = (bl_infer_guess)g;
    if (best == BL_GUESS_DMY && c->fit[BL_GUESS_MDY].count == c->fit[best].count &&
        holds(c, BL_GUESS_MDY) && c->values.count > 1 && strchr(c->values.text[1], '/') != NULL)
        best = BL_GUESS_MDY;
    return best;
}

/* Where the separator is no comma, a comma inside a number is a decimal mark, if it can be one. */
static bl_infer_guess number_guess(const bl_inferred *in, const bl_inferred_column *c) {
    if (holds(c, BL_GUESS_PLAIN)) return BL_GUESS_PLAIN;
    const bool comma = holds(c, BL_GUESS_COMMA), point = holds(c, BL_GUESS_POINT);
    if (comma && (in->separator != ',' || !point) &&
        c->fit[BL_GUESS_COMMA].count >= c->fit[BL_GUESS_POINT].count)
        return BL_GUESS_COMMA;
    return point ? BL_GUESS_POINT : comma ? BL_GUESS_COMMA : BL_GUESSES;
}

/* Numbers that are dates, too, such as 20200301, are dates by the column's name or the user's word.
 */
static bl_infer_guess choose_guess(const bl_inferred *in, const bl_inferred_column *c,
                                   const bl_infer_wish *wish) {
    const bl_infer_guess date = date_guess(c), number = number_guess(in, c);
    if (date == BL_GUESSES && number == BL_GUESSES && holds(c, BL_GUESS_TIME)) return BL_GUESS_TIME;
    if (date == BL_GUESSES) return number;
    if (number == BL_GUESSES) return date;
    const bool all = c->fit[BL_GUESS_YMD].count == c->present;
    const bool wished = wish->date != NULL && strcmp(wish->date, c->name) == 0;
    return date == BL_GUESS_YMD && all && (wished || named_like_a_date(c->name)) ? date : number;
}

static bool is_number(const bl_inferred_column *c) {
    return c->guess <= BL_GUESS_COMMA;
}
static bool is_date(const bl_inferred_column *c) {
    return c->guess >= BL_GUESS_YMD && c->guess <= BL_GUESS_MDY;
}

static bool is_time(const bl_inferred_column *c) {
    return c->guess == BL_GUESS_TIME;
}

static const bl_infer_numbers *numbers_of(const bl_inferred_column *c) {
    return &c->number[c->guess == BL_GUESS_COMMA];
}

/* ---- one way of writing for the whole table ---- */

/* The order of day and month that most columns have. */
static bl_date_order common_order(const bl_inferred *in) {
    size_t count[BL_DATE_ORDERS] = {0}, best = 0;
    for (size_t i = 0; i < in->columns; i++)
        if (is_date(&in->column[i])) count[in->column[i].guess - BL_GUESS_YMD]++;
    for (size_t k = 1; k < BL_DATE_ORDERS; k++)
        if (count[k] > 0 && (best == 0 || count[k] > count[best])) best = k;
    return (bl_date_order)best;
}

/* Columns whose dates are written in another order than the others' stay texts. */
static void agree_on_dates(bl_inferred *in) {
    in->order = common_order(in);
    for (size_t i = 0; i < in->columns; i++) {
        bl_inferred_column *c = &in->column[i];
        if (!is_date(c)) continue;
        const bl_infer_guess common = (bl_infer_guess)(BL_GUESS_YMD + in->order);
        if (holds(c, common) && c->fit[common].count >= c->fit[c->guess].count) c->guess = common;
        if (c->guess == common) {
            in->stamped = in->stamped || c->wide_dates;
            continue;
        }
        c->guess = BL_GUESSES;
        (void)snprintf(c->note, sizeof c->note, "dates in another order than in other columns");
    }
}

/* The mark of thousands that the column uses, 0 if it has none. Of several the first:
 * marks_differ refuses those. */
static char mark_of(const bl_inferred_column *c) {
    const bool comma = c->guess == BL_GUESS_COMMA;
    if (!comma && c->grouped_comma) return ',';
    if (comma && c->grouped_point) return '.';
    return c->grouped_blank ? ' ' : c->grouped_quote ? '\'' : '\0';
}

/* Two marks of thousands in one column cannot be declared. */
static bool marks_differ(const bl_inferred_column *c) {
    const bool own = c->guess == BL_GUESS_COMMA ? c->grouped_point : c->grouped_comma;
    return own + c->grouped_blank + c->grouped_quote > 1;
}

/* Columns whose numbers have a decimal point: a table that has one cannot use points as marks of
 * thousands. */
static size_t plain_with_point(const bl_inferred *in) {
    size_t n = 0;
    for (size_t i = 0; i < in->columns; i++)
        n += in->column[i].guess == BL_GUESS_PLAIN && in->column[i].number[0].fractions > 0;
    return n;
}

/* A column that cannot be read with the table's marks stays a text. */
static void agree_on_numbers(bl_inferred *in) {
    size_t commas = 0, points = 0;
    for (size_t i = 0; i < in->columns; i++) {
        commas += in->column[i].guess == BL_GUESS_COMMA;
        points += in->column[i].guess == BL_GUESS_POINT && in->column[i].grouped_comma;
    }
    in->decimal = commas > points ? ',' : '\0';
    const bool points_are_decimal = plain_with_point(in) > 0;
    for (size_t i = 0; i < in->columns; i++) {
        bl_inferred_column *c = &in->column[i];
        const char mark = mark_of(c);
        if (c->guess != BL_GUESS_COMMA && c->guess != BL_GUESS_POINT) continue;
        const bool fits = (c->guess == BL_GUESS_COMMA) == (in->decimal == ',') ||
                          (c->guess == BL_GUESS_POINT && mark != ',');
        const bool free_mark = mark == '\0' || in->thousands == '\0' || in->thousands == mark;
        if (fits && free_mark && !marks_differ(c) && !(mark == '.' && points_are_decimal)) {
            if (mark != '\0') in->thousands = mark;
            continue;
        }
        c->guess = BL_GUESSES;
        (void)snprintf(c->note, sizeof c->note,
                       "numbers written in another way than in other columns");
    }
}

/* ---- numbers that stand for no value ---- */

/* Far from all other numbers: below zero where they are not, or by three times their range. */
static bool stands_apart(const bl_inferred_column *c, const bl_infer_stand_in *s) {
    enum { LEAST = 3, LEAST_OTHERS = 10 };
    if (s->count < LEAST || s->mixed || c->others < LEAST_OTHERS) return false;
    if (s->value < 0 && c->least >= 0) return true;
    const double apart = s->value < 0 ? c->least - s->value : s->value - c->most;
    return apart > 3 * (c->most - c->least);
}

/* They are read as missing from here on. */
static void find_stand_ins(bl_inferred_column *c) {
    bl_infer_fit *fit = &c->fit[c->guess];
    bl_infer_numbers *f = &c->number[0];
    for (size_t i = 0; i < BL_STAND_INS; i++) {
        const bl_infer_stand_in *s = &c->stand_in[i];
        if (!stands_apart(c, s) || fit->misfits == BL_MISFITS) continue;
        fit->misfit[fit->misfits++] = (bl_infer_misfit){
            .text = bl_xstrdup(s->text), .known = true, .count = s->count, .line = s->line};
        fit->count -= s->count;
        f->count -= s->count;
        f->low = c->least;
        f->high = c->most;
    }
}

/* ---- kinds ---- */

/* Names that say: this tells one row from another. */
static bool named_like_an_id(const char *name) {
    static const char *const words[] = {
        "id",  "index", "uuid", "guid",       "row",    "rowid",      "key",      "no.",    "nr",
        "nr.", "#",     "idx",  "unnamed: 0", "record", "row_number", "rownames", "instant"};
    const size_t n = strlen(name);
    for (size_t i = 0; i < BL_COUNT(words); i++)
        if (strcasecmp(name, words[i]) == 0) return true;
    if (n > 3 && (strcasecmp(name + n - 3, "_id") == 0 || strcasecmp(name + n - 3, " id") == 0 ||
                  strcasecmp(name + n - 3, "-id") == 0 || strcasecmp(name + n - 3, ".id") == 0))
        return true;
    return n > 2 && strcmp(name + n - 2, "ID") == 0;
}

/* Years are quantities, however few there are. */
static bool are_years(const bl_inferred_column *c, const bl_infer_numbers *f) {
    return f->fractions == 0 && f->low >= 1800 && f->high <= 2100 && c->distinct > 2 &&
           strncasecmp(c->name, "code", 4) != 0;
}

/* Integers that may be names as well as amounts: each is there so often that its name could be
 * learnt. What the target does along them decides (engine/data/codes.h). */
static bool may_be_codes(const bl_inferred_column *c) {
    const bl_infer_numbers *f = numbers_of(c);
    return f->fractions == 0 && f->far == 0 && !c->many && c->unit[0] == '\0' &&
           c->distinct * BL_INFER_ROWS_PER_CODE <= c->present && !are_years(c, f);
}

/* Of these, the ones that are names until the target says otherwise. */
static bool are_codes(const bl_inferred_column *c) {
    const bl_infer_numbers *f = numbers_of(c);
    const bool counts_up = (f->low == 0 || f->low == 1) && c->distinct <= BL_INFER_VALUES &&
                           f->high - f->low + 1 == (double)c->distinct;
    return c->distinct <= BL_INFER_FEW || counts_up;
}

static bool named_like_a_year(const char *name) {
    return strcasestr(name, "year") != NULL || strcasestr(name, "stamp") != NULL ||
           strcasestr(name, "epoch") != NULL || strcasecmp(name, "ts") == 0 ||
           named_like_a_date(name);
}

/* Whole numbers, a different one in every row, that are consecutive, rise from row to row, or are
 * called an id. A column of that kind that is called a time is one: a series has a row for each. */
static bool number_the_rows(const bl_inferred_column *c, size_t rows) {
    const bl_infer_numbers *f = numbers_of(c);
    if (named_like_a_year(c->name)) return false;
    if (f->fractions > 0 || f->count != rows || rows <= BL_INFER_FEW) return false;
    const bool consecutive = f->high - f->low + 1 == (double)rows && c->distinct == rows;
    if (f->falls == 0 || consecutive) return true;
    return named_like_an_id(c->name) && (c->many || c->distinct == rows);
}

static void decide_texts(bl_inferred_column *c) {
    const size_t places = c->present;
    if (c->many || c->distinct > BL_INFER_VALUES)
        bl_infer_ignore(c, "more than %d different texts", BL_INFER_VALUES);
    else if (c->distinct == places)
        bl_infer_ignore(c, "another text in every row");
    else if (c->distinct * ROWS_PER_TEXT > places)
        bl_infer_ignore(c, "its texts hardly ever repeat: %zu different ones in %zu rows",
                        c->distinct, places);
    else
        c->kind = BL_KIND_CATEGORICAL;
}

/* The first rule that fits decides. */
static void decide_kind(bl_inferred *in, bl_inferred_column *c, const bl_infer_wish *wish) {
    c->type = is_number(c)               ? BL_COLUMN_NUMBER
              : is_date(c) || is_time(c) ? BL_COLUMN_DATE
                                         : BL_COLUMN_TEXT;
    const size_t fitting = c->guess < BL_GUESSES ? c->fit[c->guess].count : c->present;
    const bool one_value = c->guess <= BL_GUESS_COMMA && numbers_of(c)->low == numbers_of(c)->high;
    if (c->name[0] == '\0') { /* such as the row numbers that pandas writes */
        bl_infer_ignore(c, "it has no name");
    } else if (bl_infer_listed(wish->ignore, c->name, strlen(c->name))) {
        bl_infer_ignore(c, "as you said");
    } else if (fitting == 0) {
        bl_infer_ignore(c, "it is empty");
    } else if (one_value || (!c->many && c->distinct <= 1)) {
        bl_infer_ignore(c, "it has one value");
    } else if (is_date(c) || is_time(c)) {
        c->kind = BL_KIND_DATE;
    } else if (is_number(c) && !(fmax(-numbers_of(c)->low, numbers_of(c)->high) < 1e150)) {
        bl_infer_ignore(c, "it has values beyond 1e150");
    } else if (is_number(c) && number_the_rows(c, in->rows)) {
        bl_infer_ignore(c, "it numbers the rows");
    } else if (is_number(c)) {
        c->codes = may_be_codes(c);
        c->kind = c->codes && are_codes(c) ? BL_KIND_CATEGORICAL : BL_KIND_CONTINUOUS;
    } else {
        decide_texts(c);
    }
}

/* ---- the target ---- */

static bl_status fail_no_column(const bl_inferred *in, const char *name, const char *file,
                                bl_err *err) {
    bl_buf names = {0};
    for (size_t i = 0; i < in->columns; i++)
        bl_buf_printf(&names, "%s%s", i > 0 ? ", " : "", in->column[i].name);
    (void)BL_ERR(err, BL_EINVAL, "%s:1: error: no column '%s'; the columns are %.1000s", file, name,
                 bl_buf_text(&names));
    bl_buf_free(&names);
    return BL_EINVAL;
}

static bool named_like_a_class(const char *name) {
    static const char *const words[] = {"class",    "label",     "species",
                                        "category", "diagnosis", "outcome"};
    for (size_t i = 0; i < BL_COUNT(words); i++)
        if (strcasestr(name, words[i]) != NULL) return true;
    return false;
}

/* Texts that stand for no label, of those that a label column has. */
static bool is_no_label(const bl_inferred_column *c, uint32_t code, const bl_infer_wish *wish) {
    static const char *const words[] = {"?", "nan", "null", "n/a", "#n/a"};
    const char *text = c->values.text[code];
    for (size_t i = 0; i < BL_COUNT(words); i++)
        if (strcasecmp(text, words[i]) == 0) return true;
    const bl_infer_fit *fit = &c->fit[is_number(c) ? c->guess : 0];
    for (size_t m = 0; m < fit->misfits && is_number(c); m++)
        if (fit->misfit[m].known && strcmp(fit->misfit[m].text, text) == 0) return true;
    return bl_infer_listed(wish->missing, text, strlen(text));
}

static int by_label(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    const int order = bl_csv_compare(x, y);
    return order != 0 ? order : strcmp(x, y);
}

/* Whether the target is learnt as a class. */
static bool wants_classes(const bl_inferred_column *c, const bl_infer_wish *wish) {
    if (!is_number(c) || wish->classes) return true;
    const bl_infer_numbers *f = numbers_of(c);
    if (c->distinct - c->fit[c->guess].misfits == 2 && !c->many) return true;
    return named_like_a_class(c->name) && f->fractions == 0 && !c->many &&
           c->distinct <= BL_INFER_FEW && c->distinct * BL_INFER_ROWS_PER_CODE <= c->present;
}

/* "yes" and "Yes" are two classes, which is hardly meant. */
static void warn_of_case(bl_inferred *in) {
    for (size_t i = 0; i < in->labels; i++)
        for (size_t k = 0; k < i; k++)
            if (strcasecmp(in->label[i], in->label[k]) == 0) {
                bl_infer_warn(in, "'%s' and '%s' are two classes: do they differ by mistake?",
                              in->label[k], in->label[i]);
                return;
            }
}

/* Fills in->label with the sorted labels. Fails where there are too many or too few, or too few
 * rows with a label. */
static bl_status decide_classes(bl_inferred *in, bl_inferred_column *c, const bl_infer_wish *wish,
                                const char *file, bl_err *err) {
    const bl_infer_fit *fit = &c->fit[BL_GUESS_PLAIN];
    if (c->many || c->distinct > BL_INFER_CLASSES || c->distinct * 2 > c->present) {
        if (fit->count * 2 > c->present && fit->misfits > 0)
            BL_FAIL(err, BL_EINVAL,
                    "%s:%zu: error: the target '%s' holds more than numbers, for example '%s'; "
                    "--missing '%s' reads that as no value",
                    file, fit->misfit[0].line, c->name, fit->misfit[0].text, fit->misfit[0].text);
        BL_FAIL(
            err, BL_EINVAL,
            "%s: the target '%s' is neither a number nor a class: %s%zu different values in %zu "
            "rows, at most %d",
            file, c->name, c->many ? "more than " : "", c->many ? BL_INFER_VALUES : c->distinct,
            c->present, BL_INFER_CLASSES);
    }
    in->label = bl_xalloc((c->values.count + 1) * sizeof *in->label);
    size_t with_label = 0;
    for (uint32_t code = 1; code < c->values.count; code++) {
        if (is_no_label(c, code, wish)) continue;
        in->label[in->labels++] = bl_xstrdup(c->values.text[code]);
        with_label += c->times[code];
    }
    qsort(in->label, in->labels, sizeof *in->label, by_label);
    warn_of_case(in);
    if (in->labels < 2)
        BL_FAIL(err, BL_EINVAL, "%s: the target '%s' has the same value in every row", file,
                c->name);
    if (with_label < LEAST_ROWS)
        BL_FAIL(err, BL_EINVAL, "%s: %zu rows have a target; at least %d are needed", file,
                with_label, LEAST_ROWS);
    c->type = BL_COLUMN_TEXT;
    return BL_OK;
}

/* Only here may a column that was to be ignored come back: the user has named it. */
static bl_status decide_target(bl_inferred *in, const bl_infer_wish *wish, const char *file,
                               bl_err *err) {
    bl_inferred_column *c = bl_infer_find(in, wish->target);
    if (c == NULL) return fail_no_column(in, wish->target, file, err);
    in->target = (size_t)(c - in->column);
    c->kind = BL_KIND_TARGET;
    c->why[0] = '\0';
    if (is_date(c))
        BL_FAIL(err, BL_EINVAL, "%s: the target '%s' holds dates; it has to be a number or a class",
                file, c->name);
    if (is_time(c))
        BL_FAIL(err, BL_EINVAL,
                "%s: the target '%s' holds times; write it as a number, of minutes for example",
                file, c->name);
    if (c->present < LEAST_ROWS)
        BL_FAIL(err, BL_EINVAL, "%s: %zu rows have a target; at least %d are needed", file,
                c->present, LEAST_ROWS);
    if (wants_classes(c, wish)) return decide_classes(in, c, wish, file, err);
    const bl_infer_numbers *f = numbers_of(c);
    if (f->count > 0 && f->low == f->high)
        BL_FAIL(err, BL_EINVAL, "%s: the target '%s' has the same value in every row", file,
                c->name);
    if (f->count < LEAST_ROWS)
        BL_FAIL(err, BL_EINVAL, "%s: %zu rows have a target; at least %d are needed", file,
                f->count, LEAST_ROWS);
    if (!(fabs(f->low) < 1e150 && fabs(f->high) < 1e150))
        BL_FAIL(err, BL_EINVAL, "%s: the target '%s' has values beyond 1e150", file, c->name);
    if (f->fractions == 0 && !c->many && c->distinct <= 10)
        bl_infer_warn(
            in,
            "'%s' has %zu whole numbers and is learnt as a number; --classes learns them as "
            "classes",
            c->name, c->distinct);
    return BL_OK;
}

/* ---- the split ---- */

/* The column that the user named as the date is none, by the order of day and month that most of
 * its values have; or it is one that is left out or read as text. */
static bl_status fail_no_date(const bl_inferred_column *c, const char *file, bl_err *err) {
    const bl_infer_fit *fit = &c->fit[BL_GUESS_YMD];
    for (int g = BL_GUESS_DMY; g <= BL_GUESS_MDY; g++)
        if (c->fit[g].count > fit->count) fit = &c->fit[g];
    if (c->why[0] != '\0' && (is_date(c) || fit->misfits == 0))
        BL_FAIL(err, BL_EINVAL, "%s: rows cannot be split by '%s', which is left out: %s", file,
                c->name, c->why);
    if (c->note[0] != '\0')
        BL_FAIL(err, BL_EINVAL, "%s: rows cannot be split by '%s': %s", file, c->name, c->note);
    BL_FAIL(err, BL_EINVAL, "%s:%zu: error: column '%s' holds more than dates: '%s'", file,
            fit->misfit[0].line, c->name, fit->misfit[0].text);
}

/* The date that the split goes by: the one asked for, else the first; none is no fault. */
static bl_status decide_split(bl_inferred *in, const bl_infer_wish *wish, const char *file,
                              bl_err *err) {
    in->share = in->rows < SMALL ? 0.2 : 0.1;
    if (wish->group != NULL) {
        bl_inferred_column *g = bl_infer_find(in, wish->group);
        if (g == NULL) return fail_no_column(in, wish->group, file, err);
        if (g->kind == BL_KIND_TARGET || (!g->many && g->distinct < 2))
            BL_FAIL(err, BL_EINVAL, "%s: column '%s' makes no groups", file, g->name);
        in->group = g->name;
        if (g->kind != BL_KIND_IGNORED)
            bl_infer_ignore(g, "rows of one value of it are held out together");
        return BL_OK;
    }
    for (size_t i = 0; i < in->columns && wish->date == NULL && in->by == NULL; i++)
        if (in->column[i].kind == BL_KIND_DATE && !is_time(&in->column[i]))
            in->by = in->column[i].name;
    if (wish->date == NULL) return BL_OK;
    const bl_inferred_column *c = bl_infer_find(in, wish->date);
    if (c == NULL) return fail_no_column(in, wish->date, file, err);
    if (is_time(c))
        BL_FAIL(err, BL_EINVAL, "%s: rows cannot be split by '%s': it holds times without a date",
                file, c->name);
    if (c->kind != BL_KIND_DATE) return fail_no_date(c, file, err);
    in->by = c->name;
    return BL_OK;
}

/* ---- the header, the footer ---- */

/* A first row of values instead of names loses a row and makes no sense: that is refused when most
 * names look like values of their own columns, and said when one does. */
static bl_status check_names(bl_inferred *in, const char *file, bl_err *err) {
    size_t values = 0, named = 0;
    const char *first = NULL;
    for (size_t i = 0; i < in->columns; i++) {
        const bl_inferred_column *c = &in->column[i];
        double x;
        const size_t n = strlen(c->name);
        if (n == 0) continue;
        named++;
        const bool number = is_number(c) && bl_csv_number((bl_csv_field){c->name, n}, &x);
        const bool repeats = c->guess == BL_GUESSES && bl_dict_find(&c->values, c->name, n) != 0;
        const bool year = number && strspn(c->name, "0123456789") == n && x < 3000;
        if (!number && !repeats) continue;
        values += year ? 0 : 2;
        values += year ? 1 : 0;
        if (first == NULL) first = c->name;
    }
    if (first == NULL) return BL_OK;
    if (values > named)
        BL_FAIL(
            err, BL_EINVAL,
            "%s:1: error: the first row looks like values ('%s'), not like names of columns; put "
            "a header above it",
            file, first);
    bl_infer_warn(in, "a column is called '%s': does the table have a header?", first);
    return BL_OK;
}

static bool begins_a_footer(const char *text) {
    static const char *const words[] = {"total", "sum", "totals", "average", "mean", "summe"};
    for (size_t k = 0; k < BL_COUNT(words); k++)
        if (strcasecmp(text, words[k]) == 0) return true;
    return false;
}

/* "Total" once: last of a column's texts, or among its numbers or dates. */
static void check_footer(bl_inferred *in) {
    for (size_t i = 0; i < in->columns; i++) {
        const bl_inferred_column *c = &in->column[i];
        const bl_infer_fit *fit = &c->fit[c->guess < BL_GUESSES ? c->guess : 0];
        for (size_t m = 0; m < fit->misfits && c->guess < BL_GUESSES; m++)
            if (fit->misfit[m].count == 1 && begins_a_footer(fit->misfit[m].text))
                bl_infer_warn(in, "column '%s' holds '%s' once, in line %zu: a footer is no row",
                              c->name, fit->misfit[m].text, fit->misfit[m].line);
        if (c->guess < BL_GUESSES || c->many || c->values.count < 2) continue;
        const uint32_t last = c->values.count - 1;
        if (c->times[last] == 1 && begins_a_footer(c->values.text[last]))
            bl_infer_warn(in, "column '%s' holds '%s' once, last of its values: a footer is no row",
                          c->name, c->values.text[last]);
    }
}

/* Every column but the target was left out: why, for the first of them. */
static bl_status fail_no_input(const bl_inferred *in, const char *file, bl_err *err) {
    const bl_inferred_column *c = in->column;
    c += in->columns > 1 && in->target == 0;
    BL_FAIL(err, BL_EINVAL, "%s: no column is left to learn from; '%.60s' is ignored: %s", file,
            c->name, c->why);
}

/* Names that the user wants left out are columns, and not the target. */
static bl_status check_ignored(const bl_inferred *in, const bl_infer_wish *wish, const char *file,
                               bl_err *err) {
    char name[256];
    for (const char *at = wish->ignore; at != NULL && *at != '\0';) {
        const size_t n = strcspn(at, ",");
        (void)snprintf(name, sizeof name, "%.*s", (int)bl_size_min(n, sizeof name - 1), at);
        if (n > 0 && bl_infer_find(in, name) == NULL) return fail_no_column(in, name, file, err);
        if (strcmp(name, wish->target) == 0)
            BL_FAIL(err, BL_EINVAL, "'%s' is the target: --ignore cannot leave it out", name);
        at += n + (at[n] == ',');
    }
    return BL_OK;
}

bl_status bl_infer_decide(bl_inferred *in, const bl_infer_wish *wish, const char *file,
                          bl_err *err) {
    size_t inputs = 0;
    for (size_t i = 0; i < in->columns; i++) {
        in->column[i].distinct =
            in->column[i].many ? BL_INFER_VALUES + 1 : in->column[i].values.count - 1;
        in->column[i].guess = choose_guess(in, &in->column[i], wish);
    }
    if (in->columns == 1)
        BL_FAIL(err, BL_EINVAL,
                "%s:1: error: there is one column, '%.60s'; --separator says what stands between "
                "columns",
                file, in->column[0].name);
    for (size_t i = 0; i < in->columns; i++)
        if (in->column[i].guess <= BL_GUESS_POINT) find_stand_ins(&in->column[i]);
    agree_on_dates(in);
    agree_on_numbers(in);
    BL_TRY(check_names(in, file, err));
    check_footer(in);
    for (size_t i = 0; i < in->columns; i++) decide_kind(in, &in->column[i], wish);
    BL_TRY(decide_target(in, wish, file, err));
    BL_TRY(check_ignored(in, wish, file, err));
    BL_TRY(decide_split(in, wish, file, err));
    for (size_t i = 0; i < in->columns; i++)
        inputs += in->column[i].kind != BL_KIND_IGNORED && in->column[i].kind != BL_KIND_TARGET;
    if (inputs == 0) return fail_no_input(in, file, err);
    return BL_OK;
}
