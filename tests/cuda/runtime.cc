/* The emulated runtime. BL_EMULATED_MEMORY bounds the "device's" memory in bytes, so that running
 * out of it is tested, BL_EMULATED_PINNED the host's that is pinned; BL_EMULATED_MULTIPROCESSORS
 * are 32 unless said otherwise; a device number other than 0 does not exist.
 *
 * The device's memory may be touched only while calls are carried out: a host that does so, as a
 * layer in a plain loop would, ends with SIGSEGV. */
#include "tests/cuda/emulate.h"
#include <deque>
#include <map>
#include <mutex>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

struct emulated_graph {
    std::vector<std::function<void(void)>> calls;
};
struct emulated_stream {
    emulated_graph *captured; /* NULL: calls are for the stream itself */
    std::deque<std::function<void(void)>> calls;
    size_t carried_out;
};
struct emulated_event {
    cudaStream_t stream; /* NULL: never recorded */
    size_t calls;        /* of the stream, before it */
};

/* The block ends where a page begins that nobody may touch, but for what alignment leaves: that,
 * and the memory before the block, holds FRESH until it is freed. */
struct block {
    char *mapped;
    size_t whole, bytes;
};
enum { PAGE = 4096, FRESH = 0xA5 };

/* `lock` is held while calls are carried out; the rest is under it. */
static std::mutex lock;
static std::map<void *, block> blocks;
static std::map<void *, size_t> pinned;
static size_t used, used_pinned;
typedef std::lock_guard<std::mutex> guard;

static size_t setting(const char *name, size_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, nullptr, 10) : otherwise;
}

static size_t capacity(void) {
    return setting("BL_EMULATED_MEMORY", (size_t)1 << 30);
}

/* ---- who may touch what ---- */

static struct sigaction handler_before;

static void on_fault(int number, siginfo_t *info, void *) {
    static const char words[] = "emulated device: the host touched the device's memory\n";
    const char *at = (const char *)info->si_addr;
    for (const auto &b : blocks)
        if (at >= b.second.mapped && at < b.second.mapped + b.second.whole)
            (void)!write(STDERR_FILENO, words, sizeof words - 1);
    (void)sigaction(number, &handler_before, nullptr); /* the access is made again, for it */
}

/* A test program may set a handler of its own for each of its cases. */
static void say_why(void) {
    struct sigaction now;
    (void)sigaction(SIGSEGV, nullptr, &now);
    if (now.sa_sigaction == on_fault) return;
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    handler_before = now;
    (void)sigaction(SIGSEGV, &action, nullptr);
}

static void protect(const block &b, int access) {
    if (mprotect(b.mapped, b.whole - PAGE, access) != 0) abort();
}

/* ---- streams ---- */

/* The first `until` calls of the stream. */
static void carry_out(cudaStream_t stream, size_t until) {
    if (stream->carried_out >= until) return;
    guard held(lock);
    for (const auto &b : blocks) protect(b.second, PROT_READ | PROT_WRITE);
    for (; stream->carried_out < until; stream->carried_out++) {
        stream->calls.front()();
        stream->calls.pop_front();
    }
    for (const auto &b : blocks) protect(b.second, PROT_NONE);
    say_why();
}

static size_t enqueued(cudaStream_t stream) {
    return stream->carried_out + stream->calls.size();
}

void emulated_enqueue(cudaStream_t stream, std::function<void(void)> call) {
    if (stream->captured) {
        stream->captured->calls.push_back(call);
        return;
    }
    const char *when = getenv("BL_EMULATED_STREAMS");
    stream->calls.push_back(call);
    if (when && strcmp(when, "eager") == 0) carry_out(stream, enqueued(stream));
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
    guard held(lock);
    *total = capacity();
    *available = *total > used ? *total - used : 0;
    return cudaSuccess;
}

/* ---- memory ---- */

