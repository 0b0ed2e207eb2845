/* A library of NVIDIA's that is opened when it is first needed: the plug-in does not link it. */
#ifndef BL_KERNELS_VENDOR_LIBRARY_H
#define BL_KERNELS_VENDOR_LIBRARY_H
#include "engine/base/status.h"
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct bl_library_call {
    const char *name;
    void *pointer; /* to the function pointer that is set */
} bl_library_call;

typedef struct bl_library {
    const char *name;     /* "cuDNN" */
    const char *variable; /* of the environment, names another file */
    const char *file;
    const char *needed; /* begins the message of a missing file: "... need cuDNN 9" */
    const bl_library_call *call;
    size_t calls;
    pthread_mutex_t lock;
    bool loaded;
} bl_library;

/* Opens it and finds its calls, once; BL_EUNSUPPORTED names what is missing. */
bl_status bl_library_load(bl_library *library, bl_err *err) BL_CHECKED;
#endif
