/* Records of the plan by table: one reader and one writer for every struct of plan.h.
 *
 * A field of a row names a member of a JSON object, its type, and the offset of the struct's
 * member:
 *
 *     { "batch_size", BL_PLAN_TYPE_WHOLE, true, offsetof(bl_plan_trial, batch_size), NULL }
 *
 *     "batch_size":64   <->   trial.batch_size == 64
 *
 * Every type has one case in parse_field and one in write_field, and they undo each other: what is
 * written and read again gives the same bytes. Where a member may be absent, bl_plan_fields_clear
 * sets the value that says so (NAN, -1, BL_PLAN_UNSAID, NULL), and the writer then leaves the
 * member out.
 *
 * Memory: texts and lists go into the document's chunks, so a record owns nothing and is copied
 * freely. */
#include "engine/plan/fields.h"
#include "engine/base/mem.h"
#include "engine/plan/plan.h"
#include <math.h>
#include <string.h>

static const char k_diverged[] = "diverged";

/* What a value has to be, for messages. */
static const char *const type_words[] = {
    [BL_PLAN_TYPE_TEXT] = "a text",
    [BL_PLAN_TYPE_RUN] = "a run's id",
    [BL_PLAN_TYPE_JSON] = "a list or a table",
    [BL_PLAN_TYPE_NUMBER] = "a number",
    [BL_PLAN_TYPE_COUNT] = "a number",
    [BL_PLAN_TYPE_NULLABLE] = "a number or null",
    [BL_PLAN_TYPE_WHOLE] = "a whole number",
    [BL_PLAN_TYPE_BOOL] = "true or false",
    [BL_PLAN_TYPE_ANSWER] = "true or false",
    [BL_PLAN_TYPE_KIND] = "a kind of decision",
    [BL_PLAN_TYPE_OUTCOME] = "an outcome: target, budget, race, diverged or memory",
    [BL_PLAN_TYPE_BUDGET] = "a budget: epochs, steps, seconds or cost",
    [BL_PLAN_TYPE_RULE] =
        "a rule: keep, sqrt, linear, saturating, malladi, half_life, decay or surge",
    [BL_PLAN_TYPE_RUNS] = "a list of run ids",
    [BL_PLAN_TYPE_BOTH] = "two lists of run ids",
    [BL_PLAN_TYPE_TWO] = "two numbers",
    [BL_PLAN_TYPE_NUMBERS] = "a list of numbers",
    [BL_PLAN_TYPE_VALUES] = "a list of numbers, with \"diverged\" for those that are none",
    [BL_PLAN_TYPE_REFERENCES] = "a list of batch sizes and steps",
    [BL_PLAN_TYPE_OBJECT] = "a table",
};
_Static_assert(BL_COUNT(type_words) == BL_PLAN_TYPES, "words for every type");

/* ---- reading ---- */

/* Each of these reads one value into the member's place. False: the value is of another type.
 * The record may then be half filled; its reader fails. */
static bool parse_text(const char **out, const bl_json *v, bl_chunks *memory) {
    if (v->type != BL_JSON_STRING) return false;
    *out = bl_chunks_text(memory, v->string);
    return true;
}

/* "" is an id, too: a decision for people may rest on no run. */
static bool parse_run(char out[BL_RUN_ID], const bl_json *v) {
    if (v->type != BL_JSON_STRING || strlen(v->string) >= BL_RUN_ID) return false;
    memcpy(out, v->string, strlen(v->string) + 1);
    return true;
}

/* Kept as its text, in the writer's form: who needs the parts parses them again. */
static bool parse_json(const char **out, const bl_json *v, bl_chunks *memory) {
    if (v->type != BL_JSON_ARRAY && v->type != BL_JSON_OBJECT) return false;
    bl_buf text = {0};
    bl_jw w = bl_jw_open(&text);
    bl_jw_value(&w, NULL, v);
    *out = bl_chunks_text(memory, text.data);
    bl_buf_free(&text);
    return true;
}

/* bl_json_int gives its default for a fraction and for what does not fit. INT64_MIN itself is
 * never written. */
static bool parse_whole(int64_t *out, const bl_json *object, const bl_json *v) {
    *out = bl_json_int(object, v->key, INT64_MIN);
    return *out != INT64_MIN;
}

/* The name's place among the enum's names. */
static bool parse_name(int *out, const bl_json *v, const char *(*name)(int), int count) {
    for (int i = 0; v->type == BL_JSON_STRING && i < count; i++) {
        if (strcmp(name(i), v->string) != 0) continue;
        *out = i;
        return true;
    }
    return false;
}

