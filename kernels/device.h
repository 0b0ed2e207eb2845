/* A device: memory of its own, queues of calls that run in order, and the kernel families carried
 * out there. Filled in by a plug-in that is opened when a run asks for it: the program neither
 * links nor needs it. All calls but `wait` return before they are done, unless said otherwise. */
#ifndef BL_KERNELS_DEVICE_H
#define BL_KERNELS_DEVICE_H
#include "kernels/kernel.h"

typedef struct bl_queue bl_queue;         /* one thread uses it at a time */
typedef struct bl_recording bl_recording; /* calls kept to be made again */

typedef struct bl_device {
    char name[128];    /* "NVIDIA H200" */
    char library[128]; /* versions of driver and libraries */
    int multiprocessors;
    size_t memory;             /* bytes */
    const bl_kernels *kernels; /* arguments hold the device's pointers, part->queue a queue */

    /* BL_ENOMEM is an outcome of a run. */
    bl_status (*alloc)(void **out, size_t bytes, bl_err *err);
    void (*release)(void *memory); /* waits for all queues; NULL is fine */
    /* Memory that processor and device both reach: slow, for tests. */
    bl_status (*alloc_shared)(void **out, size_t bytes, bl_err *err);
    size_t (*available)(void); /* bytes that alloc could give now */

    bl_status (*queue_open)(bl_queue **out, bl_err *err);
    void (*queue_close)(bl_queue *queue);            /* NULL is fine */
    bl_status (*wait)(bl_queue *queue, bl_err *err); /* until all calls are done; tells of faults */

    void (*put)(bl_queue *queue, void *to, const void *from, size_t bytes); /* done on return */
    void (*get)(bl_queue *queue, void *to, const void *from, size_t bytes); /* done after wait */
    void (*copy)(bl_queue *queue, void *to, const void *from, size_t bytes);
    void (*clear)(bl_queue *queue, void *memory, size_t bytes); /* to zero */

    /* Calls between begin and end are kept, not made. */
    bl_status (*record_begin)(bl_queue *queue, bl_err *err);
    bl_status (*record_end)(bl_queue *queue, bl_recording **out, bl_err *err);
    void (*replay)(bl_queue *queue, bl_recording *recording);
    void (*recording_free)(bl_recording *recording);
} bl_device;

/* "cuda" or "cuda:1". Opens the plug-in on the first call. BL_EUNSUPPORTED says what is missing:
 * the plug-in, a driver, a GPU. The device stays open to the program's end. */
bl_status bl_device_open(const bl_device **out, const char *name, bl_err *err) BL_CHECKED;

/* What a plug-in exports under this name. */
#define BL_DEVICE_PLUGIN "bl_device_plugin"
typedef bl_status bl_device_plugin_fn(const bl_device **out, int index, bl_err *err);
#endif
