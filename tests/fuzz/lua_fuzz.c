/* Any bytes as a sweep script, under small limits: it ends, in time, with BL_OK or with a message.
 * Every round is answered as if nothing reached its target. */
#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/mem.h"
#include "engine/lua/planner.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bl_status run_round(void *ctx, const bl_round *round, bl_trial_result *results,
                           bl_err *err) {
    (void)ctx;
    (void)err;
    for (size_t i = 0; i < round->count; i++) {
        BL_ASSERT(round->trial[i].max_steps >= 1 && round->trial[i].batch_size >= 1);
        results[i].outcome = i % 2 ? BL_OUTCOME_BUDGET : BL_OUTCOME_DIVERGED;
        results[i].steps = round->trial[i].max_steps;
        results[i].eval = bl_xalloc(sizeof *results[i].eval);
        results[i].eval[0] = (bl_eval){
            .step = results[i].steps, .value = (double)(i + 1), .batch_mean = (double)NAN};
        results[i].evals = 1;
    }
    return BL_OK;
}

/* What a script may decide, the plan can hold. */
static bl_status decide(void *ctx, const bl_plan_decision *decision, bl_err *err) {
    (void)ctx;
    bl_buf line = {0};
    bl_json_doc doc;
    bl_chunks memory = {0};
    bl_plan_decision again;
    BL_ASSERT(strchr(decision->text, '\n') == NULL);
    bl_plan_write_decision(&line, decision);
    BL_ASSERT(bl_json_parse(&doc, line.data, line.len, "decision", 1, err) == BL_OK);
    BL_ASSERT(bl_plan_decision_parse(&again, doc.root, &memory, err) == BL_OK);
    bl_chunks_free(&memory);
    bl_json_free(&doc);
    bl_buf_free(&line);
    return BL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const char settings[] = "dataset = \"fake\"; sweep: { batch_sizes = [32, 64]; };";
    static const bl_planner_limits limits = {.memory_bytes = 4 << 20,
                                             .instructions = 1000000,
                                             .cpu_seconds = 0.1,
                                             .max_trials = 200,
                                             .max_decisions = 1000,
                                             .one_decision_bytes = 4096,
                                             .decision_bytes = 1 << 20,
                                             .trial_bytes = 1 << 20};
    const bl_planner_facts facts = {.epoch_rows = 1000};
    const bl_planner_host host = {.run = run_round, .decide = decide};
    bl_config *config = bl_xalloc(sizeof *config);
    bl_err err = {0};
    char path[] = "/tmp/bl-fuzz-XXXXXX";
    const int fd = mkstemp(path);
    BL_ASSERT(fd >= 0 && write(fd, data, n) == (ssize_t)n && close(fd) == 0);
    BL_ASSERT(bl_config_parse(config, settings, sizeof settings - 1, "fuzz.cfg", NULL, NULL, 0,
                              &err) == BL_OK);
    err = (bl_err){0};
    const bl_status status =
        bl_planner_run(path, "scripts/lua", config, &facts, &host, &limits, &err);
    BL_ASSERT(status == BL_OK || err.text[0] != '\0');
    BL_ASSERT(unlink(path) == 0);
    free(config);
    return 0;
}
