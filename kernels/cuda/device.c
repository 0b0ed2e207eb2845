/* The plug-in: memory, queues and recordings of a CUDA device. */
#include "kernels/cuda/queue.h"
#include "kernels/vendor/cublaslt.h"
#include "kernels/vendor/cudnn_images.h"
#include <pthread.h>
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
        if (error_ != cudaSuccess) return fault(error_, #call, err);                               \
    } while (0)

static int device_index;

/* CUDA's current device belongs to a thread. */
void bl_cuda_use(void) {
    static _Thread_local bool used;
    if (!used) (void)cudaSetDevice(device_index);
    used = true;
}

/* Tests on the emulated device make it small, so that calls come in pieces. */
size_t bl_workspace_floats(void) {
#ifdef BL_CUDA_EMULATED
    const char *bytes = getenv("BL_EMULATED_WORKSPACE");
    if (bytes != NULL) return strtoul(bytes, NULL, 10) / sizeof(float);
#endif
    return BL_CUDA_WORKSPACE / sizeof(float);
}

static bl_status fault(cudaError_t error, const char *call, bl_err *err) {
    (void)cudaGetLastError(); /* forget it: the next call is not to blame */
    if (error == cudaErrorMemoryAllocation) BL_FAIL(err, BL_ENOMEM, "the device's memory is full");
    BL_FAIL(err, BL_EUNSUPPORTED, "CUDA: %s (%.*s)", cudaGetErrorString(error),
            (int)strcspn(call, "("), call);
}

static bl_status device_alloc(void **out, size_t bytes, bl_err *err) {
    *out = NULL;
    bl_cuda_use();
    TRY_CUDA(cudaMalloc(out, bytes > 0 ? bytes : 1));
    return BL_OK;
}

static void device_release(void *memory) {
    bl_cuda_use();
    (void)cudaFree(memory);
}

static size_t device_available(void) {
    size_t available = 0, total = 0;
    bl_cuda_use();
    return cudaMemGetInfo(&available, &total) == cudaSuccess ? available : 0;
}

static bl_status device_alloc_pinned(void **out, size_t bytes, bl_err *err) {
    *out = NULL;
    bl_cuda_use();
    const cudaError_t error = cudaMallocHost(out, bytes > 0 ? bytes : 1);
    if (error == cudaSuccess) return BL_OK;
    (void)cudaGetLastError();
    BL_FAIL(err, BL_ENOMEM, "no pinned memory: %s", cudaGetErrorString(error));
}

static void device_release_pinned(void *memory) {
    bl_cuda_use();
    if (memory) (void)cudaFreeHost(memory);
}

static void level_close(bl_queue *queue);

static void queue_close(bl_queue *queue) {
    if (!queue) return;
    bl_cuda_use();
    if (queue->stream) (void)cudaStreamSynchronize(queue->stream);
    level_close(queue);
    for (size_t i = 0; i <= BL_QUEUE_MARKS; i++)
        if (queue->mark[i]) (void)cudaEventDestroy(queue->mark[i]);
    if (queue->stream) (void)cudaStreamDestroy(queue->stream);
    (void)cudaFree(queue->workspace);
    free(queue);
}

/* Whoever waits sleeps: there may be more runs than cores, and threads that spin would keep those
 * from enqueuing. */
static bl_status fill_queue(bl_queue *queue, bl_err *err) {
    BL_TRY(device_alloc(&queue->workspace, BL_CUDA_WORKSPACE, err));
    TRY_CUDA(cudaStreamCreateWithFlags(&queue->stream, cudaStreamNonBlocking));
    for (size_t i = 0; i <= BL_QUEUE_MARKS; i++)
        TRY_CUDA(cudaEventCreateWithFlags(&queue->mark[i],
                                          cudaEventDisableTiming | cudaEventBlockingSync));
    return BL_OK;
}

static bl_status queue_open(bl_queue **out, bl_err *err) {
    bl_queue *queue = calloc(1, sizeof *queue);
    *out = NULL;
    if (!queue) BL_FAIL(err, BL_ENOMEM, "no memory");
    const bl_status status = fill_queue(queue, err);
    if (status != BL_OK) {
        queue_close(queue);
        return status;
    }
    *out = queue;
    return BL_OK;
}

static void queue_mark(bl_queue *queue, size_t mark) {
    bl_cuda_use();
    (void)cudaEventRecord(queue->mark[mark], queue->stream);
}

