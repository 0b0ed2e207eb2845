/* A small data set made on the spot, and an experiment that trains on it in milliseconds. */
#ifndef BL_TESTS_UNIT_TINY_DATA_H
#define BL_TESTS_UNIT_TINY_DATA_H
#include "engine/config/config.h"
#include "engine/data/dataset.h"

/* 700 training and 300 validation rows; up to 3 categorical and 2 continuous columns; the target is
 * a smooth function of them on a log scale, around 1. Free with tiny_data_free. */
void tiny_data(bl_dataset *out, size_t categorical, size_t continuous);
/* Two hidden layers with batch norm and dropout, AdamW, one-cycle over 4 epochs, batches of 32. */
void tiny_config(bl_config *out);
/* Rows of two continuous columns, whose sum says which of `classes` classes they are of. */
void tiny_classes(bl_dataset *out, size_t classes);
/* Pictures of 6 x 6 positions and 2 channels in which a bright bar's place is the class. */
void tiny_pictures(bl_dataset *out, size_t classes);
/* A convolutional net on them, with cross-entropy. */
void tiny_picture_config(bl_config *out, const char *kind);
/* The noisy quadratic model under a constant rate, evaluated at every step, without data. */
void tiny_quadratic_config(bl_config *out, const char *optimizer, const char *expectation);
/* Writes a text into a field of a configuration. */
void tiny_name(char out[BL_NAME], const char *text);
/* Frees what the functions above made. */
void tiny_data_free(bl_dataset *data);
#endif
