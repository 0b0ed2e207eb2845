/* Which keys mean anything under a configuration's choices (applies.h has the rule). An example:
 * is optimizer.beta1 read?
 *
 *     choices.h        X(adam, "... optimizer.beta1 ..."), X(adamw, the same)
 *     g_readers        beta1 <- {optimizer.name, choices adam and adamw}
 *     is_chosen        optimizer.name = "adam": yes
 *     applies          optimizer.name itself means something, as batchlab trains: yes
 *     holds            .when of beta1's row: no schedule moves it: yes
 *
 * Chains of readers end, as a key that no row names is always read. tests/unit/identity_test.c
 * walks all rows. */
#include "engine/config/applies.h"
#include "engine/base/mem.h"
#include "engine/config/ghost.h"
#include "engine/config/layers.h"
#include <pthread.h>
#include <string.h>

static bool is(const char *value, const char *name) {
    return strcmp(value, name) == 0;
}

bool bl_config_is_external(const bl_config *config) {
    return config->external.command[0] != '\0' || bl_config_is_imported(config);
}

bool bl_config_is_imported(const bl_config *config) {
    return config->external.imported[0] != '\0';
}

/* ---- who reads a key ---- */

/* Choices of one enumerated key that read another key. */
typedef struct reader {
    const bl_key *of;
    uint32_t choices; /* a bit each */
} reader;

enum { MOST_READERS = 4 };

/* By row of the schema, made once: ids are asked for by the ten thousand. */
static reader g_readers[BL_KEYS_MAX][MOST_READERS];
static size_t g_reader_count[BL_KEYS_MAX];

/* Choice number `choice` of the key `of` reads the key `read`. */
static void add_reader(const bl_key *read, const bl_key *of, size_t choice) {
    const size_t row = (size_t)(read - bl_schema);
    reader *list = g_readers[row];
    size_t i = 0;
    while (i < g_reader_count[row] && list[i].of != of) i++;
    BL_ASSERT(i < MOST_READERS && choice < 32);
    if (i == g_reader_count[row]) list[g_reader_count[row]++] = (reader){of, 0};
    list[i].choices |= (uint32_t)1 << choice;
}

static void add_reads(const bl_key *of, size_t choice) {
    for (const char *word = of->reads[choice]; *word != '\0';) {
        const size_t n = strcspn(word, " ");
        const bl_key *read = n > 0 ? bl_key_find(word, n) : NULL;
        BL_ASSERT(n == 0 || read != NULL); /* choices.h names a key that is none */
        if (read != NULL) add_reader(read, of, choice);
        word += n + (word[n] == ' ');
    }
}

static void prepare(void) {
    for (size_t i = 0; i < bl_schema_count; i++)
        for (size_t c = 0; bl_schema[i].reads != NULL && c < bl_schema[i].choice_count; c++)
            add_reads(&bl_schema[i], c);
}

/* Is one of the reader's choices the value that its key has? */
static bool is_chosen(const bl_config *config, const reader *r) {
    const char *value = bl_key_cfield(r->of, config);
    for (size_t c = 0; c < r->of->choice_count; c++)
        if (is(r->of->choices[c], value)) return (r->choices >> c & 1) != 0;
    return false;
}

/* Does some choice that is in force read it? A choice is, if its own key applies. */
static bool is_read(const bl_config *config, const bl_key *key) {
    const size_t row = (size_t)(key - bl_schema);
    bool read = g_reader_count[row] == 0;
    for (size_t i = 0; i < g_reader_count[row] && !read; i++)
        read =
            is_chosen(config, &g_readers[row][i]) && bl_key_applies(config, g_readers[row][i].of);
    return read;
}

static bool path_is_read(const bl_config *config, const char *path) {
    return is_read(config, bl_key_find(path, strlen(path)));
}

/* An optimizer with something that a schedule may cycle: a momentum, or Adam's beta1. */
static bool has_momentum(const bl_config *config) {
    return path_is_read(config, "optimizer.momentum") || path_is_read(config, "optimizer.beta1");
}

/* Then the schedule says the momentum, and the optimizer's own key means nothing. */
static bool is_cycled(const bl_config *config) {
    return has_momentum(config) && path_is_read(config, "schedule.cycle_momentum") &&
           config->schedule.cycle_momentum;
}

