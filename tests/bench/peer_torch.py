"""Whole training steps of PyTorch on the CPU, for `make bench` to compare with: a check, never needed.

Answers requests, "WORK BATCH THREADS SECONDS" a line, with the time of a step: seconds of the
processor, and on the clock (means over about SECONDS). train_bench answers the same ones; steps.py
asks both in turn. WORK: rossmann, simplenn, mlp, mnist, simple_cnn, resnet8, resnet8_bn; those of
pictures with _last behind it for PyTorch's memory format channels_last. With PEER_BEST=1 in the
environment optimizers are the fused ones.

Data are NumPy arrays; every batch is gathered by a shuffled index, without a DataLoader. Rossmann's
categories come from the command line, so that both sides train the same net.
"""
import os
import sys
import time

import numpy
import torch
from torch import nn

torch.manual_seed(1)
ROWS = 20000
FUSED = os.environ.get("PEER_BEST") == "1"


class Tabular(nn.Module):
    """fastai's TabularModel as experiments/rossmann declares it (preset paper)."""

    def __init__(self, cardinalities, continuous):
        super().__init__()
        width = [min(600, round(1.6 * n**0.56)) for n in cardinalities]
        self.embed = nn.ModuleList(nn.Embedding(n, w) for n, w in zip(cardinalities, width))
        self.embed_drop = nn.Dropout(0.04)
        self.norm = nn.BatchNorm1d(continuous)
        sizes, layers = [sum(width) + continuous, 1000, 500], []
        for n, m, p in zip(sizes, sizes[1:], (0.001, 0.01)):
            layers += [nn.Linear(n, m), nn.ReLU(), nn.BatchNorm1d(m), nn.Dropout(p)]
        self.body = nn.Sequential(*layers, nn.Linear(sizes[-1], 1))

    def forward(self, codes, values):
        x = torch.cat([e(codes[:, i]) for i, e in enumerate(self.embed)], 1)
        x = torch.cat([self.embed_drop(x), self.norm(values)], 1)
        return torch.sigmoid(self.body(x)) * 12.0


def rossmann(cardinalities, continuous):
    random = numpy.random.default_rng(1)
    codes = numpy.stack([random.integers(0, n, ROWS) for n in cardinalities], 1)
    values = random.standard_normal((ROWS, continuous), dtype=numpy.float32)
    target = random.standard_normal((ROWS, 1), dtype=numpy.float32) + 8
    net = Tabular(cardinalities, continuous)
    return net, (codes, values), target, nn.MSELoss(), torch.optim.AdamW(net.parameters(), 1e-3, fused=FUSED)


def simplenn():
    random = numpy.random.default_rng(1)
    values = random.standard_normal((ROWS, 10), dtype=numpy.float32)
    target = random.integers(0, 2, ROWS)
    net = nn.Sequential(nn.Linear(10, 50), nn.ReLU(), nn.Linear(50, 2))
    return net, (values,), target, nn.CrossEntropyLoss(), torch.optim.Adam(net.parameters(), 1e-3, fused=FUSED)


def mlp():
    random = numpy.random.default_rng(1)
    values = random.standard_normal((ROWS, 784), dtype=numpy.float32)
    target = random.integers(0, 10, ROWS)
    net = nn.Sequential(nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(),
                        nn.Linear(1024, 10))
    return net, (values,), target, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), 1e-2, 0.9, fused=FUSED)


def mnist():
    random = numpy.random.default_rng(1)
    values = random.standard_normal((ROWS, 784), dtype=numpy.float32)
    target = random.integers(0, 10, ROWS)
    net = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    return (net, (values,), target, nn.CrossEntropyLoss(),
            torch.optim.SGD(net.parameters(), 1e-2, 0.9, nesterov=True, fused=FUSED))


class Residual(nn.Module):
    """A block of ResNet-8: engine/model/model_resnet8.c."""

    def __init__(self, channels, filters, stride, norm):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, filters, 3, stride, 1), norm(filters), nn.ReLU(inplace=True),
            nn.Conv2d(filters, filters, 3, 1, 1), norm(filters))
        self.shortcut = nn.Identity()
        if stride > 1:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, filters, 1, stride), norm(filters))

    def forward(self, x):
        return torch.relu_(self.body(x) + self.shortcut(x))


def resnet8(norm):
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1), norm(16), nn.ReLU(inplace=True), Residual(16, 16, 1, norm),
        Residual(16, 32, 2, norm), Residual(32, 64, 2, norm), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(64, 10))


def simple_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, 1, 2), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, 1, 2), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(3136, 1024), nn.ReLU(inplace=True), nn.Dropout(0.4), nn.Linear(1024, 10))


class ChannelsLast(nn.Module):
    """(batch, height, width, channels) as PyTorch names the same bytes."""

    def forward(self, x):
        return x.permute(0, 3, 1, 2)


def pictures(net, side, channels, memory):
    random = numpy.random.default_rng(1)
    shape = (ROWS // 5, channels, side, side)
    values = random.standard_normal(shape, dtype=numpy.float32)
    if memory == torch.channels_last:  # (rows, side, side, channels) in memory, as net.forward has it
        values = values.reshape(shape[0], side, side, channels)
        net = nn.Sequential(ChannelsLast(), net)
    target = random.integers(0, 10, shape[0])
    net = net.to(memory_format=memory)
    return net, (values,), target, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), 1e-3, 0.9, fused=FUSED)


def works_of_pictures():
    no_norm, works = lambda filters: nn.Identity(), {}
    for suffix, memory in (("", torch.contiguous_format), ("_last", torch.channels_last)):
        works["simple_cnn" + suffix] = pictures(simple_cnn(), 28, 1, memory)
        works["resnet8" + suffix] = pictures(resnet8(no_norm), 32, 3, memory)
        works["resnet8_bn" + suffix] = pictures(resnet8(nn.BatchNorm2d), 32, 3, memory)
    return works


def seconds_per_step(work, batch, seconds):
    net, inputs, target, loss, optimizer = work
    rows = len(target)
    order, at, steps, start, cpu = numpy.random.permutation(rows), 0, -3, 0.0, 0.0
    while steps < 3 or time.perf_counter() - start < seconds:
        if steps == 0:
            start, cpu = time.perf_counter(), time.process_time()
        if at + batch > rows:
            order, at = numpy.random.permutation(rows), 0
        index = order[at:at + batch]
        at += batch
        y = net(*(torch.from_numpy(x[index]) for x in inputs))
        value = loss(y, torch.from_numpy(target[index]))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        steps += 1
    return (time.process_time() - cpu) / steps, (time.perf_counter() - start) / steps


def main():
    works = {"rossmann": rossmann([int(n) for n in sys.argv[2:]], int(sys.argv[1])),
             "simplenn": simplenn(), "mlp": mlp(), "mnist": mnist(), **works_of_pictures()}
    print("torch", torch.__version__, flush=True)
    for line in sys.stdin:
        work, batch, threads, seconds = line.split()
        torch.set_num_threads(int(threads))
        print(*seconds_per_step(works[work], int(batch), float(seconds)), flush=True)


if __name__ == "__main__":
    main()
