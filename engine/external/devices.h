/* One device for each program (external.jobs_per_device): a program sees the one that fewest others
 * hold, by CUDA_VISIBLE_DEVICES. Which those are, CUDA_VISIBLE_DEVICES of batchlab itself says,
 * else the machine. No result depends on it. */
#ifndef BL_ENGINE_EXTERNAL_DEVICES_H
#define BL_ENGINE_EXTERNAL_DEVICES_H
#include "engine/base/status.h"
#include <stddef.h>

typedef struct bl_external_devices bl_external_devices;

/* From "0,2,GPU-8a56", or with NULL from the files nvidia0, nvidia1, ... in the folder `dev`.
 * BL_EUNSUPPORTED: there are none. */
bl_status bl_external_devices_open(bl_external_devices **out, const char *visible, const char *dev,
                                   bl_err *err) BL_CHECKED;
void bl_external_devices_close(bl_external_devices *devices); /* NULL is fine */
size_t bl_external_devices_count(const bl_external_devices *devices);

/* The name of one, until it is given back; the first of those that fewest hold. Any thread may ask.
 * NULL for NULL. */
const char *bl_external_devices_take(bl_external_devices *devices);
void bl_external_devices_give(bl_external_devices *devices, const char *device);
#endif
