/* batchlab diff A B: in which settings do two runs differ, and from which step on? */
#include "engine/base/mem.h"
#include "engine/cli/command.h"
#include "engine/store/run_files.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_OTHER_RUN = 1 };

/* One line per member that one side lacks or has otherwise. Returns how many. */
static size_t differing_members(const bl_json *a, const bl_json *b) {
    size_t n = 0;
    bl_buf x = {0}, y = {0};
    for (int pass = 0; pass < 2; pass++) {
        const bl_json *all = pass == 0 ? a : b;
        for (const bl_json *m = all != NULL ? all->first : NULL; m != NULL; m = m->next) {
            if (pass == 1 && bl_json_get(a, m->key) != NULL) continue;
            bl_buf_clear(&x);
            bl_buf_clear(&y);
            bl_json_show(&x, bl_json_get(a, m->key));
            bl_json_show(&y, bl_json_get(b, m->key));
            if (strcmp(bl_buf_text(&x), bl_buf_text(&y)) == 0) continue;
            bl_cli_printf(stdout, "  %-26s %s | %s\n", m->key, bl_buf_text(&x), bl_buf_text(&y));
            n++;
        }
    }
    bl_buf_free(&x);
    bl_buf_free(&y);
    return n;
}

/* The line of one member of the header of a program's run; a repeat that is not there is the first.
 */
static size_t differing_texts(const char *key, const bl_json *a, const bl_json *b) {
    bl_buf x = {0}, y = {0};
    bl_json_show(&x, a);
    bl_json_show(&y, b);
    const bool differ = strcmp(bl_buf_text(&x), bl_buf_text(&y)) != 0;
    if (differ) bl_cli_printf(stdout, "  %-26s %s | %s\n", key, bl_buf_text(&x), bl_buf_text(&y));
    bl_buf_free(&x);
    bl_buf_free(&y);
    return differ;
}

/* What decides a run, side by side: settings, data, a program's inputs, numerics. Returns how
 * many differ. */
static size_t differing_headers(const bl_json *a, const bl_json *b) {
    size_t n = differing_members(bl_json_get(a, "config"), bl_json_get(b, "config"));
    n += differing_members(bl_json_get(a, "dataset"), bl_json_get(b, "dataset"));
    n += differing_texts("inputs", bl_json_get(a, "inputs"), bl_json_get(b, "inputs"));
    n += differing_texts("repeat", bl_json_get(a, "repeat"), bl_json_get(b, "repeat"));
    const bool epochs = bl_json_int(a, "epoch", 0) == bl_json_int(b, "epoch", 0);
    if (!epochs)
        bl_cli_printf(stdout, "  %-26s %" PRId64 " | %" PRId64 "\n", "numerics epoch",
                      bl_json_int(a, "epoch", 0), bl_json_int(b, "epoch", 0));
    return n + !epochs;
}

/* The log of a program has its own mean loss, and no hash of batch losses. */
static void show_step(const char *side, const bl_runlog_step *s) {
    if (s->hash[0] == '\0') {
        bl_cli_printf(stdout, "  %s  ", side);
        if (!isnan(s->mean_loss)) bl_cli_printf(stdout, "mean loss %.17g  ", s->mean_loss);
        bl_cli_printf(stdout, "value %.17g\n", s->value);
        return;
    }
    bl_cli_printf(stdout, "  %s  loss %.17g  mean loss %.17g  value %.17g  hash %s\n", side,
                  s->loss, s->mean_loss, s->value, s->hash);
}

/* The log up to its last evaluation. */
static size_t prefix(const bl_run_files *run) {
    return run->parsed.evals > 0 ? run->parsed.eval[run->parsed.evals - 1].end : run->log.len;
}

/* As far as the shorter one goes: one run may have been extended. */
static bool logs_agree(const bl_run_files *a, const bl_run_files *b) {
    const size_t n = bl_size_min(prefix(a), prefix(b));
    return memcmp(bl_buf_text(&a->log), bl_buf_text(&b->log), n) == 0;
}

/* The first step at which the two logs part, or that neither has one. */
static bl_status diff_steps(const bl_run_files *a, const bl_run_files *b, bl_err *err) {
    bl_runlog_steps x = {0}, y = {0};
    size_t i, j;
    bl_status status;
    BL_GOTO(bl_runlog_steps_read(&x, bl_buf_text(&a->log), a->log.len, a->dir, err));
    BL_GOTO(bl_runlog_steps_read(&y, bl_buf_text(&b->log), b->log.len, b->dir, err));
    if (bl_runlog_steps_differ(&x, &y, &i, &j)) {
        bl_cli_printf(stdout, "first differing record: step %" PRId64 "\n", x.at[i].step);
        show_step("A", &x.at[i]);
        show_step("B", &y.at[j]);
    } else {
        bl_cli_printf(stdout, "no step that both have differs\n");
    }
done:
    bl_runlog_steps_free(&x);
    bl_runlog_steps_free(&y);
    return status;
}

