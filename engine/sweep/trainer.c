/* One of three answers to "advance the run". A table of functions would hide that they differ in
 * more than names:
 *
 *                   train (a net)        external (a program)     recorded (imported)
 *     state         bytes of a           a folder that the        none: what is looked up
 *                   checkpoint           program wrote            is there at once
 *     probes        yes                  no                       no
 *     memory        reckoned             as the user says         as the user says
 */
#include "engine/sweep/trainer.h"
#include "engine/base/mem.h"
#include "engine/external/external.h"
#include "engine/external/recorded.h"
#include <stdio.h>

struct bl_trainer {
    bl_train *train; /* one of these three */
    bl_external *external;
    bl_recorded *recorded;
    bl_claim *claim;
    int64_t stored; /* of a program, the step of the state that was stored last; -1: none */
    bl_buf noise;   /* an empty one: only batchlab's own training has probes */
};

/* What a process is given: a folder inside the claim, which is lost with it. */
static bl_status open_external(bl_trainer *t, const bl_scheduler *s, const bl_config *config,
                               const char *run_id, bl_err *err) {
    char dir[BL_PATH], beat[BL_PATH], keep[BL_PATH];
    BL_TRY(bl_path(dir, err, "%s/run", bl_claim_own(t->claim)));
    BL_TRY(bl_path(beat, err, "%s/beat", bl_claim_own(t->claim)));
    BL_TRY(bl_path(keep, err, "%s/%s/" BL_STORE_FAILED, s->store->dir, run_id));
    const bl_external_options options = {.config = config,
                                         .run_id = run_id,
                                         .dir = dir,
                                         .beat = beat,
                                         .stale = bl_claim_stale_seconds(),
                                         .save_seconds = s->checkpoint_seconds,
                                         .devices = s->devices,
                                         .keep = keep};
    return bl_external_open(&t->external, &options, err);
}

bl_status bl_trainer_open(bl_trainer **out, const bl_scheduler *s, const bl_config *config,
                          const char *run_id, bl_claim *claim, size_t threads, bl_err *err) {
    const bl_train_options options = {
        .kernels = s->kernels, .device_data = s->device_data, .run_id = run_id, .threads = threads};
    bl_trainer *t = bl_xalloc(sizeof *t);
    t->claim = claim;
    t->stored = -1;
    const bl_status status =
        bl_config_is_imported(config)   ? bl_recorded_open(&t->recorded, config, run_id, err)
        : bl_config_is_external(config) ? open_external(t, s, config, run_id, err)
                                        : bl_train_open(&t->train, config, s->data, &options, err);
    *out = status == BL_OK ? t : NULL;
    if (status != BL_OK) bl_trainer_close(t);
    return status;
}

void bl_trainer_close(bl_trainer *t) {
    if (t == NULL) return;
    bl_train_close(t->train);
    bl_external_close(t->external);
    bl_recorded_close(t->recorded);
    free(t);
}

bl_status bl_trainer_memory(const bl_scheduler *s, const bl_config *config, size_t *bytes,
                            bl_err *err) {
    *bytes = (size_t)config->external.memory_mib << 20;
    if (bl_config_is_external(config)) return BL_OK;
    return bl_train_memory(config, s->data, s->device_data, bytes, err);
}

bl_status bl_trainer_advance(bl_trainer *t, int64_t limit, const bl_train_pause *pause,
                             bl_err *err) {
    if (t->recorded != NULL) {
        bl_recorded_advance(t->recorded);
        return BL_OK;
    }
    return t->external != NULL ? bl_external_advance(t->external, limit, pause, err)
                               : bl_train_advance(t->train, limit, pause, err);
}

const bl_train_state *bl_trainer_now(const bl_trainer *t) {
    if (t->recorded != NULL) return bl_recorded_now(t->recorded);
    return t->external != NULL ? bl_external_now(t->external) : bl_train_now(t->train);
}

const bl_buf *bl_trainer_log(const bl_trainer *t) {
    if (t->recorded != NULL) return bl_recorded_log(t->recorded);
    return t->external != NULL ? bl_external_log(t->external) : bl_train_log(t->train);
}

const bl_buf *bl_trainer_noise(const bl_trainer *t) {
    return t->train == NULL ? &t->noise : bl_train_noise(t->train);
}

/* ---- states of programs ---- */

static void state_name(int slot, char out[16]) {
    (void)snprintf(out, 16, "state-%c", 'A' + slot);
}

/* The old checkpoint of the slot goes before its state is replaced: none may speak of another's. */
static bl_status save_external(bl_trainer *t, bool last, int slot, bl_buf *out, bool *any,
                               bl_err *err) {
    char place[BL_PATH], name[16];
    state_name(slot, name);
    BL_TRY(bl_path(place, err, "%s/state.new", bl_claim_own(t->claim)));
    BL_TRY(bl_external_save(t->external, last, t->stored, place, out, any, err));
    if (*any == false) return BL_OK;
    bl_store_drop_checkpoint(t->claim, slot);
    BL_TRY(bl_claim_place(t->claim, "state.new", name, err));
    t->stored = bl_external_kept_step(t->external);
    return BL_OK;
}

bl_status bl_trainer_save(bl_trainer *t, bool last, int slot, bl_buf *out, bool *any, bl_err *err) {
    *any = t->recorded == NULL; /* what is looked up has no state */
    if (!*any) return BL_OK;
    return t->external != NULL ? save_external(t, last, slot, out, any, err)
                               : bl_train_save(t->train, out, err);
}

bl_status bl_trainer_restore(bl_trainer *t, int slot, const bl_buf *state, const char *log,
                             size_t log_n, bl_err *err) {
    char place[BL_PATH], name[16];
    if (t->recorded != NULL) BL_FAIL(err, BL_EFORMAT, "an imported run has no state");
    if (t->external == NULL)
        return bl_train_restore(t->train, state->data, state->len, log, log_n, err);
    state_name(slot, name);
    BL_TRY(bl_path(place, err, "%s/%s", bl_claim_dir(t->claim), name));
    return bl_external_restore(t->external, place, state->data, state->len, log, log_n, err);
}
