/* plan.jsonl: every record is read back as it was written, whatever its texts hold, and what is not
 * a plan is refused with its place. */
#include "engine/base/mem.h"
#include "engine/base/philox.h"
#include "engine/plan/records.h"
#include "tests/check.h"
#include <math.h>

/* Random numbers of one case. */
static uint64_t g_case, g_draw;

static uint32_t draw(uint32_t below) {
    return bl_random_u32(g_case, BL_STREAM_SYNTH, 0, g_draw++) % below;
}

/* Texts that mean something in JSON, in a path, to gnuplot or to a terminal. */
// clang-format off
static const char *const k_texts[] = {
    "",        "plain",      "a\"b",          "\\",        "a/b",
    "..",      "../../etc",  "\n\t\r",        "\x01\x1f",  "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
    "\x7f",    "'`$(x)`'",   "{\"a\":1}",     "null",      "%s%n",
    "a,b;c d", "\xc2\x9b""31m", "\xe2\x80\xae""x",
};
// clang-format on

static const char *text(void) {
    return k_texts[draw(BL_COUNT(k_texts))];
}

/* Whole numbers, fractions, the very large and the very small. */
static double number(void) {
    static const double some[] = {0, 1, 64, 1e6, 123456789, 9007199254740993.0, 1e300};
    if (draw(2) == 0) return some[draw(BL_COUNT(some))];
    return ldexp((double)draw(1u << 31) + 1, -(int)draw(60));
}

static void run_id(char out[BL_RUN_ID]) {
    (void)snprintf(out, BL_RUN_ID, "%04x%04x%04x", draw(4), 0u, draw(65536));
}

static void fill_runs(bl_plan_runs *out, bl_chunks *memory) {
    out->count = draw(4);
    out->v = bl_chunks_take(memory, (out->count + 1) * sizeof *out->v);
    for (size_t i = 0; i < out->count; i++) run_id(out->v[i]);
}

static void fill_numbers(bl_plan_numbers *out, size_t count, bool diverged, bl_chunks *memory) {
    out->count = count;
    out->v = bl_chunks_take(memory, (count + 1) * sizeof *out->v);
    for (size_t i = 0; i < count; i++)
        out->v[i] = diverged && draw(3) == 0 ? (double)NAN : number();
}

static void fill_references(bl_plan_references *out, bl_chunks *memory) {
    out->count = draw(3);
    out->v = bl_chunks_take(memory, (out->count + 1) * sizeof *out->v);
    for (size_t i = 0; i < out->count; i++)
        out->v[i] = (bl_plan_reference){1 + draw(9), 1 + number()};
}

/* Positive where the reader asks for it. */
static double positive(const char *name) {
    const bool asked = strcmp(name, "batch_size") == 0 || strcmp(name, "learning_rate") == 0 ||
                       strcmp(name, "amount") == 0;
    return asked ? 0.5 + number() : number();
}

static void fill(void *record, const bl_plan_row *row, bl_chunks *memory);

