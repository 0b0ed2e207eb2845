/* Calendar arithmetic after Howard Hinnant, "chrono-compatible low-level date algorithms": years
 * begin in March, so that the leap day is a year's last, and 400 years (an era) are 146,097 days.
 */
#include "engine/data/table/calendar.h"
#include <string.h>

int32_t bl_days_from_civil(int32_t year, int32_t month, int32_t day) {
    const int32_t y = year - (month <= 2);
    const int32_t era = (y >= 0 ? y : y - 399) / 400;
    const int32_t year_of_era = y - era * 400;
    const int32_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const int32_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void bl_civil_from_days(int32_t days, int32_t *year, int32_t *month, int32_t *day) {
    const int32_t z = days + 719468;
    const int32_t era = (z >= 0 ? z : z - 146096) / 146097;
    const int32_t day_of_era = z - era * 146097;
    const int32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int32_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int32_t shifted = (5 * day_of_year + 2) / 153; /* 0 is March */
    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted + (shifted < 10 ? 3 : -9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

int32_t bl_weekday(int32_t days) {
    const int32_t r = (days + 3) % 7; /* 1970-01-01 was a Thursday */
    return (r < 0 ? r + 7 : r) + 1;
}

int32_t bl_iso_monday(int32_t year, int32_t week) {
    const int32_t fourth = bl_days_from_civil(year, 1, 4); /* always in week 1 */
    return fourth - (bl_weekday(fourth) - 1) + 7 * (week - 1);
}

/* A week belongs to the year that holds its Thursday. */
int32_t bl_iso_week(int32_t days, int32_t *year) {
    const int32_t thursday = days - (bl_weekday(days) - 4);
    int32_t y, month, day;
    bl_civil_from_days(thursday, &y, &month, &day);
    if (year != NULL) *year = y;
    return (thursday - bl_days_from_civil(y, 1, 1)) / 7 + 1;
}

static bool parse_digits(const char *text, size_t n, int32_t *out) {
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

/* Of the proleptic Gregorian calendar. */
static bool is_day(int32_t y, int32_t m, int32_t d) {
    static const int32_t length[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (m < 1 || m > 12 || d < 1) return false;
    const bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return d <= length[m - 1] + (m == 2 && leap);
}

bool bl_parse_date(const char *text, size_t n, int32_t *days) {
    int32_t y, m, d;
    if (n != 10 || text[4] != '-' || text[7] != '-') return false;
    if (!parse_digits(text, 4, &y) || !parse_digits(text + 5, 2, &m) ||
        !parse_digits(text + 8, 2, &d) || !is_day(y, m, d))
        return false;
    *days = bl_days_from_civil(y, m, d);
    return true;
}

/* ---- dates in many forms ---- */

const char *const bl_date_order_name[BL_DATE_ORDERS] = {"ymd", "dmy", "mdy"};

/* A text that is read from the left. */
typedef struct scan {
    const char *at, *end;
} scan;

static bool take(scan *s, char c) {
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    return true;
}

/* A run of at most `most` digits: how many, 0 if there is none. */
static size_t take_digits(scan *s, size_t most, int32_t *out) {
    size_t n = 0;
    while (n < most && s->at + n < s->end && s->at[n] >= '0' && s->at[n] <= '9') n++;
    if (!parse_digits(s->at, n, out)) return 0;
    s->at += n;
    return n;
}

/* The name of a month, in full or its first three letters: 1 to 12, or 0. */
static int32_t take_month(scan *s) {
    static const char *const name[] = {"january",   "february", "march",    "april",
                                       "may",       "june",     "july",     "august",
                                       "september", "october",  "november", "december"};
    size_t n = 0;
    while (s->at + n < s->end && ((s->at[n] | 32) >= 'a' && (s->at[n] | 32) <= 'z')) n++;
    for (int32_t m = 0; m < 12 && n >= 3; m++) {
        size_t same = 0;
        while (same < n && name[m][same] != '\0' && (s->at[same] | 32) == name[m][same]) same++;
        if (same < n || (n != 3 && name[m][n] != '\0')) continue;
        s->at += n;
        return m + 1;
    }
    return 0;
}

/* What stands between the parts of a date. */
static bool take_joint(scan *s) {
    const char *before = s->at;
    while (s->at < s->end && memchr("-/., ", *s->at, 5) != NULL) s->at++;
    return s->at > before && s->at - before <= 2;
}

/* Two digits below 70 are 20xx, others 19xx. */
static int32_t whole_year(int32_t year, size_t digits) {
    return digits > 2 ? year : year + (year < 70 ? 2000 : 1900);
}

/* Four digits in front: 2020-03-01, 2020/3/1, 20200301, 2020-03 (its first day). */
static bool take_year_first(scan *s, int32_t *y, int32_t *m, int32_t *d) {
    *d = 1;
    if (take_digits(s, 4, y) != 4) return false;
    if (!take_joint(s)) return take_digits(s, 2, m) == 2 && take_digits(s, 2, d) == 2;
    if ((*m = take_month(s)) == 0 && take_digits(s, 2, m) == 0) return false;
    const scan back = *s;
    if (take_joint(s) && take_digits(s, 2, d) > 0) return true;
    *s = back;
    return s->at == s->end;
}

/* A day, a month and a year, the year last. */
static bool take_year_last(scan *s, bl_date_order order, int32_t *y, int32_t *m, int32_t *d) {
    int32_t first, second;
    size_t digits;
    if ((*m = take_month(s)) > 0) { /* Mar 1, 2020 */
        if (!take_joint(s) || take_digits(s, 2, d) == 0) return false;
    } else {
        if (take_digits(s, 2, &first) == 0 || !take_joint(s)) return false;
        *d = first;
        if ((*m = take_month(s)) == 0) { /* else 1 Mar 2020 */
            if (order == BL_DATE_YMD || take_digits(s, 2, &second) == 0) return false;
            *d = order == BL_DATE_DMY ? first : second;
            *m = order == BL_DATE_DMY ? second : first;
        }
    }
    if (!take_joint(s)) return false;
    digits = take_digits(s, 4, y);
    *y = whole_year(*y, digits);
    return digits == 2 || digits == 4;
}

/* Z, UTC or an offset: the clock on the wall counts, so it is passed over. */
static void skip_zone(scan *s) {
    int32_t ignored;
    (void)take(s, ' ');
    if (take(s, 'Z') || (s->end - s->at == 3 && memcmp(s->at, "UTC", 3) == 0)) {
        s->at = s->end;
    } else if (take(s, '+') || take(s, '-')) {
        (void)take_digits(s, 2, &ignored);
        (void)take(s, ':');
        (void)take_digits(s, 2, &ignored);
    }
}

/* 14:05, 14:05:09.5, 2:05 PM, 140509: seconds since midnight. */
static bool take_time(scan *s, size_t hour_digits, double *seconds) {
    int32_t h, m = 0, sec = 0, digit;
    double fraction = 0, place = 0.1;
    if (take_digits(s, hour_digits, &h) == 0) return false;
    const bool colon = take(s, ':');
    if (take_digits(s, 2, &m) != 2) return false;
    if (colon ? take(s, ':') : s->at < s->end) {
        if (take_digits(s, 2, &sec) != 2) return false;
        if (take(s, '.') || take(s, ','))
            for (; take_digits(s, 1, &digit) == 1; place /= 10) fraction += place * digit;
    }
    const char *before = s->at;
    (void)take(s, ' ');
    const char half = s->at < s->end ? (char)(*s->at | 32) : '\0';
    if ((half == 'a' || half == 'p') && s->end - s->at == 2 && (s->at[1] | 32) == 'm') {
        if (h < 1 || h > 12) return false;
        h = h % 12 + (half == 'p' ? 12 : 0);
        s->at = s->end;
    } else {
        s->at = before;
        skip_zone(s);
    }
    *seconds = h * 3600 + m * 60 + sec + fraction;
    return (h < 24 || hour_digits > 2) && m < 60 && sec < 60;
}

bool bl_parse_time(const char *text, size_t n, double *days) {
    scan s = {text, text + n};
    double seconds;
    if (n < 4 || n > 24 || memchr(text, ':', n) == NULL) return false;
    if (!take_time(&s, 3, &seconds) || s.at < s.end) return false;
    *days = seconds / 86400.0;
    return true;
}

/* A year in front is tried first; its form leaves no doubt about the order. */
bool bl_parse_date_time(const char *text, size_t n, bl_date_order order, double *days) {
    scan s = {text, text + n};
    int32_t y, m, d;
    double seconds = 0;
    if (n < 6 || n > 40) return false;
    if (!take_year_first(&s, &y, &m, &d)) {
        s.at = text;
        if (!take_year_last(&s, order, &y, &m, &d)) return false;
    }
    if (!is_day(y, m, d)) return false;
    if (s.at < s.end) {
        (void)take(&s, ',');
        if (!take(&s, 'T') && !take(&s, ' ')) return false;
        if (!take_time(&s, 2, &seconds) || s.at < s.end) return false;
    }
    *days = bl_days_from_civil(y, m, d) + seconds / 86400.0;
    return true;
}