static const char *budget_name(int i) {
    return bl_plan_budget_name((bl_plan_budget)i);
}
static const char *rule_name(int i) {
    return bl_plan_rule_name((bl_plan_rule)i);
}

/* One more than the list has is taken, so that an empty list is not NULL, which says that there
 * is none. */
static bool parse_runs(bl_plan_runs *out, const bl_json *list, bl_chunks *memory) {
    if (list->type != BL_JSON_ARRAY) return false;
    out->v = bl_chunks_take(memory, (list->count + 1) * sizeof *out->v);
    for (const bl_json *v = list->first; v != NULL; v = v->next)
        if (!parse_run(out->v[out->count++], v)) return false;
    return true;
}

static bool parse_both(bl_plan_runs out[2], const bl_json *list, bl_chunks *memory) {
    return list->type == BL_JSON_ARRAY && list->count == 2 &&
           parse_runs(&out[0], list->first, memory) &&
           parse_runs(&out[1], list->first->next, memory);
}

/* With `diverged`, the text "diverged" is NAN, which JSON has no number for. */
static bool parse_numbers(bl_plan_numbers *out, const bl_json *list, bool diverged,
                          bl_chunks *memory) {
    if (list->type != BL_JSON_ARRAY) return false;
    out->v = bl_chunks_take(memory, (list->count + 1) * sizeof *out->v);
    for (const bl_json *v = list->first; v != NULL; v = v->next) {
        const bool none =
            diverged && v->type == BL_JSON_STRING && strcmp(v->string, k_diverged) == 0;
        if (v->type != BL_JSON_NUMBER && !none) return false;
        out->v[out->count++] = none ? (double)NAN : v->number;
    }
    return true;
}

/* [{"batch_size":64,"steps":812.5},...], both above 0 and nothing else in an entry. */
static bool parse_references(bl_plan_references *out, const bl_json *list, bl_chunks *memory) {
    if (list->type != BL_JSON_ARRAY) return false;
    out->v = bl_chunks_take(memory, (list->count + 1) * sizeof *out->v);
    for (const bl_json *v = list->first; v != NULL; v = v->next) {
        const bl_plan_reference r = {bl_json_number(v, "batch_size", (double)NAN),
                                     bl_json_number(v, "steps", (double)NAN)};
        if (!(r.batch_size > 0) || !(r.steps > 0) || v->count != 2) return false;
        out->v[out->count++] = r;
    }
    return true;
}

/* False when the value is of another type. */
static bool parse_field(void *at, const bl_plan_field *f, const bl_json *object, const bl_json *v,
                        bl_chunks *memory) {
    switch (f->type) {
    case BL_PLAN_TYPE_TEXT:
        return parse_text(at, v, memory);
    case BL_PLAN_TYPE_RUN:
        return parse_run(at, v);
    case BL_PLAN_TYPE_JSON:
        return parse_json(at, v, memory);
    case BL_PLAN_TYPE_NUMBER:
    case BL_PLAN_TYPE_COUNT:
        if (v->type != BL_JSON_NUMBER) return false;
        *(double *)at = v->number;
        return true;
    case BL_PLAN_TYPE_NULLABLE:
        *(double *)at = v->type == BL_JSON_NUMBER ? v->number : (double)NAN;
        return v->type == BL_JSON_NUMBER || v->type == BL_JSON_NULL;
    case BL_PLAN_TYPE_WHOLE:
        return parse_whole(at, object, v);
    case BL_PLAN_TYPE_BOOL:
        *(bool *)at = v->boolean;
        return v->type == BL_JSON_BOOL;
    case BL_PLAN_TYPE_ANSWER:
        *(bl_plan_answer *)at = v->boolean ? BL_PLAN_YES : BL_PLAN_NO;
        return v->type == BL_JSON_BOOL;
    case BL_PLAN_TYPE_KIND:
        return true; /* the row was chosen by it */
    case BL_PLAN_TYPE_OUTCOME:
        return v->type == BL_JSON_STRING && bl_outcome_parse(at, v->string);
    case BL_PLAN_TYPE_BUDGET:
        return parse_name(at, v, budget_name, BL_PLAN_BUDGET_COUNT);
    case BL_PLAN_TYPE_RULE:
        return parse_name(at, v, rule_name, BL_PLAN_RULE_COUNT);
    case BL_PLAN_TYPE_RUNS:
        return parse_runs(at, v, memory);
    case BL_PLAN_TYPE_BOTH:
        return parse_both(at, v, memory);
    case BL_PLAN_TYPE_TWO:
        return parse_numbers(at, v, false, memory) && v->count == 2;
    case BL_PLAN_TYPE_NUMBERS:
    case BL_PLAN_TYPE_VALUES:
        return parse_numbers(at, v, f->type == BL_PLAN_TYPE_VALUES, memory);
    case BL_PLAN_TYPE_REFERENCES:
        return parse_references(at, v, memory);
    default:
        return v->type == BL_JSON_OBJECT;
    }
}

