#include "engine/base/text.h"
#include "engine/cli/command.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char bl_cli_experiments_dir[] = "experiments";
const char bl_cli_lua_dir[] = "scripts/lua";
const char bl_cli_templates_dir[] = "reports/templates";

static const char *from_environment(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : otherwise;
}

const char *bl_cli_runs_dir(void) {
    return from_environment("BATCHLAB_RUNS", "runs");
}

const char *bl_cli_reports_dir(void) {
    return from_environment("BATCHLAB_REPORTS", "reports");
}

void bl_cli_print(FILE *to, const char *text) {
    bl_buf shown = {0};
    bl_text_show(&shown, text);
    (void)fwrite(bl_buf_text(&shown), 1, shown.len, to);
    bl_buf_free(&shown);
}

void bl_cli_printf(FILE *to, const char *fmt, ...) {
    bl_buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    bl_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    bl_cli_print(to, bl_buf_text(&text));
    bl_buf_free(&text);
}

static void say(void *ctx, const char *text) {
    (void)ctx;
    bl_cli_print(stderr, text);
    (void)fputs("\n", stderr);
}

bl_dataset_options bl_cli_dataset_options(bool synthetic) {
    return (bl_dataset_options){
        .manifest_dir = "datasets",
        .data_path = from_environment("BATCHLAB_DATA", "datasets/cache:../shared/datasets"),
        .cache_dir = from_environment("BATCHLAB_CACHE", "datasets/cache"),
        .synthetic = synthetic,
        .say = say};
}

/* FILE:LINE: at the beginning: the user's own coordinates need no program name before them. */
static bool begins_with_position(const char *text) {
    const char *colon = strchr(text, ':');
    const size_t word = strcspn(text, " \n");
    return colon != NULL && (size_t)(colon - text) < word && colon[1] >= '0' && colon[1] <= '9';
}

/* A message that begins with FILE:LINE stands alone, so that editors find the place. */
int bl_cli_fail(const bl_err *err) {
    static const int exits[] = {
        [BL_OK] = BL_EXIT_DONE,
        [BL_ENOMEM] = BL_EXIT_INTERRUPTED,
        [BL_EINVAL] = BL_EXIT_USAGE,
        [BL_EFORMAT] = BL_EXIT_USAGE,
        [BL_EIO] = BL_EXIT_IO,
        [BL_EMISSING] = BL_EXIT_USAGE,
        [BL_EUNSUPPORTED] = BL_EXIT_UNAVAILABLE,
        [BL_EDIVERGED] = BL_EXIT_SOME_FAILED,
        [BL_EMISMATCH] = BL_EXIT_MISMATCH,
        [BL_EDAMAGED] = BL_EXIT_DAMAGE,
        [BL_EINTERRUPTED] = BL_EXIT_INTERRUPTED,
        [BL_EPROGRAM] = BL_EXIT_SOME_FAILED,
    };
    _Static_assert(sizeof exits / sizeof exits[0] == BL_STATUS_COUNT, "an exit for every status");
    if (!begins_with_position(err->text)) (void)fputs("batchlab: ", stderr);
    bl_cli_print(stderr, err->text);
    (void)fputs("\n", stderr);
    if (err->code == BL_ENOMEM)
        (void)fprintf(stderr, "Nothing finished is lost. Free some memory, then continue with the "
                              "same command.\n");
    if (err->file != NULL && strcmp(from_environment("BATCHLAB_DEBUG", ""), "1") == 0)
        (void)fprintf(stderr, "batchlab: raised at %s:%d (%s)\n", err->file, err->line,
                      bl_status_name(err->code));
    return exits[err->code];
}
