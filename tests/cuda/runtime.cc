/* The emulated runtime. BL_EMULATED_MEMORY bounds the "device's" memory in bytes, so that running
 * out of it is tested; BL_EMULATED_MULTIPROCESSORS are 32 unless said otherwise; a device number
 * other than 0 does not exist. */
#include "tests/cuda/emulate.h"
#include <atomic>
#include <mutex>
#include <stdio.h>
#include <stdlib.h>
#include <unordered_map>
#include <vector>

struct emulated_graph {
    std::vector<std::function<void(void)>> calls;
};
struct emulated_stream {
    emulated_graph *captured; /* NULL: calls are carried out */
};

static std::mutex lock;
static std::unordered_map<void *, size_t> blocks;
static size_t used;

static size_t setting(const char *name, size_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, nullptr, 10) : otherwise;
}

static size_t capacity(void) {
    return setting("BL_EMULATED_MEMORY", (size_t)1 << 30);
}

bool emulated_capture(cudaStream_t stream, std::function<void(void)> call) {
    if (!stream || !stream->captured) return false;
    stream->captured->calls.push_back(call);
    return true;
}

cudaError_t cudaGetDeviceCount(int *count) {
    *count = 1;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device) {
    if (device != 0) return cudaErrorInvalidDevice;
    *properties = {};
    snprintf(properties->name, sizeof properties->name, "emulated device");
    properties->totalGlobalMem = capacity();
    properties->multiProcessorCount = (int)setting("BL_EMULATED_MULTIPROCESSORS", 32);
    properties->major = 9;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char *address, int room, int) {
    snprintf(address, (size_t)room, "0000:e0:00.0");
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
    return device == 0 ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total) {
    std::lock_guard<std::mutex> held(lock);
    *total = capacity();
    *available = *total > used ? *total - used : 0;
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **memory, size_t bytes) {
    std::lock_guard<std::mutex> held(lock);
    *memory = nullptr;
    if (used + bytes > capacity()) return cudaErrorMemoryAllocation;
    *memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (!*memory) return cudaErrorMemoryAllocation;
    memset(*memory, 0xA5, bytes); /* whoever forgets to set it shall notice */
    blocks[*memory] = bytes;
    used += bytes;
    return cudaSuccess;
}

cudaError_t cudaFree(void *memory) {
    std::lock_guard<std::mutex> held(lock);
    if (!memory) return cudaSuccess;
    used -= blocks.at(memory);
    blocks.erase(memory);
    free(memory);
    return cudaSuccess;
}

cudaError_t cudaMallocManaged(void **memory, size_t bytes, unsigned) {
    return cudaMalloc(memory, bytes);
}

cudaError_t cudaMallocHost(void **memory, size_t bytes) {
    *memory = malloc(bytes);
    return *memory ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFreeHost(void *memory) {
    free(memory);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    if (emulated_capture(stream, [=] { cudaMemcpyAsync(to, from, bytes, kind, nullptr); }))
        return cudaSuccess;
    memcpy(to, from, bytes);
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *to, int byte, size_t bytes, cudaStream_t stream) {
    if (emulated_capture(stream, [=] { cudaMemsetAsync(to, byte, bytes, nullptr); }))
        return cudaSuccess;
    memset(to, byte, bytes);
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned) {
    *stream = new emulated_stream();
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t) {
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, int) {
    stream->captured = new emulated_graph();
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph) {
    *graph = stream->captured;
    stream->captured = nullptr;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long) {
    *exec = new emulated_graph(*graph);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t) {
    for (const auto &call : exec->calls) call();
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
    delete exec;
    return cudaSuccess;
}

cudaError_t cudaGetLastError(void) {
    return cudaSuccess;
}

cudaError_t cudaPeekAtLastError(void) {
    return cudaSuccess;
}

const char *cudaGetErrorString(cudaError_t error) {
    switch (error) {
    case cudaErrorMemoryAllocation:
        return "out of memory";
    case cudaErrorNoDevice:
        return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice:
        return "invalid device ordinal";
    default:
        return "no error";
    }
}

cudaError_t cudaRuntimeGetVersion(int *version) {
    *version = 0;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version) {
    *version = 0;
    return cudaSuccess;
}
