/* Runs on a device beside runs on the processor. The device is the plug-in that BATCHLAB_CUDA
 * names, or the one that runs the CUDA kernels' text on this processor. */
#ifndef BL_TESTS_UNIT_DEVICE_RUN_H
#define BL_TESTS_UNIT_DEVICE_RUN_H
#include "engine/config/config.h"
#include "engine/data/dataset.h"
#include "engine/train/resident.h"
#include "engine/train/train.h"

/* A tiny data set, also on the device, and an experiment on it. */
typedef struct fixture {
    bl_dataset data;
    bl_config config;
    bl_resident resident;
} fixture;

const bl_device *open_device(void);
int device_setup(void **state); /* *state: a fixture */
int device_teardown(void **state);
bl_train *open_run(const fixture *f, bool device);
/* Evaluates on the way, to `limit` or to where the run diverges. */
void advance_to(bl_train *train, int64_t limit);
/* Both have the same log. */
void check_same(const bl_train *a, const bl_train *b);
/* `steps` steps here and there end with the same log and the same saved state. */
void check_run(const fixture *f, int64_t steps);
#endif
