/* One run: an endless deterministic sequence of optimizer steps, of which a prefix is computed.
 * training.c is its walk; its head says which files own the rest. The order of calls:
 *
 *     bl_train_memory     optional: the bytes that the run would take
 *     bl_train_open       takes the memory and sets the first weights
 *     bl_train_restore    optional: goes on from the bytes of an earlier bl_train_save
 *     bl_train_advance    once for each evaluation, until bl_train_now says that it is enough
 *     bl_train_save       whenever a checkpoint is due, between two calls of advance
 *     bl_train_close      also after a failure
 *
 * For example, up to 1,000 steps or a value of 0.2:
 *
 *     while (bl_train_now(run)->step < 1000 && !bl_train_now(run)->diverged) {
 *         BL_TRY(bl_train_advance(run, 1000, NULL, err));
 *         if (bl_train_now(run)->value <= 0.2) break;
 *     }
 *
 * A run owns its net, optimizer state and log text, and shares the data set. One thread uses it at
 * a time; with threads > 1 it uses that many inside, and the bits are the same. */
#ifndef BL_ENGINE_TRAIN_TRAIN_H
#define BL_ENGINE_TRAIN_TRAIN_H
#include "engine/base/buf.h"
#include "engine/base/status.h"
#include "engine/config/config.h"
#include "engine/data/dataset.h"
#include "engine/model/net.h"
#include "engine/train/device_dataset.h"
#include "kernels/kernel.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct bl_train bl_train;

typedef struct bl_train_options {
    const bl_kernels *kernels;
    const char *run_id; /* for the log's header */
    size_t threads;     /* inside kernels; 0 is 1 */
    const bl_train_device_data
        *device_data; /* the data set on a device, where the run is then; or NULL */
} bl_train_options;

/* What the last evaluation said. */
typedef struct bl_train_state {
    int64_t step;      /* optimizer updates made so far; always an evaluation step or 0 */
    double value;      /* the metric over the validation rows; NAN after divergence */
    double batch_mean; /* the same as a mean over batches; NAN unless eval.batch_mean */
    double train_loss; /* mean batch loss since the evaluation before */
    bool diverged;
    bool ended; /* no more is to come of a program of the user's own */
    char params_sha256[65];
} bl_train_state;

/* Builds the net and takes its memory. BL_ENOMEM is an outcome, not a fault of the program. */
bl_status bl_train_open(bl_train **out, const bl_config *config, const bl_dataset *data,
                        const bl_train_options *options, bl_err *err) BL_CHECKED;
void bl_train_close(bl_train *train); /* NULL is fine */

/* The net alone, without memory; free it with bl_net_free also on failure. */
bl_status bl_train_net(bl_net *net, const bl_config *config, const bl_dataset *data,
                       bl_err *err) BL_CHECKED;

/* Bytes a run of this configuration takes, by a dry pass: nothing is allocated for it. On a device
 * (`device_data`; else NULL) it evaluates more rows at once, and its queue comes on top. */
bl_status bl_train_memory(const bl_config *config, const bl_dataset *data,
                          const bl_train_device_data *device_data, size_t *bytes,
                          bl_err *err) BL_CHECKED;

/* The step of the first evaluation after `step`: max(step + 1, ceil(step * eval.growth)), and
 * eval.first when `step` is 0. The end of a schedule is an evaluation, too, and so is `limit`
 * (> step), where the prefix ends: the result is the smallest of these that lies ahead. */
int64_t bl_train_next_eval(const bl_config *config, int64_t epoch_rows, int64_t step,
                           int64_t limit);

/* Asked after every step whether to pause there. */
typedef struct bl_train_pause {
    bool (*due)(void *ctx);
    void *ctx;
} bl_train_pause;
/* Trains to the next evaluation (bl_train_next_eval), evaluates, and logs both. When `pause` (may
 * be NULL) is due the call returns BL_EINTERRUPTED at a step boundary and may simply be repeated.
 * Divergence is no error: state.diverged. */
bl_status bl_train_advance(bl_train *train, int64_t limit, const bl_train_pause *pause,
                           bl_err *err) BL_CHECKED;
const bl_train_state *bl_train_now(const bl_train *train);

/* The log so far, header included, footer not: uncompressed JSON lines (docs/formats.md). */
const bl_buf *bl_train_log(const bl_train *train);

