/* private to the room. Which column, tag or part of a name is what: by what the user says, else by
 * what such things are usually called. */
#ifndef BL_ENGINE_IMPORT_IMPORT_NAMES_H
#define BL_ENGINE_IMPORT_IMPORT_NAMES_H
#include "engine/import/import.h"

/* What a column may be. The first three are parameters, as in import.h. */
typedef enum bl_import_field {
    BL_IMPORT_FIELD_SIZE,
    BL_IMPORT_FIELD_RATE,
    BL_IMPORT_FIELD_SEED,
    BL_IMPORT_FIELD_STEP,
    BL_IMPORT_FIELD_EXAMPLES, /* stand in for steps: divided by the batch size */
    BL_IMPORT_FIELD_VALUE,
    BL_IMPORT_FIELD_LOSS,
    BL_IMPORT_FIELD_SECONDS,
    BL_IMPORT_FIELD_RUN,
    BL_IMPORT_FIELD_KEY, /* of a table with a row for each number: which number it is */
    BL_IMPORT_FIELDS
} bl_import_field;

extern const char *const bl_import_field_name[BL_IMPORT_FIELDS];

/* The index of the name of `field` among `names`; SIZE_MAX: none has it. What --map says counts
 * alone; `map` is its text there, NULL where it says nothing, "" where it says that there is none.
 */
size_t bl_import_find(bl_import_field field, const char *map, const char *const *names,
                      size_t count);
/* THEIRS of the entry "OURS=THEIRS" for `ours`; NULL: there is none. */
const char *bl_import_mapped(const bl_import_wish *wish, const char *ours);

/* A pattern such as "b{batch_size}-lr{learning_rate}-s{seed}-{}", held against a name, anywhere in
 * it. Calls `take` for every named field: numbers for the three parameters, else text up to what
 * follows. False: it does not fit, and nothing was taken. */
bool bl_import_match(const char *pattern, const char *name,
                     void (*take)(void *ctx, const char *field, size_t field_n, const char *text,
                                  size_t n),
                     void *ctx);
/* Which of batch size, rate and seed a field of a pattern is, by our name or a usual one; SIZE_MAX:
 * none of them. */
size_t bl_import_fixed(const char *field, size_t n);
#endif
