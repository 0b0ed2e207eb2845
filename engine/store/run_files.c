#include "engine/store/run_files.h"
#include "engine/base/mem.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LEAST = 4 };

/* The log as it was read, and its first line as JSON: the configuration is in there. */
static bl_status parse_parts(bl_run_files *run, const char *log_path, bl_err *err) {
    BL_TRY(bl_runlog_parse(&run->parsed, bl_buf_text(&run->log), run->log.len, log_path, err));
    const size_t line = strcspn(run->log.data, "\n");
    return bl_json_parse(&run->header, run->log.data, line, log_path, 1, err);
}

/* The seal of the result and its digest of the log are not checked here: fsck does that. */
static bl_status read_done(bl_run_files *run, const char *path, bl_err *err) {
    char log_path[BL_PATH], result_path[BL_PATH];
    BL_TRY(bl_path(log_path, err, "%s/log.jsonl.gz", path));
    BL_TRY(bl_path(result_path, err, "%s/result.json", path));
    bl_buf text = {0};
    const bl_status status = bl_store_read_result(&run->result, &text, result_path, err);
    bl_buf_free(&text);
    if (status != BL_OK) return status;
    BL_TRY(bl_runlog_read(&run->log, log_path, err));
    return parse_parts(run, log_path, err);
}

/* What `path` is decides what is read:
 *
 *     a file                            a log by itself; "done" is all that can be said of it
 *     a folder with result.json         the run's published log and its result
 *     a folder with log.jsonl.part      an interrupted run, up to its last checkpoint; "failed"
 *                                       where it has what a program that failed left
 *     another folder                    BL_EMISSING
 */
static bl_status read_any(bl_run_files *run, const char *path, bl_err *err) {
    char file[BL_PATH];
    BL_TRY(bl_path(run->dir, err, "%s", path));
    run->state = "done";
    if (!bl_dir_exists(path)) {
        BL_TRY(bl_runlog_read(&run->log, path, err));
        return parse_parts(run, path, err);
    }
    BL_TRY(bl_path(file, err, "%s/result.json", path));
    if (bl_file_exists(file)) return read_done(run, path, err);
    BL_TRY(bl_path(file, err, "%s/" BL_STORE_FAILED, path));
    run->state = bl_dir_exists(file) ? "failed" : "interrupted";
    BL_TRY(bl_path(file, err, "%s/log.jsonl.part", path));
    if (!bl_file_exists(file)) BL_FAIL(err, BL_EMISSING, "%s holds no run", path);
    BL_TRY(bl_file_read(&run->log, file, BL_RUNLOG_LIMIT, err));
    return parse_parts(run, file, err);
}

bl_status bl_run_files_read(bl_run_files *out, const char *path, bl_err *err) {
    *out = (bl_run_files){0};
    const bl_status status = read_any(out, path, err);
    if (status != BL_OK) bl_run_files_free(out);
    return status;
}

void bl_run_files_free(bl_run_files *run) {
    bl_buf_free(&run->log);
    bl_runlog_free(&run->parsed);
    bl_json_free(&run->header);
    bl_json_free(&run->result);
    *run = (bl_run_files){0};
}

/* Looks at one experiment's folder. `id` is the run found so far, "" for none. */
static bl_status find_in(char path[BL_PATH], char id[BL_RUN_ID], const char *dir, const char *word,
                         bl_err *err) {
    bl_names names;
    bl_status status = BL_OK;
    BL_TRY(bl_dir_list(&names, dir, err));
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        const char *name = names.name[i];
        if (!bl_store_is_run_id(name) || strncmp(name, word, strlen(word)) != 0) continue;
        if (id[0] == '\0') {
            memcpy(id, name, BL_RUN_ID);
            status = bl_path(path, err, "%s/%s", dir, name);
        } else if (strcmp(id, name) != 0) {
            status = BL_ERR(err, BL_EINVAL,
                            "'%s' begins the ids of several runs, %s and %s among them; give "
                            "more digits",
                            word, id, name);
        }
    }
    bl_names_free(&names);
    return status;
}

/* A word with a slash is a path. Else it is the beginning of an id, which one run of all stores has
 * to have. */
bl_status bl_run_find(char path[BL_PATH], const char *runs_dir, const char *word, bl_err *err) {
    if (strchr(word, '/') != NULL) {
        if (!bl_file_exists(word) && !bl_dir_exists(word))
            BL_FAIL(err, BL_EMISSING, "there is no file or folder %s", word);
        return bl_path(path, err, "%s", word);
    }
    const size_t digits = word[0] == 'r' ? strspn(word + 1, "0123456789abcdef") : 0;
    if (digits + 1 < LEAST || word[digits + 1] != '\0' || digits + 1 > BL_RUN_ID - 1)
        BL_FAIL(err, BL_EINVAL,
                "'%s' is not a run: write at least the first %d characters of its id, which begins "
                "with r, or the path of a log",
                word, LEAST);
    char id[BL_RUN_ID] = "", dir[BL_PATH];
    bl_names names = {0};
    bl_status status = BL_OK;
    if (bl_dir_exists(runs_dir)) status = bl_dir_list(&names, runs_dir, err);
    for (size_t i = 0; status == BL_OK && i < names.count; i++) {
        status = bl_path(dir, err, "%s/%s", runs_dir, names.name[i]);
        if (status == BL_OK && bl_dir_exists(dir)) status = find_in(path, id, dir, word, err);
    }
    bl_names_free(&names);
    if (status == BL_OK && id[0] == '\0')
        BL_FAIL(err, BL_EMISSING,
                "no run in %s/ has an id that begins with '%s'; `batchlab ls` "
                "lists them",
                runs_dir, word);
    return status;
}
