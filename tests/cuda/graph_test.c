/* The graphs of kernels/vendor against the real cuDNN, without a device: the library checks every
 * descriptor, lists engines for the properties of a GPU that is not there, and makes plans for it.
 * Skipped where the library is not found, or is older than 9.8. */
#include "engine/base/mem.h"
#include "kernels/vendor/cudnn_operations.h"
#include "tests/check.h"
#include <stdio.h>
#include <string.h>

/* cuDNN and what it opens keep memory until the process ends, from stacks that name no library. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) {
    return 1;
}

/* An H100, as such a device describes itself. */
static const char k_device[] =
    "{\"deviceVer\":900,\"driverVer\":13000,\"cudaDeviceId\":0,\"deviceName\":\"NVIDIA H100\","
    "\"maxGridSize\":[2147483647,65535,65535],\"maxBlockSize\":[1024,1024,64],"
    "\"regsPerBlock\":65536,\"multiProcessorCount\":132,\"smClockRateKHz\":1980000,"
    "\"memClockRateKHz\":2619000,\"l2CacheSize\":52428800,\"warpSize\":32,"
    "\"maxSharedMemoryPerBlock\":49152,\"maxSharedMemoryPerBlockOptin\":232448,"
    "\"reservedSharedMemoryPerBlock\":1024,\"maxRegistersPerSM\":65536,\"pciDeviceId\":0,"
    "\"maxCtasPerSM\":32,\"maxThreadsPerBlock\":1024,\"maxThreadsPerSM\":2048,\"isTccDriver\":0,"
    "\"supportCoopLaunch\":1,\"totalGlobalMem\":85000000000}";

static const size_t k_workspace = 48 << 20;

static bl_graph g_owner; /* of the device's properties */
static cudnnBackendDescriptor_t g_device;

