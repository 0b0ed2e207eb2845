#!/bin/sh
# Every part of the sweep library in one sweep on generated data: the same plan and logs at any -j and
# after interruptions, times per step measured once, and `plan` showing what plan.jsonl says.
set -eu
. tests/cli/lib.sh
same=$PWD/tests/same_outputs.sh
export BATCHLAB_CACHE="${BATCHLAB_CACHE:-$PWD/datasets/cache}" BATCHLAB_DATA=/nowhere
project=$scratch/project
project
mkdir "$project/experiments/parts"
cat >"$project/experiments/parts/experiment.cfg" <<'CFG'
title = "Every part";
dataset = "rossmann";
data: { rows = 4000; eval_rows = 256; };
model: { hidden = [8]; };
optimizer: { name = "adamw"; };
eval: { growth = 1.2; };
sweep: { batch_sizes = [64, 256]; targets = [0.9, 0.6]; seeds = 2; max_epochs = 4.0; lr_start = 0.01; lr_min = 0.0001; lr_max = 1.0; };
timing: { repeats = 3; seconds = 0.01; };
cost: { per_core_hour = 1.0; };
CFG
cat >"$project/experiments/parts/sweep.lua" <<'LUA'
local sweep = require "sweep"
return function(exp)
  local points = sweep.critical_batch(exp, { refine = 1 })
  sweep.rules(exp, { from = points, limit = 2 })
  sweep.budgets(exp, { from = points, epochs = 1, steps = { 20, 40 }, seconds = 0.01, cost = 5e-6 })
  sweep.search(exp, { batch_size = 64, target = 0.6, trials = 6, seeds = 2, widen = 1, box = {
    sweep.log("learning_rate", 2^-8, 2^-3), sweep.log("1-beta1", 0.05, 0.5),
    sweep.linear("embedding_dropout", 0, 0.2), sweep.log("weight_decay", 1e-4, 1e-1) } })
  sweep.lr_find(exp, { from = points, steps = 40, limit = 2 })
  sweep.quality(exp, { steps = 8, trials = 2, widen = 0, seeds = 1, fresh = 2, settings = { ["schedule.name"] = "cosine" },
    box = { sweep.log("learning_rate", 2^-8, 2^-3), sweep.log("weight_decay", 1e-4, 1e-1) } })
end
LUA
cd "$project"

sweep() { # sweep STORE options...: 0, or 5 where there is no answer
  store=$1
  shift
  BATCHLAB_RUNS="$scratch/$store" BATCHLAB_REPORTS="$scratch/$store.reports" \
    "$BATCHLAB" run parts --synthetic --progress plain "$@" >"$scratch/out" 2>"$scratch/err" ||
    [ $? = 5 ] || { cat "$scratch/err"; exit 1; }
}
plan() { # plan STORE options...
  store=$1
  shift
  BATCHLAB_RUNS="$scratch/$store" "$BATCHLAB" plan parts --synthetic "$@" 2>/dev/null
}

plan one >"$scratch/tree"
grep -q '3 of 3 runs to do' "$scratch/tree" || { cat "$scratch/tree"; exit 1; }
[ ! -e "$scratch/one" ] || { echo "plan made a store"; exit 1; }

sweep one -j 1
times=$(ls "$scratch"/one/parts/step_times-*.json)
[ "$(echo "$times" | wc -l)" = 1 ] || { echo "$times"; exit 1; }

# What `plan` says of each trial is what the sweep wrote, and every trial has a reason.
fields() { sed -n 's/.*"record":"trial".*"run":"\([^"]*\)".*"outcome":"\([^"]*\)".*"reason":"\(.*\)".*/\1 \2 \3/p' "$1"; }
plan one --json >"$scratch/plan.json"
fields "$scratch/one/parts/plan.jsonl" >"$scratch/written"
fields "$scratch/plan.json" | cmp - "$scratch/written"
[ "$(wc -l <"$scratch/written")" -ge 60 ] || { echo "only $(wc -l <"$scratch/written") trials"; exit 1; }
! grep -q ' $' "$scratch/written" || { echo "a run without a reason"; exit 1; }
plan one >"$scratch/tree"
tail -1 "$scratch/tree" | grep -q '; the sweep is complete.$'
[ "$(grep -c 'decides: ' "$scratch/tree")" = "$(grep -c '"record":"decision"' "$scratch/one/parts/plan.jsonl")" ]
grep -q '^Nothing retuned: 256 not judged' "$scratch/one.reports/parts/recommendation.txt" ||
  { cat "$scratch/one.reports/parts/recommendation.txt"; exit 1; }
for kind in best critical budget rule custom note; do
  grep -q "\"kind\":\"$kind\"" "$scratch/one/parts/plan.jsonl" || { echo "no decision of kind $kind"; exit 1; }
done

# The recorded times are part of the store: whoever goes on with it makes the same plan.
mkdir -p "$scratch/two/parts" "$scratch/stopped/parts"
cp $times "$scratch/two/parts/"
cp $times "$scratch/stopped/parts/"
sweep two -j 2
sh "$same" "$scratch/one" "$scratch/two"
cmp $times "$scratch"/two/parts/step_times-*.json

# Stopped again and again; a tree in the middle says what is left.
stopped=0
for events in 3 20 1 60 9 30; do
  (
    export BATCHLAB_RUNS="$scratch/stopped" BATCHLAB_REPORTS="$scratch/stopped.reports"
    cut_after TERM $events run parts --synthetic -j 2
  ) && stopped=$((stopped + 1))
  plan stopped >"$scratch/tree"
done
[ $stopped -gt 0 ] || { echo "no sweep was stopped"; exit 1; }
sweep stopped -j 2
sh "$same" "$scratch/one" "$scratch/stopped"

# A run that is published, but not as far as it is asked now, is still to do.
plan one --set sweep.max_epochs=8 >"$scratch/tree"
grep -q ' to extend .* of .* steps, [0-9.]* [KM]iB, at most [0-9]*s\( \|$\)' "$scratch/tree" ||
  { echo "nothing to extend:"; cat "$scratch/tree"; exit 1; }