static void fill_field(void *at, const bl_plan_field *f, bl_chunks *memory) {
    switch (f->type) {
    case BL_PLAN_TYPE_TEXT:
        *(const char **)at = text();
        break;
    case BL_PLAN_TYPE_RUN:
        run_id(at);
        break;
    case BL_PLAN_TYPE_JSON:
        *(const char **)at = "{\"optimizer.beta1\":0.8,\"a\\\"b\":[1,{}]}";
        break;
    case BL_PLAN_TYPE_NUMBER:
    case BL_PLAN_TYPE_COUNT:
        *(double *)at = positive(f->name);
        break;
    case BL_PLAN_TYPE_NULLABLE:
        *(double *)at =
            strcmp(f->name, "learning_rate") != 0 && draw(3) == 0 ? (double)NAN : positive(f->name);
        break;
    case BL_PLAN_TYPE_WHOLE:
        *(int64_t *)at = strcmp(f->name, "round") == 0 ? 1 : 1 + (int64_t)draw(1u << 31) * 4096;
        break;
    case BL_PLAN_TYPE_BOOL:
        *(bool *)at = draw(2) == 1;
        break;
    case BL_PLAN_TYPE_ANSWER:
        *(bl_plan_answer *)at = (bl_plan_answer)draw(2);
        break;
    case BL_PLAN_TYPE_OUTCOME:
        *(bl_outcome *)at = (bl_outcome)draw(BL_OUTCOME_COUNT);
        break;
    case BL_PLAN_TYPE_BUDGET:
        *(int *)at = (int)draw(BL_PLAN_BUDGET_COUNT);
        break;
    case BL_PLAN_TYPE_RULE:
        *(int *)at = (int)draw(BL_PLAN_RULE_COUNT);
        break;
    case BL_PLAN_TYPE_RUNS:
        fill_runs(at, memory);
        break;
    case BL_PLAN_TYPE_BOTH:
        for (size_t i = 0; i < 2; i++) fill_runs((bl_plan_runs *)at + i, memory);
        break;
    case BL_PLAN_TYPE_TWO:
        fill_numbers(at, 2, false, memory);
        break;
    case BL_PLAN_TYPE_NUMBERS:
    case BL_PLAN_TYPE_VALUES:
        fill_numbers(at, draw(4), f->type == BL_PLAN_TYPE_VALUES, memory);
        break;
    case BL_PLAN_TYPE_REFERENCES:
        fill_references(at, memory);
        break;
    case BL_PLAN_TYPE_OBJECT:
        fill(at, f->row, memory);
        break;
    default:
        break; /* the kind is there */
    }
}

/* Every field that has to be there, half of the others. Of two with one name, one. */
static void fill(void *record, const bl_plan_row *row, bl_chunks *memory) {
    for (size_t i = 0; i < row->count; i++) {
        const bl_plan_field *f = &row->fields[i];
        const bool twin = i + 1 < row->count && strcmp(row->fields[i + 1].name, f->name) == 0;
        const bool first = twin && draw(2) == 0;
        if (twin && !first) continue;
        if (f->required || draw(2) == 0) fill_field((char *)record + f->offset, f, memory);
        if (first) i++;
    }
}

static void write_random(bl_buf *out, bl_chunks *memory) {
    bl_plan_head head = {0};
    bl_plan_fields_clear(&head, &bl_plan_head_row);
    fill(&head, &bl_plan_head_row, memory);
    bl_plan_write_head(out, &head);
    for (int64_t round = 1; round <= 3; round++) {
        bl_plan_round r = {0};
        fill(&r, &bl_plan_round_row, memory);
        r.round = round;
        bl_plan_write_round(out, &r);
        for (uint32_t n = draw(5); n > 0; n--) {
            bl_plan_trial t = {0};
            fill(&t, &bl_plan_trial_row, memory);
            t.round = round;
            bl_plan_write_trial(out, &t);
        }
        for (int kind = 0; kind < BL_PLAN_KIND_COUNT; kind++) {
            bl_plan_decision d = bl_plan_decision_empty((bl_plan_kind)kind);
            fill(&d, &bl_plan_kind_rows[kind], memory);
            d.round = round;
            bl_plan_write_decision(out, &d);
        }
    }
    bl_plan_seal(out);
}

static void what_is_written_is_read(void **state) {
    (void)state;
    for (g_case = 1; g_case <= 300; g_case++) {
        bl_chunks memory = {0};
        bl_buf once = {0}, twice = {0};
        bl_plan_doc plan;
        g_draw = 0;
        write_random(&once, &memory);
        CHECK_OK(bl_plan_parse(&plan, once.data, once.len, "plan", ERR));
        bl_plan_write(&twice, &plan);
        assert_string_equal(once.data, twice.data);
        assert_int_equal(plan.round_count, 3);
        assert_int_equal(plan.decision_count, 3 * BL_PLAN_KIND_COUNT);
        bl_plan_free(&plan);
        bl_buf_free(&once);
        bl_buf_free(&twice);
        bl_chunks_free(&memory);
    }
}

