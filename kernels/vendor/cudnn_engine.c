/* Descriptors, engines and plans of cuDNN's backend interface (cudnn_engine.h). Every call's status
 * is folded into bl_graph.ok: descriptions are long, and whatever the library refuses makes the
 * whole graph one that it does not compute. Descriptors are destroyed in bl_graph_end, the last one
 * first.
 */
#include "kernels/vendor/cudnn_engine.h"
#include "kernels/vendor/library.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS(X)                                                                                   \
    X(cudnnGetVersion)                                                                             \
    X(cudnnGetErrorString)                                                                         \
    X(cudnnGetLastErrorString)                                                                     \
    X(cudnnCreate)                                                                                 \
    X(cudnnDestroy)                                                                                \
    X(cudnnSetStream)                                                                              \
    X(cudnnBackendCreateDescriptor)                                                                \
    X(cudnnBackendDestroyDescriptor)                                                               \
    X(cudnnBackendSetAttribute)                                                                    \
    X(cudnnBackendGetAttribute)                                                                    \
    X(cudnnBackendFinalize)                                                                        \
    X(cudnnBackendExecute)

static struct {
#define MEMBER(name) __typeof__(&name) name;
    CALLS(MEMBER)
#undef MEMBER
} dnn;

/* ---- the library ---- */

bl_status bl_graph_library(size_t *version, bl_err *err) {
#define FIND(name) {#name, &dnn.name},
    static const bl_library_call calls[] = {CALLS(FIND)};
#undef FIND
    static bl_library library = {.name = "cuDNN",
                                 .variable = "BATCHLAB_CUDNN",
                                 .file = "libcudnn.so.9",
                                 .needed = "pictures at numerics = \"device\" need cuDNN 9",
                                 .call = calls,
                                 .calls = sizeof calls / sizeof *calls,
                                 .lock = PTHREAD_MUTEX_INITIALIZER};
    BL_TRY(bl_library_load(&library, err));
    *version = dnn.cudnnGetVersion();
    return BL_OK;
}

#define DONE(call) ((call) == CUDNN_STATUS_SUCCESS)

/* The status with its name and, from the same thread, the library's last words, which are longer.
 */
static void say_why(cudnnStatus_t status, char why[BL_GRAPH_WHY]) {
    char last[BL_GRAPH_WHY / 2] = "";
    dnn.cudnnGetLastErrorString(last, sizeof last);
    (void)snprintf(why, BL_GRAPH_WHY, "status %d (%s)%s%s", (int)status,
                   dnn.cudnnGetErrorString(status), last[0] != '\0' ? ": " : "", last);
}

/* The handle enqueues on `stream` from here on; bl_graph_handle_close gives it back. */
bl_status bl_graph_handle(cudnnHandle_t *out, cudaStream_t stream, bl_err *err) {
    size_t version;
    *out = NULL;
    BL_TRY(bl_graph_library(&version, err));
    char why[BL_GRAPH_WHY];
    cudnnStatus_t status = dnn.cudnnCreate(out);
    if (!DONE(status)) {
        say_why(status, why);
        *out = NULL;
        BL_FAIL(err, BL_EUNSUPPORTED, "cuDNN does not start on this device: %s", why);
    }
    status = dnn.cudnnSetStream(*out, stream);
    if (DONE(status)) return BL_OK;
    say_why(status, why);
    bl_graph_handle_close(*out);
    *out = NULL;
    BL_FAIL(err, BL_EUNSUPPORTED, "cuDNN does not take a stream: %s", why);
}

void bl_graph_handle_close(cudnnHandle_t handle) {
    if (handle != NULL) (void)dnn.cudnnDestroy(handle);
}

/* ---- describing ---- */

void bl_graph_begin(bl_graph *g) {
    *g = (bl_graph){.ok = true};
}

void bl_graph_end(bl_graph *g) {
    while (g->parts > 0) (void)dnn.cudnnBackendDestroyDescriptor(g->part[--g->parts]);
    *g = (bl_graph){0};
}

/* NULL where the graph is not ok any more; what takes the result then does nothing. */
cudnnBackendDescriptor_t bl_graph_part(bl_graph *g, cudnnBackendDescriptorType_t type) {
    cudnnBackendDescriptor_t d = NULL;
    g->ok = g->ok && g->parts < BL_GRAPH_PARTS && DONE(dnn.cudnnBackendCreateDescriptor(type, &d));
    if (!g->ok) return NULL;
    g->part[g->parts++] = d;
    return d;
}

void bl_graph_set(bl_graph *g, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                  cudnnBackendAttributeType_t type, int64_t count, const void *values) {
    g->ok = g->ok && DONE(dnn.cudnnBackendSetAttribute(d, name, type, count, values));
}

