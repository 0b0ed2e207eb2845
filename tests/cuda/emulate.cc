#include "tests/cuda/emulate.h"
#include <deque>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#include <stdlib.h>
#include <ucontext.h>
#include <vector>

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

enum { STACK = 256 << 10 };
/* Stacks that begin at the same place of a page would take turns in the same lines of the cache. */
enum { STAGGER = 5 * 64, STAGGERED = 64 };

/* What the address sanitizer knows of a stack. */
struct stack {
    void *fake;
    const void *bottom;
    size_t size;
};

/* A thread of a block whose threads meet; it serves block after block. */
struct coroutine {
    ucontext_t context;
    void *jump[5];
    bool begun, done;
    dim3 place, of{0, 0, 0}; /* threadIdx, for blocks of the shape `of` */
    std::vector<char> memory;
    stack own;
};
const std::function<void(void)> *entry;
std::deque<coroutine> coroutines; /* they stay where they are */

void place(unsigned index) {
    if (blockDim.y * blockDim.z == 1)
        threadIdx.x = index, threadIdx.y = threadIdx.z = 0;
    else
        threadIdx = dim3(index % blockDim.x, index / blockDim.x % blockDim.y,
                         index / blockDim.x / blockDim.y);
}

/* The address sanitizer is told whose stack comes next, and that it has come. */
#ifdef __SANITIZE_ADDRESS__
void leaving(stack *own, const stack *next) {
    __sanitizer_start_switch_fiber(&own->fake, next->bottom, next->size);
}
void arrived(stack *own, stack *from) {
    __sanitizer_finish_switch_fiber(own->fake, &from->bottom, &from->size);
}
#else
void leaving(stack *, const stack *) {}
void arrived(stack *, stack *) {}
#endif

coroutine host; /* whoever launched the kernel */
coroutine *running = &host, *before;
unsigned threads, turns; /* of the block; of them how many have had their turn in this round */
bool backwards;

/* Number i of n in the order of the day. What depends on the order of threads or blocks that do not
 * wait for one another is a race; of two accesses that meet, each comes first in one of the two. */
inline unsigned turn(unsigned i, unsigned n) {
    return backwards ? n - 1 - i : i;
}

/* Goes on where `to` left. By the compiler's jumps, which keep three registers: contexts cost two
 * system calls, and only the first entry is one. */
void jump_to(coroutine *to) {
    before = running;
    running = to;
    leaving(&before->own, &to->own);
    if (to->begun || to == &host) __builtin_longjmp(to->jump, 1);
    to->begun = true;
    setcontext(&to->context);
}
__attribute__((noinline)) void switch_to(coroutine *to) {
    if (__builtin_setjmp(running->jump) == 0) jump_to(to);
    arrived(&running->own, &before->own);
    threadIdx = running->place;
}

/* The next thread of the block has its turn, or, after the last, the host. */
void pause() {
    switch_to(++turns < threads ? &coroutines[turn(turns, threads)] : &host);
}

void serve() {
    arrived(&running->own, &before->own);
    threadIdx = running->place;
    for (;;) {
        (*entry)();
        running->done = true;
        pause();
    }
}

void add_coroutine() {
    coroutines.emplace_back();
    coroutine *c = &coroutines.back();
    c->memory.resize(STACK);
    const size_t size = STACK - coroutines.size() % STAGGERED * STAGGER;
    c->own = {nullptr, c->memory.data(), size};
    getcontext(&c->context);
    c->context.uc_stack.ss_sp = c->memory.data();
    c->context.uc_stack.ss_size = size;
    c->context.uc_link = nullptr;
    makecontext(&c->context, serve, 0);
}

/* Round after round, each thread goes on to where it waits next. A thread that ends while others
 * wait is an error in the kernel. */
void together(const std::function<void(void)> &body) {
    entry = &body;
    while (coroutines.size() < threads) add_coroutine();
    for (unsigned t = 0; t < threads; t++) {
        coroutine *c = &coroutines[t];
        c->done = false;
        if (c->of.x == blockDim.x && c->of.y == blockDim.y && c->of.z == blockDim.z) continue;
        place(t);
        c->place = threadIdx;
        c->of = blockDim;
    }
    for (unsigned ended = 0; ended < threads;) {
        turns = 0;
        switch_to(&coroutines[turn(0, threads)]);
        for (unsigned t = 0; t < threads; t++) ended += coroutines[t].done;
        if (ended != 0 && ended != threads) abort();
    }
}

} // namespace

void __syncthreads(void) {
    pause();
}

/* One launch at a time: streams see to that. */
static void launch(dim3 grid, dim3 block, bool meet, const std::function<void(void)> &body) {
    const char *order = getenv("BL_EMULATED_ORDER");
    const unsigned blocks = grid.x * grid.y * grid.z;
    backwards = order != nullptr && strcmp(order, "backwards") == 0;
    threads = block.x * block.y * block.z;
    gridDim = grid;
    blockDim = block;
    for (unsigned i = 0; i < blocks; i++) {
        const unsigned b = turn(i, blocks);
        blockIdx = dim3(b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y);
        if (meet) {
            together(body);
            continue;
        }
        for (unsigned t = 0; t < threads; t++) {
            place(turn(t, threads));
            body();
        }
    }
}

void emulate(dim3 grid, dim3 block, cudaStream_t stream, bool meet,
             std::function<void(void)> body) {
    cudaError_t error = emulated_check(grid, block, stream);
    if (error == cudaSuccess && emulated_failure("launch")) error = cudaErrorLaunchFailure;
    if (error == cudaSuccess)
        emulated_enqueue(stream, [=] { launch(grid, block, meet, body); });
    else
        emulated_error(error);
}
