"""Whole training steps beside PyTorch's and JAX's, for `make bench`: a check, never needed.

steps.py TRAIN_BENCH [SECONDS [WORK...]]   asks train_bench and the peers that are installed in turn, five
times each, and prints medians as a Markdown table. One thread each is compared by processor time, so that
what else runs on the machine is not counted; the machine's throughput (two runs at once against PyTorch
with one thread or two, whichever is faster) by the clock.

PyTorch is measured as it is installed and at its best: MKL unlocked (mkl_unlock.c), fused optimizers, and
for nets of pictures the faster of its two memory formats. JAX compiles a scan of steps (peer_jax.py). A
ratio is the peer's time over batchlab's. "of peak" is the part of the multiply-add peak measured beside
each step that its multiply-adds are; those of pictures count what lies outside of an image, although
nobody calculates it (8 % in ResNet-8, 12 % in Simple CNN). build/bench/steps.csv has every sample.
"""
import os
import statistics
import subprocess
import sys

REPEATS = 5
WORKS = [("rossmann", 64), ("rossmann", 512), ("rossmann", 2048), ("simplenn", 8), ("simplenn", 32),
         ("simplenn", 256), ("mlp", 1), ("mlp", 4), ("mlp", 8), ("mlp", 32), ("mlp", 128), ("mlp", 4096),
         ("mnist", 32), ("mnist", 256), ("mnist", 1024), ("simple_cnn", 128), ("resnet8", 64),
         ("resnet8_bn", 64)]
PICTURES = ("simple_cnn", "resnet8", "resnet8_bn")
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from peers_at_best import BUILD, can_import, machine, unlocked  # noqa: E402


class Side:
    """A program that answers requests."""

    def __init__(self, *command, **more):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, **more})

    def send(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()

    def line(self):
        return self.process.stdout.readline().strip()

    def ask(self, work, batch, threads, seconds):
        self.send(f"{work} {batch} {threads} {seconds}")
        return [float(x) for x in self.line().split()]

    def peak(self):
        """Floating-point operations per second; infinite where it is not known."""
        self.send("peak")
        return float(self.line()) or float("inf")


def ask_torch(side, work, batch, threads, seconds):
    """Processor time and time on the clock; of pictures in the faster memory format."""
    formats = (work, work + "_last") if work in PICTURES else (work,)
    return min(side.ask(name, batch, threads, seconds) for name in formats)


def at_once(sides, work, batch, seconds):
    """Steps per second on the clock of all sides together, one thread each."""
    for side in sides:
        side.send(f"{work} {batch} 1 {seconds}")
    return sum(1 / float(side.line().split()[1]) for side in sides)


class Peers:
    """Those that are installed; what they cannot do takes no time: 0."""

    def __init__(self, shape):
        peer = lambda name: (sys.executable, os.path.join(HERE, name))  # noqa: E731
        self.plain = self.best = self.jax = None
        self.names = []
        if can_import("torch", "numpy"):
            self.plain = Side(*peer("peer_torch.py"), *shape)
            self.best = Side(*peer("peer_torch.py"), *shape, **unlocked())
            self.names += [side.line() for side in (self.plain, self.best)][:1]
        if can_import("jax", "numpy"):
            self.jax = Side(*peer("peer_jax.py"))
            self.names.append(self.jax.line())

    def sample(self, work, batch, seconds):
        """Processor time of PyTorch as installed, at its best, of JAX; PyTorch's steps a second."""
        plain = best = jax = per_second = 0
        if self.best:
            plain = ask_torch(self.plain, work, batch, 1, seconds)[0]
            one, two = (ask_torch(self.best, work, batch, n, seconds) for n in (1, 2))
            best, per_second = one[0], 1 / min(one[1], two[1])
        if self.jax:
            jax = self.jax.ask(work, batch, 1, seconds)[0]
        return plain, best, jax, per_second


def cell(theirs, mine):
    return f"{1e6 * theirs:,.1f} ({theirs / mine:.2f})" if theirs > 0 else ""


def main():
    program, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.4
    os.makedirs(BUILD, exist_ok=True)
    own = [Side(program, "-"), Side(program, "-")]
    own[0].send("shape")
    kernels, *shape = own[0].line().split()
    peers = Peers(shape)
    print(f"{machine()}; {kernels}; {', '.join(peers.names) or 'no peer is installed'}. Microseconds of the "
          f"processor a step, medians of {REPEATS}; in brackets: times batchlab's.\n")
    print("| net | batch | batchlab | of peak | PyTorch as installed | at its best | JAX | two at once |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    with open(f"{BUILD}/steps.csv", "w") as csv:
        csv.write("work,batch,repeat,own_cpu,own_of_peak,torch_cpu,torch_best_cpu,jax_cpu,torch_per_s,"
                  "own_two_per_s\n")
        for work, batch in [w for w in WORKS if w[0] in sys.argv[3:] or not sys.argv[3:]]:
            samples = []
            for repeat in range(REPEATS):
                mine, _, operations = own[0].ask(work, batch, 1, seconds)
                part = operations / mine / own[0].peak()
                samples.append((mine, part, *peers.sample(work, batch, seconds),
                                at_once(own, work, batch, seconds)))
                csv.write(f"{work},{batch},{repeat}," + ",".join(map(str, samples[-1])) + "\n")
            mine, part, plain, best, jax, theirs, two = map(statistics.median, zip(*samples))
            print(f"| {work} | {batch} | {1e6 * mine:,.1f} | {100 * part:.0f} % | {cell(plain, mine)} | "
                  f"{cell(best, mine)} | {cell(jax, mine)} | {f'{two / theirs:.2f}' if theirs else ''} |",
                  flush=True)


main()
