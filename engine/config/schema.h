/* The one list of configuration keys. Parsing, checking, the canonical text, the identity, --set,
 * --list-keys and the tests walk it. A new key is a field of bl_config, a row of bl_schema in
 * schema.c, and, if it means something only under some choices, a word in their rows of choices.h.
 * A row says where the value lies in bl_config, its range, default, unit and meaning, and whether
 * it decides what a run computes (.identity). For example:
 *
 *     {"optimizer.beta2", F64(optimizer.beta2, 0, 1), BELOW, .def = "0.99", IDENTITY,
 *      .help = "decay of the mean squared gradient (adam, adamw)"},
 *
 * The macros of a row are in schema.c. tests/unit/config_test.c sets every key to another value and
 * reads it back; tests/unit/identity_test.c checks what is part of an id. */
#ifndef BL_ENGINE_CONFIG_SCHEMA_H
#define BL_ENGINE_CONFIG_SCHEMA_H
#include "engine/config/config.h"

/* How a row's value is held to more than a range. */
typedef enum bl_key_rule {
    BL_RULE_NONE,
    BL_RULE_NAME,       /* a string: a-z, 0-9 and _ */
    BL_RULE_TEXT,       /* a string: no control characters */
    BL_RULE_INCREASING, /* a list */
    BL_RULE_DECREASING  /* a list */
} bl_key_rule;

/* What a key needs beside a choice that reads it (choices.h) to mean anything. */
typedef enum bl_key_condition {
    BL_WHEN_ALWAYS,
    BL_WHEN_PIECES,   /* a micro_batch that changes bits */
    BL_WHEN_MOMENTUM, /* an optimizer that has a momentum, or beta1, to move */
    BL_WHEN_CYCLED,   /* and a one-cycle schedule that moves it */
    BL_WHEN_STILL,    /* no schedule that moves it */
    BL_WHEN_BUILT_IN, /* batchlab trains itself */
    BL_WHEN_EXTERNAL  /* a run is a process of the user's own */
} bl_key_condition;

typedef struct bl_key {
    const char *path; /* "group.key", or "key" at the top */
    int type;         /* BL_VALUE_* */
    size_t offset;    /* in bl_config */
    size_t size;      /* of the field: what a string may fill */
    double min, max;  /* of numbers and of a list's elements; integers up to 2^53 are exact here */
    bool any_choice;  /* other names than `choices` are looked at later (validate.c) */
    bool min_open, max_open;     /* the limit itself is not allowed */
    size_t min_count, max_count; /* of a list */
    bl_key_rule rule;
    const char *const *choices; /* of a string; NULL: free */
    const char *const *reads;   /* of each choice: paths that it reads, between blanks */
    size_t choice_count;
    bool identity;             /* decides a run's trajectory */
    bool omit_default_from_id; /* at its default the key is no part of the identity, so that runs
                                  without it keep their ids */
    bl_key_condition when;
    bool optional;   /* absent unless given; "unset" takes it away again; def is "" */
    const char *def; /* as --set would take it */
    const char *unit;
    const char *help;
} bl_key;

enum { BL_KEYS_MAX = 128 };
extern const bl_key bl_schema[]; /* (bl_schema_count), at most BL_KEYS_MAX */
extern const size_t bl_schema_count;

const char *bl_key_leaf(const bl_key *key); /* "momentum" of "optimizer.momentum" */
/* The row with this path, or NULL. */
const bl_key *bl_key_find(const char *path, size_t n);
/* "from 0, below 1", for messages. */
void bl_key_range(const bl_key *key, char out[96]);
/* The i-th different group ("data", "model", ...; the top level has none) as a length-limited
 * prefix of a path; false past the end. */
bool bl_schema_group(size_t i, const char **name, size_t *n);

/* In a bl_config, or in what else the key's offset is of. */
static inline void *bl_key_field(const bl_key *key, void *fields) {
    return (char *)fields + key->offset;
}
static inline const void *bl_key_cfield(const bl_key *key, const void *fields) {
    return (const char *)fields + key->offset;
}
#endif
