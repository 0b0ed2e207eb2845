#include "engine/report/plan_read.h"
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PLAN_LIMIT = 1 << 30 };

/* Room for one element more; grows when count reaches a power of two. */
static void *room(void *array, size_t count, size_t size) {
    return (count & (count - 1)) == 0 ? bl_xrealloc(array, (count ? 2 * count : 1) * size) : array;
}

static void copy_text(char *out, size_t size, const bl_json *object, const char *key) {
    (void)snprintf(out, size, "%s", bl_json_text(object, key, ""));
}

static double number(const bl_json *object, const char *key) {
    return bl_json_number(object, key, (double)NAN);
}

static void read_header(bl_report_model *m, const bl_json *line) {
    copy_text(m->experiment, sizeof m->experiment, line, "experiment");
    copy_text(m->preset, sizeof m->preset, line, "preset");
    copy_text(m->title, sizeof m->title, line, "title");
    copy_text(m->optimizer, sizeof m->optimizer, line, "optimizer");
    copy_text(m->metric, sizeof m->metric, line, "metric");
    const bl_json *dataset = bl_json_get(line, "dataset"), *cost = bl_json_get(line, "cost");
    copy_text(m->dataset, sizeof m->dataset, dataset, "name");
    copy_text(m->variant, sizeof m->variant, dataset, "variant");
    m->synthetic = bl_json_bool(dataset, "synthetic", false);
    m->per_core_hour = number(cost, "per_core_hour");
    copy_text(m->currency, sizeof m->currency, cost, "currency");
    m->device_batch_size = bl_json_number(cost, "device_batch_size", 0);
    m->device_memory_mib = bl_json_number(cost, "device_memory", 0);
    m->upfront_core_hours = bl_json_number(cost, "upfront_core_hours", 0);
    m->upfront_seconds = bl_json_number(cost, "upfront_seconds", 0);
    const bl_json *known = bl_json_get(line, "known");
    for (const bl_json *k = known != NULL ? known->first : NULL; k != NULL; k = k->next) {
        m->reference_steps =
            room(m->reference_steps, m->reference_count, sizeof *m->reference_steps);
        m->reference_steps[m->reference_count++] =
            (bl_stats_point){.batch_size = number(k, "batch_size"), .steps = number(k, "steps")};
    }
    const bl_json *targets = bl_json_get(line, "targets");
    for (const bl_json *t = targets != NULL ? targets->first : NULL; t != NULL; t = t->next)
        if (t->type == BL_JSON_NUMBER) {
            m->targets = room(m->targets, m->target_count, sizeof *m->targets);
            m->targets[m->target_count++] = m->main.target = t->number;
        }
}

static bool is_axis(const char *path) {
    static const char *const axes[] = {"train.batch_size", "train.learning_rate", "train.seed"};
    for (size_t i = 0; i < BL_COUNT(axes); i++)
        if (strcmp(path, axes[i]) == 0) return true;
    return false;
}

static void setting_text(bl_buf *out, const bl_json *value) {
    if (value->type == BL_JSON_NUMBER) {
        bl_buf_str(out, value->string);
    } else if (value->type == BL_JSON_STRING) {
        bl_json_string(out, value->string);
    } else if (value->type == BL_JSON_BOOL) {
        bl_buf_str(out, value->boolean ? "true" : "false");
    } else {
        bl_buf_str(out, "[");
        for (const bl_json *v = value->first; v != NULL; v = v->next) {
            bl_buf_str(out, v == value->first ? "" : ",");
            setting_text(out, v);
        }
        bl_buf_str(out, "]");
    }
}

/* "optimizer.beta1":0.8,...: equal texts are equal settings, since the plan writes them in order.
 */
static char *other_settings(const bl_json *set) {
    bl_buf out = {0};
    for (const bl_json *v = set != NULL ? set->first : NULL; v != NULL; v = v->next) {
        if (is_axis(v->key)) continue;
        bl_buf_str(&out, out.len > 0 ? "," : "");
        bl_json_string(&out, v->key);
        bl_buf_str(&out, ":");
        setting_text(&out, v);
    }
    char *text = bl_xstrdup(bl_buf_text(&out));
    bl_buf_free(&out);
    return text;
}

static void read_trial(bl_report_model *m, const bl_json *line) {
    m->trials = room(m->trials, m->trial_count, sizeof *m->trials);
    bl_report_trial *t = &m->trials[m->trial_count++];
    *t = (bl_report_trial){.batch_size = number(line, "batch_size"),
                           .learning_rate = number(line, "learning_rate"),
                           .target = number(line, "target"),
                           .round = bl_json_int(line, "round", 0),
                           .seed = bl_json_int(line, "seed", 0),
                           .max_steps = bl_json_int(line, "max_steps", 0),
                           .steps = bl_json_int(line, "steps", 0),
                           .target_step = bl_json_int(line, "hit", 0),
                           .previous_eval_step = bl_json_int(line, "before", 0)};
    copy_text(t->run, sizeof t->run, line, "run");
    copy_text(t->outcome, sizeof t->outcome, line, "outcome");
    t->reason = bl_xstrdup(bl_json_text(line, "reason", ""));
    t->settings = other_settings(bl_json_get(line, "set"));
}