/* False: skip. */
static bool open_library(void) {
    size_t version;
    bl_err err = {0};
    if (g_device != NULL) return true;
    if (bl_graph_library(&version, &err) != BL_OK || version < 90800) return false;
    bl_graph_begin(&g_owner);
    g_device = bl_graph_part(&g_owner, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    bl_graph_set(&g_owner, g_device, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                 sizeof k_device - 1, k_device);
    bl_graph_finish(&g_owner, g_device);
    assert_true(g_owner.ok);
    return true;
}

/* batch, height, width, channels, out_height, out_width, filters, kernel, stride, pad, groups */
static const bl_conv k_conv[] = {
    {128, 28, 28, 1,  28, 28, 32, 5, 1, 2, 1 }, /* Simple CNN */
    {128, 14, 14, 32, 14, 14, 64, 5, 1, 2, 1 },
    {256, 32, 32, 16, 32, 32, 16, 3, 1, 1, 1 }, /* ResNet-8 */
    {256, 32, 32, 16, 16, 16, 32, 3, 2, 1, 1 },
    {256, 16, 16, 32, 8,  8,  64, 1, 2, 0, 1 },
    {64,  8,  8,  32, 8,  8,  32, 3, 1, 1, 32}, /* depthwise */
};
static const bl_conv k_pool = {128, 28, 28, 32, 14, 14, 32, 2, 2, 0, 1};

/* cuDNN 9.26 offers an H100 its plain loop, engine 0, for these first: they stay with this
 * project's kernels (cudnn_engine.h). */
static bool may_be_plain(const bl_conv *v, int operation) {
    const bool grouped = v->groups > 1, narrow = v->channels < 16;
    return grouped || (operation == BL_CONV_WEIGHT && (narrow || v->stride > 1));
}

/* Looks for an engine; the library has to take every descriptor. `plain`, or NULL: whether there is
 * none because the plain loop came first. */
static bool has_engine(const bl_cudnn_shape *s, bool tensor_cores, bool *plain) {
    const bl_engine_limits limits = {
        .tensor_cores = tensor_cores, .workspace = k_workspace, .device = g_device};
    bl_graph g;
    bl_graph_begin(&g);
    bl_cudnn_describe(&g, s);
    assert_true(g.ok);
    const bool found = bl_graph_choose(&g, &limits);
    if (found) {
        assert_true((size_t)g.workspace <= k_workspace);
        assert_int_equal(strncmp(g.text, "engine ", 7), 0);
    }
    if (plain != NULL) *plain = g.plain;
    bl_graph_end(&g);
    return found;
}

/* An engine, or where it may be so the plain loop: nothing else is a reason for none. */
static void check_engine(const bl_conv *conv, int operation, bool tensor_cores) {
    const bl_cudnn_shape s = {
        .operation = (bl_cudnn_operation)operation, .conv = *conv, .type = CUDNN_DATA_FLOAT};
    bool plain;
    if (has_engine(&s, tensor_cores, &plain)) return;
    if (!plain || !may_be_plain(conv, operation))
        fail_msg("no %s engine%s: operation %d of %zu", tensor_cores ? "tf32" : "fp32",
                 plain ? " but the plain loop" : "", operation, (size_t)(conv - k_conv));
}

static void test_convolutions(void **state) {
    (void)state;
    if (!open_library()) skip();
    for (size_t i = 0; i < BL_COUNT(k_conv); i++)
        for (int operation = BL_CONV_FORWARD; operation <= BL_CONV_WEIGHT; operation++) {
            check_engine(&k_conv[i], operation, false);
            check_engine(&k_conv[i], operation, true);
        }
}

static void test_fused_bias(void **state) {
    (void)state;
    if (!open_library()) skip();
    const bl_cudnn_shape s = {
        .operation = BL_CONV_FORWARD, .conv = k_conv[2], .bias = true, .type = CUDNN_DATA_FLOAT};
    assert_true(has_engine(&s, false, NULL));
}

static void test_narrow_factors(void **state) {
    (void)state;
    static const cudnnDataType_t types[] = {CUDNN_DATA_BFLOAT16, CUDNN_DATA_HALF};
    if (!open_library()) skip();
    for (size_t t = 0; t < BL_COUNT(types); t++)
        for (int operation = BL_CONV_FORWARD; operation <= BL_CONV_WEIGHT; operation++) {
            const bl_cudnn_shape s = {
                .operation = (bl_cudnn_operation)operation, .conv = k_conv[2], .type = types[t]};
            assert_true(has_engine(&s, true, NULL));
        }
}

/* Their engines are compiled when they are planned, which takes a driver: whether there are any is
 * known on a device only. */
static void test_pools(void **state) {
    (void)state;
    if (!open_library()) skip();
    for (int operation = BL_MAX_FORWARD; operation < BL_CUDNN_OPERATION_COUNT; operation++) {
        const bl_cudnn_shape s = {
            .operation = (bl_cudnn_operation)operation, .conv = k_pool, .type = CUDNN_DATA_FLOAT};
        (void)has_engine(&s, false, NULL);
    }
}

/* What does not fit together is the library's to refuse. */
static void test_refusals(void **state) {
    (void)state;
    if (!open_library()) skip();
    bl_cudnn_shape s = {.operation = BL_CONV_FORWARD, .conv = k_conv[2], .type = CUDNN_DATA_FLOAT};
    bl_graph g;
    s.conv.out_height++;
    bl_graph_begin(&g);
    bl_cudnn_describe(&g, &s);
    assert_false(g.ok);
    bl_graph_end(&g);
}

/* Without room for their workspace, engines that need one are passed over. */
static void test_workspace(void **state) {
    (void)state;
    if (!open_library()) skip();
    const bl_cudnn_shape s = {
        .operation = BL_CONV_INPUT, .conv = k_conv[2], .type = CUDNN_DATA_FLOAT};
    const bl_engine_limits limits = {.workspace = 0, .device = g_device};
    bl_graph g;
    bl_graph_begin(&g);
    bl_cudnn_describe(&g, &s);
    if (bl_graph_choose(&g, &limits)) assert_int_equal(g.workspace, 0);
    bl_graph_end(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolutions),   cmocka_unit_test(test_fused_bias),
        cmocka_unit_test(test_narrow_factors), cmocka_unit_test(test_pools),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_workspace),
    };
    const int failed = cmocka_run_group_tests_name("cuDNN's graphs", tests, NULL, NULL);
    bl_graph_end(&g_owner);
    return failed;
}
