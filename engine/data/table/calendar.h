/* Dates as days since 1970-01-01 in the proleptic Gregorian calendar (the algorithms of Howard
 * Hinnant, "chrono-compatible low-level date algorithms"), and ISO 8601 weeks. */
#ifndef BL_ENGINE_DATA_TABLE_CALENDAR_H
#define BL_ENGINE_DATA_TABLE_CALENDAR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int32_t bl_days_from_civil(int32_t year, int32_t month, int32_t day);
void bl_civil_from_days(int32_t days, int32_t *year, int32_t *month, int32_t *day);
/* 1 is Monday, 7 Sunday. */
int32_t bl_weekday(int32_t days);
/* Week 1 holds the year's first Thursday; `year` (may be NULL) is the week's, not the day's. */
int32_t bl_iso_week(int32_t days, int32_t *year);
/* Monday of an ISO week. */
int32_t bl_iso_monday(int32_t year, int32_t week);
/* "YYYY-MM-DD", nothing before or after it; false when it is no day of the calendar. */
bool bl_parse_date(const char *text, size_t n, int32_t *days);
#endif
