/* What a program is like, seen by starting it once. Its level of docs/external.md follows from
 * what it does:
 *
 *     0   it reports nothing       its tables and its output are searched for values (guess.h)
 *     1   it reports evaluations   but says that it does not wait at its goal
 *     2   it waits                 so its steps can be timed
 *     3   it has saved a state     so it can be paused
 *
 * It is let run until it has had `seconds` since its first evaluation and three of them in all,
 * then parked. */
#include "engine/external/first_start.h"
#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include "engine/external/child.h"
#include "engine/external/exchange.h"
#include "engine/external/external_p.h"
#include "engine/external/follow.h"
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_EVALS = 512, ENOUGH_POINTS = 3, MOST_OUTPUT = 8 << 20, LAST_WORDS = 1500 };

/* Seconds to save and end when it is parked, and between two looks at output. */
static const double k_grace = 60.0, k_look = 0.5;

/* While it runs. */
typedef struct start {
    const bl_external_ask *ask;
    bl_external_first *out;
    bl_external_child child;
    bl_external_follow follow;
    bool begun, waits, saves, saved, arrived;
    char error[BL_EXTERNAL_WHY];
    double life, first, looked; /* the clock at its last word, first evaluation, last look */
    double told;                /* or when it was last said that it is quiet */
    int64_t written;            /* bytes of its output then */
} start;

/* ---- the folder ---- */

/* Evaluations 5 % apart, from step 1 to `until`: at most MOST_EVALS, of which the last is
 * `until`. */
static bl_status write_goal(const start *s, bool park, bl_err *err) {
    char path[BL_PATH];
    int64_t evals[MOST_EVALS];
    size_t n = 0;
    bl_buf text = {0};
    for (int64_t step = 1; step <= s->ask->until && n < MOST_EVALS;) {
        evals[n++] = step;
        step = (int64_t)fmax((double)step + 1.0, ceil((double)step * 1.05));
    }
    if (evals[n - 1] != s->ask->until) evals[n - 1] = s->ask->until;
    const bl_external_goal goal = {
        .until = s->ask->until, .park = park, .evals = evals, .eval_count = n};
    bl_external_goal_text(&text, &goal);
    bl_status status = bl_path(path, err, "%s/goal.json", s->ask->dir);
    if (status == BL_OK) status = bl_file_write(path, text.data, text.len, err);
    bl_buf_free(&text);
    return status;
}

/* params.json without a parameter. */
static bl_status write_params(const start *s, bl_err *err) {
    static const double an_hour = 3600.0;
    char path[BL_PATH], beat[BL_PATH];
    bl_buf text = {0};
    BL_TRY(bl_path(beat, err, "%s/beat", s->ask->dir));
    BL_TRY(bl_file_write(beat, "", 0, err));
    const bl_external_care care = {
        .beat = beat, .stale = an_hour, .save_seconds = (double)INFINITY, .checkpoint = true};
    bl_external_params_text(&text, NULL, &care);
    bl_status status = bl_path(path, err, "%s/params.json", s->ask->dir);
    if (status == BL_OK) status = bl_file_write(path, text.data, text.len, err);
    bl_buf_free(&text);
    return status;
}

/* ---- what it says ---- */

/* A line whose member "args" has the parameters that the script asks for. Of several the last one
 * counts that has any. */
static void take_args(bl_external_first *out, const char *line, size_t n) {
    bl_json_doc doc;
    bl_err ignored;
    bl_buf tamed = {0};
    bl_buf_add(&tamed, line, n);
    bl_external_tame(tamed.data, tamed.len);
    const bl_status status =
        bl_json_parse(&doc, bl_buf_text(&tamed), tamed.len, "report.jsonl", 1, &ignored);
    bl_buf_free(&tamed);
    if (status != BL_OK) return;
    const bl_json *args = bl_json_get(doc.root, "args");
    if (args == NULL || args->type != BL_JSON_OBJECT || args->count == 0) {
        bl_json_free(&doc);
        return;
    }
    bl_json_free(&out->said);
    out->said = doc;
    out->args = args;
}

/* Steps that do not ascend are left out. */
static void take_eval(start *s, const bl_external_line *line) {
    bl_external_guess *g = &s->out->guess;
    if (s->first == 0.0) s->first = bl_clock_seconds();
    if (g->points > 0 && line->step <= g->point[g->points - 1].step) return;
    *BL_PUSH(g->point, g->points, "evaluations") = (bl_external_point){line->step, line->value};
}

/* Nothing is refused here: the first start finds out what a program can do. A mark at the step
 * that was asked for is the end of it. train_s over steps is the first guess of a step's time. */
