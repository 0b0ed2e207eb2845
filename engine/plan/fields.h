/* Records by table, for this room and its test. A row of fields says what a JSON object has and
 * where in a struct each member goes, so that one reader and one writer serve every record of the
 * plan. */
#ifndef BL_ENGINE_PLAN_FIELDS_H
#define BL_ENGINE_PLAN_FIELDS_H
#include "engine/base/chunks.h"
#include "engine/base/json_writer.h"

typedef enum bl_plan_type {
    BL_PLAN_TYPE_TEXT,       /* const char *; NULL: not there */
    BL_PLAN_TYPE_RUN,        /* char[BL_RUN_ID]: an id, or "" */
    BL_PLAN_TYPE_JSON,       /* const char *: an array or an object; NULL: not there */
    BL_PLAN_TYPE_NUMBER,     /* double; NAN: not there */
    BL_PLAN_TYPE_COUNT,      /* double, written without an exponent; NAN: not there */
    BL_PLAN_TYPE_NULLABLE,   /* double; NAN: null */
    BL_PLAN_TYPE_WHOLE,      /* int64_t */
    BL_PLAN_TYPE_BOOL,       /* bool */
    BL_PLAN_TYPE_ANSWER,     /* bl_plan_answer */
    BL_PLAN_TYPE_KIND,       /* bl_plan_kind */
    BL_PLAN_TYPE_OUTCOME,    /* bl_outcome */
    BL_PLAN_TYPE_BUDGET,     /* int: a bl_plan_budget; -1: not there */
    BL_PLAN_TYPE_RULE,       /* int: a bl_plan_rule; -1: not there */
    BL_PLAN_TYPE_RUNS,       /* bl_plan_runs */
    BL_PLAN_TYPE_BOTH,       /* bl_plan_runs[2] */
    BL_PLAN_TYPE_TWO,        /* bl_plan_numbers, two */
    BL_PLAN_TYPE_NUMBERS,    /* bl_plan_numbers */
    BL_PLAN_TYPE_VALUES,     /* the same; NAN: the text "diverged" */
    BL_PLAN_TYPE_REFERENCES, /* bl_plan_references */
    BL_PLAN_TYPE_OBJECT,     /* a struct with a row of its own */
    BL_PLAN_TYPES
} bl_plan_type;

typedef struct bl_plan_row bl_plan_row;
typedef struct bl_plan_field {
    const char *name;
    bl_plan_type type;
    bool required;
    size_t offset;
    const bl_plan_row *row; /* of BL_PLAN_TYPE_OBJECT */
} bl_plan_field;

struct bl_plan_row {
    const char *what;            /* for messages: "a trial" */
    const char *ignored[2];      /* members that are not fields: read elsewhere */
    const bl_plan_field *fields; /* in the order in which they are written */
    size_t count;
};

/* Fills the row's fields of *record; texts and lists go into `memory`. BL_EFORMAT, without a place:
 * a member that the row does not have (unless the file is `old`: fields that have gone), one of
 * another type, a required one that is not there. */
bl_status bl_plan_fields_parse(void *record, const bl_plan_row *row, const bl_json *object,
                               bool old, bl_chunks *memory, bl_err *err) BL_CHECKED;
/* Sets every field of the row to what says that it is not there. */
void bl_plan_fields_clear(void *record, const bl_plan_row *row);
/* Adds the fields that are there to the open object. */
void bl_plan_fields_write(bl_jw *w, const void *record, const bl_plan_row *row);
#endif
