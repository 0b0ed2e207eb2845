/* Derived columns, one function for each operation: bl_derive_ops lists them, docs/data.md
 * explains them. Each writes one number for every row of the frame. Those about events walk the
 * rows of each group in the order of dates, forwards or backwards. For one shop, with a window
 * of 3 rows:
 *
 *     day             1   2   3   4   5
 *     event           .   x   .   .   x
 *     days_since      0   0   1   2   0      0, too, before the first event
 *     days_until      1   0   2   1   0
 *     events_back     0   1   1   1   1      of this row and the two before
 *     events_ahead    1   1   1   1   1
 *
 * The order is sorted once and kept in the frame for the next column with the same group and date.
 */
#include "engine/data/table/derive.h"
#include "engine/base/mem.h"
#include "engine/data/table/calendar.h"
#include "engine/data/table/levels.h"
#include <string.h>

const char *const bl_date_parts[] = {"year",    "month",       "week", "day",
                                     "weekday", "day_of_year", "hour"};
const size_t bl_date_part_count = BL_COUNT(bl_date_parts);

/* A cell is an event unless it is missing, 0 or "0". */
static bool is_event(const bl_view *view, size_t row) {
    if (view->column->type != BL_COLUMN_TEXT) {
        const double value = bl_view_number(view, row);
        return !isnan(value) && value != 0;
    }
    const uint32_t code = bl_view_code(view, row);
    return code != 0 && strcmp(view->column->dict.text[code], "0") != 0;
}

/* `value` is days since 1970-01-01; the time of day is its fraction, exact to a second. */
static double date_part(const char *part, double value) {
    const int32_t days = (int32_t)floor(value);
    int32_t year, month, day;
    if (strcmp(part, "hour") == 0) return fmin(floor(((value - days) * 86400 + 0.5) / 3600), 23);
    bl_civil_from_days(days, &year, &month, &day);
    if (strcmp(part, "year") == 0) return year;
    if (strcmp(part, "month") == 0) return month;
    if (strcmp(part, "day") == 0) return day;
    if (strcmp(part, "week") == 0) return bl_iso_week(days, NULL);
    if (strcmp(part, "weekday") == 0) return bl_weekday(days);
    return days - bl_days_from_civil(year, 1, 1) + 1;
}

static bl_status compute_date_part(bl_frame *frame, const bl_derive_decl *d, double *out,
                                   bl_err *err) {
    (void)err;
    const bl_view *of = bl_frame_find(frame, d->of);
    double last = (double)NAN, part = (double)NAN;
    for (size_t i = 0; i < frame->rows; i++) {
        const double value = bl_view_number(of, i);
        if (value != last) { /* runs of one date are common, and NaN is never equal */
            last = value;
            part = isnan(value) ? value : date_part(d->part, value);
        }
        out[i] = part;
    }
    return BL_OK;
}

/* Days since `start`, at least 0, over `length`, rounded down, at most `max`. Without a start, or
 * with one before `first_year` (an unknown date in some tables), 0. */
static double elapsed(double date, double start, double year, const bl_derive_decl *d,
                      int32_t length) {
    if (isnan(date)) return date;
    if (isnan(start) || year < (double)d->first_year || date < start) return 0;
    const int64_t count = (int64_t)(date - start) / length;
    return (double)(count < d->max ? count : d->max);
}

/* Years that the calendar knows: others are unknown dates. */
static bool calendar_year(double year) {
    return year >= 1 && year <= 9999;
}

/* A month is taken as 30 days, from its 15th on: the tables give no day. */
static bl_status compute_months_since(bl_frame *frame, const bl_derive_decl *d, double *out,
                                      bl_err *err) {
    (void)err;
    const bl_view *date = bl_frame_find(frame, d->date);
    const bl_view *year = bl_frame_find(frame, d->year), *month = bl_frame_find(frame, d->month);
    for (size_t i = 0; i < frame->rows; i++) {
        const double y = bl_view_number(year, i), m = bl_view_number(month, i);
        double start = (double)NAN;
        if (calendar_year(y) && m >= 1 && m <= 12)
            start = bl_days_from_civil((int32_t)y, (int32_t)m, 15);
        out[i] = elapsed(bl_view_number(date, i), start, y, d, 30);
    }
    return BL_OK;
}