static void take_line(start *s, const bl_external_line *line) {
    bl_external_first *out = s->out;
    switch (line->word) {
    case BL_EXTERNAL_START:
        s->begun = true;
        s->waits = line->waits;
        s->saves = line->saves;
        break;
    case BL_EXTERNAL_EVAL:
        s->begun = true;
        take_eval(s, line);
        break;
    case BL_EXTERNAL_MARK:
        s->arrived = line->step >= s->ask->until;
        break;
    case BL_EXTERNAL_SAVED:
        s->saved = true;
        break;
    case BL_EXTERNAL_ERROR:
        memcpy(s->error, line->why, sizeof s->error);
        break;
    case BL_EXTERNAL_END:
    case BL_EXTERNAL_SAVING:
    case BL_EXTERNAL_NOTHING:
        break;
    }
    if (line->word != BL_EXTERNAL_EVAL && line->word != BL_EXTERNAL_MARK) return;
    out->steps = line->step > out->steps ? line->step : out->steps;
    if (line->train_s > 0.0 && line->step > 0) out->step_s = line->train_s / (double)line->step;
}

/* All whole lines that are there. BL_EFORMAT: one is no JSON. */
static bl_status listen(start *s, bl_err *err) {
    for (;;) {
        bl_external_line line;
        const char *text;
        size_t n;
        if (!bl_external_follow_next(&s->follow, &text, &n)) return BL_OK;
        s->life = bl_clock_seconds();
        take_args(s->out, text, n);
        BL_TRY(bl_external_line_read(&line, text, n, "report.jsonl", s->follow.number, err));
        take_line(s, &line);
    }
}

/* ---- what it writes, if it says nothing ---- */

/* The first bytes of a file, up to the end of a line where it has more. */
static bool read_begin(bl_buf *out, const char *path) {
    FILE *file = fopen(path, "rbe");
    if (file == NULL) return false;
    char block[1 << 16];
    for (size_t n; out->len <= MOST_OUTPUT && (n = fread(block, 1, sizeof block, file)) > 0;)
        bl_buf_add(out, block, n);
    (void)fclose(file);
    if (out->len <= MOST_OUTPUT) return true;
    while (out->len > 0 && strchr("\r\n", out->data[out->len - 1]) == NULL)
        bl_buf_truncate(out, out->len - 1);
    return true;
}

/* Replaces the guess by that from one file of its folder. False: nothing there fits. */
static bool guess_in(start *s, const char *name, bool table) {
    char path[BL_PATH];
    bl_buf text = {0};
    bl_external_guess_free(&s->out->guess);
    const bool fits = bl_path(path, NULL, "%s/%s", s->ask->dir, name) == BL_OK &&
                      !bl_file_is_other(path) && read_begin(&text, path) &&
                      bl_external_guess_from(&s->out->guess, bl_buf_text(&text), text.len,
                                             table ? name : NULL, s->ask->metric);
    bl_buf_free(&text);
    return fits;
}

/* Tables in its folder first: they are meant to be read. */
static bool guess(start *s) {
    bl_names names;
    bl_err ignored;
    bool fits = false;
    if (bl_dir_list(&names, s->ask->dir, &ignored) == BL_OK) {
        for (size_t i = 0; i < names.count && !fits; i++) {
            const size_t n = strlen(names.name[i]);
            fits = n > 4 && strcmp(names.name[i] + n - 4, ".csv") == 0 &&
                   guess_in(s, names.name[i], true);
        }
        bl_names_free(&names);
    }
    return fits || guess_in(s, "out.log", false);
}

/* Every half second: its output is a sign of life, and may hold the first value. Once it has
 * reported, that counts alone. */
static void look(start *s) {
    char path[BL_PATH];
    struct stat st;
    const double now = bl_clock_seconds();
    if (s->begun || now - s->looked < k_look) return;
    s->looked = now;
    if (bl_path(path, NULL, "%s/out.log", s->ask->dir) == BL_OK && stat(path, &st) == 0 &&
        st.st_size != s->written) {
        s->written = st.st_size;
        s->life = now;
    }
    if (guess(s) && s->first == 0.0) s->first = now;
}

/* ---- the run ---- */

static bl_status fail(start *s, bl_err *err, const char *what, int number) {
    bl_buf text = {0};
    bl_external_child_stop(&s->child, k_grace);
    bl_buf_printf(&text, "the program failed: ");
    if (s->error[0] != '\0')
        bl_buf_printf(&text, "it reports: %s", s->error);
    else
        bl_buf_printf(&text, "%s %d", what, number);
    bl_external_last_words(&text, s->ask->dir, LAST_WORDS);
    bl_buf_str(&text, "It was started without parameters, in this folder, by\n    ");
    bl_external_argv_text(&text, s->ask->argv);
    const bl_status status = BL_ERR(err, BL_EPROGRAM, "%s", bl_buf_text(&text));
    bl_buf_free(&text);
    return status;
}

