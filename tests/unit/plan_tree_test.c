/* The tree that `batchlab plan` prints and its JSON, letter by letter. */
#include "engine/base/mem.h"
#include "engine/plan/plan_tree.h"
#include "tests/check.h"
#include <math.h>

static bl_plan_tree_run run(const char *id, bl_plan_tree_state state, const char *reason) {
    bl_plan_tree_run r = {.state = state,
                          .batch_size = 64,
                          .seed = 1,
                          .max_steps = 400,
                          .learning_rate = 0.0009765625};
    (void)snprintf(r.id, sizeof r.id, "%s", id);
    (void)snprintf(r.reason, sizeof r.reason, "%s", reason);
    return r;
}

/* A decision before any round; a race that is done; a round with every kind of unfinished run; one
 * without runs in between has no totals of its own. */
static void fill(bl_plan_tree *t) {
    *t = (bl_plan_tree){0};
    bl_plan_tree_decide(t, "begins");
    bl_plan_tree_round *r = bl_plan_tree_add(t, "batch 64", 2);
    r->race = true;
    r->slack = 1.25;
    r->runs[0] = run("aaaaaaaaaaaa", BL_PLAN_TREE_DONE, "around 0.001");
    r->runs[0].outcome = BL_OUTCOME_TARGET;
    r->runs[0].steps = 58;
    r->runs[1] = run("bbbbbbbbbbbb", BL_PLAN_TREE_DONE, "");
    r->runs[1].outcome = BL_OUTCOME_RACE;
    r->runs[1].steps = 73;
    r->runs[1].memory_bytes = 1 << 20;
    bl_plan_tree_decide(t, "batch 64: \"best\"");
    bl_plan_tree_decide(t, "more");
    r = bl_plan_tree_add(t, "seeds", 4);
    r->runs[0] = run("cccccccccccc", BL_PLAN_TREE_TO_DO, "leads, and is a second longer");
    r->runs[0].seed = 12;
    r->runs[0].memory_bytes = 6815744; /* 6.5 MiB */
    r->runs[0].seconds_left = 0.2;     /* a second at least */
    r->runs[1] = run("dddddddddddd", BL_PLAN_TREE_TO_EXTEND, "leads, and is a second longer");
    r->runs[1].steps = 24;
    r->runs[1].seconds_left = 70;
    r->runs[2] = run("eeeeeeeeeeee", BL_PLAN_TREE_INTERRUPTED, "");
    r->runs[2].batch_size = 1048576;
    r->runs[2].memory_bytes = 1 << 19;
    r->runs[3] = run("ffffffffffff", BL_PLAN_TREE_DONE, "");
    r->runs[3].outcome = BL_OUTCOME_DIVERGED;
    r->runs[3].steps = 3;
}

static void same_text(bl_buf *got, const char *expected) {
    assert_string_equal(bl_buf_text(got), expected);
    bl_buf_free(got);
}

static void the_tree_is_drawn(void **state) {
    (void)state;
    bl_plan_tree t;
    bl_buf text = {0};
    fill(&t);
    bl_plan_tree_text(&t, &text);
    same_text(
        &text,
        "├─ before the first round\n"
        "│  └─ decides: begins\n"
        "├─ batch 64, race to 1.25 times the best\n"
        "│  ├─ aaaaaaaaaaaa done        batch 64    lr 0.0009766 seed 1  target at step 58 (around "
        "0.001)\n"
        "│  ├─ bbbbbbbbbbbb done        batch 64    lr 0.0009766 seed 1  race at step 73\n"
        "│  ├─ decides: batch 64: \"best\"\n"
        "│  └─ decides: more\n"
        "└─ seeds: 3 of 4 runs to do, at most 1m10s\n"
        "   ├─ cccccccccccc to do       batch 64    lr 0.0009766 seed 12 0 of 400 steps, 6.50 MiB, "
        "at most 1s\n"
        "   │     (leads, and is a second longer)\n"
        "   ├─ dddddddddddd to extend   batch 64    lr 0.0009766 seed 1  24 of 400 steps, at most "
        "1m10s\n"
        "   │     (leads, and is a second longer)\n"
        "   ├─ eeeeeeeeeeee interrupted batch 1048576 lr 0.0009766 seed 1  0 of 400 steps, 512 "
        "KiB, "
        "at most 1s\n"
        "   └─ ffffffffffff done        batch 64    lr 0.0009766 seed 1  diverged at step 3\n");
    bl_plan_tree_free(&t);
}

