/* The emulated runtime. BL_EMULATED_MEMORY bounds each "device's" memory in bytes, so that running
 * out of it is tested, BL_EMULATED_PINNED the host's that is pinned. BL_EMULATED_DEVICES are 1
 * unless said otherwise, BL_EMULATED_MULTIPROCESSORS 32, BL_EMULATED_CAPABILITY 90 (9.0).
 *
 * What a real device refuses is refused: launches beyond the limits of a grid, on a stream of
 * another device than the thread's; allocations, waits and copies of ordinary memory while the
 * thread records. BL_EMULATED_FAIL=NAME:N has the N-th call of that name fail.
 *
 * A graph leaves the number of its nodes in BL_EMULATED_NODES. Under BL_EMULATED_STREAMS=never
 * nothing is carried out, so that large steps can be recorded and counted.
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
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

struct emulated_graph {
    std::vector<std::function<void(void)>> calls;
    bool invalid; /* a call was made that may not be recorded */
};
struct emulated_stream {
    int device;
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
    int device;
};
enum { PAGE = 4096, FRESH = 0xA5 };

/* `lock` is held while calls are carried out; the rest is under it. */
static std::mutex lock;
static std::map<void *, block> blocks;
static std::map<void *, size_t> pinned;
enum { MOST_DEVICES = 64 };
static size_t used[MOST_DEVICES], used_pinned;
typedef std::lock_guard<std::mutex> guard;

static size_t setting(const char *name, size_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, nullptr, 10) : otherwise;
}

static size_t capacity(void) {
    return setting("BL_EMULATED_MEMORY", (size_t)1 << 30);
}

/* ---- errors ---- */

static thread_local int device_now;              /* cudaSetDevice is the thread's */
static thread_local cudaError_t last_error;      /* of a launch */
static thread_local cudaStream_t recording_here; /* the stream that this thread captures */

bool emulated_failure(const char *name) {
    static std::mutex counting;
    static std::string asked;
    static size_t left;
    const char *text = getenv("BL_EMULATED_FAIL");
    const size_t length = strlen(name);
    if (!text || strncmp(text, name, length) != 0 || text[length] != ':') return false;
    std::lock_guard<std::mutex> held(counting);
    if (asked != text) {
        asked = text;
        left = strtoull(text + length + 1, nullptr, 10);
    }
    if (left == 0 || --left > 0) return false;
    (void)setenv("BL_EMULATED_FAILED", name, 1);
    return true;
}

void emulated_error(cudaError_t error) {
    last_error = error;
}

/* While a thread records, a call that a recording cannot hold spoils it. */
static cudaError_t while_recording(void) {
    if (!recording_here || !recording_here->captured) return cudaSuccess;
    recording_here->captured->invalid = true;
    return cudaErrorStreamCaptureUnsupported;
}

/* First of every call that may fail, and of every one that may not be made while a thread records.
 */
