/* The plug-in: the table of kernels/device.h that the program gets for a card, and what level
 * `device` adds to it.
 *
 * bl_device_plugin is the only name that the shared object exports. It makes one bl_cuda_device for
 * each card that is asked for and gives the same one out again; kernels/device.c calls it under a
 * lock. Level `exact` has one table of kernels for all cards. Level `device` has four, as functions
 * know nothing of a run but its arguments: with or without cuDNN for pictures, and for each of the
 * two a table that carries nothing out and selects algorithms. Families that a library does not
 * take are in each of them those of level `exact`, or, while algorithms are selected, empty. */
#include "kernels/cuda/cuda_kernels.h"
#include "kernels/vendor/cublaslt.h"
#include "kernels/vendor/cudnn_images.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool usable(void) {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

/* ---- tables of kernels ---- */

static const bl_kernels exact_kernels = {.name = "cuda",
                                         .usable = usable,
#define MEMBER(family) .family = bl_##family##_cuda,
                                         BL_FAMILIES(MEMBER)
#undef MEMBER
};

#define NOTHING(family)                                                                            \
    static void family##_nothing(const bl_##family *a, const bl_part *p) {                         \
        (void)a, (void)p;                                                                          \
    }
BL_FAMILIES(NOTHING)
#undef NOTHING

static bl_kernels level_kernels[2], selecting_kernels[2]; /* without and with pictures */
static pthread_once_t level_kernels_once = PTHREAD_ONCE_INIT;

static void use_products(bl_kernels *k) {
    k->dense_forward = bl_dense_forward_library;
    k->dense_backward_input = bl_dense_backward_input_library;
    k->dense_backward_weight = bl_dense_backward_weight_library;
}

static void use_images(bl_kernels *k) {
#define MEMBER(family) k->family = bl_##family##_library;
    BL_CUDNN_FAMILIES(MEMBER)
#undef MEMBER
}

static void fill_level_kernels(void) {
    for (size_t pictures = 0; pictures < 2; pictures++) {
        bl_kernels *level = &level_kernels[pictures], *selecting = &selecting_kernels[pictures];
        *level = exact_kernels;
        level->name = pictures ? "cuda, cuBLASLt, cuDNN" : "cuda, cuBLASLt";
#define MEMBER(family) selecting->family = family##_nothing;
        BL_FAMILIES(MEMBER)
#undef MEMBER
        use_products(level);
        use_products(selecting);
        if (pictures) use_images(level);
        if (pictures) use_images(selecting);
    }
}

/* ---- level `device` ---- */

/* *text is the card's, and names card and versions: what a run's identity at this level depends
 * on. */
static bl_status libraries(const bl_device *device, const char **text, bool pictures, bl_err *err) {
    bl_cuda_device *card = device->card;
    size_t version, dnn = 0;
    char name[sizeof card->levels[0]];
    BL_TRY(bl_cublaslt_library(&version, err));
    if (pictures) BL_TRY(bl_cudnn_library(&dnn, err));
    const int n = snprintf(name, sizeof name, "%s; cuBLASLt %zu.%zu.%zu", device->name,
                           version / 10000, version / 100 % 100, version % 100);
    if (pictures)
        (void)snprintf(name + n, sizeof name - (size_t)n, "; cuDNN %zu.%zu.%zu", dnn / 10000,
                       dnn / 100 % 100, dnn % 100);
    (void)pthread_mutex_lock(&card->lock);
    memcpy(card->levels[pictures], name, sizeof name);
    (void)pthread_mutex_unlock(&card->lock);
    *text = card->levels[pictures];
    return BL_OK;
}

/* What queue_level opened, given back; both may be open or not. */
static void level_close(bl_queue *queue) {
    bl_cublaslt_close(queue->products);
    bl_cudnn_close(queue->images);
    queue->products = NULL;
    queue->images = NULL;
}

/* A queue that comes from a run of the same precision brings handles and plans with it. */
static bl_status queue_level(bl_queue *queue, const char *precision, bool pictures,
                             const bl_kernels **out, bl_err *err) {
    bl_cuda_use(queue->device);
    if (strcmp(queue->precision, precision) != 0) level_close(queue);
    queue->level_close = level_close;
    (void)snprintf(queue->precision, sizeof queue->precision, "%s", precision);
    if (queue->products == NULL) BL_TRY(bl_cublaslt_open(&queue->products, precision, err));
    if (pictures && queue->images == NULL)
        BL_TRY(bl_cudnn_open(&queue->images, queue, precision, err));
    (void)pthread_once(&level_kernels_once, fill_level_kernels);
    *out = &level_kernels[pictures];
    return BL_OK;
}

static const bl_kernels *select_algorithms(bl_queue *queue, bool on) {
    queue->selecting = on;
    if (on) {
        bl_cublaslt_select(queue->products);
        bl_cudnn_select(queue->images);
    }
    return &selecting_kernels[queue->images != NULL];
}

