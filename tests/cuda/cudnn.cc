/* The emulated cuDNN: sums in double, so that what it computes is not the bits of level `exact`. It
 * checks what it is asked: convolutions that do not fit together are refused. Its list: an engine
 * that is not deterministic, one for tensor cores, one with neither note. FAKE_CUDNN=nondeterministic:
 * only the first; FAKE_CUDNN=plain: engine 0, the plain loop, stands before the last. */
#include "kernels/cuda/narrow.h"
#include "tests/cuda/cudnn_graph.h"
#include "tests/cuda/emulate.h"
#include <map>
#include <stdlib.h>
#include <string.h>
#include <vector>

struct fake_dnn_handle {
    cudaStream_t stream;
};

namespace {

const cudnnStatus_t OK = CUDNN_STATUS_SUCCESS, REFUSED = CUDNN_STATUS_BAD_PARAM;

struct descriptor {
    cudnnBackendDescriptorType_t type;
    bool finished;
    int engine; /* of an engine or a configuration */
    std::map<int, std::vector<char>> attribute;

    template <class T> T get(int name, size_t i = 0) const {
        T value = {};
        const auto found = attribute.find(name);
        if (found != attribute.end() && found->second.size() >= (i + 1) * sizeof value)
            memcpy(&value, found->second.data() + i * sizeof value, sizeof value);
        return value;
    }
    const descriptor *part(int name, size_t i = 0) const { return get<descriptor *>(name, i); }
    size_t count(int name, size_t each) const {
        const auto found = attribute.find(name);
        return found == attribute.end() ? 0 : found->second.size() / each;
    }
};

size_t size_of(cudnnBackendAttributeType_t type) {
    switch (type) {
    case CUDNN_TYPE_BOOLEAN:
        return 1;
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR:
        return 8;
    case CUDNN_TYPE_FRACTION:
        return 16;
    default:
        return 4; /* float and enumerations */
    }
}

/* A tensor and where its numbers are. */
struct tensor {
    int64_t dim[4], stride[4], id;
    cudnnDataType_t type;
    char *data;

    explicit tensor(const descriptor *d) {
        for (size_t i = 0; i < 4; i++) {
            dim[i] = d->get<int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS, i);
            stride[i] = d->get<int64_t>(CUDNN_ATTR_TENSOR_STRIDES, i);
        }
        id = d->get<int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
        type = d->get<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE);
        data = nullptr;
    }
    bool is(int64_t n, int64_t c, int64_t h, int64_t w) const {
        return dim[0] == n && dim[1] == c && dim[2] == h && dim[3] == w;
    }
    bool has(int64_t h, int64_t w) const { return h >= 0 && w >= 0 && h < dim[2] && w < dim[3]; }
    int64_t at(int64_t n, int64_t c, int64_t h, int64_t w) const {
        return n * stride[0] + c * stride[1] + h * stride[2] + w * stride[3];
    }
    double get(int64_t n, int64_t c, int64_t h, int64_t w) const {
        const int64_t i = at(n, c, h, w);
        if (type == CUDNN_DATA_FLOAT) return (double)((float *)data)[i];
        if (type == CUDNN_DATA_INT8) return (double)data[i];
        const uint16_t u = ((uint16_t *)data)[i];
        return (double)(type == CUDNN_DATA_HALF ? bl_of_fp16(u) : bl_of_bf16(u));
    }
    void set(int64_t n, int64_t c, int64_t h, int64_t w, double x) const {
        const int64_t i = at(n, c, h, w);
        if (type == CUDNN_DATA_FLOAT)
            ((float *)data)[i] = (float)x;
        else if (type == CUDNN_DATA_INT8)
            data[i] = (char)x;
        else
            ((uint16_t *)data)[i] =
                type == CUDNN_DATA_HALF ? bl_fp16_of((float)x) : bl_bf16_of((float)x);
    }
    template <class Body> void each(Body body) const {
        for (int64_t n = 0; n < dim[0]; n++)
            for (int64_t c = 0; c < dim[1]; c++)
                for (int64_t h = 0; h < dim[2]; h++)
                    for (int64_t w = 0; w < dim[3]; w++) body(n, c, h, w);
    }
};

