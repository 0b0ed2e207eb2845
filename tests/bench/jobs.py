"""Whole jobs beside what people write for the same question, for `make bench-jobs`: a check, never needed.

jobs.py BATCHLAB [PEER...]   "Steps to 5 % and to 3 % error on MNIST against batch size, the rate tuned for
each": a net of 784-128-10, Nesterov's momentum 0.9, six sizes, three seeds, rates that are powers of two.
One row a program, one process each, in processor seconds of everything, children included, as Markdown.

PEER: torch (autograd), torch_hand (its products with a backward by hand), optuna (median pruner around
torch_hand), jax (all rates of a size in one vmapped loop). Those that are installed are measured, at their
best (MKL unlocked, fused optimizer). They race as batchlab does: first all rates with one seed, where one
that is SLACK times later than the best is cut, then the best and its neighbours with every seed.
batchlab's figures, timing pass and files are in its number. Pictures come from BATCHLAB_DATA, or
../shared/datasets. An hour of one core for all.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PEERS = {"torch": "torch", "torch_hand": "torch", "optuna": "optuna", "jax": "jax"}  # and what it imports
NAMES = {"torch": "PyTorch, autograd", "torch_hand": "PyTorch, backward by hand",
         "optuna": "Optuna, median pruner", "jax": "JAX, rates vmapped"}


def processor_seconds(command, **more):
    """Of a command with all that it starts; and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def project(folder):
    """A project whose experiment asks experiments/mnist's question for one optimizer."""
    for name in ("datasets", "scripts"):
        os.symlink(os.path.join(ROOT, name), os.path.join(folder, name))
    os.makedirs(os.path.join(folder, "reports"))
    os.symlink(os.path.join(ROOT, "reports/templates"), os.path.join(folder, "reports/templates"))
    shutil.copytree(os.path.join(ROOT, "experiments/mnist"), os.path.join(folder, "experiments/job"))
    script = os.path.join(folder, "experiments/job/sweep.lua")
    with open(script) as file:
        text = file.read()
    with open(script, "w") as file:
        file.write(text.replace('{ "sgd", "momentum", "nesterov" }', '{ "nesterov" }'))


def own(program, data):
    with tempfile.TemporaryDirectory() as folder:
        project(folder)
        command = [os.path.abspath(program), "run", "job", "--preset", "error", "-j", "1", "--progress", "plain"]
        seconds, text = processor_seconds(command, cwd=folder, env={**os.environ, "BATCHLAB_DATA": data})
        runs = subprocess.run([os.path.abspath(program), "ls", "job"], cwd=folder, stdout=subprocess.PIPE,
                              text=True).stdout.count("\n") - 1
    where = re.search(r"^processor time.*(\n  .*)*", text, re.M)
    return seconds, runs, " ".join(where.group().split()) if where else ""


def peer(name, data, best):
    environment = {**os.environ, "BATCHLAB_DATA": data, **best}
    seconds, text = processor_seconds([sys.executable, os.path.join(HERE, "job_peers.py"), name],
                                      env=environment)
    *rows, runs = text.strip().splitlines()
    return seconds, int(runs), "; ".join(rows)


def main():
    sys.path.insert(0, HERE)
    from peers_at_best import can_import, machine, unlocked
    data = os.environ.get("BATCHLAB_DATA") or os.path.join(ROOT, "../shared/datasets")
    wanted = [p for p in sys.argv[2:] or PEERS if can_import(PEERS[p], "numpy")]
    print(machine() + ". Processor seconds of the whole job.\n")
    print("| program | seconds | times batchlab | runs |\n|---|---:|---:|---:|", flush=True)
    mine, runs, where = own(sys.argv[1], data)
    print(f"| batchlab | {mine:.1f} | 1.00 | {runs} |", flush=True)
    notes = [f"batchlab: {where}"]
    for name in wanted:
        seconds, runs, words = peer(name, data, unlocked())
        print(f"| {NAMES[name]} | {seconds:.1f} | {seconds / mine:.2f} | {runs} |", flush=True)
        notes.append(f"{NAMES[name]}: {words}")
    print("\n" + "\n".join(notes))
    print(time.strftime("\n%Y-%m-%d"))


main()
