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
mkdir -p number experiments/number experiments/careful
cp batchlab.py number/
block 1 >number/train.py
block 2 >experiments/number/experiment.cfg
block 3 >experiments/number/sweep.lua

# ---- the helper is short: lines of code, without blank ones, comments and what explains ----
lines=$(awk '/"""/ { if (gsub(/"""/, "&") == 1) inside = !inside; next } !inside && !/^ *(#|$)/' batchlab.py | wc -l)
[ "$lines" -le 100 ] || fail "the helper has $lines lines of code"

# ---- by hand ----
python3 number/train.py >"$scratch/out" 2>"$scratch/err" || fail "the script fails by hand"
says out '^step 50: '
same "$(ls . number)" "$(printf '.:\nbatchlab.py\ndatasets\nexperiments\nnumber\nreports\nscripts\n\nnumber:\nbatchlab.py\ntrain.py')" "files after a start by hand"

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
# ---- turns ----
# Twelve runs at once in one process's turns: each is asked for nothing while the others have eleven turns
# of 0.3 seconds and more, which is longer than external.silence. A turn alone stays below it, also on a
# busy machine. The program is a shell's, and says what Protocol 1 asks for at least.
cat >slow.sh <<'END'
step=0
while :; do
  goal=$(cat "$BATCHLAB_RUN/goal.json")
  until=${goal#*:} until=${until%%,*}
  case $goal in *'"park":true'*) exit 75 ;; esac
  sleep 0.3
  [ "$step" -lt "$until" ] || continue
  step=$((step + 1))
  case $goal in *[[,]$step[],]*) echo "{\"step\":$step,\"value\":1}" >>"$BATCHLAB_RUN/report.jsonl" ;; esac
done
END
mkdir -p experiments/slow
cat >experiments/slow/experiment.cfg <<'END'
external: { command = ["sh", "slow.sh"]; epoch_rows = 97; grace = 5.0; silence = 3.0; };
metric = "inverse";
END
cat >experiments/slow/sweep.lua <<'END'
return function(exp)
  local runs = { title = "twelve", race = true, slack = 9 }
  for seed = 1, 12 do runs[seed] = { batch_size = 4, learning_rate = 0.5, seed = seed, max_steps = 3 } end
  exp:run(runs)
end
END
try 0 work slow -j1 --progress none

# ---- orphans ----
# What a program leaves in sessions of their own is ended and waited for before the next run begins.
cat >orphans.sh <<'END'
for status in /proc/[0-9]*/status; do
  sed -n -e 's/^State:[[:blank:]]*\(.\).*/\1/p' -e 's/^PPid:[[:blank:]]*//p' "$status" 2>/dev/null | tr '\n' ' ' |
    grep -qx "Z $PPID " && { echo "$status is dead and nobody waited for it"; exit 3; }
done
setsid sleep 1000 &
sh -c 'setsid sleep 1000 & setsid true &'
exec sh slow.sh
END
mkdir -p experiments/orphans
sed -e 's/slow.sh/orphans.sh/' -e 's/silence = 3.0/silence = 20.0/' experiments/slow/experiment.cfg >experiments/orphans/experiment.cfg
cat >experiments/orphans/sweep.lua <<'END'
return function(exp)
  for seed = 1, 4 do exp:run { title = "one", { batch_size = 4, learning_rate = 0.5, seed = seed, max_steps = 2 } } end
end
END
try 0 work orphans -j1 --progress none

# ---- a stop ----
# What check --twice has started ends with it.
mkdir -p "$scratch/tmp"
TMPDIR=$scratch/tmp "$BATCHLAB" check slow --twice --set external.silence=20 >"$scratch/out" 2>"$scratch/err" &
pid=$!
for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  [ -n "$(find "$scratch/tmp" -name report.jsonl)" ] && break
  sleep 0.1
done
kill -TERM $pid
wait $pid
same "$?" 75 "status of a check that was stopped"
same "$(ls "$scratch/tmp")" "" "files of a check that was stopped"
[ -z "$(grep -lsa "BATCHLAB_RUN=$scratch/tmp" /proc/[0-9]*/environ)" ] || fail "check --twice left a program"

# One that says no "mark" has no times, and a stop in the timing pass is heard.
printf 'local sweep = require "sweep"\nreturn function(exp) sweep.critical_batch(exp, {}) end\n' >experiments/slow/sweep.lua
"$BATCHLAB" run slow --progress plain --set external.silence=30 --set 'sweep.batch_sizes=[4]' --set 'sweep.targets=[2]' >"$scratch/out" 2>&1 &
pid=$!
for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
  grep -q '^timing pass' "$scratch/out" && break
  sleep 0.5
done
says out '^timing pass'
began=$(date +%s)
kill -TERM $pid
wait $pid
same "$?" 75 "status of a timing pass that was stopped"
[ $(($(date +%s) - began)) -lt 15 ] || fail "the timing pass goes on after SIGTERM"

# ---- a loop of its own ----
# It looks at no goal and never ends: a run that is done is stopped at once.
cat >alone.py <<'END'
import itertools, os, time
import batchlab
a = batchlab.args(batch_size=4, learning_rate=0.1, seed=1)
for step in itertools.count(1):
    if step > 6 and os.path.exists("short"):
        os.remove("short")
        batchlab.end()
        break
    if batchlab.due(step):
        batchlab.report(step, 1.0 / step, error=0.5)
    time.sleep(0.001)
END
mkdir -p experiments/alone
sed -e 's/"sh", "slow.sh"/"python3", "alone.py"/' -e 's/silence = 3.0/silence = 20.0/' -e 's/grace = 5.0/grace = 15.0/' experiments/slow/experiment.cfg >experiments/alone/experiment.cfg
cat >experiments/alone/sweep.lua <<'END'
return function(exp)
  exp:run { title = "one", { batch_size = 4, learning_rate = 0.5, seed = 1, max_steps = 7 } }
end
END
began=$(date +%s)
try 0 work alone -j1 --progress none
[ $(($(date +%s) - began)) -lt 15 ] || fail "a run without steps() is waited for after its end"
touch short
try 0 check alone --twice
says out '^alone: differs by inf from step 7 on: noisy$'

try 2 check careful --twice --set external.command='"python3", "{sed}"'
says err '{sed} is no parameter of a run; did you mean .seed.?'
try 2 check careful --set external.scrape='loss {value}'
says err 'neither a file .csv or .jsonl in the run.s folder nor a pattern with {step} and {value}'
exit $failed
