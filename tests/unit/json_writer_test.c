/* The JSON writer, the growing array and the walk over JSON lines. */
#include "engine/base/json.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "tests/check.h"
#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void every_kind_of_value(void **state) {
    (void)state;
    bl_buf out = {0};
    bl_jw w = bl_jw_open(&out);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "a\"b", "c\\d\n");
    bl_jw_i64(&w, "i", INT64_MIN);
    bl_jw_f64(&w, "f", 0.1);
    bl_jw_f64(&w, "nan", (double)NAN);
    bl_jw_f64_rounded(&w, "third", 1.0 / 3.0);
    bl_jw_fixed(&w, "fixed", 2.5, 3);
    bl_jw_fixed(&w, "inf", HUGE_VAL, 3);
    bl_jw_bool(&w, "yes", true);
    bl_jw_bool(&w, "no", false);
    bl_jw_null(&w, "null");
    bl_jw_array(&w, "list");
    bl_jw_end(&w);
    bl_jw_array(&w, "nested");
    bl_jw_object(&w, NULL);
    bl_jw_end(&w);
    bl_jw_i64(&w, NULL, 1);
    bl_jw_end(&w);
    bl_buf_str(bl_jw_slot(&w, "slot"), "[7]");
    bl_jw_raw(&w, "raw", "{}");
    bl_jw_raw(&w, NULL, "\"more\":1,\"members\":2");
    bl_jw_str(&w, "last", "");
    bl_jw_end(&w);
    bl_jw_line(&w);
    assert_string_equal(out.data, "{\"a\\\"b\":\"c\\\\d\\n\",\"i\":-9223372036854775808,\"f\":0.1,"
                                  "\"nan\":null,\"third\":0.333333333,\"fixed\":2.500,\"inf\":null,"
                                  "\"yes\":true,\"no\":false,\"null\":null,\"list\":[],"
                                  "\"nested\":[{},1],\"slot\":[7],\"raw\":{},\"more\":1,"
                                  "\"members\":2,\"last\":\"\"}\n");
    bl_buf_free(&out);
}

static void lines_are_broken_where_asked(void **state) {
    (void)state;
    bl_buf out = {0};
    bl_jw w = bl_jw_open(&out);
    bl_jw_object(&w, NULL);
    bl_jw_i64(&w, "a", 1);
    bl_jw_newline(&w, 1);
    bl_jw_array(&w, "b");
    for (int i = 0; i < 2; i++) {
        bl_jw_newline(&w, 2);
        bl_jw_i64(&w, NULL, i);
    }
    bl_jw_end(&w);
    bl_jw_end(&w);
    bl_jw_done(&w);
    assert_string_equal(out.data, "{\"a\":1,\n \"b\":[\n  0,\n  1]}");
    bl_buf_free(&out);
}

static void an_object_is_gone_on_with(void **state) {
    (void)state;
    bl_buf out = {0};
    bl_buf_str(&out, "{\"a\":1");
    bl_jw w = bl_jw_resume(&out);
    bl_jw_i64(&w, "b", 2);
    bl_jw_end(&w);
    bl_jw_done(&w);
    assert_string_equal(out.data, "{\"a\":1,\"b\":2}");
    bl_buf_free(&out);
}

/* ---- misuse ---- */

static void end_of_nothing(bl_jw *w) {
    bl_jw_end(w);
}
static void left_open(bl_jw *w) {
    bl_jw_object(w, NULL);
    bl_jw_done(w);
}
static void nothing_written(bl_jw *w) {
    bl_jw_done(w);
}
static void two_values(bl_jw *w) {
    bl_jw_null(w, NULL);
    bl_jw_null(w, NULL);
}
static void member_without_key(bl_jw *w) {
    bl_jw_object(w, NULL);
    bl_jw_null(w, NULL);
}
static void element_with_key(bl_jw *w) {
    bl_jw_array(w, NULL);
    bl_jw_null(w, "key");
}
static void too_deep(bl_jw *w) {
    for (int i = 0; i <= BL_JW_DEPTH; i++) bl_jw_array(w, NULL);
}
static void empty_raw(bl_jw *w) {
    bl_jw_raw(w, NULL, "");
}