cudaError_t cudaMalloc(void **memory, size_t bytes) {
    guard held(lock);
    *memory = nullptr;
    if (used + bytes > capacity()) return cudaErrorMemoryAllocation;
    const size_t rounded = (bytes + 255) / 256 * 256;
    const size_t whole = (rounded + PAGE - 1) / PAGE * PAGE + PAGE;
    void *mapped = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return cudaErrorMemoryAllocation;
    (void)madvise(mapped, whole, MADV_HUGEPAGE); /* or a queue's 64 MiB take long to protect */
    memset(mapped, FRESH, whole - PAGE);         /* a kernel that reads before it writes shows */
    if (mprotect(mapped, whole, PROT_NONE) != 0) abort();
    *memory = (char *)mapped + whole - PAGE - rounded;
    blocks[*memory] = {(char *)mapped, whole, bytes};
    used += bytes;
    say_why();
    return cudaSuccess;
}

/* A kernel that wrote beside its array ends the program here, as a memory checker would. */
static void check_padding(const unsigned char *memory, const block &b) {
    const unsigned char *begin = (const unsigned char *)b.mapped, *end = begin + b.whole - PAGE;
    protect(b, PROT_READ);
    for (const unsigned char *c = begin; c < end; c++) {
        if (c == memory) c += b.bytes;
        if (c == end || *c == FRESH) continue;
        fprintf(stderr, "emulated device: a kernel wrote %td bytes from the start of %zu\n",
                c - memory, b.bytes);
        abort();
    }
}

cudaError_t cudaFree(void *memory) {
    guard held(lock);
    if (!memory) return cudaSuccess;
    const block b = blocks.at(memory);
    check_padding((const unsigned char *)memory, b);
    used -= b.bytes;
    blocks.erase(memory);
    return munmap(b.mapped, b.whole) == 0 ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t cudaMallocHost(void **memory, size_t bytes) {
    guard held(lock);
    *memory = nullptr;
    if (used_pinned + bytes > setting("BL_EMULATED_PINNED", SIZE_MAX))
        return cudaErrorMemoryAllocation;
    *memory = malloc(bytes);
    if (!*memory) return cudaErrorMemoryAllocation;
    memset(*memory, FRESH, bytes);
    pinned[*memory] = bytes;
    used_pinned += bytes;
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *memory) {
    guard held(lock);
    used_pinned -= pinned.at(memory);
    pinned.erase(memory);
    free(memory);
    return cudaSuccess;
}

static bool is_pinned(const void *memory) {
    guard held(lock);
    auto after = pinned.upper_bound((void *)memory);
    if (after == pinned.begin()) return false;
    const auto &p = *--after;
    return (const char *)memory < (const char *)p.first + p.second;
}

/* What is not pinned goes through a buffer of the driver's: to the device from what it is now, from
 * the device before the call returns. */
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    if (bytes == 0) return cudaSuccess; /* the addresses may be NULL then */
    if (kind == cudaMemcpyHostToDevice && !is_pinned(from)) {
        const std::vector<char> now((const char *)from, (const char *)from + bytes);
        emulated_enqueue(stream, [=] { memcpy(to, now.data(), now.size()); });
        return cudaSuccess;
    }
    emulated_enqueue(stream, [=] { memcpy(to, from, bytes); });
    if (kind == cudaMemcpyDeviceToHost && !is_pinned(to)) carry_out(stream, enqueued(stream));
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *to, int byte, size_t bytes, cudaStream_t stream) {
    if (bytes == 0) return cudaSuccess;
    emulated_enqueue(stream, [=] { memset(to, byte, bytes); });
    return cudaSuccess;
}

/* ---- streams, events and graphs ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned) {
    *stream = new emulated_stream();
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    carry_out(stream, enqueued(stream));
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    carry_out(stream, enqueued(stream));
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned) {
    *event = new emulated_event();
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    *event = {stream, enqueued(stream)};
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    if (event->stream) carry_out(event->stream, event->calls);
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

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
    for (const auto &call : exec->calls) emulated_enqueue(stream, call);
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