/* A program's runs: two repeats, which only noisy programs have, or two logs of one run. Whether it
 * declares noise is no part of a log. */
static void explain_noise(const bl_run_files *a, const bl_run_files *b, bool one) {
    const bl_json *x = a->header.root, *y = b->header.root;
    if (bl_json_get(x, "protocol") == NULL || bl_json_get(y, "protocol") == NULL) return;
    if (bl_json_bool(x, "imported", false) || bl_json_bool(y, "imported", false)) return;
    if (bl_json_int(x, "repeat", 0) > 0 || bl_json_int(y, "repeat", 0) > 0)
        bl_cli_printf(stdout, "the experiment declares noise (external.repeats = \"noisy\"): each "
                              "repeat has values of its own\n");
    else if (one)
        bl_cli_printf(stdout, "a program trained them: damage only where its experiment says "
                              "external.repeats = \"exact\"\n");
}

/* Two logs of one run that differ are a fault of machine or program, or a noisy program. Two runs
 * may differ as they like. */
static bl_status diff(const bl_run_files *a, const bl_run_files *b, int *rc, bl_err *err) {
    const size_t na = a->parsed.evals, nb = b->parsed.evals;
    const int64_t steps_a = na > 0 ? a->parsed.eval[na - 1].step : 0;
    const int64_t steps_b = nb > 0 ? b->parsed.eval[nb - 1].step : 0;
    bl_cli_printf(stdout, "A %s, %" PRId64 " steps (%s)\nB %s, %" PRId64 " steps (%s)\n",
                  a->parsed.run, steps_a, a->dir, b->parsed.run, steps_b, b->dir);
    if (logs_agree(a, b)) {
        bl_cli_printf(stdout, "equal%s\n",
                      steps_a == steps_b ? "" : " as far as the shorter one goes");
        *rc = BL_EXIT_DONE;
        return BL_OK;
    }
    const bool one = strcmp(a->parsed.run, b->parsed.run) == 0;
    *rc = one ? BL_EXIT_MISMATCH : EXIT_OTHER_RUN;
    bl_cli_printf(stdout, "settings (A | B)\n");
    if (differing_headers(a->header.root, b->header.root) == 0)
        bl_cli_printf(stdout, "  none differs\n");
    BL_TRY(diff_steps(a, b, err));
    explain_noise(a, b, one);
    return BL_OK;
}

static int compare_runs(const bl_args *args) {
    const char *const word[2] = {args->operand, args->second};
    bl_err err = {0};
    char path[2][BL_PATH];
    bl_run_files run[2] = {{.state = NULL}, {.state = NULL}};
    bl_status status = BL_OK;
    int rc = BL_EXIT_DONE;
    for (int i = 0; i < 2; i++) {
        BL_GOTO(bl_run_find(path[i], bl_cli_runs_dir(), word[i], &err));
        BL_GOTO(bl_run_files_read(&run[i], path[i], &err));
    }
    BL_GOTO(diff(&run[0], &run[1], &rc, &err));
done:
    for (int i = 0; i < 2; i++) bl_run_files_free(&run[i]);
    return status == BL_OK ? rc : bl_cli_fail(&err);
}

const bl_command bl_cmd_diff = {
    .name = "diff",
    .does = "settings and first step in which two runs differ",
    .arguments = "A B",
    .group = BL_GROUP_LOOK,
    .sentence = "Shows the settings in which two runs differ and the first step at which their "
                "logs do. A run is named by at least four characters of its id, or by its log.",
    .example = "batchlab diff r75647 r5e1da",
    .shows = "A r75647fb9dd04, 8167 steps (runs/quadratic/r75647fb9dd04)\n"
             "B r5e1dafee0bca, 8167 steps (runs/quadratic/r5e1dafee0bca)\n"
             "settings (A | B)\n"
             "  train.learning_rate        0.04419417382415922 | 0.0625\n"
             "first differing record: step 1\n"
             "...\n",
    .exits = {{BL_EXIT_DONE, "equal, as far as both go"},
              {BL_EXIT_SOME_FAILED, "two runs that differ"},
              {BL_EXIT_MISMATCH, "two logs of one run differ"},
              {BL_EXIT_DAMAGE, ""}},
    .operand = BL_OPERAND_TWO_RUNS,
    .run = compare_runs,
};