/* Each text, as it is: what comes back is the text, not only its JSON. */
static void texts_come_back(void **state) {
    (void)state;
    for (size_t i = 0; i < BL_COUNT(k_texts); i++) {
        bl_buf line = {0};
        bl_json_doc doc;
        bl_chunks memory = {0};
        bl_plan_decision d = bl_plan_decision_empty(BL_PLAN_NOTE);
        d.text = k_texts[i];
        bl_plan_write_decision(&line, &d);
        assert_int_equal(strcspn(line.data, "\n"), line.len - 1); /* one line, whatever it holds */
        CHECK_OK(bl_json_parse(&doc, line.data, line.len, "line", 1, ERR));
        CHECK_OK(bl_plan_decision_parse(&d, doc.root, &memory, ERR));
        assert_string_equal(d.text, k_texts[i]);
        bl_chunks_free(&memory);
        bl_json_free(&doc);
        bl_buf_free(&line);
    }
}

/* ---- runs ---- */

static void trials_are_found_by_run(void **state) {
    (void)state;
    bl_buf all = {0};
    bl_chunks memory = {0};
    bl_plan_doc plan;
    g_case = 1000, g_draw = 0;
    bl_plan_head head = {0};
    fill(&head, &bl_plan_head_row, &memory);
    bl_plan_write_head(&all, &head);
    bl_plan_write_round(&all, &(bl_plan_round){.round = 1, .title = ""});
    for (int i = 0; i < 3000; i++) { /* ids that come up to eight times */
        bl_plan_trial t = {
            .round = 1, .set = "{}", .batch_size = i + 1, .learning_rate = 1, .reason = ""};
        (void)snprintf(t.run, sizeof t.run, "%012x", (unsigned)(i * i) % 1000);
        bl_plan_write_trial(&all, &t);
    }
    bl_plan_seal(&all);
    CHECK_OK(bl_plan_parse(&plan, all.data, all.len, "plan", ERR));
    size_t seen = 0;
    for (unsigned id = 0; id < 1000; id++) {
        char run[BL_RUN_ID];
        size_t last = 0;
        (void)snprintf(run, sizeof run, "%012x", id);
        for (size_t i = bl_plan_first_trial(&plan, run); i != SIZE_MAX; i = plan.trials[i].next) {
            assert_string_equal(plan.trials[i].run, run);
            assert_true(seen == 0 || last == 0 || i > last);
            last = i;
            seen++;
        }
    }
    assert_int_equal(seen, plan.trial_count);
    assert_true(bl_plan_first_trial(&plan, "") == SIZE_MAX);
    bl_plan_free(&plan);
    bl_chunks_free(&memory);
    bl_buf_free(&all);
}

static void decisions_rest_on_runs(void **state) {
    (void)state;
    char ids[3][BL_RUN_ID] = {"aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"};
    bl_plan_decision d = bl_plan_decision_empty(BL_PLAN_COMPARE);
    assert_false(bl_plan_rests_on(&d, ids[0]));
    d.both[0] = (bl_plan_runs){ids, 1};
    d.within[1] = (bl_plan_runs){ids + 1, 1};
    assert_true(bl_plan_rests_on(&d, ids[0]) && bl_plan_rests_on(&d, ids[1]));
    assert_false(bl_plan_rests_on(&d, ids[2]));
    d.run = ids[2];
    assert_true(bl_plan_rests_on(&d, ids[2]));
}

/* ---- tables ---- */

/* Scripts name fields in any order: the plan has them in one. */
static void decisions_are_in_order(void **state) {
    (void)state;
    for (int k = 0; k < BL_PLAN_KIND_COUNT; k++) {
        const bl_plan_row *row = &bl_plan_kind_rows[k];
        bool kind = false;
        for (size_t i = 0; i < row->count; i++) {
            kind |= row->fields[i].type == BL_PLAN_TYPE_KIND;
            if (i > 0 && strcmp(row->fields[i - 1].name, row->fields[i].name) > 0)
                fail_msg("%s: '%s' is out of order", row->what, row->fields[i].name);
        }
        assert_true(kind);
    }
}

#define HEAD HEAD_OF("1")
#define HEAD_OF(format)                                                                            \
    "{\"record\":\"plan\",\"format\":" format                                                      \
    ",\"experiment\":\"e\",\"preset\":\"p\",\"title\":\"\","                                       \
    "\"metric\":\"m\",\"optimizer\":\"sgd\",\"targets\":[],\"epoch_rows\":1,\"dataset\":{"         \
    "\"name\":\"d\",\"synthetic\":false,\"variant\":\"\",\"sha256\":\"\"},\"cost\":{"              \
    "\"per_core_hour\":null,\"currency\":\"\",\"device_batch_size\":0,\"device_memory\":0,"        \
    "\"upfront_core_hours\":0,\"upfront_seconds\":0}}\n"
