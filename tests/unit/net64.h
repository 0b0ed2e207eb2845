/* A second opinion on nets: forward in fp64, written from the layers' formulas alone, and gradients
 * by central differences of it. */
#ifndef BL_TESTS_UNIT_NET64_H
#define BL_TESTS_UNIT_NET64_H
#include "engine/model/net.h"
#include <stdbool.h>

/* y is (count, width). */
typedef double (*net64_loss)(const double *y, size_t width, const float *target, size_t count);

/* Does this file know the layer? */
bool net64_knows(const char *layer);
/* The training-mode output, (batch, width of the last node), for the parameters `weight` (laid out
 * as net->weight); free() it. Batch, seed and position are the pass's. */
double *net64_forward(const bl_net *net, const bl_pass *pass, const double *weight);
/* The same of inference, for the net's own parameters and running statistics. */
double *net64_infer(const bl_net *net, const bl_pass *pass);
/* The gradient of the loss by every parameter, (net->weights); free() it. */
double *net64_gradient(const bl_net *net, const bl_pass *pass, net64_loss loss);
/* Mean of squares, width 1. */
double net64_mse(const double *y, size_t width, const float *target, size_t count);
/* Mean of -sum_j q_j log softmax(y)_j with label smoothing NET64_SMOOTHING. */
#define NET64_SMOOTHING 0.15
double net64_cross_entropy(const double *y, size_t width, const float *target, size_t count);
#endif
