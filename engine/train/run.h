/* struct bl_train, the inside of a run, shared by the files of this room. Other rooms see train.h.
 */
#ifndef BL_ENGINE_TRAIN_RUN_H
#define BL_ENGINE_TRAIN_RUN_H
#include "engine/base/mem.h"
#include "engine/base/pool.h"
#include "engine/base/sha256.h"
#include "engine/data/image/augment.h"
#include "engine/data/sampler.h"
#include "engine/model/loss.h"
#include "engine/model/metric.h"
#include "engine/model/net.h"
#include "engine/noise/noise_record.h"
#include "engine/optim/optim.h"
#include "engine/optim/schedule.h"
#include "engine/train/train.h"

/* What changes from step to step beside the blocks of floats; state_bytes.c writes all of it. */
typedef struct bl_train_progress {
    int64_t made;              /* updates so far */
    double loss;               /* of the last batch */
    double loss_sum;           /* of the batches since the last record ... */
    int64_t loss_count;        /* ... and how many */
    uint64_t hash;             /* rolls over every batch loss */
    double product1, product2; /* of all steps' beta1 and beta2 */
    bool diverged;
} bl_train_progress;

/* The noisy quadratic model: workload_quadratic.c. */
typedef enum bl_quadratic_moment {
    BL_THETA_THETA,
    BL_THETA_V,
    BL_V_V,
    BL_QUADRATIC_RAW, /* what follows only where an average of thetas, "bar", is kept */
    BL_BAR_BAR = BL_QUADRATIC_RAW,
    BL_BAR_THETA,
    BL_BAR_V,
    BL_QUADRATIC_MOMENTS
} bl_quadratic_moment;
typedef struct bl_quadratic {
    size_t dimensions, replicas; /* sampled: net.weight is (dimensions, replicas) */
    double gradient_noise;       /* of a batch's gradient, per curvature */
    bool nesterov;
    double *moment[BL_QUADRATIC_MOMENTS]; /* (dimensions) each: exact */
} bl_quadratic;

/* Probes of the gradient noise: probe.c. */
typedef struct bl_train_probes {
    bool on, preconditioned;
    bl_noise_settings settings;
    int64_t examples;   /* that one probe costs */
    size_t levels;      /* of the tree of a quarter */
    int64_t step, made; /* up to evaluation `step` of the grid there were so many probes */
    /* (net.weights) each, in memory that the processor reads */
    float *level[BL_NOISE_LEVELS], *quarter[BL_NOISE_QUARTERS - 1], *scale;
    float *last, *weight, *product; /* NULL but for noise.hessian: probe_hessian.c */
    double *sums;                   /* of blocks */
    bl_buf log;
} bl_train_probes;

/* The ways that do not stop: probe_ways.c. */
typedef struct bl_train_ways_kept {
    int64_t steps, in_window;
    double missing, squares;
    double average_sq, average_variance, small_sq, big_sq; /* as in bl_noise_ways */
} bl_train_ways_kept;
typedef struct bl_train_ways {
    float *array; /* (3, net.weights): mean, variance, sum; NULL: none of this */
    double *sums; /* of blocks */
    bl_train_ways_kept kept;
} bl_train_ways;

/* The clock of phases, while somebody measures them: time.c. Seconds on the processor. */
typedef struct bl_train_watch {
    bl_pass_watch pass; /* of nodes */
    double phase_began, node_began;
    double phase[BL_TRAIN_PHASE_COUNT];
    double *forward, *backward; /* (net.nodes) */
} bl_train_watch;

typedef struct bl_workload bl_workload;
typedef struct bl_train_device bl_train_device;

struct bl_train {
    const bl_workload *workload;
    bl_config config;
    const bl_dataset *data;
    const bl_kernels *kernels;
    bl_pool *pool;
    bl_arena arena;
    bl_net net;
    const bl_loss *loss;
    const bl_metric *metric;
    const bl_optim *optim;
    bl_update_step optim_numbers; /* momentum or beta1, beta2, eps, weight_decay, as configured */
    double average_power; /* of eval.average; 0: the weights of the last step are evaluated */
    bl_schedule_plan schedule;
    bl_sampler sampler;
    size_t batch;
    size_t micro;  /* a net: examples at once; the batch comes in pieces of so many */
    size_t levels; /* of the tree that adds the pieces' gradients; 0: one piece */
    uint64_t epoch_rows;
    bl_quadratic quadratic;
    uint64_t eval_first, eval_available; /* the rows of the split that is evaluated ... */
    uint64_t eval_rows;                  /* ... and how many of them, evenly spaced */
    size_t eval_chunk;                   /* rows evaluated at once; shows in no result */
    bl_augment augment;
    /* memory from the arena */
    float *state[BL_UPDATE_STATES]; /* (net.weights) each */
    float *average;                 /* (net.weights); NULL unless eval.average keeps one */
    float *average_running;         /* (net.runnings), of the running statistics, likewise */
    float *level[64];               /* (bl_net_gradients) each */
    unsigned char *scratch;
    uint32_t *rows; /* (net.capacity): of the examples in the net's input */

