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
    (void)snprintf(out, BL_FORMAT_SIZE, "%s", bl_buf_text(&text));
    bl_buf_free(&text);
    return out;
}

void bl_format_rate(bl_buf *out, double rate) {
    bl_buf_printf(out, "%.4g", rate);
}
