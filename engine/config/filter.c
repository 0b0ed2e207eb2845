/* --only: terms of KEY OPERATOR VALUES, parsed once and asked for every trial (filter.h has the
 * grammar). */
#include "engine/config/filter.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/config/key.h"
#include "engine/config/schema.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WORD = 128, MOST_TERMS = 64 };

typedef enum comparison { EQUAL, UNEQUAL, BELOW, AT_MOST, ABOVE, AT_LEAST } comparison;

static const struct symbol {
    const char *text;
    comparison means;
} k_symbols[] = {
  /* the longer ones first */
    {"!=", UNEQUAL },
    {"<=", AT_MOST },
    {">=", AT_LEAST},
    {"=",  EQUAL   },
    {"<",  BELOW   },
    {">",  ABOVE   },
};

struct bl_filter_term {
    const bl_key *key;
    comparison how;
    char (*word)[WORD]; /* (count): values as written */
    double *number;     /* (count): of a numeric key */
    size_t count;
};

static bool is_numeric(const bl_key *key) {
    return key->type == BL_VALUE_I64 || key->type == BL_VALUE_F64;
}

/* Takes the key and the operator that `text` begins with; *values is what follows. */
static bl_status take_key(bl_filter_term *t, const char *text, const char **values, bl_err *err) {
    char key[WORD];
    bl_err why;
    const size_t n = strcspn(text, "!=<>");
    (void)snprintf(key, sizeof key, "%.*s", (int)bl_size_min(n, WORD - 1), text);
    size_t i = 0;
    while (i < BL_COUNT(k_symbols) &&
           strncmp(text + n, k_symbols[i].text, strlen(k_symbols[i].text)) != 0)
        i++;
    if (n == 0 || i == BL_COUNT(k_symbols))
        BL_FAIL(err, BL_EINVAL,
                "--only '%.64s': expected KEY=VALUE, with one of = != < <= > >= between them",
                text);
    if (bl_key_resolve(&t->key, key, &why) != BL_OK)
        BL_FAIL(err, BL_EINVAL, "--only '%.64s': %s", text, why.text);
    t->how = k_symbols[i].means;
    *values = text + n + strlen(k_symbols[i].text);
    if (!t->key->identity)
        BL_FAIL(err, BL_EINVAL, "--only '%.64s': '%s' belongs to the experiment, not to a run",
                text, t->key->path);
    if (t->key->type == BL_VALUE_I64S || t->key->type == BL_VALUE_F64S ||
        t->key->type == BL_VALUE_LAYERS || t->key->type == BL_VALUE_TEXTS ||
        t->key->type == BL_VALUE_OPEN)
        BL_FAIL(err, BL_EINVAL, "--only '%.64s': '%s' is a list, which cannot be compared", text,
                t->key->path);
    if (t->how != EQUAL && t->how != UNEQUAL && !is_numeric(t->key))
        BL_FAIL(err, BL_EINVAL, "--only '%.64s': '%s' is no number: compare it with = or !=", text,
                t->key->path);
    return BL_OK;
}

/* Appends one of the values between commas, as a word and, for a numeric key, as a number. */
static bl_status take_value(bl_filter_term *t, const char *term, const char *value, size_t n,
                            bl_err *err) {
    if (n == 0 || n >= WORD)
        BL_FAIL(err, BL_EINVAL, "--only '%.64s': a value is %s", term,
                n == 0 ? "missing" : "too long");
    size_t words = t->count;
    char *word = *BL_PUSH(t->word, words, "values of a filter");
    (void)BL_PUSH(t->number, t->count, "values of a filter");
    memcpy(word, value, n);
    word[n] = '\0';
    char *end = word;
    t->number[t->count - 1] = strtod(word, &end);
    if (is_numeric(t->key) && (*end != '\0' || !isfinite(t->number[t->count - 1])))
        BL_FAIL(err, BL_EINVAL, "--only '%.64s': '%s' is no number", term, word);
    if (t->key->type == BL_VALUE_BOOL && strcmp(word, "true") != 0 && strcmp(word, "false") != 0)
        BL_FAIL(err, BL_EINVAL, "--only '%.64s': '%s' is neither true nor false", term, word);
    return BL_OK;
}

static bl_status take_term(bl_filter_term *t, const char *text, bl_err *err) {
    const char *at;
    BL_TRY(take_key(t, text, &at, err));
    for (;;) {
        const size_t n = strcspn(at, ",");
        BL_TRY(take_value(t, text, at, n, err));
        if (at[n] == '\0') break;
        at += n + 1;
    }
    if (t->count > 1 && t->how != EQUAL && t->how != UNEQUAL)
        BL_FAIL(err, BL_EINVAL, "--only '%.64s': one value to compare with", text);
    return BL_OK;
}

bl_status bl_filter_parse(bl_filter *out, const char *text, bl_err *err) {
    static const char spaces[] = " \t\n";
    *out = (bl_filter){.term = bl_xalloc(MOST_TERMS * sizeof *out->term)};
    char *copy = bl_xstrdup(text), *rest = copy, *term;
    bl_status status = BL_OK;
    while (status == BL_OK && (term = strtok_r(rest, spaces, &rest)) != NULL) {
        if (out->count == MOST_TERMS)
            status = BL_ERR(err, BL_EINVAL, "--only: more than %d terms", MOST_TERMS);
        else
            status = take_term(&out->term[out->count++], term, err);
    }
    free(copy);
    if (status == BL_OK && out->count == 0)
        status = BL_ERR(err, BL_EINVAL, "--only: nothing is selected");
    if (status != BL_OK) bl_filter_free(out);
    return status;
}

void bl_filter_free(bl_filter *filter) {
    for (size_t i = 0; i < filter->count; i++) {
        free(filter->term[i].word);
        free(filter->term[i].number);
    }
    free(filter->term);
    *filter = (bl_filter){0};
}

/* A value that is absent is 0 here, so that data.rows=0 finds runs without it. */
static bool number_holds(const bl_filter_term *t, double value) {
    switch (t->how) {
    case BELOW:
        return value < t->number[0];
    case AT_MOST:
        return value <= t->number[0];
    case ABOVE:
        return value > t->number[0];
    case AT_LEAST:
        return value >= t->number[0];
    case EQUAL:
    case UNEQUAL:
        break;
    }
    bool any = false;
    for (size_t i = 0; i < t->count; i++) any |= value == t->number[i];
    return any == (t->how == EQUAL);
}

static bool text_holds(const bl_filter_term *t, const char *value) {
    bool any = false;
    for (size_t i = 0; i < t->count; i++) any |= strcmp(value, t->word[i]) == 0;
    return any == (t->how == EQUAL);
}

/* All terms have to hold. Words and booleans are compared as text, numbers as numbers. */
bool bl_filter_matches(const bl_filter *filter, const bl_config *config) {
    for (size_t i = 0; i < filter->count; i++) {
        const bl_filter_term *t = &filter->term[i];
        const void *field = bl_key_cfield(t->key, config);
        bool holds = true;
        switch (t->key->type) {
        case BL_VALUE_I64:
            holds = number_holds(t, (double)*(const int64_t *)field);
            break;
        case BL_VALUE_F64:
            holds = number_holds(t, *(const double *)field);
            break;
        case BL_VALUE_BOOL:
            holds = text_holds(t, *(const bool *)field ? "true" : "false");
            break;
        default:
            holds = text_holds(t, field);
        }
        if (!holds) return false;
    }
    return true;
}
