#include "engine/train/device_dataset.h"
#include <string.h>

/* One array; NULL stays NULL. `at` is the address of the pointer to it. */
static bl_status carry(bl_train_device_data *r, bl_queue *queue, void *at, const void *from,
                       size_t bytes, bl_err *err) {
    void *memory = NULL;
    if (from == NULL || bytes == 0) return BL_OK;
    BL_TRY(r->device->alloc(r->device, &memory, bytes, err));
    memcpy(at, &memory, sizeof memory);
    r->device->put(queue, memory, from, bytes);
    r->bytes += bytes;
    return BL_OK;
}

bl_status bl_train_device_data_open(bl_train_device_data *out, const bl_device *device,
                                    const bl_dataset *data, bl_err *err) {
    const size_t rows = data->rows;
    bl_queue *queue = NULL;
    bl_status status;
    *out = (bl_train_device_data){.device = device};
    BL_GOTO(device->queue_open(device, &queue, err));
    BL_GOTO(carry(out, queue, &out->codes, data->codes,
                  rows * data->categorical * sizeof *data->codes, err));
    BL_GOTO(carry(out, queue, &out->values, data->values,
                  rows * data->continuous * sizeof *data->values, err));
    BL_GOTO(carry(out, queue, &out->pixels, data->pixels, rows * data->continuous, err));
    BL_GOTO(carry(out, queue, &out->target, data->target, rows * sizeof *data->target, err));
    BL_GOTO(device->wait(queue, err));
done:
    device->queue_close(queue);
    if (status != BL_OK) bl_train_device_data_close(out);
    return status;
}

void bl_train_device_data_close(bl_train_device_data *device_data) {
    const bl_device *device = device_data->device;
    if (device == NULL) return;
    device->release(device, device_data->codes);
    device->release(device, device_data->values);
    device->release(device, device_data->pixels);
    device->release(device, device_data->target);
    *device_data = (bl_train_device_data){0};
}
