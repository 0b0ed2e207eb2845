#!/bin/sh
# The helper for Python: the tutorial of docs/external.md runs as it stands there, by hand and under
# batchlab; a script that forgets its data order, its optimizer or its random state over a pause is
# found out, and one that forgets nothing is not.
set -u
. tests/cli/lib.sh
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
page=$PWD/docs/external.md
project
cp clients/python/batchlab.py "$scratch/project/"
cd "$scratch/project" || exit 1
export BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports" PYTHONDONTWRITEBYTECODE=1

# block N: the N-th block of code of the page
block() { awk -v n="$1" '/^```/ { inside = !inside; if (inside) k++; next } inside && k == n' "$page"; }
mkdir -p experiments/number experiments/careful
block 1 >train.py
block 2 >experiments/number/experiment.cfg
block 3 >experiments/number/sweep.lua

# ---- by hand ----
python3 train.py >"$scratch/out" 2>"$scratch/err" || fail "the script fails by hand"
says out '^step 50: '
same "$(ls)" "$(printf 'batchlab.py\ndatasets\nexperiments\nreports\nscripts\ntrain.py')" "files after a start by hand"

# ---- under batchlab ----
try 0 run number --progress none
says out '^Fewest steps: batch size'
try 0 run number --progress none
try 0 check number --twice
says out 'same bits. The script saves no state: a pause starts it over.'

# ---- a pause ----
cat >careful.py <<'END'
import json, random, sys
import batchlab
forget = sys.argv[1]
a = batchlab.args(batch_size=4, learning_rate=0.1, seed=1)
rng = random.Random(a.seed)
rows = [rng.gauss(1, 2) for _ in range(97)]
x, v, at, start = 5.0, 0.0, 0, 0
if batchlab.state():
    with open(batchlab.state()) as f:
        s = json.load(f)
    x, start = s["x"], s["step"]
    if forget != "optimizer":
        v = s["v"]
    if forget != "order":
        at = s["at"]
    if forget != "random":
        rng.setstate((s["rng"][0], tuple(s["rng"][1]), s["rng"][2]))

def save(path):
    with open(path, "w") as f:
        json.dump({"x": x, "v": v, "at": at, "step": step, "rng": rng.getstate()}, f)

for step in batchlab.steps(start, save):
    batch = [rows[(at + i) % 97] for i in range(a.batch_size)]
    at += a.batch_size
    v = 0.9 * v + x - sum(batch) / a.batch_size + rng.gauss(0, 0.1)
    x -= a.learning_rate * v
    if batchlab.due(step):
        with batchlab.evaluating():
            batchlab.report(step, 0.5 * x * x)
END
for forget in nothing order optimizer random; do
  cat >experiments/careful/experiment.cfg <<END
external: { command = ["python3", "careful.py", "$forget"]; inputs = ["careful.py"]; epoch_rows = 97; grace = 5.0; };
metric = "half_square";
sweep: { batch_sizes = [4]; targets = [0.1]; };
END
  cp experiments/number/sweep.lua experiments/careful/
  if [ $forget = nothing ]; then
    try 0 check careful --twice
    says out 'careful: same bits, resume too (paused at step 4 of 9)'
  else
    try 1 check careful --twice
    says out 'careful: same bits, but the resumed run differs from step 5 on'
  fi
done
try 2 check careful --twice --set external.command='"python3", "{sed}"'
says err '{sed} is no parameter of a run; did you mean .seed.?'
try 2 check careful --set external.scrape='loss {value}'
says err 'neither a file .csv, .jsonl nor a pattern with {step} and {value}'
exit $failed
