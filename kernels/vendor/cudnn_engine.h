/* cuDNN through its graph (backend) interface: an operation, or a few that are fused, becomes a
 * plan of one engine. The library is opened when a run asks for level `device`.
 *
 * An engine is the first of the library's own list for the shape that is deterministic, does not
 * round what the precision does not round, and gets by with the workspace. None is chosen by
 * timing. Engine 0 of a convolution is a plain loop for shapes that the fast engines refuse; the
 * project's own kernels take those shapes, so an operation whose first admissible engine is 0 has
 * none here.
 *
 * Order of calls: bl_graph_begin, descriptors and operations, bl_graph_choose, any number of
 * bl_graph_run, bl_graph_end. Nothing here needs a device but handles and bl_graph_run. */
#ifndef BL_KERNELS_VENDOR_CUDNN_ENGINE_H
#define BL_KERNELS_VENDOR_CUDNN_ENGINE_H
#include "engine/base/status.h"
#include <cudnn_graph.h>
#include <stdbool.h>

/* Opens the library (BATCHLAB_CUDNN names another file). *version is of its own counting.
 * BL_EUNSUPPORTED says what is missing. */
bl_status bl_graph_library(size_t *version, bl_err *err);
bl_status bl_graph_handle(cudnnHandle_t *out, cudaStream_t stream, bl_err *err);
void bl_graph_handle_close(cudnnHandle_t handle); /* NULL is fine */

enum { BL_GRAPH_PARTS = 40, BL_GRAPH_TEXT = 160, BL_GRAPH_WHY = 320 };

/* What is to be computed, then how. Descriptors are made in the order in which they are used;
 * whatever fails clears `ok`, and what follows does nothing. */
typedef struct bl_graph {
    bool ok;
    cudnnBackendDescriptor_t part[BL_GRAPH_PARTS]; /* freed together */
    int parts;
    cudnnBackendDescriptor_t operation[4];
    int operations;
    cudnnBackendDescriptor_t plan; /* one of `part`; NULL: none was chosen */
    int64_t workspace;             /* bytes that the plan takes */
    char text[BL_GRAPH_TEXT];      /* the engine and its knobs */
    bool plain;                    /* none was chosen: the first that would do is engine 0 */
} bl_graph;

void bl_graph_begin(bl_graph *g);
void bl_graph_end(bl_graph *g);

/* A (n, c, h, w) tensor, stored row by row, the channels of a position side by side. Its number is
 * what bl_graph_run knows it by. */
typedef struct bl_tensor {
    int64_t id, n, c, h, w;
    cudnnDataType_t type;
    bool is_virtual; /* between two operations */
} bl_tensor;
cudnnBackendDescriptor_t bl_graph_tensor(bl_graph *g, const bl_tensor *t);

/* A descriptor to fill in: any of the bl_graph_set_..., then bl_graph_finish. */
cudnnBackendDescriptor_t bl_graph_part(bl_graph *g, cudnnBackendDescriptorType_t type);
void bl_graph_set(bl_graph *g, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                  cudnnBackendAttributeType_t type, int64_t count, const void *values);
void bl_graph_set_part(bl_graph *g, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                       cudnnBackendDescriptor_t value);
void bl_graph_finish(bl_graph *g, cudnnBackendDescriptor_t d);
/* Finishes an operation and makes it the graph's next. */
void bl_graph_operation(bl_graph *g, cudnnBackendDescriptor_t d);

/* What an engine may do to the numbers. */
typedef struct bl_engine_limits {
    bool tensor_cores; /* inputs of fp32 may be rounded to tf32 */
    bool keeps_nan;    /* a NaN has to stay one */
    size_t workspace;  /* bytes there are */
    cudnnHandle_t handle;
    cudnnBackendDescriptor_t device; /* without a handle: the properties of a device (tests) */
} bl_engine_limits;
/* False: no engine will do. */
bool bl_graph_choose(bl_graph *g, const bl_engine_limits *limits);

/* False: nothing was done, and `why` says what the library said. */
bool bl_graph_run(const bl_graph *g, cudnnHandle_t handle, int count, const int64_t *ids,
                  void *const *pointers, void *workspace, char why[BL_GRAPH_WHY]);
#endif