void bl_graph_set_part(bl_graph *g, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                       cudnnBackendDescriptor_t value) {
    bl_graph_set(g, d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

void bl_graph_finish(bl_graph *g, cudnnBackendDescriptor_t d) {
    g->ok = g->ok && DONE(dnn.cudnnBackendFinalize(d));
}

void bl_graph_operation(bl_graph *g, cudnnBackendDescriptor_t d) {
    bl_graph_finish(g, d);
    if (g->ok) g->operation[g->operations++] = d;
}

/* The strides say NHWC: channels lie side by side, whatever the order of dimensions says. */
cudnnBackendDescriptor_t bl_graph_tensor(bl_graph *g, const bl_tensor *t) {
    const int64_t dims[] = {t->n, t->c, t->h, t->w}, aligned = 16;
    const int64_t strides[] = {t->c * t->h * t->w, 1, t->w * t->c, t->c};
    cudnnBackendDescriptor_t d = bl_graph_part(g, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    bl_graph_set(g, d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &t->type);
    bl_graph_set(g, d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dims);
    bl_graph_set(g, d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides);
    bl_graph_set(g, d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &t->id);
    bl_graph_set(g, d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &aligned);
    bl_graph_set(g, d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &t->is_virtual);
    bl_graph_finish(g, d);
    return d;
}

/* ---- choosing ---- */

enum { LISTED = 64, KNOBS = 16 };

/* The library fills in descriptors that it is handed: `most` are made, and those that it does
 * not need are destroyed. Returns how many out[] holds, which are the caller's to destroy. */
static int64_t get_parts(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                         cudnnBackendDescriptorType_t type, int64_t most,
                         cudnnBackendDescriptor_t *out) {
    int64_t made = 0, count = 0;
    while (made < most && DONE(dnn.cudnnBackendCreateDescriptor(type, &out[made]))) made++;
    if (!DONE(dnn.cudnnBackendGetAttribute(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, made, &count,
                                           out)))
        count = 0;
    if (count > made) count = made; /* some libraries count what they have */
    while (made > count) (void)dnn.cudnnBackendDestroyDescriptor(out[--made]);
    return count;
}

/* What get_parts made. */
static void destroy(cudnnBackendDescriptor_t *d, int64_t count) {
    while (count > 0) (void)dnn.cudnnBackendDestroyDescriptor(d[--count]);
}

/* Whether the library's own notes on an engine allow it. An engine whose notes cannot be read
 * will not do.
 *
 *     NONDETERMINISTIC                  never: the order of its sums changes from call to call
 *     REDUCED_PRECISION_REDUCTION       never: sums are fp32 at every precision
 *     TENSOR_CORE, DOWN_CONVERT_INPUTS  not at fp32: both round factors
 *     STRICT_NAN_PROP                   needed where limits->keeps_nan says so
 */
static bool will_do(cudnnBackendDescriptor_t engine, const bl_engine_limits *limits) {
    cudnnBackendNumericalNote_t note[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    int64_t count = 0;
    bool keeps_nan = false;
    if (!DONE(dnn.cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                           CUDNN_TYPE_NUMERICAL_NOTE,
                                           CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count, note)))
        return false;
    for (int64_t i = 0; i < count && i < CUDNN_NUMERICAL_NOTE_TYPE_COUNT; i++) {
        if (note[i] == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC) return false;
        if (note[i] == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION) return false;
        if (!limits->tensor_cores && (note[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE ||
                                      note[i] == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS))
            return false;
        keeps_nan = keeps_nan || note[i] == CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP;
    }
    return keeps_nan || !limits->keeps_nan;
}

/* -1: it does not say. */
static int64_t engine_index(cudnnBackendDescriptor_t engine) {
    int64_t index = -1, one = 0;
    (void)dnn.cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1,
                                       &one, &index);
    return index;
}

/* "engine 12, knobs 2=4 13=1": the tactic, in the library's numbers. */
static void describe(bl_graph *g, cudnnBackendDescriptor_t config,
                     cudnnBackendDescriptor_t engine) {
    cudnnBackendDescriptor_t knob[KNOBS];
    int64_t one = 0;
    const int64_t index = engine_index(engine);
    size_t used = (size_t)snprintf(g->text, sizeof g->text, "engine %lld", (long long)index);
    const int64_t knobs = get_parts(config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES,
                                    CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, KNOBS, knob);
    for (int64_t i = 0; i < knobs && used < sizeof g->text; i++) {
        cudnnBackendKnobType_t type = CUDNN_KNOB_TYPE_COUNTS;
        int64_t value = -1;
        (void)dnn.cudnnBackendGetAttribute(knob[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE,
                                           CUDNN_TYPE_KNOB_TYPE, 1, &one, &type);
        (void)dnn.cudnnBackendGetAttribute(knob[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE,
                                           CUDNN_TYPE_INT64, 1, &one, &value);
        used += (size_t)snprintf(g->text + used, sizeof g->text - used, "%s%d=%lld",
                                 i == 0 ? ", knobs " : " ", (int)type, (long long)value);
    }
    destroy(knob, knobs);
}

/* A plan of this configuration, if the library can make one that fits the workspace. A refusal
 * leaves the graph as it was, ok included: the next configuration is tried on it. */
static bool make_plan(bl_graph *g, const bl_engine_limits *limits,
                      cudnnBackendDescriptor_t config) {
    const bool before = g->ok;
    int64_t count = 0, bytes = 0;
    cudnnBackendDescriptor_t plan = bl_graph_part(g, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    bl_graph_set_part(g, plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
    if (limits->handle != NULL)
        bl_graph_set(g, plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1,
                     &limits->handle);
    else
        bl_graph_set_part(g, plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, limits->device);
    bl_graph_finish(g, plan);
    g->ok =
        g->ok && DONE(dnn.cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                                   CUDNN_TYPE_INT64, 1, &count, &bytes));
    if (g->ok && (size_t)bytes <= limits->workspace) {
        g->plan = plan;
        g->workspace = bytes;
        return true;
    }
    if (plan != NULL) (void)dnn.cudnnBackendDestroyDescriptor(g->part[--g->parts]);
    g->ok = before;
    return false;
}

/* False: the list ends here, with or without a plan. Engine 0 ends it without one
 * (cudnn_engine.h); an engine that will not do, or that has no plan here, is passed over. */
static bool try_config(bl_graph *g, const bl_engine_limits *limits,
                       cudnnBackendDescriptor_t config) {
    cudnnBackendDescriptor_t engine;
    if (get_parts(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1,
                  &engine) != 1)
        return true;
    const bool admissible = will_do(engine, limits);
    g->plain = admissible && engine_index(engine) == 0;
    if (admissible && !g->plain && make_plan(g, limits, config)) describe(g, config, engine);
    destroy(&engine, 1);
    return g->plan == NULL && !g->plain;
}

/* The list of one mode, first to last. The configuration of the plan has to outlive it. False: no
 * other list need be asked. */
static bool try_mode(bl_graph *g, const bl_engine_limits *limits, cudnnBackendDescriptor_t whole,
                     cudnnBackendHeurMode_t mode) {
    cudnnBackendDescriptor_t config[LISTED];
    cudnnBackendDescriptor_t list = bl_graph_part(g, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    bl_graph_set_part(g, list, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, whole);
    bl_graph_set(g, list, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    if (limits->handle == NULL)
        bl_graph_set_part(g, list, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, limits->device);
    bl_graph_finish(g, list);
    if (!g->ok) {
        g->ok = list != NULL; /* the other mode may have a list */
        return g->ok;
    }
    const int64_t count = get_parts(list, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                    CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, LISTED, config);
    bool go_on = true;
    for (int64_t i = 0; i < count; i++) {
        if (go_on) go_on = try_config(g, limits, config[i]);
        if (g->plan != NULL && g->parts < BL_GRAPH_PARTS && g->part[g->parts - 1] == g->plan)
            g->part[g->parts++] = config[i];
        else
            destroy(&config[i], 1);
    }
    return go_on;
}

/* Mode A is the library's model of what is fast, the fallback its list of what always works. */
bool bl_graph_choose(bl_graph *g, const bl_engine_limits *limits) {
    cudnnBackendDescriptor_t whole = bl_graph_part(g, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    if (limits->handle != NULL)
        bl_graph_set(g, whole, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1,
                     &limits->handle);
    bl_graph_set(g, whole, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                 g->operations, g->operation);
    bl_graph_finish(g, whole);
    if (g->ok && try_mode(g, limits, whole, CUDNN_HEUR_MODE_A))
        (void)try_mode(g, limits, whole, CUDNN_HEUR_MODE_FALLBACK);
    return g->ok && g->plan != NULL;
}

/* ---- running ---- */

/* The variant pack says which array each tensor's number stands for in this call. It is made
 * anew each time and is no part of the plan, so one plan serves all layers of a shape. */
bool bl_graph_run(const bl_graph *g, cudnnHandle_t handle, int count, const int64_t *ids,
                  void *const *pointers, void *workspace, char why[BL_GRAPH_WHY]) {
    bl_graph pack;
    bl_graph_begin(&pack);
    cudnnBackendDescriptor_t d = bl_graph_part(&pack, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    bl_graph_set(&pack, d, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, count,
                 pointers);
    bl_graph_set(&pack, d, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, count, ids);
    bl_graph_set(&pack, d, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
    bl_graph_finish(&pack, d);
    cudnnStatus_t status = CUDNN_STATUS_BAD_PARAM;
    if (pack.ok) status = dnn.cudnnBackendExecute(handle, g->plan, d);
    if (!DONE(status)) say_why(status, why);
    bl_graph_end(&pack);
    return DONE(status);
}