static bool holds(const bl_config *config, bl_key_condition when) {
    switch (when) {
    case BL_WHEN_PIECES:
        return bl_config_pieces_show(config);
    case BL_WHEN_MOMENTUM:
        return has_momentum(config);
    case BL_WHEN_CYCLED:
        return is_cycled(config);
    case BL_WHEN_STILL:
        return !is_cycled(config);
    case BL_WHEN_BUILT_IN:
        return !bl_config_is_external(config);
    case BL_WHEN_EXTERNAL:
        return bl_config_is_external(config);
    case BL_WHEN_ALWAYS:
        break;
    }
    return true;
}

bool bl_key_applies(const bl_config *config, const bl_key *key) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, prepare);
    return is_read(config, key) && holds(config, key->when);
}

/* Follows the readers up: where every choice is in force, the reason is that the key of a choice
 * is itself not read. */
const bl_key *bl_key_unread_under(const bl_config *config, const bl_key *key) {
    const size_t row = (size_t)(key - bl_schema);
    if (bl_key_applies(config, key) || is_read(config, key)) return NULL;
    for (size_t i = 0; i < g_reader_count[row]; i++)
        if (!is_chosen(config, &g_readers[row][i])) return g_readers[row][i].of;
    return bl_key_unread_under(config, g_readers[row][0].of);
}

bool bl_config_reads(const bl_config *config, const char *path) {
    const bl_key *key = bl_key_find(path, strlen(path));
    BL_ASSERT(key != NULL);
    return bl_key_applies(config, key);
}

/* ---- a batch in pieces ---- */

static bl_config_layer_facts facts_of(const bl_config *c) {
    bl_config_layer_facts facts;
    bl_config_layers_facts(&facts, c->model.layers);
    return facts;
}

/* A model that is not named here counts as one that does: then pieces are part of its id. */
bool bl_config_has_norm(const bl_config *c) {
    if (is(c->model.kind, "mlp") || is(c->model.kind, "simple_cnn")) return false;
    if (is(c->model.kind, "tabular")) return c->model.batch_norm;
    if (is(c->model.kind, "resnet8")) return !is(c->model.norm, "none");
    if (is(c->model.kind, "layers")) {
        const bl_config_layer_facts facts = facts_of(c);
        return facts.batch_norm || facts.ghosts > 0;
    }
    return true;
}

/* Does a ghost norm of this size cut the pieces into the chunks of the whole batch? */
static bool same_chunks(const bl_config *c, int64_t size) {
    return bl_ghost_same_chunks((size_t)c->train.batch_size, (size_t)c->train.micro_batch,
                                (size_t)size);
}

/* Does a list of layers normalise other examples together? Batch norm always does; a ghost norm
 * does where its chunks cross a piece's end. */
static bool list_shows(const bl_config *c) {
    const bl_config_layer_facts facts = facts_of(c);
    bool shows = facts.batch_norm;
    for (size_t i = 0; i < facts.ghosts; i++) shows = shows || !same_chunks(c, facts.ghost[i]);
    return shows;
}

/* Does it normalise other examples together when the batch comes in pieces? */
bool bl_config_norm_shows(const bl_config *c) {
    if (!bl_config_has_norm(c)) return false;
    if (is(c->model.kind, "layers")) return list_shows(c);
    return !is(c->model.kind, "resnet8") || is(c->model.norm, "batch") ||
           !same_chunks(c, c->model.ghost_size);
}

/* Micro-batches of 256 * 2^k examples give the bits of the whole batch (engine/train/batch.c),
 * unless the net normalises by the statistics of other examples. */
bool bl_config_pieces_show(const bl_config *c) {
    const int64_t micro = c->train.micro_batch;
    const bool whole = micro == 0 || micro >= c->train.batch_size;
    const bool aligned = micro % 256 == 0 && (micro & (micro - 1)) == 0;
    return !whole && (!aligned || bl_config_norm_shows(c));
}

bool bl_config_has_convolutions(const bl_config *c) {
    if (is(c->model.kind, "layers")) return facts_of(c).convolutions;
    return is(c->model.kind, "simple_cnn") || is(c->model.kind, "resnet8") ||
           is(c->model.kind, "mobilenet_v3_large");
}
