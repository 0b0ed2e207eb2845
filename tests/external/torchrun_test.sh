#!/bin/sh
# A PyTorch script under `torchrun --nproc-per-node 2` (gloo, on the processor), inside `sh -c`, with two data-loader
# workers in each process: rank 0 alone reports; a race, a stop and a resume give the same values as an undisturbed
# sweep; no process is left, though torchrun's workers and theirs are in sessions of their own.
#
#     PYTHON=venv/bin/python BATCHLAB=build/release/batchlab sh tests/external/torchrun_test.sh
set -u
. tests/cli/lib.sh
python=${PYTHON:-python3}
"$python" -c 'import torch.distributed as d; assert d.is_available() and d.is_gloo_available()' 2>/dev/null ||
  { echo "there is no PyTorch with gloo here (PYTHON=$python)"; exit 77; }
project
cd "$scratch/project" || exit 1
cp "$OLDPWD/clients/python/batchlab.py" .
export BATCHLAB_REPORTS="$scratch/reports" BL_CLAIM_BEAT=0.1 BL_CLAIM_STALE=2 OMP_NUM_THREADS=1
cat >train.py <<'END'
import os
import batchlab, torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, TensorDataset

a = batchlab.args(batch_size=32, learning_rate=0.1, seed=1)
dist.init_process_group("gloo")
rank, world = dist.get_rank(), dist.get_world_size()
torch.manual_seed(1)
x = torch.randn(4096, 8)
y = x @ torch.arange(1.0, 9.0) + 0.1 * torch.randn(4096)
torch.manual_seed(a.seed)
net = DDP(torch.nn.Linear(8, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=a.learning_rate, momentum=0.9)
start = 0
if batchlab.state():
    saved = torch.load(batchlab.state())
    net.load_state_dict(saved["net"])
    optimizer.load_state_dict(saved["optimizer"])
    start = saved["step"]
at = start


def save(path):
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": at}, path)


def batches(step):  # from `step` on, each epoch in an order of its own; every rank takes its part
    share = a.batch_size // world
    while True:
        each = 4096 // a.batch_size
        order = torch.randperm(4096, generator=torch.Generator().manual_seed(step // each))
        rows = [order[k * a.batch_size + rank * share:][:share].tolist() for k in range(step % each, each)]
        yield from DataLoader(TensorDataset(x, y), batch_sampler=rows, num_workers=2)
        step += len(rows)


data = batches(start)
for step in batchlab.steps(start, save):
    inputs, targets = next(data)
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(net(inputs)[:, 0], targets)
    loss.backward()
    optimizer.step()
    at = step
    if batchlab.due(step):
        with batchlab.evaluating(), torch.no_grad():
            batchlab.report(step, torch.nn.functional.mse_loss(net.module(x)[:, 0], y))
END
mkdir experiments/ddp
cat >experiments/ddp/experiment.cfg <<END
title = "two processes";
external: {
  command = ["sh", "-c", "exec $python -m torch.distributed.run --standalone --nproc-per-node 2 train.py"];
  inputs = ["train.py"]; repeats = "exact"; epoch_rows = 4096; grace = 20.0; silence = 120.0;
};
metric = "mse";
eval: { growth = 1.5; };
END
cat >experiments/ddp/sweep.lua <<'END'
return function(exp)
  exp:run { title = "race", race = true, slack = 4, { batch_size = 32, learning_rate = 0.1, seed = 1, max_steps = 60, target = 20.0 },
    { batch_size = 32, learning_rate = 0.01, seed = 1, max_steps = 60, target = 20.0 } }
end
END
nobody() {
  for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    left=$(grep -lsa "BATCHLAB_RUN=$scratch" /proc/[0-9]*/environ)
    [ -n "$left" ] || return 0
    sleep 0.5
  done
  fail "left behind after $1: $(for p in $left; do tr '\0' ' ' <"${p%environ}cmdline"; done)"
}
# ---- undisturbed ----
export BATCHLAB_RUNS="$scratch/whole"
try 0 work ddp -j2 --progress none
nobody 'a race'
grep -q '"outcome":"target"' "$BATCHLAB_RUNS/ddp/plan.jsonl" || fail "no run reached the target"
# ---- stopped while it trains, and resumed ----
export BATCHLAB_RUNS="$scratch/cut"
cut_again TERM "2 4" work ddp -j1
nobody 'a stop'
try 0 work ddp -j1 --progress none
nobody 'resuming'
same "$(sums cut log.jsonl.gz)" "$(sums whole log.jsonl.gz)" 'logs after a stop'
exit $failed
