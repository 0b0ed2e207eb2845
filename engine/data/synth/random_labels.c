/* The data set of random labels: drawn by its definition, the same on every machine. */
#include "engine/data/synth/random_labels.h"
#include "engine/base/mem.h"
#include "kernels/shared/exact_math.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sub-streams of BL_STREAM_SYNTH. */
enum { VALUE = 1, LABEL, DIRECTION, NOISE };

/* x00001, x00002, ..., each with its terminating zero. */
static void write_names(char *names, size_t inputs) {
    for (size_t j = 0; j < inputs; j++) names += sprintf(names, "x%05zu", j + 1) + 1;
}

/* `n` standard normal numbers: item `index` of a sub-stream. Two come from one Philox block. */
static void draw_normals(float *out, uint64_t n, uint64_t seed, uint32_t sub, uint64_t index) {
    for (uint64_t j = 0; j < n; j++) {
        const bl_u32x4 r = bl_random4(seed, BL_STREAM_SYNTH, sub, index * ((n + 1) / 2) + j / 2);
        out[j] = bl_normal(r.v[j % 2 * 2], r.v[j % 2 * 2 + 1]);
    }
}

/* The class along whose direction the point lies furthest; of equals the first. Products of two
 * fp32 are exact in fp64, so that every compiler makes the same sums. */
static uint32_t class_by_rule(const float *values, const float *direction,
                              const bl_synth_labels_decl *d) {
    uint32_t best = 0;
    double most = 0;
    for (uint32_t c = 0; c < (uint32_t)d->classes; c++) {
        double along = 0;
        for (int64_t j = 0; j < d->inputs; j++)
            along += (double)values[j] * (double)direction[(int64_t)c * d->inputs + j];
        if (c == 0 || along > most) {
            most = along;
            best = c;
        }
    }
    return best;
}

/* One point and its label. `direction` (classes x inputs) is NULL without a rule. */
static void draw_row(float *values, float *label, const float *direction,
                     const bl_synth_labels_decl *d, uint64_t row) {
    const uint64_t seed = (uint64_t)d->seed;
    draw_normals(values, (uint64_t)d->inputs, seed, VALUE, row);
    uint32_t class = bl_random_u32(seed, BL_STREAM_SYNTH, LABEL, row) % (uint32_t)d->classes;
    const double u = (double)bl_random_u32(seed, BL_STREAM_SYNTH, NOISE, row) * 0x1p-32;
    if (direction != NULL && u >= d->noise) class = class_by_rule(values, direction, d);
    *label = (float)class;
}

/* The direction of each class; NULL without a rule. The caller frees it. */
static float *draw_directions(const bl_synth_labels_decl *d) {
    if (d->rule == NULL) return NULL;
    float *direction = bl_xalloc((size_t)d->classes * (size_t)d->inputs * sizeof *direction);
    for (uint64_t c = 0; c < (uint64_t)d->classes; c++)
        draw_normals(direction + c * (uint64_t)d->inputs, (uint64_t)d->inputs, (uint64_t)d->seed,
                     DIRECTION, c);
    return direction;
}

/* Rows of training and evaluation come from one sequence, so more evaluation rows change no
 * training row. Without any the block repeats the training rows. */
bl_status bl_synth_random_labels(unsigned char **block, bl_block_header *header,
                                 const bl_manifest *m, bl_err *err) {
    const bl_synth_labels_decl *d = &m->random_labels;
    const size_t rows = (size_t)d->rows, inputs = (size_t)d->inputs;
    const size_t valid = d->valid > 0 ? (size_t)d->valid : rows;
    bl_block_layout at;
    header->rows = rows + valid;
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
    float *direction = draw_directions(d);
    const size_t drawn = d->valid > 0 ? rows + valid : rows;
    for (size_t i = 0; i < drawn; i++) draw_row(values + i * inputs, label + i, direction, d, i);
    free(direction);
    if (d->valid > 0) return BL_OK;
    memcpy(values + rows * inputs, values, rows * inputs * sizeof *values);
    memcpy(label + rows, label, rows * sizeof *label);
    return BL_OK;
}
