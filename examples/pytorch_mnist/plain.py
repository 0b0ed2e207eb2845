"""Handwritten digits, learnt by a small convolutional net in PyTorch.

DATA names the folder that has the four .gz files of MNIST."""
import argparse, gzip, os
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--batch_size", type=int, default=64)
parser.add_argument("--learning_rate", type=float, default=0.05)
parser.add_argument("--seed", type=int, default=1)
args = parser.parse_args()


def read(name, lead):
    with gzip.open(os.path.join(os.environ["DATA"], name + "-ubyte.gz")) as f:
        return torch.frombuffer(bytearray(f.read()[lead:]), dtype=torch.uint8)


def pictures(part):
    x = read(part + "-images-idx3", 16).view(-1, 1, 28, 28).float() / 255
    return (x - 0.1307) / 0.3081, read(part + "-labels-idx1", 8).long()


torch.manual_seed(args.seed)
device = "cuda" if torch.cuda.is_available() else "cpu"
x, y = (t.to(device) for t in pictures("train"))
held_x, held_y = (t.to(device) for t in pictures("t10k"))
net = nn.Sequential(nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 5, stride=2),
                    nn.ReLU(), nn.Flatten(), nn.Linear(256, 10)).to(device)
optimizer = torch.optim.SGD(net.parameters(), args.learning_rate, momentum=0.9)
order, at = torch.randperm(len(x)), 0


def error():
    with torch.no_grad():
        return (net(held_x).argmax(1) != held_y).float().mean().item()


for step in range(1, 1001):
    if at + args.batch_size > len(order):
        order, at = torch.randperm(len(x)), 0
    rows, at = order[at:at + args.batch_size], at + args.batch_size
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print("step %d: error %.4f" % (step, error()))
