/* The plan as `batchlab plan` prints it, for instance
 *
 *     |- batch 64, race to 1.25 times the best: 1 of 3 runs to do, at most 4s
 *     |  |- r75647fb9dd04 done        batch 64    lr 0.0625    seed 1  target at step 1792
 *     |  |- r5e1dafee0bca interrupted batch 64    lr 0.125     seed 1  96 of 500 steps, at most 4s
 *     |  `- decides: batch 64: lr 0.0625 is best
 *     `- budgets ...
 *
 * with box-drawing characters for the branches, or as JSON lines. Who fills the tree (engine/cli)
 * asks the store for the states; this file only sums and prints. */
#include "engine/plan/plan_tree.h"
#include "engine/base/clock.h"
#include "engine/base/format.h"
#include "engine/base/json_writer.h"
#include "engine/base/mem.h"
#include "engine/base/vec.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const state_names[] = {
    [BL_PLAN_TREE_TO_DO] = "to do",     [BL_PLAN_TREE_INTERRUPTED] = "interrupted",
    [BL_PLAN_TREE_DAMAGED] = "damaged", [BL_PLAN_TREE_TO_EXTEND] = "to extend",
    [BL_PLAN_TREE_DONE] = "done",
};
_Static_assert(BL_COUNT(state_names) == BL_PLAN_TREE_STATES, "a name for every state");

/* UTF-8, three columns wide each. */
static const char k_branch[] = "\342\224\234\342\224\200 ", k_last[] = "\342\224\224\342\224\200 ";
static const char k_through[] = "\342\224\202  ", k_blank[] = "   ";

/* The round's runs are zeroed, for the caller to fill. The pointer holds until the next call,
 * which may move the rounds. */
bl_plan_tree_round *bl_plan_tree_add(bl_plan_tree *tree, const char *title, size_t runs) {
    bl_plan_tree_round *r = BL_PUSH(tree->rounds, tree->count, "rounds of a plan");
    *r = (bl_plan_tree_round){.runs = bl_xalloc((runs + 1) * sizeof *r->runs), .run_count = runs};
    (void)snprintf(r->title, sizeof r->title, "%s", title);
    return r;
}

void bl_plan_tree_decide(bl_plan_tree *tree, const char *text) {
    if (tree->count == 0) (void)bl_plan_tree_add(tree, "before the first round", 0);
    bl_plan_tree_round *r = &tree->rounds[tree->count - 1];
    *BL_PUSH(r->decisions, r->decision_count, "decisions of a plan") = bl_xstrdup(text);
}

void bl_plan_tree_free(bl_plan_tree *tree) {
    for (size_t i = 0; i < tree->count; i++) {
        bl_plan_tree_round *r = &tree->rounds[i];
        for (size_t d = 0; d < r->decision_count; d++) free(r->decisions[d]);
        free(r->decisions);
        free(r->runs);
    }
    free(tree->rounds);
    *tree = (bl_plan_tree){0};
}

bool bl_plan_tree_is_done(const bl_plan_tree_run *run) {
    return run->state == BL_PLAN_TREE_DONE;
}

static bl_plan_tree_sum round_totals(const bl_plan_tree_round *r) {
    bl_plan_tree_sum t = {0};
    for (size_t i = 0; i < r->run_count; i++) {
        const bool done = bl_plan_tree_is_done(&r->runs[i]);
        t.done += done;
        t.left += !done;
        if (!done) t.seconds_left += r->runs[i].seconds_left;
    }
    return t;
}

bl_plan_tree_sum bl_plan_tree_totals(const bl_plan_tree *tree) {
    bl_plan_tree_sum sum = {0};
    for (size_t i = 0; i < tree->count; i++) {
        const bl_plan_tree_sum t = round_totals(&tree->rounds[i]);
        sum.done += t.done;
        sum.left += t.left;
        sum.seconds_left += t.seconds_left;
    }
    return sum;
}

/* An estimate from above: a race may end a run earlier. Below a second is said as a second. */
static void time_left(bl_buf *out, double seconds) {
    char text[32];
    if (isnan(seconds)) return;
    bl_clock_span(text, fmax(1.0, seconds));
    bl_buf_printf(out, ", at most %s", text);
}

/* A line of the tree, behind its branches. The reason goes beneath, between `bars`, where the line
 * would be too wide with it. */
