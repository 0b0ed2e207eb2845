/* The data set of random labels: drawn by its definition, the same on every machine. */
#include "engine/data/synth/random_labels.h"
#include "kernels/shared/exact_math.h"
#include <stdio.h>
#include <string.h>

/* Sub-streams of BL_STREAM_SYNTH. */
enum { VALUE = 1, LABEL };

/* x00001, x00002, ..., each with its terminating zero. */
static void write_names(char *names, size_t inputs) {
    for (size_t j = 0; j < inputs; j++) names += sprintf(names, "x%05zu", j + 1) + 1;
}

/* One point and its label. Two normal numbers come from one Philox block. */
static void draw_row(float *values, float *label, const bl_synth_labels_decl *d, uint64_t row) {
    const uint64_t inputs = (uint64_t)d->inputs, seed = (uint64_t)d->seed;
    for (uint64_t j = 0; j < inputs; j++) {
        const bl_u32x4 r =
            bl_random4(seed, BL_STREAM_SYNTH, VALUE, row * ((inputs + 1) / 2) + j / 2);
        values[j] = bl_normal(r.v[j % 2 * 2], r.v[j % 2 * 2 + 1]);
    }
    *label = (float)(bl_random_u32(seed, BL_STREAM_SYNTH, LABEL, row) % (uint32_t)d->classes);
}

bl_status bl_synth_random_labels(unsigned char **block, bl_block_header *header,
                                 const bl_manifest *m, bl_err *err) {
    const bl_synth_labels_decl *d = &m->random_labels;
    const size_t rows = (size_t)d->rows, inputs = (size_t)d->inputs;
    bl_block_layout at;
    header->rows = 2 * rows;
    header->train_rows = rows;
    header->continuous = inputs;
    header->names_bytes = inputs * sizeof "x00000";
    header->classes = (uint64_t)d->classes;
    header->target_max = (double)(d->classes - 1);
    (void)snprintf(header->transform, sizeof header->transform, "none");
    BL_TRY(bl_block_new(block, header, &at, err));
    write_names((char *)*block + at.names, inputs);
    float *values = (float *)(void *)(*block + at.values);
    float *label = (float *)(void *)(*block + at.target);
    for (size_t i = 0; i < rows; i++) draw_row(values + i * inputs, label + i, d, i);
    memcpy(values + rows * inputs, values, rows * inputs * sizeof *values);
    memcpy(label + rows, label, rows * sizeof *label);
    return BL_OK;
}
