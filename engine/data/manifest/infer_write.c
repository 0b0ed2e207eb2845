/* What was found, as a declaration (docs/data.md) and as lines for the user. Of a table
 * shop;date;price;sales with dates 31.1.2024 and prices "5,20 EUR":
 *
 *     separator = ";"; decimal = ","; dates = "dmy"; units = ["EUR"]; missing = ["n/a"];
 *     number = ["price", "sales"]; date = ["date"]; text = ["shop"];
 *     derived = ( { op = "date_part"; name = "date month"; of = "date"; part = "month"; }, ... );
 *     split = { by = "date"; share = 0.2; };
 *     target = "sales"; categorical = ["shop", "date month"]; continuous = ["date", "price"];
 *
 *     category  shop: 5 values: 'A' 20 %, 'B' 20 %, 'C' 20 %
 *     date      date: dates, 2024-01-01 to 2024-12-01
 *     number    price: 355 of 400 are numbers, 1.01 to 9.98, decimal comma, in EUR; ...
 */
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/config/doc.h"
#include "engine/data/manifest/infer_p.h"
#include <string.h>

static bool is_time(const bl_inferred_column *c) {
    return c->guess == BL_GUESS_TIME;
}

/* ---- parts of dates ---- */

/* "trend" is the date itself, a number of days. */
const char *const bl_infer_parts[] = {"trend", "month", "week", "day", "weekday", "hour"};
const size_t bl_infer_part_count = BL_COUNT(bl_infer_parts);

void bl_inferred_part_name(const bl_inferred *in, const bl_inferred_column *c, const char *part,
                           bl_buf *out) {
    bl_buf_clear(out);
    bl_buf_printf(out, "%s %s", c->name, part);
    while (bl_infer_find(in, bl_buf_text(out)) != NULL) bl_buf_str(out, "_");
}

/* Is part p of the column a derived category? Part 0, the date itself, is a number and none. A
 * day without a time of day has no hour. */
static bool has_part(const bl_inferred_column *c, size_t p) {
    const bool hour = strcmp(bl_infer_parts[p], "hour") == 0;
    if (c->kind != BL_KIND_DATE || p == 0 || c->no_part[p]) return false;
    if (is_time(c)) return hour && c->last_day < 1; /* longer ones are durations */
    return !hour || c->timed;
}

/* ---- lists of names ---- */

typedef bool wanted(const bl_inferred_column *column);
/* Columns that the split groups by are read, although no net sees them. */
static bool is_used(const bl_inferred *in, const bl_inferred_column *c) {
    return c->kind != BL_KIND_IGNORED || c->name == in->group;
}
static bool is_date(const bl_inferred_column *c) {
    return c->kind == BL_KIND_DATE;
}
static bool is_categorical(const bl_inferred_column *c) {
    return c->kind == BL_KIND_CATEGORICAL;
}
static bool is_continuous(const bl_inferred_column *c) {
    return c->kind == BL_KIND_CONTINUOUS || (is_date(c) && !c->no_part[0]);
}
static bool is_ignored(const bl_inferred_column *c) {
    return c->kind == BL_KIND_IGNORED && c->name[0] != '\0';
}

/* A list that is filled item by item, its lines at most about 90 wide. */
typedef struct list {
    bl_buf *out;
    size_t items, line; /* line: where it began in `out` */
} list;

static list begin_list(bl_buf *out, const char *indent, const char *key) {
    const size_t at = out->len;
    bl_buf_printf(out, "%s%s = [", indent, key);
    return (list){out, 0, at};
}

static void add_item(list *l, const char *text) {
    if (l->items++ > 0) bl_buf_str(l->out, ", ");
    if (l->out->len - l->line + strlen(text) > 92) {
        while (l->out->len > 0 && l->out->data[l->out->len - 1] == ' ')
            bl_buf_truncate(l->out, l->out->len - 1);
        bl_buf_str(l->out, "\n      ");
        l->line = l->out->len - 6;
    }
    bl_doc_quote(l->out, text);
}

/* `key = ["a", "b"];`, with `date_parts` the parts of every date column, too. */
static void write_names(const bl_inferred *in, const char *key, wanted *want, bool date_parts,
                        bl_buf *out) {
    bl_buf name = {0};
    list l = begin_list(out, "", key);
    for (size_t i = 0; i < in->columns; i++) {
        const bl_inferred_column *c = &in->column[i];
        for (size_t p = 0; date_parts && p < bl_infer_part_count; p++) {
            if (!has_part(c, p)) continue;
            bl_inferred_part_name(in, c, bl_infer_parts[p], &name);
            add_item(&l, bl_buf_text(&name));
        }
        if (want(c)) add_item(&l, c->name);
    }
    bl_buf_str(out, "];\n");
    bl_buf_free(&name);
}