#define ROUND "{\"record\":\"round\",\"round\":1,\"title\":\"\",\"race\":false,\"slack\":1}\n"
#define TRIAL(round, batch, outcome)                                                               \
    "{\"record\":\"trial\",\"round\":" round ",\"run\":\"a\",\"set\":{},\"batch_size\":" batch     \
    ",\"learning_rate\":1,\"seed\":1,\"max_steps\":1,\"target\":null,\"outcome\":\"" outcome       \
    "\",\"steps\":1,\"hit\":0,\"before\":0,\"reason\":\"\"}\n"

/* ---- known lines: each value under its own name ---- */

static void check_trial(const bl_plan_trial *t) {
    assert_int_equal(t->round, 1);
    assert_string_equal(t->run, "0123456789ab");
    assert_string_equal(t->set, "{\"train.seed\":3}");
    assert_int_equal(t->batch_size, 64);
    assert_true(t->learning_rate == 0.0039);
    assert_int_equal(t->seed, 3);
    assert_int_equal(t->max_steps, 60000);
    assert_true(t->target == 0.2);
    assert_int_equal(t->outcome, BL_OUTCOME_TARGET);
    assert_int_equal(t->steps, 1840);
    assert_int_equal(t->target_step, 1839);
    assert_int_equal(t->previous_eval_step, 1752);
    assert_string_equal(t->reason, "why");
}

static void check_decisions(const bl_plan_decision *d) {
    assert_int_equal(d[0].kind, BL_PLAN_BEST);
    assert_true(d[0].batch_size == 64 && d[0].learning_rate == 0.5 && d[0].target == 0.25);
    assert_true(d[0].steps == 1000000 && d[0].censored == BL_PLAN_NO);
    assert_true(d[0].bracketed == BL_PLAN_YES && d[0].refined == BL_PLAN_UNSAID);
    assert_string_equal(d[0].runs.v[1], "bb");
    assert_int_equal(d[1].kind, BL_PLAN_BUDGET);
    assert_true(d[1].amount == 2 && d[1].budget == BL_PLAN_EPOCHS && d[1].value == 0.125);
    assert_true(d[1].values.v[0] == 0.125 && isnan(d[1].values.v[1]));
    assert_int_equal(d[2].kind, BL_PLAN_COMPARE);
    assert_string_equal(d[2].both[1].v[0], "bb");
    assert_string_equal(d[2].within[0].v[0], "cc");
    assert_true(d[2].batch_sizes.v[1] == 512 && d[2].budget_steps.v[0] == 7);
    assert_true(d[2].learning_rates.v[0] == 0.5 && d[2].budget_learning_rates.v[1] == 4);
    assert_true(d[3].reached == 3 && d[3].overhead_20 == 128 && d[3].max_useful == 256);
    assert_true(d[4].rule == BL_PLAN_SQRT && d[4].regret == 1.5 && d[4].tuned == 368);
    assert_true(d[4].at_least == BL_PLAN_YES && isnan(d[4].steps));
    assert_true(d[5].step_list.v[1] == 580 && isnan(d[5].steps));
    assert_true(d[6].steps == 90 && d[6].step_list.v == NULL);
    assert_string_equal(d[6].series, "sgd");
}

