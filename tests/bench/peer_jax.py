"""Whole training steps of JAX on the CPU, one thread, for `make bench` to compare with: a check, never needed.

Answers requests, "WORK BATCH THREADS SECONDS" a line, with seconds of the processor and on the clock per
step, as peer_torch.py does; 0 0 where it has no such work. Its steps are compiled as one program: a scan
over shuffled indices, which gathers, differentiates and updates. WORK: simplenn, mlp, mnist.
"""
import os
import sys
import time

os.environ["XLA_FLAGS"] = (os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
                           " intra_op_parallelism_threads=1")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy  # noqa: E402

ROWS = 20000


def initial(sizes):
    random = numpy.random.default_rng(1)
    return [(random.uniform(-1, 1, (k, n)).astype(numpy.float32) / numpy.float32(k**0.5),
             numpy.zeros(n, numpy.float32)) for k, n in zip(sizes, sizes[1:])]


def loss(layers, x, y):
    for i, (w, b) in enumerate(layers):
        x = x @ w + b if i == 0 else jax.nn.relu(x) @ w + b
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1))


def momentum(rate, nesterov):
    def update(p, m, v, g, t):
        m = jax.tree.map(lambda m, g: 0.9 * m + g, m, g)
        by = jax.tree.map(lambda m, g: g + 0.9 * m, m, g) if nesterov else m
        return jax.tree.map(lambda p, d: p - rate * d, p, by), m, v
    return update


def adam(p, m, v, g, t):
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    a, b = 1 - 0.9**t, 1 - 0.999**t
    return jax.tree.map(lambda p, m, v: p - 1e-3 * (m / a) / (jnp.sqrt(v / b) + 1e-8), p, m, v), m, v


WORKS = {"simplenn": ([10, 50, 2], adam), "mlp": ([784, 1024, 1024, 10], momentum(1e-2, False)),
         "mnist": ([784, 128, 10], momentum(1e-2, True))}


class Work:
    def __init__(self, sizes, update):
        random = numpy.random.default_rng(1)
        x = jnp.asarray(random.standard_normal((ROWS, sizes[0]), dtype=numpy.float32))
        y = jnp.asarray(random.integers(0, sizes[-1], ROWS).astype(numpy.int32))
        zero = jax.tree.map(numpy.zeros_like, initial(sizes))
        self.state, self.random = (initial(sizes), zero, zero, numpy.float32(0)), random

        def one(state, index):
            p, m, v, t = state
            g = jax.grad(loss)(p, x[index], y[index])
            return (*update(p, m, v, g, t + 1), t + 1), None

        self.run = jax.jit(lambda state, order: jax.lax.scan(one, state, order)[0])

    def seconds_per_step(self, batch, seconds):
        steps = max(2, min(4096, 4 * ROWS // batch))
        order = jnp.asarray(self.random.integers(0, ROWS, (steps, batch)).astype(numpy.int32))
        done, start, cpu = -steps, 0.0, 0.0
        while done < steps or time.perf_counter() - start < seconds:  # the first round compiles
            if done == 0:
                start, cpu = time.perf_counter(), time.process_time()
            jax.block_until_ready(self.run(self.state, order))
            done += steps
        return (time.process_time() - cpu) / done, (time.perf_counter() - start) / done


def main():
    works = {}
    print("jax", jax.__version__, flush=True)
    for line in sys.stdin:
        work, batch, _, seconds = line.split()
        if work in WORKS and work not in works:
            works[work] = Work(*WORKS[work])
        print(*(works[work].seconds_per_step(int(batch), float(seconds)) if work in works else (0, 0)),
              flush=True)


main()