/* Columns that are read, of one type; of those that hold dates, the ones without a day or with. */
static void write_types(const bl_inferred *in, const char *key, bl_column_type type, bool times,
                        bl_buf *out) {
    list l = begin_list(out, "    ", key);
    for (size_t i = 0; i < in->columns; i++)
        if (is_used(in, &in->column[i]) && in->column[i].type == type &&
            is_time(&in->column[i]) == times)
            add_item(&l, in->column[i].name);
    bl_buf_str(out, "];\n");
}

static bool any_time(const bl_inferred *in) {
    for (size_t i = 0; i < in->columns; i++)
        if (is_used(in, &in->column[i]) && is_time(&in->column[i])) return true;
    return false;
}

/* The parts of each date as derived columns. */
static void write_derived(const bl_inferred *in, bl_buf *out) {
    size_t n = 0;
    bl_buf name = {0};
    for (size_t i = 0; i < in->columns; i++)
        for (size_t p = 0; p < bl_infer_part_count; p++) {
            const bl_inferred_column *c = &in->column[i];
            if (!has_part(c, p)) continue;
            bl_inferred_part_name(in, c, bl_infer_parts[p], &name);
            bl_buf_str(out, n++ ? ",\n" : "\n# Parts of dates, as categories.\nderived = (\n");
            bl_buf_str(out, "  { op = \"date_part\"; name = ");
            bl_doc_quote(out, bl_buf_text(&name));
            bl_buf_str(out, "; of = ");
            bl_doc_quote(out, c->name);
            bl_buf_printf(out, "; part = \"%s\"; }", bl_infer_parts[p]);
        }
    if (n > 0) bl_buf_str(out, "\n);\n");
    bl_buf_free(&name);
}

/* ---- how fields are written ---- */

/* Texts that columns of numbers and dates, and the label, read as no value; each once. */
static void write_missing(const bl_inferred *in, bl_buf *out) {
    bl_dict seen;
    list l = {.items = 0};
    bl_dict_init(&seen);
    for (size_t i = 0; i < in->columns; i++) {
        const bl_inferred_column *c = &in->column[i];
        const bool label = i == in->target && in->labels > 0;
        if (label || c->guess == BL_GUESSES || !is_used(in, c)) continue;
        const bl_infer_fit *fit = &c->fit[c->guess];
        for (size_t m = 0; m < fit->misfits; m++) {
            const char *text = fit->misfit[m].text;
            if (bl_dict_find(&seen, text, strlen(text)) != 0) continue;
            if (l.items == 0) l = begin_list(out, "    ", "missing");
            (void)bl_dict_add(&seen, text, strlen(text));
            add_item(&l, text);
        }
    }
    const bl_inferred_column *target = &in->column[in->target];
    for (uint32_t v = 1; in->labels > 0 && v < target->values.count; v++) {
        const char *text = target->values.text[v];
        bool is_label = false;
        for (size_t k = 0; k < in->labels; k++)
            is_label = is_label || strcmp(in->label[k], text) == 0;
        if (is_label || bl_dict_find(&seen, text, strlen(text)) != 0) continue;
        if (l.items == 0) l = begin_list(out, "    ", "missing");
        add_item(&l, text);
    }
    if (l.items > 0) bl_buf_str(out, "];\n");
    bl_dict_free(&seen);
}

/* Each unit once, as the table declares them for all of its columns. */
static void write_units(const bl_inferred *in, bl_buf *out) {
    bl_dict seen;
    list l = {.items = 0};
    bl_dict_init(&seen);
    for (size_t i = 0; i < in->columns; i++) {
        const bl_inferred_column *c = &in->column[i];
        if (c->guess != BL_GUESS_POINT && c->guess != BL_GUESS_COMMA) continue;
        if (c->unit[0] == '\0' || bl_dict_find(&seen, c->unit, strlen(c->unit)) != 0) continue;
        if (l.items == 0) l = begin_list(out, "    ", "units");
        (void)bl_dict_add(&seen, c->unit, strlen(c->unit));
        add_item(&l, c->unit);
    }
    if (l.items > 0) bl_buf_str(out, "];\n");
    bl_dict_free(&seen);
}