    bool updated; /* the weights of nodes with bl_net_updates had this step's update, in backward */
    bl_train_watch *watch; /* NULL: nobody measures, as in all training */
    bool held; /* while time.c measures: steps take the batch that the net's input holds */

    bl_train_device *on_device; /* NULL: the run is on the processor */

    bl_train_progress progress;
    bl_train_state now;
    bl_buf log;
    bl_sha256 log_digest; /* of all bytes of `log` */
    bl_train_probes probe;
    bl_train_ways ways;
    char identity[BL_SHA256_HEX]; /* of what a checkpoint must have in common with its run */
};

/* Fills net->codes, values and target with `count` examples: of the stream from `position` on, or
 * (BL_TRAIN_GATHER_EVAL) the validation subset's rows from that index on. */
typedef enum bl_train_gather_from {
    BL_TRAIN_GATHER_STREAM,
    BL_TRAIN_GATHER_EVAL
} bl_train_gather_from;
void bl_train_gather(bl_train *train, bl_train_gather_from from, uint64_t position, size_t count);

/* At least one and at most `most` optimizer steps. A batch whose loss is not finite ends them:
 * nothing was updated, and progress.diverged. On a device further ones of the `most` may be on
 * their way, which the next call counts, or bl_train_steps_finish: until then the state is theirs.
 */
bl_status bl_train_steps(bl_train *train, int64_t most, bl_err *err) BL_CHECKED;
bl_status bl_train_steps_finish(bl_train *train, bl_err *err) BL_CHECKED;
/* What was done since the last mark was this phase; nothing happens unless somebody measures. */
void bl_train_watch_mark(bl_train *train, bl_train_phase phase);
static inline void bl_train_mark(bl_train *train, bl_train_phase phase) {
    if (train->watch != NULL) bl_train_watch_mark(train, phase);
}
/* SHA-256 over all that training changes in what is evaluated; every NaN counts as one. */
void bl_train_params_digest(const bl_train *train, char out[BL_SHA256_HEX]);

/* Settings; `rows` are those that micro-batches are drawn from, 0: no end of them. Then memory,
 * from a layout that the processor can read. Then the log's header. */
bl_status bl_train_probe_resolve(bl_train *train, uint64_t rows, bl_err *err) BL_CHECKED;
void bl_train_probe_lay_out(bl_train *train, bl_net_layout *layout);
void bl_train_probe_begin(bl_train *train, const char *run_id);
/* Is a probe due at this evaluation? Asked with growing steps. */
bool bl_train_probe_due(bl_train *train, int64_t step);
void bl_train_probe(bl_train *train); /* makes one, where the run stands */
/* The Hessian's part of a probe (probe_hessian.c): what it costs in examples beside `examples`, its
 * memory, and its measurement over the micro-batches of the stream of `seed`. quarter[] has the
 * sums of the quarters' mean gradients. */
int64_t bl_train_probe_hessian_cost(int64_t examples);
void bl_train_probe_hessian_lay_out(bl_train *train, bl_net_layout *layout);
void bl_train_probe_hessian(bl_train *train, bl_noise_probe *probe, uint64_t seed,
                            const float *const quarter[BL_NOISE_QUARTERS]);
/* sum of a[i] b[i] over the weights, in doubles; the same bits with any threads. */
double bl_train_probe_dot(bl_train *train, const float *a, const float *b);
/* Takes the records of a saved state; false: they are of other settings. */
bool bl_train_probe_restore(bl_train *train, const char *text, size_t n);

/* The ways that do not stop: memory, state before the first step, a batch's gradient once it is
 * there, a record of an evaluation. Without noise.window they do nothing. */
void bl_train_ways_lay_out(bl_train *train, bl_net_layout *layout);
void bl_train_ways_begin(bl_train *train);
void bl_train_ways_enter(bl_train *train);
void bl_train_ways_record(bl_train *train);

void bl_train_log_header(bl_train *train, const char *run_id);
void bl_train_log_records(
    bl_train *train); /* a step record and an evaluation record of train->now */
#endif