static void show_run(bl_buf *out, const bl_plan_tree_run *r, const char *bars) {
    enum { COLUMNS = 100, BRANCHES = 6 };
    const size_t begin = out->len;
    bl_buf_printf(out, "%s %-11s batch %-5" PRId64 " lr %-9.4g seed %-2" PRId64 " ", r->id,
                  state_names[r->state], r->batch_size, r->learning_rate, r->seed);
    if (bl_plan_tree_is_done(r)) {
        bl_buf_printf(out, "%s at step %" PRId64, bl_outcome_name(r->outcome), r->steps);
    } else {
        bl_buf_printf(out, "%" PRId64 " of %" PRId64 " steps", r->steps, r->max_steps);
        if (r->memory_bytes > 0) {
            bl_buf_str(out, ", ");
            bl_format_bytes(out, (double)r->memory_bytes);
        }
        time_left(out, r->seconds_left);
    }
    if (r->reason[0] != '\0') {
        const size_t width = BRANCHES + out->len - begin + strlen(" ()") + strlen(r->reason);
        if (width > COLUMNS) bl_buf_printf(out, "\n%s  ", bars);
        bl_buf_printf(out, " (%s)", r->reason);
    }
    bl_buf_str(out, "\n");
}

/* A line for the round, then its leaves: runs first, decisions after them. The last leaf, and
 * the last round, have the branch that ends. */
static void show_round(bl_buf *out, const bl_plan_tree_round *r, bool last) {
    const size_t leaves = r->run_count + r->decision_count;
    bl_buf_printf(out, "%s%s", last ? k_last : k_branch, r->title);
    if (r->race) bl_buf_printf(out, ", race to %.3g times the best", r->slack);
    const bl_plan_tree_sum t = round_totals(r);
    if (t.left > 0) {
        bl_buf_printf(out, ": %zu of %zu runs to do", t.left, r->run_count);
        time_left(out, t.seconds_left);
    }
    bl_buf_str(out, "\n");
    for (size_t i = 0; i < leaves; i++) {
        char bars[sizeof k_through + sizeof k_through];
        const char *left = last ? k_blank : k_through;
        (void)snprintf(bars, sizeof bars, "%s%s", left, i + 1 == leaves ? k_blank : k_through);
        bl_buf_printf(out, "%s%s", left, i + 1 == leaves ? k_last : k_branch);
        if (i < r->run_count)
            show_run(out, &r->runs[i], bars);
        else
            bl_buf_printf(out, "decides: %s\n", r->decisions[i - r->run_count]);
    }
}

void bl_plan_tree_text(const bl_plan_tree *tree, bl_buf *out) {
    for (size_t i = 0; i < tree->count; i++)
        show_round(out, &tree->rounds[i], i + 1 == tree->count);
}

/* ---- JSON ---- */

/* The trial's record of `plan --json`: unlike the file's, it has a state and an estimate. */
static void run_json(bl_buf *out, const bl_plan_tree_run *r, size_t round) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", "trial");
    bl_jw_i64(&w, "round", (int64_t)round);
    bl_jw_str(&w, "run", r->id);
    bl_jw_str(&w, "state", state_names[r->state]);
    bl_jw_i64(&w, "batch_size", r->batch_size);
    bl_jw_f64(&w, "learning_rate", r->learning_rate);
    bl_jw_i64(&w, "seed", r->seed);
    bl_jw_i64(&w, "max_steps", r->max_steps);
    bl_jw_i64(&w, "steps", r->steps);
    if (bl_plan_tree_is_done(r))
        bl_jw_str(&w, "outcome", bl_outcome_name(r->outcome));
    else
        bl_jw_null(&w, "outcome");
    bl_jw_i64(&w, "memory_bytes", (int64_t)r->memory_bytes);
    bl_jw_f64(&w, "seconds_left", r->seconds_left);
    bl_jw_str(&w, "reason", r->reason);
    bl_jw_end(&w);
    bl_jw_line(&w);
}

static void decision_json(bl_buf *out, const char *text, size_t round) {
    bl_jw w = bl_jw_open(out);
    bl_jw_object(&w, NULL);
    bl_jw_str(&w, "record", "decision");
    bl_jw_i64(&w, "round", (int64_t)round);
    bl_jw_str(&w, "text", text);
    bl_jw_end(&w);
    bl_jw_line(&w);
}

void bl_plan_tree_json(const bl_plan_tree *tree, bl_buf *out) {
    for (size_t i = 0; i < tree->count; i++) {
        const bl_plan_tree_round *r = &tree->rounds[i];
        const bl_plan_round round = {
            .round = (int64_t)i + 1, .title = r->title, .race = r->race, .slack = r->slack};
        bl_plan_write_round(out, &round);
        for (size_t k = 0; k < r->run_count; k++) run_json(out, &r->runs[k], i + 1);
        for (size_t d = 0; d < r->decision_count; d++) decision_json(out, r->decisions[d], i + 1);
    }
}
