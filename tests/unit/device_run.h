/* Runs on a device beside runs on the processor. The device is the plug-in that BATCHLAB_CUDA
 * names, or the one that runs the CUDA kernels' text on this processor. */
#ifndef BL_TESTS_UNIT_DEVICE_RUN_H
#define BL_TESTS_UNIT_DEVICE_RUN_H
#include "tests/unit/tiny_run.h"

const bl_device *open_device(void);
int device_setup(void **state); /* as tiny_setup, and the data also on the device */
int device_teardown(void **state);
bl_train *open_run(const fixture *f, bool device);
/* Both have the same log and the same probes. */
void check_same(const bl_train *a, const bl_train *b);
/* `steps` steps here and there end with the same log and the same saved state. */
void check_run(const fixture *f, int64_t steps);

/* Pictures of height x width x 2 instead of columns; free what comes back. */
uint8_t *make_pictures(fixture *f, size_t height, size_t width);
/* Small pictures for the convolutional nets: 4 x 4, two classes. */
uint8_t *make_convolutional(fixture *f, const char *model, const char *norm);

/* Nets that an experiment lists, with every kind of layer in one or another. */
typedef struct device_list {
    bool pictures; /* of make_convolutional; else the table */
    const char *list;
} device_list;
extern const device_list device_lists[];
extern const size_t device_list_count;
#endif
