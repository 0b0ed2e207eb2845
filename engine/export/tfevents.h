/* TensorBoard's event files: TFRecords (length and payload, each with its masked CRC-32C) of
 * tensorflow.Event protocol buffers (tensorflow/core/util/event.proto, lib/io/record_writer.h). */
#ifndef BL_ENGINE_EXPORT_TFEVENTS_H
#define BL_ENGINE_EXPORT_TFEVENTS_H
#include "engine/base/buf.h"
#include <stdint.h>

typedef struct bl_tfscalar {
    const char *tag;
    double value; /* kept as a float */
} bl_tfscalar;

/* The record that every file begins with. */
void bl_tfevents_begin(bl_buf *out);
/* One event at `step`. Its wall time is 0: equal runs give equal bytes. */
void bl_tfevents_add(bl_buf *out, int64_t step, const bl_tfscalar *scalar, size_t count);

/* A hyperparameter: a text, or a number where `text` is NULL. */
typedef struct bl_tfsetting {
    const char *key, *text;
    double number;
} bl_tfsetting;
/* One event that says with which hyperparameters the run was made, and that it ended well, as
 * TensorBoard's HParams page reads it (tensorboard/plugins/hparams/plugin_data.proto). */
void bl_tfevents_settings(bl_buf *out, const bl_tfsetting *setting, size_t count);

/* CRC-32C (RFC 3720, appendix B.4). */
uint32_t bl_crc32c(const void *bytes, size_t n);
#endif
