#include "engine/cli/init_command.h"
#include "engine/base/format.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "engine/cli/experiment.h"
#include "engine/cli/given_files.h"
#include "engine/cli/signals.h"
#include "engine/external/first_start.h"
#include "engine/external/words.h"
#include "engine/starter/program_text.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is asked of the first start: steps, and seconds since its first evaluation. */
enum { STEPS = 500, SECONDS = 20, SILENCE = 60 };

typedef struct init {
    const bl_cli_init_command *wish;
    char name[BL_NAME];
    bl_external_words words;
    bl_external_first first;
    bl_starter_program plan;
    bool said[BL_EXTERNAL_PARAMS]; /* which parameters the script asks for by args() */
    bool written[2], rises;
    size_t trials; /* of the first round */
} init;

/* ---- words ---- */

/* To stderr: lines of at most 80 columns, what goes on is indented. */
static void say(const bl_buf *text) {
    enum { WIDTH = 80, INDENT = 4 };
    for (const char *at = bl_buf_text(text); *at != '\0';) {
        size_t n = strcspn(at, "\n");
        for (size_t indent = 0; n > 0; indent = INDENT) {
            size_t end = n, room = WIDTH - indent;
            if (n > room) {
                for (end = room; end > INDENT && at[end] != ' ';) end--;
                if (at[end] != ' ') end = room;
            }
            bl_cli_printf(stderr, "%*s%.*s\n", (int)indent, "", (int)end, at);
            while (end < n && at[end] == ' ') end++;
            at += end;
            n -= end;
        }
        at += *at == '\n';
    }
}

static bl_status count_rows(int64_t *out, const char *text, bl_err *err) {
    char *end;
    *out = 0;
    if (text == NULL) return BL_OK;
    const long long rows = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || rows < 1)
        BL_FAIL(err, BL_EINVAL, "--rows is the number of examples of an epoch, not '%s'", text);
    *out = rows;
    return BL_OK;
}

/* ---- starting ---- */

static bool is_interrupted(void *ctx) {
    (void)ctx;
    return __atomic_load_n(&bl_cli_interrupted, __ATOMIC_RELAXED) != 0;
}

static void say_quiet(double seconds) {
    bl_cli_printf(stderr, "it has written nothing for %.0f seconds; Ctrl-C ends it\n", seconds);
}