/* The probes of the gradient noise so far, as noise.jsonl.gz has them
 * (engine/noise/noise_record.h); empty unless noise.share is above 0. */
const bl_buf *bl_train_noise(const bl_train *train);

/* The whole state as bytes (also between evaluations): parameters, optimizer and running
 * statistics, position, the log's length and digest. Restoring takes the log's text beside it, and
 * refuses bytes or a log that do not belong together. The same bits follow, at any thread count. A
 * run that failed on its device has no state to save. */
bl_status bl_train_save(const bl_train *train, bl_buf *out, bl_err *err) BL_CHECKED;
bl_status bl_train_restore(bl_train *train, const void *bytes, size_t n, const char *log,
                           size_t log_n, bl_err *err) BL_CHECKED;

/* A step takes as long at any learning rate; at this one no run diverges while it is timed. */
#define BL_TIMING_RATE 1e-6
/* Mean seconds per optimizer step, no evaluation, over at least `seconds` and 3 steps: the timing
 * pass. Changes the run's state; use a run opened for this. */
bl_status bl_train_time(bl_train *train, double seconds, double *seconds_per_step,
                        bl_err *err) BL_CHECKED;
/* The same of inference: forward alone, as an evaluation goes, over batches of the run's size (its
 * pieces, where it has some). BL_EUNSUPPORTED: not a net on a processor. */
bl_status bl_train_time_inference(bl_train *train, double seconds, double *seconds_per_batch,
                                  bl_err *err) BL_CHECKED;
/* Three loops that tell, without a profiler, what fresh data cost: whole steps, steps on one batch
 * again and again, and the gathering of batches alone. Whole less same batch is what fresh data
 * cost; what of it gathering alone does not explain, caches that hold the same batch do. */
typedef enum bl_train_loop {
    BL_TRAIN_LOOP_WHOLE,
    BL_TRAIN_LOOP_SAME_BATCH,
    BL_TRAIN_LOOP_GATHER,
    BL_TRAIN_LOOP_COUNT
} bl_train_loop;
extern const char *const bl_train_loop_names[BL_TRAIN_LOOP_COUNT];
/* Mean processor seconds of a step (a batch), over at least `seconds` and 3 steps. Changes the
 * run's state, as bl_train_time does. BL_EUNSUPPORTED: not a net on a processor. */
bl_status bl_train_time_loop(bl_train *train, bl_train_loop loop, double seconds,
                             double *processor_seconds, bl_err *err) BL_CHECKED;
/* Where the time of a step goes, by a clock of phases that is off in training and changes no bit.
 * Pieces' sums count as backward, running statistics as optimizer. */
typedef enum bl_train_phase {
    BL_TRAIN_GATHER,
    BL_TRAIN_FORWARD, /* and the loss */
    BL_TRAIN_BACKWARD,
    BL_TRAIN_OPTIMIZER,
    BL_TRAIN_PHASE_COUNT
} bl_train_phase;
extern const char *const bl_train_phase_names[BL_TRAIN_PHASE_COUNT];

/* A layer with what it does for others (net_fuse.c): processor seconds of a step. */
typedef struct bl_train_layer_time {
    char name[32]; /* "12 dense": its place in the net and its kind */
    double forward, backward;
} bl_train_layer_time;

/* Means over steps, in seconds on the processor. */
typedef struct bl_train_times {
    double phase[BL_TRAIN_PHASE_COUNT], step; /* of a step: the sum of its phases */
    double evaluation;                        /* of one; the caller's to set */
    double multiply_adds;                     /* of a step's dense layers and convolutions */
    double bytes; /* that a step reads and writes at least, each array once for each use */
    bl_train_layer_time *layer; /* (layers), the dearest first */
    size_t layers;
} bl_train_times;

/* Over at least `seconds` and 3 steps, after one that warms up. Changes the run's state, as
 * bl_train_time does. BL_EUNSUPPORTED: not a net on a processor. */
bl_status bl_train_time_phases(bl_train *train, double seconds, bl_train_times *out,
                               bl_err *err) BL_CHECKED;
void bl_train_times_free(bl_train_times *times);
/* Seconds of one evaluation, on the processor. */
double bl_train_time_evaluation(bl_train *train);
/* Examples per epoch: training rows in use. */
int64_t bl_train_epoch_rows(const bl_config *config, const bl_dataset *data);
#endif
