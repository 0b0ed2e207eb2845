/* Documents: positions and numbers as written, and the message for each text that is refused. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/base/nearest.h"
#include "engine/config/doc.h"
#include "engine/config/doc_scan.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include <stdlib.h>
#include <unistd.h>

static void parse(bl_doc *doc, const char *text) {
    CHECK_OK(bl_doc_parse(doc, text, strlen(text), "a.cfg", ERR));
}

static void test_tree(void **state) {
    (void)state;
    bl_doc doc;
    parse(&doc,
          "a = 1; b = 2; # a comment\n"
          "/* b = 3;\n */ group: { b = [1.5, -2e3, .5]; on = TRUE; };\n"
          "s = \"x\\\"y\" // and\n \"z\"; l = (1, \"two\", { three = 3; });\n"
          "big = 9999999999; hex = 0xFFFFFFFFFF; low = -9223372036854775808L; last = 5 # end");
    const bl_node *root = doc.root, *group = bl_node_get(root, "group");
    assert_int_equal(root->count, 9);
    assert_string_equal(root->first->next->name, "b");
    assert_int_equal(root->first->next->line, 1);
    assert_int_equal(root->first->next->column, 8);
    assert_int_equal(group->type, BL_NODE_GROUP);
    assert_int_equal(group->line, 3);
    assert_int_equal(group->column, 5);
    const bl_node *b = bl_node_get(group, "b");
    assert_int_equal(b->type, BL_NODE_LIST);
    assert_int_equal(b->column, 14);
    assert_int_equal(b->first->next->column, 24);
    assert_true(b->first->number == 1.5 && b->first->next->number == -2000.0);
    assert_true(b->first->next->next->number == 0.5);
    assert_true(bl_node_get(group, "on")->boolean);
    assert_string_equal(bl_node_get(root, "s")->string, "x\"yz");
    const bl_node *l = bl_node_get(root, "l");
    assert_int_equal(l->line, 5);
    assert_int_equal(l->first->integer, 1);
    assert_string_equal(l->first->next->string, "two");
    assert_int_equal(bl_node_get(l->first->next->next, "three")->integer, 3);
    assert_true(bl_node_get(root, "big")->integer == 9999999999);
    assert_true(bl_node_get(root, "hex")->integer == 0xFFFFFFFFFF);
    assert_true(bl_node_get(root, "low")->integer == INT64_MIN);
    assert_int_equal(bl_node_get(root, "last")->integer, 5);
    assert_null(bl_node_get(root, "absent"));
    bl_doc_free(&doc);
}

// clang-format off
static const struct {
    const char *text, *message;
} k_refused[] = {
    {"a = 1;\nb 2;\n", "a.cfg:2:1: error: syntax error here or in the line before; settings are "
                       "written key = value;\n    2 | b 2;\n      | ^"},
    {"a = { k = 1; b = 2;\n  k = 3; };\n",
     "a.cfg:2:3: error: 'k' is set twice; first at a.cfg:1\n    2 |   k = 3; };\n      |   ^"},
    {"x: { k = 1; }; y: { k = 1; a = 1; a = 2; };",
     "a.cfg:1:35: error: 'a' is set twice; first at a.cfg:1\n"
     "    1 | x: { k = 1; }; y: { k = 1; a = 1; a = 2; };\n"
     "      |                                   ^"},
    {"n = 18446744073709551616;",
     "a.cfg:1:5: error: the number 18446744073709551616 does not fit into 64 bits\n"
     "    1 | n = 18446744073709551616;\n      |     ^^^^^^^^^^^^^^^^^^^^"},
    {"n = 0xFFFFFFFFFFFFFFFF;",
     "a.cfg:1:5: error: the number 0xFFFFFFFFFFFFFFFF does not fit into 64 bits\n"
     "    1 | n = 0xFFFFFFFFFFFFFFFF;\n      |     ^^^^^^^^^^^^^^^^^^"},
    {"\tx = 1e999;", "a.cfg:1:6: error: the number 1e999 is too large\n    1 | \tx = 1e999;\n"
                     "      | \t    ^^^^^"},
    {"x = 12abc;", "a.cfg:1:5: error: '12abc' is no number\n    1 | x = 12abc;\n      |     ^^^^^"},
    {"x = +inf;", "a.cfg:1:5: error: '+inf' is no number\n    1 | x = +inf;\n      |     ^^^^"},
    {"x = [1, 2.0];",
     "a.cfg:1:1: error: the values in [ ] are not of one type; beside 0.25 write 1.0, not 1\n"
     "    1 | x = [1, 2.0];\n      | ^"},
    {"x = \"abc", "a.cfg:1:5: error: this text has no closing quote\n    1 | x = \"abc\n"
                  "      |     ^^^^"},
    {"x = 1; /* y", "a.cfg:1:8: error: this comment has no end\n    1 | x = 1; /* y\n"
                    "      |        ^"},
    {"x = 1; }", "a.cfg:1:8: error: '}' closes nothing\n    1 | x = 1; }\n      |        ^"},
    {"@include \"/etc\"\n", "a.cfg:1:1: error: this file may not include others\n"
                            "    1 | @include \"/etc\"\n      | ^"},
    {"x = 1; @include \"b\"\n", "a.cfg:1:8: error: '@' begins nothing but an @include line\n"
                                "    1 | x = 1; @include \"b\"\n      |        ^"},
    {"x = \x01;", "a.cfg:1:1: error: syntax error here or in the line before; settings are written "
                  "key = value;\n    1 | x = ?;\n      | ^"},
};
// clang-format on