struct geometry {
    int64_t stride, pad;
};

bool convolves(const tensor &x, const tensor &w, const tensor &y, const geometry &g) {
    const int64_t groups = w.dim[1] > 0 ? x.dim[1] / w.dim[1] : 0;
    return groups > 0 && x.dim[1] == groups * w.dim[1] && w.dim[0] % groups == 0 &&
           y.is(x.dim[0], w.dim[0], (x.dim[2] + 2 * g.pad - w.dim[2]) / g.stride + 1,
                (x.dim[3] + 2 * g.pad - w.dim[3]) / g.stride + 1) &&
           x.type == w.type;
}

/* body(x's place, w's, y's) of every term. */
template <class Body>
void every_term(const tensor &x, const tensor &w, const tensor &y, const geometry &g, Body body) {
    const int64_t groups = x.dim[1] / w.dim[1], filters = w.dim[0] / groups;
    y.each([&](int64_t n, int64_t k, int64_t oy, int64_t ox) {
        for (int64_t c = 0; c < w.dim[1]; c++)
            for (int64_t r = 0; r < w.dim[2]; r++)
                for (int64_t s = 0; s < w.dim[3]; s++) {
                    const int64_t iy = oy * g.stride + r - g.pad, ix = ox * g.stride + s - g.pad;
                    if (x.has(iy, ix))
                        body(x.at(n, k / filters * w.dim[1] + c, iy, ix), w.at(k, c, r, s),
                             y.at(n, k, oy, ox));
                }
    });
}

/* Sums in double for every number of `out`, then stores them. */
template <class Body> void sum_into(const tensor &out, Body body) {
    std::vector<double> sum((size_t)(out.dim[0] * out.dim[1] * out.dim[2] * out.dim[3]));
    body(sum);
    out.each([&](int64_t n, int64_t c, int64_t h, int64_t w) {
        out.set(n, c, h, w, sum[(size_t)out.at(n, c, h, w)]);
    });
}

double value(const tensor &t, int64_t i) {
    tensor one = t;
    memset(one.stride, 0, sizeof one.stride);
    one.data += i * (t.type == CUDNN_DATA_FLOAT ? 4 : 2);
    return one.get(0, 0, 0, 0);
}

geometry geometry_of(const descriptor *conv) {
    return {conv->get<int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES),
            conv->get<int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS)};
}

struct plan_view {
    std::map<int64_t, char *> data;
    std::map<int64_t, std::vector<char>> between;
    tensor find(const descriptor *d) {
        tensor t(d);
        if (d->get<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL)) {
            std::vector<char> &memory = between[t.id];
            memory.resize((size_t)(t.dim[0] * t.dim[1] * t.dim[2] * t.dim[3]) * 4);
            t.data = memory.data();
        } else {
            t.data = data[t.id];
        }
        return t;
    }
};

void convolve(const descriptor *op, plan_view &p) {
    if (op->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR) {
        const tensor x = p.find(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X)),
                     w = p.find(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W)),
                     y = p.find(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y));
        const geometry g =
            geometry_of(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC));
        sum_into(y, [&](std::vector<double> &sum) {
            every_term(x, w, y, g, [&](int64_t i, int64_t j, int64_t o) {
                sum[(size_t)o] += value(x, i) * value(w, j);
            });
        });
    } else if (op->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR) {
        const tensor x = p.find(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX)),
                     w = p.find(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W)),
                     y = p.find(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY));
        const geometry g =
            geometry_of(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC));
        sum_into(x, [&](std::vector<double> &sum) {
            every_term(x, w, y, g, [&](int64_t i, int64_t j, int64_t o) {
                sum[(size_t)i] += value(y, o) * value(w, j);
            });
        });
    } else {
        const tensor x = p.find(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X)),
                     w = p.find(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW)),
                     y = p.find(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY));
        const geometry g =
            geometry_of(op->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC));
        sum_into(w, [&](std::vector<double> &sum) {
            every_term(x, w, y, g, [&](int64_t i, int64_t j, int64_t o) {
                sum[(size_t)j] += value(y, o) * value(x, i);
            });
        });
    }
}