/* Until it has said enough, or is over. */
static bl_status follow_it(start *s, bool *ended, bl_err *err, const bl_train_pause *pause) {
    for (;;) {
        *ended = bl_external_child_ended(&s->child);
        BL_TRY(listen(s, err));
        look(s);
        const double now = bl_clock_seconds();
        const bool enough = s->out->guess.points >= ENOUGH_POINTS && s->first > 0.0 &&
                            now - s->first > s->ask->seconds;
        if (*ended || enough || s->arrived || s->error[0] != '\0') return BL_OK;
        if (now - fmax(s->life, s->told) > s->ask->silence) {
            s->ask->is_quiet(now - s->life);
            s->told = now;
        }
        if (pause->due(pause->ctx)) BL_FAIL(err, BL_EINTERRUPTED, "interrupted");
        const struct timespec nap = {0, 2000000};
        (void)nanosleep(&nap, NULL);
    }
}

/* One that waits may save first. One that knows no goal is only stopped. */
static bl_status park(start *s, bl_err *err) {
    const double begin = bl_clock_seconds();
    BL_TRY(write_goal(s, true, err));
    while (s->begun && s->waits && !bl_external_child_ended(&s->child) &&
           bl_clock_seconds() - begin < k_grace) {
        const struct timespec nap = {0, 2000000};
        (void)nanosleep(&nap, NULL);
    }
    bl_external_child_stop(&s->child, s->begun ? k_grace : 1.0);
    return listen(s, err);
}

static void judge_level(start *s) {
    bl_external_first *out = s->out;
    out->level = !s->begun ? 0 : !s->waits ? 1 : s->saved ? 3 : 2;
    out->with_evaluations = out->level < 2;
    if (out->level == 0) (void)guess(s);
    const bl_external_guess *g = &out->guess;
    if (g->points > 0 && g->point[g->points - 1].step > out->steps)
        out->steps = g->point[g->points - 1].step;
}

/* Sets out->step_s where the program says no time: the wall time over its steps, evaluations
 * included. */
static bl_status run(start *s, const bl_train_pause *pause, bl_err *err) {
    bool ended;
    const double began = bl_clock_seconds();
    s->life = began;
    BL_TRY(follow_it(s, &ended, err, pause));
    const double took = bl_clock_seconds() - began;
    const int status = s->child.status;
    if (s->error[0] != '\0' || (ended && status != 0 && status != BL_EXIT_RESUMABLE))
        return fail(s, err, status > 128 ? "it was killed: status" : "it ended with status",
                    status);
    if (!ended) BL_TRY(park(s, err));
    judge_level(s);
    if (s->out->with_evaluations && s->out->steps > 0)
        s->out->step_s = took / (double)s->out->steps;
    return BL_OK;
}

/* {run} in the command is the folder. */
static char **with_folder(const bl_external_ask *ask) {
    char **argv = NULL;
    size_t n = 0;
    for (size_t i = 0; ask->argv[i] != NULL; i++) {
        bl_buf word = {0};
        const char *at = ask->argv[i];
        for (const char *run; (run = strstr(at, "{run}")) != NULL; at = run + 5) {
            bl_buf_add(&word, at, (size_t)(run - at));
            bl_buf_str(&word, ask->dir);
        }
        bl_buf_str(&word, at);
        *BL_PUSH(argv, n, "words") = bl_xstrdup(bl_buf_text(&word));
        bl_buf_free(&word);
    }
    *BL_PUSH(argv, n, "words") = NULL;
    return argv;
}

bl_status bl_external_first_start(bl_external_first *out, const bl_external_ask *ask,
                                  const bl_train_pause *pause, bl_err *err) {
    char log[BL_PATH];
    start s = {.ask = ask, .out = out, .waits = true};
    *out = (bl_external_first){.step_s = (double)NAN};
    BL_TRY(bl_path(log, err, "%s/out.log", ask->dir));
    BL_TRY(bl_path(s.follow.path, err, "%s/report.jsonl", ask->dir));
    BL_TRY(write_params(&s, err));
    BL_TRY(write_goal(&s, false, err));
    char **argv = with_folder(ask);
    bl_status status = bl_external_child_start(&s.child, argv, ".", ask->dir, NULL, log, err);
    bl_external_argv_free(argv);
    if (status == BL_OK) status = run(&s, pause, err);
    bl_external_child_free(&s.child);
    bl_external_follow_free(&s.follow);
    return status;
}

void bl_external_first_free(bl_external_first *first) {
    bl_json_free(&first->said);
    bl_external_guess_free(&first->guess);
}
