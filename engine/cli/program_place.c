#include "engine/cli/program_place.h"
#include <math.h>
#include <time.h>

static const struct timespec k_a_little = {.tv_nsec = 200000000};

static bl_status wait_for_claim(bl_claims *claims, const char *dir, const volatile int *stop,
                                bl_claim **claim, bl_err *err) {
    for (;;) {
        BL_TRY(bl_claim_acquire(claims, dir, claim, err));
        if (*claim != NULL) return BL_OK;
        if (stop != NULL && *stop != 0) BL_FAIL(err, BL_EINTERRUPTED, "interrupted");
        (void)nanosleep(&k_a_little, NULL);
    }
}

bl_status bl_cli_program_place_take(bl_cli_program_place *place, const bl_experiment *e,
                                    const volatile int *stop, bl_err *err) {
    char dir[BL_PATH];
    bl_claim *claim = NULL;
    *place = (bl_cli_program_place){0};
    BL_TRY(bl_path(dir, err, "%s/measuring", e->store.dir));
    BL_TRY(bl_path(place->keep, err, "%s/failed", e->store.dir));
    place->claims = bl_claims_open();
    bl_status status = wait_for_claim(place->claims, dir, stop, &claim, err);
    if (status == BL_OK) status = bl_path(place->beat, err, "%s/beat", bl_claim_own(claim));
    if (status != BL_OK) {
        bl_claims_close(place->claims);
        return status;
    }
    place->options = (bl_external_options){.run_id = "machine",
                                           .dir = bl_claim_own(claim),
                                           .beat = place->beat,
                                           .stale = bl_claim_stale_seconds(),
                                           .save_seconds = (double)INFINITY,
                                           .devices = e->devices,
                                           .keep = place->keep};
    return BL_OK;
}

void bl_cli_program_place_leave(bl_cli_program_place *place) {
    bl_claims_close(place->claims);
}
