/* A device: memory of its own, queues of calls that run in order, and the kernel families carried
 * out there. Filled in by a plug-in (kernels/cuda/plugin.c) that is opened when a run asks for it:
 * the program neither links nor needs it.
 *
 * Who calls what: engine/train/device_dataset.c puts a data set into the device's memory once, for
 * all runs; engine/train/workload_device.c has one queue and one block of memory for each run. A
 * run's step is enqueued once as it is, recorded once, and then replayed:
 *
 *     queue_open, alloc, put ...                  the run is set up
 *     gather, kernels, check_loss, update             a step, enqueued
 *     record_begin, the same calls, record_end        a step or eight of them, recorded
 *     put numbers of 32 steps, 4 x replay, get losses, mark    a chunk of steps
 *     wait_for(mark)                              the chunk before is done: look at its losses
 *
 * All calls but the waits, alloc and release return before they are done, unless said otherwise.
 * Calls without a status keep their fault in the queue, and the next wait tells of it. A queue is
 * one thread's at a time; different queues may be used at once. Pointers to arrays are the
 * device's: the host may not look at them. */
#ifndef BL_KERNELS_DEVICE_H
#define BL_KERNELS_DEVICE_H
#include "kernels/kernel.h"
#include "kernels/shared/update.h"

typedef struct bl_queue bl_queue;         /* one thread uses it at a time */
typedef struct bl_recording bl_recording; /* calls kept to be made again */

/* ---- what a step of training needs beside the kernel families; arrays lie on the device ---- */

enum { BL_DEVICE_CHANNELS = 4, BL_QUEUE_MARKS = 2 };

/* Where a run stands; one on the device for each run. */
typedef struct bl_device_progress {
    uint64_t position; /* of the next batch's first example in the stream */
    uint64_t index;    /* steps whose loss was checked since the host last set it */
    uint64_t stopped;  /* a loss was not finite: nothing is updated from there on */
} bl_device_progress;

/* Puts a batch together: `count` examples, those of the stream from `position` + *from on (from
 * NULL: 0), in the order of `seed` over `train_rows`, or, with `eval_rows` > 0, number `position`,
 * ... of eval_rows evenly spaced rows from eval_first on. */
typedef struct bl_device_gather {
    uint16_t *codes;           /* (count, categorical) */
    float *values;             /* (count, continuous) */
    float *target;             /* (count) */
    const uint16_t *all_codes; /* of all rows, as in bl_dataset */
    const float *all_values;
    const uint8_t *all_pixels; /* NULL: a table */
    const float *all_target;
    size_t categorical, continuous, height, width, channels;
    float pixel_mean[BL_DEVICE_CHANNELS], pixel_scale[BL_DEVICE_CHANNELS];
    size_t crop;
    bool flip;
    uint64_t seed, train_rows, eval_first, eval_available, eval_rows;
    uint64_t position;
    const uint64_t *from;
    size_t count;
} bl_device_gather;

/* The loss of a step, and the running statistics that its forward pass leaves behind. */
typedef struct bl_device_check {
    bl_device_progress *progress;
    double *losses;       /* [progress->index] is written */
    const double *sum;    /* of the examples' losses */
    size_t total;         /* examples */
    float *snapshot;      /* (count) */
    const float *running; /* (count) */
    size_t count;
} bl_device_check;

/* One update of `count` parameters by the numbers of the step that was checked last,
 * steps[progress->index - 1], unless progress->stopped. Where an average is kept, the new
 * parameters and the running statistics move theirs (power_average). */
typedef struct bl_device_update {
    const char *optimizer;       /* NAME of a kernels/shared/update_NAME.h */
    const bl_update_step *steps; /* their pointers are not looked at */
    const bl_device_progress *progress;
    float *param;
    const float *grad;
    float *state[BL_UPDATE_STATES];
    size_t count;
    float *average;         /* (count), of param; NULL: none is kept */
    float *average_running; /* (runnings), of running */
    const float *running;
    size_t runnings;
} bl_device_update;

