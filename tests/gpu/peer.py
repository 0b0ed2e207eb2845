"""PyTorch's training steps on the same card, for gpu_bench to be compared with: a check, never needed.

  peer.py [--smoke] CARDINALITIES CONTINUOUS    as "8 13 40" 2: Rossmann's table

Prints "net,batch,how,step_us" for the nets and batch sizes of gpu_bench.c; `how` is eager, or graph: the
step captured as a CUDA graph and replayed. Both are PyTorch at its best: fused optimizers, cuDNN's
benchmark mode, channels_last for pictures; fp32 without TF32. The data lie on the card; every batch is
gathered by a shuffled index there. A net that cannot be timed or captured gets a comment and does not
take the others with it. Without PyTorch or a card: exit status 77. --smoke: on the processor, eagerly, a
few steps.
"""
import os
import sys
import time

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit(77)
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
import peer_torch

SMOKE = "--smoke" in sys.argv
if not (SMOKE or torch.cuda.is_available()):
    sys.exit(77)
DEVICE = torch.device("cpu" if SMOKE else "cuda")
SECONDS = 0.01 if SMOKE else 2.0
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.benchmark = True
torch.manual_seed(1)


class Block(nn.Module):
    """A residual block of engine/model/model_resnet8.c."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, filters, 3, stride, 1), nn.BatchNorm2d(filters), nn.ReLU(),
            nn.Conv2d(filters, filters, 3, 1, 1), nn.BatchNorm2d(filters))
        self.short = nn.Identity() if stride == 1 else nn.Sequential(
            nn.Conv2d(channels, filters, 1, stride), nn.BatchNorm2d(filters))

    def forward(self, x):
        return torch.relu(self.body(x) + self.short(x))


def pictures(net, size, channels):
    values = torch.randn(4096, channels, size, size).contiguous(memory_format=torch.channels_last)
    net = net.to(memory_format=torch.channels_last)
    target = torch.randint(0, 10, (4096,))
    # The optimizer that gpu_bench.c times these nets with.
    return net, (values,), target, nn.CrossEntropyLoss(), "adam"


def simple_cnn():
    return pictures(nn.Sequential(
        nn.Conv2d(1, 32, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 5, 1, 2), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(7 * 7 * 64, 1024), nn.ReLU(), nn.Linear(1024, 10)), 28, 1)


def resnet8():
    return pictures(nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1), nn.BatchNorm2d(16), nn.ReLU(), Block(16, 16, 1), Block(16, 32, 2),
        Block(32, 64, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)), 32, 3)


def work_of(name, cardinalities, continuous):
    if name == "rossmann":
        net, inputs, target, loss, _ = peer_torch.rossmann(cardinalities, continuous)
        kind = "adamw"
    elif name == "simplenn":
        net, inputs, target, loss, _ = peer_torch.simplenn()
        kind = "adam"
    else:
        net, inputs, target, loss, kind = simple_cnn() if name == "simple_cnn" else resnet8()
    net = net.to(DEVICE)
    data = [torch.as_tensor(x).to(DEVICE) for x in inputs]
    return net, data, torch.as_tensor(target).to(DEVICE), loss, kind


def optimizer_of(net, kind, captured):
    """Fused: a launch or two for all parameters. `capturable` keeps the step count on the card, which costs a step
    that is not captured."""
    adam = torch.optim.AdamW if kind == "adamw" else torch.optim.Adam
    return adam(net.parameters(), 1e-6, fused=not SMOKE, capturable=captured)


def wait():
    if not SMOKE:
        torch.cuda.synchronize()


def mean_us(step):
    for _ in range(3):
        step()
    wait()
    steps, start = 0, time.perf_counter()
    while steps < 3 or time.perf_counter() - start < SECONDS:
        for _ in range(1 if SMOKE else 16):
            step()
            steps += 1
        wait()
    return (time.perf_counter() - start) / steps * 1e6


def times(name, batch, cardinalities, continuous):
    net, data, target, loss, kind = work_of(name, cardinalities, continuous)
    order, at = torch.randperm(len(target), device=DEVICE), [0]
    index = order[:batch].clone()

    def train(optimizer):
        value = loss(net(*(x[index] for x in data)), target[index])
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()

    def next_batch():
        at[0] = at[0] + batch if at[0] + 2 * batch <= len(order) else 0
        index.copy_(order[at[0]:at[0] + batch])

    def eager(optimizer=optimizer_of(net, kind, False)):
        next_batch()
        train(optimizer)

    print(f"{name},{batch},eager,{mean_us(eager):.2f}", flush=True)
    if not SMOKE:
        graph = capture(lambda optimizer=optimizer_of(net, kind, True): train(optimizer))

        def replayed():
            next_batch()
            graph.replay()

        print(f"{name},{batch},graph,{mean_us(replayed):.2f}", flush=True)


def capture(step):
    """As PyTorch's documentation has it: a few steps on a side stream, then the recording."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph


def main():
    sizes, continuous = [a for a in sys.argv[1:] if a != "--smoke"]
    print(f"# PyTorch {torch.__version__}, {'processor' if SMOKE else torch.cuda.get_device_name()}", flush=True)
    works = [("rossmann", 64), ("rossmann", 512), ("rossmann", 8192), ("simplenn", 64), ("simple_cnn", 128),
             ("resnet8", 256)]
    for name, batch in works:
        try:
            times(name, min(batch, 64) if SMOKE else batch, [int(n) for n in sizes.split()], int(continuous))
        except Exception as error:  # pylint: disable=broad-except
            print(f"# {name},{batch}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
                  flush=True)
            if SMOKE:
                raise


main()
