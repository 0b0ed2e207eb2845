/* Any bytes as plan.jsonl, read by the commands that explain it and by the report: refused with a
 * place, or read, and every record looked through. */
#include "engine/base/mem.h"
#include "engine/plan/plan.h"
#include "engine/report/analyse.h"
#include "engine/report/text/recommendation.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void look_through(const char *text, size_t n) {
    bl_plan_doc plan, again;
    bl_err err = {0};
    if (bl_plan_parse(&plan, text, n, "plan", &err) != BL_OK) {
        BL_ASSERT((err.code == BL_EFORMAT || err.code == BL_EDAMAGED) &&
                  strncmp(err.text, "plan:", 5) == 0);
        BL_ASSERT(plan.line_count == 0 && plan.lines == NULL);
        return;
    }
    /* What is read can be written, and is then read to the same bytes. */
    bl_buf once = {0}, twice = {0};
    bl_plan_write(&once, &plan);
    BL_ASSERT(bl_plan_parse(&again, once.data, once.len, "again", &err) == BL_OK);
    bl_plan_write(&twice, &again);
    BL_ASSERT(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    for (size_t i = 0; i < plan.decision_count; i++)
        (void)bl_plan_rests_on(&plan.decisions[i], "r0123456789ab");
    (void)bl_plan_first_trial(&plan, "r0123456789ab");
    bl_buf_free(&once);
    bl_buf_free(&twice);
    bl_plan_free(&again);
    bl_plan_free(&plan);
}

static char g_folder[] = "/tmp/bl-plan-XXXXXX", g_path[64];

static void remove_folder(void) {
    (void)unlink(g_path);
    (void)rmdir(g_folder);
}

static void report(const char *text, size_t n) {
    bl_report_model answer;
    bl_err err = {0};
    bl_buf words = {0};
    if (g_path[0] == '\0') {
        BL_ASSERT(mkdtemp(g_folder) != NULL);
        (void)snprintf(g_path, sizeof g_path, "%s/plan.jsonl", g_folder);
        (void)atexit(remove_folder);
    }
    FILE *f = fopen(g_path, "wb");
    BL_ASSERT(f != NULL && fwrite(text, 1, n, f) == n && fclose(f) == 0);
    if (bl_report_analyse(&answer, g_folder, &err) != BL_OK) {
        BL_ASSERT(err.text[0] != '\0');
        return;
    }
    bl_recommendation_text(&answer, &words);
    bl_recommendation_json(&answer, &words);
    bl_buf_free(&words);
    bl_report_model_free(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    char *text = bl_xalloc(n);
    if (n > 0) memcpy(text, data, n);
    look_through(text, n);
    report(text, n);
    free(text);
    return 0;
}