static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_refused); i++) {
        bl_doc doc;
        bl_err err = {0};
        const char *text = k_refused[i].text;
        assert_int_equal(bl_doc_parse(&doc, text, strlen(text), "a.cfg", &err), BL_EINVAL);
        assert_string_equal(err.text, k_refused[i].message);
    }
}

static void check_refused(const bl_buf *text, const char *part) {
    bl_doc doc;
    bl_err err = {0};
    assert_int_equal(bl_doc_parse(&doc, text->data, text->len, "a.cfg", &err), BL_EINVAL);
    if (strstr(err.text, part) == NULL) fail_msg("'%s' is not in: %s", part, err.text);
}

static void test_limits(void **state) {
    (void)state;
    bl_buf text = {0};
    bl_doc doc;
    bl_buf_str(&text, "a = ");
    for (int i = 0; i < BL_DOC_DEPTH; i++) bl_buf_str(&text, "(");
    for (int i = 0; i < BL_DOC_DEPTH; i++) bl_buf_str(&text, ")");
    bl_buf_str(&text, ";");
    CHECK_OK(bl_doc_parse(&doc, text.data, text.len, "a.cfg", ERR));
    bl_doc_free(&doc);
    bl_buf_clear(&text);
    bl_buf_str(&text, "a = ");
    for (int i = 0; i <= BL_DOC_DEPTH; i++) bl_buf_str(&text, "(");
    check_refused(&text, "nested more than 64 deep");

    bl_buf_clear(&text);
    for (int i = 0; i <= BL_DOC_MARKS / 2; i++) bl_buf_printf(&text, "k%d = 1;\n", i);
    check_refused(&text, "a.cfg:10001:1: error: more than 10000 settings");

    bl_buf_clear(&text);
    for (int i = 0; i <= BL_DOC_BYTES / 64; i++)
        bl_buf_str(&text, "# ............................................................ \n");
    check_refused(&text, "larger than 1048576 bytes");

    bl_buf_clear(&text);
    bl_buf_add(&text, "a = 1;\n\0", 8);
    check_refused(&text, "a.cfg:2:1: error: a zero byte");
    bl_buf_free(&text);
}

static void test_node_fail(void **state) {
    (void)state;
    bl_doc doc;
    bl_err err = {0};
    parse(&doc, "a = 1;\ncolour = [10, 20];\n");
    const bl_node *colour = bl_node_get(doc.root, "colour");
    assert_int_equal(bl_node_fail(&doc, colour, "color", &err, "unknown key '%s'", "colour"),
                     BL_EINVAL);
    assert_string_equal(err.text, "a.cfg:2:1: error: unknown key 'colour'\n"
                                  "    2 | colour = [10, 20];\n"
                                  "      | ^^^^^^ did you mean 'color'?");
    (void)bl_node_fail(&doc, colour->first->next, "at most 10", &err, "too large");
    assert_string_equal(err.text, "a.cfg:2:15: error: too large\n"
                                  "    2 | colour = [10, 20];\n"
                                  "      |               ^^ at most 10");
    bl_doc_free(&doc);
}

static void test_nearest(void **state) {
    (void)state;
    static const char *const names[] = {"batch_sizes", "seeds", "slack"};
    assert_string_equal(bl_nearest("bach_sizes", names, 3), "batch_sizes");
    assert_string_equal(bl_nearest("sedes", names, 3), "seeds");
    assert_null(bl_nearest("temperature", names, 3));
    assert_null(bl_nearest("", names, 3));
    assert_null(bl_nearest("seeds", names, 0));
    char hint[BL_NEAREST_HINT];
    assert_string_equal(bl_nearest_hint(hint, "; ", "seeds"), "; did you mean 'seeds'?");
    assert_string_equal(bl_nearest_hint(hint, "; ", NULL), "");
}

/* ---- includes ---- */