/* Members such as "record", which chose the row before. */
static bool is_ignored(const bl_plan_row *row, const char *name) {
    for (size_t i = 0; i < BL_COUNT(row->ignored); i++)
        if (row->ignored[i] != NULL && strcmp(row->ignored[i], name) == 0) return true;
    return false;
}

/* A name may stand in two fields of different types: the value says which of them it is. */
static bl_status parse_member(void *record, const bl_plan_row *row, const bl_json *object,
                              const bl_json *m, bool old, bl_chunks *memory, bl_err *err) {
    const bl_plan_field *named = NULL;
    for (size_t i = 0; i < row->count; i++) {
        const bl_plan_field *f = &row->fields[i];
        if (strcmp(f->name, m->key) != 0) continue;
        named = f;
        if (!parse_field((char *)record + f->offset, f, object, m, memory)) continue;
        return f->type == BL_PLAN_TYPE_OBJECT
                   ? bl_plan_fields_parse((char *)record + f->offset, f->row, m, old, memory, err)
                   : BL_OK;
    }
    if (named == NULL && old) return BL_OK;
    if (named == NULL) BL_FAIL(err, BL_EFORMAT, "%s has no '%.40s'", row->what, m->key);
    BL_FAIL(err, BL_EFORMAT, "'%s' of %s is not %s", named->name, row->what,
            type_words[named->type]);
}

/* The order of the object's members is free. The JSON reader has already refused an object with
 * one key twice. */
bl_status bl_plan_fields_parse(void *record, const bl_plan_row *row, const bl_json *object,
                               bool old, bl_chunks *memory, bl_err *err) {
    bl_plan_fields_clear(record, row);
    for (const bl_json *m = object->first; m != NULL; m = m->next)
        if (!is_ignored(row, m->key))
            BL_TRY(parse_member(record, row, object, m, old, memory, err));
    for (size_t i = 0; i < row->count; i++) {
        const bl_plan_field *f = &row->fields[i];
        if (f->required && bl_json_get(object, f->name) == NULL)
            BL_FAIL(err, BL_EFORMAT, "%s needs '%s', %s", row->what, f->name, type_words[f->type]);
    }
    return BL_OK;
}

/* What an absent member is, where that is not 0: NaN for numbers, "unsaid" for answers, -1 for
 * choices. */
void bl_plan_fields_clear(void *record, const bl_plan_row *row) {
    for (size_t i = 0; i < row->count; i++) {
        void *at = (char *)record + row->fields[i].offset;
        switch (row->fields[i].type) {
        case BL_PLAN_TYPE_NUMBER:
        case BL_PLAN_TYPE_COUNT:
        case BL_PLAN_TYPE_NULLABLE:
            *(double *)at = (double)NAN;
            break;
        case BL_PLAN_TYPE_ANSWER:
            *(bl_plan_answer *)at = BL_PLAN_UNSAID;
            break;
        case BL_PLAN_TYPE_BUDGET:
        case BL_PLAN_TYPE_RULE:
            *(int *)at = -1;
            break;
        case BL_PLAN_TYPE_OBJECT:
            bl_plan_fields_clear(at, row->fields[i].row);
            break;
        default:
            break; /* 0 of a zeroed record says it */
        }
    }
}

/* ---- writing ---- */

/* A whole number as one: 1000000, not 1e+06. */
static void write_count(bl_jw *w, const char *key, double value) {
    const double exact = 9007199254740992.0; /* 2^53 */
    if (value == floor(value) && fabs(value) < exact && !(value == 0 && signbit(value)))
        bl_jw_i64(w, key, (int64_t)value);
    else
        bl_jw_f64(w, key, value);
}

static void write_runs(bl_jw *w, const char *key, const bl_plan_runs *runs) {
    bl_jw_array(w, key);
    for (size_t i = 0; i < runs->count; i++) bl_jw_str(w, NULL, runs->v[i]);
    bl_jw_end(w);
}

