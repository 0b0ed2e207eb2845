/* Runs of milliseconds on the processor, and the ways in which tests carry the same one out. */
#ifndef BL_TESTS_UNIT_TINY_RUN_H
#define BL_TESTS_UNIT_TINY_RUN_H
#include "engine/config/config.h"
#include "engine/data/dataset.h"
#include "engine/train/device_dataset.h"
#include "engine/train/train.h"
#include "tests/unit/tiny_data.h"

/* A tiny data set and an experiment on it. */
typedef struct fixture {
    bl_dataset data;
    bl_config config;
    bl_train_device_data device_data; /* the same on a device: device_run.h alone has it */
} fixture;

int tiny_setup(void **state); /* *state: a fixture of tiny_data and tiny_config */
int tiny_teardown(void **state);
const bl_kernels *tiny_kernels(void); /* the fastest here */
bl_train *tiny_open(const fixture *f, const bl_kernels *kernels, size_t threads);
/* Evaluates on the way, to `limit` or to where the run diverges. */
void advance_to(bl_train *train, int64_t limit);
/* One step, unless the run is at `limit`. */
void tiny_step(bl_train *train, int64_t limit);
/* The log of a run to `limit`, in the place of what *out had. */
void tiny_log(const fixture *f, const bl_kernels *kernels, size_t threads, int64_t limit,
              bl_buf *out);
/* A run to `limit` that is saved and restored after every step, at changing numbers of threads and
 * in the place of what another run had, ends with the log and the probes of a run that is not. */
void tiny_check_restored(const fixture *f, int64_t limit);
#endif