static const char *g_root;

static void put(const char *name, const char *text) {
    char path[BL_PATH];
    (void)snprintf(path, sizeof path, "%s/%s", g_root, name);
    CHECK_OK(bl_file_write(path, text, strlen(text), ERR));
}

static bl_status read_main(bl_doc *doc, bl_err *err) {
    char path[BL_PATH], root[BL_PATH];
    (void)snprintf(path, sizeof path, "%s/in/main.cfg", g_root);
    (void)snprintf(root, sizeof root, "%s/in", g_root);
    return bl_doc_read(doc, path, root, err);
}

static int make_root(void **state) {
    (void)state;
    char path[BL_PATH];
    g_root = scratch_folder("doc");
    (void)snprintf(path, sizeof path, "%s/in/folder", g_root);
    if (bl_make_dirs(path, NULL) != BL_OK) return -1;
    (void)snprintf(path, sizeof path, "%s/in_other", g_root);
    return bl_make_dirs(path, NULL) == BL_OK ? 0 : -1;
}

static void test_include(void **state) {
    (void)state;
    bl_doc doc;
    put("in/part.cfg", "b = 2;\nc = 3;");
    put("in/main.cfg", "a = 1;\n  @include \"part.cfg\" # here\nd = 4;\n");
    CHECK_OK(read_main(&doc, ERR));
    const bl_node *c = bl_node_get(doc.root, "c"), *d = bl_node_get(doc.root, "d");
    assert_non_null(strstr(c->file, "/in/part.cfg"));
    assert_int_equal(c->line, 2);
    assert_non_null(strstr(d->file, "/in/main.cfg"));
    assert_int_equal(d->line, 3);
    bl_err err = {0};
    (void)bl_node_fail(&doc, c, NULL, &err, "no");
    assert_non_null(strstr(err.text, "/in/part.cfg:2:1: error: no\n    2 | c = 3;\n      | ^"));
    bl_doc_free(&doc);
    put("in/deep3.cfg", "x = 1;\n");
    put("in/deep2.cfg", "@include \"deep3.cfg\"\n");
    put("in/deep1.cfg", "@include \"deep2.cfg\"\n");
    put("in/part.cfg", "@include \"deep1.cfg\"\n");
    CHECK_OK(read_main(&doc, ERR)); /* four deep */
    bl_doc_free(&doc);
}

static void test_include_refused(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"@include \"../outside.cfg\"\n",       "from which includes may come"                             },
        {"@include \"../in_other/part.cfg\"\n", "from which includes may come"                             },
        {"@include \"link.cfg\"\n",             "from which includes may come"                             },
        {"@include \"folder\"\n",               "is not a plain file"                                      },
        {"@include \"absent.cfg\"\n",           "No such file"                                             },
        {"@include \"main.cfg\"\n",             "nested more than 4 deep"                                  },
        {"@include \"deep5.cfg\"\n",            "/in/deep2.cfg:1:1: error: includes are nested more than 4"},
        {"@include part.cfg\n",                 "write @include \"FILE\""                                  },
        {"@include \"broken.cfg\"\n",           "/in/broken.cfg:2:5: error: '1x' is no number"             },
    };
    char target[BL_PATH], link[BL_PATH];
    put("outside.cfg", "x = 1;\n");
    put("in_other/part.cfg", "x = 1;\n");
    put("in/deep0.cfg", "x = 1;\n");
    for (int i = 1; i <= 5; i++) {
        char name[32], text[64];
        (void)snprintf(name, sizeof name, "in/deep%d.cfg", i);
        (void)snprintf(text, sizeof text, "@include \"deep%d.cfg\"\n", i - 1);
        put(name, text);
    }
    put("in/broken.cfg", "\nx = 1x;\n");
    (void)snprintf(target, sizeof target, "%s/outside.cfg", g_root);
    (void)snprintf(link, sizeof link, "%s/in/link.cfg", g_root);
    assert_int_equal(symlink(target, link), 0);
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        bl_doc doc;
        bl_err err = {0};
        put("in/main.cfg", cases[i][0]);
        assert_int_equal(read_main(&doc, &err), BL_EINVAL);
        if (strstr(err.text, cases[i][1]) == NULL)
            fail_msg("'%s' is not in: %s", cases[i][1], err.text);
    }
    bl_doc doc;
    bl_err err = {0};
    assert_int_equal(bl_doc_read(&doc, "absent.cfg", NULL, &err), BL_EMISSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_node_fail),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test_setup_teardown(test_include, make_root, NULL),
        cmocka_unit_test_setup_teardown(test_include_refused, make_root, NULL),
    };
    return cmocka_run_group_tests_name("doc", tests, NULL, NULL);
}