/* Faults of calls since the last wait show here. */
static bl_status queue_wait_for(bl_queue *queue, size_t mark, bl_err *err) {
    bl_cuda_use();
    TRY_CUDA(cudaGetLastError());
    TRY_CUDA(cudaEventSynchronize(queue->mark[mark]));
    if (queue->fault != NULL) BL_FAIL(err, BL_EUNSUPPORTED, "%s", queue->fault);
    return BL_OK;
}

static bl_status queue_wait(bl_queue *queue, bl_err *err) {
    queue_mark(queue, BL_QUEUE_MARKS);
    return queue_wait_for(queue, BL_QUEUE_MARKS, err);
}

static void queue_put(bl_queue *queue, void *to, const void *from, size_t bytes) {
    bl_cuda_use();
    (void)cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, queue->stream);
}

static void queue_get(bl_queue *queue, void *to, const void *from, size_t bytes) {
    bl_cuda_use();
    (void)cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, queue->stream);
}

static void queue_copy(bl_queue *queue, void *to, const void *from, size_t bytes) {
    bl_cuda_use();
    (void)cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, queue->stream);
}

static void queue_clear(bl_queue *queue, void *memory, size_t bytes) {
    bl_cuda_use();
    (void)cudaMemsetAsync(memory, 0, bytes, queue->stream);
}

static bl_status record_begin(bl_queue *queue, bl_err *err) {
    bl_cuda_use();
    TRY_CUDA(cudaStreamBeginCapture(queue->stream, cudaStreamCaptureModeThreadLocal));
    return BL_OK;
}

static bl_status record_end(bl_queue *queue, bl_recording **out, bl_err *err) {
    cudaGraph_t graph = NULL;
    bl_recording *recording = calloc(1, sizeof *recording);
    *out = NULL;
    if (!recording) BL_FAIL(err, BL_ENOMEM, "no memory");
    cudaError_t error = cudaStreamEndCapture(queue->stream, &graph);
    if (error == cudaSuccess) error = cudaGraphInstantiate(&recording->graph, graph, 0);
    if (graph) (void)cudaGraphDestroy(graph);
    if (error != cudaSuccess) {
        free(recording);
        return fault(error, "cudaGraphInstantiate", err);
    }
    *out = recording;
    return BL_OK;
}

static void replay(bl_queue *queue, bl_recording *recording) {
    bl_cuda_use();
    (void)cudaGraphLaunch(recording->graph, queue->stream);
}

static void recording_free(bl_recording *recording) {
    if (!recording) return;
    (void)cudaGraphExecDestroy(recording->graph);
    free(recording);
}

static bool usable(void) {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

static const bl_kernels kernels = {.name = "cuda",
                                   .usable = usable,
#define MEMBER(family) .family = bl_##family##_cuda,
                                   BL_FAMILIES(MEMBER)
#undef MEMBER
};

static bl_device the_device;

/* Level `device`: what the libraries do not carry out is as at level `exact`. */
static bl_kernels library_kernels;
static pthread_once_t library_kernels_once = PTHREAD_ONCE_INIT;

/* No-ops: families for which there is nothing to select. */
static bl_kernels selecting_kernels;
#define NOTHING(family)                                                                            \
    static void family##_nothing(const bl_##family *a, const bl_part *p) {                         \
        (void)a, (void)p;                                                                          \
    }
BL_FAMILIES(NOTHING)
#undef NOTHING

static void use_libraries(bl_kernels *k) {
    k->dense_forward = bl_dense_forward_library;
    k->dense_backward_input = bl_dense_backward_input_library;
    k->dense_backward_weight = bl_dense_backward_weight_library;
}

static void use_image_library(bl_kernels *k) {
#define MEMBER(family) k->family = bl_##family##_library;
    BL_CUDNN_FAMILIES(MEMBER)
#undef MEMBER
}

static bl_kernels image_kernels, image_selecting;

static void fill_library_kernels(void) {
    library_kernels = kernels;
    library_kernels.name = "cuda, cuBLASLt";
#define MEMBER(family) selecting_kernels.family = family##_nothing;
    BL_FAMILIES(MEMBER)
#undef MEMBER
    use_libraries(&library_kernels);
    use_libraries(&selecting_kernels);
    image_kernels = library_kernels;
    image_kernels.name = "cuda, cuBLASLt, cuDNN";
    image_selecting = selecting_kernels;
    use_image_library(&image_kernels);
    use_image_library(&image_selecting);
}

