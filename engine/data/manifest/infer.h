/* Looking at a user's table: what each column holds and what to do with it, written as a
 * declaration that the user may then change.
 *
 *     bl_infer           one pass over the text: a profile of each column, and a kind for it
 *     bl_draft_open      the rows that this gives, split (engine/data/draft.h)
 *     bl_draft_prune     what the split shows: columns that say nothing in the training rows
 *     bl_inferred_manifest   the declaration's text; asked for before and after the split
 *
 * infer_rows.c walks the rows, infer_value.c looks at one value, infer_kind.c decides,
 * infer_write.c writes. */
#ifndef BL_ENGINE_DATA_MANIFEST_INFER_H
#define BL_ENGINE_DATA_MANIFEST_INFER_H
#include "engine/base/buf.h"
#include "engine/data/table/column.h"
#include "engine/data/table/field_format.h"

typedef enum bl_inferred_kind {
    BL_KIND_CATEGORICAL,
    BL_KIND_CONTINUOUS,
    BL_KIND_DATE,
    BL_KIND_TARGET,
    BL_KIND_IGNORED
} bl_inferred_kind;

/* What the values of a column may all be, most wanted first. */
typedef enum bl_infer_guess {
    BL_GUESS_PLAIN, /* numbers as 1234.5 */
    BL_GUESS_POINT, /* numbers with a decimal point; thousands, a unit */
    BL_GUESS_COMMA, /* numbers with a decimal comma; thousands, a unit */
    BL_GUESS_YMD,   /* dates; one guess for each order */
    BL_GUESS_DMY,
    BL_GUESS_MDY,
    BL_GUESS_TIME, /* times of day, or durations, with colons */
    BL_GUESSES
} bl_infer_guess;

/* A text that does not fit a guess. */
typedef struct bl_infer_misfit {
    char *text;         /* whole where it is known, else its beginning: `cut` says so */
    bool cut, known;    /* known: it means a missing value in many tables, or the user said so */
    size_t count, line; /* line: of the first */
} bl_infer_misfit;
enum { BL_MISFITS = 8 };

/* How well a guess fits so far. */
typedef struct bl_infer_fit {
    size_t count; /* values that fit */
    bl_infer_misfit misfit[BL_MISFITS];
    size_t misfits;
    bool rejected; /* more texts that do not fit than there is room for */
} bl_infer_fit;

/* Of the numbers of a guess. */
typedef struct bl_infer_numbers {
    double low, high, last;
    size_t count, fractions, falls, far; /* not whole; not above the one before; |x| > 2^53 */
} bl_infer_numbers;

/* A number such as -999 that many programs write where there is no value. */
typedef struct bl_infer_stand_in {
    double value;
    char text[12]; /* as it is written */
    size_t count, line;
    bool mixed; /* it is written in several ways */
} bl_infer_stand_in;
enum { BL_STAND_INS = 9 };

typedef struct bl_inferred_column {
    char *name;
    bl_inferred_kind kind;
    bl_column_type type;
    size_t present, distinct; /* rows with a value; different texts, counted up to 65536 */
    bool many;                /* more different texts than are kept */
    bool timed, wide_dates;   /* dates: with a time of day; not all are YYYY-MM-DD */
    bool grouped_comma, grouped_point, grouped_blank, grouped_quote; /* marks of thousands seen */
    bool codes;           /* whole numbers that may be names: bl_draft_prune decides */
    char unit[16];        /* that stands with the numbers, "" */
    bl_infer_guess guess; /* what it was taken for; BL_GUESSES: texts */
    bl_infer_fit fit[BL_GUESSES];
    bl_infer_numbers number[2]; /* of BL_GUESS_POINT (and plain), of BL_GUESS_COMMA */
    bl_infer_stand_in stand_in[BL_STAND_INS];
    size_t others;              /* plain numbers that are none of these, ... */
    double least, most;         /* ... and their range */
    double first_day, last_day; /* of dates */
    bool no_part[8];            /* parts of this date that say nothing: bl_infer_parts */
    char why[160];              /* it is ignored, "" otherwise */
    char note[160];             /* what else was found, "" */
    bl_dict values;
    uint32_t *times; /* (values.count) how often each text stands there */
    size_t times_room, text_bytes;
} bl_inferred_column;

/* What the user has said; NULL and 0 where nothing was said. */
typedef struct bl_infer_wish {
    const char *target, *date, *group;
    char separator;               /* 0: it is found out */
    const char *missing, *ignore; /* names separated by commas */
    bool classes;                 /* the target is a class, whatever it looks like */
    size_t threads;               /* that look at columns; what is found does not depend on it */
} bl_infer_wish;

enum {
    BL_INFER_CLASSES = 256,
    BL_INFER_FEW = 20,          /* whole numbers of so few values may be names in any order */
    BL_INFER_ROWS_PER_CODE = 10 /* of which each has to be there so often */
};

typedef struct bl_inferred {
    bl_inferred_column *column;
    size_t columns, rows;
    char separator;
    bool trim, stamped;      /* blanks round fields; dates that need `dates` */
    const char *encoding;    /* "latin1", "utf16"; NULL: UTF-8 */
    bool old_lines;          /* lines end in CR alone */
    bool ascii;              /* no file so far has a character beyond ASCII */
    char decimal, thousands; /* 0: not declared */
    bl_date_order order;
    size_t target;
    bool log, skewed;  /* learn the target's logarithm; it is positive and skewed */
    const char *by;    /* date column the split goes by, NULL */
    const char *group; /* column whose values stay on one side, NULL */
    double share;      /* of the rows, held out */
    char **label;      /* (labels) of the target's classes, in order; none: a number */
    size_t labels;
    bl_buf warnings; /* lines for the user */
} bl_inferred;

/* The parts of a date that become columns: the first is a number, the others are categories. */
extern const char *const bl_infer_parts[];
extern const size_t bl_infer_part_count;

/* One file of the table. */
typedef struct bl_infer_source {
    const char *path; /* for messages */
    const char *text;
    size_t n;
    bool mapped; /* its pages are given back to the system once they were read */
} bl_infer_source;

/* All files have the same header. */
bl_status bl_infer(bl_inferred *out, const bl_infer_source *source, size_t sources,
                   const bl_infer_wish *wish, bl_err *err) BL_CHECKED;
void bl_inferred_free(bl_inferred *inferred);
/* The column's part of that name in the frame: "when hour", or another where that is taken. */
void bl_inferred_part_name(const bl_inferred *in, const bl_inferred_column *c, const char *part,
                           bl_buf *out);
/* The declaration, for FOLDER/FILE... (files). */
void bl_inferred_manifest(const bl_inferred *inferred, const char *folder, const char *const *file,
                          const char (*sha256)[65], size_t files, bl_buf *out);
/* A line on each column: what it was taken for and why. */
void bl_inferred_explain(const bl_inferred *inferred, bl_buf *out);
#endif