void add_bias(const descriptor *op, plan_view &p) {
    const tensor x = p.find(op->part(CUDNN_ATTR_OPERATION_POINTWISE_XDESC)),
                 b = p.find(op->part(CUDNN_ATTR_OPERATION_POINTWISE_BDESC)),
                 y = p.find(op->part(CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
    y.each([&](int64_t n, int64_t c, int64_t h, int64_t w) {
        y.set(n, c, h, w, x.get(n, c, h, w) + b.get(0, c, 0, 0));
    });
}

void pool(const descriptor *op, plan_view &p) {
    const bool forward = op->type == CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR;
    const descriptor *how = op->part(forward ? CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC
                                             : CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC);
    const descriptor *index = op->part(forward ? CUDNN_ATTR_OPERATION_RESAMPLE_FWD_IDXDESC
                                               : CUDNN_ATTR_OPERATION_RESAMPLE_BWD_IDXDESC);
    const tensor x = p.find(op->part(forward ? CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC
                                             : CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC)),
                 y = p.find(op->part(forward ? CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC
                                             : CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC));
    const int64_t side = how->get<cudnnFraction_t>(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS).numerator,
                  stride = how->get<cudnnFraction_t>(CUDNN_ATTR_RESAMPLE_STRIDES).numerator;
    const bool max =
        how->get<cudnnResampleMode_t>(CUDNN_ATTR_RESAMPLE_MODE) == CUDNN_RESAMPLE_MAXPOOL;
    const tensor number = index ? p.find(index) : y;
    std::vector<double> sum((size_t)(x.dim[0] * x.dim[1] * x.dim[2] * x.dim[3]));
    y.each([&](int64_t n, int64_t c, int64_t oy, int64_t ox) {
        double total = 0;
        int64_t best = 0;
        for (int64_t t = 0; t < side * side; t++) {
            const int64_t iy = oy * stride + t / side, ix = ox * stride + t % side;
            const double share = max ? 1.0 : 1.0 / (double)(side * side);
            if (forward) {
                const double v = x.get(n, c, iy, ix);
                if (!max) total += v * share;
                if (max && (t == 0 || v > total || v != v)) total = v, best = t;
            } else if (!max || number.get(n, c, oy, ox) == (double)t) {
                sum[(size_t)x.at(n, c, iy, ix)] += y.get(n, c, oy, ox) * share;
            }
        }
        if (forward) y.set(n, c, oy, ox, total);
        if (forward && max) number.set(n, c, oy, ox, (double)best);
    });
    if (!forward)
        x.each([&](int64_t n, int64_t c, int64_t h, int64_t w) {
            x.set(n, c, h, w, sum[(size_t)x.at(n, c, h, w)]);
        });
}

bool is_convolution(const descriptor *d) {
    return d->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR ||
           d->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR ||
           d->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR;
}

void carry_out(const descriptor *op, plan_view &p) {
    if (is_convolution(op))
        convolve(op, p);
    else if (op->type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
        add_bias(op, p);
    else
        pool(op, p);
}

bool fits_together(const descriptor *d) {
    if (d->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)
        return convolves(tensor(d->part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X)),
                         tensor(d->part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W)),
                         tensor(d->part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y)),
                         geometry_of(d->part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC)));
    if (d->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR)
        return convolves(tensor(d->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX)),
                         tensor(d->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W)),
                         tensor(d->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY)),
                         geometry_of(d->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC)));
    if (d->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR)
        return convolves(
            tensor(d->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X)),
            tensor(d->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW)),
            tensor(d->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY)),
            geometry_of(d->part(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC)));
    return true;
}

/* Their global indices. */
enum { PLAIN_LOOP, UNORDERED, TENSOR_CORES, PLAIN };

std::vector<int> listed(void) {
    const char *mode = getenv("FAKE_CUDNN");
    if (mode && strcmp(mode, "nondeterministic") == 0) return {UNORDERED};
    if (mode && strcmp(mode, "plain") == 0) return {UNORDERED, PLAIN_LOOP, PLAIN};
    return {UNORDERED, TENSOR_CORES, PLAIN};
}

} // namespace

