/* How the fields of a table are written: its decimal mark, units, missing values, dates. A
 * declaration says it (docs/data.md, "Fields"); without a word of it a number is what bl_csv_number
 * takes, a date is YYYY-MM-DD, and only an empty field and NA are missing. */
#ifndef BL_ENGINE_DATA_TABLE_FIELD_FORMAT_H
#define BL_ENGINE_DATA_TABLE_FIELD_FORMAT_H
#include "engine/data/table/calendar.h"
#include "engine/data/table/csv.h"

typedef struct bl_field_format {
    char decimal;               /* '.' or ',' */
    char thousands;             /* stands between groups of three digits; 0: nothing does */
    const char *const *unit;    /* (units): may stand before or behind a number */
    const char *const *missing; /* (missings): no value, in columns of numbers and dates */
    size_t units, missings;
    bool any_date;       /* dates in the forms of bl_parse_date_time, by `order` */
    bl_date_order order; /* of dates that are all numbers */
} bl_field_format;

/* Nothing declared. */
extern const bl_field_format bl_field_plain;

bool bl_field_missing(const bl_field_format *format, bl_csv_field field);
bool bl_field_number(const bl_field_format *format, bl_csv_field field, double *value);
/* Days since 1970-01-01; the time of day is the fraction. */
bool bl_field_date(const bl_field_format *format, bl_csv_field field, double *days);

/* A negative number with a minus of typography, or in brackets as in accounts: true, and the field
 * becomes what follows or stands inside. */
bool bl_field_negative(bl_csv_field *field);

/* A number with what stands round it: "$1,200.50 USD" is "$", "1,200.50", "USD". False: it has no
 * digits, or more than one run of them that belong together. */
bool bl_field_parts(bl_csv_field field, bl_csv_field *before, bl_csv_field *number,
                    bl_csv_field *behind);
#endif
