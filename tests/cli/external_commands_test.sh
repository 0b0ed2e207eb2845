#!/bin/sh
# Every command of the program on an experiment whose runs a program trains (docs/external.md): each
# does what it says, in words that fit, or refuses with one sentence. A program that gives the same
# values again (twin), and one of which nothing is known (loose).
set -u
. tests/cli/lib.sh
trainer_project

asked='sweep: { batch_sizes = [4, 32]; targets = [0.3]; max_epochs = 1000.0; max_steps = 400; lr_start = 0.0625; lr_max = 4.0; };
timing: { repeats = 1; seconds = 0.001; };'
question="metric = \"expected_loss\";
$asked"
mkdir -p experiments/twin experiments/loose
sampled own own "$asked"
for name in own twin loose; do
  cat >experiments/$name/sweep.lua <<'END'
local sweep = require "sweep"
return function(exp) sweep.critical_batch(exp, {}) end
END
done
echo one >source.txt
program() { # program NAME REPEATS [FAULT STEP]
  cat >experiments/$1/experiment.cfg <<END
title = "twins";
external: { command = ["$trainer", "own", ""${3:+, \"$3\", \"$4\"}]; inputs = ["source.txt"];
  repeats = "$2"; epoch_rows = 65536; grace = 0.5; };
$question
END
}
program twin exact
program loose noisy
export BATCHLAB_RUNS="$scratch/runs" BATCHLAB_REPORTS="$scratch/reports"
# fits COMMAND: words of nets and data sets have no place in what it said.
fits() {
  for word in 'data set' 'dataset' 'trained net' 'no data' 'kernels' 'nan' 'SYNTHETIC'; do
    if grep -q -- "$word" "$scratch/out" "$scratch/err"; then fail "$1 says '$word'"; fi
  done
}

# ---- before anything is trained ----
for name in twin loose; do
  try 0 check $name
  fits check
  try 0 run $name -n
  says out "^$name, trained by your program, 1 at once:"
  says out '^  all  *[0-9][0-9]* runs,  2 batch sizes, 4 to 32'
  says out '^How long it takes is not known'
  fits 'run -n'
  try 0 plan $name
  says out "^$name, the program's data"
  fits plan
  [ ! -e "$scratch/runs" ] || fail "looking made a store"
done

# ---- the sweep ----
for name in twin loose; do
  try 0 run $name --progress none
  says out '^Fewest steps: batch size'
  fits run
done
first=$(ls "$scratch/runs/twin" | grep -x 'r[0-9a-f]\{12\}' | head -1)
second=$(ls "$scratch/runs/twin" | grep -x 'r[0-9a-f]\{12\}' | sed -n 2p)
loose=$(ls "$scratch/runs/loose" | grep -x 'r[0-9a-f]\{12\}' | head -1)

# ---- looking ----
for name in twin loose; do
  try 0 plan $name
  says out 'the sweep is complete'
  fits plan
  try 0 plan $name --json
  try 0 status $name
  says out '^[a-z]*  *[1-9][0-9]* done'
  try 0 ls $name
  says out "  the program's data$"
  fits ls
  try 0 ls $name --json
  try 0 recommend $name
  says out '^Fewest steps'
  fits recommend
  if grep -q 'memory' "$scratch/out"; then fail "recommend has memory of a program that says nothing of it"; fi
  try 0 recommend $name --json
  try 0 report $name
  fits report
  try 0 plot $name
  try 0 fsck $name
  fits fsck
  try 0 export $name
  try 0 export $name --tfevents -o "$scratch/$name.events"
  try 0 gc $name -n
  fits gc
  try 0 submit $name --slurm --workers 2 --print
  says out " work '$name' "
  try 0 bundle $name -o "$scratch/$name.tar.gz"
done
grep -ri 'no data' "$scratch/reports" >"$scratch/out" && fail "figures or report say 'no data'"
try 0 show "$first"
says out '^program    protocol 1$'
says out '^inputs     sha256 [0-9a-f]\{64\}$'
fits show
try 0 why "$first"
says out '^asked in '
fits why
try 0 why "$loose"
try 1 diff "$first" "$second"
says out "^first differing record: step 1$"
says out "^  A  mean loss [0-9.]*  value [0-9.]*$"
fits diff
try 0 completion bash
try 0 doctor

# ---- machine: what a program takes, size by size ----
sizes=sweep.batch_sizes=[16,64]
try 0 machine twin --progress none --set "$sizes" --seconds 1
says out '^throughput   t(B) = '
grep -q 'where it goes\|formula\|in pieces\|inference' "$scratch/out" && fail "machine says what it cannot know of a program"
says out '^             largest that ran: [0-9,]*, with [0-9.]* MiB$'
[ -s "$BATCHLAB_REPORTS/twin/machine/memory.dat" ] || fail "no figure of memory"
fits machine
# Memory of all its processes, also of a worker in a session of its own; where it says what it waits for. The address
# sanitizer has memory of its own, in proportion, so there the numbers are not those of the program.
export TRAINER_KIB=200 TRAINER_DATA=0.625
try 0 machine twin --progress none --set "$sizes" --memory 100M
says out '^where it goes at 64: 63 % of a step waits for data, bound by the data$'
says out '^              at 16: 63 % of a step waits for data'
case $BATCHLAB in
*/asan/*) ;;
*)
  says out '^memory       M(B) = [0-9.]* MiB + \(19[5-9]\|20[0-5]\)\(\.[0-9]*\)\? KiB x B$'
  says out 'not tried; [0-9]* took more memory than it may$'
  largest=$(sed -n 's/.*"largest":\([0-9]*\),.*/\1/p' "$BATCHLAB_RUNS/twin/machine.json")
  [ "$largest" -ge 400 ] && [ "$largest" -le 475 ] || fail "largest of a program: $largest"
  try 2 machine twin --progress none --set "$sizes" --memory 2M
  says err 'the smallest of sweep.batch_sizes, took more memory than it may (1,946 KiB may be taken, as asked)$'
  ;;
esac
unset TRAINER_KIB
TRAINER_FAULTS=oom_line:1:64 try 0 machine twin --progress none --set "$sizes" --seconds 1 --json
says out '"largest":63,.*"failed":64,.*"waits_for_data":0.625,'
unset TRAINER_DATA
TRAINER_FAULTS=crash:1:16 try 1 machine twin --progress none --set "$sizes"
says err 'run machine failed: signal 6 '
[ -e "$BATCHLAB_RUNS/twin/measuring" ] && fail "machine left a folder"
try 2 machine twin --progress none --set 'sweep.batch_sizes=[65537]'
says err 'batch size 65537 is larger than an epoch (65536 rows)$'

# ---- what batchlab cannot do with a program ----
try 2 show twin --model
says err 'twin is trained by a program of your own: batchlab knows no layers of it'
try 2 find twin
says err 'find probes the gradients of nets that batchlab trains itself'
try 2 plan twin --device cuda
says err 'a program chooses its device itself'
try 2 run twin --synthetic
says err 'a program reads its data itself'

# ---- the same bits again ----
try 0 lock twin
if grep -q ':0000000000000000' experiments/twin/expected.lock; then fail "the lock has hashes of no losses"; fi
try 0 verify twin --sample 2
says out "^twin, the program's data, -j 1: 2 runs equal, 0 differ"
try 0 run twin --force --progress none
says out 'published runs equal, 0 differ'
try 0 verify loose --sample 2
says out '^loose, .*: 2 runs trained again, 2 equal, 0 differ$'
says out '^The experiment declares noise'
for command in 'lock loose' 'run loose --force'; do
  try 2 $command
  says err 'compares bits, and loose says external.repeats = "noisy"'
done

# ---- what the store keeps ----
# A run of another version of the script is in no plan of this one; nothing is known of its own.
try 0 gc twin
[ -z "$(find "$scratch/runs/twin" -name 'checkpoint-*' -o -name 'state-*')" ] || fail "gc left states"
mv experiments/twin/sweep.lua "$scratch/"
echo 'return function(exp) exp:run { title = "one", { batch_size = 4, learning_rate = 0.5, seed = 1, max_steps = 5 } } end' >experiments/twin/sweep.lua
echo two >source.txt
try 0 work twin --progress none
rm "$scratch"/runs/*/plan.jsonl experiments/twin/expected.lock
for name in twin loose; do
  try 0 gc $name -n --unplanned
  if grep -q 'in no plan' "$scratch/out"; then fail "gc would remove runs of another version"; fi
done
echo one >source.txt
try 0 gc twin -n --unplanned
says out ' 23  runs that are in no plan'
try 1 diff "$first" "$(ls -t "$scratch/runs/twin" | grep -x 'r[0-9a-f]\{12\}' | head -1)"
says out '^  inputs  *"[0-9a-f]*" | "[0-9a-f]*"$'

# ---- a repeat ----
# Without its state a noisy run cannot be extended: it is begun anew, as another run.
for steps in 5 9; do
  echo "return function(exp) exp:run { title = \"one\", { batch_size = 8, learning_rate = 0.5, seed = 1, max_steps = $steps } } end" >experiments/loose/sweep.lua
  try 0 work loose --progress none
  try 0 gc loose
done
repeat=$(grep -l '"repeat":1' "$scratch"/runs/loose/r*/run.json)
repeat=$(basename "${repeat%/run.json}")
try 0 plan loose
says out " $repeat done .* budget at step 9$"
try 0 show "$repeat"
says out '^program    protocol 1, repeat 1$'
try 0 why "$repeat"
says out '^asked in '
says out '^  repeat  *1 | 0$'
exit $failed
