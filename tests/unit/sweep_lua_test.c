/* Runs the cases of tests/sweeps/ *_test.lua (see tests/sweeps/testing.lua), each against a host of
 * its own whose runs are a closed form, and once more with the runs of each round computed in
 * reverse order by a busy machine: every plan has to be the same whatever order they come in, and
 * however long they take. A case may also be a script that is refused. */
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "tests/check.h"
#include "tests/unit/fake_host.h"
#include <glob.h>

static const fake_host k_plain = {.s_min = 100,
                                  .b_crit = 300,
                                  .lr_opt = 0x1p-9,
                                  .curvature = 0.4,
                                  .target = 0.2,
                                  .diverge_above = 3.5,
                                  .decay_opt = 0x1p-7,
                                  .decay_curvature = 0.2};

static const char k_found_by[] = "\n  found by scripts/lua/";

enum { MOST_OPTIONS = 8 };

typedef struct lua_case {
    const char *path; /* of its file */
    char *name;       /* owns the two below */
    char *options;
    const char *error; /* "file:line: message" that ends the script, or "" */
    size_t number;     /* in its file, from 1 */
} lua_case;

/* ---- options ---- */

static void set_host(fake_host *f, const char *name, double value) {
    const struct {
        const char *name;
        double *at;
    } fields[] = {
        {"noise",           &f->noise          },
        {"lr_opt",          &f->lr_opt         },
        {"decay_opt",       &f->decay_opt      },
        {"decay_curvature", &f->decay_curvature},
        {"diverge_above",   &f->diverge_above  },
    };
    if (strcmp(name, "memory_above") == 0) {
        f->memory_above = (int64_t)value;
        return;
    }
    for (size_t i = 0; i < BL_COUNT(fields); i++)
        if (strcmp(name, fields[i].name) == 0) {
            *fields[i].at = value;
            return;
        }
    fail_msg("the host has no '%s'", name);
}

/* Blanks are between options; "[64,256]" has none. */
static void prepare(const lua_case *c, fake_host *f, bl_config *config) {
    const char *sets[MOST_OPTIONS];
    size_t n = 0;
    char *text = bl_xstrdup(c->options);
    *f = k_plain;
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        const char *dot = strchr(word, '.');
        if (dot != NULL && dot < value) {
            assert_true(n < MOST_OPTIONS);
            sets[n++] = word;
            continue;
        }
        *value = '\0';
        set_host(f, word, strtod(value + 1, NULL));
    }
    fake_config(config, sets, n);
    (void)snprintf(config->preset, sizeof config->preset, "%zu", c->number);
    free(text);
}

/* ---- cases ---- */

/* What a refused script is told: the error of the case, and where the library found it. */
static void check_error(const lua_case *c, bl_status status, const bl_err *err) {
    if (c->error[0] == '\0') {
        if (status != BL_OK) fail_msg("%s", err->text);
        return;
    }
    if (status != BL_EINVAL) fail_msg("accepted; expected %s", c->error);
    const size_t length = strlen(c->error);
    const char *rest = err->text + length;
    if (strncmp(err->text, c->error, length) != 0 ||
        (rest[0] != '\0' && strncmp(rest, k_found_by, strlen(k_found_by)) != 0))
        fail_msg("says     %s\nexpected %s", err->text, c->error);
}

/* `slow`: the runs of a round come in reverse order, after half a millisecond of other work. */
static void run_case(const lua_case *c, bool slow, bl_buf *text) {
    fake_host f;
    bl_config config;
    bl_err err = {0};
    prepare(c, &f, &config);
    f.backwards = slow;
    f.busy = slow ? 0.0005 : 0;
    const bl_planner_host host = fake_host_of(&f);
    check_error(c, bl_planner_run(c->path, "scripts/lua", &config, &fake_facts, &host, NULL, &err),
                &err);
    bl_buf_add(text, bl_buf_text(&f.text), f.text.len);
    bl_buf_free(&f.text);
}

static void a_case(void **state) {
    const lua_case *c = *state;
    bl_buf plain = {0}, slow = {0};
    run_case(c, false, &plain);
    run_case(c, true, &slow);
    assert_string_equal(bl_buf_text(&plain), bl_buf_text(&slow));
    bl_buf_free(&plain);
    bl_buf_free(&slow);
}

typedef struct listing {
    const char *path;
    lua_case *cases;
    size_t count, in_file;
} listing;

/* Ends `text` at its " | " and returns a pointer to what follows. */
static char *next_part(char *text) {
    char *bar = strstr(text, " | ");
    assert_non_null(bar);
    *bar = '\0';
    return bar + strlen(" | ");
}

static bl_status add_case(void *ctx, const bl_plan_decision *decision, bl_err *err) {
    listing *l = ctx;
    (void)err;
    lua_case *c = BL_PUSH(l->cases, l->count, "cases");
    c->path = l->path;
    c->name = bl_xstrdup(decision->text);
    c->options = next_part(c->name);
    c->error = next_part(c->options);
    c->number = ++l->in_file;
    return BL_OK;
}

static void list_cases(listing *l, const char *path) {
    bl_config config;
    bl_err err = {0};
    const bl_planner_host host = {.ctx = l, .decide = add_case};
    fake_config(&config, NULL, 0);
    l->path = path;
    l->in_file = 0;
    if (bl_planner_run(path, "scripts/lua", &config, &fake_facts, &host, NULL, &err) == BL_OK)
        return;
    (void)fprintf(stderr, "%s\n", err.text);
    exit(1);
}

int main(void) {
    glob_t files;
    listing l = {0};
    if (glob("tests/sweeps/*_test.lua", 0, NULL, &files) != 0) return 1;
    for (size_t i = 0; i < files.gl_pathc; i++) list_cases(&l, files.gl_pathv[i]);
    struct CMUnitTest *tests = bl_xalloc(l.count * sizeof *tests);
    for (size_t i = 0; i < l.count; i++)
        tests[i] = (struct CMUnitTest){
            .name = l.cases[i].name, .test_func = a_case, .initial_state = &l.cases[i]};
    const int failed = _cmocka_run_group_tests("sweep library", tests, l.count, NULL, NULL);
    for (size_t i = 0; i < l.count; i++) free(l.cases[i].name);
    free(l.cases);
    free(tests);
    globfree(&files);
    return failed;
}
