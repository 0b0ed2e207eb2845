/* Names that mean the same, and patterns of names. A pattern may fit in more ways than one:
 *
 *     b{batch_size}-lr{learning_rate}-s{seed}-{}       b64-lr1e-3-s1-adam
 *     batch_size 64, learning_rate 1e-3, seed 1, and a text that nothing names
 *
 * Numbers are first tried as long as they can be, "1e-3" before "1"; texts as short. Where a field
 * fails at a place, it fails there whatever was before. So each such pair is tried once, and no
 * name takes long. */
#include "engine/import/import_names.h"
#include "engine/base/mem.h"
#include <ctype.h>
#include <string.h>

const char *const bl_import_field_name[BL_IMPORT_FIELDS] = {
    [BL_IMPORT_FIELD_SIZE] = "batch_size",   [BL_IMPORT_FIELD_RATE] = "learning_rate",
    [BL_IMPORT_FIELD_SEED] = "seed",         [BL_IMPORT_FIELD_STEP] = "step",
    [BL_IMPORT_FIELD_EXAMPLES] = "examples", [BL_IMPORT_FIELD_VALUE] = "value",
    [BL_IMPORT_FIELD_LOSS] = "loss",         [BL_IMPORT_FIELD_SECONDS] = "seconds",
    [BL_IMPORT_FIELD_RUN] = "run",           [BL_IMPORT_FIELD_KEY] = "key",
};

/* What they are usually called, likeliest first: in lower case, with _ for what is no letter or
 * digit, and without what k_prefixes has. */
enum { MOST_NAMES = 10 };
// clang-format off
static const char *const k_usual[BL_IMPORT_FIELDS][MOST_NAMES] = {
    [BL_IMPORT_FIELD_SIZE] = {"batch_size", "batchsize", "train_batch_size", "bs", "batch",
                              "per_device_train_batch_size"},
    [BL_IMPORT_FIELD_RATE] = {"learning_rate", "learningrate", "lr", "base_lr", "max_lr"},
    [BL_IMPORT_FIELD_SEED] = {"seed", "random_seed"},
    [BL_IMPORT_FIELD_STEP] = {"train_global_step", "trainer_global_step", "global_step", "step",
                              "steps", "iteration", "iter", "_step"},
    [BL_IMPORT_FIELD_EXAMPLES] = {"examples", "samples", "examples_seen", "samples_seen"},
    [BL_IMPORT_FIELD_VALUE] = {"value", "val_loss", "valid_loss", "validation_loss", "eval_loss",
                               "test_loss"},
    [BL_IMPORT_FIELD_LOSS] = {"train_loss", "training_loss", "loss", "mean_loss"},
    [BL_IMPORT_FIELD_SECONDS] = {"seconds", "_runtime", "runtime", "train_s", "elapsed"},
    [BL_IMPORT_FIELD_RUN] = {"run", "run_name", "run_id", "runid", "name", "trial", "trial_id"},
    [BL_IMPORT_FIELD_KEY] = {"key", "metric", "metric_name"},
};
// clang-format on
static const char *const k_prefixes[] = {"params.",  "config.", "config/",
                                         "hparams/", "hparam/", "metrics."};

const char *bl_import_mapped(const bl_import_wish *wish, const char *ours) {
    const size_t n = strlen(ours);
    for (size_t i = 0; i < wish->maps; i++)
        if (strncmp(wish->map[i], ours, n) == 0 && wish->map[i][n] == '=')
            return wish->map[i] + n + 1;
    return NULL;
}

/* Letters of any case, and any other character for _. */
static bool is_called(const char *name, const char *usual) {
    for (size_t i = 0; i < BL_COUNT(k_prefixes); i++) {
        const size_t n = strlen(k_prefixes[i]);
        if (strncmp(name, k_prefixes[i], n) == 0) name += n;
    }
    for (; *name != '\0' && *usual != '\0'; name++, usual++) {
        const unsigned char c = (unsigned char)*name;
        if ((isalnum(c) ? tolower(c) : '_') != *usual) return false;
    }
    return *name == *usual;
}