/* Products first, then pictures: the i-th line of the run's log about algorithms; NULL: no more. */
static const char *algorithm_text(bl_queue *queue, size_t i) {
    size_t products = 0;
    while (bl_cublaslt_algorithm(queue->products, products) != NULL) products++;
    return i < products ? bl_cublaslt_algorithm(queue->products, i)
                        : bl_cudnn_algorithm(queue->images, i - products);
}

/* ---- the table ---- */

static const bl_device the_table = {
    .size = sizeof the_table,
    .kernels = &exact_kernels,
    .queue_bytes = BL_CUDA_WORKSPACE,
    .alloc = bl_cuda_alloc,
    .release = bl_cuda_release,
    .available = bl_cuda_available,
    .alloc_pinned = bl_cuda_alloc_pinned,
    .release_pinned = bl_cuda_release_pinned,
    .queue_open = bl_queue_open,
    .queue_close = bl_queue_close,
    .libraries = libraries,
    .queue_level = queue_level,
    .select_algorithms = select_algorithms,
    .algorithm_text = algorithm_text,
    .wait = bl_queue_wait,
    .mark = bl_queue_mark,
    .wait_for = bl_queue_wait_for,
    .put = bl_queue_put,
    .get = bl_queue_get,
    .copy = bl_queue_copy,
    .clear = bl_queue_clear,
    .record_begin = bl_queue_record_begin,
    .record_end = bl_queue_record_end,
    .replay = bl_queue_replay,
    .recording_free = bl_queue_recording_free,
    .gather = bl_cuda_gather,
    .merge = bl_cuda_merge,
    .check_loss = bl_cuda_check_loss,
    .scale = bl_cuda_scale,
    .update = bl_cuda_update,
};

/* ---- opening ---- */

enum { LEAST_CAPABILITY = 8 }; /* the oldest that the Makefile compiles for: 8.0 */

static bl_status check_capability(const struct cudaDeviceProp *p, bl_err *err) {
    if (p->major >= LEAST_CAPABILITY) return BL_OK;
    BL_FAIL(err, BL_EUNSUPPORTED,
            "%.100s has compute capability %d.%d: this backend is built for %d.0 and later",
            p->name, p->major, p->minor, LEAST_CAPABILITY);
}

/* The card's row of functions, name, versions and sizes. The name and the library's versions are
 * part of what a run at level `device` depends on. */
static bl_status describe(bl_cuda_device *card, int index, bl_err *err) {
    struct cudaDeviceProp p;
    int runtime = 0, driver = 0;
    bl_device *d = &card->device;
    (void)cudaDriverGetVersion(&driver);
    (void)cudaRuntimeGetVersion(&runtime);
    const cudaError_t error = cudaGetDeviceProperties(&p, index);
    if (error != cudaSuccess) return bl_cuda_fault(error, "cudaGetDeviceProperties", err);
    BL_TRY(check_capability(&p, err));
    *d = the_table;
    card->index = index;
    d->card = card;
    snprintf(d->name, sizeof d->name, "%.100s", p.name);
    snprintf(d->library, sizeof d->library,
             "CUDA %d.%d, driver for CUDA %d.%d, compute capability %d.%d", runtime / 1000,
             runtime % 1000 / 10, driver / 1000, driver % 1000 / 10, p.major, p.minor);
    (void)cudaDeviceGetPCIBusId(d->pci_address, sizeof d->pci_address, index);
    d->multiprocessors = p.multiProcessorCount;
    d->memory = p.totalGlobalMem;
    return BL_OK;
}

/* The environment is set before the first call that starts CUDA, and a value that is there
 * stays. */
static bl_status count_cards(int *count, bl_err *err) {
    /* Queues to the hardware: with the default of 8, further streams would wait for others'. */
    (void)setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", 0);
    const cudaError_t error = cudaGetDeviceCount(count);
    if (error == cudaSuccess && *count > 0) return BL_OK;
    BL_FAIL(err, BL_EUNSUPPORTED, "there is no CUDA device here: %s",
            error != cudaSuccess ? cudaGetErrorString(error) : "none is visible");
}

__attribute__((visibility("default"))) bl_device_plugin_fn bl_device_plugin;

/* Each card is opened once and kept to the end of the process. */
bl_status bl_device_plugin(const bl_device **out, int index, bl_err *err) {
    enum { MOST_CARDS = 64 };
    static bl_cuda_device *cards[MOST_CARDS];
    int count = 0;
    *out = NULL;
    BL_TRY(count_cards(&count, err));
    if (index < 0 || index >= count || index >= MOST_CARDS)
        BL_FAIL(err, BL_EUNSUPPORTED, "there is no CUDA device %d: %d %s here", index, count,
                count == 1 ? "is" : "are");
    if (cards[index] == NULL) {
        bl_cuda_device *card = calloc(1, sizeof *card);
        if (card == NULL) BL_FAIL(err, BL_ENOMEM, "no memory");
        const bl_status status = describe(card, index, err);
        if (status != BL_OK) {
            free(card);
            return status;
        }
        (void)pthread_mutex_init(&card->lock, NULL);
        cards[index] = card;
    }
    *out = &cards[index]->device;
    return BL_OK;
}
