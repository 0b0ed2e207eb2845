/* The stamp beside a report: hashes of its inputs, the names of its outputs, the hash of the
 * words that are said again, and whether it holds an answer. For instance
 *
 *     9f1c... plan.jsonl
 *     07aa... timing.json
 *     51d0... scaling.gp                     (a template)
 *     program 3145728 1764500000000000000 4711
 *     output recommendation.txt
 *     output scaling.svg
 *     c2e9... recommendation.txt
 *     answered
 *
 * The lines up to the program's are the inputs. They are made anew each time and compared byte for
 * byte; the program is named by size, time and inode, as hashing it would take longer than drawing.
 * The last line is written last, so a note that was cut off is not taken for a whole one. */
#include "engine/report/report_stamp.h"
#include "engine/base/file.h"
#include "engine/base/sha256.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { INPUT_LIMIT = 1 << 30, NOTE_LIMIT = 1 << 16 };
static const char k_output[] = "output ", k_words[] = "recommendation.txt",
                  k_answered[] = "answered\n", k_unanswered[] = "no answer\n";

/* Appends "DIGEST NAME". */
static void add_line(bl_buf *out, const bl_buf *text, const char *name) {
    char digest[BL_SHA256_HEX];
    bl_sha256_of(bl_buf_text(text), text->len, digest);
    bl_buf_printf(out, "%s %s\n", digest, name);
}

/* That of a file, nothing for one that is not there. */
static bl_status add_digest(bl_buf *out, const char *path, bl_err *err) {
    bl_buf text = {0};
    if (!bl_file_exists(path)) return BL_OK;
    const bl_status status = bl_file_read(&text, path, INPUT_LIMIT, err);
    const char *name = strrchr(path, '/');
    add_line(out, &text, name != NULL ? name + 1 : path);
    bl_buf_free(&text);
    return status;
}

bl_status bl_report_stamp_make(bl_buf *out, const char *run_dir, const char *templates_dir,
                               bl_err *err) {
    static const char *const files[] = {"plan.jsonl", "timing.json", "find.json", "machine.json"};
    char path[BL_PATH];
    bl_names names;
    bl_file_stamp program;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        BL_TRY(bl_path(path, err, "%s/%s", run_dir, files[i]));
        BL_TRY(add_digest(out, path, err));
    }
    BL_TRY(bl_dir_list(&names, templates_dir, err));
    bl_status status = BL_OK;
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        status = bl_path(path, err, "%s/%s", templates_dir, names.name[i]);
        if (status == BL_OK) status = add_digest(out, path, err);
    }
    bl_names_free(&names);
    if (bl_file_stat(&program, "/proc/self/exe"))
        bl_buf_printf(out, "program %" PRId64 " %" PRId64 " %" PRId64 "\n", program.size,
                      program.mtime_ns, program.inode);
    return status;
}

/* Of the lines after the inputs: are all outputs still there, are the words those that were drawn,
 * and is the last line one that a whole drawing ends with? */
static bool whole_note(const char *at, const char *report_dir, const char *words, bool *answered) {
    for (const char *end; strncmp(at, k_output, sizeof k_output - 1) == 0; at = end + 1) {
        char path[BL_PATH];
        at += sizeof k_output - 1;
        end = strchr(at, '\n');
        if (end == NULL ||
            bl_path(path, NULL, "%s/%.*s", report_dir, (int)(end - at), at) != BL_OK ||
            !bl_file_exists(path))
            return false;
    }
    if (strncmp(at, words, strlen(words)) != 0) return false;
    at += strlen(words);
    *answered = strcmp(at, k_answered) == 0;
    return *answered || strcmp(at, k_unanswered) == 0;
}

bool bl_report_stamp_text(bl_buf *words, const char *report_dir, const bl_buf *inputs,
                          bool *answered) {
    char path[BL_PATH];
    bl_buf note = {0}, line = {0};
    bl_err ignored;
    const bool same =
        bl_path(path, NULL, "%s/%s", report_dir, k_words) == BL_OK && bl_file_exists(path) &&
        bl_file_read(words, path, INPUT_LIMIT, &ignored) == BL_OK &&
        bl_path(path, NULL, "%s/%s", report_dir, BL_REPORT_NOTE) == BL_OK && bl_file_exists(path) &&
        bl_file_read(&note, path, NOTE_LIMIT, &ignored) == BL_OK && note.len > inputs->len &&
        memcmp(note.data, inputs->data, inputs->len) == 0;
    if (same) add_line(&line, words, k_words);
    const bool whole =
        same && whole_note(note.data + inputs->len, report_dir, bl_buf_text(&line), answered);
    bl_buf_free(&note);
    bl_buf_free(&line);
    if (!whole) bl_buf_clear(words);
    return whole;
}

static bl_status list_outputs(bl_buf *note, const char *report_dir, bl_err *err) {
    bl_names names;
    BL_TRY(bl_dir_list(&names, report_dir, err));
    for (size_t i = 0; i < names.count; i++) bl_buf_printf(note, "%s%s\n", k_output, names.name[i]);
    bl_names_free(&names);
    return BL_OK;
}

bl_status bl_report_stamp_write(const char *report_dir, const bl_buf *inputs, bool answered,
                                bl_err *err) {
    char path[BL_PATH];
    bl_buf note = {0};
    bl_status status = BL_OK;
    bl_buf_add(&note, inputs->data, inputs->len);
    BL_GOTO(list_outputs(&note, report_dir, err));
    BL_GOTO(bl_path(path, err, "%s/%s", report_dir, k_words));
    BL_GOTO(add_digest(&note, path, err));
    bl_buf_str(&note, answered ? k_answered : k_unanswered);
    BL_GOTO(bl_path(path, err, "%s/%s", report_dir, BL_REPORT_NOTE));
    BL_GOTO(bl_file_write(path, note.data, note.len, err));
done:
    bl_buf_free(&note);
    return status;
}
