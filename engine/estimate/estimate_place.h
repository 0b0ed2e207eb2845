/* Where an estimate is made. */
#ifndef BL_ENGINE_ESTIMATE_ESTIMATE_PLACE_H
#define BL_ENGINE_ESTIMATE_ESTIMATE_PLACE_H
#include "engine/config/config.h"
#include "engine/data/dataset.h"
#include "engine/train/device_dataset.h"
#include "kernels/kernel.h"

/* Where the runs would be trained, and the script that asks for them. All the caller's. */
typedef struct bl_estimate_place {
    const bl_dataset *data;
    const bl_kernels *kernels;
    const bl_train_device_data *device_data; /* NULL: on the processor */
    const char *script, *library_dir;
    const char *memory_dir; /* where measured times are kept (remembered.h); NULL: nowhere */
    void (*say)(void *ctx, const char *text); /* progress, may be NULL */
    void *say_ctx;
} bl_estimate_place;
#endif