/* Does the program end with an assertion? */
static bool aborts(void (*misuse)(bl_jw *)) {
    const pid_t child = fork();
    if (child == 0) {
        bl_buf out = {0};
        bl_jw w = bl_jw_open(&out);
        (void)signal(SIGABRT, SIG_DFL);
        (void)freopen("/dev/null", "w", stderr);
        misuse(&w);
        _exit(0);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    return WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT;
}

static void misuse_is_asserted(void **state) {
    (void)state;
    static void (*const all[])(bl_jw *) = {end_of_nothing, left_open,          nothing_written,
                                           two_values,     member_without_key, element_with_key,
                                           too_deep,       empty_raw};
    for (size_t i = 0; i < BL_COUNT(all); i++)
        if (!aborts(all[i])) fail_msg("misuse %zu goes unnoticed", i);
}

/* ---- arrays ---- */

static void arrays_grow_and_begin_zeroed(void **state) {
    (void)state;
    struct pair {
        size_t a, b;
    } *pairs = NULL;
    size_t count = 0;
    for (size_t i = 0; i < 1000; i++) {
        struct pair *p = BL_PUSH(pairs, count, "pairs");
        assert_int_equal(p->a, 0);
        assert_int_equal(p->b, 0);
        *p = (struct pair){i, ~i};
        assert_int_equal(count, i + 1);
    }
    for (size_t i = 0; i < count; i++) assert_int_equal(pairs[i].a, i);
    count = 13; /* what shrinks may grow again */
    BL_PUSH(pairs, count, "pairs")->a = 7;
    assert_int_equal(pairs[12].a, 12);
    assert_int_equal(pairs[13].a, 7);
    assert_int_equal(pairs[13].b, 0);
    free(pairs);
}

/* The message names what there are too many of, and the exit status is that of refused memory. */
static void too_many_are_named(void **state) {
    (void)state;
    int ends[2], how = 0;
    char said[200] = "";
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)bl_vec_grow(NULL, BL_VEC_LIMIT, 1, "wishes");
        _exit(0);
    }
    (void)close(ends[1]);
    assert_true(read(ends[0], said, sizeof said - 1) > 0);
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 75);
    assert_non_null(strstr(said, "of wishes"));
}

/* ---- lines ---- */

typedef struct seen {
    size_t lines, last_begin, last_end;
    int64_t sum;
} seen;

static bl_status add_line(void *ctx, const bl_jsonl_line *line, bl_err *err) {
    seen *s = ctx;
    const int64_t n = bl_json_int(line->value, "n", -1);
    if (n < 0) BL_FAIL(err, BL_EFORMAT, "%s:%zu: no n", line->name, line->number);
    s->lines++;
    s->sum += n;
    s->last_begin = line->begin;
    s->last_end = line->end;
    return BL_OK;
}

static void lines_are_walked_in_order(void **state) {
    (void)state;
    seen s = {0};
    static const char text[] = "{\"n\":1}\n{\"n\":20}\n";
    CHECK_OK(bl_jsonl_each(text, strlen(text), "f", add_line, &s, ERR));
    assert_int_equal(s.lines, 2);
    assert_int_equal(s.sum, 21);
    assert_int_equal(s.last_begin, 8);
    assert_int_equal(s.last_end, 17);
}

static void bad_lines_are_named(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"",                      "f: empty"                                 },
        {"{\"n\":1}",             "f:1: the line is cut off"                 },
        {"{\"n\":1}\n{\"n\":2}",  "f:2: the line is cut off"                 },
        {"{\"n\":1}\n\n",         "f:2: not valid JSON: text ends early"     },
        {"{\"n\":1}\n{}\n",       "f:2: no n"                                },
        {"{\"n\":1} {\"n\":2}\n", "f:1: not valid JSON: text after the value"},
    };
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        seen s = {0};
        bl_err err;
        assert_int_equal(
            bl_jsonl_each(cases[i].text, strlen(cases[i].text), "f", add_line, &s, &err),
            BL_EFORMAT);
        if (strstr(err.text, cases[i].says) == NULL) fail_msg("case %zu: %s", i, err.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value),
        cmocka_unit_test(lines_are_broken_where_asked),
        cmocka_unit_test(an_object_is_gone_on_with),
        cmocka_unit_test(misuse_is_asserted),
        cmocka_unit_test(arrays_grow_and_begin_zeroed),
        cmocka_unit_test(too_many_are_named),
        cmocka_unit_test(lines_are_walked_in_order),
        cmocka_unit_test(bad_lines_are_named),
    };
    return cmocka_run_group_tests_name("json_writer", tests, NULL, NULL);
}
