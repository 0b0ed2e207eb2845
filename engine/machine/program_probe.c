#include "engine/machine/program_probe.h"
#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "engine/external/external.h"
#include <inttypes.h>
#include <math.h>

/* Steps before the evaluation: the optimizer's state is there after the first one. */
enum { STEPS = 3 };
static const double k_look = 0.05; /* seconds between two looks at its memory */

typedef struct watch {
    const bl_machine_place *place;
    const volatile int *stop;
    const bl_external *program;
    double most;          /* bytes */
    double began, looked; /* by the clock */
    bl_probe_ending how;  /* why it was ended */
    bool stopped;         /* the user asked for that */
} watch;

static void look(watch *w) {
    w->looked = bl_clock_seconds();
    w->most = fmax(w->most, bl_external_held_bytes(w->program));
    if (w->most > w->place->bytes) w->how = BL_PROBE_OVER;
}

/* Asked while the program works: true ends it. */
static bool is_due(void *ctx) {
    watch *w = ctx;
    const double now = bl_clock_seconds();
    w->stopped = w->stop != NULL && *w->stop != 0;
    if (now - w->looked > k_look) look(w);
    if (w->place->seconds > 0 && now - w->began > w->place->seconds) w->how = BL_PROBE_TOO_SLOW;
    return w->stopped || w->how != BL_PROBE_RAN;
}

/* The share of its time that goes into waiting for data, where it says so. */
static bl_status measure_data(bl_external *program, const bl_machine_place *place,
                              const bl_train_pause *pause, bl_err *err) {
    double seconds;
    if (!bl_external_says_data(program)) return BL_OK;
    const bl_status status =
        bl_external_time(program, place->config->timing.seconds, pause, &seconds, err);
    return status == BL_EUNSUPPORTED ? BL_OK : status;
}

static bl_status open_program(bl_external **program, const bl_machine_place *place,
                              int64_t batch_size, bl_err *err) {
    char dir[BL_PATH];
    bl_external_options options = *place->program;
    BL_TRY(bl_path(dir, err, "%s/%" PRId64, place->program->dir, batch_size));
    bl_config *c = bl_xalloc(sizeof *c);
    *c = *place->config;
    c->train.batch_size = batch_size;
    c->train.learning_rate = BL_TIMING_RATE;
    c->eval.first = STEPS;
    options.config = c;
    options.dir = dir;
    const bl_status status = bl_external_open(program, &options, err);
    free(c);
    return status;
}

bl_status bl_probe_program(bl_probe_result *out, const bl_machine_place *place, int64_t batch_size,
                           const volatile int *stop, bl_err *err) {
    bl_external *program;
    BL_TRY(open_program(&program, place, batch_size, err));
    watch w = {.place = place, .stop = stop, .program = program, .began = bl_clock_seconds()};
    const bl_train_pause pause = {.due = is_due, .ctx = &w};
    bl_status status = bl_external_advance(program, STEPS, &pause, err);
    if (status == BL_OK) {
        look(&w);
        status = measure_data(program, place, &pause, err);
    }
    const bool refused = status == BL_ENOMEM;
    *out = (bl_probe_result){.ending = refused ? BL_PROBE_REFUSED : w.how,
                             .bytes = w.most > 0 ? w.most : (double)NAN,
                             .seconds = bl_clock_seconds() - w.began,
                             .data = bl_external_data_share(program)};
    bl_external_close(program);
    return refused || (status == BL_EINTERRUPTED && !w.stopped) ? BL_OK : status;
}
