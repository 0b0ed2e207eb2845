/* A run that is a process of the user's own: "advance run R to step n" by the files of Protocol 1
 * (docs/external.md). The counterpart of engine/train/train.h, with the same order of calls:
 *
 *     bl_external_open       takes the folder; nothing is started yet
 *     bl_external_restore    optional: goes on from an earlier save
 *     bl_external_advance    starts the program, raises goal.json, waits for an evaluation
 *     bl_external_save       the program's own last state, or (last) parks it
 *     bl_external_close      ends the program and all that it has started
 *
 * The log is that of a built-in run (docs/formats.md): a function of what the program reported. */
#ifndef BL_ENGINE_EXTERNAL_EXTERNAL_H
#define BL_ENGINE_EXTERNAL_EXTERNAL_H
#include "engine/external/devices.h"
#include "engine/train/train.h"

typedef struct bl_external bl_external;

typedef struct bl_external_options {
    const bl_config *config;
    const char *run_id;           /* for the log's header */
    const char *dir;              /* becomes BATCHLAB_RUN: made here, removed by whoever owns it */
    const char *beat;             /* a file that is touched as long as batchlab lives */
    double stale;                 /* seconds after which it does not */
    double save_seconds;          /* between two states of a run that is not asked for one */
    bl_external_devices *devices; /* it holds one while it is open; NULL: it sees all */
    const char *keep; /* where a run that failed is moved, to be looked at; NULL: nowhere */
} bl_external_options;

bl_status bl_external_open(bl_external **out, const bl_external_options *options,
                           bl_err *err) BL_CHECKED;
void bl_external_close(bl_external *run); /* NULL is fine */

/* To the next evaluation of the grid. BL_EINTERRUPTED: `pause` was due. BL_ENOMEM: the program
 * found no memory, an outcome. BL_EPROGRAM: it failed; the message is for its author. */
bl_status bl_external_advance(bl_external *run, int64_t limit, const bl_train_pause *pause,
                              bl_err *err) BL_CHECKED;
const bl_train_state *bl_external_now(const bl_external *run);
const bl_buf *bl_external_log(const bl_external *run);
double bl_external_peak_bytes(const bl_external *run); /* as reported; NAN: it is not */
/* The most that its processes have held, each by itself, as far as they still live. */
double bl_external_held_bytes(const bl_external *run);

/* Puts the latest whole state of the program to `place`, a path on the same disk, and what belongs
 * to it into `out`. `last`: has the program save and end. *saved: there is a state, and unless this
 * is the last, one of another step than `but`. */
bl_status bl_external_save(bl_external *run, bool last, int64_t but, const char *place, bl_buf *out,
                           bool *saved, bl_err *err) BL_CHECKED;
/* The step of that state; -1: there is none. */
int64_t bl_external_kept_step(const bl_external *run);
/* `log` may go on beyond the state, and is cut. */
bl_status bl_external_restore(bl_external *run, const char *place, const void *bytes, size_t n,
                              const char *log, size_t log_n, bl_err *err) BL_CHECKED;

/* Mean seconds of a step over at least `seconds`, as the program says; it may be called again, and
 * measures further steps. BL_EUNSUPPORTED: the program does not wait, or reports no time.
 * BL_EINTERRUPTED: `pause` was due. */
bl_status bl_external_time(bl_external *run, double seconds, const bl_train_pause *pause,
                           double *seconds_per_step, bl_err *err) BL_CHECKED;
/* Does it report the seconds that it waits for data? And their share of the time that
 * bl_external_time measured last; NAN: not known. */
bool bl_external_says_data(const bl_external *run);
double bl_external_data_share(const bl_external *run);
#endif
