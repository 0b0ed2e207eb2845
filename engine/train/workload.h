/* What is trained: a net on a data set, or a problem whose answer is known. One file
 * workload_NAME.c and one row of workload_table.c each. training.c owns the walk of a run (grid of
 * evaluations, log, checkpoints); a workload owns the step and the measurement. */
#ifndef BL_ENGINE_TRAIN_WORKLOAD_H
#define BL_ENGINE_TRAIN_WORKLOAD_H
#include "engine/train/run.h"

/* Memory that a checkpoint holds. */
typedef struct bl_state_block {
    void *data;
    size_t bytes;
} bl_state_block;
enum { BL_STATE_BLOCKS = 8 };

struct bl_workload {
    const char *name;
    /* Takes runs of this configuration? */
    bool (*takes)(const bl_config *config);
    /* Names to table rows, and all that a run has to know before it has memory. config, data,
     * batch, epoch_rows, optim and schedule are set. */
    bl_status (*resolve)(bl_train *train, bl_err *err);
    /* Takes memory (dry: only counts). */
    void (*lay_out)(bl_train *train, bl_net_layout *layout, size_t threads);
    void (*begin)(bl_train *train); /* values before the first step */
    /* The loss of batch number progress.made; if it is finite, all that `update` needs is ready,
     * and it may have updated some weights already. */
    double (*loss)(bl_train *train);
    void (*update)(bl_train *train, const bl_update_step *args);
    /* Instead of `loss` and `update`: several steps at once, for a device. As bl_train_steps. */
    bl_status (*steps)(bl_train *train, int64_t most, bl_err *err);
    bl_status (*finish)(bl_train *train, bl_err *err); /* as bl_train_steps_finish */
    double (*evaluate)(bl_train *train);
    void (*digest)(const bl_train *train, bl_sha256 *digest);
    /* All that changes from step to step beside bl_train_progress; the number of blocks. */
    size_t (*blocks)(const bl_train *train, bl_state_block out[BL_STATE_BLOCKS]);
    /* For a workload whose blocks are copies of what a device holds: `fetch` copies from the
     * device before the blocks are read, `put` copies to it after they are written. NULL: the
     * blocks are the state itself. */
    void (*fetch)(const bl_train *train);
    void (*put)(bl_train *train);
    /* For probes (probe.c): the mean gradient of examples [position, position + count) of the
     * stream of `seed`, at the weights as they are; *gradient is the processor's to read and to
     * write until the next call. False: the loss is not finite. */
    bool (*probe)(bl_train *train, uint64_t seed, uint64_t position, size_t count,
                  float **gradient);
    /* Where the processor can read the optimizer's second state, and the weights, until the next
     * call. */
    const float *(*probe_state)(bl_train *train);
    const float *(*probe_weights)(bl_train *train);
    /* The weights become weight[i] + step * along[i]; along NULL: weight[i]. */
    void (*probe_move)(bl_train *train, const float *weight, float step, const float *along);
    /* Fills the norms of a probe without a sample, by what the problem says; false: it cannot.
     * NULL: it never can. */
    bool (*probe_exact)(bl_train *train, bl_noise_probe *probe);
    /* The first fault so far, also of calls that return no status. NULL: the workload cannot
     * fail. */
    bl_status (*fault)(const bl_train *train, bl_err *err);
};

/* Of the ways that do not stop (probe_ways.c), behind the workload's own; how many. */
size_t bl_train_ways_blocks(const bl_train *train, bl_state_block *out);

extern const bl_workload bl_workload_net, bl_workload_quadratic, bl_workload_device;
/* The row that takes the configuration. */
const bl_workload *bl_workload_of(const bl_config *config);

/* Rows to evaluate at once: the largest power of two, 256 to 4,096 and not beyond what holds all,
 * with which the net takes at most `bytes` (256 in any case). Every chunk packs the weights anew,
 * so many rows are faster. */
size_t bl_train_eval_rows(bl_train *train, size_t bytes);
/* Begins the metric of an evaluation; ends it: the value, and now.batch_mean. */
void bl_train_metric_begin(const bl_train *train, bl_metric_sum *sum);
double bl_train_metric_end(bl_train *train, bl_metric_sum *sum);
/* A net's weights, states and pieces, from the layout. */
void bl_train_net_memory(bl_train *train, bl_net_layout *layout);
void bl_train_net_digest(const bl_net *net, const float *weight, const float *running,
                         bl_sha256 *digest);
/* Of a run on a device: opened before, given memory after it was planned. */
enum { BL_TRAIN_DEVICE_STEPS = 32 }; /* at once; as many again may be on their way */
bl_status bl_train_device_open(bl_train *train, const bl_train_device_data *device_data) BL_CHECKED;
bl_status bl_train_device_memory(bl_train *train, size_t bytes, bl_err *err) BL_CHECKED;
void bl_train_device_close(bl_train *train);
/* The i-th algorithm that a vendor's library was chosen for, in words; NULL: no more. */
const char *bl_train_device_algorithm(const bl_train *train, size_t i);

/* ---- the average of weights that is evaluated: weight_average.c ---- */

/* gamma + 1 of the power average of relative width `width`, in (0, 0.2886...). */
double bl_train_average_power(double width);
/* The share that the weights after step number `step` (1 is the first) have in their average. */
double bl_train_average_share(double power, int64_t step);
/* Takes the memory of the averages, if the run keeps any. */
void bl_train_average_memory(bl_train *train, bl_net_layout *layout);
/* Moves the average of the running statistics, once a step's update is made. */
void bl_train_average_running(bl_train *train, double share);
/* Evaluations between the two read the averages, if the run keeps any. */
void bl_train_average_aim(bl_train *train);
void bl_train_average_aim_back(bl_train *train);

/* The numbers of step progress->made, which also moves progress's products on. */
bl_update_step bl_train_optim_numbers(const bl_config *config);
bl_update_step bl_train_step_numbers(const bl_train *train, bl_train_progress *progress);
/* Enters a batch's loss into the progress. */
void bl_train_enter_loss(bl_train *train, double loss);
/* The optimizer over the block of weights: what `update` of a net is. */
void bl_train_update_weights(bl_train *train, const bl_update_step *args);
/* The loss and the gradient of a net's next batch, in pieces of train->micro examples. Of at
 * most 64 examples in one piece, large weights may be updated already (train->updated). */
double bl_train_batch_loss(bl_train *train);
/* Updates `count` weights by `gradient`, whose place in net.gradient would be `place`, and moves
 * their average. */
typedef struct bl_train_update {
    bl_train *train;
    bl_update_step step;
} bl_train_update;
void bl_train_update_at(const void *update, const float *gradient, const float *place,
                        size_t count);
/* out[i] = weight[i] + step * along[i], on the processor; along NULL: weight[i]. */
void bl_train_move_weights(bl_train *train, float *out, const float *weight, float step,
                           const float *along);
/* A probe_weights and a probe_move where net.weight is the processor's. */
const float *bl_train_weights_here(bl_train *train);
void bl_train_move_here(bl_train *train, const float *weight, float step, const float *along);
/* The `probe` of a net (struct bl_workload). */
bool bl_train_net_probe(bl_train *train, uint64_t seed, uint64_t position, size_t count,
                        float **gradient);
/* Adds numbers to a digest; every NaN counts as one. */
void bl_train_digest_f32(bl_sha256 *digest, const float *values, size_t count);
void bl_train_digest_f64(bl_sha256 *digest, const double *values, size_t count);
#endif