/* The decision's series, added where it is new. */
static int series_of(bl_report_model *m, const bl_json *line) {
    const char *name = bl_json_text(line, "series", "");
    if (name[0] == '\0') return BL_NO_SERIES;
    bl_report_series next = {0};
    copy_text(next.name, sizeof next.name, line, "series");
    for (size_t i = 0; i < m->series_count; i++)
        if (strcmp(m->series[i].name, next.name) == 0) return (int)i;
    m->series = room(m->series, m->series_count, sizeof *m->series);
    m->series[m->series_count] = next;
    return (int)m->series_count++;
}

static void read_test(bl_report_model *m, const bl_json *line) {
    m->tests = room(m->tests, m->test_count, sizeof *m->tests);
    m->tests[m->test_count++] = (bl_report_test){.text = bl_xstrdup(bl_json_text(line, "text", "")),
                                                 .batch_size = number(line, "batch_size"),
                                                 .learning_rate = number(line, "learning_rate"),
                                                 .value = number(line, "value"),
                                                 .series = series_of(m, line)};
}

static void read_best(bl_report_model *m, bl_report_bests *bests, const bl_json *line) {
    bests->best = room(bests->best, bests->count, sizeof *bests->best);
    bl_report_best *b = &bests->best[bests->count++];
    *b = (bl_report_best){.batch_size = number(line, "batch_size"),
                          .learning_rate = number(line, "learning_rate"),
                          .target = number(line, "target"),
                          .steps = number(line, "steps"),
                          .censored = bl_json_bool(line, "censored", false),
                          .bracketed = bl_json_bool(line, "bracketed", false),
                          .series = series_of(m, line)};
    const bl_json *runs = bl_json_get(line, "runs");
    if (runs == NULL || runs->type != BL_JSON_ARRAY) return;
    b->run = bl_xalloc(runs->count * sizeof *b->run);
    for (const bl_json *r = runs->first; r != NULL; r = r->next)
        if (r->type == BL_JSON_STRING)
            (void)snprintf(b->run[b->runs++], sizeof *b->run, "%s", r->string);
}

static void read_values(bl_report_budget *b, const bl_json *values) {
    b->low = b->high = (double)NAN;
    if (values == NULL || values->count < 2) return;
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (const bl_json *v = values->first; v != NULL; v = v->next) {
        low = fmin(low, v->type == BL_JSON_NUMBER ? v->number : HUGE_VAL);
        high = fmax(high, v->type == BL_JSON_NUMBER ? v->number : HUGE_VAL);
    }
    b->low = low;
    b->high = high;
}

/* Kinds of budget that this report does not know are left out. */
static void read_budget(bl_report_model *m, const bl_json *line) {
    int kind = 0;
    while (kind < BL_BUDGET_KIND_COUNT &&
           strcmp(bl_json_text(line, "budget", ""), bl_budget_name((bl_budget_kind)kind)) != 0)
        kind++;
    if (kind == BL_BUDGET_KIND_COUNT) return;
    m->budgets = room(m->budgets, m->budget_count, sizeof *m->budgets);
    bl_report_budget *b = &m->budgets[m->budget_count++];
    *b = (bl_report_budget){.kind = (bl_budget_kind)kind,
                            .amount = number(line, "amount"),
                            .batch_size = number(line, "batch_size"),
                            .learning_rate = number(line, "learning_rate"),
                            .value = number(line, "value"),
                            .steps = bl_json_int(line, "steps", 0),
                            .series = series_of(m, line)};
    read_values(b, bl_json_get(line, "values"));
    copy_text(b->run, sizeof b->run, line, "run");
}

static void read_note(bl_report_model *m, const bl_json *line) {
    m->notes = room(m->notes, m->note_count, sizeof *m->notes);
    m->notes[m->note_count++] = bl_xstrdup(bl_json_text(line, "text", ""));
}

static void read_rule(bl_report_model *m, const bl_json *line) {
    const char *name = bl_json_text(line, "rule", "");
    for (int r = 0; r < BL_REPORT_RULE_COUNT; r++) {
        if (strcmp(name, bl_report_rule_names[r].plan) != 0) continue;
        bl_report_regret x = {.rule = (bl_report_rule)r,
                              .batch_size = bl_json_number(line, "batch_size", (double)NAN),
                              .learning_rate = bl_json_number(line, "learning_rate", (double)NAN),
                              .target = bl_json_number(line, "target", (double)NAN),
                              .regret = bl_stats_exact(bl_json_number(line, "regret", (double)NAN)),
                              .run = true};
        x.regret.bound = bl_json_bool(line, "at_least", false);
        m->regrets = room(m->regrets, m->regret_count, sizeof *m->regrets);
        m->regrets[m->regret_count++] = x;
    }
}

static double nth_number(const bl_json *array, size_t n) {
    const bl_json *v = array != NULL ? array->first : NULL;
    while (v != NULL && n-- > 0) v = v->next;
    return v != NULL && v->type == BL_JSON_NUMBER ? v->number : (double)NAN;
}