static void known_lines_mean_what_they_say(void **state) {
    (void)state;
    static const char known[] = HEAD ROUND
        "{\"record\":\"trial\",\"round\":1,\"run\":\"0123456789ab\",\"set\":{\"train.seed\":3},"
        "\"batch_size\":64,\"learning_rate\":0.0039,\"seed\":3,\"max_steps\":60000,\"target\":0.2,"
        "\"outcome\":\"target\",\"steps\":1840,\"hit\":1839,\"before\":1752,\"reason\":\"why\"}\n"
        "{\"record\":\"decision\",\"round\":1,\"batch_size\":64,\"bracketed\":true,"
        "\"censored\":false,\"kind\":\"best\",\"learning_rate\":0.5,\"points\":[{\"seed\":1}],"
        "\"runs\":[\"aa\",\"bb\"],\"steps\":1000000,\"target\":0.25,\"text\":\"t\"}\n"
        "{\"record\":\"decision\",\"round\":1,\"amount\":2,\"batch_size\":64,\"best\":true,"
        "\"budget\":\"epochs\",\"kind\":\"budget\",\"learning_rate\":0.5,\"run\":\"aa\","
        "\"steps\":9,\"text\":\"t\",\"value\":0.125,\"values\":[0.125,\"diverged\"]}\n"
        "{\"record\":\"decision\",\"round\":1,\"batch_sizes\":[64,512],\"budget_epochs\":1,"
        "\"budget_learning_rates\":[3,4],\"budget_runs\":[[\"cc\"],[\"dd\"]],"
        "\"budget_steps\":[7,8],\"kind\":\"compare\",\"learning_rates\":[0.5,0.25],"
        "\"runs\":[[\"aa\"],[\"bb\"]],\"target\":0.25,\"text\":\"t\"}\n"
        "{\"record\":\"decision\",\"round\":1,\"kind\":\"critical\",\"max_useful\":256,"
        "\"overhead_20\":128,\"reached\":3,\"target\":0.25,\"text\":\"t\"}\n"
        "{\"record\":\"decision\",\"round\":1,\"at_least\":true,\"batch_size\":512,"
        "\"kind\":\"rule\",\"learning_rate\":0.5,\"regret\":1.5,\"rule\":\"sqrt\",\"runs\":[],"
        "\"target\":0.25,\"text\":\"t\",\"tuned\":368}\n"
        "{\"record\":\"decision\",\"round\":1,\"batch_size\":64,\"kind\":\"test\","
        "\"learning_rate\":0.5,\"runs\":[],\"steps\":[533,580],\"text\":\"t\",\"value\":0.031,"
        "\"values\":[0.031]}\n"
        "{\"record\":\"decision\",\"round\":1,\"batch_size\":64,\"kind\":\"test\","
        "\"learning_rate\":0.5,\"runs\":[],\"series\":\"sgd\",\"steps\":90,\"text\":\"t\","
        "\"values\":[]}\n";
    bl_plan_doc plan;
    bl_buf again = {0};
    CHECK_OK(bl_plan_parse(&plan, known, strlen(known), "plan", ERR));
    check_trial(&plan.trials[0]);
    check_decisions(plan.decisions);
    /* Written again it is of today's format: the rest is the same, byte for byte. */
    bl_plan_write(&again, &plan);
    char *format = strstr(again.data, "\"format\":2");
    assert_non_null(format);
    format[strlen("\"format\":")] = '1';
    assert_int_equal(strncmp(again.data, known, strlen(known)), 0);
    assert_int_equal(strncmp(again.data + strlen(known), "{\"record\":\"seal\"", 16), 0);
    bl_buf_free(&again);
    bl_plan_free(&plan);
}

/* ---- seals ---- */

/* A sealed plan of three records. */
static void sealed_plan(bl_buf *out) {
    static const char old[] = HEAD ROUND TRIAL("1", "64", "budget");
    bl_plan_doc plan;
    CHECK_OK(bl_plan_parse(&plan, old, strlen(old), "p", ERR));
    assert_false(plan.sealed);
    bl_plan_write(out, &plan);
    bl_plan_free(&plan);
}

/* Every bit of the file, and every length that it may be cut to. */
static void no_bit_flips_unseen(void **state) {
    (void)state;
    bl_buf text = {0};
    bl_plan_doc plan;
    bl_err err;
    sealed_plan(&text);
    CHECK_OK(bl_plan_parse(&plan, text.data, text.len, "p", ERR));
    assert_true(plan.sealed);
    bl_plan_free(&plan);
    for (size_t bit = 0; bit < 8 * text.len; bit++) {
        text.data[bit / 8] ^= (char)(1 << bit % 8);
        if (bl_plan_parse(&plan, text.data, text.len, "p", &err) != BL_EDAMAGED)
            fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        assert_non_null(strstr(err.text, "p: its seal does not hold"));
        text.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t n = (size_t)(strchr(text.data, '\n') - text.data); n < text.len; n++)
        assert_int_equal(bl_plan_parse(&plan, text.data, n, "p", &err), BL_EDAMAGED);
    bl_buf_free(&text);
}

