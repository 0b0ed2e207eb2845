/* A data set in a device's memory, shared by the runs there. */
#ifndef BL_ENGINE_TRAIN_DEVICE_DATASET_H
#define BL_ENGINE_TRAIN_DEVICE_DATASET_H
#include "engine/data/dataset.h"
#include "kernels/device.h"

typedef struct bl_train_device_data {
    const bl_device *device;
    uint16_t *codes; /* arrays of bl_dataset, on the device */
    float *values, *target;
    uint8_t *pixels;
    size_t bytes;
} bl_train_device_data;

/* BL_ENOMEM: the device cannot hold it. */
bl_status bl_train_device_data_open(bl_train_device_data *out, const bl_device *device,
                                    const bl_dataset *data, bl_err *err) BL_CHECKED;
void bl_train_device_data_close(bl_train_device_data *device_data); /* of nothing: fine */

/* What a run is computed by, for people: the device, or the processor's kernels. */
static inline const char *bl_computed_by(const bl_kernels *kernels,
                                         const bl_train_device_data *device_data) {
    return device_data != NULL ? device_data->device->name : kernels->name;
}
#endif
