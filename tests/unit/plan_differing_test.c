/* Which settings become columns of an export: those in which runs differ, and no others. */
#include "engine/base/mem.h"
#include "engine/export/evals.h"
#include "tests/check.h"
#include <string.h>

static void add(bl_plan_differing *all, const char *config) {
    bl_json_doc doc;
    assert_int_equal(bl_json_parse(&doc, config, strlen(config), "run.json", 1, NULL), BL_OK);
    bl_plan_differing_add(all, doc.root);
    bl_json_free(&doc);
}

static void assert_header(bl_plan_differing *all, const char *more) {
    bl_buf header = {0}, wanted = {0};
    bl_plan_differing_choose(all);
    bl_export_header(&header, all);
    bl_buf_printf(&wanted, "%s%s\n", bl_export_columns, more);
    assert_string_equal(bl_buf_text(&header), bl_buf_text(&wanted));
    bl_buf_free(&header);
    bl_buf_free(&wanted);
    bl_plan_differing_free(all);
}

/* Equal ones, and those with columns of their own, tell no runs apart. */
static void equal_settings_are_left_out(void **state) {
    (void)state;
    bl_plan_differing all = {0};
    add(&all, "{\"train.batch_size\":1,\"train.seed\":1,\"metric\":\"rmse\",\"model.width\":8}");
    add(&all, "{\"train.batch_size\":2,\"train.seed\":2,\"metric\":\"rmse\",\"model.width\":8}");
    assert_header(&all, "");
}

static void one_run_and_none(void **state) {
    (void)state;
    bl_plan_differing all = {0};
    assert_header(&all, "");
    add(&all, "{\"optimizer.name\":\"sgd\"}");
    assert_header(&all, "");
}

/* Another value, another type, another list; and a key that one run lacks, first or later. */
static void what_differs_is_a_column(void **state) {
    (void)state;
    bl_plan_differing all = {0};
    add(&all, "{\"b.value\":1,\"a.list\":[1,2],\"c.type\":1,\"d.same\":[3],\"e.gone\":1}");
    add(&all, "{\"b.value\":2,\"a.list\":[1,3],\"c.type\":true,\"d.same\":[3],\"f.late\":1}");
    assert_header(&all, ",a.list,b.value,c.type,e.gone,f.late");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_settings_are_left_out),
        cmocka_unit_test(one_run_and_none),
        cmocka_unit_test(what_differs_is_a_column),
    };
    return cmocka_run_group_tests_name("plan_differing", tests, NULL, NULL);
}
