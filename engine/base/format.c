/* Numbers to text, for tables, sentences and legends. */
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

void bl_format_count(bl_buf *out, double n) {
    char digits[32];
    if (!isfinite(n)) {
        bl_buf_str(out, isnan(n) ? "-" : "unbounded");
        return;
    }
    (void)snprintf(digits, sizeof digits, "%.0f", n);
    bl_buf_grouped(out, digits);
}

void bl_format_3_digits(bl_buf *out, double x) {
    if (!isfinite(x) || fabs(x) >= 999.5) {
        bl_format_count(out, x);
        return;
    }
    char rounded[32];
    (void)snprintf(rounded, sizeof rounded, "%.2e", x); /* three digits, then the exponent */
    const int exponent = (int)strtol(strchr(rounded, 'e') + 1, NULL, 10);
    if (exponent < -4)
        bl_buf_printf(out, "%.3g", x);
    else
        bl_buf_printf(out, "%.*f", exponent < 2 ? 2 - exponent : 0, x);
}

void bl_format_interval(bl_buf *out, double value, double low, double high) {
    bl_format_3_digits(out, value);
    bl_buf_str(out, " (");
    bl_format_3_digits(out, low);
    bl_buf_str(out, " to ");
    bl_format_3_digits(out, high);
    bl_buf_str(out, ")");
}

typedef struct unit {
    double size;
    const char *name;
} unit;

static const unit durations[] = {
    {1e-3,  "ms" },
    {1,     "s"  },
    {60,    "min"},
    {3600,  "h"  },
    {86400, "d"  }
};
static const unit sizes_in_bytes[] = {
    {1024,    "KiB"},
    {1 << 20, "MiB"},
    {1 << 30, "GiB"}
};

static void with_unit(bl_buf *out, double x, unit u) {
    bl_format_3_digits(out, x / u.size);
    if (isfinite(x)) bl_buf_printf(out, " %s", u.name);
}

/* The largest unit of which there are at least two, of seconds one. */
static unit unit_of(const unit *units, size_t n, double x) {
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x >= (units[i].size == 1 ? 1 : 2 * units[i].size)) best = i;
    return units[best];
}

void bl_format_duration(bl_buf *out, double seconds) {
    with_unit(out, seconds, unit_of(durations, BL_COUNT(durations), seconds));
}

void bl_format_bytes(bl_buf *out, double bytes) {
    with_unit(out, bytes, unit_of(sizes_in_bytes, BL_COUNT(sizes_in_bytes), bytes));
}

const char *bl_format_size(char out[BL_FORMAT_SIZE], double bytes) {
    bl_buf text = {0};
    bl_format_bytes(&text, bytes);
    if (text.len < BL_FORMAT_SIZE)
        (void)snprintf(out, BL_FORMAT_SIZE, "%s", bl_buf_text(&text));
    else
        (void)snprintf(out, BL_FORMAT_SIZE, "%.3g GiB", bytes / 0x1p30);
    bl_buf_free(&text);
    return out;
}

void bl_format_rate(bl_buf *out, double rate) {
    bl_buf_printf(out, "%.4g", rate);
}

/* The bytes of a line's first `columns` characters of UTF-8, at most its n. */
static size_t bytes_of_columns(const char *line, size_t n, size_t columns) {
    size_t i = 0;
    for (size_t column = 0; i < n; i++) {
        const bool begins = ((unsigned char)line[i] & 0xC0) != 0x80; /* else it continues one */
        if (begins && column++ == columns) break;
    }
    return i;
}

static size_t leading_blanks(const char *line, size_t n) {
    size_t blanks = 0;
    while (blanks < n && line[blanks] == ' ') blanks++;
    return blanks;
}

/* Where a line of n bytes is cut: at the last blank that leaves at most `columns`, behind its own
 * indent; at the first blank where a word is wider; at n where nothing has to be cut. */
static size_t place_to_cut(const char *line, size_t n, size_t columns) {
    const size_t indent = leading_blanks(line, n);
    const size_t end = bytes_of_columns(line, n, columns);
    if (end == n) return n;
    for (size_t i = end; i > indent; i--)
        if (line[i] == ' ' && line[i - 1] != ' ') return i;
    size_t first = end > indent ? end : indent;
    while (first < n && line[first] != ' ') first++;
    return first;
}

static void fold_line(bl_buf *out, const char *line, size_t n, size_t columns, size_t indent) {
    size_t cut = place_to_cut(line, n, columns);
    bl_buf_add(out, line, cut);
    while (cut < n) {
        line += cut;
        n -= cut;
        const size_t blanks = leading_blanks(line, n);
        line += blanks;
        n -= blanks;
        if (n == 0) return;
        cut = place_to_cut(line, n, columns - indent);
        bl_buf_printf(out, "\n%*s%.*s", (int)indent, "", (int)cut, line);
    }
}

void bl_format_folded(bl_buf *out, const char *text, size_t columns, size_t indent) {
    while (*text != '\0') {
        const size_t n = strcspn(text, "\n");
        fold_line(out, text, n, columns, indent);
        text += n;
        if (*text == '\n') bl_buf_add(out, text++, 1);
    }
}