/* In a folder of its own that is removed whatever comes of it. */
static bl_status start(init *t, bl_err *err) {
    char dir[BL_PATH];
    const char *tmp = getenv("TMPDIR");
    char **argv = bl_xalloc((t->words.starts + 1) * sizeof *argv);
    for (size_t i = 0; i < t->words.starts; i++) argv[i] = t->words.start[i];
    bl_status status = bl_path(dir, err, "%s/batchlab-init-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (status == BL_OK && mkdtemp(dir) == NULL)
        status = BL_ERR(err, BL_EIO, "cannot make a folder in %s", tmp != NULL ? tmp : "/tmp");
    if (status == BL_OK) {
        const bl_train_pause pause = {.due = is_interrupted};
        const bl_external_ask ask = {.argv = argv,
                                     .dir = dir,
                                     .metric = t->wish->metric,
                                     .until = STEPS,
                                     .seconds = SECONDS,
                                     .is_quiet = say_quiet,
                                     .silence = SILENCE};
        bl_cli_catch_signals();
        bl_cli_printf(stderr, "starting it once: %s\n", t->wish->line);
        status = bl_external_first_start(&t->first, &ask, &pause, err);
        (void)bl_remove_tree(dir, NULL);
    }
    free(argv);
    return status;
}

/* ---- understanding ---- */

/* The parameter in the script's own args(); NULL: it does not ask for it. */
static const bl_json *arg_of(const init *t, bl_external_param param) {
    return bl_json_get(t->first.args, bl_external_param_name(param));
}

/* The names that the script asks for, in words: it may call them otherwise. */
static void list_args(const init *t, bl_buf *out) {
    const bl_json *m = t->first.args != NULL ? t->first.args->first : NULL;
    if (m != NULL) bl_buf_str(out, ": it asks for ");
    for (bool first = true; m != NULL; m = m->next, first = false)
        bl_buf_printf(out, "%s%s", first ? "" : ", ", m->key);
}

/* Batch size and rate are what a sweep varies: a program that takes neither cannot be asked. */
static bl_status need_param(init *t, bl_external_param param, const char *option, bl_err *err) {
    bl_buf asked = {0};
    const char *name = bl_external_param_name(param);
    const bl_json *said = arg_of(t, param);
    if (said != NULL && said->type == BL_JSON_NUMBER) {
        t->said[param] = true;
        t->words.value[param] = said->number;
    }
    if (t->said[param] || t->words.takes[param]) return BL_OK;
    list_args(t, &asked);
    (void)BL_ERR(
        err, BL_EINVAL,
        "the program ran, but takes no '%s' from batchlab%s. Give it as an option in the line "
        "(%s), as {%s}, or ask for it: a = batchlab.args(batch_size=64, learning_rate=0.001, "
        "seed=1)",
        name, bl_buf_text(&asked), option, name);
    bl_buf_free(&asked);
    return BL_EINVAL;
}

/* Two points at least, with words on what the program lacks: steps, or evaluations at the steps
 * that are asked for. */
static bl_status need_values(const init *t, bl_err *err) {
    const bl_external_guess *g = &t->first.guess;
    if (g->points >= 2) return BL_OK;
    if (t->first.level > 0)
        BL_FAIL(err, BL_EINVAL,
                "the program reports %zu evaluations within %" PRId64
                " steps, too few to see what it reaches: evaluate where batchlab.due(step) is true",
                g->points, t->first.steps);
    BL_FAIL(err, BL_EINVAL,
            "the program ran, but nothing that it wrote has a step and a value that ascend "
            "together%s. Print \"step 200 val_loss 0.41\" now and then, or use batchlab.report "
            "(docs/external.md)%s",
            g->starts_over ? "; its steps start over with each epoch, and batchlab needs one count"
            : g->epochs    ? "; it counts epochs, and batchlab needs steps"
                           : "",
            t->wish->metric != NULL ? ". --metric is the word before the value" : "");
}

/* The steps after which the harder target was reached; 0: it was not. */
static int64_t reached(const init *t) {
    const bl_external_guess *g = &t->first.guess;
    for (size_t i = 0; i < g->points; i++)
        if (g->point[i].value <= t->plan.targets[1]) return g->point[i].step;
    return 0;
}

/* First, best and what the targets rest on. A target within few steps says little of batch sizes:
 * it is made harder. */
static void measure(init *t) {
    const int64_t few = t->first.steps < 60 ? t->first.steps / 2 : 30;
    static const double hardest = 1e-4;
    const bl_external_guess *g = &t->first.guess;
    bl_starter_program *p = &t->plan;
    double left = 0.1;
    double highest = -(double)INFINITY;
    p->first = p->best = (double)NAN;
    for (size_t i = 0; i < g->points; i++) {
        const double value = g->point[i].value;
        if (!isfinite(value)) continue;
        if (isnan(p->first)) p->first = p->best = value;
        highest = fmax(highest, value);
        if (value < p->best) {
            p->best = value;
            p->best_step = g->point[i].step;
        }
    }
    t->rises = highest - p->first > p->first - p->best;
    bl_starter_program_targets(p, left);
    for (; left > hardest && reached(t) < few; left /= 2) bl_starter_program_targets(p, left);
    bl_starter_program_sizes(p, reached(t));
}

/* Then it needs no options. */
static bool asks_for_all(const init *t) {
    return t->said[BL_EXTERNAL_BATCH_SIZE] && t->said[BL_EXTERNAL_LEARNING_RATE];
}

/* What was seen becomes t->plan. The order is that of what a user can mend first: values, batch
 * size, rate. */
static bl_status understand(init *t, bl_err *err) {
    bl_starter_program *p = &t->plan;
    const bl_external_guess *g = &t->first.guess;
    const bl_json *seed = arg_of(t, BL_EXTERNAL_SEED);
    BL_TRY(need_values(t, err));
    BL_TRY(need_param(t, BL_EXTERNAL_BATCH_SIZE, "--batch-size 64", err));
    BL_TRY(need_param(t, BL_EXTERNAL_LEARNING_RATE, "--lr 0.001", err));
    t->said[BL_EXTERNAL_SEED] = seed != NULL;
    if (seed != NULL && seed->type == BL_JSON_NUMBER)
        t->words.value[BL_EXTERNAL_SEED] = seed->number;
    p->name = t->name;
    p->line = t->wish->line;
    p->word = t->words.word;
    p->words = asks_for_all(t) ? t->words.typed : t->words.words;
    p->input = t->words.input;
    p->inputs = t->words.inputs;
    p->scrape = g->scrape;
    p->metric =
        t->first.level > 0 ? (t->wish->metric != NULL ? t->wish->metric : "value") : g->metric;
    p->args = t->first.args;
    p->steps = t->first.steps;
    p->batch_size = (int64_t)fmax(1.0, t->words.value[BL_EXTERNAL_BATCH_SIZE]);
    p->learning_rate = t->words.value[BL_EXTERNAL_LEARNING_RATE];
    if (!(p->learning_rate > 0.0)) p->learning_rate = 0.001;
    measure(t);
    if (!(p->targets[1] > 0.0))
        BL_FAIL(err, BL_EINVAL,
                "'%s' came to %g: batchlab needs a value above 0 that is lower the better it is, "
                "such as an error or a loss",
                p->metric, p->best);
    return BL_OK;
}

/* ---- telling ---- */

static void tell_parameters(const init *t, bl_buf *out) {
    bl_buf_str(out, "parameters: ");
    for (size_t i = 0; i < BL_EXTERNAL_PARAMS; i++)
        if (t->said[i] || t->words.takes[i])
            bl_buf_printf(out, "%s%s = %.12g", i > 0 ? ", " : "",
                          bl_external_param_name((bl_external_param)i), t->words.value[i]);
    for (const bl_json *m = t->first.args != NULL ? t->first.args->first : NULL; m != NULL;
         m = m->next)
        if (bl_starter_program_setting(m)) bl_buf_printf(out, ", %s", m->key);
    bl_buf_str(out, "\n");
    if (!t->said[BL_EXTERNAL_SEED] && !t->words.takes[BL_EXTERNAL_SEED])
        bl_buf_str(out, "It takes no seed: what it repeats is the same run again, or differs by "
                        "chance.\n");
}

static void tell_metric(const init *t, bl_buf *out) {
    const bl_starter_program *p = &t->plan;
    bl_buf_printf(out, "metric: %s, %.4g at first and %.4g at best (step %" PRId64 ")\n", p->metric,
                  p->first, p->best, p->best_step > 0 ? p->best_step : 1);
    if (t->first.level == 0) bl_buf_printf(out, "read from: %s\n", p->scrape);
    if (t->rises)
        bl_buf_printf(out,
                      "warning: '%s' rises, and batchlab takes lower for better. Of an accuracy, "
                      "report 1 minus it.\n",
                      p->metric);
    else if (!(p->best < p->first))
        bl_buf_printf(out,
                      "warning: '%s' never fell below its first value, so the target says little. "
                      "Set one in experiment.cfg.\n",
                      p->metric);
}

static void tell_steps(const init *t, bl_buf *out) {
    bl_buf_printf(out, "steps seen: %" PRId64 ", evaluations: %zu", t->first.steps,
                  t->first.guess.points);
    if (t->first.step_s > 0.0) {
        bl_buf_str(out, ", ");
        bl_format_duration(out, t->first.step_s);
        bl_buf_printf(out, " a step%s", t->first.with_evaluations ? ", evaluations included" : "");
    }
    bl_buf_str(out, "\n");
}

/* What it does today, and what the next level adds (docs/external.md). */
static void tell_level(const init *t, bl_buf *out) {
    static const char *const is[] = {
        "it is only read: budgets, fits and figures",
        "it evaluates at the steps of the grid",
        "it waits for more steps: times, and races that extend runs",
        "it saves its state: pauses, resuming, many workers, --time-limit",
    };
    static const char *const next[] = {
        "level 1 would be: if batchlab.due(step): batchlab.report(step, value). It gives the exact "
        "grid of evaluations.",
        "level 2 would be: for step in batchlab.steps(): instead of range. It gives times, and "
        "races: a run goes on while it is worth it.",
        "level 3 would be: batchlab.steps(start, save), and batchlab.state() to load. It gives "
        "pauses, resuming, many workers and --time-limit.",
        "That is the last level.",
    };
    bl_buf_printf(out, "level %d of 3: %s\n%s\n", t->first.level, is[t->first.level],
                  next[t->first.level]);
}

static void tell(const init *t) {
    bl_buf text = {0};
    bl_buf_str(&text, "inputs:");
    for (size_t i = 0; i < t->words.inputs; i++)
        bl_buf_printf(&text, "%s %s", i > 0 ? "," : "", t->words.input[i]);
    bl_buf_str(&text, t->words.inputs > 0 ? "; add data that may change\n"
                                          : " none found; add the files that decide what it "
                                            "computes\n");
    tell_parameters(t, &text);
    tell_metric(t, &text);
    tell_steps(t, &text);
    if (t->plan.rows == 0)
        bl_buf_printf(&text,
                      "epoch_rows = %d is a guess: give --rows, or write how many examples an "
                      "epoch has.\n",
                      BL_STARTER_PROGRAM_ROWS);
    tell_level(t, &text);
    bl_buf_printf(&text,
                  "next: batchlab check %s --twice, then batchlab run %s (%zu runs at "
                  "first)\n",
                  t->name, t->name, t->trials);
    say(&text);
    bl_buf_free(&text);
}

/* ---- writing and checking ---- */

static const char *const k_files[] = {"experiment.cfg", "sweep.lua"};

static bl_status write_file(init *t, size_t i, bl_err *err) {
    char path[BL_PATH];
    bl_buf text = {0};
    bool won = false;
    if (i == 0)
        bl_starter_program_config(&t->plan, &text);
    else
        bl_starter_program_script(&text);
    bl_status status = bl_path(path, err, "%s/%s", bl_cli_experiments_dir, t->name);
    if (status == BL_OK) status = bl_make_dirs(path, err);
    if (status == BL_OK)
        status = bl_path(path, err, "%s/%s/%s", bl_cli_experiments_dir, t->name, k_files[i]);
    if (status == BL_OK) status = bl_file_publish(path, bl_buf_text(&text), text.len, &won, err);
    if (status == BL_OK && !won)
        status = BL_ERR(err, BL_EINVAL, "%s exists and is left alone; choose another --name", path);
    t->written[i] = status == BL_OK;
    bl_buf_free(&text);
    return status;
}

static void take_back(const init *t) {
    char path[BL_PATH];
    for (size_t i = 0; i < BL_COUNT(k_files); i++)
        if (t->written[i] &&
            bl_path(path, NULL, "%s/%s/%s", bl_cli_experiments_dir, t->name, k_files[i]) == BL_OK)
            (void)unlink(path);
    if (bl_path(path, NULL, "%s/%s", bl_cli_experiments_dir, t->name) == BL_OK) (void)rmdir(path);
}

static bl_status write_all(init *t, bl_err *err) {
    bl_status status = BL_OK;
    for (size_t i = 0; i < BL_COUNT(k_files) && status == BL_OK; i++)
        status = write_file(t, i, err);
    if (status == BL_OK) status = bl_experiment_check_written(t->name, &t->trials, err);
    if (status != BL_OK) take_back(t);
    return status;
}

/* A name that is taken is said before the program is started. */
static bl_status choose_name(init *t, bl_err *err) {
    char path[BL_PATH];
    const char *from = t->words.inputs > 0 ? t->words.input[0] : t->words.word[0];
    BL_TRY(bl_given_name(t->name, from, t->wish->name, err));
    BL_TRY(bl_path(path, err, "%s/%s/%s", bl_cli_experiments_dir, t->name, k_files[0]));
    if (bl_file_exists(path))
        BL_FAIL(err, BL_EINVAL, "%s exists and is left alone; choose another --name", path);
    return BL_OK;
}

static bl_status make(init *t, bl_err *err) {
    if (!bl_dir_exists(bl_cli_lua_dir()))
        BL_FAIL(err, BL_EINVAL, "there is no %s here: run batchlab in the folder of its project",
                bl_cli_lua_dir());
    if (!bl_text_is_plain(t->wish->line))
        BL_FAIL(err, BL_EINVAL,
                "--command is one line of plain text: && or ; stands between two commands");
    BL_TRY(count_rows(&t->plan.rows, t->wish->rows, err));
    BL_TRY(bl_external_words_read(&t->words, t->wish->line, err));
    BL_TRY(choose_name(t, err));
    BL_TRY(start(t, err));
    BL_TRY(understand(t, err));
    BL_TRY(write_all(t, err));
    tell(t);
    for (size_t i = 0; i < BL_COUNT(k_files); i++)
        bl_cli_printf(stdout, "%s/%s/%s\n", bl_cli_experiments_dir, t->name, k_files[i]);
    return BL_OK;
}

int bl_cli_init_program(const bl_args *args, const bl_cli_init_command *wish) {
    bl_err err = {0};
    if (args->operand != NULL)
        return bl_cli_usage(args, "--command is for a program, and %s is a table: give one of them",
                            args->operand);
    init *t = bl_xalloc(sizeof *t);
    t->wish = wish;
    const bl_status status = make(t, &err);
    bl_external_words_free(&t->words);
    bl_external_first_free(&t->first);
    free(t);
    return status == BL_OK ? BL_EXIT_DONE : bl_cli_fail(&err);
}
