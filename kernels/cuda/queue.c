/* Memory, queues and recordings of a card: the leaf of the CUDA side (queue.h has the picture).
 * Only this file and plugin.c speak to CUDA's runtime; kernels are started in launch.h. */
#include "kernels/cuda/queue.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bl_recording {
    cudaGraphExec_t graph;
};

/* The message is written here, where the call is known. */
#define TRY_CUDA(call)                                                                             \
    do {                                                                                           \
        const cudaError_t error_ = (call);                                                         \
        if (error_ != cudaSuccess) return bl_cuda_fault(error_, #call, err);                       \
    } while (0)

static bl_cuda_device *card_of(const bl_device *device) {
    return device->card;
}

void bl_cuda_use(const bl_cuda_device *device) {
    static _Thread_local int current = -1;
    if (current == device->index) return;
    if (cudaSetDevice(device->index) == cudaSuccess) current = device->index;
}

/* Tests on the emulated device make it small, so that calls come in pieces. */
size_t bl_workspace_floats(void) {
#ifdef BL_CUDA_EMULATED
    const char *bytes = getenv("BL_EMULATED_WORKSPACE");
    if (bytes != NULL) return strtoul(bytes, NULL, 10) / sizeof(float);
#endif
    return BL_CUDA_WORKSPACE / sizeof(float);
}

/* ---- faults ---- */

bl_status bl_cuda_fault(cudaError_t error, const char *call, bl_err *err) {
    (void)cudaGetLastError(); /* forget it: the next call is not to blame */
    if (error == cudaErrorMemoryAllocation) BL_FAIL(err, BL_ENOMEM, "the device's memory is full");
    BL_FAIL(err, BL_EUNSUPPORTED, "CUDA: %s (%.*s)", cudaGetErrorString(error),
            (int)strcspn(call, "("), call);
}

/* Only the first: what follows is mostly its consequence. */
static void keep_fault(bl_queue *queue, bl_status code, const char *format, va_list args) {
    if (queue->fault.code != BL_OK) return;
    queue->fault = (bl_err){.code = code, .file = __FILE__, .line = __LINE__};
    (void)vsnprintf(queue->fault.text, sizeof queue->fault.text, format, args);
}

void bl_queue_fault(bl_queue *queue, bl_status code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    keep_fault(queue, code, format, args);
    va_end(args);
}

void bl_queue_note(bl_queue *queue, cudaError_t error, const char *format, ...) {
    if (error == cudaSuccess || queue->fault.code != BL_OK) return;
    const bool full = error == cudaErrorMemoryAllocation;
    va_list args;
    va_start(args, format);
    keep_fault(queue, full ? BL_ENOMEM : BL_EUNSUPPORTED, format, args);
    va_end(args);
    (void)cudaGetLastError();
    const size_t used = strlen(queue->fault.text);
    (void)snprintf(queue->fault.text + used, sizeof queue->fault.text - used, ": %s",
                   full ? "the device's memory is full" : cudaGetErrorString(error));
}

void bl_queue_launched(bl_queue *queue, const char *kernel, const char *where, unsigned x,
                       unsigned y, unsigned z, unsigned threads) {
    cudaError_t error = cudaGetLastError();
    if (error == cudaSuccess && queue->checked) {
        enum cudaStreamCaptureStatus capturing = cudaStreamCaptureStatusNone;
        (void)cudaStreamIsCapturing(queue->stream, &capturing);
        if (capturing == cudaStreamCaptureStatusNone) error = cudaStreamSynchronize(queue->stream);
    }
    bl_queue_note(queue, error, "CUDA: kernel %s, grid %u x %u x %u of %u threads, by %s", kernel,
                  x, y, z, threads, where);
}

/* What was kept; what CUDA alone knows of gets a hint, as its call is not to blame. */
static bl_status tell(bl_queue *queue, cudaError_t error, const char *call, bl_err *err) {
    if (queue->fault.code == BL_OK && error != cudaSuccess)
        bl_queue_note(queue, error, "CUDA: %s%s", call,
                      queue->checked ? "" : " (BATCHLAB_CUDA_CHECK=1 names the kernel at fault)");
    if (queue->fault.code == BL_OK) return BL_OK;
    (void)cudaGetLastError();
    if (err != NULL) *err = queue->fault;
    return queue->fault.code;
}

/* ---- memory ---- */

static void queue_free(bl_queue *queue);

/* Gives up the idle queues. False: there was none. */
static bool free_idle(bl_cuda_device *device) {
    (void)pthread_mutex_lock(&device->lock);
    bl_queue *queue = device->idle;
    device->idle = NULL;
    device->idle_count = 0;
    (void)pthread_mutex_unlock(&device->lock);
    const bool any = queue != NULL;
    while (queue != NULL) {
        bl_queue *next = queue->next;
        queue_free(queue);
        queue = next;
    }
    return any;
}

/* Where memory lacks, idle queues are given up and it is tried once more. */
bl_status bl_cuda_alloc(const bl_device *device, void **out, size_t bytes, bl_err *err) {
    *out = NULL;
    bl_cuda_use(card_of(device));
    cudaError_t error = cudaMalloc(out, bytes > 0 ? bytes : 1);
    if (error == cudaErrorMemoryAllocation && free_idle(card_of(device))) {
        (void)cudaGetLastError();
        error = cudaMalloc(out, bytes > 0 ? bytes : 1);
    }
    if (error == cudaSuccess) return BL_OK;
    *out = NULL;
    return bl_cuda_fault(error, "cudaMalloc", err);
}

void bl_cuda_release(const bl_device *device, void *memory) {
    bl_cuda_use(card_of(device));
    (void)cudaFree(memory);
}

/* Idle queues count as free: bl_cuda_alloc gives them up. */
size_t bl_cuda_available(const bl_device *device) {
    bl_cuda_device *card = card_of(device);
    size_t available = 0, total = 0;
    bl_cuda_use(card);
    if (cudaMemGetInfo(&available, &total) != cudaSuccess) return 0;
    (void)pthread_mutex_lock(&card->lock);
    available += card->idle_count * BL_CUDA_WORKSPACE;
    (void)pthread_mutex_unlock(&card->lock);
    return available;
}

bl_status bl_cuda_alloc_pinned(const bl_device *device, void **out, size_t bytes, bl_err *err) {
    *out = NULL;
    bl_cuda_use(card_of(device));
    const cudaError_t error = cudaMallocHost(out, bytes > 0 ? bytes : 1);
    if (error == cudaSuccess) return BL_OK;
    *out = NULL;
    (void)cudaGetLastError();
    BL_FAIL(err, BL_ENOMEM, "no pinned memory: %s", cudaGetErrorString(error));
}

void bl_cuda_release_pinned(const bl_device *device, void *memory) {
    bl_cuda_use(card_of(device));
    if (memory) (void)cudaFreeHost(memory);
}

/* ---- queues ---- */

/* A thread that waits sleeps: there may be more runs than cores, and threads that spin would keep
 * those from enqueuing. */
static bl_status fill_queue(bl_queue *queue, bl_err *err) {
    BL_TRY(bl_cuda_alloc(&queue->device->device, &queue->workspace, BL_CUDA_WORKSPACE, err));
    TRY_CUDA(cudaStreamCreateWithFlags(&queue->stream, cudaStreamNonBlocking));
    for (size_t i = 0; i <= BL_QUEUE_MARKS; i++)
        TRY_CUDA(cudaEventCreateWithFlags(&queue->mark[i],
                                          cudaEventDisableTiming | cudaEventBlockingSync));
    return BL_OK;
}

static void queue_free(bl_queue *queue) {
    bl_cuda_use(queue->device);
    if (queue->stream) (void)cudaStreamSynchronize(queue->stream);
    if (queue->level_close) queue->level_close(queue);
    for (size_t i = 0; i <= BL_QUEUE_MARKS; i++)
        if (queue->mark[i]) (void)cudaEventDestroy(queue->mark[i]);
    if (queue->stream) (void)cudaStreamDestroy(queue->stream);
    (void)cudaFree(queue->workspace);
    (void)cudaGetLastError();
    free(queue);
}

/* Any one will do: a queue has no trace of the run before it but what saves time. */
static bl_queue *take_idle(bl_cuda_device *device) {
    (void)pthread_mutex_lock(&device->lock);
    bl_queue *queue = device->idle;
    if (queue != NULL) {
        device->idle = queue->next;
        device->idle_count--;
        queue->next = NULL;
    }
    (void)pthread_mutex_unlock(&device->lock);
    return queue;
}

bl_status bl_queue_open(const bl_device *device, bl_queue **out, bl_err *err) {
    const char *check = getenv("BATCHLAB_CUDA_CHECK");
    bl_queue *queue = take_idle(card_of(device));
    bl_status status = BL_OK;
    *out = NULL;
    if (queue == NULL) {
        queue = calloc(1, sizeof *queue);
        if (!queue) BL_FAIL(err, BL_ENOMEM, "no memory");
        queue->device = card_of(device);
        status = fill_queue(queue, err);
    }
    if (status != BL_OK) {
        queue_free(queue);
        return status;
    }
    queue->checked = check != NULL && strcmp(check, "1") == 0;
    *out = queue;
    return BL_OK;
}

/* Kept for the next run, unless something went wrong on it. */
void bl_queue_close(bl_queue *queue) {
    if (!queue) return;
    bl_cuda_use(queue->device);
    const cudaError_t error = cudaStreamSynchronize(queue->stream);
    if (error != cudaSuccess || queue->fault.code != BL_OK) {
        queue_free(queue);
        return;
    }
    bl_cuda_device *device = queue->device;
    (void)pthread_mutex_lock(&device->lock);
    queue->next = device->idle;
    device->idle = queue;
    device->idle_count++;
    (void)pthread_mutex_unlock(&device->lock);
}

void bl_queue_mark(bl_queue *queue, size_t mark) {
    bl_cuda_use(queue->device);
    bl_queue_note(queue, cudaEventRecord(queue->mark[mark], queue->stream), "CUDA: a mark");
}

/* Faults of calls since the last wait show here. */
bl_status bl_queue_wait_for(bl_queue *queue, size_t mark, bl_err *err) {
    bl_cuda_use(queue->device);
    BL_TRY(tell(queue, cudaGetLastError(), "an earlier call", err));
    return tell(queue, cudaEventSynchronize(queue->mark[mark]), "an earlier call", err);
}

bl_status bl_queue_wait(bl_queue *queue, bl_err *err) {
    bl_queue_mark(queue, BL_QUEUE_MARKS);
    return bl_queue_wait_for(queue, BL_QUEUE_MARKS, err);
}

/* Enqueues and returns: `from` has to stay as it is until a wait. */
static void copy(bl_queue *queue, void *to, const void *from, size_t bytes,
                 enum cudaMemcpyKind kind, const char *where) {
    if (bytes == 0) return; /* not a call that a recording would take */
    bl_cuda_use(queue->device);
    bl_queue_note(queue, cudaMemcpyAsync(to, from, bytes, kind, queue->stream),
                  "CUDA: a copy of %zu bytes %s", bytes, where);
}

void bl_queue_put(bl_queue *queue, void *to, const void *from, size_t bytes) {
    copy(queue, to, from, bytes, cudaMemcpyHostToDevice, "to the device");
}

void bl_queue_get(bl_queue *queue, void *to, const void *from, size_t bytes) {
    copy(queue, to, from, bytes, cudaMemcpyDeviceToHost, "from the device");
}

void bl_queue_copy(bl_queue *queue, void *to, const void *from, size_t bytes) {
    copy(queue, to, from, bytes, cudaMemcpyDeviceToDevice, "on the device");
}

void bl_queue_clear(bl_queue *queue, void *memory, size_t bytes) {
    if (bytes == 0) return;
    bl_cuda_use(queue->device);
    bl_queue_note(queue, cudaMemsetAsync(memory, 0, bytes, queue->stream),
                  "CUDA: clearing %zu bytes", bytes);
}

/* ---- recordings ---- */

/* What the thread enqueues from here on is recorded, and not run. */
bl_status bl_queue_record_begin(bl_queue *queue, bl_err *err) {
    bl_cuda_use(queue->device);
    TRY_CUDA(cudaStreamBeginCapture(queue->stream, cudaStreamCaptureModeThreadLocal));
    return BL_OK;
}

/* A call that failed while it was recorded comes first: the recording fails because of it. */
bl_status bl_queue_record_end(bl_queue *queue, bl_recording **out, bl_err *err) {
    cudaGraph_t graph = NULL;
    const char *call = "cudaStreamEndCapture";
    bl_recording *recording = calloc(1, sizeof *recording);
    *out = NULL;
    cudaError_t error = cudaStreamEndCapture(queue->stream, &graph);
    if (error == cudaSuccess && recording != NULL && queue->fault.code == BL_OK) {
        call = "cudaGraphInstantiate";
        error = cudaGraphInstantiate(&recording->graph, graph, 0);
    }
    if (graph) (void)cudaGraphDestroy(graph);
    if (error == cudaSuccess && recording != NULL && queue->fault.code == BL_OK) {
        *out = recording;
        return BL_OK;
    }
    if (recording != NULL && recording->graph != NULL) (void)cudaGraphExecDestroy(recording->graph);
    free(recording);
    BL_TRY(tell(queue, error, call, err));
    BL_FAIL(err, BL_ENOMEM, "no memory");
}

void bl_queue_replay(bl_queue *queue, bl_recording *recording) {
    bl_cuda_use(queue->device);
    bl_queue_note(queue, cudaGraphLaunch(recording->graph, queue->stream), "CUDA: a recorded step");
}

void bl_queue_recording_free(bl_recording *recording) {
    if (!recording) return;
    (void)cudaGraphExecDestroy(recording->graph);
    free(recording);
}
