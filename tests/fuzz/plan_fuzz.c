/* Any bytes as plan.jsonl, read by the commands that explain it and by the report: refused with a
 * place, or read, and every record looked through. */
#include "engine/base/mem.h"
#include "engine/cli/plan_file.h"
#include "engine/report/analyse.h"
#include "engine/report/text/recommendation.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void look_through(const char *text, size_t n) {
    bl_plan_file plan;
    bl_err err = {0};
    if (bl_plan_file_parse(&plan, text, n, "plan", &err) != BL_OK) {
        BL_ASSERT(err.code == BL_EFORMAT && strncmp(err.text, "plan:", 5) == 0);
        BL_ASSERT(plan.count == 0 && plan.record == NULL);
        return;
    }
    for (size_t i = 0; i < plan.count; i++) {
        BL_ASSERT(bl_plan_record_is(&plan.record[i], "plan") || i > 0);
        (void)bl_plan_record_has(&plan.record[i], "0123456789ab");
    }
    bl_plan_file_free(&plan);
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