size_t cudnnGetVersion(void) {
    return 91900;
}

const char *cudnnGetErrorString(cudnnStatus_t status) {
    return status == OK ? "success" : "as the emulated cuDNN puts it";
}

void cudnnGetLastErrorString(char *message, size_t room) {
    strncpy(message, "its last words", room);
}

cudnnStatus_t cudnnCreate(cudnnHandle_t *handle) {
    if (emulated_failure("cudnnCreate")) return CUDNN_STATUS_EXECUTION_FAILED;
    *handle = new fake_dnn_handle();
    return OK;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
    delete handle;
    return OK;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
    if (emulated_failure("cudnnSetStream")) return CUDNN_STATUS_EXECUTION_FAILED;
    handle->stream = stream;
    return OK;
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t *out) {
    *out = new descriptor{type, false, -1, {}};
    return OK;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t d) {
    delete (descriptor *)d;
    return OK;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t d_,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count,
                                       const void *values) {
    descriptor *d = (descriptor *)d_;
    const char *bytes = (const char *)values;
    if (d->finished) return REFUSED;
    for (int64_t i = 0; type == CUDNN_TYPE_BACKEND_DESCRIPTOR && i < count; i++)
        if (!((descriptor *const *)values)[i]->finished) return REFUSED;
    d->attribute[name].assign(bytes, bytes + (size_t)count * size_of(type));
    return OK;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t d_,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t, int64_t wanted, int64_t *count,
                                       void *values) {
    descriptor *d = (descriptor *)d_;
    descriptor **parts = (descriptor **)values;
    const std::vector<int> engines = listed();
    if (name != CUDNN_ATTR_ENGINE_NUMERICAL_NOTE && wanted < 1) return REFUSED;
    *count = 1;
    switch ((int)name) {
    case CUDNN_ATTR_ENGINEHEUR_RESULTS:
        *count = (int64_t)engines.size();
        for (int64_t i = 0; i < *count && i < wanted; i++) {
            parts[i]->engine = engines[(size_t)i];
            parts[i]->finished = true;
            parts[i]->attribute = d->attribute;
        }
        return OK;
    case CUDNN_ATTR_ENGINECFG_ENGINE:
        parts[0]->engine = d->engine;
        return OK;
    case CUDNN_ATTR_ENGINECFG_KNOB_CHOICES:
        return OK;
    case CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE:
        *(int *)values = 2;
        return OK;
    case CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE:
        *(int64_t *)values = 7;
        return OK;
    case CUDNN_ATTR_ENGINE_GLOBAL_INDEX:
        *(int64_t *)values = d->engine;
        return OK;
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
        *count = d->engine == UNORDERED || d->engine == TENSOR_CORES;
        *(cudnnBackendNumericalNote_t *)values = d->engine == UNORDERED
                                                     ? CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC
                                                     : CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
        return OK;
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
        *(int64_t *)values = 1024;
        return OK;
    default:
        return REFUSED;
    }
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t d_) {
    descriptor *d = (descriptor *)d_;
    if (emulated_failure("cudnnBackendFinalize")) return CUDNN_STATUS_EXECUTION_FAILED;
    if (!fits_together(d)) return REFUSED;
    d->finished = true;
    return OK;
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack_) {
    if (emulated_failure("cudnnBackendExecute")) return CUDNN_STATUS_EXECUTION_FAILED;
    const descriptor *config = ((descriptor *)plan)->part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
    const descriptor *graph = config->part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
    const descriptor *pack = (const descriptor *)pack_;
    plan_view p;
    const size_t count = pack->count(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, 8);
    for (size_t i = 0; i < count; i++) {
        char *data = pack->get<char *>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, i);
        p.data[pack->get<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, i)] = data;
    }
    const size_t operations = graph->count(CUDNN_ATTR_OPERATIONGRAPH_OPS, 8);
    emulate(dim3(1), dim3(1), handle->stream, false, [=]() mutable {
        for (size_t i = 0; i < operations; i++)
            carry_out(graph->part(CUDNN_ATTR_OPERATIONGRAPH_OPS, i), p);
    });
    return OK;
}