static void trials_answer_to_their_logs(void **state) {
    (void)state;
    bl_runlog_eval eval[] = {
        {.step = 4,  .value = 0.5},
        {.step = 8,  .value = 0.2},
        {.step = 16, .value = 0.1}
    };
    bl_runlog log = {
        .batch_size = 64, .learning_rate = 0.0625, .seed = 7, .eval = eval, .evals = 3};
    const bl_plan_trial good = {.run = "a",
                                .batch_size = 64,
                                .learning_rate = 0.0625,
                                .seed = 7,
                                .outcome = BL_OUTCOME_TARGET,
                                .target = 0.2,
                                .steps = 8,
                                .target_step = 8,
                                .previous_eval_step = 4};
    CHECK_OK(bl_plan_check_trial(&good, &log, "p", ERR));
    bl_plan_trial t = good;
    bl_err err;
    t.target_step = 4;
    assert_int_equal(bl_plan_check_trial(&t, &log, "p", &err), BL_EDAMAGED);
    assert_non_null(
        strstr(err.text, "p: a trial of run a says that it was at the target 0.2 at step 4"));
    t = good, t.previous_eval_step = 3;
    assert_int_equal(bl_plan_check_trial(&t, &log, "p", &err), BL_EDAMAGED);
    t = good, t.target_step = t.previous_eval_step = 0;
    assert_int_equal(bl_plan_check_trial(&t, &log, "p", &err), BL_EDAMAGED);
    t = good, t.target = 0.15; /* not yet at step 8 */
    assert_int_equal(bl_plan_check_trial(&t, &log, "p", &err), BL_EDAMAGED);
    t = good, t.target = (double)NAN, t.target_step = t.previous_eval_step = 0;
    CHECK_OK(bl_plan_check_trial(&t, &log, "p", ERR));
    t = good, t.learning_rate = 0.8625;
    assert_int_equal(bl_plan_check_trial(&t, &log, "p", &err), BL_EDAMAGED);
    assert_string_equal(err.text, "p: a trial of run a says batch size 64, learning rate 0.8625, "
                                  "seed 7; its log says 64, 0.0625, 7");
    t = good, t.batch_size = 128;
    assert_int_equal(bl_plan_check_trial(&t, &log, "p", &err), BL_EDAMAGED);
    t = good, t.seed = 6;
    assert_int_equal(bl_plan_check_trial(&t, &log, "p", &err), BL_EDAMAGED);
    log = (bl_runlog){.eval = eval, .evals = 3}; /* not in the header */
    CHECK_OK(bl_plan_check_trial(&t, &log, "p", ERR));
    t = good, t.steps = 32; /* the log does not go as far: there is nothing to hold it to */
    CHECK_OK(bl_plan_check_trial(&t, &log, "p", ERR));
}

/* ---- faults ---- */

/* What is said of a wrong rule names every rule. */
static void rules_are_named(void **state) {
    (void)state;
    bl_plan_doc plan;
    bl_err err = {0};
    bl_buf text = {0};
    bl_buf_str(
        &text,
        HEAD_OF("2") "{\"record\":\"decision\",\"round\":0,\"kind\":\"rule\",\"rule\":\"wish\"}\n");
    bl_plan_seal(&text);
    assert_int_equal(bl_plan_parse(&plan, bl_buf_text(&text), text.len, "p", &err), BL_EFORMAT);
    for (int rule = 0; rule < BL_PLAN_RULE_COUNT; rule++)
        if (strstr(err.text, bl_plan_rule_name((bl_plan_rule)rule)) == NULL)
            fail_msg("no %s in: %s", bl_plan_rule_name((bl_plan_rule)rule), err.text);
    bl_buf_free(&text);
}

