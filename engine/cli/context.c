/* Where things lie, how errors become words and statuses, and how text reaches a terminal.
 *
 *     what           first                                  else
 *     experiments    experiments/NAME of the project        those that come with the program
 *     data sets      datasets/NAME.cfg of the project       likewise; contents by BATCHLAB_DATA
 *     Lua library    scripts/lua of the project             likewise
 *     runs           BATCHLAB_RUNS                          runs
 *     reports        BATCHLAB_REPORTS                       reports
 *
 * What could act on a terminal is made visible in every text that is somebody else's. */
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/cli/command.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char bl_cli_experiments_dir[] = "experiments";

/* A variable that is empty counts as not set. */
static const char *from_environment(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : otherwise;
}

/* Found once: where the program lies does not change while it runs. */
const char *bl_cli_share_dir(void) {
    static const char *const places[] = {"/../share/batchlab", "", "/..", "/../.."};
    static char share[BL_PATH];
    static bool looked;
    char program[BL_PATH], script[BL_PATH];
    if (looked) return share;
    looked = true;
    bl_dir_of_program(program);
    for (size_t i = 0; i < BL_COUNT(places); i++) {
        if (bl_path(share, NULL, "%s%s", program, places[i]) == BL_OK &&
            bl_path(script, NULL, "%s/scripts/lua/sweep.lua", share) == BL_OK &&
            bl_file_exists(script))
            break;
        share[0] = '\0';
    }
    if (share[0] != '\0' && realpath(share, program) != NULL)
        (void)snprintf(share, sizeof share, "%s", program);
    return share;
}

/* `path` itself where it is there or nothing else is; else the program's own, kept in `buffer`. */
static const char *own_or_shared(const char *path, char buffer[BL_PATH]) {
    if (bl_dir_exists(path) || bl_cli_share_dir()[0] == '\0') return path;
    if (bl_path(buffer, NULL, "%s/%s", bl_cli_share_dir(), path) != BL_OK || !bl_dir_exists(buffer))
        return path;
    return buffer;
}

const char *bl_cli_lua_dir(void) {
    static char shared[BL_PATH];
    return own_or_shared("scripts/lua", shared);
}

const char *bl_cli_templates_dir(void) {
    static char shared[BL_PATH];
    return own_or_shared("reports/templates", shared);
}

const char *bl_cli_experiments_of(const char *name) {
    static char shared[BL_PATH];
    char file[BL_PATH];
    if (bl_path(file, NULL, "%s/%s/experiment.cfg", bl_cli_experiments_dir, name) != BL_OK ||
        bl_file_exists(file) || bl_cli_share_dir()[0] == '\0' ||
        bl_path(file, NULL, "%s/experiments/%s/experiment.cfg", bl_cli_share_dir(), name) !=
            BL_OK ||
        bl_path(shared, NULL, "%s/experiments", bl_cli_share_dir()) != BL_OK)
        return bl_cli_experiments_dir;
    /* Of one that is nowhere, a message names those that there are. */
    return bl_file_exists(file) || !bl_dir_exists(bl_cli_experiments_dir) ? shared
                                                                          : bl_cli_experiments_dir;
}

bl_status bl_cli_writable_experiment(const char *name, const char *what, bl_err *err) {
    if (bl_cli_experiments_of(name) == bl_cli_experiments_dir) return BL_OK;
    BL_FAIL(err, BL_EINVAL,
            "%s would write into %s/%s, which comes with the program; `batchlab new FOLDER --from "
            "%s` copies it into a project of your own",
            what, bl_cli_experiments_of(name), name, name);
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

static const char *shared_manifests(void) {
    static char shared[BL_PATH];
    const bool there = bl_cli_share_dir()[0] != '\0' &&
                       bl_path(shared, NULL, "%s/datasets", bl_cli_share_dir()) == BL_OK;
    return there ? shared : NULL;
}

bl_dataset_options bl_cli_dataset_options(bool synthetic) {
    return (bl_dataset_options){
        .manifest_dir = "datasets",
        .more_manifests = shared_manifests(),
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