/* Only what differs from a plain CSV file: a table of those has none of these keys. */
static void write_format(const bl_inferred *in, bl_buf *out) {
    const char thousands[2] = {in->thousands, '\0'}, separator[2] = {in->separator, '\0'};
    if (in->separator != ',') {
        bl_buf_str(out, "    separator = ");
        if (in->separator == '\t')
            bl_buf_str(out, "\"\\t\"");
        else if (in->separator == BL_CSV_BLANKS)
            bl_buf_str(out, "\"blanks\"");
        else
            bl_doc_quote(out, separator);
        bl_buf_str(out, ";\n");
    }
    if (in->encoding != NULL) bl_buf_printf(out, "    encoding = \"%s\";\n", in->encoding);
    if (in->trim) bl_buf_str(out, "    trim = true;\n");
    if (in->decimal != '\0') bl_buf_printf(out, "    decimal = \"%c\";\n", in->decimal);
    if (in->thousands != '\0') bl_buf_printf(out, "    thousands = \"%s\";\n", thousands);
    if (in->stamped) bl_buf_printf(out, "    dates = \"%s\";\n", bl_date_order_name[in->order]);
    write_units(in, out);
    write_missing(in, out);
}

static void write_table(const bl_inferred *in, const char *const *file, const char (*sha256)[65],
                        size_t files, bl_buf *out) {
    bl_buf_str(out, "\ntables = (\n  {\n    name = \"table\";\n");
    write_format(in, out);
    write_types(in, "number", BL_COLUMN_NUMBER, false, out);
    write_types(in, "date", BL_COLUMN_DATE, false, out);
    if (any_time(in)) write_types(in, "time", BL_COLUMN_DATE, true, out);
    write_types(in, "text", BL_COLUMN_TEXT, false, out);
    for (size_t i = 0; i < files; i++) {
        bl_buf_str(out, i == 0 ? "    files = ( { file = " : ",\n              { file = ");
        bl_doc_quote(out, file[i]);
        bl_buf_printf(out, "; sha256 = \"%s\"; }", sha256[i]);
    }
    bl_buf_str(out, " );\n  }\n);\n");
}

static void write_split(const bl_inferred *in, bl_buf *out) {
    if (in->by != NULL) {
        bl_buf_str(out, "\n# The latest rows are for validation.\nsplit = { by = ");
        bl_doc_quote(out, in->by);
    } else {
        const bool stratify = in->labels > 0 && in->group == NULL;
        bl_buf_printf(out, "\n# Rows for validation are drawn at random%s.\nsplit = { seed = 1%s",
                      in->group != NULL ? ", all rows of a group together"
                      : stratify        ? ", the same share of each class"
                                        : "",
                      stratify ? "; stratify = true" : "");
        if (in->group != NULL) {
            bl_buf_str(out, "; group = ");
            bl_doc_quote(out, in->group);
        }
    }
    bl_buf_printf(out, "; share = %g; };\n", in->share);
}

static bool lacks_targets(const bl_inferred *in) {
    const bl_inferred_column *t = &in->column[in->target];
    return t->present < in->rows || (t->guess < BL_GUESSES && t->fit[t->guess].misfits > 0);
}

void bl_inferred_manifest(const bl_inferred *in, const char *folder, const char *const *file,
                          const char (*sha256)[65], size_t files, bl_buf *out) {
    const bl_inferred_column *target = &in->column[in->target];
    bl_buf_printf(
        out,
        "# %zu rows, declared by looking at them. Change what was guessed wrong, and ignore "
        "columns whose\n# values are not known in advance. docs/data.md explains each "
        "part.\norigin = ",
        in->rows);
    bl_doc_quote(out, file[0]);
    bl_buf_str(out, ";\nfolder = ");
    bl_doc_quote(out, folder);
    bl_buf_str(out, ";\n");
    write_table(in, file, sha256, files, out);
    write_derived(in, out);
    if (in->labels == 0 && lacks_targets(in)) {
        bl_buf_str(out, "\n# Rows without a target are left out.\nfilters = ( { column = ");
        bl_doc_quote(out, target->name);
        bl_buf_str(out, "; above = -1e300; } );\n");
    }
    write_split(in, out);
    bl_buf_str(out, "\ntarget = ");
    bl_doc_quote(out, target->name);
    bl_buf_printf(out, ";\ntransform = \"%s\";\n", in->log ? "log" : "none");
    if (in->labels == 0) {
        bl_buf_str(out,
                   "scale = \"standard\"; # learnt by mean and deviation, reported as it is\n");
    } else {
        list l = begin_list(out, "", "classes");
        for (size_t i = 0; i < in->labels; i++) add_item(&l, in->label[i]);
        bl_buf_str(out, "];\n");
    }
    write_names(in, "categorical", is_categorical, true, out);
    write_names(in, "continuous", is_continuous, false, out);
    write_names(in, "ignored", is_ignored, false, out);
    for (size_t i = 0; i < in->columns; i++)
        if (in->column[i].why[0] != '\0')
            bl_buf_printf(out, "# '%s' is ignored: %s.\n", in->column[i].name, in->column[i].why);
}