static size_t read_runs(char (**out)[13], const bl_json *array) {
    if (array == NULL || array->count == 0) return 0;
    *out = bl_xalloc(array->count * sizeof **out);
    size_t n = 0;
    for (const bl_json *r = array->first; r != NULL; r = r->next)
        if (r->type == BL_JSON_STRING) (void)snprintf((*out)[n++], sizeof **out, "%s", r->string);
    return n;
}

/* Both lists of runs, as many as the shorter one has; 0 without them. */
static size_t read_both(char (*out[2])[13], const bl_json *runs) {
    if (runs == NULL || runs->count != 2) return 0;
    const size_t first = read_runs(&out[0], runs->first);
    return bl_min_size(first, read_runs(&out[1], runs->first->next));
}

static void read_pair(bl_report_model *m, const bl_json *line) {
    m->pairs = bl_xrealloc(m->pairs, (m->pair_count + 1) * sizeof *m->pairs);
    bl_report_pair *p = &m->pairs[m->pair_count++];
    *p = (bl_report_pair){.budget_epochs = bl_json_number(line, "budget_epochs", 0)};
    p->seeds = read_both(p->run, bl_json_get(line, "runs"));
    if (read_both(p->budget_run, bl_json_get(line, "budget_runs")) != p->seeds)
        p->budget_epochs = 0;
    for (size_t i = 0; i < 2; i++) {
        p->batch_size[i] = nth_number(bl_json_get(line, "batch_sizes"), i);
        p->learning_rate[i] = nth_number(bl_json_get(line, "learning_rates"), i);
        p->budget_steps[i] = nth_number(bl_json_get(line, "budget_steps"), i);
        p->budget_learning_rate[i] = nth_number(bl_json_get(line, "budget_learning_rates"), i);
    }
}

static bl_status check_positive(const bl_json *line, bool budget, const char *path, size_t at,
                                bl_err *err) {
    static const char *const keys[] = {"batch_size", "learning_rate", "amount"};
    for (size_t i = 0; i < BL_COUNT(keys) - !budget; i++)
        if (!(number(line, keys[i]) > 0))
            BL_FAIL(err, BL_EFORMAT, "%s:%zu: '%s' is not a positive number", path, at, keys[i]);
    return BL_OK;
}

static bl_status read_line(bl_report_model *m, bl_report_bests *bests, const bl_json *line,
                           const char *path, size_t at, bl_err *err) {
    const char *record = bl_json_text(line, "record", ""), *kind = bl_json_text(line, "kind", "");
    if (at == 1) {
        if (strcmp(record, "plan") != 0 || bl_json_int(line, "format", 0) != 1)
            BL_FAIL(err, BL_EFORMAT, "%s:1: not a plan of format 1", path);
        read_header(m, line);
        return BL_OK;
    }
    const bool trial = strcmp(record, "trial") == 0, decision = strcmp(record, "decision") == 0;
    const bool best = decision && strcmp(kind, "best") == 0;
    const bool budget = decision && strcmp(kind, "budget") == 0;
    if (decision && strcmp(kind, "note") == 0) read_note(m, line);
    if (decision && strcmp(kind, "test") == 0) read_test(m, line);
    if (decision && strcmp(kind, "compare") == 0) read_pair(m, line);
    if (decision && strcmp(kind, "rule") == 0) read_rule(m, line);
    if (!trial && !best && !budget) return BL_OK;
    BL_TRY(check_positive(line, budget, path, at, err));
    if (trial) read_trial(m, line);
    if (best) read_best(m, bests, line);
    if (budget && isfinite(number(line, "value"))) read_budget(m, line);
    return BL_OK;
}

bl_status bl_report_plan_read(bl_report_model *model, bl_report_bests *bests, const char *run_dir,
                              bl_err *err) {
    char path[BL_PATH];
    BL_TRY(bl_path(path, err, "%s/plan.jsonl", run_dir));
    if (!bl_file_exists(path))
        BL_FAIL(err, BL_EMISSING, "%s: there is no plan.jsonl; `batchlab run` writes it", run_dir);
    bl_buf text = {0};
    bl_status status = bl_file_read(&text, path, PLAN_LIMIT, err);
    const char *at = bl_buf_text(&text), *end = at + text.len;
    if (status == BL_OK && at == end) status = BL_ERR(err, BL_EFORMAT, "%s: empty", path);
    for (size_t n = 1; status == BL_OK && at < end; n++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const size_t length = (size_t)((newline != NULL ? newline : end) - at);
        bl_json_doc doc = {0};
        status = bl_json_parse(&doc, at, length, path, n, err);
        if (status == BL_OK) status = read_line(model, bests, doc.root, path, n, err);
        bl_json_free(&doc);
        at += length + 1;
    }
    bl_buf_free(&text);
    return status;
}

void bl_report_bests_free(bl_report_bests *bests) {
    for (size_t i = 0; i < bests->count; i++) free(bests->best[i].run);
    free(bests->best);
    *bests = (bl_report_bests){0};
}
