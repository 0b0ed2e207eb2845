/* Reads TensorBoard's event files: TFRecords of tensorflow.Event protocol buffers, what
 * engine/export/tfevents.h writes. Scalars are taken in both of their forms, a simple value
 * (PyTorch and batchlab) and a tensor of one number (TensorFlow 2). Pictures, histograms and graphs
 * are passed over. */
#ifndef BL_ENGINE_IMPORT_EVENT_FILE_H
#define BL_ENGINE_IMPORT_EVENT_FILE_H
#include "engine/base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bl_event_scalar {
    const char *tag; /* tag_n bytes, not terminated */
    size_t tag_n;
    int64_t step;
    double wall_time; /* seconds since 1970; 0: not said */
    double value;     /* may be anything that a float can be */
} bl_event_scalar;

/* A hyperparameter of TensorBoard's HParams page. Bytes that are not terminated. */
typedef struct bl_event_setting {
    const char *key, *text;
    size_t key_n, text_n; /* a number is its shortest text, a truth value "true" or "false" */
} bl_event_setting;

/* Calls `each` for every scalar, in order. *torn: the last record is not whole, as its writer was
 * ended; what is before it counts. BL_EFORMAT: a checksum or a record is wrong, with the byte where
 * it begins. */
bl_status bl_event_each(const void *bytes, size_t n, const char *name,
                        void (*each)(void *ctx, const bl_event_scalar *scalar), void *ctx,
                        bool *torn, bl_err *err) BL_CHECKED;
/* The same for every hyperparameter; a number's text is gone when `each` returns. */
bl_status bl_event_each_setting(const void *bytes, size_t n, const char *name,
                                void (*each)(void *ctx, const bl_event_setting *setting), void *ctx,
                                bl_err *err) BL_CHECKED;
#endif