/* ---- lines for the user ---- */

static void number_words(const bl_inferred_column *c, bl_buf *out) {
    const bl_infer_numbers *f = &c->number[c->guess == BL_GUESS_COMMA];
    bl_buf_printf(out, "numbers, %.10g to %.10g", f->low, f->high);
    if (c->guess == BL_GUESS_COMMA && f->fractions > 0) bl_buf_str(out, ", decimal comma");
    if (c->guess != BL_GUESS_PLAIN && c->unit[0] != '\0') bl_buf_printf(out, ", in %s", c->unit);
}

static void date_words(const bl_inferred_column *c, bl_buf *out) {
    int32_t y, m, d;
    const double days[2] = {c->first_day, c->last_day};
    bl_buf_str(out, c->timed ? "dates with time, " : "dates, ");
    for (int i = 0; i < 2; i++) {
        bl_civil_from_days((int32_t)floor(days[i]), &y, &m, &d);
        bl_buf_printf(out, "%s%04d-%02d-%02d", i ? " to " : "", y, m, d);
    }
}

/* Per cent: with more digits for the rare class of two, and for the other one. */
static void share_words(double percent, bl_buf *out) {
    if (percent < 1.5)
        bl_buf_printf(out, "' %.2g %%", percent);
    else if (percent < 98.5)
        bl_buf_printf(out, "' %.0f %%", percent);
    else
        bl_buf_printf(out, "' %.4g %%", percent);
}

/* "times of day, 00:05 to 23:59": cut to minutes. */
static void time_words(const bl_inferred_column *c, bl_buf *out) {
    const int from = (int)floor(c->first_day * 1440 + 1e-6),
              to = (int)floor(c->last_day * 1440 + 1e-6);
    bl_buf_printf(out, "times%s, %02d:%02d to %02d:%02d", c->last_day < 1 ? " of day" : "",
                  from / 60, from % 60, to / 60, to % 60);
}

/* The three most frequent texts, and how many there are. */
static void class_words(const bl_inferred_column *c, size_t values, bl_buf *out) {
    bool shown[BL_INFER_CLASSES + 1] = {false};
    bl_buf_printf(out, "%zu values", values);
    if (c->values.count > BL_INFER_CLASSES) return;
    for (int n = 0; n < 3; n++) {
        uint32_t best = 0;
        for (uint32_t v = 1; v < c->values.count; v++)
            if (!shown[v] && (best == 0 || c->times[v] > c->times[best])) best = v;
        if (best == 0 || strlen(c->values.text[best]) > 16) return;
        shown[best] = true;
        bl_buf_str(out, n ? ", '" : ": '");
        bl_text_show_line(out, c->values.text[best]);
        share_words(100.0 * c->times[best] / (double)c->present, out);
    }
}

/* "; 12 are '?': read as missing, line 5". */
static void misfit_words(const bl_inferred *in, const bl_inferred_column *c, bl_buf *out) {
    const size_t absent = in->rows - c->present;
    if (absent > 0) bl_buf_printf(out, "; %zu empty", absent);
    if (c->guess == BL_GUESSES) return;
    const bl_infer_fit *fit = &c->fit[c->guess];
    for (size_t m = 0; m < fit->misfits; m++) {
        const bl_infer_misfit *f = &fit->misfit[m];
        bl_buf_printf(out, "%s%zu %s '%s'", m ? ", " : "; ", f->count, f->count == 1 ? "is" : "are",
                      f->text);
    }
    if (fit->misfits > 0) bl_buf_printf(out, ": read as missing, line %zu", fit->misfit[0].line);
}

