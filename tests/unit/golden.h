/* Small runs and the SHA-256 of their logs: one bit pattern, whatever computes it. A change on
 * purpose raises BL_NUMERICS_EPOCH. */
#ifndef BL_TESTS_UNIT_GOLDEN_H
#define BL_TESTS_UNIT_GOLDEN_H
#include "engine/base/sha256.h"
#include "engine/base/status.h"
#include "engine/config/config.h"
#include "engine/data/dataset.h"
#include "kernels/kernel.h"

typedef struct golden_run {
    const char *name, *optimizer, *schedule;
    size_t batch, micro_batch; /* micro_batch 0: the whole batch at once */
    size_t classes; /* 0: the tabular net and mean squared error; else cross-entropy and ... */
    const char *pictures; /* ... this kind of net on pictures, with ... */
    size_t ghost;         /* ... chunks of so many examples (0: no norm); NULL: mlp */
    double average;       /* eval.average_width; 0: the last step's weights are evaluated */
    const char *sha256;   /* of the log without its header, whose configuration may gain keys */
} golden_run;
extern const golden_run golden_runs[];
extern const size_t golden_count;

/* Trains 30 steps, on pictures 3, and hashes the log. */
bl_status golden_hash(const golden_run *run, const bl_kernels *kernels, size_t threads,
                      char out[BL_SHA256_HEX], bl_err *err);
/* The same of any run's first steps. */
bl_status golden_log(const bl_config *config, const bl_dataset *data, const bl_kernels *kernels,
                     size_t threads, int64_t steps, char out[BL_SHA256_HEX], bl_err *err);
#endif