typedef struct bl_device {
    size_t size;       /* of this structure where the plug-in was built */
    char name[128];    /* "NVIDIA H200" */
    char library[128]; /* versions of driver and libraries */
    char pci_address[32];
    int multiprocessors;
    size_t memory;             /* bytes */
    size_t queue_bytes;        /* of them, for each queue */
    void *card;                /* the plug-in's own */
    const bl_kernels *kernels; /* arguments hold the device's pointers, part->queue a queue */

    /* BL_ENOMEM is an outcome of a run. */
    bl_status (*alloc)(const struct bl_device *device, void **out, size_t bytes, bl_err *err);
    /* Waits for all queues; NULL is fine. */
    void (*release)(const struct bl_device *device, void *memory);
    size_t (*available)(const struct bl_device *device); /* bytes that alloc could give now */
    /* Memory of the host's that the device copies from and to without the host. Scarce: whoever
     * gets none goes on with ordinary memory. */
    bl_status (*alloc_pinned)(const struct bl_device *device, void **out, size_t bytes,
                              bl_err *err);
    /* No call may be under way that uses it; NULL is fine. */
    void (*release_pinned)(const struct bl_device *device, void *memory);

    bl_status (*queue_open)(const struct bl_device *device, bl_queue **out, bl_err *err);
    void (*queue_close)(bl_queue *queue); /* waits for its calls; NULL is fine */
    /* Level `device`: opens the vendor's libraries, those of pictures too if asked; *text, of the
     * device, names it and their versions, on which that level's bits depend. BL_EUNSUPPORTED says
     * what is missing. */
    bl_status (*libraries)(const struct bl_device *device, const char **text, bool pictures,
                           bl_err *err);
    /* Kernels of that level, for this queue alone. `precision`: a row of BL_CHOICES_PRECISION. */
    bl_status (*queue_level)(bl_queue *queue, const char *precision, bool pictures,
                             const bl_kernels **out, bl_err *err);
    /* Kernels that carry nothing out and choose algorithms for their arguments, from here until
     * it is called with false. */
    const bl_kernels *(*select_algorithms)(bl_queue *queue, bool on);
    const char *(*algorithm_text)(bl_queue *queue,
                                  size_t i);         /* the i-th chosen algorithm; NULL: no more */
    bl_status (*wait)(bl_queue *queue, bl_err *err); /* until all calls are done; tells of faults */
    /* Keeps as `mark`, one of BL_QUEUE_MARKS, where the queue is, and waits until the calls before
     * it are done; tells of faults, of later calls, too. */
    void (*mark)(bl_queue *queue, size_t mark);
    bl_status (*wait_for)(bl_queue *queue, size_t mark, bl_err *err);

    /* Done with `from` on return, unless that is pinned: then after a wait. */
    void (*put)(bl_queue *queue, void *to, const void *from, size_t bytes);
    void (*get)(bl_queue *queue, void *to, const void *from, size_t bytes); /* done after a wait */
    void (*copy)(bl_queue *queue, void *to, const void *from, size_t bytes);
    void (*clear)(bl_queue *queue, void *memory, size_t bytes); /* to zero */

    /* Calls between begin and end are kept, not made. */
    bl_status (*record_begin)(bl_queue *queue, bl_err *err);
    bl_status (*record_end)(bl_queue *queue, bl_recording **out, bl_err *err);
    void (*replay)(bl_queue *queue, bl_recording *recording);
    void (*recording_free)(bl_recording *recording);

    void (*gather)(bl_queue *queue, const bl_device_gather *args);
    /* gradient <- left + gradient, sum <- left_sum + sum. */
    void (*merge)(bl_queue *queue, float *gradient, const float *left, size_t count, double *sum,
                  const double *left_sum);
    /* What ends a step's passes: snapshot <- running (count floats) unless stopped, then
     * losses[index] = *sum / total; not finite: stopped. Then the next step's position and index.
     */
    void (*check_loss)(bl_queue *queue, const bl_device_check *args);
    void (*scale)(bl_queue *queue, float *x, float factor, size_t count); /* x <- x * factor */
    void (*update)(bl_queue *queue, const bl_device_update *args);
} bl_device;

/* "cuda" or "cuda:1". Opens the plug-in on the first call. BL_EUNSUPPORTED says what is missing:
 * the plug-in, a driver, a GPU. The device stays open to the program's end. */
bl_status bl_device_open(const bl_device **out, const char *name, bl_err *err) BL_CHECKED;

/* What a plug-in exports under this name. */
#define BL_DEVICE_PLUGIN "bl_device_plugin"
typedef bl_status bl_device_plugin_fn(const bl_device **out, int index, bl_err *err);
#endif