static void totals_add_up(void **state) {
    (void)state;
    bl_plan_tree t;
    bl_buf text = {0};
    fill(&t);
    bl_plan_tree_sum all = bl_plan_tree_totals(&t);
    assert_int_equal(all.done, 3);
    assert_int_equal(all.left, 3);
    assert_true(all.seconds_left == 0.2 + 70);
    t.rounds[2].runs[3].seconds_left = 1000; /* a run that is done has nothing left */
    assert_true(bl_plan_tree_totals(&t).seconds_left == 0.2 + 70);
    assert_true(bl_plan_tree_is_done(&t.rounds[2].runs[3]) &&
                !bl_plan_tree_is_done(&t.rounds[2].runs[2]));
    /* One unknown time makes the sum unknown: nothing is said of it. */
    t.rounds[2].runs[2].seconds_left = (double)NAN;
    assert_true(isnan(bl_plan_tree_totals(&t).seconds_left));
    bl_plan_tree_text(&t, &text);
    assert_non_null(strstr(bl_buf_text(&text), "seeds: 3 of 4 runs to do\n"));
    assert_non_null(strstr(bl_buf_text(&text), "seed 1  0 of 400 steps, 512 KiB\n"));
    bl_plan_tree_run *one = bl_plan_tree_add(&t, "one", 1)->runs;
    one[0] = run("abababababab", BL_PLAN_TREE_TO_DO, "");
    bl_buf_clear(&text);
    bl_plan_tree_text(&t, &text);
    assert_non_null(strstr(bl_buf_text(&text), "one: 1 of 1 runs to do, at most 1s\n"));
    assert_int_equal(bl_plan_tree_totals(&t).done, 3);
    assert_int_equal(bl_plan_tree_totals(&t).left, 4);
    t.rounds[2].runs[2].seconds_left = 5;
    one[0].seconds_left = 2;
    assert_true(bl_plan_tree_totals(&t).seconds_left == 0.2 + 70 + 5 + 2);
    bl_buf_free(&text);
    bl_plan_tree_free(&t);
    assert_true(t.count == 0 && t.rounds == NULL);
    assert_int_equal(bl_plan_tree_totals(&t).left, 0);
}

static void one_object_a_line(void **state) {
    (void)state;
    bl_plan_tree t;
    bl_buf text = {0};
    fill(&t);
    t.rounds[2].runs[2].seconds_left = (double)NAN;
    bl_plan_tree_json(&t, &text);
    same_text(
        &text,
        "{\"record\":\"round\",\"round\":1,\"title\":\"before the first "
        "round\",\"race\":false,\"slack\":0}\n"
        "{\"record\":\"decision\",\"round\":1,\"text\":\"begins\"}\n"
        "{\"record\":\"round\",\"round\":2,\"title\":\"batch 64\",\"race\":true,\"slack\":1.25}\n"
        "{\"record\":\"trial\",\"round\":2,\"run\":\"aaaaaaaaaaaa\",\"state\":\"done\",\"batch_"
        "size\":64,\"learning_rate\":0.0009765625,\"seed\":1,\"max_steps\":400,\"steps\":58,"
        "\"outcome\":\"target\",\"memory_bytes\":0,\"seconds_left\":0,\"reason\":\"around "
        "0.001\"}\n"
        "{\"record\":\"trial\",\"round\":2,\"run\":\"bbbbbbbbbbbb\",\"state\":\"done\",\"batch_"
        "size\":64,\"learning_rate\":0.0009765625,\"seed\":1,\"max_steps\":400,\"steps\":73,"
        "\"outcome\":\"race\",\"memory_bytes\":1048576,\"seconds_left\":0,\"reason\":\"\"}\n"
        "{\"record\":\"decision\",\"round\":2,\"text\":\"batch 64: \\\"best\\\"\"}\n"
        "{\"record\":\"decision\",\"round\":2,\"text\":\"more\"}\n"
        "{\"record\":\"round\",\"round\":3,\"title\":\"seeds\",\"race\":false,\"slack\":0}\n"
        "{\"record\":\"trial\",\"round\":3,\"run\":\"cccccccccccc\",\"state\":\"to "
        "do\",\"batch_size\":64,\"learning_rate\":0.0009765625,\"seed\":12,\"max_steps\":400,"
        "\"steps\":0,\"outcome\":null,\"memory_bytes\":6815744,\"seconds_left\":0.2,\"reason\":"
        "\"leads, and is a second longer\"}\n"
        "{\"record\":\"trial\",\"round\":3,\"run\":\"dddddddddddd\",\"state\":\"to "
        "extend\",\"batch_size\":64,\"learning_rate\":0.0009765625,\"seed\":1,\"max_steps\":400,"
        "\"steps\":24,\"outcome\":null,\"memory_bytes\":0,\"seconds_left\":70,\"reason\":\"leads, "
        "and is a second longer\"}"
        "\n"
        "{\"record\":\"trial\",\"round\":3,\"run\":\"eeeeeeeeeeee\",\"state\":\"interrupted\","
        "\"batch_size\":1048576,\"learning_rate\":0.0009765625,\"seed\":1,\"max_steps\":400,"
        "\"steps\":0,\"outcome\":null,\"memory_bytes\":524288,\"seconds_left\":null,\"reason\":"
        "\"\"}\n"
        "{\"record\":\"trial\",\"round\":3,\"run\":\"ffffffffffff\",\"state\":\"done\",\"batch_"
        "size\":64,\"learning_rate\":0.0009765625,\"seed\":1,\"max_steps\":400,\"steps\":3,"
        "\"outcome\":\"diverged\",\"memory_bytes\":0,\"seconds_left\":0,\"reason\":\"\"}\n");
    bl_plan_tree_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_is_drawn),
        cmocka_unit_test(totals_add_up),
        cmocka_unit_test(one_object_a_line),
    };
    return cmocka_run_group_tests_name("plan tree", tests, NULL, NULL);
}
