/* A data set in a device's memory, shared by the runs there. */
#ifndef BL_ENGINE_TRAIN_RESIDENT_H
#define BL_ENGINE_TRAIN_RESIDENT_H
#include "engine/data/dataset.h"
#include "kernels/device.h"

typedef struct bl_resident {
    const bl_device *device;
    uint16_t *codes; /* arrays of bl_dataset, on the device */
    float *values, *target;
    uint8_t *pixels;
    size_t bytes;
} bl_resident;

/* BL_ENOMEM: the device cannot hold it. */
bl_status bl_resident_open(bl_resident *out, const bl_device *device, const bl_dataset *data,
                           bl_err *err) BL_CHECKED;
void bl_resident_close(bl_resident *resident); /* of nothing: fine */

/* What a run is computed by, for people: the device, or the processor's kernels. */
static inline const char *bl_computed_by(const bl_kernels *kernels, const bl_resident *resident) {
    return resident != NULL ? resident->device->name : kernels->name;
}
#endif