static bl_status compute_weeks_since(bl_frame *frame, const bl_derive_decl *d, double *out,
                                     bl_err *err) {
    (void)err;
    const bl_view *date = bl_frame_find(frame, d->date);
    const bl_view *year = bl_frame_find(frame, d->year), *week = bl_frame_find(frame, d->week);
    for (size_t i = 0; i < frame->rows; i++) {
        const double y = bl_view_number(year, i), w = bl_view_number(week, i);
        double start = (double)NAN;
        if (calendar_year(y) && w >= 1 && w <= 53) start = bl_iso_monday((int32_t)y, (int32_t)w);
        out[i] = elapsed(bl_view_number(date, i), start, y, d, 7);
    }
    return BL_OK;
}

/* ---- events per group, in the order of dates ---- */

/* frame->order: rows by (group, date), rows of equal dates in file order. */
static bl_status order_rows(bl_frame *frame, const bl_derive_decl *d, bl_err *err) {
    if (frame->order_group != NULL && strcmp(frame->order_group, d->group) == 0 &&
        strcmp(frame->order_date, d->date) == 0)
        return BL_OK;
    const size_t bytes = bl_size_max(frame->rows, 1) * sizeof(uint32_t);
    bl_levels dates = {0}, groups = {0};
    bl_status status = BL_OK;
    frame->order_group = NULL;
    if (frame->order == NULL) frame->order = bl_alloc(bytes);
    if (frame->group_of == NULL) frame->group_of = bl_alloc(bytes);
    uint32_t *date_of = bl_alloc(bytes);
    if (frame->order == NULL || frame->group_of == NULL || date_of == NULL) {
        status = BL_ERR(err, BL_ENOMEM, "no memory to sort %zu rows", frame->rows);
        goto done;
    }
    BL_GOTO(bl_levels_build(&dates, bl_frame_find(frame, d->date), NULL, frame->rows, err));
    BL_GOTO(bl_levels_build(&groups, bl_frame_find(frame, d->group), NULL, frame->rows, err));
    for (size_t i = 0; i < frame->rows; i++) {
        frame->order[i] = (uint32_t)i;
        date_of[i] = bl_levels_code(&dates, i);
        frame->group_of[i] = bl_levels_code(&groups, i);
    }
    BL_GOTO(bl_sort_rows(frame->order, frame->rows, date_of, dates.count, err));
    BL_GOTO(bl_sort_rows(frame->order, frame->rows, frame->group_of, groups.count, err));
    frame->order_group = d->group;
    frame->order_date = d->date;
done:
    free(date_of);
    bl_levels_free(&dates);
    bl_levels_free(&groups);
    return status;
}

/* The i-th row of the walk through frame->order, forwards or backwards. */
static size_t walk_row(const bl_frame *frame, size_t i, bool forward) {
    return frame->order[forward ? i : frame->rows - 1 - i];
}

/* Days since the group's last event (forward) or until its next (backward); the event's own day is
 * 0, and so is a group's stretch without one. */
static bl_status days_to_event(bl_frame *frame, const bl_derive_decl *d, bool forward, double *out,
                               bl_err *err) {
    BL_TRY(order_rows(frame, d, err));
    const bl_view *of = bl_frame_find(frame, d->of), *date = bl_frame_find(frame, d->date);
    double last = (double)NAN;
    uint32_t group = UINT32_MAX;
    for (size_t i = 0; i < frame->rows; i++) {
        const size_t row = walk_row(frame, i, forward);
        const double today = bl_view_number(date, row);
        if (frame->group_of[row] != group) last = (double)NAN;
        group = frame->group_of[row];
        if (is_event(of, row)) last = today;
        const double days = fabs(today - last);
        out[row] = isnan(days) ? 0 : days;
    }
    return BL_OK;
}

