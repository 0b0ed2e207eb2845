/* What went wrong with a program, in words for its author. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/external/external_p.h"
#include "engine/external/terminal.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAST_LINES = 20, LAST_BYTES = 8192, MEMORY_BYTES = 4096 };

bool bl_external_says_memory(const bl_external *x) {
    /* Of PyTorch, NumPy, JAX, C++ and the C library. */
    static const char *const words[] = {"out of memory",     "outofmemory",
                                        "memoryerror",       "resource_exhausted",
                                        "std::bad_alloc",    "cannot allocate memory",
                                        "unable to allocate"};
    char path[BL_PATH];
    bl_buf text = {0};
    bool says = false;
    if (bl_path(path, NULL, "%s/out.log", x->dir) != BL_OK) return false;
    bl_external_last_lines(&text, path, SIZE_MAX, MEMORY_BYTES);
    for (size_t i = 0; i < text.len; i++) text.data[i] = (char)tolower((unsigned char)text.data[i]);
    for (size_t i = 0; i < BL_COUNT(words); i++)
        says = says || strstr(bl_buf_text(&text), words[i]) != NULL;
    bl_buf_free(&text);
    return says;
}

/* Appends what of the text's end fits into `room` bytes, from the beginning of a line where it can.
 */
static void add_end(bl_buf *out, const bl_buf *text, size_t room) {
    size_t from = text->len > room ? text->len - room : 0;
    const char *stop = from > 0 ? memchr(text->data + from, '\n', text->len - from) : NULL;
    if (stop != NULL && stop + 1 < text->data + text->len) from = (size_t)(stop + 1 - text->data);
    bl_buf_add(out, bl_buf_text(text) + from, text->len - from);
}

void bl_external_last_words(bl_buf *out, const char *dir, size_t room) {
    char path[BL_PATH];
    bl_buf text = {0}, shown = {0};
    if (bl_path(path, NULL, "%s/out.log", dir) == BL_OK)
        bl_external_last_lines(&text, path, LAST_LINES, LAST_BYTES);
    for (size_t at = 0; at < text.len;) {
        const char *stop = memchr(text.data + at, '\n', text.len - at);
        const size_t n = stop != NULL ? (size_t)(stop - text.data) - at : text.len - at;
        bl_buf_str(&shown, "    ");
        bl_external_shown(&shown, text.data + at, n);
        bl_buf_str(&shown, "\n");
        at += n + 1;
    }
    bl_buf_str(out, text.len > 0 ? "\nIts last lines:\n" : "\nIt wrote nothing.\n");
    add_end(out, &shown, room);
    bl_buf_free(&shown);
    bl_buf_free(&text);
}

/* The parameters, and the line that starts the program again in `folder` as a user would type
 * it. */
static void add_by_hand(bl_buf *out, const bl_external *x, const char *folder) {
    char **argv;
    bl_buf params = {0};
    bl_external_params_text(&params, &x->config, NULL);
    bl_buf_printf(out, "Parameters: %sBy hand:\n    ", bl_buf_text(&params));
    bl_buf_free(&params);
    if (strcmp(x->config.external.folder, ".") != 0)
        bl_buf_printf(out, "cd %s && ", x->config.external.folder);
    bl_buf_printf(out, "BATCHLAB_RUN=%s ", folder);
    if (bl_external_argv(&argv, &x->config, folder, NULL) != BL_OK) return;
    bl_external_argv_text(out, argv);
    bl_external_argv_free(argv);
}

/* What lies in the folder is for a start by hand: nobody is waited for, and it goes to the end. */
static void leave_for_hand(bl_external *x) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_err ignored;
    bl_external_params_text(&text, &x->config, NULL);
    if (bl_path(path, NULL, "%s/params.json", x->dir) == BL_OK &&
        bl_file_write(path, text.data, text.len, &ignored) == BL_OK &&
        bl_path(path, NULL, "%s/report.jsonl", x->dir) == BL_OK)
        (void)bl_remove_tree(path, NULL);
    bl_buf_free(&text);
    (void)bl_remove_tree(x->keep, NULL);
    if (rename(x->dir, x->keep) != 0) x->keep[0] = '\0';
}

/* A program may have removed its own folder. Says so, and makes it again for a start by hand. */
static void make_again(bl_external *x, bl_buf *text) {
    bl_err ignored;
    if (bl_dir_exists(x->dir)) return;
    bl_buf_str(text, ". Its folder, BATCHLAB_RUN, is gone");
    if (bl_make_dirs(x->dir, &ignored) == BL_OK) (void)!bl_external_write_goal(x, false, &ignored);
}

/* The message holds at most BL_ERR_TEXT bytes: the program's last lines give way, the line that
 * starts it by hand does not. */
bl_status bl_external_fail(bl_external *x, bl_err *err, const char *what, ...) {
    enum { FOR_HEADINGS = 64 };
    char words[1024], dir[BL_PATH];
    bl_buf text = {0}, by_hand = {0};
    va_list ap;
    va_start(ap, what);
    (void)vsnprintf(words, sizeof words, what, ap);
    va_end(ap);
    bl_external_child_stop(&x->child, x->config.external.grace);
    bl_buf_printf(&text, "run %s failed: %s", x->run_id, words);
    make_again(x, &text);
    bl_external_follow_tell(&text, &x->follow);
    if (x->keep[0] != '\0') leave_for_hand(x);
    (void)snprintf(dir, sizeof dir, "%s", x->keep[0] != '\0' ? x->keep : x->dir);
    add_by_hand(&by_hand, x, dir);
    const size_t rest = text.len + by_hand.len + FOR_HEADINGS;
    bl_external_last_words(&text, dir, rest < BL_ERR_TEXT ? BL_ERR_TEXT - rest : 0);
    bl_buf_add(&text, bl_buf_text(&by_hand), by_hand.len);
    const bl_status status = BL_ERR(err, BL_EPROGRAM, "%s", bl_buf_text(&text));
    bl_buf_free(&by_hand);
    bl_buf_free(&text);
    return status;
}