static bl_status libraries(const char **text, bool pictures, bl_err *err) {
    static char names[2][256];
    size_t version, dnn = 0;
    BL_TRY(bl_cublaslt_library(&version, err));
    if (pictures) BL_TRY(bl_cudnn_library(&dnn, err));
    *text = names[pictures];
    const int n = snprintf(names[pictures], sizeof names[0], "%s; cuBLASLt %zu.%zu.%zu",
                           the_device.name, version / 10000, version / 100 % 100, version % 100);
    if (pictures)
        (void)snprintf(names[pictures] + n, sizeof names[0] - (size_t)n, "; cuDNN %zu.%zu.%zu",
                       dnn / 10000, dnn / 100 % 100, dnn % 100);
    return BL_OK;
}

static void level_close(bl_queue *queue) {
    bl_cublaslt_close(queue->products);
    bl_cudnn_close(queue->images);
    queue->products = NULL;
    queue->images = NULL;
}

static bl_status queue_level(bl_queue *queue, const char *precision, bool pictures,
                             const bl_kernels **out, bl_err *err) {
    bl_cuda_use();
    level_close(queue);
    BL_TRY(bl_cublaslt_open(&queue->products, precision, err));
    if (pictures) BL_TRY(bl_cudnn_open(&queue->images, queue, precision, err));
    (void)pthread_once(&library_kernels_once, fill_library_kernels);
    *out = pictures ? &image_kernels : &library_kernels;
    return BL_OK;
}

static const bl_kernels *select_algorithms(bl_queue *queue, bool on) {
    queue->selecting = on;
    return queue->images != NULL ? &image_selecting : &selecting_kernels;
}

static const char *algorithm_text(bl_queue *queue, size_t i) {
    size_t products = 0;
    while (bl_cublaslt_algorithm(queue->products, products) != NULL) products++;
    return i < products ? bl_cublaslt_algorithm(queue->products, i)
                        : bl_cudnn_algorithm(queue->images, i - products);
}

static bl_device the_device = {
    .size = sizeof the_device,
    .libraries = libraries,
    .queue_level = queue_level,
    .select_algorithms = select_algorithms,
    .algorithm_text = algorithm_text,
    .scale = bl_cuda_scale,
    .kernels = &kernels,
    .alloc = device_alloc,
    .release = device_release,
    .available = device_available,
    .alloc_pinned = device_alloc_pinned,
    .release_pinned = device_release_pinned,
    .queue_open = queue_open,
    .queue_close = queue_close,
    .wait = queue_wait,
    .mark = queue_mark,
    .wait_for = queue_wait_for,
    .put = queue_put,
    .get = queue_get,
    .copy = queue_copy,
    .clear = queue_clear,
    .record_begin = record_begin,
    .record_end = record_end,
    .replay = replay,
    .recording_free = recording_free,
    .gather = bl_cuda_gather,
    .merge = bl_cuda_merge,
    .check_loss = bl_cuda_check_loss,
    .snapshot_running_stats = bl_cuda_snapshot_running_stats,
    .update = bl_cuda_update,
    .advance = bl_cuda_advance,
};

__attribute__((visibility("default"))) bl_device_plugin_fn bl_device_plugin;

bl_status bl_device_plugin(const bl_device **out, int index, bl_err *err) {
    struct cudaDeviceProp properties;
    int count = 0, runtime = 0, driver = 0;
    /* Queues to the hardware: with the default of 8, further streams would wait for others'. */
    (void)setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", 0);
    const cudaError_t error = cudaGetDeviceCount(&count);
    *out = NULL;
    (void)cudaDriverGetVersion(&driver);
    (void)cudaRuntimeGetVersion(&runtime);
    if (error != cudaSuccess || count == 0)
        BL_FAIL(err, BL_EUNSUPPORTED, "there is no CUDA device here: %s",
                error != cudaSuccess ? cudaGetErrorString(error) : "none is visible");
    if (index < 0 || index >= count)
        BL_FAIL(err, BL_EUNSUPPORTED, "there is no CUDA device %d: %d %s here", index, count,
                count == 1 ? "is" : "are");
    TRY_CUDA(cudaGetDeviceProperties(&properties, index));
    device_index = index;
    bl_cuda_use();
    snprintf(the_device.name, sizeof the_device.name, "%.100s", properties.name);
    snprintf(the_device.library, sizeof the_device.library,
             "CUDA %d.%d, driver for CUDA %d.%d, compute capability %d.%d", runtime / 1000,
             runtime % 1000 / 10, driver / 1000, driver % 1000 / 10, properties.major,
             properties.minor);
    (void)cudaDeviceGetPCIBusId(the_device.pci_address, sizeof the_device.pci_address, index);
    the_device.multiprocessors = properties.multiProcessorCount;
    the_device.memory = properties.totalGlobalMem;
    the_device.queue_bytes = BL_CUDA_WORKSPACE;
    *out = &the_device;
    return BL_OK;
}