/* Events in the group's last (forward) or next `window` rows, today's included. */
static bl_status count_events(bl_frame *frame, const bl_derive_decl *d, bool forward, double *out,
                              bl_err *err) {
    BL_TRY(order_rows(frame, d, err));
    const bl_view *of = bl_frame_find(frame, d->of);
    const size_t window = (size_t)d->window;
    size_t start = 0; /* of the group in this walk */
    int64_t count = 0;
    for (size_t i = 0; i < frame->rows; i++) {
        const size_t row = walk_row(frame, i, forward);
        if (i > 0 && frame->group_of[row] != frame->group_of[walk_row(frame, i - 1, forward)]) {
            start = i;
            count = 0;
        }
        count += is_event(of, row);
        if (i - start >= window) count -= is_event(of, walk_row(frame, i - window, forward));
        out[row] = (double)count;
    }
    return BL_OK;
}

static bl_status compute_days_since(bl_frame *frame, const bl_derive_decl *d, double *out,
                                    bl_err *err) {
    return days_to_event(frame, d, true, out, err);
}
static bl_status compute_days_until(bl_frame *frame, const bl_derive_decl *d, double *out,
                                    bl_err *err) {
    return days_to_event(frame, d, false, out, err);
}
static bl_status compute_events_back(bl_frame *frame, const bl_derive_decl *d, double *out,
                                     bl_err *err) {
    return count_events(frame, d, true, out, err);
}
static bl_status compute_events_ahead(bl_frame *frame, const bl_derive_decl *d, double *out,
                                      bl_err *err) {
    return count_events(frame, d, false, out, err);
}

enum {
    SINCE = BL_NEEDS_DATE | BL_NEEDS_YEAR | BL_NEEDS_MAX | BL_NEEDS_FIRST_YEAR,
    EVENT = BL_NEEDS_OF | BL_NEEDS_GROUP | BL_NEEDS_DATE
};
const bl_derive_op bl_derive_ops[] = {
    {"date_part",    BL_NEEDS_OF | BL_NEEDS_PART, true,  compute_date_part   },
    {"months_since", SINCE | BL_NEEDS_MONTH,      false, compute_months_since},
    {"weeks_since",  SINCE | BL_NEEDS_WEEK,       false, compute_weeks_since },
    {"days_since",   EVENT,                       false, compute_days_since  },
    {"days_until",   EVENT,                       false, compute_days_until  },
    {"events_back",  EVENT | BL_NEEDS_WINDOW,     false, compute_events_back },
    {"events_ahead", EVENT | BL_NEEDS_WINDOW,     false, compute_events_ahead},
};
const size_t bl_derive_op_count = BL_COUNT(bl_derive_ops);

const bl_derive_op *bl_derive_find(const char *name) {
    for (size_t i = 0; i < bl_derive_op_count; i++)
        if (strcmp(bl_derive_ops[i].name, name) == 0) return &bl_derive_ops[i];
    return NULL;
}

bl_status bl_derive(bl_frame *frame, const bl_derive_decl *d, bl_err *err) {
    const char *inputs[] = {d->of, d->group, d->date, d->year, d->month, d->week};
    for (size_t i = 0; i < BL_COUNT(inputs); i++)
        if (inputs[i] != NULL && bl_frame_find(frame, inputs[i]) == NULL) return BL_OK;
    bl_column *column = bl_frame_compute(frame, d->name, BL_COLUMN_NUMBER);
    if (column == NULL)
        BL_FAIL(err, BL_ENOMEM, "no memory for column '%s' of %zu rows", d->name, frame->rows);
    return bl_derive_find(d->op)->compute(frame, d, column->number, err);
}