/* "; 12 rows have no label and are left out": empty, NA, or a word for no value. */
static void unlabelled_words(const bl_inferred *in, const bl_inferred_column *c, bl_buf *out) {
    size_t with = 0;
    for (size_t k = 0; k < in->labels; k++)
        with += c->times[bl_dict_find(&c->values, in->label[k], strlen(in->label[k]))];
    if (with == in->rows) return;
    const size_t without = in->rows - with;
    bl_buf_printf(out, "; %zu row%s no label (empty, NA or the like) and %s left out", without,
                  without == 1 ? " has" : "s have", without == 1 ? "is" : "are");
}

/* What stands behind the column's name. */
static void explain_column(const bl_inferred *in, size_t i, bl_buf *out) {
    const bl_inferred_column *c = &in->column[i];
    if (c->kind == BL_KIND_IGNORED) {
        bl_buf_str(out, c->why);
    } else if (i == in->target && in->labels > 0) {
        bl_buf_str(out, "a class of ");
        class_words(c, in->labels, out);
        unlabelled_words(in, c, out);
    } else {
        if (c->guess < BL_GUESSES && c->fit[c->guess].misfits > 0)
            bl_buf_printf(out, "%zu of %zu are ", c->fit[c->guess].count, in->rows);
        if (c->kind == BL_KIND_CATEGORICAL)
            class_words(c, c->distinct, out);
        else if (is_time(c))
            time_words(c, out);
        else if (c->kind == BL_KIND_DATE)
            date_words(c, out);
        else
            number_words(c, out);
        misfit_words(in, c, out);
    }
    if (c->note[0] != '\0') bl_buf_printf(out, "; %s", c->note);
}

/* Columns of whose like a wide table has very many. */
static bool is_plain(const bl_inferred *in, const bl_inferred_column *c) {
    return c->kind == BL_KIND_CONTINUOUS && c->guess == BL_GUESS_PLAIN && c->present == in->rows &&
           c->fit[c->guess].misfits == 0 && c->note[0] == '\0';
}

/* One line would say the same of both. */
static bool said_alike(const bl_inferred *in, const bl_inferred_column *a,
                       const bl_inferred_column *b) {
    if (a->kind != b->kind) return false;
    if (a->kind == BL_KIND_IGNORED) return strcmp(a->why, b->why) == 0;
    return is_plain(in, a) && is_plain(in, b);
}

/* A line on columns [first, end), which are alike. */
static void explain_columns(const bl_inferred *in, size_t first, size_t end, bl_buf *out) {
    const bl_inferred_column *c = &in->column[first];
    double low = c->number[0].low, high = c->number[0].high;
    bl_buf_printf(out, "%s to %s: %zu columns", c->name, in->column[end - 1].name, end - first);
    if (c->kind == BL_KIND_IGNORED) {
        bl_buf_printf(out, ", and of each: %s", c->why);
        return;
    }
    for (size_t i = first; i < end; i++) {
        low = fmin(low, in->column[i].number[0].low);
        high = fmax(high, in->column[i].number[0].high);
    }
    bl_buf_printf(out, " of numbers, %.10g to %.10g", low, high);
}

/* Neighbours of a wide table that are alike share a line. The end of those that begin at `i`. */
static size_t end_of_line(const bl_inferred *in, size_t i) {
    enum { WIDE = 40, LEAST = 4 };
    size_t end = i + 1;
    while (in->columns > WIDE && end < in->columns &&
           said_alike(in, &in->column[i], &in->column[end]))
        end++;
    return end - i < LEAST ? i + 1 : end;
}

void bl_inferred_explain(const bl_inferred *in, bl_buf *out) {
    static const char *const kinds[] = {"category", "number", "date", "target", "left out"};
    if (in->encoding != NULL)
        bl_buf_printf(out, "  text      read as %s\n",
                      strcmp(in->encoding, "latin1") == 0 ? "Latin-1, or Windows-1252" : "UTF-16");
    if (in->old_lines) bl_buf_str(out, "  text      lines end in CR, as on old Macs\n");
    for (size_t i = 0, end; i < in->columns; i = end) {
        const bl_inferred_column *c = &in->column[i];
        end = end_of_line(in, i);
        bl_buf_printf(out, "  %-8s  ",
                      c->kind == BL_KIND_DATE && is_time(c) ? "time" : kinds[c->kind]);
        if (end > i + 1) {
            explain_columns(in, i, end, out);
        } else {
            bl_buf_printf(out, "%s: ", c->name[0] != '\0' ? c->name : "(no name)");
            explain_column(in, i, out);
        }
        bl_buf_str(out, "\n");
    }
}