static void faults_have_a_place(void **state) {
    (void)state;
    // clang-format off
    static const struct {
        const char *plan, *says;
    } cases[] = {
        {"", "p: empty"},
        {"{\"record\":\"trial\"}\n", "p:1: not a plan of format 1 or 2"},
        {"{\"record\":\"plan\",\"format\":0}\n", "p:1: not a plan of format 1 or 2"},
        {"{\"record\":\"plan\",\"format\":1}\n", "p:1: the head needs 'experiment', a text"},
        {HEAD_OF("2") "{}\n", "p:2: unknown record ''"},
        {HEAD_OF("2") "{\"record\":\"wish\"}\n", "p:2: unknown record 'wish'"},
        {HEAD_OF("2") "{\"record\":\"round\",\"round\":2,\"title\":\"\",\"race\":true,\"slack\":1}\n",
         "p:2: round 2 does not follow round 0"},
        {HEAD_OF("2") "{\"record\":\"round\",\"round\":1,\"title\":\"\",\"race\":1,\"slack\":1}\n",
         "p:2: 'race' of a round is not true or false"},
        {HEAD_OF("2") ROUND TRIAL("2", "64", "budget"), "p:3: a trial of round 2, which was not begun"},
        {HEAD_OF("2") TRIAL("1", "64", "budget"), "p:2: a trial of round 1, which was not begun"},
        {HEAD_OF("2") ROUND TRIAL("1", "-4", "budget"), "p:3: 'batch_size' is not a positive number"},
        {HEAD_OF("2") ROUND TRIAL("1", "64.5", "budget"), "p:3: 'batch_size' of a trial is not a whole"},
        {HEAD_OF("2") ROUND TRIAL("1", "64", "lost"), "p:3: 'outcome' of a trial is not an outcome"},
        {HEAD_OF("2") ROUND "{\"record\":\"trial\",\"round\":1}\n", "p:3: a trial needs 'run'"},
        {HEAD_OF("2") "{\"record\":\"decision\",\"round\":0,\"kind\":\"wish\",\"text\":\"\"}\n",
         "p:2: unknown kind of decision 'wish'; there are: best,"},
        {HEAD_OF("2") "{\"record\":\"decision\",\"round\":0,\"kind\":\"note\",\"txt\":\"\"}\n",
         "p:2: a decision of kind 'note' has no 'txt'"},
        {HEAD_OF("2") "{\"record\":\"decision\",\"round\":0,\"kind\":\"note\"}\n",
         "p:2: a decision of kind 'note' needs 'text'"},
        {HEAD ROUND TRIAL("1", "64", "budget") "{", "p:4: the line is cut off"},
    };
    // clang-format on
    for (size_t i = 0; i < BL_COUNT(cases); i++) {
        bl_plan_doc plan;
        bl_err err = {0};
        const char *p = cases[i].plan;
        bl_buf text = {0};
        bl_buf_str(&text, p);
        if (strstr(p, "\"format\":2") != NULL) bl_plan_seal(&text);
        assert_int_equal(bl_plan_parse(&plan, bl_buf_text(&text), text.len, "p", &err), BL_EFORMAT);
        bl_buf_free(&text);
        if (strncmp(err.text, cases[i].says, strlen(cases[i].says)) != 0)
            fail_msg("case %zu: %s", i, err.text);
        assert_null(plan.lines);
    }
    bl_plan_doc plan;
    /* What there is no longer is passed over in an old plan. */
    static const char good[] =
        HEAD ROUND TRIAL("1", "64", "budget") "{\"record\":\"decision\",\"round\":1,\"kind\":"
                                              "\"note\",\"text\":\"\",\"crowned\":true}\n"
                                              "{\"record\":\"decision\",\"round\":1,\"kind\":"
                                              "\"mine\",\"text\":\"t\",\"x\":1}\n";
    CHECK_OK(bl_plan_parse(&plan, good, strlen(good), "p", ERR));
    assert_int_equal(plan.decisions[1].kind, BL_PLAN_CUSTOM);
    assert_string_equal(plan.decisions[1].text, "t");
    bl_plan_free(&plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(texts_come_back),
        cmocka_unit_test(trials_are_found_by_run), cmocka_unit_test(decisions_rest_on_runs),
        cmocka_unit_test(decisions_are_in_order),  cmocka_unit_test(known_lines_mean_what_they_say),
        cmocka_unit_test(no_bit_flips_unseen),     cmocka_unit_test(trials_answer_to_their_logs),
        cmocka_unit_test(rules_are_named),         cmocka_unit_test(faults_have_a_place),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