static void write_both(bl_jw *w, const char *key, const bl_plan_runs runs[2]) {
    bl_jw_array(w, key);
    write_runs(w, NULL, &runs[0]);
    write_runs(w, NULL, &runs[1]);
    bl_jw_end(w);
}

static void write_numbers(bl_jw *w, const char *key, const bl_plan_numbers *list) {
    bl_jw_array(w, key);
    for (size_t i = 0; i < list->count; i++)
        if (isnan(list->v[i]))
            bl_jw_str(w, NULL, k_diverged);
        else
            write_count(w, NULL, list->v[i]);
    bl_jw_end(w);
}

static void write_references(bl_jw *w, const char *key, const bl_plan_references *list) {
    bl_jw_array(w, key);
    for (size_t i = 0; i < list->count; i++) {
        bl_jw_object(w, NULL);
        bl_jw_f64(w, "batch_size", list->v[i].batch_size);
        bl_jw_f64(w, "steps", list->v[i].steps);
        bl_jw_end(w);
    }
    bl_jw_end(w);
}

/* JSON that is kept as text goes out as it came in. */
static void write_text(bl_jw *w, const char *key, const char *text, bool json) {
    if (text != NULL && json) bl_jw_raw(w, key, text);
    if (text != NULL && !json) bl_jw_str(w, key, text);
}

/* Nothing where the field is not there. */
static void write_field(bl_jw *w, const void *at, const bl_plan_field *f) {
    const char *key = f->name;
    const bl_plan_runs *runs = at;
    const bl_plan_numbers *numbers = at;
    const bl_plan_references *references = at;
    switch (f->type) {
    case BL_PLAN_TYPE_TEXT:
    case BL_PLAN_TYPE_JSON:
        write_text(w, key, *(const char *const *)at, f->type == BL_PLAN_TYPE_JSON);
        break;
    case BL_PLAN_TYPE_RUN:
        bl_jw_str(w, key, at);
        break;
    case BL_PLAN_TYPE_NUMBER:
        if (!isnan(*(const double *)at)) bl_jw_f64(w, key, *(const double *)at);
        break;
    case BL_PLAN_TYPE_COUNT:
        if (!isnan(*(const double *)at)) write_count(w, key, *(const double *)at);
        break;
    case BL_PLAN_TYPE_NULLABLE:
        bl_jw_f64(w, key, *(const double *)at);
        break;
    case BL_PLAN_TYPE_WHOLE:
        bl_jw_i64(w, key, *(const int64_t *)at);
        break;
    case BL_PLAN_TYPE_BOOL:
        bl_jw_bool(w, key, *(const bool *)at);
        break;
    case BL_PLAN_TYPE_ANSWER:
        if (*(const bl_plan_answer *)at != BL_PLAN_UNSAID)
            bl_jw_bool(w, key, *(const bl_plan_answer *)at == BL_PLAN_YES);
        break;
    case BL_PLAN_TYPE_KIND:
        bl_jw_str(w, key, bl_plan_kind_name(*(const bl_plan_kind *)at));
        break;
    case BL_PLAN_TYPE_OUTCOME:
        bl_jw_str(w, key, bl_outcome_name(*(const bl_outcome *)at));
        break;
    case BL_PLAN_TYPE_BUDGET:
        if (*(const int *)at >= 0) bl_jw_str(w, key, budget_name(*(const int *)at));
        break;
    case BL_PLAN_TYPE_RULE:
        if (*(const int *)at >= 0) bl_jw_str(w, key, rule_name(*(const int *)at));
        break;
    case BL_PLAN_TYPE_RUNS:
        if (runs->v != NULL) write_runs(w, key, runs);
        break;
    case BL_PLAN_TYPE_BOTH:
        if (runs->v != NULL) write_both(w, key, runs);
        break;
    case BL_PLAN_TYPE_TWO:
    case BL_PLAN_TYPE_NUMBERS:
    case BL_PLAN_TYPE_VALUES:
        if (numbers->v != NULL) write_numbers(w, key, numbers);
        break;
    case BL_PLAN_TYPE_REFERENCES:
        if (references->v != NULL) write_references(w, key, references);
        break;
    default:
        bl_jw_object(w, key);
        bl_plan_fields_write(w, at, f->row);
        bl_jw_end(w);
        break;
    }
}

void bl_plan_fields_write(bl_jw *w, const void *record, const bl_plan_row *row) {
    for (size_t i = 0; i < row->count; i++)
        write_field(w, (const char *)record + row->fields[i].offset, &row->fields[i]);
}
