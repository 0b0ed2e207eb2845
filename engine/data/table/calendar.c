/* Calendar arithmetic after Howard Hinnant, "chrono-compatible low-level date algorithms": years
 * begin in March, so that the leap day is a year's last, and 400 years (an era) are 146,097 days.
 */
#include "engine/data/table/calendar.h"

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

bool bl_parse_date(const char *text, size_t n, int32_t *days) {
    static const int32_t length[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t y, m, d;
    if (n != 10 || text[4] != '-' || text[7] != '-') return false;
    if (!parse_digits(text, 4, &y) || !parse_digits(text + 5, 2, &m) ||
        !parse_digits(text + 8, 2, &d))
        return false;
    if (m < 1 || m > 12 || d < 1) return false;
    const bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (d > length[m - 1] + (m == 2 && leap)) return false;
    *days = bl_days_from_civil(y, m, d);
    return true;
}