#define MAY_FAIL(name)                                                                             \
    do {                                                                                           \
        if (emulated_failure(#name)) return cudaErrorLaunchFailure;                                \
    } while (0)
#define NOT_RECORDED(name)                                                                         \
    do {                                                                                           \
        MAY_FAIL(name);                                                                            \
        const cudaError_t error_ = while_recording();                                              \
        if (error_ != cudaSuccess) return error_;                                                  \
    } while (0)

cudaError_t emulated_check(dim3 grid, dim3 block, cudaStream_t stream) {
    const size_t threads = (size_t)block.x * block.y * block.z;
    if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7fffffffu || grid.y > 65535 ||
        grid.z > 65535 || threads == 0 || threads > 1024)
        return cudaErrorInvalidConfiguration;
    return stream->device == device_now ? cudaSuccess : cudaErrorInvalidResourceHandle;
}

void emulated_misaligned(const void *address, size_t size) {
    fprintf(stderr, "emulated device: %p is no multiple of %zu bytes\n", address, size);
    abort();
}

/* ---- who may touch what ---- */

static struct sigaction handler_before;
static volatile sig_atomic_t carrying_out; /* and `lock` is held */

/* A kernel's fault ends the program: a test that went on would wait for the lock. */
static void on_fault(int number, siginfo_t *info, void *) {
    static const char beside[] = "emulated device: a kernel reads or writes beside its arrays\n";
    if (carrying_out) {
        (void)!write(STDERR_FILENO, beside, sizeof beside - 1);
        abort();
    }
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
    carrying_out = 1;
    for (; stream->carried_out < until; stream->carried_out++) {
        stream->calls.front()();
        stream->calls.pop_front();
    }
    carrying_out = 0;
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
    if (when && strcmp(when, "never") == 0) return;
    stream->calls.push_back(call);
    if (when && strcmp(when, "eager") == 0) carry_out(stream, enqueued(stream));
}

cudaError_t cudaGetDeviceCount(int *count) {
    MAY_FAIL(cudaGetDeviceCount);
    *count = (int)setting("BL_EMULATED_DEVICES", 1);
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device) {
    MAY_FAIL(cudaGetDeviceProperties);
    if (device < 0 || device >= (int)setting("BL_EMULATED_DEVICES", 1))
        return cudaErrorInvalidDevice;
    const size_t capability = setting("BL_EMULATED_CAPABILITY", 90);
    *properties = {};
    snprintf(properties->name, sizeof properties->name, "emulated device");
    properties->totalGlobalMem = capacity();
    properties->multiProcessorCount = (int)setting("BL_EMULATED_MULTIPROCESSORS", 32);
    properties->major = (int)(capability / 10);
    properties->minor = (int)(capability % 10);
    return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char *address, int room, int device) {
    snprintf(address, (size_t)room, "0000:e%x:00.0", device);
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
    MAY_FAIL(cudaSetDevice);
    if (device < 0 || device >= (int)setting("BL_EMULATED_DEVICES", 1))
        return cudaErrorInvalidDevice;
    device_now = device;
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total) {
    NOT_RECORDED(cudaMemGetInfo);
    guard held(lock);
    *total = capacity();
    *available = *total > used[device_now] ? *total - used[device_now] : 0;
    return cudaSuccess;
}

/* ---- memory ---- */

cudaError_t cudaMalloc(void **memory, size_t bytes) {
    NOT_RECORDED(cudaMalloc);
    guard held(lock);
    *memory = nullptr;
    if (used[device_now] + bytes > capacity()) return cudaErrorMemoryAllocation;
    const size_t rounded = (bytes + 255) / 256 * 256;
    const size_t whole = (rounded + PAGE - 1) / PAGE * PAGE + PAGE;
    void *mapped = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return cudaErrorMemoryAllocation;
    (void)madvise(mapped, whole, MADV_HUGEPAGE); /* or a queue's 64 MiB take long to protect */
    memset(mapped, FRESH, whole - PAGE);         /* a kernel that reads before it writes shows */
    if (mprotect(mapped, whole, PROT_NONE) != 0) abort();
    *memory = (char *)mapped + whole - PAGE - rounded;
    blocks[*memory] = {(char *)mapped, whole, bytes, device_now};
    used[device_now] += bytes;
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
    if (!memory) return cudaSuccess;
    NOT_RECORDED(cudaFree);
    guard held(lock);
    const block b = blocks.at(memory);
    check_padding((const unsigned char *)memory, b);
    used[b.device] -= b.bytes;
    blocks.erase(memory);
    return munmap(b.mapped, b.whole) == 0 ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t cudaMallocHost(void **memory, size_t bytes) {
    NOT_RECORDED(cudaMallocHost);
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

/* It is gone also where the call reports a fault, as that of an earlier kernel. */
cudaError_t cudaFreeHost(void *memory) {
    {
        guard held(lock);
        used_pinned -= pinned.at(memory);
        pinned.erase(memory);
        free(memory);
    }
    NOT_RECORDED(cudaFreeHost);
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
    MAY_FAIL(cudaMemcpyAsync);
    if (bytes == 0) return stream->captured ? while_recording() : cudaSuccess;
    const void *host = kind == cudaMemcpyHostToDevice ? from : to;
    if (stream->captured && kind != cudaMemcpyDeviceToDevice && !is_pinned(host))
        return while_recording();
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
    MAY_FAIL(cudaMemsetAsync);
    if (bytes == 0) return stream->captured ? while_recording() : cudaSuccess;
    emulated_enqueue(stream, [=] { memset(to, byte, bytes); });
    return cudaSuccess;
}

/* ---- streams, events and graphs ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned) {
    NOT_RECORDED(cudaStreamCreateWithFlags);
    *stream = new emulated_stream();
    (*stream)->device = device_now;
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    carry_out(stream, enqueued(stream));
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    NOT_RECORDED(cudaStreamSynchronize);
    carry_out(stream, enqueued(stream));
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned) {
    NOT_RECORDED(cudaEventCreateWithFlags);
    *event = new emulated_event();
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    MAY_FAIL(cudaEventRecord);
    *event = {stream, enqueued(stream)};
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    NOT_RECORDED(cudaEventSynchronize);
    if (event->stream) carry_out(event->stream, event->calls);
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, int) {
    MAY_FAIL(cudaStreamBeginCapture);
    stream->captured = new emulated_graph();
    recording_here = stream;
    return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus *status) {
    *status = stream->captured ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph) {
    emulated_graph *captured = stream->captured;
    const bool spoilt = captured->invalid || emulated_failure("cudaStreamEndCapture");
    stream->captured = nullptr;
    recording_here = nullptr;
    *graph = spoilt ? nullptr : captured;
    if (spoilt) delete captured;
    return spoilt ? cudaErrorStreamCaptureInvalidated : cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long) {
    MAY_FAIL(cudaGraphInstantiate);
    (void)setenv("BL_EMULATED_NODES", std::to_string(graph->calls.size()).c_str(), 1);
    *exec = new emulated_graph(*graph);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
    MAY_FAIL(cudaGraphLaunch);
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
    const cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}

const char *cudaGetErrorString(cudaError_t error) {
    switch (error) {
    case cudaErrorMemoryAllocation:
        return "out of memory";
    case cudaErrorNoDevice:
        return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice:
        return "invalid device ordinal";
    case cudaErrorInvalidConfiguration:
        return "invalid configuration argument";
    case cudaErrorInvalidResourceHandle:
        return "invalid resource handle";
    case cudaErrorLaunchFailure:
        return "unspecified launch failure";
    case cudaErrorStreamCaptureUnsupported:
        return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
        return "operation failed due to a previous error during capture";
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
