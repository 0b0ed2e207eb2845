#!/bin/sh
# external_overhead.sh: what batchlab costs a run that is a program (docs/external.md). The trainer of tests/external, on
# a net whose steps take microseconds, runs under batchlab and by hand, one after the other:
#
#     quick   2,000 steps, 106 evaluations, nothing between them: milliseconds that an evaluation takes longer
#     calm    20 steps that take a second each, an evaluation after each: percent that the run takes longer
#
# What starting the command takes is measured by a run of one step, and taken off. Medians of REPEATS=5.
set -eu
home=$PWD
BATCHLAB=${BATCHLAB:-$home/build/release/batchlab}
trainer=$(dirname "$BATCHLAB")/tests/external/external_trainer
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset BL_FORCE_IMPL BATCHLAB_RUNS BATCHLAB_REPORTS
mkdir -p "$scratch/experiments/own" "$scratch/experiments/timed" "$scratch/scripts" "$scratch/datasets" "$scratch/hand"
cp -r scripts/lua "$scratch/scripts/"
cd "$scratch"
cat >experiments/own/experiment.cfg <<'CFG'
dataset = "none";
metric = "expected_loss";
model: { kind = "quadratic"; };
data: { rows = 65536; };
optimizer: { name = "sgd"; };
CFG
cat >experiments/timed/experiment.cfg <<CFG
external: { command = ["$trainer", "own", ""]; repeats = "exact"; epoch_rows = 65536; };
metric = "expected_loss";
CFG

# Seconds by the clock, of a run of so many steps with a pause in each.
under() { # under STEPS NAP; leaves the number of evaluations in the file evals
  echo "return function(exp) exp:run { title = \"one\", { batch_size = 16, learning_rate = 0.01, seed = 1, max_steps = $1 } } end" >experiments/timed/sweep.lua
  rm -rf "$scratch/runs"
  begin=$(date +%s.%N)
  BATCHLAB_RUNS="$scratch/runs" TRAINER_NAP="$2" "$BATCHLAB" work timed --progress none
  seconds "$begin"
  zcat runs/timed/r*/log.jsonl.gz | grep -c '"record":"eval"' >evals
}
by_hand() { # by_hand STEPS NAP: the same steps
  rm -f hand/*
  echo '{"batch_size":16,"learning_rate":0.01,"seed":1}' >hand/params.json
  echo "{\"until\":$1,\"evals\":[],\"park\":false}" >hand/goal.json
  begin=$(date +%s.%N)
  BATCHLAB_RUN="$scratch/hand" TRAINER_NAP="$2" "$trainer" own ""
  seconds "$begin"
}
seconds() { date +%s.%N | awk -v begin="$1" '{ print $1 - begin }'; }
median() { sort -n | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'; }

i=0
while [ $i -lt "${REPEATS:-5}" ]; do
  i=$((i + 1))
  echo "$(under 1 0) $(by_hand 1 0)" >>start
  echo "$(under 2000 0) $(by_hand 2000 0)" >>quick
  n=$(cat evals)
  echo "$(under 20 1) $(by_hand 20 1)" >>calm
done
start=$(awk '{ print $1 - $2 }' start | median)
awk -v start="$start" -v n="$n" '{ print 1000 * ($1 - $2 - start) / (n - 1) }' quick | median |
  awk -v n="$n" -v start="$start" '{ printf "an evaluation takes %.1f ms longer (%d of them); starting the command %.0f ms\n", $1, n, 1000 * start }'
awk -v start="$start" '{ print 100 * ($1 - $2 - start) / $2 }' calm | median |
  awk '{ printf "a run with an evaluation each second takes %.2f %% longer\n", $1 }'
