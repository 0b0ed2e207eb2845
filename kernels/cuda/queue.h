/* A queue of the device, seen from inside the plug-in: a stream, marks in it, memory for partial
 * sums, and the first fault of a call that has no status of its own.
 *
 * The CUDA side is built in four steps, each of which uses those before it and none after it:
 *     queue.c     memory, streams, copies, recordings, faults (this header; knows no kernel)
 *     *.cu        this project's kernels (cuda_kernels.h), which queue.h's launches start
 *     vendor/     cuBLASLt and cuDNN, with the kernels of *.cu around them
 *     plugin.c    the table that the program sees (kernels/device.h)
 *
 * Faults. CUDA tells of a failed kernel at any later call, and enqueuing functions return nothing
 * (kernels/device.h). So whoever sees a fault keeps it in the queue, with all that is known there:
 * the kernel or the library's operation, its shape, the library's own words. bl_queue_wait and
 * bl_queue_record_end tell it; the run ends with it. Under BATCHLAB_CUDA_CHECK=1 every launch is
 * waited for, so that the kernel at fault is the one that is named (while recording it cannot be).
 *
 * Ownership. A queue belongs to one thread at a time. Closed queues are kept by their device for
 * the next run, with everything that is costly to make again (cuda_device.idle). */
#ifndef BL_KERNELS_CUDA_QUEUE_H
#define BL_KERNELS_CUDA_QUEUE_H
#include "kernels/device.h"
#include <cuda_runtime_api.h>
#include <pthread.h>

#define BL_CUDA_WORKSPACE ((size_t)64 << 20)

/* A card; one for each index that was opened, to the program's end. */
typedef struct bl_cuda_device {
    bl_device device;     /* what the program sees; its `card` is this structure */
    int index;            /* CUDA's number of the card */
    pthread_mutex_t lock; /* of what follows */
    struct bl_queue *idle;
    size_t idle_count;
    char levels[2][256]; /* names of level `device`, without and with pictures */
} bl_cuda_device;

struct bl_queue {
    bl_cuda_device *device;
    cudaStream_t stream;
    cudaEvent_t mark[BL_QUEUE_MARKS + 1]; /* the last: of a wait for all */
    void *workspace;                      /* BL_CUDA_WORKSPACE bytes of the device */
    bl_err fault;                         /* code BL_OK: none */
    bool checked;                         /* BATCHLAB_CUDA_CHECK=1 when it was opened */
    struct bl_queue *next;                /* while idle */
    /* Of level `device` (plugin.c); NULL where no run of that level has used the queue. */
    struct bl_cublaslt *products;
    struct bl_cudnn *images;
    char precision[8]; /* of both, a row of BL_CHOICES_PRECISION */
    bool selecting;    /* algorithms are selected, nothing is carried out */
    void (*level_close)(struct bl_queue *queue);
};

#ifdef __cplusplus
extern "C" {
#endif

/* Makes the card the calling thread's, as CUDA's current device belongs to a thread. */
void bl_cuda_use(const bl_cuda_device *device);
size_t bl_workspace_floats(void); /* how many of a queue's an exact kernel may take */

/* CUDA's error as a status: BL_ENOMEM where memory is what lacks. The message names the call. */
bl_status bl_cuda_fault(cudaError_t error, const char *call, bl_err *err);

/* ---- faults of a queue ---- */

/* Keeps the first fault. */
BL_PRINTF(3, 4) void bl_queue_fault(bl_queue *queue, bl_status code, const char *format, ...);
/* The same of CUDA's error, if it is one: "FORMAT: what CUDA says". */
BL_PRINTF(3, 4) void bl_queue_note(bl_queue *queue, cudaError_t error, const char *format, ...);
/* After every launch. `where` is the launching function, with the arguments of its template. */
void bl_queue_launched(bl_queue *queue, const char *kernel, const char *where, unsigned x,
                       unsigned y, unsigned z, unsigned threads);

/* ---- members of bl_device of these names (kernels/device.h) ---- */

bl_status bl_cuda_alloc(const bl_device *device, void **out, size_t bytes, bl_err *err);
void bl_cuda_release(const bl_device *device, void *memory);
size_t bl_cuda_available(const bl_device *device);
bl_status bl_cuda_alloc_pinned(const bl_device *device, void **out, size_t bytes, bl_err *err);
void bl_cuda_release_pinned(const bl_device *device, void *memory);

bl_status bl_queue_open(const bl_device *device, bl_queue **out, bl_err *err);
void bl_queue_close(bl_queue *queue);
bl_status bl_queue_wait(bl_queue *queue, bl_err *err);
void bl_queue_mark(bl_queue *queue, size_t mark);
bl_status bl_queue_wait_for(bl_queue *queue, size_t mark, bl_err *err);
void bl_queue_put(bl_queue *queue, void *to, const void *from, size_t bytes);
void bl_queue_get(bl_queue *queue, void *to, const void *from, size_t bytes);
void bl_queue_copy(bl_queue *queue, void *to, const void *from, size_t bytes);
void bl_queue_clear(bl_queue *queue, void *memory, size_t bytes);
bl_status bl_queue_record_begin(bl_queue *queue, bl_err *err);
bl_status bl_queue_record_end(bl_queue *queue, bl_recording **out, bl_err *err);
void bl_queue_replay(bl_queue *queue, bl_recording *recording);
void bl_queue_recording_free(bl_recording *recording);

#ifdef __cplusplus
}
#endif
#endif
