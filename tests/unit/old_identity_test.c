/* Finished runs of an earlier release are found again (engine/store/adopt.c): today's configuration
 * of each experiment and preset still has the id that its runs had then. A default that changes, a
 * renamed key or another epoch would lose them without a word. */
#include "engine/base/mem.h"
#include "engine/store/store.h"
#include "tests/check.h"
#include <stdlib.h>

enum { FILE_LIMIT = 1 << 20, MOST_WORDS = 12, MOST_DIGESTS = 8, NAME = 64 };

typedef struct digest {
    char dataset[NAME], sha256[BL_SHA256_HEX];
} digest;

typedef struct table {
    bl_buf text;
    char *next; /* the line that words_of reads next */
    digest digests[MOST_DIGESTS];
    size_t digest_count, runs;
} table;

/* The words of the next line that is no comment; 0 at the end. */
static size_t words_of(table *t, char *words[MOST_WORDS]) {
    size_t n = 0;
    while (*t->next == '#') t->next = strchr(t->next, '\n') + 1;
    if (*t->next == '\0') return 0;
    char *end = strchr(t->next, '\n'), *rest = NULL;
    assert_non_null(end);
    *end = '\0';
    for (char *w = strtok_r(t->next, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest)) {
        assert_true(n < MOST_WORDS);
        words[n++] = w;
    }
    t->next = end + 1;
    return n;
}

static const char *digest_of(const table *t, const char *dataset) {
    for (size_t i = 0; i < t->digest_count; i++)
        if (strcmp(t->digests[i].dataset, dataset) == 0) return t->digests[i].sha256;
    fail_msg("the table has no digest of data set '%s'", dataset);
    return NULL;
}

/* ID EXPERIMENT PRESET BATCH_SIZE LEARNING_RATE SEED [KEY=VALUE...] */
static bool is_found(const table *t, char *words[MOST_WORDS], size_t n) {
    bl_config config;
    char id[BL_RUN_ID];
    assert_true(n >= 6);
    CHECK_OK(bl_config_read(&config, "experiments", words[1], words[2], NULL, 0, ERR));
    CHECK_OK(bl_config_set(&config, "train.batch_size", words[3], ERR));
    CHECK_OK(bl_config_set(&config, "train.learning_rate", words[4], ERR));
    CHECK_OK(bl_config_set(&config, "train.seed", words[5], ERR));
    for (size_t i = 6; i < n; i++) {
        char *equals = strchr(words[i], '=');
        assert_non_null(equals);
        *equals = '\0';
        CHECK_OK(bl_config_set(&config, words[i], equals + 1, ERR));
    }
    bl_store_old_identity(&config, digest_of(t, config.dataset), id);
    if (strcmp(id, words[0]) == 0) return true;
    print_error("%s, preset %s, batch %s: the run was %s, not %s\n", words[1], words[2], words[3],
                words[0], id);
    return false;
}

static void old_ids_are_found(void **state) {
    (void)state;
    table t = {0};
    char *words[MOST_WORDS];
    size_t lost = 0, n;
    CHECK_OK(bl_file_read(&t.text, "tests/golden/old_ids.txt", FILE_LIMIT, ERR));
    t.next = t.text.data;
    while ((n = words_of(&t, words)) > 0) {
        if (strcmp(words[0], "digest") != 0) {
            lost += !is_found(&t, words, n);
            t.runs++;
            continue;
        }
        assert_true(n == 3 && t.digest_count < MOST_DIGESTS);
        digest *d = &t.digests[t.digest_count++];
        (void)snprintf(d->dataset, sizeof d->dataset, "%s", words[1]);
        (void)snprintf(d->sha256, sizeof d->sha256, "%s", words[2]);
    }
    bl_buf_free(&t.text);
    assert_true(t.runs >= 87);
    assert_int_equal(lost, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(old_ids_are_found)};
    return cmocka_run_group_tests_name("old identities", tests, NULL, NULL);
}
