"""Whole training steps beside PyTorch's, for `make bench`: a check, never needed.

steps.py TRAIN_BENCH [SECONDS [WORK...]]   asks train_bench and peer_torch.py in turn, five times each,
and prints medians. One thread each is compared by processor time, so that what else runs on the machine
is not counted; the machine's throughput (two runs at once against PyTorch with one thread or two,
whichever is faster) by the clock. Nets of pictures are asked for in both memory formats of PyTorch,
its default one and channels_last; throughput is against the faster one. "of peak" is the part of the
multiply-add peak measured beside each step that its multiply-adds are; those of pictures count what lies
outside of an image, although nobody calculates it (8 % in ResNet-8, 12 % in Simple CNN).
build/bench/steps.csv has every sample.
"""
import os
import statistics
import subprocess
import sys

try:
    import numpy, torch  # noqa: F401, E401
except ImportError as missing:
    print("steps: no comparison with PyTorch:", missing)
    sys.exit(0)

REPEATS = 5
WORKS = [("rossmann", 64), ("rossmann", 512), ("rossmann", 2048), ("simplenn", 32), ("mlp", 32),
         ("mlp", 128), ("mlp", 4096), ("simple_cnn", 128), ("resnet8", 64), ("resnet8_bn", 64)]
PICTURES = ("simple_cnn", "resnet8", "resnet8_bn")
HERE = os.path.dirname(os.path.abspath(__file__))


class Side:
    """A program that answers requests."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

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
    """Processor time and time on the clock: of the default memory format, and of channels_last."""
    default = side.ask(work, batch, threads, seconds)
    last = side.ask(work + "_last", batch, threads, seconds) if work in PICTURES else default
    return default, last


def at_once(sides, work, batch, seconds):
    """Steps per second on the clock of all sides together, one thread each."""
    for side in sides:
        side.send(f"{work} {batch} 1 {seconds}")
    return sum(1 / float(side.line().split()[1]) for side in sides)


def main():
    program, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.4
    own = [Side(program, "-"), Side(program, "-")]
    own[0].send("shape")
    kernels, *shape = own[0].line().split()
    torch_side = Side(sys.executable, os.path.join(HERE, "peer_torch.py"), *shape)
    print(f"{kernels} beside {torch_side.line()}; microseconds per step; medians of {REPEATS}")
    print("work       batch         own  of peak     PyTorch   ratio  channels_last   ratio | "
          "two runs at once against PyTorch's best")
    os.makedirs("build/bench", exist_ok=True)
    with open("build/bench/steps.csv", "w") as csv:
        csv.write("work,batch,repeat,own_cpu,own_of_peak,torch_cpu,torch_last_cpu,own_two_per_s,"
                  "torch1_per_s,torch2_per_s\n")
        for work, batch in [w for w in WORKS if w[0] in sys.argv[3:] or not sys.argv[3:]]:
            samples = []
            for repeat in range(REPEATS):
                one = ask_torch(torch_side, work, batch, 1, seconds)
                mine, _, operations = own[0].ask(work, batch, 1, seconds)
                part, two = operations / mine / own[0].peak(), at_once(own, work, batch, seconds)
                both = ask_torch(torch_side, work, batch, 2, seconds)
                samples.append((mine, part, one[0][0], one[1][0], two,
                                *(1 / min(side[1] for side in t) for t in (one, both))))
                csv.write(f"{work},{batch},{repeat}," + ",".join(map(str, samples[-1])) + "\n")
            mine, part, theirs, last, two, *best = map(statistics.median, zip(*samples))
            formats = f"{1e6 * last:14.1f} {last / mine:7.2f}" if work in PICTURES else " " * 22
            print(f"{work:10} {batch:5} {1e6 * mine:11.1f} {100 * part:6.1f} % {1e6 * theirs:11.1f} "
                  f"{theirs / mine:7.2f} {formats} | {two / max(best):.2f}", flush=True)


main()