size_t bl_import_find(bl_import_field field, const char *map, const char *const *names,
                      size_t count) {
    if (map != NULL) {
        for (size_t i = 0; i < count; i++)
            if (strcmp(names[i], map) == 0) return i;
        return SIZE_MAX;
    }
    for (size_t k = 0; k < MOST_NAMES && k_usual[field][k] != NULL; k++)
        for (size_t i = 0; i < count; i++)
            if (is_called(names[i], k_usual[field][k])) return i;
    return SIZE_MAX;
}

size_t bl_import_fixed(const char *field, size_t n) {
    char name[BL_NAME];
    const char *const names[] = {name};
    if (n >= sizeof name) return SIZE_MAX;
    memcpy(name, field, n);
    name[n] = '\0';
    for (size_t i = 0; i < BL_IMPORT_FIXED; i++)
        if (bl_import_find((bl_import_field)i, NULL, names, 1) == 0) return i;
    return SIZE_MAX;
}

/* ---- patterns ---- */

typedef struct match {
    struct {
        const char *field, *text;
        size_t field_n, n;
    } taken[BL_IMPORT_PARAMS];
    size_t count;
    const char *name; /* the whole */
    size_t bytes;     /* of it, with the zero */
    bool *failed;     /* (BL_IMPORT_PARAMS, bytes) field f cannot begin at byte b: asked once */
} match;

static bool is_number_letter(char c) {
    return isdigit((unsigned char)c) || c == '.' || c == 'e' || c == 'E' || c == '-' || c == '+';
}

/* Does a number end after n characters, "1e" and "0.1-" being none? */
static bool is_number(const char *text, size_t n) {
    size_t i = 0, digits = 0;
    for (; i < n && (isdigit((unsigned char)text[i]) || text[i] == '.'); i++)
        digits += text[i] != '.';
    if (digits == 0) return false;
    if (i < n && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        if (i < n && (text[i] == '-' || text[i] == '+')) i++;
        if (i == n) return false;
        while (i < n && isdigit((unsigned char)text[i])) i++;
    }
    return i == n;
}

static bool fits(match *m, const char *pattern, const char *name);

/* Numbers are as long as they can be, texts as short. */
static bool fits_field(match *m, const char *field, size_t field_n, const char *name) {
    const bool numbers = bl_import_fixed(field, field_n) != SIZE_MAX;
    const size_t at = m->count;
    size_t most = 0;
    while (name[most] != '\0' && (numbers ? is_number_letter(name[most]) : name[most] != '/'))
        most++;
    if (at == BL_IMPORT_PARAMS) return false;
    bool *failed = &m->failed[at * m->bytes + (size_t)(name - m->name)];
    if (*failed) return false;
    for (size_t i = 1; i <= most; i++) {
        const size_t n = numbers ? most + 1 - i : i;
        if (numbers && !is_number(name, n)) continue;
        m->count = at + 1;
        m->taken[at].field = field;
        m->taken[at].field_n = field_n;
        m->taken[at].text = name;
        m->taken[at].n = n;
        if (fits(m, field + field_n + 1, name + n)) return true;
    }
    m->count = at;
    *failed = true;
    return false;
}

/* The rest of the pattern against the rest of the name, whose own rest may be anything. */
static bool fits(match *m, const char *pattern, const char *name) {
    for (; *pattern != '\0'; pattern++, name++) {
        const size_t n = *pattern == '{' ? strcspn(pattern, "}") : 0;
        if (n > 0 && pattern[n] == '}') return fits_field(m, pattern + 1, n - 1, name);
        if (*pattern != *name) return false;
    }
    return true;
}

bool bl_import_match(const char *pattern, const char *name,
                     void (*take)(void *ctx, const char *field, size_t field_n, const char *text,
                                  size_t n),
                     void *ctx) {
    match m = {.name = name, .bytes = strlen(name) + 1};
    const char *at = name;
    bool fitted;
    m.failed = bl_xalloc(BL_IMPORT_PARAMS * m.bytes * sizeof *m.failed);
    while (!(fitted = fits(&m, pattern, at)) && *at++ != '\0') m.count = 0;
    free(m.failed);
    if (!fitted) return false;
    for (size_t i = 0; i < m.count; i++)
        if (m.taken[i].field_n > 0)
            take(ctx, m.taken[i].field, m.taken[i].field_n, m.taken[i].text, m.taken[i].n);
    return true;
}
