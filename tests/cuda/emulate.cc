#include "tests/cuda/emulate.h"
#include <deque>
#include <mutex>
#include <setjmp.h>
#include <stdlib.h>
#include <ucontext.h>
#include <vector>

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

enum { STACK = 256 << 10 };

/* A thread of a block whose threads meet; it serves block after block. */
struct coroutine {
    ucontext_t context;
    jmp_buf jump;
    bool begun, done;
    unsigned index;
    std::vector<char> stack;
};
coroutine *running;
const std::function<void(void)> *entry;
std::deque<coroutine> coroutines; /* they stay where they are */

inline void place(unsigned index) {
    if (blockDim.y * blockDim.z == 1)
        threadIdx.x = index, threadIdx.y = threadIdx.z = 0;
    else
        threadIdx = dim3(index % blockDim.x, index / blockDim.x % blockDim.y,
                         index / blockDim.x / blockDim.y);
}

/* Switching by contexts costs two system calls, by jumps none; the address sanitizer only knows the
 * former. */
#ifdef __SANITIZE_ADDRESS__
ucontext_t scheduler;
void leave() {
    swapcontext(&running->context, &scheduler);
}
void enter(coroutine *c) {
    swapcontext(&scheduler, &c->context);
}
#else
jmp_buf scheduler;
void leave() {
    if (_setjmp(running->jump) == 0) _longjmp(scheduler, 1);
}
void enter(coroutine *c) {
    if (_setjmp(scheduler) != 0) return;
    if (c->begun) _longjmp(c->jump, 1);
    c->begun = true;
    setcontext(&c->context);
}
#endif

/* Goes back to the scheduler until it is this thread's turn again. */
void pause() {
    leave();
    place(running->index);
}

void serve() {
    for (;;) {
        (*entry)();
        running->done = true;
        pause();
    }
}

void resume(coroutine *c) {
    running = c;
    place(c->index);
    enter(c);
}

void add_coroutine() {
    coroutines.emplace_back();
    coroutine *c = &coroutines.back();
    c->index = (unsigned)coroutines.size() - 1;
    c->stack.resize(STACK);
    getcontext(&c->context);
    c->context.uc_stack.ss_sp = c->stack.data();
    c->context.uc_stack.ss_size = STACK;
    c->context.uc_link = nullptr;
    makecontext(&c->context, serve, 0);
}

/* Round after round, each thread goes on to where it waits next. A thread that ends while others
 * wait is an error in the kernel. */
void together(unsigned threads, const std::function<void(void)> &body) {
    entry = &body;
    while (coroutines.size() < threads) add_coroutine();
    for (unsigned t = 0; t < threads; t++) coroutines[t].done = false;
    for (unsigned ended = 0; ended < threads;) {
        for (unsigned t = 0; t < threads; t++) {
            resume(&coroutines[t]);
            ended += coroutines[t].done;
        }
        if (ended != 0 && ended != threads) abort();
    }
}

} // namespace

void __syncthreads(void) {
    pause();
}

void emulate(dim3 grid, dim3 block, cudaStream_t stream, bool meet,
             std::function<void(void)> body) {
    static std::mutex one;
    if (emulated_capture(stream, [=] { emulate(grid, block, nullptr, meet, body); })) return;
    std::lock_guard<std::mutex> held(one);
    const unsigned threads = block.x * block.y * block.z;
    gridDim = grid;
    blockDim = block;
    for (unsigned z = 0; z < grid.z; z++)
        for (unsigned y = 0; y < grid.y; y++)
            for (unsigned x = 0; x < grid.x; x++) {
                blockIdx = dim3(x, y, z);
                if (meet) {
                    together(threads, body);
                    continue;
                }
                for (unsigned t = 0; t < threads; t++) {
                    place(t);
                    body();
                }
            }
}
