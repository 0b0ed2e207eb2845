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

/* In which order a date that is all numbers gives year, month and day. A year of four digits that
 * stands first is always followed by month and day. */
typedef enum bl_date_order { BL_DATE_YMD, BL_DATE_DMY, BL_DATE_MDY, BL_DATE_ORDERS } bl_date_order;
extern const char *const bl_date_order_name[BL_DATE_ORDERS]; /* "ymd", "dmy", "mdy" */
/* A date in one of many forms, with or without a time of day; *days has the time as a fraction:
 *
 *     2020-03-01   2020/3/1   20200301   2020-03   1.3.2020 and 3/1/20 by `order`
 *     1 Mar 2020   Mar 1, 2020   March 1 2020
 *     then, after a blank or T: 14:05   14:05:09.5   2:05 PM   140509, and Z or +01:00, not read
 */
bool bl_parse_date_time(const char *text, size_t n, bl_date_order order, double *days);
/* A time of day, or a duration of at most 999 hours, as a share of a day. It has colons: "14:05",
 * "14:05:09.5", "2:05 PM", "36:15". */
bool bl_parse_time(const char *text, size_t n, double *days);
#endif
