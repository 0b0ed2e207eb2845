/* Names and values of the release before (renamed.h). Each use sets a bit of config->renamed:
 *
 *     bit 0 ...          a key of k_keys was given by its former name
 *     bit WORDS ...      a value of k_words was given by its former word
 *     ZERO, MOMENTUM, FLAT   values that meant something else, or were written in another way
 *
 * The bits are all that is remembered: the configuration itself is today's, so ids and dumps do not
 * know how it was written. 64 bits are enough, as rows go with the release after the next. */
#include "engine/config/renamed.h"
#include "engine/base/mem.h"
#include <stdio.h>
#include <string.h>

static const struct {
    const char *was, *is;
} k_keys[] = {
    {"eval.ratio",         "eval.growth"              },
    {"schedule.start_div", "schedule.div_factor"      },
    {"schedule.end_div",   "schedule.final_div_factor"},
    {"quadratic.version",  "quadratic.expectation"    },
    {"sweep.slack",        "sweep.race_cutoff"        },
    {"sweep.cover",        "sweep.lr_search"          },
    {"sweep.known",        "sweep.reference"          },
    {"cost.device_memory", "cost.device_memory_mib"   },
};

static const struct {
    const char *path, *was, *is;
} k_words[] = {
    {"sweep.lr_search", "near", "local"     },
    {"sweep.lr_search", "all",  "exhaustive"},
};

/* Bits of bl_config.renamed: a key's row, then a word's, then these. */
enum {
    WORDS = BL_COUNT(k_keys),
    ZERO = WORDS + BL_COUNT(k_words), /* 0 of an optional key */
    MOMENTUM,                         /* momentum_low or momentum_high 0 */
    FLAT,                             /* pairs without brackets of their own */
};

/* bl_config.renamed_end_div between its name and its value. */
#define PENDING (-1.0)

/* No config: the caller only asks for the name. */
static void mark(bl_config *config, size_t bit) {
    if (config != NULL) config->renamed |= (uint64_t)1 << bit;
}

const bl_key *bl_renamed_key(const char *name, size_t n, bl_config *config) {
    for (size_t i = 0; i < BL_COUNT(k_keys); i++) {
        const char *path = k_keys[i].was, *leaf = strrchr(path, '.') + 1;
        const bool whole = strlen(path) == n && memcmp(path, name, n) == 0;
        if (!whole && !(strlen(leaf) == n && memcmp(leaf, name, n) == 0)) continue;
        mark(config, i);
        if (config != NULL && strcmp(leaf, "end_div") == 0) config->renamed_end_div = PENDING;
        return bl_key_find(k_keys[i].is, strlen(k_keys[i].is));
    }
    return NULL;
}

static bool is_key(const bl_key *key, const char *path) {
    return strcmp(key->path, path) == 0;
}

static bool is_zero(const bl_node *node) {
    return (node->type == BL_NODE_INT || node->type == BL_NODE_FLOAT) && node->number == 0.0;
}

void bl_renamed_settle(const bl_key *key, bl_config *config) {
    if (is_key(key, "schedule.final_div_factor"))
        config->renamed_end_div =
            config->renamed_end_div == PENDING ? config->schedule.final_div_factor : 0.0;
    if (config->renamed_end_div > 0.0)
        config->schedule.final_div_factor = config->renamed_end_div / config->schedule.div_factor;
}

/* Of the layers in a list: has one the 0 that meant "the size"? */
static bool has_zero_stride(const bl_node *list) {
    for (const bl_node *c = list->first; c != NULL; c = c->next)
        if ((c->name != NULL && strcmp(c->name, "stride") == 0 && is_zero(c)) || has_zero_stride(c))
            return true;
    return false;
}

/* Former values: a 0 that meant "none" or "all", a momentum of 0 that switched the cycle off, a
 * list of numbers instead of pairs, and former words. Each is marked, so that a note can name it.
 */
bool bl_renamed_value(const bl_key *key, const bl_node *node, bl_config *config, bl_node *now) {
    *now = *node;
    if (key->optional && is_zero(node)) {
        memset(bl_key_field(key, config), 0, key->size);
        mark(config, ZERO);
        return true;
    }
    if ((is_key(key, "schedule.momentum_low") || is_key(key, "schedule.momentum_high")) &&
        is_zero(node)) {
        config->schedule.cycle_momentum = false;
        mark(config, MOMENTUM);
        return true;
    }
    if (key->type == BL_VALUE_PAIRS && node->first != NULL && node->first->type == BL_NODE_INT)
        mark(config, FLAT);
    if (key->type == BL_VALUE_LAYERS && has_zero_stride(node)) mark(config, ZERO);
    for (size_t i = 0; i < BL_COUNT(k_words) && node->type == BL_NODE_STRING; i++) {
        if (!is_key(key, k_words[i].path) || strcmp(node->string, k_words[i].was) != 0) continue;
        now->string = k_words[i].is;
        mark(config, WORDS + i);
    }
    return false;
}

void bl_renamed_list(const bl_key *key, const char *text, bl_config *config) {
    const char first = text[strspn(text, " \t(")];
    if (key->type == BL_VALUE_PAIRS && first >= '0' && first <= '9') mark(config, FLAT);
}

/* A bit of config->renamed for each: first the former names, then the other kinds, then the former
 * words. */
void bl_renamed_notes(const bl_config *config, void (*say)(void *ctx, const char *line),
                      void *ctx) {
    static const char *const others[] = {
        [ZERO] = "note: a 0 that meant \"all\" or \"none\" (of a pool's stride: the size) is an "
                 "absent key now; \"unset\" takes a "
                 "value away",
        [MOMENTUM] =
            "note: momentum_low = 0 or momentum_high = 0 is written cycle_momentum = false",
        [FLAT] = "note: sweep.compare is a list of pairs: compare = ( [64, 512] )",
    };
    for (size_t i = 0; i < BL_COUNT(others); i++) {
        char line[160];
        const char *text = others[i];
        if ((config->renamed >> i & 1) == 0) continue;
        if (i < WORDS)
            (void)snprintf(line, sizeof line, "note: '%s' is called '%s' now", k_keys[i].was,
                           k_keys[i].is);
        else if (text == NULL)
            (void)snprintf(line, sizeof line, "note: %s = \"%s\" is called \"%s\" now",
                           k_words[i - WORDS].path, k_words[i - WORDS].was, k_words[i - WORDS].is);
        say(ctx, text != NULL ? text : line);
    }
}
